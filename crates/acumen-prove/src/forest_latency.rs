//! `forest-latency`: one row through 300 trees of depth 6 over 30 columns.
//!
//! The peer's script trains the forest with XGBoost and writes it with 2,000 rows and its own
//! margins; ours reads that very model and scores those very rows, one at a time, like the peers.

use std::hint::black_box;
use std::path::Path;

use acumen_base::{Clock, SystemClock};
use acumen_model::{CompiledForest, Explainer, read_xgboost_json};
use serde_json::json;

use crate::peer;
use crate::report::{Failure, Outcome, row, skipped, table};
use crate::settings::Settings;

const COLUMNS: usize = 30;
const ROUNDS: usize = 10;
const SHAP_ROWS: usize = 500;

/// Margins of the same model may differ by the order of additions.
const MARGIN_TOLERANCE: f32 = 1e-5;

/// Peers that answer as machine code of their own, without the interpreter of another language.
const NATIVE: &str = "treelite_compiled";

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    if settings.python.is_none() {
        return Ok(skipped(peer::NO_PYTHON));
    }
    let folder = tempfile::tempdir()?;
    println!("training the forest and timing the peers (a minute or two)");
    let theirs = peer::run(settings, "forest_latency.py", [folder.path()])?;
    let model = read_xgboost_json(&std::fs::read_to_string(folder.path().join("model.json"))?)?;
    let rows = floats(&folder.path().join("rows.f32"))?;
    let rows: Vec<&[f32]> = rows.chunks_exact(COLUMNS).collect();
    let margins = floats(&folder.path().join("margins.f32"))?;

    let forest = CompiledForest::new(&model.forest);
    for (row, margin) in rows.iter().zip(&margins) {
        let off = (forest.margin(row) - margin).abs();
        if off > MARGIN_TOLERANCE * margin.abs().max(1.0) {
            return Err(Failure::new(format!("a margin is off by {off}")));
        }
    }
    let clock = SystemClock::new();
    let ours_us = median_us(&clock, rows.repeat(ROUNDS).iter(), |row| {
        black_box(forest.margin(black_box(row)));
    });
    let explainer = Explainer::new(&model.forest);
    let shap_us = median_us(&clock, rows[..SHAP_ROWS].iter(), |row| {
        black_box(explainer.explain(black_box(row)));
    });

    let peers = theirs["peers_us"].clone();
    let listed = peers.as_object().cloned().unwrap_or_default();
    let fastest = listed
        .values()
        .filter_map(serde_json::Value::as_f64)
        .fold(f64::INFINITY, f64::min);
    let mut lines = vec![
        row(["one row, one thread", "median µs"]),
        row(["ours", &format!("{ours_us:.2}")]),
    ];
    for (name, us) in &listed {
        lines.push(row([
            name,
            &format!("{:.2}", us.as_f64().unwrap_or(f64::NAN)),
        ]));
    }
    lines.push(row(["ours, TreeSHAP", &format!("{shap_us:.1}")]));
    let their_shap = peer::number(&theirs, "xgboost_shap_us")?;
    lines.push(row(["xgboost, TreeSHAP", &format!("{their_shap:.1}")]));
    table(&lines);
    println!("`{NATIVE}` is timed by a loop in C; the other peers include a call from Python.");
    Ok(json!({
        "ours_us": ours_us,
        "peers_us": peers,
        "ratio_fastest_peer": fastest / ours_us,
        "shap_us": shap_us,
        "xgboost_shap_us": their_shap,
    }))
}

fn floats(path: &Path) -> Result<Vec<f32>, Failure> {
    let bytes = std::fs::read(path)?;
    let (values, _) = bytes.as_chunks::<4>();
    Ok(values
        .iter()
        .map(|bytes| f32::from_le_bytes(*bytes))
        .collect())
}

/// The median time of a call, each timed for itself.
fn median_us<T>(clock: &SystemClock, items: impl Iterator<Item = T>, call: impl Fn(T)) -> f64 {
    let mut nanos: Vec<u64> = items
        .map(|item| {
            let started = clock.nanos();
            call(item);
            clock.nanos() - started
        })
        .collect();
    nanos.sort_unstable();
    nanos[nanos.len() / 2] as f64 / 1e3
}
