//! `fraud-latency`: the fraud use case with all of its layers, over HTTP on loopback, durable
//! before it answers, under open-loop load ([`Level`]) from the same cores.
//!
//! First each model alone, one row at a time. Then the load: once as it is; once while versions of all models are swapped; once with a member of the deepest
//! layer that hangs. Then a rule is tried out on the public card payments, whose rows have been
//! read once before.

mod members;

use std::time::Duration;

use acumen_base::{Clock, Time};
use acumen_engine::{
    BacktestLimits, BacktestQuery, Folder, LogOptions, Offline, backtest, import_files,
};
use acumen_table::Mapping;
use serde_json::json;

use crate::child::{self, Server};
use crate::handbook;
use crate::level::Level;
use crate::report::{Failure, Outcome, row, table};
use crate::settings::{Settings, workspace};
use crate::stage::{self, Size, Stage};

/// Requests a second.
const RATE: u32 = 300;

/// Seconds of load before the first measurement.
const WARM_SECONDS: u64 = 3;

/// The member that hangs, and for how long.
const SLOW: &str = "lstm=2s";

/// Between two swaps.
const SWAP_EVERY: Duration = Duration::from_secs(1);

/// The rule that is tried out.
const RULE: &str = "velocity_checks.customer.count_1h > 3 && payment.amount > money('150 EUR')";

/// What the world is like.
const SIZE: Size = Size {
    customers: 2_000,
    days: 120,
    versions: 2,
    deep: true,
};

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let stage = Stage::build(settings.seed, SIZE)?;
    let one_row = members::one_row(&stage)?;
    let seconds = settings.seconds;
    let mut server = Server::start(&stage.root, &stage.data)?;
    let warm = Level::run(&stage.target(&server.address), RATE, WARM_SECONDS, 0)?;
    let plain = Level::run(&stage.target(&server.address), RATE, seconds, warm.asked)?;
    let sent = warm.asked + plain.asked;
    let (swapping, swaps) = swapping(&stage, &mut server, seconds, sent)?;
    server.stop()?;

    let sent = sent + swapping.asked;
    let server = Server::drilled(&stage.root, &stage.data, &[SLOW])?;
    let warm = Level::run(&stage.target(&server.address), RATE, WARM_SECONDS, sent)?;
    let slow = Level::run(
        &stage.target(&server.address),
        RATE,
        seconds,
        sent + warm.asked,
    )?;
    server.stop()?;

    show(&[
        ("all layers", &plain),
        (&format!("{swaps} swaps of all models"), &swapping),
        (&format!("with {SLOW}"), &slow),
    ]);
    let backtested = backtested(settings)?;
    Ok(json!({
        "rps": plain.rps(),
        "p50_ms": plain.quantile(0.5),
        "p99_ms": plain.quantile(0.99),
        "stolen_share": plain.stolen,
        "p999_ms": plain.quantile(0.999),
        "errors": plain.errors,
        "not_all_layers": plain.incomplete,
        "p99_ms_slow_member": slow.quantile(0.99),
        "marked_slow_member": slow.incomplete,
        "asked_slow_member": slow.asked,
        "errors_slow_member": slow.errors,
        "unmarked_over_50ms": plain.unmarked + swapping.unmarked + slow.unmarked,
        "swaps": swaps,
        "swap_errors": swapping.errors,
        "swap_p99_ms": swapping.quantile(0.99),
        "one_row": one_row,
        "backtest_seconds": backtested["seconds"],
        "backtest_rows": backtested["rows"],
        "rows_built_seconds": backtested["built_seconds"],
    }))
}

/// Load while versions of all models are swapped; and how often they were.
fn swapping(
    stage: &Stage,
    server: &mut Server,
    seconds: u64,
    sent: usize,
) -> Result<(Level, u64), Failure> {
    let address = server.address.clone();
    std::thread::scope(|scope| {
        let load = scope.spawn(|| Level::run(&stage.target(&address), RATE, seconds, sent));
        let mut swaps = 0;
        for deployment in stage.deployments.iter().cycle() {
            if load.is_finished() {
                break;
            }
            for control in deployment {
                server.control(control)?;
            }
            swaps += 1;
            std::thread::sleep(SWAP_EVERY);
        }
        let level = load
            .join()
            .map_err(|_| Failure::new("the load has failed"))?;
        Ok((level?, swaps))
    })
}

fn show(levels: &[(&str, &Level)]) {
    let mut lines = vec![row([
        "load",
        "answered/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "errors",
        "something left out",
        "over 50 ms unmarked",
        "stolen",
    ])];
    for (name, level) in levels {
        lines.push(row([
            name,
            &format!("{:.0}", level.rps()),
            &format!("{:.2}", level.quantile(0.5)),
            &format!("{:.2}", level.quantile(0.99)),
            &format!("{:.2}", level.quantile(0.999)),
            &level.errors.to_string(),
            &level.incomplete.to_string(),
            &level.unmarked.to_string(),
            &format!("{:.1} %", 100.0 * level.stolen),
        ]));
    }
    table(&lines);
}

/// How long a rule takes over all of the public card payments, where they are there.
fn backtested(settings: &Settings) -> Outcome {
    let file = match handbook::file(settings) {
        Ok(file) => file,
        Err(why) => {
            println!("no backtest: {why}");
            return Ok(json!({ "skipped": why }));
        }
    };
    let example = workspace("examples/card-payments");
    let plan = child::plan(&example)?;
    let text = std::fs::read_to_string(example.join("mapping.yaml"))?;
    let mapping: Mapping = serde_saphyr::from_str(&text)?;
    let folder = tempfile::tempdir()?;
    let data = Folder::new(folder.path());
    let mut offline = Offline::open(plan, data, LogOptions::default())?;
    let clock = stage::clock();
    import_files(&mut offline, &[file], &mapping, &*clock, &mut |_| {})?;
    let query = BacktestQuery {
        rule: RULE.to_owned(),
        from: Time(i64::MIN),
        to: Time(i64::MAX),
        effect: None,
    };
    let limits = BacktestLimits::default();
    let timed = || -> Result<(u64, f64), Failure> {
        let began = clock.nanos();
        let found = backtest(&offline.sources, 0, &query, &limits, &mut |_| {})?;
        Ok((found.rows, (clock.nanos() - began) as f64 / 1e9))
    };
    let (_, built_seconds) = timed()?;
    let (rows, seconds) = timed()?;
    println!(
        "`{RULE}` over {rows} payments: {seconds:.2} s; reading their rows before: \
         {built_seconds:.1} s"
    );
    Ok(json!({"rows": rows, "seconds": seconds, "built_seconds": built_seconds}))
}
