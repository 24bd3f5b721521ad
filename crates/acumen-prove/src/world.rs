//! `world`: how hard the frozen payments world is.
//!
//! Writes the world of `usecases/fraud/world.yaml` and lets the peer's script look at it with
//! logistic regression, single rules, XGBoost and the oracle that knows the world.

use std::fs::File;
use std::io::BufWriter;

use acumen_base::Seed;
use acumen_sim::world::payments::{Parameters, simulate};
use serde_json::json;

use crate::peer;
use crate::report::{Outcome, all, row, skipped, table};
use crate::settings::{Settings, workspace};

/// What the frozen figures were measured with.
const CUSTOMERS: u32 = 2_500;

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    if settings.python.is_none() {
        return Ok(skipped(peer::NO_PYTHON));
    }
    let folder = tempfile::tempdir()?;
    let (events, truth) = (
        folder.path().join("events.ndjson"),
        folder.path().join("truth.csv"),
    );
    let text = std::fs::read_to_string(workspace("usecases/fraud/world.yaml"))?;
    let mut parameters = Parameters::parse(&text, "usecases/fraud/world.yaml").map_err(all)?;
    parameters.customers = CUSTOMERS;
    let mut out = BufWriter::new(File::create(&events)?);
    let mut known = BufWriter::new(File::create(&truth)?);
    let summary = simulate(
        parameters,
        Seed(settings.seed),
        &mut out,
        &mut known,
        &mut |_, _| {},
    )?;
    println!(
        "{} payments, {} of them fraud; the peer's script takes some minutes",
        summary.payments, summary.frauds
    );
    let mut figures = peer::run(settings, "world_baselines.py", [&events, &truth])?;
    if let Some(found) = figures.as_object() {
        let mut lines = vec![row(["figure", "value"])];
        lines.extend(
            found
                .iter()
                .map(|(name, value)| row([name, &value.to_string()])),
        );
        table(&lines);
    }
    figures["payments"] = json!(summary.payments);
    figures["frauds"] = json!(summary.frauds);
    Ok(figures)
}
