use acumen_base::Control;
use acumen_decision::RuleOutcome;

use crate::fixtures::{Bench, Manner, spec};

#[test]
fn reasons_are_sentences_weightiest_first() {
    let bench = Bench::new(spec()).with("one", Manner::Says(0.5));
    let decision = bench.decide();
    let texts: Vec<&str> = decision.reasons.iter().map(|r| r.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "channel: web (raises the score)",
            "orders of this card in the last hour: 14 (raises the score)"
        ]
    );
    let mild = Bench::new(spec()).with("one", Manner::Says(0.1)).decide();
    assert!(mild.reasons.is_empty());
}

#[test]
fn rules_come_before_what_moved_the_models() {
    let mut bench = Bench::new(spec()).with("one", Manner::Says(0.5));
    bench.row.values[1] = 600.0;
    let add = Control::ListAdd {
        list: "stolen".into(),
        ids: vec!["c1".into()],
        until: None,
    };
    bench.state.apply(9, &add).unwrap();
    let decision = bench.decide();
    let codes: Vec<&str> = decision.reasons.iter().map(|r| r.code.as_str()).collect();
    assert_eq!(codes, ["stolen", "burst", "channel", "recent.count"]);
    assert_eq!(decision.reasons[0].weight, f64::INFINITY);
}

#[test]
fn an_explanation_tells_the_whole_story() {
    let mut bench = Bench::new(spec())
        .with("one", Manner::Says(0.5))
        .with("two", Manner::GivesUp);
    bench.row.values[2] = f64::NAN;
    let decision = bench.decide();
    let explanation = bench.policy.explain(&decision, &bench.event, &bench.state);
    assert_eq!(explanation.action, "verify");
    let bands: Vec<&str> = explanation
        .bands
        .iter()
        .filter(|band| band.holds_score)
        .map(|band| band.action.as_str())
        .collect();
    assert_eq!(bands, ["verify"]);
    assert_eq!(
        explanation.skipped,
        ["model `two` did not finish before its deadline"]
    );
    let near = explanation.nearest_rule.unwrap();
    assert_eq!((near.id.as_str(), near.held, near.terms), ("burst", 1, 2));
    assert_eq!(near.failed, ["recent.sum >= 500.0"]);
    let outcomes: Vec<RuleOutcome> = explanation.rules.iter().map(|rule| rule.outcome).collect();
    assert_eq!(outcomes, [RuleOutcome::DidNotFire; 3]);
    let [model] = &explanation.models[..] else {
        panic!("one model answered")
    };
    assert_eq!((model.name.as_str(), model.weight), ("one", 1.0));
    let texts: Vec<&str> = model
        .attributions
        .iter()
        .map(|line| line.text.as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "channel: unknown (raises the score)",
            "orders of this card in the last hour: 14 (raises the score)",
            "spent with this card in the last hour: 20.5 GBP (lowers the score)",
        ]
    );
    // The fake moves neither its answer nor its attributions with the row.
    let additivity = model.additivity.as_ref().unwrap();
    assert!(additivity.holds);
    assert_eq!((additivity.sum, additivity.base), (1.0, -0.5));
}

#[test]
fn what_a_rule_missed_or_never_saw_is_said() {
    let mut bench = Bench::new(spec()).with("one", Manner::Says(0.5));
    bench.row.values[1] = f64::NAN;
    let decision = bench.decide();
    let explanation = bench.policy.explain(&decision, &bench.event, &bench.state);
    assert_eq!(explanation.rules[2].outcome, RuleOutcome::Missing);
    assert_eq!(
        explanation.nearest_rule.unwrap().failed,
        ["recent.sum >= 500.0 (missing)"]
    );
    let decision = bench.decide_after(6_000);
    let explanation = bench.policy.explain(&decision, &bench.event, &bench.state);
    assert_eq!(explanation.rules[1].outcome, RuleOutcome::NotReached);
    assert!(
        explanation.skipped[0].starts_with("layer `rules` (allowed, stolen, burst) had no time")
    );
}
