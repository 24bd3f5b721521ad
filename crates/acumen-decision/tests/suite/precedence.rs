use acumen_base::decision::{Firing, LayerStatus, RuleHit, RuleMode};
use acumen_base::{Control, Currency, Money, Time, Value};
use acumen_decision::ControlError;

use crate::fixtures::{Bench, Manner, spec};

fn add(list: &str, ids: &[&str]) -> Control {
    Control::ListAdd {
        list: list.into(),
        ids: ids.iter().map(ToString::to_string).collect(),
        until: None,
    }
}

fn switch(rule: &str, mode: RuleMode) -> Control {
    Control::Rule {
        use_case: "orders".into(),
        rule: rule.into(),
        mode,
    }
}

#[test]
fn the_most_severe_of_rules_and_band_wins() {
    // (probability, spent in the last hour, on the list of stolen cards, action)
    let cases = [
        (0.10, 20.0, false, "approve"),
        (0.304, 20.0, false, "approve"),
        (0.31, 20.0, false, "verify"),
        (0.75, 20.0, false, "step_up"),
        (0.86, 20.0, false, "block"),
        (0.10, 500.0, false, "step_up"),
        (0.86, 500.0, false, "block"),
        (0.10, 500.0, true, "block"),
        (0.50, 20.0, true, "block"),
    ];
    for (probability, spent, stolen, action) in cases {
        let mut bench = Bench::new(spec()).with("one", Manner::Says(probability));
        bench.row.values[1] = spent;
        if stolen {
            bench.state.apply(9, &add("stolen", &["c1"])).unwrap();
        }
        let decision = bench.decide();
        assert_eq!(decision.action, action, "{probability} {spent} {stolen}");
        assert_eq!(decision.propensity, 1.0);
        assert_eq!(decision.score, Some((probability * 100.0).round()));
        assert_eq!(decision.amount, Some(Money::new(1_250, Currency::GBP)));
    }
}

#[test]
fn a_final_rule_wins_outright_and_ends_the_decision() {
    let mut bench = Bench::new(spec()).with("one", Manner::Says(0.99));
    bench.state.apply(9, &add("stolen", &["c1"])).unwrap();
    bench
        .state
        .apply(10, &add("allowed", &["c1", "c2"]))
        .unwrap();
    let decision = bench.decide();
    assert_eq!(decision.action, "approve");
    assert_eq!(decision.control, 10);
    assert_eq!(decision.layers[1].status, LayerStatus::NotNeeded);
    let fired: Vec<&str> = decision.rules.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(fired, ["allowed", "stolen"]);
    assert_eq!(decision.reasons[0].code, "allowed");
    assert_eq!(decision.reasons.len(), 1);
}

#[test]
fn lists_are_edited_without_touching_what_is_under_way() {
    let mut bench = Bench::new(spec()).with("one", Manner::Says(0.0));
    let before = bench.state.clone();
    bench.state.apply(9, &add("stolen", &["c1", "c0"])).unwrap();
    bench.state.apply(10, &add("unheard_of", &["c1"])).unwrap();
    assert_eq!(bench.state.list("stolen"), Some(vec!["c0", "c1"]));
    assert_eq!(bench.state.list("unheard_of"), None);
    assert!(!before.list_holds("stolen", "c1", Time(0)));
    assert_eq!(bench.decide().action, "block");
    let remove = Control::ListRemove {
        list: "stolen".into(),
        ids: vec!["c1".into()],
    };
    bench.state.apply(11, &remove).unwrap();
    assert!(bench.state.list_holds("stolen", "c0", Time(0)));
    assert_eq!(bench.decide().action, "approve");
    bench.state = before;
    assert_eq!(bench.decide().control, 5);
}

#[test]
fn rules_are_switched_to_shadow_and_off() {
    let mut bench = Bench::new(spec()).with("one", Manner::Says(0.0));
    bench.state.apply(9, &add("stolen", &["c1"])).unwrap();
    for (mode, action, hits) in [
        (RuleMode::On, "block", 1),
        (RuleMode::Shadow, "approve", 1),
        (RuleMode::Off, "approve", 0),
    ] {
        bench.state.apply(10, &switch("stolen", mode)).unwrap();
        let decision = bench.decide();
        assert_eq!(
            (decision.action.as_str(), decision.rules.len()),
            (action, hits)
        );
        let acted = |hit: &RuleHit| hit.firing == Firing::Acted;
        assert!(
            decision
                .rules
                .iter()
                .all(|hit| acted(hit) == (mode == RuleMode::On))
        );
        assert_eq!(decision.reasons.is_empty(), mode != RuleMode::On);
    }
    let error = bench
        .state
        .apply(11, &switch("stollen", RuleMode::On))
        .unwrap_err();
    assert!(matches!(&error, ControlError::UnknownRule { help, .. } if help.contains("`stolen`")));
    assert_eq!(bench.state.control(), 10);
}

#[test]
fn thresholds_move_the_bands() {
    let mut bench = Bench::new(spec()).with("one", Manner::Says(0.2));
    assert_eq!(bench.decide().action, "approve");
    let thresholds = |use_case: &str, knots: &[(f64, f64)]| Control::Thresholds {
        use_case: use_case.into(),
        knots: knots.into(),
    };
    bench
        .state
        .apply(9, &thresholds("other", &[(0.0, 0.0)]))
        .unwrap();
    bench
        .state
        .apply(
            10,
            &thresholds("orders", &[(0.0, 0.0), (0.2, 90.0), (1.0, 100.0)]),
        )
        .unwrap();
    assert_eq!(bench.decide().action, "block");
    let bad = thresholds("orders", &[(0.0, 50.0), (1.0, 40.0)]);
    assert!(matches!(
        bench.state.apply(11, &bad),
        Err(ControlError::BadKnots { .. })
    ));
    assert_eq!(bench.decide().action, "block");
}

#[test]
fn a_rule_on_a_missing_value_does_not_fire() {
    let mut bench = Bench::new(spec()).with("one", Manner::Says(0.0));
    bench.row.values[1] = 900.0;
    assert_eq!(bench.decide().action, "step_up");
    bench.row.values[1] = f64::NAN;
    assert_eq!(bench.decide().action, "approve");
    bench.state.apply(9, &add("stolen", &["c1"])).unwrap();
    bench.event.values[0] = Value::Missing;
    assert_eq!(bench.decide().action, "approve");
}

#[test]
fn members_are_averaged_by_weight_and_the_silent_are_left_out() {
    let mut weighted = spec();
    weighted.ensemble.weights = vec![("one".into(), 3.0), ("two".into(), 1.0)];
    let bench = Bench::new(weighted.clone())
        .with("one", Manner::Says(0.2))
        .with("two", Manner::Says(0.6));
    assert!((bench.decide().probability.unwrap() - 0.3).abs() < 1e-12);
    let bench = Bench::new(weighted.clone())
        .with("one", Manner::Fails)
        .with("two", Manner::Says(0.6));
    assert_eq!(bench.decide().probability, Some(0.6));
    weighted.ensemble.weights[1].1 = 0.0;
    let bench = Bench::new(weighted)
        .with("one", Manner::Says(0.2))
        .with("two", Manner::Says(0.6));
    let decision = bench.decide();
    assert!((decision.probability.unwrap() - 0.2).abs() < 1e-12);
    assert!(decision.layers[1].members[1].answer.is_ok());
}

#[test]
fn a_row_of_other_columns_fires_no_rule_on_them() {
    let mut bench = Bench::new(spec()).with("one", Manner::Says(0.0));
    bench.row.values[1] = 900.0;
    let mut other = (*bench.row.columns).clone();
    other.fingerprint += 1;
    bench.row.columns = other.into();
    assert_eq!(bench.decide().action, "approve");
}
