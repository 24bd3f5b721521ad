//! Open-loop load at one rate, and what came of it.
//!
//! Requests are due at the instants of a Poisson process, whatever the answers do, and a latency
//! runs from the instant a request was due, so that a server that stalls is charged for everyone
//! who waited. The load generator runs on the same machine.

use std::sync::Mutex;
use std::time::Duration;

use acumen_base::{Clock, Seed, Time};
use acumen_sim::load::Arrivals;

use crate::client::Client;
use crate::report::Failure;
use crate::stage;

/// Connections that wait for a request that is due. Only as many send as have something to send.
const CONNECTIONS: usize = 48;

/// What the use case promises.
const PROMISED_MS: f64 = 50.0;

/// The share of what was due that is answered where a rate is sustained.
const SUSTAINED_SHARE: f64 = 0.98;

/// Writes the body of a request of a number, made at a time.
type Body<'a> = Box<dyn Fn(usize, Time, &mut Vec<u8>) + Sync + 'a>;

/// Who is asked, and what.
pub(crate) struct Target<'a> {
    /// `host:port`.
    pub(crate) address: &'a str,
    /// Where requests are posted to.
    pub(crate) path: String,
    /// What is posted.
    pub(crate) body: Body<'a>,
}

/// One rate of load and what came of it.
pub(crate) struct Level {
    /// Requests a second that were due.
    pub(crate) rate: u32,
    seconds: f64,
    /// Requests that were sent.
    pub(crate) asked: usize,
    /// Those that were not answered with a decision.
    pub(crate) errors: usize,
    /// Answers in which a layer did not run or a member did not answer.
    pub(crate) incomplete: usize,
    /// Answers later than the use case promises that do not say that anything was left out.
    pub(crate) unmarked: usize,
    /// The share of the processors' time that the machine below this one took for others.
    pub(crate) stolen: f64,
    /// Nanoseconds from when each was due, ascending.
    latencies: Vec<u64>,
}

/// What one connection saw.
#[derive(Default)]
struct Done {
    latencies: Vec<u64>,
    errors: usize,
    incomplete: usize,
    unmarked: usize,
}

/// What the processors did since the machine started, in the system's own unit.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ticks {
    all: u64,
    stolen: u64,
}

impl Ticks {
    /// All zero where the system does not say.
    pub(crate) fn now() -> Ticks {
        let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
        let words = text.lines().next().unwrap_or_default().split_whitespace();
        // user, nice, system, idle, iowait, irq, softirq, steal; what follows is part of `user`.
        let ticks: Vec<u64> = words
            .skip(1)
            .take(8)
            .map_while(|word| word.parse().ok())
            .collect();
        Ticks {
            all: ticks.iter().sum(),
            stolen: ticks.get(7).copied().unwrap_or_default(),
        }
    }

    /// The share that was taken for others since.
    pub(crate) fn stolen_since(self, before: Ticks) -> f64 {
        let all = (self.all - before.all).max(1);
        (self.stolen - before.stolen) as f64 / all as f64
    }
}

/// Whether every layer ran and every member answered, by the words of the answer.
fn ran_all(answer: &[u8]) -> bool {
    let has = |words: &[u8]| answer.windows(words.len()).any(|window| window == words);
    let left_out = [
        b"\"prediction\":null".as_slice(),
        b"out of time",
        b"no model is deployed",
        b"too many requests were waiting",
    ];
    !left_out.iter().any(|words| has(words))
}

impl Level {
    /// Sends requests for so many seconds; the `first` so many were sent before.
    pub(crate) fn run(
        target: &Target<'_>,
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
        let connection = || -> Result<Done, Failure> {
            let mut client = Client::connect(target.address)?;
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
                (target.body)(first + number, clock.now(), &mut body);
                let (status, answer) = client.post(&target.path, &body)?;
                let took = clock.nanos() - begin - due;
                match status {
                    200 => done.latencies.push(took),
                    _ => done.errors += 1,
                }
                let complete = ran_all(answer);
                done.incomplete += usize::from(!complete);
                done.unmarked += usize::from(complete && took as f64 / 1e6 > PROMISED_MS);
            }
            Ok(done)
        };
        let mut level = Level {
            rate,
            seconds: 0.0,
            asked: 0,
            errors: 0,
            incomplete: 0,
            unmarked: 0,
            stolen: 0.0,
            latencies: Vec::new(),
        };
        let ticks = Ticks::now();
        std::thread::scope(|scope| {
            let connections: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(connection)).collect();
            for connection in connections {
                let joined = connection.join();
                let done = joined.map_err(|_| Failure::new("it has failed"))??;
                level.latencies.extend(done.latencies);
                level.errors += done.errors;
                level.incomplete += done.incomplete;
                level.unmarked += done.unmarked;
            }
            Ok::<(), Failure>(())
        })?;
        level.seconds = (clock.nanos() - begin) as f64 / 1e9;
        level.stolen = Ticks::now().stolen_since(ticks);
        level.asked = level.latencies.len() + level.errors;
        level.latencies.sort_unstable();
        Ok(level)
    }

    /// Answers a second.
    pub(crate) fn rps(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }

    /// The latency in milliseconds that so large a share of the answers kept.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let place = (share * self.latencies.len() as f64) as usize;
        let last = self.latencies.len().saturating_sub(1);
        let nanos = self.latencies.get(place.min(last));
        nanos.map_or(f64::NAN, |nanos| *nanos as f64 / 1e6)
    }

    /// Whether nothing failed, as much was answered as was asked, and even the slowest in a hundred
    /// came within what the use case promises.
    pub(crate) fn is_sustained(&self) -> bool {
        self.errors == 0
            && self.quantile(0.99) <= PROMISED_MS
            && self.rps() >= SUSTAINED_SHARE * f64::from(self.rate)
    }
}
