//! Values in the order of their predictions: do the rows that were to be worth the most bring it?

/// Outcomes in the order of their predictions. Rows of equal prediction share their mean outcome,
/// so that the order of the rows is part of no figure.
#[derive(Clone, Debug)]
pub struct Gains {
    /// Prediction and outcome, by rising prediction.
    rows: Vec<(f64, f64)>,
    /// The outcomes as they are, rising: the order that none is better than.
    best: Vec<f64>,
}

impl Gains {
    /// Of predictions and their outcomes.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn new(predicted: &[f64], outcome: &[f32]) -> Gains {
        assert_eq!(predicted.len(), outcome.len(), "one outcome a prediction");
        let pairs = predicted.iter().zip(outcome);
        let mut rows: Vec<(f64, f64)> = pairs.map(|(p, y)| (*p, f64::from(*y))).collect();
        rows.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut best: Vec<f64> = rows.iter().map(|(_, y)| *y).collect();
        best.sort_by(f64::total_cmp);
        for equal in rows.chunk_by_mut(|a, b| a.0 == b.0) {
            let mean = equal.iter().map(|(_, y)| y).sum::<f64>() / equal.len() as f64;
            equal.iter_mut().for_each(|(_, y)| *y = mean);
        }
        Gains { rows, best }
    }

    /// The mean prediction and the mean outcome of so many groups of equal size, by rising
    /// prediction; fewer where there are fewer rows.
    pub fn groups(&self, count: usize) -> Vec<(f64, f64)> {
        let n = self.rows.len();
        let group = |i: usize| {
            let group = &self.rows[i * n / count..(i + 1) * n / count];
            let mean =
                |of: fn(&(f64, f64)) -> f64| group.iter().map(of).sum::<f64>() / group.len() as f64;
            (!group.is_empty()).then(|| (mean(|row| row.0), mean(|row| row.1)))
        };
        (0..count).filter_map(group).collect()
    }

    /// The mean distance between prediction and outcome over so many groups.
    pub fn group_error(&self, count: usize) -> f64 {
        let groups = self.groups(count);
        let off = groups
            .iter()
            .map(|(predicted, outcome)| (predicted - outcome).abs());
        off.sum::<f64>() / groups.len().max(1) as f64
    }

    /// The Gini coefficient of the outcomes in this order: 0 where the order says nothing of them.
    /// Outcomes are not below 0.
    pub fn gini(&self) -> f64 {
        gini(self.rows.iter().map(|(_, outcome)| *outcome))
    }

    /// [`Gains::gini`] as a share of what the best order has; `None` where all outcomes are the
    /// same.
    pub fn normalised_gini(&self) -> Option<f64> {
        let best = gini(self.best.iter().copied());
        (best > 1e-12).then(|| self.gini() / best)
    }
}

/// One less twice the area under the share of the total that the first rows bring, by trapezoids.
fn gini(outcomes: impl Iterator<Item = f64>) -> f64 {
    let (mut rows, mut brought, mut area) = (0.0, 0.0, 0.0);
    for outcome in outcomes {
        area += brought + outcome / 2.0;
        brought += outcome;
        rows += 1.0;
    }
    1.0 - 2.0 * area / (rows * brought)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::RegressionMetrics;

    #[test]
    fn figures_equal_hand_computed_values() {
        let (predicted, outcome) = ([1.0, 2.0, 3.0, 4.0], [0.0, 4.0, 2.0, 10.0]);
        let gains = Gains::new(&predicted, &outcome);
        assert_eq!(gains.groups(2), [(1.5, 2.0), (3.5, 6.0)]);
        assert_eq!(gains.group_error(2), 1.5);
        // 1 − 2 Σ (share before + half of the own) / 4, with shares of 16.
        let area = |outcomes: [f64; 4]| {
            let mut before = 0.0;
            let parts = outcomes.map(|y| {
                let part = (before + y / 2.0) / 16.0 / 4.0;
                before += y;
                part
            });
            1.0 - 2.0 * parts.iter().sum::<f64>()
        };
        let own = area([0.0, 2.0, 4.0, 10.0]);
        assert!((gains.gini() - area([0.0, 4.0, 2.0, 10.0])).abs() < 1e-12);
        assert!((gains.normalised_gini().unwrap() - gains.gini() / own).abs() < 1e-12);

        let found = RegressionMetrics::of(&predicted, &outcome);
        assert!((found.normalised_mae.unwrap() - (1.0 + 2.0 + 1.0 + 6.0) / 16.0).abs() < 1e-12);
        assert!((found.total_error.unwrap() + 6.0 / 16.0).abs() < 1e-12);
        let nothing = RegressionMetrics::of(&predicted, &[0.0; 4]);
        assert_eq!((nothing.total_error, nothing.normalised_gini), (None, None));
    }

    #[test]
    fn the_best_order_is_one_and_none_is_zero() {
        let outcome: Vec<f32> = (0..50).map(|i| (i * i) as f32).collect();
        let own: Vec<f64> = outcome.iter().map(|y| f64::from(*y)).collect();
        let of = |predicted: &[f64]| Gains::new(predicted, &outcome).normalised_gini().unwrap();
        assert!((of(&own) - 1.0).abs() < 1e-12);
        assert!(of(&[7.0; 50]).abs() < 1e-12);
        let back: Vec<f64> = own.iter().map(|y| -y).collect();
        assert!((of(&back) + 1.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn the_order_of_the_rows_is_part_of_no_figure(
            rows in prop::collection::vec((0_u8..6, 0_u8..9), 2..60),
        ) {
            let of = |rows: &[(u8, u8)]| {
                let (predicted, outcome): (Vec<f64>, Vec<f32>) =
                    rows.iter().map(|(p, y)| (f64::from(*p), f32::from(*y))).unzip();
                let gains = Gains::new(&predicted, &outcome);
                // There is no Gini coefficient of nothing.
                let gini = Some(gains.gini()).filter(|gini| !gini.is_nan());
                (gains.group_error(10), gini, gains.normalised_gini())
            };
            let mut turned = rows.clone();
            turned.reverse();
            let (a, b) = (of(&rows), of(&turned));
            prop_assert_eq!(a, b);
            if let Some(share) = a.2 {
                prop_assert!((-1.0 - 1e-9..=1.0 + 1e-9).contains(&share), "{share}");
            }
        }
    }
}
