use acumen_base::MemberError;

use crate::fixtures::{Bench, Manner, spec};

/// `two` is a shadow, and `one` has a challenger.
fn bench(challenger: Manner) -> Bench {
    let mut spec = spec();
    spec.shadow = vec!["two".into()];
    Bench::new(spec)
        .with("one", Manner::Says(0.2))
        .with("two", Manner::Says(0.9))
        .with("one@challenger", challenger)
}

#[test]
fn they_are_recorded_and_move_nothing() {
    let bench = bench(Manner::Says(0.8));
    let decision = bench.decide();
    assert_eq!(decision.probability, Some(0.2));
    let said: Vec<(&str, f64)> = decision.layers[1]
        .members
        .iter()
        .map(|member| (member.name.as_str(), member.answer.as_ref().unwrap().value))
        .collect();
    assert_eq!(said, [("one", 0.2), ("one@challenger", 0.8), ("two", 0.9)]);
    let again = bench.replay(&decision);
    assert_eq!(acumen_decision::differences(&decision, &again), [""; 0]);
}

#[test]
fn one_that_fails_panics_or_takes_too_long_disturbs_nobody() {
    for (manner, late) in [
        (Manner::Fails, false),
        (Manner::Panics, false),
        (Manner::GivesUp, true),
        (Manner::Takes(60_000, 0.8), true),
    ] {
        let bench = bench(manner.clone());
        let decision = bench.decide();
        assert_eq!(decision.probability, Some(0.2), "{manner:?}");
        assert_eq!(decision.action, "approve", "{manner:?}");
        let answer = &decision.layers[1].members[1].answer;
        assert_eq!(
            *answer == Err(MemberError::Late),
            late,
            "{manner:?}: {answer:?}"
        );
        let again = bench.replay(&decision);
        assert_eq!(acumen_decision::differences(&decision, &again), [""; 0]);
    }
}

#[test]
fn a_layer_of_shadows_alone_leaves_the_fallback() {
    let mut spec = spec();
    spec.shadow = vec!["one".into(), "two".into()];
    let bench = Bench::new(spec).with("one", Manner::Says(0.9));
    let decision = bench.decide();
    assert_eq!(
        (decision.probability, decision.action.as_str()),
        (None, "verify")
    );
    assert_eq!(decision.layers[1].members.len(), 1);
}

#[test]
fn a_shadow_that_is_no_model_is_a_problem() {
    let mut spec = spec();
    spec.shadow = vec!["tow".into()];
    let problems = acumen_decision::Policy::compile(spec).unwrap_err();
    assert_eq!(problems[0].key, "models.tow");
    assert!(problems[0].help.contains("two"), "{problems:?}");
}
