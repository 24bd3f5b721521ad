use acumen_base::MemberError;
use acumen_base::decision::LayerStatus;

use crate::fixtures::{Bench, Manner, spec};

fn answers(decision: &acumen_base::Decision) -> Vec<Option<&MemberError>> {
    let members = &decision.layers[1].members;
    members
        .iter()
        .map(|member| member.answer.as_ref().err())
        .collect()
}

#[test]
fn a_layer_starts_only_within_its_budget() {
    for (waited_us, rules, models, action) in [
        (0, LayerStatus::Ran, LayerStatus::Ran, "step_up"),
        (4_999, LayerStatus::Ran, LayerStatus::Ran, "step_up"),
        (5_000, LayerStatus::OutOfTime, LayerStatus::Ran, "step_up"),
        (
            30_000,
            LayerStatus::OutOfTime,
            LayerStatus::OutOfTime,
            "verify",
        ),
    ] {
        let bench = Bench::new(spec()).with("one", Manner::Says(0.8));
        let decision = bench.decide_after(waited_us);
        assert_eq!(decision.layers[0].status, rules, "{waited_us}");
        assert_eq!(decision.layers[1].status, models, "{waited_us}");
        assert_eq!(decision.action, action, "{waited_us}");
        assert_eq!(decision.took_us, waited_us);
    }
}

#[test]
fn late_and_failing_members_are_named_and_the_others_count() {
    let late = Some(&MemberError::Late);
    let bench = Bench::new(spec())
        .with("one", Manner::Says(0.8))
        .with("two", Manner::Takes(40_000, 0.1));
    let decision = bench.decide();
    assert_eq!(answers(&decision), [None, late]);
    assert_eq!(decision.score, Some(80.0));
    assert_eq!(decision.layers[1].members[1].took_us, 40_000);
    assert_eq!(decision.layers[1].took_us, 40_000);
    // The first overruns, so that the second has no time to start.
    let bench = Bench::new(spec())
        .with("one", Manner::Takes(31_000, 0.1))
        .with("two", Manner::Says(0.8));
    let decision = bench.decide();
    assert_eq!(answers(&decision), [late, late]);
    assert_eq!((decision.score, decision.action.as_str()), (None, "verify"));
    assert_eq!(decision.reasons[0].code, "fallback");
    assert!(
        decision.reasons[0]
            .text
            .contains("one did not finish before its deadline")
    );
}

#[test]
fn a_panic_is_a_failure_of_its_member_alone() {
    let bench = Bench::new(spec())
        .with("one", Manner::Panics)
        .with("two", Manner::Says(0.9));
    let decision = bench.decide();
    let failed = MemberError::Failed("panicked: index out of range".into());
    assert_eq!(answers(&decision), [Some(&failed), None]);
    assert_eq!(decision.action, "block");
}

#[test]
fn what_is_no_probability_is_a_failure() {
    for value in [f64::NAN, -0.1, 1.1, f64::INFINITY] {
        let decision = Bench::new(spec()).with("one", Manner::Says(value)).decide();
        assert!(matches!(
            answers(&decision)[..],
            [Some(MemberError::Failed(_))]
        ));
        assert_eq!((decision.score, decision.action.as_str()), (None, "verify"));
    }
}

#[test]
fn without_a_deployed_model_the_fallback_stands() {
    let decision = Bench::new(spec()).decide();
    assert_eq!(decision.layers[1].status, LayerStatus::NoModel);
    assert_eq!(decision.action, "verify");
    assert_eq!(decision.probability, None);
}

#[test]
fn a_layer_may_end_the_decision() {
    let mut early = spec();
    early.layers[1].run.pop();
    early
        .layers
        .push(crate::fixtures::layer("deep", 50, &["two"]));
    early.layers[1].final_when = Some("score < 5.0".into());
    for (value, status, score) in [
        (0.04, LayerStatus::NotNeeded, 4.0),
        (0.06, LayerStatus::Ran, 48.0),
    ] {
        let bench = Bench::new(early.clone())
            .with("one", Manner::Says(value))
            .with("two", Manner::Says(0.9));
        let decision = bench.decide();
        assert_eq!(decision.layers[2].status, status);
        assert_eq!(decision.score, Some(score));
    }
    early.layers[0].final_when = Some("order.amount < money('20 GBP')".into());
    let decision = Bench::new(early).with("one", Manner::Says(0.9)).decide();
    assert_eq!(
        (decision.score, decision.action.as_str()),
        (None, "approve")
    );
}

#[test]
fn a_member_that_keeps_overrunning_is_left_out_for_a_while() {
    let bench = Bench::new(spec())
        .with("one", Manner::GivesUp)
        .with("two", Manner::Says(0.1));
    let first: Vec<_> = (0..230)
        .map(|_| {
            bench.decide().layers[1].members[0]
                .answer
                .clone()
                .unwrap_err()
        })
        .collect();
    let expected = |i: usize| match i % 110 {
        0..10 => MemberError::Late,
        _ => MemberError::Skipped,
    };
    assert!(
        first
            .iter()
            .enumerate()
            .all(|(i, error)| *error == expected(i)),
        "{first:?}"
    );
    // A skipped member needs no breaker in a replay.
    let skipped = (0..20)
        .map(|_| bench.decide())
        .find(|d| d.layers[1].members[0].answer == Err(MemberError::Skipped));
    let skipped = skipped.unwrap();
    assert_eq!(
        acumen_decision::differences(&skipped, &bench.replay(&skipped)),
        [""; 0]
    );
}
