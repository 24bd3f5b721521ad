//! Stacking: one probability out of what several models said (Wolpert 1992, "Stacked
//! generalization").
//!
//! A logistic regression on the members' margins, whose weights are never negative (Breiman 1996,
//! "Stacked regressions"): a member that adds nothing weighs 0. It is fitted to rows that no
//! member was fitted to. Its rows have one column a member: the log odds of the raw answer
//! ([`acumen_base::Prediction::log_odds`]), NaN where there is none.
//!
//! A member that is missing is marginalised, not taken as zero: the margins are taken to be
//! jointly normal, its margin is expected given those that are there, and what stays uncertain of
//! it moderates the sum (MacKay 1992, "The evidence framework applied to classification
//! networks", eq. 16).

use acumen_base::Deadline;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::data::{Dataset, Matrix};
use crate::fitted::Scorer;
use crate::learner::FitError;
use crate::shap::Explanation;

mod fit;
mod linear;

use linear::solve;

/// Weights of members, and how their margins go together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stacking {
    /// How much of each member's margin goes into the sum; never negative.
    pub weights: Vec<f64>,
    /// What is added to the sum.
    pub intercept: f64,
    /// The mean of each member's margin.
    pub means: Vec<f64>,
    /// The covariance of the members' margins, row by row.
    pub covariance: Vec<Vec<f64>>,
}

impl Stacking {
    /// Fits weights to the margins of members on rows that none of them was fitted to.
    ///
    /// # Errors
    /// Where there are no rows, or their outcomes are all the same.
    pub fn fit(rows: &Dataset) -> Result<Stacking, FitError> {
        fit::fit(rows)
    }

    /// Whether its parts fit together.
    pub fn is_sound(&self) -> bool {
        let members = self.weights.len();
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        self.means.len() == members
            && self.covariance.len() == members
            && self
                .covariance
                .iter()
                .all(|row| row.len() == members && finite(row))
            && finite(&self.means)
            && finite(&self.weights)
            && self.weights.iter().all(|weight| *weight >= 0.0)
            && self.intercept.is_finite()
    }

    /// The margins with the expectation of those that are missing, and the variance of the sum
    /// that stays.
    fn completed(&self, row: &[f32]) -> (Vec<f64>, f64) {
        let (missing, present): (Vec<usize>, Vec<usize>) =
            (0..row.len()).partition(|member| row[*member].is_nan());
        let mut margins: Vec<f64> = row.iter().map(|margin| f64::from(*margin)).collect();
        if missing.is_empty() {
            return (margins, 0.0);
        }
        let among: Vec<Vec<f64>> = present
            .iter()
            .map(|a| present.iter().map(|b| self.covariance[*a][*b]).collect())
            .collect();
        let off: Vec<f64> = present
            .iter()
            .map(|member| margins[*member] - self.means[*member])
            .collect();
        // What the sum owes to the missing members, as a covariance with every other margin.
        let owed = |other: usize| -> f64 {
            let terms = missing
                .iter()
                .map(|member| self.weights[*member] * self.covariance[*member][other]);
            terms.sum()
        };
        let with_present: Vec<f64> = present.iter().map(|member| owed(*member)).collect();
        let explained = solve(among.clone(), off).unwrap_or_default();
        for member in &missing {
            let pull = present.iter().zip(&explained);
            let pull = pull.map(|(other, by)| self.covariance[*member][*other] * by);
            margins[*member] = self.means[*member] + pull.sum::<f64>();
        }
        let prior: f64 = missing
            .iter()
            .map(|member| self.weights[*member] * owed(*member))
            .sum();
        let known = solve(among, with_present.clone()).unwrap_or_default();
        let known: f64 = known.iter().zip(&with_present).map(|(a, b)| a * b).sum();
        (margins, (prior - known).max(0.0))
    }

    fn margin(&self, row: &[f32]) -> f32 {
        let (margins, variance) = self.completed(row);
        let sum = self.intercept + dot(&self.weights, &margins);
        (sum / (1.0 + std::f64::consts::PI * variance / 8.0).sqrt()) as f32
    }
}

impl Scorer for Stacking {
    fn margin_before(&self, row: &[f32], deadline: &Deadline) -> Option<f32> {
        (!deadline.expired()).then(|| self.margin(row))
    }

    fn margins_many(&self, rows: &Matrix) -> Vec<f32> {
        let row = |i: usize| -> Vec<f32> { rows.data.iter().map(|column| column[i]).collect() };
        let all = (0..rows.n_rows).into_par_iter();
        all.map(|i| self.margin(&row(i))).collect()
    }

    fn explain(&self, row: &[f32]) -> Explanation {
        let (margins, variance) = self.completed(row);
        let moderation = (1.0 + std::f64::consts::PI * variance / 8.0).sqrt();
        let members = self.weights.iter().zip(&margins).zip(&self.means);
        Explanation {
            expected: (self.intercept + dot(&self.weights, &self.means)) / moderation,
            contributions: members
                .map(|((weight, margin), mean)| weight * (margin - mean) / moderation)
                .collect(),
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use acumen_base::{Column, ColumnKind, Columns, ManualClock, Seed, Time};
    use proptest::prelude::*;

    use super::*;
    use crate::calibration::logistic;

    /// Normal enough: the sum of twelve uniform draws, less six.
    fn normal(name: &str, i: usize) -> f64 {
        let draws = (0..12).map(|part| Seed(4).unit(&format!("{name} {i} {part}")));
        draws.sum::<f64>() - 6.0
    }

    /// Three members: two that each see half of the truth, one that sees none of it.
    fn rows(n: usize) -> Dataset {
        let column = |name: &str| Column {
            name: name.into(),
            kind: ColumnKind::Number,
            unit: String::new(),
            help: String::new(),
        };
        let columns = Columns::new(vec![column("a"), column("b"), column("idle")], "");
        let mut data = vec![Vec::new(); 3];
        let mut outcome = Vec::new();
        for i in 0..n {
            let (shared, a, b) = (normal("shared", i), normal("a", i), normal("b", i));
            let chance = logistic(-2.0 + 1.2 * (shared + a) + 0.8 * (shared + b));
            for (column, value) in data
                .iter_mut()
                .zip([shared + a, shared + b, normal("idle", i)])
            {
                column.push(value as f32);
            }
            outcome.push(f32::from(u8::from(
                Seed(4).unit(&format!("outcome {i}")) < chance,
            )));
        }
        Dataset {
            matrix: Matrix {
                columns: Arc::new(columns),
                n_rows: n,
                data,
            },
            time: vec![Time(0); n],
            weight: None,
            outcome,
        }
    }

    #[test]
    fn it_finds_the_weights_and_gives_none_to_the_idle() {
        let stacking = Stacking::fit(&rows(20_000)).unwrap();
        assert!(stacking.is_sound());
        let [a, b, idle] = stacking.weights[..] else {
            panic!("three weights")
        };
        assert!((a - 1.2).abs() < 0.1 && (b - 0.8).abs() < 0.1, "{a} {b}");
        assert!(idle < 0.05 && (stacking.intercept + 2.0).abs() < 0.1);
    }

    #[test]
    fn a_missing_member_is_marginalised() {
        let data = rows(20_000);
        let stacking = Stacking::fit(&data).unwrap();
        let loss = |margins: &[f32]| {
            let predicted: Vec<f64> = margins.iter().map(|m| logistic(f64::from(*m))).collect();
            crate::metrics::log_loss(&predicted, &data.outcome, None)
        };
        let mut missing = data.matrix.clone();
        missing.data[0].fill(f32::NAN);
        let mut zeroed = data.matrix.clone();
        zeroed.data[0].fill(0.0);
        let [all, missing, zeroed] =
            [&data.matrix, &missing, &zeroed].map(|rows| loss(&stacking.margins_many(rows)));
        assert!(
            all < missing && missing < zeroed - 0.01,
            "{all} {missing} {zeroed}"
        );
        // Without any member it says about what is true of all rows.
        let nothing = logistic(f64::from(stacking.margin(&[f32::NAN; 3])));
        let share = data.positives() as f64 / data.len() as f64;
        assert!((nothing - share).abs() < 0.05, "{nothing} for {share}");
    }

    #[test]
    fn rows_that_teach_nothing_are_refused() {
        let mut data = rows(100);
        data.outcome.fill(1.0);
        assert!(matches!(
            Stacking::fit(&data),
            Err(FitError::OneClass { .. })
        ));
        assert!(matches!(
            Stacking::fit(&data.select(&[])),
            Err(FitError::NoRows { .. })
        ));
    }

    #[test]
    fn members_that_say_the_same_share_their_weight() {
        let mut data = rows(5_000);
        data.matrix.data[1] = data.matrix.data[0].clone();
        let stacking = Stacking::fit(&data).unwrap();
        assert!(stacking.is_sound());
        assert!(stacking.margin(&[1.0, f32::NAN, 0.0]).is_finite());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn contributions_add_up_and_many_are_one(
            row in prop::collection::vec(prop_oneof![3 => -20.0_f32..20.0, 1 => Just(f32::NAN)], 3)
        ) {
            let stacking = Stacking {
                weights: vec![0.7, 0.0, 0.4],
                intercept: -1.0,
                means: vec![-3.0, -2.0, 0.5],
                covariance: vec![
                    vec![4.0, 1.0, 0.5],
                    vec![1.0, 2.0, 0.2],
                    vec![0.5, 0.2, 1.0],
                ],
            };
            let margin = stacking.margin(&row);
            let Explanation { expected, contributions } = stacking.explain(&row);
            let sum = expected + contributions.iter().sum::<f64>();
            prop_assert!((sum - f64::from(margin)).abs() < 1e-5);
            let matrix = Matrix {
                columns: rows(1).matrix.columns,
                n_rows: 1,
                data: row.iter().map(|value| vec![*value]).collect(),
            };
            prop_assert_eq!(stacking.margins_many(&matrix)[0].to_bits(), margin.to_bits());
            let never = Deadline::never(ManualClock::at(Time(0)));
            prop_assert_eq!(stacking.margin_before(&row, &never), Some(margin));
        }
    }
}
