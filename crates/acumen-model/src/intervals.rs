//! Intervals around predicted values that hold what they promise: split-conformal prediction.
//!
//! Of rows that the model was not fitted to, and that are exchangeable with those to come, an
//! interval at the level `1 − α` made from `n` of them holds the outcome of a new row with at least
//! that probability, whatever the model and the distribution are (Papadopoulos et al. 2002,
//! "Inductive confidence machines for regression"; Lei et al. 2018, "Distribution-free predictive
//! inference for regression").
//!
//! How wide an interval is depends on the row: errors are compared within bands of much the same
//! prediction, and the promise holds for each band (Mondrian prediction: Vovk, Gammerman and Shafer
//! 2005, section 4.5).

use serde::{Deserialize, Serialize};

/// With fewer rows a band says nothing of its tails.
const BAND_ROWS_MIN: usize = 100;
/// What is a whole number but for rounding is one.
const ROUNDING: f64 = 1e-9;
/// More bands are not worth their noise.
const BANDS_MAX: usize = 20;

/// Intervals around predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intervals {
    /// The probability that an interval holds the outcome.
    pub level: f64,
    /// No outcome is below it.
    pub floor: Option<f64>,
    /// By rising prediction.
    bands: Vec<Band>,
}

/// Errors of rows with much the same prediction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Band {
    /// Its greatest prediction; the last band goes on.
    until: f64,
    /// What is to be added to a prediction for the low end; `None` where that is the floor.
    low: Option<f64>,
    /// And for the high end.
    high: f64,
}

/// Why there are no intervals.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum IntervalsError {
    /// Too few rows for the level.
    #[error(
        "{rows} rows are too few for intervals at a level of {level}: {least} are needed; give more \
         rows that the model was not fitted to, or a lower level"
    )]
    TooFew {
        /// How many there are.
        rows: usize,
        /// The level.
        level: f64,
        /// How many are needed.
        least: usize,
    },
    /// A number that is none.
    #[error("the {what} of row {row} is {value}, which is not a finite number")]
    Value {
        /// Of what.
        what: &'static str,
        /// The first such row, counted from 0.
        row: usize,
        /// The value.
        value: f64,
    },
}

impl Intervals {
    /// Intervals by the errors of rows with much the same prediction, of which there is a band for
    /// every hundred rows, twenty at most. Each end is missed by half of what is left of the level;
    /// where the low end is the floor it is never missed, and the high end takes all.
    ///
    /// # Errors
    /// Numbers that are not finite, or too few rows.
    ///
    /// # Panics
    /// If the lengths differ, or the level is not between 0 and 1.
    pub fn new(
        predicted: &[f64],
        outcome: &[f32],
        (level, floor): (f64, Option<f64>),
    ) -> Result<Intervals, IntervalsError> {
        check(predicted, outcome, level)?;
        let pairs = predicted.iter().zip(outcome);
        let mut rows: Vec<(f64, f64)> = pairs.map(|(p, y)| (*p, f64::from(*y))).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut bands = Vec::new();
        let mut from = 0;
        for to in ends(&rows, level) {
            bands.push(Band::of(&rows[from..to], level, floor));
            from = to;
        }
        Ok(Intervals {
            level,
            floor,
            bands,
        })
    }

    /// The interval around a prediction.
    pub fn around(&self, predicted: f64) -> (f64, f64) {
        let at = self.bands.partition_point(|band| band.until < predicted);
        let band = self.bands[at.min(self.bands.len() - 1)];
        let floor = self.floor.unwrap_or(f64::NEG_INFINITY);
        let low = band.low.map_or(floor, |low| (predicted + low).max(floor));
        (low, (predicted + band.high).max(floor))
    }

    /// The share of outcomes that lie within the intervals around their predictions.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn coverage(&self, predicted: &[f64], outcome: &[f32]) -> f64 {
        assert_eq!(predicted.len(), outcome.len(), "one outcome a prediction");
        let holds = |(predicted, outcome): &(&f64, &f32)| {
            let (low, high) = self.around(**predicted);
            (low..=high).contains(&f64::from(**outcome))
        };
        let held = predicted.iter().zip(outcome).filter(holds);
        held.count() as f64 / outcome.len().max(1) as f64
    }
}

/// Where bands of rows by rising prediction end: none is too small, and rows of equal prediction are
/// in one, or a row would not know its own.
fn ends(rows: &[(f64, f64)], level: f64) -> Vec<usize> {
    let least = BAND_ROWS_MIN.max(least_rows(level));
    let count = (rows.len() / least).clamp(1, BANDS_MAX);
    let (mut ends, mut from, mut to) = (Vec::new(), 0, 0);
    for equal in rows.chunk_by(|a, b| a.0 == b.0) {
        to += equal.len();
        if to - from >= rows.len() / count {
            ends.push(to);
            from = to;
        }
    }
    if from < to {
        if to - from < least {
            ends.pop();
        }
        ends.push(to);
    }
    ends
}

impl Band {
    /// Of rows by rising prediction.
    fn of(rows: &[(f64, f64)], level: f64, floor: Option<f64>) -> Band {
        let mut errors: Vec<f64> = rows.iter().map(|(p, y)| y - p).collect();
        errors.sort_by(f64::total_cmp);
        let turned: Vec<f64> = errors.iter().rev().map(|error| -error).collect();
        let missed = 1.0 - level;
        let mut outcomes: Vec<f64> = rows.iter().map(|(_, y)| -y).collect();
        outcomes.sort_by(f64::total_cmp);
        let lowest = -upper(&outcomes, missed / 2.0);
        let (low, above) = match floor.is_some_and(|floor| lowest <= floor) {
            true => (None, missed),
            false => (Some(-upper(&turned, missed / 2.0)), missed / 2.0),
        };
        Band {
            until: rows[rows.len() - 1].0,
            low,
            high: upper(&errors, above),
        }
    }
}

/// With so many rows each end of an interval is one of their errors.
fn least_rows(level: f64) -> usize {
    (2.0 / (1.0 - level) - 1.0 - ROUNDING).ceil() as usize
}

/// The value that a new one of the same kind exceeds with the probability `missed` at most:
/// the `⌈(n + 1)(1 − missed)⌉`-th of rising values, of which there are enough ([`check`]).
fn upper(rising: &[f64], missed: f64) -> f64 {
    let rank = ((rising.len() + 1) as f64 * (1.0 - missed) - ROUNDING).ceil() as usize;
    rising[rank.clamp(1, rising.len()) - 1]
}

fn check(predicted: &[f64], outcome: &[f32], level: f64) -> Result<(), IntervalsError> {
    assert_eq!(predicted.len(), outcome.len(), "one outcome a prediction");
    assert!(level > 0.0 && level < 1.0, "a level between 0 and 1");
    let least = least_rows(level);
    if outcome.len() < least {
        return Err(IntervalsError::TooFew {
            rows: outcome.len(),
            level,
            least,
        });
    }
    let outcomes: Vec<f64> = outcome.iter().map(|y| f64::from(*y)).collect();
    for (what, values) in [("prediction", predicted), ("outcome", &outcomes)] {
        if let Some(row) = values.iter().position(|value| !value.is_finite()) {
            return Err(IntervalsError::Value {
                what,
                row,
                value: values[row],
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
