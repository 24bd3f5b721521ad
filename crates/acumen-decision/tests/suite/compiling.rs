use acumen_base::Span;
use acumen_decision::{EnsembleSpec, ExploreSpec, Policy, PolicySpec, Problem};

use crate::fixtures::{layer, rule, spec};

fn problems(spec: PolicySpec) -> Vec<Problem> {
    Policy::compile(spec).expect_err("the spec is wrong")
}

fn has(problems: &[Problem], key: &str, message: &str, help: &str) {
    let found = problems
        .iter()
        .any(|p| p.key == key && p.message.contains(message) && p.help.contains(help));
    assert!(
        found,
        "{key}: {message} / {help} is not among {problems:#?}"
    );
}

#[test]
fn all_problems_are_reported_at_once_with_the_nearest_name() {
    let mut wrong = spec();
    wrong.rules[1].effect = "blok".into();
    wrong.rules[2].when = "recent.cuont > 10.0".into();
    wrong.rules.push(rule("idle", "score > 5.0", "block"));
    wrong.layers[1].run.push("thre".into());
    wrong.layers[1].deadline = Span(5);
    wrong.actions[2].to = 80.0;
    wrong.fallback = None;
    wrong.amount = Some("card_id".into());
    wrong.lists[0].field = "card".into();
    wrong.knots = vec![(0.5, 10.0), (0.4, 20.0)];
    wrong.explore = Some(ExploreSpec {
        of: None,
        action: "approve".into(),
        share: 1.5,
    });
    wrong.ensemble = EnsembleSpec {
        weights: vec![("one".into(), -1.0), ("tow".into(), 1.0)],
    };
    let found = problems(wrong);
    has(
        &found,
        "rules.stolen.effect",
        "`blok`",
        "did you mean `block`?",
    );
    has(&found, "rules.burst.when", "recent.cuont", "recent.count");
    has(&found, "rules.idle", "run by no layer", "rules, models");
    has(
        &found,
        "layers.models.run",
        "`thre` is not a rule or a model",
        "",
    );
    has(
        &found,
        "layers.models.deadline",
        "leaves this layer no time",
        "more than 5ms",
    );
    has(
        &found,
        "actions",
        "the scores 81 to 85 map to no action",
        "exactly one band",
    );
    has(&found, "fallback", "no model answers", "approve, verify");
    has(
        &found,
        "amount",
        "`card_id` is not a money field of `order`",
        "",
    );
    has(
        &found,
        "lists.stolen",
        "`card` is not an id or text field",
        "",
    );
    has(&found, "score.knots", "do not rise", "");
    has(&found, "explore", "1.5 is not a share", "");
    has(&found, "ensemble.one", "-1 is not a weight", "");
    has(
        &found,
        "ensemble.tow",
        "`tow` is not a model",
        "did you mean `two`?",
    );
    has(&found, "ensemble.two", "has no weight", "");
}

#[test]
fn rules_that_can_never_change_anything_are_refused() {
    let mut wrong = spec();
    wrong.rules[0].is_final = false;
    wrong.rules[1].when = "false".into();
    wrong.layers[0].final_when = Some("true".into());
    let found = problems(wrong);
    has(&found, "rules.allowed.effect", "mildest", "final: true");
    has(&found, "rules.stolen.when", "never fire", "mode: off");
    has(&found, "layers.models", "`rules` is always final", "");
}

#[test]
fn names_mean_one_thing() {
    let mut wrong = spec();
    wrong.rules.push(rule("one", "score > 5.0", "block"));
    wrong.layers.push(layer("rules", 40, &[]));
    wrong.layers[1].run.push("one".into());
    let found = problems(wrong);
    has(&found, "models.one", "declared twice", "");
    has(&found, "layers.rules", "declared twice", "");
    has(&found, "layers.models.run", "`one` is run twice", "");
}

#[test]
fn exploration_leads_to_something_milder() {
    let mut wrong = spec();
    wrong.explore = Some(ExploreSpec {
        of: Some("verify".into()),
        action: "block".into(),
        share: 0.1,
    });
    has(&problems(wrong), "explore", "`block` is no milder", "");
}

#[test]
fn rules_alone_need_no_fallback() {
    let mut rules_only = spec();
    rules_only.models.clear();
    rules_only.layers.pop();
    rules_only.fallback = None;
    assert!(Policy::compile(rules_only).is_ok());
}

#[test]
fn a_policy_is_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Policy>();
    shared::<acumen_decision::State>();
}
