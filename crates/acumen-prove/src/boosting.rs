//! `boosting`: training time and quality against Python's xgboost and lightgbm.
//!
//! The same matrix, the same parameters and the same number of threads on each side; time runs
//! from the matrix in memory to the fitted model, binning included. Runs are interleaved, so that
//! what else the machine does hits all alike, and the fastest of each side counts. Quality is
//! average precision on the held-out last rows.

mod sets;

use std::path::Path;
use std::sync::Arc;

use acumen_base::{Clock, Seed, SystemClock, Time};
use acumen_model::metrics::Curve;
use acumen_model::{CompiledForest, Dataset, Matrix, Params, learner};
use serde_json::{Value, json};

use crate::peer;
use crate::report::{Failure, Outcome, all, row, skipped, table};
use crate::settings::Settings;

use sets::Set;

/// One side of a run.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    quality: f64,
}

impl Run {
    const NONE: Run = Run {
        seconds: f64::INFINITY,
        quality: f64::NAN,
    };

    fn better(self, other: Run) -> Run {
        if other.seconds < self.seconds {
            other
        } else {
            self
        }
    }
}

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    if settings.python.is_none() {
        return Ok(skipped(peer::NO_PYTHON));
    }
    let threads = std::thread::available_parallelism()?.get();
    let mut sets = vec![sets::synthetic(settings.seed)];
    match sets::cards(settings)? {
        Ok(set) => sets.push(set),
        Err(why) => println!("skipped the card payments: {why}"),
    }
    let mut lines = vec![row([
        "set",
        "rows",
        "columns",
        "side",
        "seconds",
        "average precision",
    ])];
    let mut figures = Vec::new();
    for set in &sets {
        let folder = tempfile::tempdir()?;
        let files = set.write(folder.path())?;
        let mut best = [Run::NONE; 3];
        for _ in 0..settings.runs.max(1) {
            best[0] = best[0].better(ours(set)?);
            for (best, library) in best[1..].iter_mut().zip(["xgboost", "lightgbm"]) {
                *best = best.better(theirs(settings, set, &files, library, threads)?);
            }
        }
        for (name, side) in ["ours", "xgboost", "lightgbm"].iter().zip(best) {
            lines.push(vec![
                set.name.to_owned(),
                set.train.to_string(),
                set.data.len().to_string(),
                (*name).to_owned(),
                format!("{:.3}", side.seconds),
                format!("{:.4}", side.quality),
            ]);
        }
        let [ours, xgboost, lightgbm] = best;
        figures.push(json!({
            "name": set.name,
            "ours_seconds": ours.seconds,
            "xgboost_seconds": xgboost.seconds,
            "lightgbm_seconds": lightgbm.seconds,
            "ours_quality": ours.quality,
            "xgboost_quality": xgboost.quality,
            "lightgbm_quality": lightgbm.quality,
            "parameters": set.parameters,
        }));
    }
    table(&lines);
    println!(
        "{threads} threads on each side; fastest of {} runs",
        settings.runs
    );
    Ok(json!({ "sets": figures, "threads": threads }))
}

fn ours(set: &Set) -> Result<Run, Failure> {
    let dataset = |from: usize, to: usize| Dataset {
        matrix: Matrix {
            columns: Arc::clone(&set.columns),
            n_rows: to - from,
            data: set
                .data
                .iter()
                .map(|column| column[from..to].to_vec())
                .collect(),
        },
        outcome: set.outcome[from..to].to_vec(),
        weight: None,
        time: vec![Time(0); to - from],
    };
    let (train, test) = (dataset(0, set.train), dataset(set.train, set.outcome.len()));
    let mut params: Params = Params::new();
    for (name, value) in set.parameters.as_object().into_iter().flatten() {
        params.insert(name.clone(), value.clone());
    }
    let boosting = learner("xgboost").map_err(|_| Failure::new("the learner is gone"))?;
    let checked = boosting.check(&params, &set.columns).map_err(all)?;
    let clock = SystemClock::new();
    let started = clock.nanos();
    let fitted = checked.fit(&train, None, Seed(0), &mut |_| {})?;
    let seconds = (clock.nanos() - started) as f64 / 1e9;
    let forest = fitted.model.into_forest();
    let forest = forest.ok_or_else(|| Failure::new("boosting gives a forest"))?;
    let score = CompiledForest::new(&forest).predict_many(&test.matrix);
    let quality = Curve::new(&score, &test.outcome).average_precision();
    Ok(Run {
        seconds,
        quality: quality.ok_or_else(|| Failure::new("no positives are held out"))?,
    })
}

fn theirs(
    settings: &Settings,
    set: &Set,
    files: &[std::path::PathBuf; 2],
    library: &str,
    threads: usize,
) -> Result<Run, Failure> {
    let text = |path: &Path| path.display().to_string();
    let arguments: Vec<String> = [
        &text(&files[0]),
        &text(&files[1]),
        "--columns",
        &set.data.len().to_string(),
        "--train",
        &set.train.to_string(),
        "--parameters",
        &Value::to_string(&set.parameters),
        "--threads",
        &threads.to_string(),
        "--library",
        library,
    ]
    .map(str::to_owned)
    .into();
    let figures = peer::run(settings, "boosting.py", arguments)?;
    Ok(Run {
        seconds: peer::number(&figures, "seconds")?,
        quality: peer::number(&figures, "quality")?,
    })
}
