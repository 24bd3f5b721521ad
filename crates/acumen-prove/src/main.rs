//! Measurements, each beside its peer: `acumen-prove NAME` prints a table and, as its last line,
//! one JSON object.
//!
//! A measurement is one file and one line in [`MEASUREMENTS`]. What it needs from outside (public
//! data, the peers' Python) is named where it is absent, and the measurement is then skipped:
//! nothing is downloaded. A measurement is no test: it reports figures and judges none of them
//! but the counts that must be 0.

mod boosting;
mod child;
mod client;
mod clv_quality;
mod clv_speed;
mod crash;
mod decide;
mod folds;
mod forest_latency;
mod fraud_baseline;
mod fraud_latency;
mod fraud_quality;
mod fraud_world;
mod handbook;
mod level;
mod load;
mod peer;
mod recommendations_quality;
mod recommendations_speed;
mod replay;
mod report;
mod settings;
mod skew;
mod stage;
mod world;

use std::process::ExitCode;

use clap::Parser;

use crate::report::Outcome;
use crate::settings::Settings;

/// The allocator of the program that is measured.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// One measurement.
struct Measurement {
    name: &'static str,
    what: &'static str,
    run: fn(&Settings) -> Outcome,
}

/// Every measurement.
static MEASUREMENTS: &[Measurement] = &[
    Measurement {
        name: "replay",
        what: "card payments from Parquet to rows, against brute force, numpy and pandas",
        run: replay::run,
    },
    Measurement {
        name: "skew",
        what: "live decisions under faults, then every decision and row made again from the log",
        run: skew::run,
    },
    Measurement {
        name: "boosting",
        what: "training time and quality, against XGBoost and LightGBM",
        run: boosting::run,
    },
    Measurement {
        name: "forest-latency",
        what: "one row through 300 trees, against the libraries people serve with",
        run: forest_latency::run,
    },
    Measurement {
        name: "fraud-baseline",
        what: "the Fraud Detection Handbook's protocols, beside its published figures",
        run: fraud_baseline::run,
    },
    Measurement {
        name: "fraud-quality",
        what: "how much fraud is found: public payments beside a peer and an oracle, our own world",
        run: fraud_quality::run,
    },
    Measurement {
        name: "fraud-world",
        what: "the fraud use case in our own world: precision, recall, the oracle, every member",
        run: fraud_world::run,
    },
    Measurement {
        name: "fraud-latency",
        what: "all three layers at 300 a second: latency, a member that hangs, a swap, a backtest",
        run: fraud_latency::run,
    },
    Measurement {
        name: "clv-quality",
        what: "what customers will spend: orders of two shops, beside boosting and BG/NBD",
        run: clv_quality::run,
    },
    Measurement {
        name: "recommendations-quality",
        what: "the next item of every user on three public sets, beside published models and implicit",
        run: recommendations_quality::run,
    },
    Measurement {
        name: "recommendations-speed",
        what: "lists over HTTP for a million visitors of 100,000 products; clicks into lists; trouble",
        run: recommendations_speed::run,
    },
    Measurement {
        name: "clv-speed",
        what: "a million customers trained on and scored, beside pandas and XGBoost; one asked; kills",
        run: clv_speed::run,
    },
    Measurement {
        name: "decide",
        what: "decisions over HTTP under open-loop load",
        run: decide::run,
    },
    Measurement {
        name: "crash",
        what: "kill -9 under load, restart, compare with what was acknowledged",
        run: crash::run,
    },
    Measurement {
        name: "world",
        what: "how hard the payments world is, for simple detectors and for an oracle",
        run: world::run,
    },
];

#[expect(
    clippy::disallowed_methods,
    reason = "configuration is read once, here"
)]
fn main() -> ExitCode {
    let mut settings = Settings::parse();
    settings.python = std::env::var("ACUMEN_PEERS_PYTHON")
        .ok()
        .filter(|path| !path.is_empty());
    if let Some(root) = &settings.child_server {
        return exit(child::serve(&settings, root));
    }
    let Some(name) = &settings.name else {
        for measurement in MEASUREMENTS {
            println!("{:24} {}", measurement.name, measurement.what);
        }
        return ExitCode::SUCCESS;
    };
    let Some(measurement) = MEASUREMENTS.iter().find(|m| m.name == name) else {
        let names = MEASUREMENTS.iter().map(|m| m.name);
        let near = acumen_base::nearest(name, names)
            .map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
        eprintln!("there is no measurement `{name}`{near}");
        return ExitCode::from(2);
    };
    exit((measurement.run)(&settings).map(|figures| println!("{figures}")))
}

fn exit(outcome: Result<(), report::Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}
