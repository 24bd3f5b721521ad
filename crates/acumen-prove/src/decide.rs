//! `decide`: decisions over HTTP on loopback, all layers, durable before they are answered.
//!
//! The load is open-loop: requests are due at the instants of a Poisson process, whatever the
//! answers do, and a latency runs from the instant a request was due, so that a server that
//! stalls is charged for everyone who waited. The load generator runs on the same machine.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use acumen_base::{Clock, Seed};
use acumen_sim::load::Arrivals;
use serde_json::json;

use crate::child::Server;
use crate::client::Client;
use crate::report::{Failure, Outcome, row, table};
use crate::settings::Settings;
use crate::stage::{self, Size, Stage, USE_CASE};

/// Connections that wait for a request that is due. Only as many send as have something to send.
const CONNECTIONS: usize = 48;

/// The rates after the first, a second.
const RISING: [u32; 5] = [2_000, 3_000, 4_000, 5_000, 6_000];

/// A rate is sustained where nothing failed, as much was answered as was asked, and even the
/// slowest in a hundred came within what the use case promises.
const SUSTAINED_MS: f64 = 50.0;
const SUSTAINED_SHARE: f64 = 0.98;

/// How often the disk is asked by itself, and about how much an event with its decision takes.
const FSYNCS: usize = 5_000;
const DECISION_BYTES: usize = 1_500;

/// Seconds of load before the first measurement.
const WARM_SECONDS: u64 = 3;

/// What the world is like.
const SIZE: Size = Size {
    customers: 2_000,
    days: 90,
    versions: 1,
};

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let stage = Stage::build(settings.seed, SIZE)?;
    let server = Server::start(&stage.root, &stage.data)?;
    let mut sent = 0;
    let mut load = |rate: u32, seconds: u64| -> Result<Level, Failure> {
        let level = Level::run(&stage, &server.address, rate, seconds, sent)?;
        sent += level.asked;
        Ok(level)
    };
    load(settings.rate, WARM_SECONDS)?;
    let first = load(settings.rate, settings.seconds)?;
    let mut levels = vec![first];
    let mut sustained = if levels[0].is_sustained() {
        levels[0].rps()
    } else {
        0.0
    };
    for rate in RISING {
        let level = load(rate, (settings.seconds / 2).max(1))?;
        let held = level.is_sustained();
        if held {
            sustained = f64::max(sustained, level.rps());
        }
        levels.push(level);
        if !held {
            break;
        }
    }
    print_parts(&server.address)?;
    server.stop()?;
    let mut lines = vec![row([
        "rate",
        "answered/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "errors",
        "not all layers",
    ])];
    for level in &levels {
        lines.push(vec![
            level.rate.to_string(),
            format!("{:.0}", level.rps()),
            format!("{:.2}", level.quantile(0.5)),
            format!("{:.2}", level.quantile(0.99)),
            format!("{:.2}", level.quantile(0.999)),
            level.errors.to_string(),
            level.incomplete.to_string(),
        ]);
    }
    table(&lines);
    let floor = fsync(&stage.data)?;
    println!(
        "one sync after another on this disk: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms",
        floor[0], floor[1], floor[2]
    );
    let first = &levels[0];
    Ok(json!({
        "rps": first.rps(),
        "p50_ms": first.quantile(0.5),
        "p99_ms": first.quantile(0.99),
        "p999_ms": first.quantile(0.999),
        "errors": first.errors,
        "not_all_layers": first.incomplete,
        "rps_sustained": sustained,
        "fsync_p50_ms": floor[0],
        "fsync_p99_ms": floor[1],
        "fsync_p999_ms": floor[2],
    }))
}

/// One rate of load and what came of it.
struct Level {
    rate: u32,
    seconds: f64,
    asked: usize,
    errors: usize,
    /// Answers in which a layer did not run or a member did not answer.
    incomplete: usize,
    /// Nanoseconds from when each was due, ascending.
    latencies: Vec<u64>,
}

/// What one connection saw.
#[derive(Default)]
struct Done {
    latencies: Vec<u64>,
    errors: usize,
    incomplete: usize,
}

/// Whether every layer ran and every member answered, by the words of the answer.
fn ran_all(answer: &[u8]) -> bool {
    let has = |words: &[u8]| answer.windows(words.len()).any(|window| window == words);
    !has(b"\"prediction\":null") && !has(b"out of time") && !has(b"no model is deployed")
}

impl Level {
    fn run(
        stage: &Stage,
        address: &str,
        rate: u32,
        seconds: u64,
        first: usize,
    ) -> Result<Level, Failure> {
        let clock = stage::clock();
        let end = seconds * 1_000_000_000;
        let seed = Seed(u64::from(rate)).derive(&first.to_string());
        let due = Arrivals::new(f64::from(rate), seed).take_while(|at| *at < end);
        let schedule = Mutex::new(due.enumerate());
        let begin = clock.nanos();
        let path = format!("/v1/usecases/{USE_CASE}/decide");
        let connection = || -> Result<Done, Failure> {
            let mut client = Client::connect(address)?;
            let (mut done, mut body) = (Done::default(), Vec::new());
            loop {
                // Whoever holds the schedule waits for the next request to be due; the others
                // wait behind it or for their answers.
                let (number, due) = {
                    let mut schedule = schedule
                        .lock()
                        .map_err(|_| Failure::new("a connection has failed"))?;
                    let Some((number, due)) = schedule.next() else {
                        break;
                    };
                    let now = clock.nanos() - begin;
                    std::thread::sleep(Duration::from_nanos(due.saturating_sub(now)));
                    (number, due)
                };
                stage.body(first + number, clock.now(), &mut body);
                let (status, answer) = client.post(&path, &body)?;
                let took = clock.nanos() - begin - due;
                match status {
                    200 => done.latencies.push(took),
                    _ => done.errors += 1,
                }
                done.incomplete += usize::from(!ran_all(answer));
            }
            Ok(done)
        };
        let mut level = Level {
            rate,
            seconds: 0.0,
            asked: 0,
            errors: 0,
            incomplete: 0,
            latencies: Vec::new(),
        };
        std::thread::scope(|scope| {
            let connections: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(connection)).collect();
            for connection in connections {
                let joined = connection.join();
                let done = joined.map_err(|_| Failure::new("it has failed"))??;
                level.latencies.extend(done.latencies);
                level.errors += done.errors;
                level.incomplete += done.incomplete;
            }
            Ok::<(), Failure>(())
        })?;
        level.seconds = (clock.nanos() - begin) as f64 / 1e9;
        level.asked = level.latencies.len() + level.errors;
        level.latencies.sort_unstable();
        Ok(level)
    }

    fn rps(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }

    fn quantile(&self, share: f64) -> f64 {
        let place = (share * self.latencies.len() as f64) as usize;
        let last = self.latencies.len().saturating_sub(1);
        let nanos = self.latencies.get(place.min(last));
        nanos.map_or(f64::NAN, |nanos| *nanos as f64 / 1e6)
    }

    fn is_sustained(&self) -> bool {
        self.errors == 0
            && self.quantile(0.99) <= SUSTAINED_MS
            && self.rps() >= SUSTAINED_SHARE * f64::from(self.rate)
    }
}

/// What the last decision says of its layers, so that the table can be read.
fn print_parts(address: &str) -> Result<(), Failure> {
    let mut client = Client::connect(address)?;
    let answer = client.get("/v1/status")?.1;
    let status: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    println!("decisions by action: {}", status["use_cases"][0]["actions"]);
    Ok(())
}

/// Milliseconds that this machine's disk takes to make the bytes of one decision durable, as the
/// log does it: the floor of every durable answer, by the same quantiles.
fn fsync(folder: &Path) -> Result<[f64; 3], Failure> {
    use std::io::Write;
    let path = folder.join("fsync.probe");
    let mut file = std::fs::File::create(&path)?;
    let clock = stage::clock();
    let mut nanos = Vec::new();
    for _ in 0..FSYNCS {
        let started = clock.nanos();
        file.write_all(&[1; DECISION_BYTES])?;
        file.sync_data()?;
        nanos.push(clock.nanos() - started);
    }
    std::fs::remove_file(path)?;
    nanos.sort_unstable();
    let at = |share: f64| nanos[(share * FSYNCS as f64) as usize] as f64 / 1e6;
    Ok([at(0.5), at(0.99), at(0.999)])
}
