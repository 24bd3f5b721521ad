//! The models against published figures, closed forms, simulation, and their own derivatives.

use proptest::prelude::*;

use super::fit::log_likelihood;
use super::*;

mod closed_forms;
mod public;
mod recovery;

fn history(repeats: f64, last: f64, age: f64) -> History {
    History { repeats, last, age }
}

/// Any history that a customer can have.
fn any_history() -> impl Strategy<Value = History> {
    let many = prop_oneof![4 => 0_u32..12, 1 => 0_u32..400];
    (many, 0.0_f64..=1.0, 0.0_f64..150.0).prop_map(|(repeats, share, age)| {
        let last = if repeats == 0 { 0.0 } else { share * age };
        history(f64::from(repeats), last, age)
    })
}

/// Positive parameters over several powers of ten.
fn any_parameters() -> impl Strategy<Value = [f64; 4]> {
    prop::array::uniform4((-3.0_f64..4.0).prop_map(f64::exp))
}

/// The derivatives that a model gives against differences of its likelihood.
fn derivatives_hold<P: PurchaseProcess>(
    parameters: [f64; 4],
    of: &History,
) -> Result<(), TestCaseError> {
    let value = |parameters: [f64; 4]| {
        let model = P::of(parameters);
        model.count_term(of.repeats).value + model.time_term(of).value
    };
    let model = P::of(parameters);
    let (count, time) = (model.count_term(of.repeats), model.time_term(of));
    for i in 0..4 {
        let (mut below, mut above) = (parameters, parameters);
        below[i] *= 1.0 - 1e-5;
        above[i] *= 1.0 + 1e-5;
        let slope = (value(above) - value(below)) / 2e-5;
        let found = (count.gradient[i] + time.gradient[i]) * parameters[i];
        let size = 1.0 + found.abs() + 1e-4 * value(parameters).abs();
        prop_assert!(
            (slope - found).abs() < 1e-4 * size,
            "{i}: {found} for {slope}"
        );
    }
    Ok(())
}

fn behaves<P: PurchaseProcess>(parameters: [f64; 4], of: &History) -> Result<(), TestCaseError> {
    let model = P::of(parameters);
    let alive = model.alive(of);
    prop_assert!((0.0..=1.0).contains(&alive), "{alive}");
    let expected: Vec<f64> = [0.0, 1e-3, 1.0, 10.0, 52.0, 300.0]
        .map(|horizon| model.expected(of, horizon))
        .into();
    prop_assert_eq!(expected[0], 0.0);
    let is_more = |pair: &[f64]| pair[1] >= pair[0] * (1.0 - 1e-12);
    prop_assert!(expected.windows(2).all(is_more), "{expected:?}");
    prop_assert!(expected.iter().all(|count| count.is_finite()));
    let (later, never) = (
        model.discounted(of, 52.0, 0.02),
        model.discounted(of, 52.0, 0.0),
    );
    prop_assert_eq!(never, expected[4]);
    prop_assert!(later <= never && later >= never * (-1.04_f64).exp() * (1.0 - 1e-9));
    Ok(())
}

proptest! {
    #[test]
    fn derivatives_are_those_of_the_likelihood(parameters in any_parameters(), of in any_history()) {
        derivatives_hold::<BgNbd>(parameters, &of)?;
        derivatives_hold::<ParetoNbd>(parameters, &of)?;
    }

    #[test]
    fn probabilities_are_probabilities_and_longer_is_more(
        parameters in any_parameters(), of in any_history(),
    ) {
        behaves::<BgNbd>(parameters, &of)?;
        behaves::<ParetoNbd>(parameters, &of)?;
    }

    /// The longer nobody has heard of a customer who bought again, the less likely one is there.
    #[test]
    fn silence_tells(parameters in any_parameters(), of in any_history()) {
        prop_assume!(of.repeats > 0.0);
        let later = History { age: of.age + 10.0, ..of };
        let (bg, pareto) = (BgNbd::of(parameters), ParetoNbd::of(parameters));
        prop_assert!(bg.alive(&later) <= bg.alive(&of));
        prop_assert!(pareto.alive(&later) <= pareto.alive(&of) * (1.0 + 1e-9));
    }

    /// What one more purchase tells of the next lies between what was spent and the mean of all.
    #[test]
    fn expected_spend_lies_between_the_customer_and_all(
        (p, above, v) in (0.1_f64..20.0, 0.1_f64..20.0, 0.1_f64..100.0),
        (purchases, mean) in (1_u32..50, 0.1_f64..500.0),
    ) {
        let model = GammaGamma { p, q: 1.0 + above, v };
        let all = model.expected(&Spend { purchases: 0.0, mean: 0.0 });
        let found = model.expected(&Spend { purchases: f64::from(purchases), mean });
        let (low, high) = (all.min(mean), all.max(mean));
        prop_assert!(found >= low * (1.0 - 1e-12) && found <= high * (1.0 + 1e-12));
    }

    /// Rows by any numbers are answered.
    #[test]
    fn any_row_is_read_as_some_history(row in prop::array::uniform3(prop::num::f64::ANY)) {
        let of = history(row[0], row[1], row[2]).nearest();
        prop_assert!(Histories::new(&[(of, 1.0), (history(1.0, 1.0, 2.0), 1.0)]).is_ok());
        prop_assert_eq!(of.nearest(), of);
    }
}

#[test]
fn histories_that_cannot_be_are_named() {
    let good = history(2.0, 5.0, 9.0);
    for (bad, said) in [
        (history(2.0, 9.5, 9.0), "bought last at 9.5"),
        (history(-1.0, 0.0, 9.0), "number of repeat purchases -1"),
        (history(1.5, 1.0, 9.0), "1.5 repeat purchases"),
        (history(1e6, 1.0, 9.0), "1000000 repeat purchases"),
        (
            history(f64::NAN, 1.0, 9.0),
            "number of repeat purchases NaN",
        ),
        (history(2.0, 1.0, f64::INFINITY), "age inf"),
        (history(0.0, 1.0, 9.0), "no repeat purchase"),
    ] {
        let error = Histories::new(&[(good, 1.0), (bad, 1.0)])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("row 1 ") && error.contains(said),
            "{error}"
        );
    }
    let once = history(0.0, 0.0, 9.0);
    let error = Histories::new(&[(once, 1.0), (once, 1.0)])
        .unwrap_err()
        .to_string();
    assert!(error.contains("none of the 2 customers"), "{error}");
    let spent = |purchases, mean| (Spend { purchases, mean }, 1.0);
    let error = GammaGamma::fit(&[spent(1.0, 3.0), spent(2.0, f64::INFINITY)]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("row 1 has a mean value of inf"),
        "{error}"
    );
    let error = GammaGamma::fit(&[spent(0.0, f64::NAN), spent(2.0, -3.0)]).unwrap_err();
    assert_eq!(error, LifetimeError::NoSpend);
}

#[test]
fn equal_customers_are_one_row_with_a_weight() {
    let some = [
        history(2.0, 5.0, 9.0),
        history(0.0, 0.0, 9.0),
        history(2.0, 5.0, 8.0),
    ];
    let many: Vec<(History, f64)> = (0..900).map(|i| (some[i * i % 7 % 3], 1.0)).collect();
    let histories = Histories::new(&many).unwrap();
    assert_eq!((histories.distinct(), histories.weight), (3, 900.0));
    let grouped = log_likelihood(&BgNbd::of([0.3, 4.0, 0.8, 2.5]), &histories).value;
    let one = |(of, _): &(History, f64)| {
        let model = BgNbd::of([0.3, 4.0, 0.8, 2.5]);
        model.count_term(of.repeats).value + model.time_term(of).value
    };
    let each: f64 = many.iter().map(one).sum();
    assert!(
        (grouped - each).abs() < 1e-9 * each.abs(),
        "{grouped} {each}"
    );
    let mut turned = many.clone();
    turned.reverse();
    let turned = Histories::new(&turned).unwrap();
    assert_eq!(fit::<ParetoNbd>(&turned), fit::<ParetoNbd>(&histories));
}
