//! `decide`: decisions by rules and boosting over HTTP on loopback, durable before they are answered,
//! under open-loop load ([`Level`]) that rises until it is not sustained any more.

use std::path::Path;

use acumen_base::Clock;
use serde_json::json;

use crate::child::Server;
use crate::client::Client;
use crate::level::Level;
use crate::report::{Failure, Outcome, row, table};
use crate::settings::Settings;
use crate::stage::{self, Size, Stage};

/// The rates after the first, a second.
const RISING: [u32; 5] = [2_000, 3_000, 4_000, 5_000, 6_000];

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
    deep: false,
};

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let stage = Stage::build(settings.seed, SIZE)?;
    let server = Server::start(&stage.root, &stage.data)?;
    let mut sent = 0;
    let mut load = |rate: u32, seconds: u64| -> Result<Level, Failure> {
        let level = Level::run(&stage.target(&server.address), rate, seconds, sent)?;
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
        "stolen",
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
            format!("{:.1} %", 100.0 * level.stolen),
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
        "stolen_share": first.stolen,
        "rps_sustained": sustained,
        "fsync_p50_ms": floor[0],
        "fsync_p99_ms": floor[1],
        "fsync_p999_ms": floor[2],
    }))
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
