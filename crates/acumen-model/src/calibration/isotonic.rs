//! Isotonic regression.

use serde::{Deserialize, Serialize};

use crate::metrics::weight_of;

/// A never decreasing curve through points, straight between them and flat outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Isotonic {
    /// Margins, increasing.
    margins: Vec<f64>,
    /// The probability at each, never decreasing.
    values: Vec<f64>,
}

/// Neighbours of the same fitted value.
struct Pool {
    first: f64,
    last: f64,
    positives: f64,
    rows: f64,
}

impl Pool {
    fn mean(&self) -> f64 {
        self.positives / self.rows
    }
}

impl Isotonic {
    /// The least squares fit, by pooling adjacent violators (Ayer et al. 1955). A row counts as
    /// many times as its weight says. Probabilities are kept `1 / (rows + 2)` from 0 and 1, since
    /// no number of rows makes certain.
    ///
    /// # Panics
    /// If a margin is NaN or there are none.
    pub fn fit(margin: &[f64], outcome: &[f32], weight: Option<&[f32]>) -> Isotonic {
        assert!(!margin.is_empty(), "a curve needs a point");
        let all = margin.iter().zip(outcome).enumerate();
        let mut rows: Vec<(f64, f32, f64)> = all
            .map(|(row, (at, y))| (*at, *y, weight_of(weight, row)))
            .collect();
        rows.sort_by(|a, b| a.0.partial_cmp(&b.0).expect("a margin is a number"));
        let mut pools: Vec<Pool> = Vec::new();
        for (at, positive, weight) in rows {
            let positives = weight * f64::from(u8::from(positive > 0.5));
            match pools.last_mut() {
                // Equal margins are one point.
                Some(last) if last.first == at => {
                    last.positives += positives;
                    last.rows += weight;
                }
                _ => pools.push(Pool {
                    first: at,
                    last: at,
                    positives,
                    rows: weight,
                }),
            }
        }
        let all: f64 = pools.iter().map(|pool| pool.rows).sum();
        let certainty = 1.0 / (all + 2.0);
        let (mut margins, mut values) = (Vec::new(), Vec::new());
        for pool in pool_violators(pools) {
            let value = pool.mean().clamp(certainty, 1.0 - certainty);
            margins.push(pool.first);
            values.push(value);
            if pool.last > pool.first {
                margins.push(pool.last);
                values.push(value);
            }
        }
        Isotonic { margins, values }
    }

    /// The probability of a margin.
    pub fn apply(&self, margin: f64) -> f64 {
        let after = self.margins.partition_point(|at| *at <= margin);
        if after == 0 {
            return self.values[0];
        }
        let (x0, y0) = (self.margins[after - 1], self.values[after - 1]);
        let (Some(x1), Some(y1)) = (self.margins.get(after), self.values.get(after)) else {
            return y0;
        };
        // Rounding must not carry the line past its end, or the curve would step down there.
        (y0 + (y1 - y0) * ((margin - x0) / (x1 - x0))).min(*y1)
    }
}

fn pool_violators(points: Vec<Pool>) -> Vec<Pool> {
    let mut pools: Vec<Pool> = Vec::with_capacity(points.len());
    for mut point in points {
        while let Some(before) = pools.pop_if(|before| before.mean() >= point.mean()) {
            point = Pool {
                first: before.first,
                last: point.last,
                positives: before.positives + point.positives,
                rows: before.rows + point.rows,
            };
        }
        pools.push(point);
    }
    pools
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_by_hand() {
        // 0 | 1 0 | 1 1, with certainty kept 1/7 away from 0 and 1.
        let fitted = Isotonic::fit(&[1.0, 2.0, 3.0, 4.0, 5.0], &[0.0, 1.0, 0.0, 1.0, 1.0], None);
        assert_eq!(fitted.margins, [1.0, 2.0, 3.0, 4.0, 5.0]);
        let high = 1.0 - 1.0 / 7.0;
        let expected = [1.0 / 7.0, 0.5, 0.5, high, high];
        assert_eq!(fitted.values, expected);
        assert_eq!(fitted.apply(-9.0), 1.0 / 7.0);
        assert!((fitted.apply(3.5) - (0.5 + high) / 2.0).abs() < 1e-12);
        assert_eq!(fitted.apply(9.0), high);
    }
}
