//! Vectors by hand, a public log, and that intervals hold what they promise.

use acumen_base::Seed;
use acumen_base::random::Stream;

use super::*;

mod public;

fn near(found: f64, wanted: f64) {
    assert!((found - wanted).abs() < 1e-7, "{found} and {wanted}");
}

#[test]
fn estimates_by_hand() {
    let logged = Logged {
        reward: &[1.0, 0.0, 1.0, 1.0, 0.0],
        propensity: &[0.5, 0.25, 0.2, 0.5, 0.8],
        target: &[0.8, 0.1, 0.4, 0.5, 0.3],
        model: Some(Modelled {
            taken: &[0.6, 0.3, 0.7, 0.5, 0.2],
            target: &[0.55, 0.4, 0.6, 0.5, 0.35],
        }),
    };
    let found = logged.evaluate(None).unwrap();
    near(found.ips.value, 0.92);
    near(found.snips.value, 0.855_813_953_5);
    near(found.dm.unwrap().value, 0.48);
    near(found.dr.unwrap().value, 0.789);
    near(found.overlap.effective_rows, 3.675_359_8);
    near(found.logged.value, 0.6);
    assert_eq!(found.overlap.concerns, []);
    let clipped = logged.evaluate(Some(1.5)).unwrap();
    assert_eq!(clipped.clipped, 2);
    near(clipped.ips.value, 0.8);
}

/// Two actions of known worth: the truth lies in nineteen of twenty intervals, for every estimator
/// that has what it needs, and DR is as good as right propensities make it with a wrong model.
#[test]
fn intervals_hold_what_they_promise() {
    let (worth, logging, target) = ([0.2, 0.5], [0.7, 0.3], [0.2, 0.8]);
    let truth = 0.2 * worth[0] + 0.8 * worth[1];
    let mut draws = Stream::new(Seed(8));
    let mut held = [0; 3];
    for _ in 0..400 {
        let mut columns = [const { Vec::new() }; 5];
        for _ in 0..500 {
            let action = usize::from(draws.unit() < logging[1]);
            let reward = if draws.unit() < worth[action] {
                1.0
            } else {
                0.0
            };
            let wrong = [0.4, 0.4];
            let row = [reward, logging[action], target[action], wrong[action], 0.4];
            columns
                .iter_mut()
                .zip(row)
                .for_each(|(column, value)| column.push(value));
        }
        let [reward, propensity, target, taken, expected] = &columns;
        let logged = Logged {
            reward,
            propensity,
            target,
            model: Some(Modelled {
                taken,
                target: expected,
            }),
        };
        let found = logged.evaluate(None).unwrap();
        let estimates = [found.ips, found.snips, found.dr.unwrap()];
        for (held, of) in held.iter_mut().zip(estimates) {
            *held += usize::from(of.low <= truth && truth <= of.high);
        }
        assert!(found.overlap.concerns.is_empty(), "{:?}", found.overlap);
    }
    assert!(
        held.iter().all(|held| (366..=394).contains(held)),
        "{held:?} of 400"
    );
}

#[test]
fn a_log_without_overlap_is_no_evidence() {
    // The policy would do what was done once in a thousand.
    let target = |row: usize| if row == 0 { 1.0 } else { 0.0 };
    let target: Vec<f64> = (0..1_000).map(target).collect();
    let logged = Logged {
        reward: &vec![1.0; 1_000],
        propensity: &vec![0.5; 1_000],
        target: &target,
        model: None,
    };
    let found = logged.evaluate(None).unwrap();
    let all = [Concern::FewRows, Concern::OneRow, Concern::MeanWeight];
    assert_eq!(found.overlap.concerns, all);
    assert_eq!(found.dr, None);
}

#[test]
fn what_is_no_probability_is_named() {
    let of = |reward: &[f64], propensity: &[f64], target: &[f64]| {
        let logged = Logged {
            reward,
            propensity,
            target,
            model: None,
        };
        logged.evaluate(None).unwrap_err().to_string()
    };
    let said = of(&[1.0, 0.0], &[0.5, 0.0], &[0.5, 0.5]);
    assert!(said.contains("propensity of decision 1 is 0"), "{said}");
    let said = of(&[1.0, 0.0], &[0.5, 0.5], &[0.5, 1.5]);
    assert!(said.contains("target probability of decision 1"), "{said}");
    assert!(of(&[1.0], &[0.5], &[0.5]).contains("there are 1 decisions"));
    assert!(of(&[1.0, 0.0], &[0.5], &[0.5, 0.5]).contains("2 rewards, but 1"));
}

#[test]
fn cells_of_few_rows_say_little() {
    let means = cell_means(&[0, 0, 1, 1], &[1.0, 1.0, 0.0, 0.0], 3, 2.0);
    assert_eq!([means.of(0), means.of(1), means.of(2)], [0.75, 0.25, 0.5]);
    near(means.expected([(0, 0.5), (2, 0.5)].into_iter()), 0.625);
}
