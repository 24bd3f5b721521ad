//! `clv-speed`: a million customers with twenty million orders, from a file to every customer's
//! value, beside pandas and XGBoost doing the same work; one customer asked over HTTP; and batches
//! that are killed.
//!
//! Both sides read the same Parquet, make the same kind of features at the same two origins and at
//! the date that is scored, fit as many trees and write Parquet. Ours goes through the event log,
//! which is told apart, and gives each customer an interval, a segment and a reason besides. The
//! peak of memory is that of the largest process of a side.

mod batches;
mod keys;
mod orders;
mod process;

use std::path::{Path, PathBuf};
use std::process::Command;

use acumen_base::{Clock, Seed};
use acumen_model::lifetime::{BgNbd, Histories, fit};
use serde_json::json;

use crate::peer;
use crate::report::{Failure, Outcome, row, table};
use crate::settings::{Settings, workspace};
use crate::stage;
use orders::Orders;
use process::Took;

/// Orders of a customer, on average.
const ORDERS_EACH: u64 = 20;
/// The date that is scored: the end of the two years of orders.
const SCORED_AT: &str = "2026-01-01";

/// A data folder with what is done in it.
struct Shop {
    program: PathBuf,
    data: PathBuf,
}

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("orders.parquet");
    let seed = Seed(settings.seed);
    let orders = Orders::make(settings.customers, ORDERS_EACH, seed)?;
    println!(
        "{} orders of {} customers",
        orders.len(),
        settings.customers
    );
    let fit_seconds = fitted(&orders)?;
    orders.write(&file)?;
    drop(orders);
    let shop = Shop::new(folder.path().join("data"))?;
    let ingest = shop.ingest(&file)?;
    let training = shop.train()?;
    let scoring = shop.run(shop.score(&folder.path().join("scores")))?;
    let pandas = match settings.python {
        Some(_) => {
            let out = folder.path().join("pandas.parquet");
            Some(peer::run(settings, "clv_speed.py", [file, out])?)
        }
        None => None,
    };
    show(&ingest, &training, &scoring, pandas.as_ref());
    let asked = keys::ask(&shop, settings)?;
    let killed = batches::kill(settings)?;
    let peer = |key: &str| pandas.as_ref().map(|found| found[key].clone());
    let whole = |key: [&str; 2]| {
        let seconds = key.map(|key| pandas.as_ref().and_then(|found| found[key].as_f64()));
        Some(seconds[0]? + seconds[1]?)
    };
    let peaks = [&ingest, &training, &scoring].map(|took| took.peak_mib);
    let peak_mib = peaks.into_iter().fold(0.0, f64::max);
    Ok(json!({
        "customers": settings.customers,
        "fit_seconds": fit_seconds,
        "ingest_seconds": ingest.seconds,
        "training_seconds": training.seconds,
        "scoring_seconds": scoring.seconds,
        "peak_mib": peak_mib,
        "peer_seconds": whole(["training_seconds", "scoring_seconds"]),
        "peer_training_seconds": peer("training_seconds"),
        "peer_scoring_seconds": peer("scoring_seconds"),
        "peer_peak_mib": peer("peak_mib"),
        "rps": asked.uncached.rps(),
        "p99_ms": asked.uncached.quantile(0.99),
        "p99_ms_cached": asked.cached.quantile(0.99),
        "errors": asked.uncached.errors + asked.cached.errors,
        "stolen_share": asked.uncached.stolen,
        "batch_kills": killed.kills,
        "scored_once": killed.scored_once,
    }))
}

/// Seconds that BG/NBD takes to be fitted to every customer's purchases, timed to the second.
fn fitted(orders: &Orders) -> Result<f64, Failure> {
    let customers = orders.histories();
    let clock = stage::clock();
    let began = clock.nanos();
    let histories = Histories::new(&customers)?;
    let found = fit::<BgNbd>(&histories);
    let seconds = (clock.nanos() - began) as f64 / 1e9;
    println!(
        "BG/NBD fitted to {} histories, {} of them different, in {seconds:.2} s and {} steps",
        customers.len(),
        histories.distinct(),
        found.iterations
    );
    Ok(seconds)
}

impl Shop {
    /// With an empty data folder.
    fn new(data: PathBuf) -> Result<Shop, Failure> {
        let program = std::env::current_exe()?.with_file_name("acumen");
        match program.is_file() {
            true => Ok(Shop { program, data }),
            false => Err(Failure::new(format!(
                "{} is not there: `cargo xtask prove` builds it",
                program.display()
            ))),
        }
    }

    fn project() -> PathBuf {
        workspace("crates/acumen-prove/projects/shop")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).arg("--root").arg(Shop::project());
        command.arg("--data").arg(&self.data);
        command
    }

    fn run(&self, mut command: Command) -> Result<Took, Failure> {
        process::run(&mut command)
    }

    fn ingest(&self, file: &Path) -> Result<Took, Failure> {
        let mut command = self.command(&["ingest"]);
        let mapping = Shop::project().join("mapping.yaml");
        command.arg("--mapping").arg(mapping).arg(file);
        self.run(command)
    }

    fn train(&self) -> Result<Took, Failure> {
        self.run(self.command(&["train", "value"]))
    }

    fn score(&self, out: &Path) -> Command {
        let mut command = self.command(&["score", "value", "--all", "--at", SCORED_AT]);
        command.arg("--out").arg(out);
        command
    }
}

fn show(ingest: &Took, training: &Took, scoring: &Took, pandas: Option<&serde_json::Value>) {
    let mut lines = vec![row(["", "seconds", "peak MiB"])];
    let mut add = |name: &str, seconds: f64, peak: f64| {
        lines.push(row([name, &format!("{seconds:.1}"), &format!("{peak:.0}")]));
    };
    for (name, took) in [
        ("ours: file to event log", ingest),
        ("ours: features and training", training),
        ("ours: features, scores, intervals, reasons", scoring),
    ] {
        add(name, took.seconds, took.peak_mib);
    }
    if let Some(found) = pandas {
        let number = |key: &str| found[key].as_f64().unwrap_or(f64::NAN);
        let peak = number("peak_mib");
        add(
            "pandas, XGBoost: training",
            number("training_seconds"),
            peak,
        );
        add("pandas, XGBoost: scores", number("scoring_seconds"), peak);
    }
    table(&lines);
}
