//! Intervals hold what they promise.

use acumen_base::Seed;
use proptest::prelude::*;

use super::*;
use acumen_base::random::Stream;

const LEVEL: f64 = 0.9;

/// Values as of customers: mostly 0, sometimes much.
fn mostly_nothing(n: usize, seed: u64) -> (Vec<f64>, Vec<f32>) {
    let mut random = Stream::new(Seed(seed));
    let row = |_| {
        let worth = random.unit();
        let value = (3.0 * worth + 0.8 * random.normal()).exp();
        let has_any = random.unit() < 0.05 + 0.9 * worth;
        let expected = (0.05 + 0.9 * worth) * (3.0 * worth + 0.32).exp();
        (expected, if has_any { value as f32 } else { 0.0 })
    };
    (0..n).map(row).unzip()
}

#[test]
fn intervals_hold_what_they_promise_in_every_band() {
    let (known, new) = (mostly_nothing(4_000, 3), mostly_nothing(80_000, 4));
    let found = Intervals::new(&known.0, &known.1, (LEVEL, Some(0.0))).unwrap();
    let coverage = found.coverage(&new.0, &new.1);
    assert!((0.88..0.92).contains(&coverage), "{coverage}");
    assert_eq!(found.bands.len(), BANDS_MAX);
    for pair in found.bands.windows(2) {
        let within = |p: &f64| *p > pair[0].until && *p <= pair[1].until;
        let rows = new.0.iter().zip(&new.1).filter(|(p, _)| within(p));
        let (predicted, outcome): (Vec<f64>, Vec<f32>) = rows.map(|(p, y)| (*p, *y)).unzip();
        let coverage = found.coverage(&predicted, &outcome);
        assert!(coverage > 0.82, "{coverage} up to {}", pair[1].until);
    }
    for predicted in [0.0, 1.0, 20.0, 1e6] {
        let (low, high) = found.around(predicted);
        assert!(low >= 0.0 && high >= low);
    }
}

#[test]
fn rows_that_cannot_teach_are_named() {
    let said = |predicted: &[f64], outcome: &[f32]| {
        let error = Intervals::new(predicted, outcome, (LEVEL, None)).unwrap_err();
        error.to_string()
    };
    assert!(said(&[1.0; 5], &[1.0; 5]).contains("5 rows are too few"));
    let (mut predicted, mut outcome) = mostly_nothing(100, 5);
    outcome[3] = f32::NAN;
    assert!(said(&predicted, &outcome).contains("the outcome of row 3 is NaN"));
    predicted[7] = f64::INFINITY;
    assert!(said(&predicted, &outcome).contains("the prediction of row 7 is inf"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// On the rows that they were made from, and with predictions that are often equal.
    #[test]
    fn their_own_rows_are_held(
        rows in prop::collection::vec((0_u8..12, -20_i16..200), 20..700),
    ) {
        let (predicted, outcome): (Vec<f64>, Vec<f32>) =
            rows.iter().map(|(p, y)| (f64::from(*p), f32::from(*y).max(0.0))).unzip();
        for floor in [None, Some(0.0)] {
            let found = Intervals::new(&predicted, &outcome, (LEVEL, floor)).unwrap();
            let coverage = found.coverage(&predicted, &outcome);
            prop_assert!(coverage >= LEVEL - 1e-9, "{coverage}");
            let text = serde_json::to_string(&found).unwrap();
            prop_assert_eq!(serde_json::from_str::<Intervals>(&text).unwrap(), found);
        }
    }
}
