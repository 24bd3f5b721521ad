//! `boosting`: training time and quality against Python's xgboost and lightgbm.
//!
//! The same matrix, the same parameters and the same number of threads on each side; time runs
//! from the matrix in memory to the fitted model, binning included. Runs are interleaved, so that
//! what else the machine does hits all alike, and the fastest of each side counts. Quality is
//! average precision on the held-out last rows; where rows are made up, its mean over several
//! makings, because one of them cannot tell differences of 0.002 apart.

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

/// How often the made-up set is made, each time from another seed.
const MAKINGS: u64 = 5;

/// Who trains.
const SIDES: [&str; 3] = ["ours", "xgboost", "lightgbm"];

/// What one run gave.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    quality: f64,
}

/// What one side's runs gave, on every making of a set.
#[derive(Default)]
struct Side {
    /// The fastest run.
    seconds: Option<f64>,
    /// One for each making.
    qualities: Vec<f64>,
}

impl Side {
    /// Notes the runs on one making.
    fn note(&mut self, runs: &[Run]) {
        let seconds = runs.iter().map(|run| run.seconds);
        self.seconds = self.seconds.into_iter().chain(seconds).reduce(f64::min);
        self.qualities.extend(runs.last().map(|run| run.quality));
    }

    fn seconds(&self) -> f64 {
        self.seconds.unwrap_or(f64::NAN)
    }

    fn quality(&self) -> f64 {
        self.qualities.iter().sum::<f64>() / self.qualities.len() as f64
    }
}

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    if settings.python.is_none() {
        return Ok(skipped(peer::NO_PYTHON));
    }
    let threads = std::thread::available_parallelism()?.get();
    let makings = (0..MAKINGS).map(|making| settings.seed + making);
    let mut sets: Vec<Vec<Set>> = vec![makings.map(sets::synthetic).collect()];
    match sets::cards(settings)? {
        Ok(set) => sets.push(vec![set]),
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
    for makings in &sets {
        let sides = compare(settings, makings, threads)?;
        let set = &makings[0];
        for (name, side) in SIDES.iter().zip(&sides) {
            lines.push(vec![
                set.name.to_owned(),
                set.train.to_string(),
                set.data.len().to_string(),
                (*name).to_owned(),
                format!("{:.3}", side.seconds()),
                format!("{:.4}", side.quality()),
            ]);
        }
        let [ours, xgboost, lightgbm] = sides;
        figures.push(json!({
            "name": set.name,
            "makings": makings.len(),
            "ours_seconds": ours.seconds(),
            "xgboost_seconds": xgboost.seconds(),
            "lightgbm_seconds": lightgbm.seconds(),
            "ours_quality": ours.quality(),
            "xgboost_quality": xgboost.quality(),
            "lightgbm_quality": lightgbm.quality(),
            "ours_qualities": ours.qualities,
            "xgboost_qualities": xgboost.qualities,
            "lightgbm_qualities": lightgbm.qualities,
            "parameters": set.parameters,
        }));
    }
    table(&lines);
    println!(
        "{threads} threads on each side; the fastest of {} runs on each making counts",
        settings.runs
    );
    Ok(json!({ "sets": figures, "threads": threads }))
}

/// Every side on every making of a set.
fn compare(settings: &Settings, makings: &[Set], threads: usize) -> Result<[Side; 3], Failure> {
    let mut sides = [Side::default(), Side::default(), Side::default()];
    for set in makings {
        let folder = tempfile::tempdir()?;
        let files = set.write(folder.path())?;
        let mut runs = [const { Vec::new() }; 3];
        for _ in 0..settings.runs.max(1) {
            runs[0].push(ours(set)?);
            for (runs, library) in runs.iter_mut().zip(SIDES).skip(1) {
                runs.push(theirs(settings, set, &files, library, threads)?);
            }
        }
        for (side, runs) in sides.iter_mut().zip(&runs) {
            side.note(runs);
        }
    }
    Ok(sides)
}

/// Our own training.
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
    let quality = quality.ok_or_else(|| Failure::new("no positives are held out"))?;
    Ok(Run { seconds, quality })
}

/// A peer's training.
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
    let number = |name| peer::number(&figures, name);
    Ok(Run {
        seconds: number("seconds")?,
        quality: number("quality")?,
    })
}
