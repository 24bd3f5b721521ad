//! Whether probabilities mean what they say.

use super::{is_positive, weight_of};

/// The number of bins that reports use.
pub const BINS: usize = 15;
/// Probabilities are kept this far from 0 and 1 before a logarithm is taken.
const CERTAINTY_MARGIN: f64 = 1e-15;

/// How rows are put into bins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bins {
    /// By the probability itself.
    EqualWidth,
    /// By rank, as many rows in each; rows of equal probability stay together.
    EqualMass,
}

/// Mean negative log likelihood in nats; 0 for no rows.
///
/// # Panics
/// If the lengths differ.
pub fn log_loss(predicted: &[f64], outcome: &[f32], weight: Option<&[f32]>) -> f64 {
    mean(predicted, outcome, weight, |p, y| {
        let p = p.clamp(CERTAINTY_MARGIN, 1.0 - CERTAINTY_MARGIN);
        -(if y { p } else { 1.0 - p }).ln()
    })
}

/// Mean squared error of probabilities (Brier 1950); 0 for no rows.
///
/// # Panics
/// If the lengths differ.
pub fn brier_score(predicted: &[f64], outcome: &[f32], weight: Option<&[f32]>) -> f64 {
    mean(predicted, outcome, weight, |p, y| {
        let error = p - f64::from(u8::from(y));
        error * error
    })
}

/// Expected calibration error (Naeini et al. 2015): the mean over rows of the distance, within
/// their bin, between the mean probability and the share of positive outcomes; 0 for no rows.
///
/// # Panics
/// If the lengths differ, or there are no bins.
pub fn calibration_error(
    predicted: &[f64],
    outcome: &[f32],
    weight: Option<&[f32]>,
    (bins, count): (Bins, usize),
) -> f64 {
    assert_eq!(predicted.len(), outcome.len(), "one outcome a prediction");
    assert!(count > 0, "at least one bin");
    let all = predicted.iter().zip(outcome).enumerate();
    let mut rows: Vec<(f64, bool, f64)> = all
        .map(|(row, (p, y))| (*p, is_positive(*y), weight_of(weight, row)))
        .collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let total: f64 = rows.iter().map(|row| row.2).sum();
    let mut excess = vec![0.0; count];
    // Weight below this row, and below all that are equal to it.
    let (mut below, mut below_equals, mut last) = (0.0, 0.0, f64::NAN);
    for (p, y, weight) in rows {
        if p != last {
            (below_equals, last) = (below, p);
        }
        let bin = match bins {
            Bins::EqualWidth => (p * count as f64) as usize,
            Bins::EqualMass => (below_equals * count as f64 / total) as usize,
        };
        excess[bin.min(count - 1)] += weight * (p - f64::from(u8::from(y)));
        below += weight;
    }
    share(excess.iter().map(|sum| sum.abs()).sum(), total)
}

fn mean(
    predicted: &[f64],
    outcome: &[f32],
    weight: Option<&[f32]>,
    loss: impl Fn(f64, bool) -> f64,
) -> f64 {
    assert_eq!(predicted.len(), outcome.len(), "one outcome a prediction");
    let (mut sum, mut total) = (0.0, 0.0);
    for (row, (p, y)) in predicted.iter().zip(outcome).enumerate() {
        let weight = weight_of(weight, row);
        sum += weight * loss(*p, is_positive(*y));
        total += weight;
    }
    share(sum, total)
}

/// 0 for no rows.
fn share(sum: f64, total: f64) -> f64 {
    if total > 0.0 { sum / total } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn figures_by_hand() {
        let (p, y) = ([0.9, 0.2, 0.6, 0.6], [1.0, 0.0, 1.0, 0.0]);
        // (0.01 + 0.04 + 0.16 + 0.36) / 4
        assert!((brier_score(&p, &y, None) - 0.1425).abs() < 1e-15);
        // −(ln 0.9 + ln 0.8 + ln 0.6 + ln 0.4) / 4
        assert!((log_loss(&p, &y, None) - 0.438_905_106).abs() < 1e-9);
        assert!(log_loss(&[1.0], &[0.0], None) < 35.0);
        // Two bins: [0.2] is off by 0.2, [0.6, 0.6, 0.9] by |2.1 − 2| together.
        let error = calibration_error(&p, &y, None, (Bins::EqualWidth, 2));
        assert!((error - 0.3 / 4.0).abs() < 1e-15);
        // Two halves: 0.2 and both 0.6 (tied, so together) are off by |1.4 − 1|, 0.9 by 0.1.
        let error = calibration_error(&p, &y, None, (Bins::EqualMass, 2));
        assert!((error - 0.5 / 4.0).abs() < 1e-15);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn bounds_and_order(rows in prop::collection::vec((0_u8..=10, any::<bool>()), 1..80)) {
            let split = |rows: &mut dyn Iterator<Item = &(u8, bool)>| -> (Vec<f64>, Vec<f32>) {
                rows.map(|(p, y)| (f64::from(*p) / 10.0, f32::from(u8::from(*y)))).unzip()
            };
            let (p, y) = split(&mut rows.iter());
            let (p_back, y_back) = split(&mut rows.iter().rev());
            for bins in [Bins::EqualWidth, Bins::EqualMass] {
                let error = calibration_error(&p, &y, None, (bins, BINS));
                prop_assert!((0.0..=1.0).contains(&error));
                prop_assert_eq!(error, calibration_error(&p_back, &y_back, None, (bins, BINS)));
            }
            prop_assert!((0.0..=1.0).contains(&brier_score(&p, &y, None)));
            prop_assert!(log_loss(&p, &y, None) >= 0.0);
        }
    }
}
