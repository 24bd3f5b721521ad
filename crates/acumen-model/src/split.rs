//! Splits by time: a model is fitted to the past and judged on what came after.
//!
//! Between two parts lies a gap as long as outcomes take to become known: when validation began,
//! the outcomes of the days just before were not there to be trained on.

use acumen_base::{Span, Time};
use serde::{Deserialize, Serialize};

/// The instants from `from` up to, not including, `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    /// The first instant of it.
    pub from: Time,
    /// The first instant after it.
    pub to: Time,
}

/// Where the parts of a data set begin and end, in this order and without overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// What the model is fitted to.
    pub train: Period,
    /// What tells when to stop, and which parameters to take.
    pub validation: Period,
    /// What probabilities are calibrated on.
    pub calibration: Period,
    /// What the model is judged on, and nothing else.
    pub test: Period,
}

/// The shares of the rows; what is left is for the test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shares {
    /// For fitting.
    pub train: f64,
    /// For stopping.
    pub validation: f64,
    /// For calibration.
    pub calibration: f64,
}

/// Training on one period and testing on a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// What the model is fitted to.
    pub train: Period,
    /// What it is judged on.
    pub test: Period,
}

/// Rows that cannot be split.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum SplitError {
    /// The shares are not positive, or leave nothing for the test.
    #[error(
        "the shares {} + {} + {} must each be above 0 and leave something for the test",
        .0.train, .0.validation, .0.calibration
    )]
    Shares(Shares),
    /// A part would have no rows.
    #[error(
        "no rows are left for {part} after a gap of {gap}; widen the training window or declare \
         a shorter delay"
    )]
    Empty {
        /// Which part.
        part: &'static str,
        /// The gap before it.
        gap: Span,
    },
}

impl Default for Shares {
    fn default() -> Shares {
        Shares {
            train: 0.6,
            validation: 0.1,
            calibration: 0.15,
        }
    }
}

impl Period {
    /// Whether an instant lies in it.
    pub fn contains(&self, time: Time) -> bool {
        self.from <= time && time < self.to
    }

    /// The rows whose time lies in it, in the order of time (rows of equal time in their order).
    pub fn rows(&self, times: &[Time]) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..times.len())
            .filter(|row| self.contains(times[*row]))
            .collect();
        rows.sort_by_key(|row| times[*row]);
        rows
    }
}

impl Split {
    /// Splits rows by shares of their number. Each part but the first begins `gap` after the one
    /// before ends, and rows of one instant are never torn apart.
    pub fn by_share(times: &[Time], shares: Shares, gap: Span) -> Result<Split, SplitError> {
        let parts = [shares.train, shares.validation, shares.calibration];
        if parts.iter().any(|share| *share <= 0.0) || parts.iter().sum::<f64>() >= 1.0 {
            return Err(SplitError::Shares(shares));
        }
        let mut sorted = times.to_vec();
        sorted.sort_unstable();
        let empty = |part| SplitError::Empty { part, gap };
        let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
            return Err(empty("training"));
        };
        let cut =
            |share: f64| sorted[((share * sorted.len() as f64) as usize).min(sorted.len() - 1)];
        let period = |from, to| Period { from, to };
        let validation = cut(shares.train);
        let calibration = cut(shares.train + shares.validation);
        let test = cut(shares.train + shares.validation + shares.calibration);
        let split = Split {
            train: period(*first, validation),
            validation: period(validation + gap, calibration),
            calibration: period(calibration + gap, test),
            test: period(test + gap, *last + Span(1)),
        };
        let parts = [
            ("training", split.train),
            ("validation", split.validation),
            ("calibration", split.calibration),
            ("the test", split.test),
        ];
        let has_rows = |part: &Period| {
            let next = sorted.partition_point(|time| *time < part.from);
            sorted.get(next).is_some_and(|time| part.contains(*time))
        };
        match parts.iter().find(|(_, part)| !has_rows(part)) {
            Some((part, _)) => Err(empty(part)),
            None => Ok(split),
        }
    }
}

/// Prequential folds: train for `train`, wait `gap` until outcomes are known, test for `test`,
/// then move on by `step`.
pub fn prequential(start: Time, [train, gap, test, step]: [Span; 4], count: usize) -> Vec<Fold> {
    let mut from = start;
    let mut folds = Vec::with_capacity(count);
    for _ in 0..count {
        let known = from + train + gap;
        folds.push(Fold {
            train: Period {
                from,
                to: from + train,
            },
            test: Period {
                from: known,
                to: known + test,
            },
        });
        from = from + step;
    }
    folds
}

/// Folds that each train on all that came before and test on what comes next: the rows are cut
/// into `count + 1` parts of equal numbers, and fold `i` trains on the first `i + 1`. What is left
/// without rows by the gap is left out.
pub fn forward_chain(times: &[Time], count: usize, gap: Span) -> Vec<Fold> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
        return Vec::new();
    };
    let cut = |part: usize| match sorted.get(part * sorted.len() / (count + 1)) {
        Some(time) => *time,
        None => *last + Span(1),
    };
    let fold = |part: usize| Fold {
        train: Period {
            from: *first,
            to: cut(part),
        },
        test: Period {
            from: cut(part) + gap,
            to: cut(part + 1),
        },
    };
    let has_rows = |period: &Period| sorted.iter().any(|time| period.contains(*time));
    let mut folds: Vec<Fold> = (1..=count).map(fold).collect();
    folds.retain(|fold| has_rows(&fold.train) && has_rows(&fold.test));
    folds
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_follow_each_other_with_gaps() {
        let times: Vec<Time> = (0..1000).map(Time).collect();
        let split = Split::by_share(&times, Shares::default(), Span(10)).unwrap();
        assert_eq!(
            split.train,
            Period {
                from: Time(0),
                to: Time(600)
            }
        );
        assert_eq!(
            split.validation,
            Period {
                from: Time(610),
                to: Time(700)
            }
        );
        assert_eq!(
            split.test,
            Period {
                from: Time(860),
                to: Time(1000)
            }
        );
        let error = Split::by_share(&times, Shares::default(), Span(120)).unwrap_err();
        assert!(error.to_string().contains("validation"), "{error}");
        assert!(Split::by_share(&[], Shares::default(), Span(0)).is_err());
    }

    #[test]
    fn folds_move_on() {
        let folds = prequential(Time(0), [Span::days(7); 4], 4);
        assert_eq!(folds[3].train.from, Time(0) + Span::days(21));
        assert_eq!(folds[3].test.from - folds[3].train.to, Span::days(7));
        assert_eq!(folds.len(), 4);
    }

    #[test]
    fn a_chain_trains_on_all_that_came_before() {
        let times: Vec<Time> = (0..100).map(Time).collect();
        let folds = forward_chain(&times, 3, Span(5));
        let ends: Vec<i64> = folds.iter().map(|fold| fold.train.to.0).collect();
        assert_eq!(ends, [25, 50, 75]);
        assert!(folds.iter().all(|fold| fold.train.from == Time(0)));
        assert_eq!(
            (folds[2].test.from, folds[2].test.to),
            (Time(80), Time(100))
        );
        assert!(forward_chain(&times, 3, Span(25)).is_empty());
        assert!(forward_chain(&[Time(1); 8], 2, Span(0)).is_empty());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// No row is in two parts, and every row of a part comes a gap after those before it.
        #[test]
        fn the_past_never_sees_the_future(
            times in prop::collection::vec((0_i64..300).prop_map(Time), 1..200),
            gap in 0_i64..20,
        ) {
            let Ok(split) = Split::by_share(&times, Shares::default(), Span(gap)) else {
                return Ok(());
            };
            let parts = [split.train, split.validation, split.calibration, split.test];
            for pair in parts.windows(2) {
                let (early, late) = (pair[0].rows(&times), pair[1].rows(&times));
                prop_assert!(!early.is_empty() && !late.is_empty());
                let end = early.iter().map(|row| times[*row]).max().unwrap();
                let start = late.iter().map(|row| times[*row]).min().unwrap();
                prop_assert!((start - end).0 > gap);
            }
        }
    }
}
