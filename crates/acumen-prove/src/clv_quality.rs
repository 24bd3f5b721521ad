//! `clv-quality`: what customers will spend, on public data, beside gradient boosting and
//! BG/NBD of the libraries people use.
//!
//! Rows come from a log of the orders, replayed by the engine to each origin. Online Retail II:
//! six months ahead, time-honest and season-matched (trained at origins around 2010-06, tested at
//! 2011-06-01); the same where no origin of the season is known (2010-12-01); twelve months ahead
//! in five folds over customers. Every figure is the mean of the seeds, for both sides; the model
//! is the one with the least deviance on customers of the training origins that it was not fitted
//! to. CDNOW: the published parameters of BG/NBD and Gamma-Gamma.

mod cdnow;
mod figures;
mod models;
mod origins;
mod plans;
mod recalibration;
mod retail;

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::handbook;
use crate::peer;
use crate::report::{Failure, Outcome, row, skipped, table};
use crate::settings::{Settings, workspace};

use figures::Figures;
use plans::{Measured, Peers};

/// The project of the features.
const PROJECT: &str = "retail";
/// How many seeds both sides run with.
const SEEDS: u64 = 10;

/// What to say where the files are not there.
const WHERE: &str = "Online Retail II (UCI, CC BY 4.0) as online_retail2.parquet with the columns \
     invoice, stock_code, quantity, ts, unit_price, customer_id, country, and the CDNOW sample \
     (brucehardie.com) as cdnow_sample.parquet with sample_id, date, n_cds, spend_usd";

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let folder = settings.clv_folder();
    let files = ["online_retail2.parquet", "cdnow_sample.parquet"].map(|name| folder.join(name));
    if let Some(absent) = files.iter().find(|file| !file.is_file()) {
        return Ok(skipped(&format!(
            "{} is not there. Put {WHERE} into one folder and name it with --clv",
            absent.display()
        )));
    }
    if settings.python.is_none() {
        return Ok(skipped(peer::NO_PYTHON));
    }
    println!("data: {WHERE}");
    let plan = handbook::plan_of(PROJECT, |_| {})?;
    let published = cdnow::run(&files[1], &plan)?;
    let retail = retail::read(&files[0], &plan)?;
    println!(
        "{} orders and refunds; {} lines of guests without an id are counted and left out",
        retail.events.len(),
        retail.guests
    );
    let peers = ask_peers(settings, &files[0])?;
    let matched = plans::matched(&plan, &retail.events, &peers.of("matched")?)?;
    let unmatched = plans::unmatched(&plan, &retail.events, &peers.of("unmatched")?)?;
    let year = plans::year(&plan, &retail.events, &peers.of("year")?)?;
    let measured = [&matched, &unmatched, &year];
    show(&measured);
    let chosen = measured.map(|plan| &plan.chosen);
    let peers = measured.map(Measured::peers_json);
    Ok(json!({
        "decile": matched.ours.decile, "total": matched.ours.total,
        "cohort200": matched.ours.cohort200, "nmae": matched.ours.nmae,
        "ngini": matched.ours.ngini, "total_unmatched": unmatched.ours.total,
        "decile_12m": year.ours.decile, "nmae_12m": year.ours.nmae,
        "coverage90": matched.coverage, "cdnow": published,
        "decile_not_worse_at_90": matched.not_worse,
        "chosen": chosen, "peers": peers,
        "seeds": SEEDS,
    }))
}

/// Runs the peers; what they predict of every customer, by plan.
fn ask_peers(settings: &Settings, retail: &std::path::Path) -> Result<Peers, Failure> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("predictions.json");
    let arguments: [PathBuf; 3] = [retail.into(), out.clone(), SEEDS.to_string().into()];
    peer::run(settings, "clv_quality.py", arguments)?;
    let text = std::fs::read_to_string(out)?;
    let found: Value = serde_json::from_str(&text)?;
    Ok(Peers(found))
}

fn show(plans: &[&Measured]) {
    for plan in plans {
        let mut lines = vec![row([
            plan.name,
            "nMAE",
            "total",
            "decile",
            "cohort200",
            "nGini",
        ])];
        let mut add = |name: String, found: &Figures| {
            let Figures {
                nmae,
                total,
                decile,
                cohort200,
                ngini,
            } = found;
            lines.push(vec![
                name,
                format!("{nmae:.3}"),
                format!("{:+.1} %", 100.0 * total),
                format!("{decile:.3}"),
                format!("{cohort200:.3}"),
                format!("{ngini:.3}"),
            ]);
        };
        for candidate in &plan.candidates {
            let name = format!(
                "ours: {} (chosen by {:.4})",
                candidate.name, candidate.deviance
            );
            add(name, &candidate.test);
        }
        for (name, found) in &plan.peers {
            add(name.clone(), found);
        }
        table(&lines);
        println!("{} customers; chosen: {}", plan.customers, plan.chosen);
        if let Some(coverage) = plan.coverage {
            println!(
                "90 % intervals hold {:.1} % of the outcomes",
                100.0 * coverage
            );
        }
    }
}

impl Settings {
    fn clv_folder(&self) -> PathBuf {
        let default = || workspace("../shared/data/clv");
        self.clv.clone().unwrap_or_else(default)
    }
}
