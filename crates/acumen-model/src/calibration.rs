//! Margins into probabilities that mean what they say.

use serde::{Deserialize, Serialize};

use crate::metrics::log_loss;

mod isotonic;
mod platt;

pub use isotonic::Isotonic;
pub use platt::Platt;

/// With fewer outcomes of a kind than this, nothing can be learned about probabilities.
const OUTCOMES_MIN: usize = 10;
/// The later share of the rows, by which the method is chosen.
const HELD_OUT_SHARE: f64 = 1.0 / 3.0;

/// How a margin becomes a prediction; never decreasing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Calibration {
    /// The margin is the value: for a regression.
    Identity,
    /// The margin is the logarithm of the value: for a regression of what is never below 0.
    Exponential,
    /// The logistic function of the margin: an uncalibrated probability.
    Logistic,
    /// Platt scaling.
    Platt(Platt),
    /// Isotonic regression.
    Isotonic(Isotonic),
}

/// Which calibration a spec asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalibrationMethod {
    /// Whichever is better on the later part.
    #[default]
    Auto,
    /// None: the logistic function of the margin.
    None,
    /// Platt scaling.
    Platt,
    /// Isotonic regression.
    Isotonic,
}

impl Calibration {
    /// The probability or value of a margin.
    pub fn apply(&self, margin: f64) -> f64 {
        match self {
            Calibration::Identity => margin,
            Calibration::Exponential => margin.exp(),
            Calibration::Logistic => logistic(margin),
            Calibration::Platt(platt) => platt.apply(margin),
            Calibration::Isotonic(isotonic) => isotonic.apply(margin),
        }
    }

    /// What people call it.
    pub fn name(&self) -> &'static str {
        match self {
            Calibration::Identity => "none (a value)",
            Calibration::Exponential => "none (the exponential of the margin is a value)",
            Calibration::Logistic => "none (the logistic function of the margin)",
            Calibration::Platt(_) => "Platt scaling",
            Calibration::Isotonic(_) => "isotonic regression",
        }
    }

    /// Fits a calibration to margins and outcomes in order of time; a row counts as much as its
    /// weight. With fewer than ten outcomes of either kind it is the logistic function, whatever
    /// was asked for.
    ///
    /// # Panics
    /// If the lengths differ, or a margin is NaN.
    pub fn fit(
        method: CalibrationMethod,
        margin: &[f64],
        outcome: &[f32],
        weight: Option<&[f32]>,
    ) -> Calibration {
        assert_eq!(margin.len(), outcome.len(), "one outcome a margin");
        if !enough(outcome) {
            return Calibration::Logistic;
        }
        match method {
            CalibrationMethod::Auto => Calibration::choose(margin, outcome, weight),
            CalibrationMethod::None => Calibration::Logistic,
            CalibrationMethod::Platt => Calibration::Platt(Platt::fit(margin, outcome, weight)),
            CalibrationMethod::Isotonic => {
                Calibration::Isotonic(Isotonic::fit(margin, outcome, weight))
            }
        }
    }

    /// Fits every method to the earlier two thirds of the rows, takes the one of the lowest log
    /// loss on the later third, and fits that one to all.
    ///
    /// # Panics
    /// If the lengths differ, or a margin is NaN.
    pub fn choose(margin: &[f64], outcome: &[f32], weight: Option<&[f32]>) -> Calibration {
        let earlier = margin.len() - (margin.len() as f64 * HELD_OUT_SHARE) as usize;
        let (early, late) = outcome.split_at(earlier);
        let (early_weight, late_weight) = weight.map(|weight| weight.split_at(earlier)).unzip();
        if !enough(early) || late.is_empty() {
            return Calibration::Logistic;
        }
        let methods = [
            CalibrationMethod::None,
            CalibrationMethod::Platt,
            CalibrationMethod::Isotonic,
        ];
        let losses = methods.map(|method| {
            let fitted = Calibration::fit(method, &margin[..earlier], early, early_weight);
            let late_margins = margin[earlier..].iter();
            let predicted: Vec<f64> = late_margins.map(|margin| fitted.apply(*margin)).collect();
            (log_loss(&predicted, late, late_weight), method)
        });
        let best = losses.iter().min_by(|a, b| a.0.total_cmp(&b.0));
        let method = best.expect("there are three methods").1;
        Calibration::fit(method, margin, outcome, weight)
    }
}

fn enough(outcome: &[f32]) -> bool {
    let positives = outcome.iter().filter(|y| **y > 0.5).count();
    positives.min(outcome.len() - positives) >= OUTCOMES_MIN
}

/// The logistic function.
pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use acumen_base::Seed;
    use proptest::prelude::*;

    use super::*;
    use crate::metrics::{BINS, Bins, calibration_error};

    /// Margins of which the truth is a stretched and shifted logistic function.
    fn stretched(rows: usize, stretch: f64) -> (Vec<f64>, Vec<f32>) {
        let row = |row: usize| {
            let margin = Seed(1).unit(&format!("margin-{row}")) * 8.0 - 4.0;
            let positive =
                Seed(2).unit(&format!("outcome-{row}")) < logistic(stretch * margin - 1.0);
            (margin, f32::from(u8::from(positive)))
        };
        (0..rows).map(row).unzip()
    }

    #[test]
    fn platt_finds_the_line_again() {
        let (margin, outcome) = stretched(20_000, 0.5);
        let platt = Platt::fit(&margin, &outcome, None);
        assert!(
            (platt.slope - 0.5).abs() < 0.03 && (platt.offset + 1.0).abs() < 0.05,
            "{platt:?}"
        );
    }

    #[test]
    fn isotonic_wins_where_the_truth_is_a_step() {
        let margin: Vec<f64> = (0..6_000)
            .map(|i| f64::from(i * 37 % 6_000) / 1_000.0)
            .collect();
        let positive =
            |i: usize, m: f64| Seed(3).unit(&i.to_string()) < if m < 4.0 { 0.1 } else { 0.4 };
        let outcome = margin.iter().enumerate();
        let outcome: Vec<f32> = outcome
            .map(|(i, m)| f32::from(u8::from(positive(i, *m))))
            .collect();
        let fitted = Calibration::choose(&margin, &outcome, None);
        assert!(
            matches!(fitted, Calibration::Isotonic(_)),
            "{}",
            fitted.name()
        );
        let predicted: Vec<f64> = margin.iter().map(|m| fitted.apply(*m)).collect();
        assert!(calibration_error(&predicted, &outcome, None, (Bins::EqualMass, BINS)) < 0.01);
    }

    #[test]
    fn few_outcomes_are_left_alone() {
        let margins: Vec<f64> = (0..50).map(f64::from).collect();
        let fitted = Calibration::fit(CalibrationMethod::Isotonic, &margins, &[0.0; 50], None);
        assert_eq!(fitted, Calibration::Logistic);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// Never decreasing, within (0, 1), and the same after a trip through JSON.
        #[test]
        fn calibration_is_monotone(
            rows in prop::collection::vec((-6.0_f64..6.0, any::<bool>()), 40..120),
            probes in prop::collection::vec(-9.0_f64..9.0, 2..20),
        ) {
            let (margin, outcome): (Vec<f64>, Vec<f32>) =
                rows.iter().map(|(m, y)| (*m, f32::from(u8::from(*y)))).unzip();
            let mut probes = probes;
            probes.extend(&margin);
            probes.sort_by(f64::total_cmp);
            for method in [CalibrationMethod::Platt, CalibrationMethod::Isotonic, CalibrationMethod::Auto] {
                let fitted = Calibration::fit(method, &margin, &outcome, None);
                let values: Vec<f64> = probes.iter().map(|m| fitted.apply(*m)).collect();
                prop_assert!(values.is_sorted());
                prop_assert!(values.iter().all(|p| *p > 0.0 && *p < 1.0));
                let text = serde_json::to_string(&fitted).unwrap();
                prop_assert_eq!(serde_json::from_str::<Calibration>(&text).unwrap(), fitted);
            }
        }
    }
}
