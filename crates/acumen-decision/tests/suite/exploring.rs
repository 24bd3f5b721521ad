use crate::fixtures::{Bench, Manner, exploring, spec};

#[test]
fn the_declared_share_is_let_through_with_its_propensity() {
    let mut declared = spec();
    declared.explore = Some(exploring(0.1));
    let mut bench = Bench::new(declared).with("one", Manner::Says(0.95));
    let many = 10_000;
    let mut explored = 0;
    for i in 0..many {
        bench.event.id = format!("o{i}").into();
        let decision = bench.decide();
        assert_eq!(decision.action_without_exploration, "block");
        if decision.action == "approve" {
            explored += 1;
            assert_eq!(decision.propensity, 0.1);
            assert!(
                decision
                    .reasons
                    .last()
                    .is_some_and(|r| r.text.starts_with("one of the 10%"))
            );
        } else {
            assert_eq!(
                (decision.action.as_str(), decision.propensity),
                ("block", 0.9)
            );
        }
        assert_eq!(
            decision.action,
            bench.decide().action,
            "the same event is drawn alike"
        );
    }
    // Five standard deviations of a binomial around 1,000.
    let deviation = (f64::from(many) * 0.1 * 0.9).sqrt();
    assert!(
        (f64::from(explored) - 1_000.0).abs() < 5.0 * deviation,
        "{explored}"
    );
}

#[test]
fn only_the_declared_action_is_explored_and_no_final_rule() {
    let mut declared = spec();
    declared.explore = Some(exploring(0.999));
    declared.rules[1].is_final = true;
    for (value, stolen) in [(0.5, false), (0.8, false), (0.99, true)] {
        let mut bench = Bench::new(declared.clone()).with("one", Manner::Says(value));
        if stolen {
            let ids = vec!["c1".to_owned()];
            let add = acumen_base::Control::ListAdd {
                list: "stolen".into(),
                ids,
                until: None,
            };
            bench.state.apply(3, &add).unwrap();
        }
        let decision = bench.decide();
        assert_eq!(decision.action, decision.action_without_exploration);
        assert_eq!(decision.propensity, 1.0);
    }
}
