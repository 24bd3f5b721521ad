//! Intervals hold what they promise.

use acumen_base::Seed;
use proptest::prelude::*;

use super::*;
use crate::random::Stream;

const LEVEL: f64 = 0.9;

struct Rows {
    predicted: Vec<f64>,
    spread: Vec<f64>,
    outcome: Vec<f32>,
}

/// Values around a prediction that spread with it.
fn spread_out(n: usize, seed: u64) -> Rows {
    let mut random = Stream::new(Seed(seed));
    let mut rows = Rows {
        predicted: vec![],
        spread: vec![],
        outcome: vec![],
    };
    for _ in 0..n {
        let (predicted, spread) = (10.0 * random.unit(), 0.2 + 3.0 * random.unit());
        rows.outcome
            .push((predicted + spread * random.normal()) as f32);
        rows.predicted.push(predicted);
        rows.spread.push(spread);
    }
    rows
}

/// Values as of customers: mostly 0, sometimes much.
fn mostly_nothing(n: usize, seed: u64) -> Rows {
    let mut random = Stream::new(Seed(seed));
    let mut rows = Rows {
        predicted: vec![],
        spread: vec![],
        outcome: vec![],
    };
    for _ in 0..n {
        let worth = random.unit();
        let value = (3.0 * worth + 0.8 * random.normal()).exp();
        let has_any = random.unit() < 0.05 + 0.9 * worth;
        rows.outcome.push(if has_any { value as f32 } else { 0.0 });
        rows.predicted
            .push((0.05 + 0.9 * worth) * (3.0 * worth + 0.32).exp());
        rows.spread.push(1.0);
    }
    rows
}

#[test]
fn intervals_by_spread_hold_what_they_promise() {
    let (known, new) = (spread_out(4_000, 1), spread_out(40_000, 2));
    let found = Intervals::by_spread(
        (&known.predicted, &known.spread),
        &known.outcome,
        (LEVEL, None),
    );
    let found = found.unwrap();
    let coverage = found.coverage(&new.predicted, Some(&new.spread), &new.outcome);
    assert!((coverage - LEVEL).abs() < 0.015, "{coverage}");
    // In units of the spread the errors are normal.
    let (low, high) = found.around(5.0, 2.0);
    assert!((high - 5.0 - 2.0 * 1.645).abs() < 0.2 && (low + high - 10.0).abs() < 1e-9);
}

#[test]
fn intervals_by_bands_hold_what_they_promise_in_every_band() {
    let (known, new) = (mostly_nothing(4_000, 3), mostly_nothing(80_000, 4));
    let found = Intervals::by_bands(&known.predicted, &known.outcome, (LEVEL, Some(0.0))).unwrap();
    let coverage = found.coverage(&new.predicted, None, &new.outcome);
    assert!((0.88..0.92).contains(&coverage), "{coverage}");
    let Width::Bands(bands) = &found.width else {
        panic!("bands")
    };
    assert_eq!(bands.len(), BANDS_MAX);
    for pair in bands.windows(2) {
        let within = |p: &f64| *p > pair[0].until && *p <= pair[1].until;
        let rows: Vec<usize> = (0..new.predicted.len())
            .filter(|i| within(&new.predicted[*i]))
            .collect();
        let (predicted, outcome): (Vec<f64>, Vec<f32>) = rows
            .iter()
            .map(|i| (new.predicted[*i], new.outcome[*i]))
            .unzip();
        let coverage = found.coverage(&predicted, None, &outcome);
        assert!(coverage > 0.82, "{coverage} up to {}", pair[1].until);
    }
    for predicted in [0.0, 1.0, 20.0, 1e6] {
        let (low, high) = found.around(predicted, 1.0);
        assert!(low >= 0.0 && high >= low);
    }
}

#[test]
fn rows_that_cannot_teach_are_named() {
    let error = Intervals::by_bands(&[1.0; 5], &[1.0; 5], (LEVEL, None)).unwrap_err();
    assert!(error.to_string().contains("5 rows are too few"), "{error}");
    let mut rows = spread_out(100, 5);
    rows.spread[7] = 0.0;
    let by_spread = |rows: &Rows| {
        Intervals::by_spread(
            (&rows.predicted, &rows.spread),
            &rows.outcome,
            (LEVEL, None),
        )
    };
    let error = by_spread(&rows).unwrap_err().to_string();
    assert!(error.contains("the spread of row 7 is 0"), "{error}");
    rows.outcome[3] = f32::NAN;
    let error = by_spread(&rows).unwrap_err().to_string();
    assert!(error.contains("the outcome of row 3 is NaN"), "{error}");
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
            let found = Intervals::by_bands(&predicted, &outcome, (LEVEL, floor)).unwrap();
            let coverage = found.coverage(&predicted, None, &outcome);
            prop_assert!(coverage >= LEVEL - 1e-9, "{coverage}");
            let text = serde_json::to_string(&found).unwrap();
            prop_assert_eq!(serde_json::from_str::<Intervals>(&text).unwrap(), found);
        }
    }
}
