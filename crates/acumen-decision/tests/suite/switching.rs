//! Rules that act for a share, rules that a list suppresses, and lists with an end.

use std::collections::BTreeSet;

use acumen_base::decision::{Firing, RuleMode};
use acumen_base::{Control, Time};

use crate::fixtures::{Bench, Manner, spec};

fn listed(list: &str, until: Option<Time>) -> Control {
    Control::ListAdd {
        list: list.into(),
        ids: vec!["c1".into()],
        until,
    }
}

fn roll_out(share: f64) -> Control {
    Control::Rule {
        use_case: "orders".into(),
        rule: "stolen".into(),
        mode: RuleMode::roll_out(share).expect("a share"),
    }
}

/// The events of so many for which the rule acts; for the others it is a shadow.
fn acts_for(bench: &mut Bench, events: usize) -> BTreeSet<usize> {
    let acts = |i: &usize| {
        bench.event.id = format!("o{i}").into();
        let decision = bench.decide();
        let firing = decision.rules[0].firing;
        assert_ne!(firing, Firing::Suppressed);
        let acted = firing == Firing::Acted;
        assert_eq!(decision.action == "block", acted);
        acted
    };
    (0..events).filter(acts).collect()
}

#[test]
fn a_rule_that_is_rolled_out_acts_for_its_share_and_for_all_the_same_when_it_grows() {
    let mut bench = Bench::new(spec()).with("one", Manner::Says(0.0));
    bench.state.apply(9, &listed("stolen", None)).unwrap();
    bench.state.apply(10, &roll_out(0.1)).unwrap();
    let tenth = acts_for(&mut bench, 2_000);
    assert!((150..250).contains(&tenth.len()), "{}", tenth.len());
    assert_eq!(tenth, acts_for(&mut bench, 2_000), "the same events again");
    bench.state.apply(11, &roll_out(0.5)).unwrap();
    let half = acts_for(&mut bench, 2_000);
    assert!((900..1_100).contains(&half.len()), "{}", half.len());
    assert!(tenth.is_subset(&half));
}

#[test]
fn a_rule_is_rolled_out_by_what_a_field_names() {
    let mut declared = spec();
    declared.rules[1].roll_out_by = Some("card_id".into());
    let mut bench = Bench::new(declared).with("one", Manner::Says(0.0));
    bench.state.apply(9, &listed("stolen", None)).unwrap();
    bench.state.apply(10, &roll_out(0.5)).unwrap();
    let acted = acts_for(&mut bench, 200).len();
    assert!(acted == 0 || acted == 200, "one card is in or out: {acted}");
}

#[test]
fn a_list_suppresses_a_rule_and_it_is_recorded() {
    let mut declared = spec();
    declared.rules[1].suppress = Some("allowed".into());
    // The allow list's own rule would end the decision before.
    declared.rules[0].when = "false && order.card_id == 'x'".into();
    let mut bench = Bench::new(declared).with("one", Manner::Says(0.0));
    bench.state.apply(9, &listed("stolen", None)).unwrap();
    assert_eq!(bench.decide().action, "block");
    bench.state.apply(10, &listed("allowed", None)).unwrap();
    let decision = bench.decide();
    assert_eq!(
        (decision.action.as_str(), decision.rules.len()),
        ("approve", 1)
    );
    assert_eq!(decision.rules[0].firing, Firing::Suppressed);
    assert!(decision.reasons.is_empty(), "{:?}", decision.reasons);
}

#[test]
fn an_id_is_on_a_list_for_events_before_its_end() {
    let mut bench = Bench::new(spec()).with("one", Manner::Says(0.0));
    let end = Time(1_000_000);
    bench.state.apply(9, &listed("stolen", Some(end))).unwrap();
    assert_eq!(bench.state.listed("stolen"), Some(vec![("c1", Some(end))]));
    for (at, action) in [(end.0 - 1, "block"), (end.0, "approve"), (0, "block")] {
        bench.event.event_time = Time(at);
        assert_eq!(bench.decide().action, action, "{at}");
    }
    // Added again, it is on it for good.
    bench.state.apply(10, &listed("stolen", None)).unwrap();
    bench.event.event_time = end;
    assert_eq!(bench.decide().action, "block");
}

#[test]
fn a_list_or_a_field_that_is_not_there_is_named() {
    let mut declared = spec();
    declared.rules[1].suppress = Some("alowed".into());
    declared.rules[1].roll_out_by = Some("card".into());
    let problems = acumen_decision::Policy::compile(declared).unwrap_err();
    let told: Vec<(&str, &str)> = problems
        .iter()
        .map(|problem| (problem.key.as_str(), problem.help.as_str()))
        .collect();
    assert_eq!(
        told[0],
        ("rules.stolen.suppress", "did you mean `allowed`?")
    );
    assert_eq!(told[1].0, "rules.stolen.mode.by");
}
