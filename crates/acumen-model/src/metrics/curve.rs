//! Precision and recall at every threshold.
//!
//! A row counts as much as its weight, 1 where there are none.

use serde::{Deserialize, Serialize};

use super::{is_positive, weight_of};

/// What happens at every threshold that tells rows apart, from the highest score down.
#[derive(Clone, Debug)]
pub struct Curve {
    steps: Vec<Step>,
    rows: usize,
    positives: usize,
    /// The weight of all rows, and of those that are positive.
    all: f64,
    to_find: f64,
}

/// Everything scored at least `threshold`, by weight.
#[derive(Clone, Copy, Debug)]
struct Step {
    threshold: f64,
    flagged: f64,
    found: f64,
}

/// What flagging every row of at least `threshold` gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatingPoint {
    /// Rows of at least this score are flagged.
    pub threshold: f64,
    /// The share of flagged rows that are positive.
    pub precision: f64,
    /// The share of positive rows that are flagged.
    pub recall: f64,
}

impl Curve {
    /// The curve of scores and their outcomes.
    ///
    /// # Panics
    /// If the lengths differ, or a score is NaN.
    pub fn new(score: &[f64], outcome: &[f32]) -> Curve {
        Curve::weighted(score, outcome, None)
    }

    /// The curve of rows that count as much as their weights.
    ///
    /// # Panics
    /// If the lengths differ, or a score is NaN.
    pub fn weighted(score: &[f64], outcome: &[f32], weight: Option<&[f32]>) -> Curve {
        assert_eq!(score.len(), outcome.len(), "one outcome a score");
        let mut order: Vec<usize> = (0..score.len()).collect();
        order.sort_unstable_by(|a, b| {
            score[*b]
                .partial_cmp(&score[*a])
                .expect("a score is a number")
        });
        let mut steps: Vec<Step> = Vec::new();
        let (mut flagged, mut found) = (0.0, 0.0);
        for row in &order {
            let weight = weight_of(weight, *row);
            flagged += weight;
            if is_positive(outcome[*row]) {
                found += weight;
            }
            let step = Step {
                threshold: score[*row],
                flagged,
                found,
            };
            match steps.last_mut() {
                Some(last) if last.threshold == step.threshold => *last = step,
                _ => steps.push(step),
            }
        }
        Curve {
            steps,
            rows: score.len(),
            positives: outcome.iter().filter(|y| is_positive(**y)).count(),
            all: flagged,
            to_find: found,
        }
    }

    /// How many rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// How many of them are positive.
    pub fn positives(&self) -> usize {
        self.positives
    }

    /// The area under the ROC curve: how often a positive row scores above a negative one, ties
    /// counting half (Mann–Whitney). `None` where all outcomes are the same.
    pub fn auc(&self) -> Option<f64> {
        let harmless = self.all - self.to_find;
        if self.positives == 0 || self.positives == self.rows {
            return None;
        }
        // Twice the wins, so that half of a tie is whole.
        let (mut wins, mut last) = (0.0, (0.0, 0.0));
        for step in &self.steps {
            let (found, false_alarms) = (step.found, step.flagged - step.found);
            wins += (false_alarms - last.1) * (found + last.0);
            last = (found, false_alarms);
        }
        Some(wins / (2.0 * self.to_find * harmless))
    }

    /// Average precision: the sum of precision times the gain in recall over the steps, without
    /// interpolation, as scikit-learn defines it. `None` where no outcome is positive.
    pub fn average_precision(&self) -> Option<f64> {
        if self.positives == 0 {
            return None;
        }
        let (mut sum, mut before) = (0.0, 0.0);
        for step in &self.steps {
            sum += (step.found - before) * step.found / step.flagged;
            before = step.found;
        }
        Some(sum / self.to_find)
    }

    /// What flagging every row of at least `threshold` gives; nothing flagged is a precision
    /// of 1, and nothing to find a recall of 1.
    pub fn at_threshold(&self, threshold: f64) -> OperatingPoint {
        let above = self
            .steps
            .partition_point(|step| step.threshold >= threshold);
        let (flagged, found) = match above.checked_sub(1) {
            Some(last) => (self.steps[last].flagged, self.steps[last].found),
            None => (0.0, 0.0),
        };
        OperatingPoint {
            threshold,
            precision: share(found, flagged),
            recall: share(found, self.to_find),
        }
    }

    /// The point of the largest recall among those of at least this precision (of equal ones the
    /// highest threshold), or `None` where there is none.
    pub fn recall_at_precision(&self, precision: f64) -> Option<OperatingPoint> {
        self.best(|point| (point.precision >= precision).then_some(point.recall))
    }

    /// The point of the largest precision among those of at least this recall (of equal ones the
    /// highest threshold), or `None` where no outcome is positive.
    pub fn precision_at_recall(&self, recall: f64) -> Option<OperatingPoint> {
        self.best(|point| (point.recall >= recall).then_some(point.precision))
    }

    fn best(&self, worth: impl Fn(&OperatingPoint) -> Option<f64>) -> Option<OperatingPoint> {
        if self.positives == 0 {
            return None;
        }
        let mut best: Option<(f64, OperatingPoint)> = None;
        for step in &self.steps {
            let point = OperatingPoint {
                threshold: step.threshold,
                precision: share(step.found, step.flagged),
                recall: share(step.found, self.to_find),
            };
            if let Some(worth) = worth(&point)
                && best.is_none_or(|(top, _)| worth > top)
            {
                best = Some((worth, point));
            }
        }
        best.map(|(_, point)| point)
    }
}

fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 1.0 } else { part / whole }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// From the top: + (1/1), two tied at 0.8 with one + (2/3), − (2/4), + (3/5).
    fn example() -> Curve {
        Curve::new(&[0.9, 0.8, 0.8, 0.5, 0.1], &[1.0, 1.0, 0.0, 0.0, 1.0])
    }

    #[test]
    fn figures_by_hand() {
        // AP = (1·1 + 1·2/3 + 1·3/5) / 3 = 0.7555…, and scikit-learn says the same.
        assert!((example().average_precision().unwrap() - 0.755_555_555_555_555_5).abs() < 1e-15);
        // Of 6 pairs: 0.9 beats both, 0.8 ties one and beats one, 0.1 beats none: 3.5 / 6.
        assert!((example().auc().unwrap() - 3.5 / 6.0).abs() < 1e-15);
        let point = example().at_threshold(0.6);
        assert_eq!((point.precision, point.recall), (2.0 / 3.0, 2.0 / 3.0));
        let point = example().recall_at_precision(0.6).unwrap();
        assert_eq!((point.threshold, point.recall), (0.1, 1.0));
        let point = example().precision_at_recall(0.5).unwrap();
        assert_eq!((point.threshold, point.precision), (0.8, 2.0 / 3.0));
        assert_eq!(example().recall_at_precision(1.0).unwrap().threshold, 0.9);
    }

    #[test]
    fn one_class_has_no_curve() {
        let curve = Curve::new(&[0.1, 0.2], &[0.0, 0.0]);
        assert_eq!((curve.auc(), curve.average_precision()), (None, None));
        assert_eq!(curve.precision_at_recall(0.9), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Bounds; the order of rows and a monotone change of scores do not matter; turning the
        /// scores around turns the area around; pairs counted one by one give the same area.
        #[test]
        fn invariances(rows in prop::collection::vec((0_u8..20, any::<bool>()), 1..60)) {
            let score: Vec<f64> = rows.iter().map(|(s, _)| f64::from(*s)).collect();
            let outcome: Vec<f32> = rows.iter().map(|(_, y)| f32::from(u8::from(*y))).collect();
            let curve = Curve::new(&score, &outcome);
            let stretched: Vec<f64> = score.iter().rev().map(|s| (s / 7.0).exp()).collect();
            let reversed: Vec<f32> = outcome.iter().rev().copied().collect();
            let other = Curve::new(&stretched, &reversed);
            prop_assert_eq!(curve.auc(), other.auc());
            prop_assert_eq!(curve.average_precision(), other.average_precision());
            let negated: Vec<f64> = score.iter().map(|s| -s).collect();
            if let Some(auc) = curve.auc() {
                let mirrored = Curve::new(&negated, &outcome).auc().unwrap();
                prop_assert!((auc + mirrored - 1.0).abs() < 1e-12);
                let (mut wins, mut pairs) = (0.0, 0.0);
                for (a, _) in rows.iter().filter(|r| r.1) {
                    for (b, _) in rows.iter().filter(|r| !r.1) {
                        wins += if a > b { 1.0 } else if a == b { 0.5 } else { 0.0 };
                        pairs += 1.0;
                    }
                }
                prop_assert!((auc - wins / pairs).abs() < 1e-12);
            }
            if let Some(ap) = curve.average_precision() {
                prop_assert!((0.0..=1.0).contains(&ap));
                prop_assert!(curve.precision_at_recall(1.0).is_some());
            }
        }
    }
}
