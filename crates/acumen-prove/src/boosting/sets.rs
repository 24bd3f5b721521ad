//! What both sides are trained on.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::row::Column;
use acumen_base::{ColumnKind, Columns};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde_json::{Value, json};

use crate::handbook::{self, Payments};
use crate::report::Failure;
use crate::settings::Settings;

const SYNTHETIC_TRAIN: usize = 160_000;
const SYNTHETIC_TEST: usize = 200_000;
const SYNTHETIC_COLUMNS: usize = 30;

const DAY: i64 = 86_400_000;
/// Days since 1970: training from 2018-05-10 to 2018-08-01, testing from 2018-08-08.
const TRAIN_DAYS: std::ops::Range<i64> = 17_661..17_744;
const TEST_FROM: i64 = 17_751;

/// A matrix with outcomes; the held-out rows are the last ones.
pub(super) struct Set {
    pub(super) name: &'static str,
    pub(super) columns: Arc<Columns>,
    /// One vector a column; NaN is missing.
    pub(super) data: Vec<Vec<f32>>,
    pub(super) outcome: Vec<f32>,
    /// How many rows train.
    pub(super) train: usize,
    pub(super) parameters: Value,
}

impl Set {
    /// Writes the matrix (raw f32, row by row) and the outcome (raw f32).
    pub(super) fn write(&self, folder: &Path) -> Result<[PathBuf; 2], Failure> {
        let files = [folder.join("matrix.f32"), folder.join("outcome.f32")];
        let mut matrix = BufWriter::new(File::create(&files[0])?);
        for row in 0..self.outcome.len() {
            for column in &self.data {
                matrix.write_all(&column[row].to_le_bytes())?;
            }
        }
        matrix.flush()?;
        let bytes = self.outcome.iter().flat_map(|value| value.to_le_bytes());
        std::fs::write(&files[1], bytes.collect::<Vec<u8>>())?;
        Ok(files)
    }
}

fn parameters(max_bin: u32) -> Value {
    json!({
        "n_estimators": 100, "learning_rate": 0.1, "max_depth": 6, "max_bin": max_bin,
        "min_child_weight": 1.0, "lambda": 1.0, "base_score": "auto",
    })
}

fn numbers(names: impl Iterator<Item = String>) -> Arc<Columns> {
    let column = |name| Column {
        name,
        kind: ColumnKind::Number,
        unit: String::new(),
        help: String::new(),
    };
    Arc::new(Columns::new(names.map(column).collect(), "boosting"))
}

/// Made-up rows: 30 columns of noise, of which eight carry an outcome of about 10 %.
pub(super) fn synthetic(seed: u64) -> Set {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let rows = SYNTHETIC_TRAIN + SYNTHETIC_TEST;
    let mut data = vec![Vec::new(); SYNTHETIC_COLUMNS];
    let mut outcome = Vec::with_capacity(rows);
    for _ in 0..rows {
        let x: [f32; SYNTHETIC_COLUMNS] =
            std::array::from_fn(|_| StandardNormal.sample(&mut random));
        let signal = x[0] * x[1] + (2.0 * x[2]).sin() + 0.4 * x[3..8].iter().sum::<f32>();
        let noise: f32 = StandardNormal.sample(&mut random);
        outcome.push(f32::from(signal + noise > 2.2));
        // A twentieth of the values is missing, as in life.
        for (column, value) in data.iter_mut().zip(x) {
            let gone = random.random::<f32>() < 0.05;
            column.push(if gone { f32::NAN } else { value });
        }
    }
    Set {
        name: "synthetic 160k x 30",
        columns: numbers((0..SYNTHETIC_COLUMNS).map(|i| format!("x{i}"))),
        data,
        outcome,
        train: SYNTHETIC_TRAIN,
        parameters: parameters(256),
    }
}

/// The card payments with the handbook's features and velocities, split by time; or why not.
pub(super) fn cards(settings: &Settings) -> Result<Result<Set, String>, Failure> {
    let file = match handbook::file(settings) {
        Ok(file) => file,
        Err(why) => return Ok(Err(why)),
    };
    let plan = handbook::plan()?;
    let mut payments = Payments::default();
    let rows = handbook::rows(&file, &plan, "handbook-velocity", |event| {
        payments.see(event);
    })?;
    let day = |row: &usize| payments.list[*row].at.div_euclid(DAY);
    let every = 0..payments.list.len();
    let train: Vec<usize> = every
        .clone()
        .filter(|row| TRAIN_DAYS.contains(&day(row)))
        .collect();
    let test = every.filter(|row| day(row) >= TEST_FROM);
    let kept: Vec<usize> = train.iter().copied().chain(test).collect();
    let pick = |column: &Vec<f64>| kept.iter().map(|&row| column[row] as f32).collect();
    Ok(Ok(Set {
        name: "card payments",
        columns: numbers(rows.columns.list.iter().map(|column| column.name.clone())),
        data: rows.data.iter().map(pick).collect(),
        outcome: kept
            .iter()
            .map(|&row| f32::from(payments.list[row].fraud))
            .collect(),
        train: train.len(),
        parameters: parameters(1_024),
    }))
}
