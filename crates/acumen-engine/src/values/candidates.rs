//! Which rows candidates are fitted to, and which they are compared on.

use acumen_base::{CalendarSpan, Seed, Time};

use crate::origins::OriginRows;

/// The share of keys whose rows tell when to stop.
const VALIDATION: f64 = 0.15;
/// The share of keys that are held out where no later origin is.
const HELD_OUT: f64 = 0.3;

/// The parts of some rows, each by the places of its rows.
pub(super) struct Parts {
    /// What models are fitted to.
    pub(super) train: Vec<usize>,
    /// What tells when to stop.
    pub(super) validation: Vec<usize>,
    /// What intervals are made from.
    pub(super) calibration: Vec<usize>,
    /// What models are compared on.
    pub(super) test: Vec<usize>,
    /// The origins of the first two.
    pub(super) fitted_at: Vec<Time>,
    /// The origins of the last two.
    pub(super) judged_at: Vec<Time>,
    /// Whose rows the last two are, in words.
    pub(super) judged_on: &'static str,
}

impl Parts {
    /// Holds out the latest origin, and fits to those whose target was known by then; where there
    /// is none, holds out some keys at all origins.
    pub(super) fn of(rows: &OriginRows, origins: &[Time], over: CalendarSpan, seed: Seed) -> Parts {
        let latest = origins.last().copied().unwrap_or(rows.as_of);
        let (known, _): (Vec<Time>, Vec<Time>) =
            origins.iter().partition(|at| over.after(**at) <= latest);
        let (keys, halves) = (seed.derive("parts"), seed.derive("halves"));
        // Before anybody was there is no time to fit to.
        let by_time = rows.at.iter().any(|at| known.contains(at));
        let mut parts = Parts {
            train: Vec::new(),
            validation: Vec::new(),
            calibration: Vec::new(),
            test: Vec::new(),
            fitted_at: if by_time { known } else { origins.to_vec() },
            judged_at: if by_time {
                vec![latest]
            } else {
                origins.to_vec()
            },
            judged_on: match by_time {
                true => {
                    "all keys at a later origin, after everything that they were fitted to was \
                         known"
                }
                false => {
                    "keys that were held out, at the origins that they were fitted to (no \
                          origin lies far enough before the latest): what a year brings for all \
                          keys alike is not in these figures, so they flatter"
                }
            },
        };
        for (row, (id, at)) in rows.ids.iter().zip(&rows.at).enumerate() {
            let drawn = keys.unit(id);
            let held_out = match by_time {
                true => *at == latest,
                false => (VALIDATION..VALIDATION + HELD_OUT).contains(&drawn),
            };
            let part = match (held_out, drawn < VALIDATION) {
                (true, _) if halves.unit(id) < 0.5 => &mut parts.calibration,
                (true, _) => &mut parts.test,
                (false, _) if !parts.fitted_at.contains(at) => continue,
                (false, true) => &mut parts.validation,
                (false, false) => &mut parts.train,
            };
            part.push(row);
        }
        parts
    }

    /// All rows, of which some keys tell when to stop.
    pub(super) fn all(rows: &OriginRows, seed: Seed) -> (Vec<usize>, Vec<usize>) {
        let keys = seed.derive("parts");
        (0..rows.len()).partition(|&row| keys.unit(&rows.ids[row]) >= VALIDATION)
    }
}
