//! Lists, rules and explorations: what people change while the engine runs.

use super::shop::{START, Shop, assert_replays, decide, order};
use acumen_base::Control;
use acumen_base::decision::{Firing, RuleMode};
use acumen_base::limits::RECORD_BYTES_MAX;
use acumen_engine::Refusal;

fn watch(ids: &[&str]) -> Control {
    let ids = ids.iter().map(|&id| id.to_owned()).collect();
    Control::ListAdd {
        list: "watched".into(),
        ids,
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
fn a_list_holds_from_its_edit_on() {
    let shop = Shop::new();
    let engine = shop.open();
    let before = order("before", "c1", 20.0, START);
    let fired = |body: &str| {
        let decision = decide(&engine, body).unwrap().decision;
        (
            decision.rules.iter().any(|rule| rule.id == "listed"),
            decision.control,
        )
    };
    assert_eq!(fired(&before), (false, 0));
    let position = engine.control_now(watch(&["c1"]), "ann").unwrap();
    assert_eq!(fired(&order("on", "c1", 20.0, START)), (true, position));
    assert!(!fired(&order("other", "c2", 20.0, START)).0);
    assert_eq!(fired(&before), (false, 0), "decided before the edit");
    assert_eq!(
        engine.lists().unwrap()["watched"],
        [("c1".to_owned(), None)]
    );
    let off = Control::ListRemove {
        list: "watched".into(),
        ids: vec!["c1".into()],
    };
    engine.control_now(off, "ann").unwrap();
    assert!(!fired(&order("off", "c1", 20.0, START)).0);
    engine.close().unwrap();
    assert_replays(&shop.sources(), 4);
}

#[test]
fn a_rule_acts_or_is_only_watched_or_rests() {
    let shop = Shop::new();
    let engine = shop.open();
    engine.control_now(watch(&["c1"]), "ann").unwrap();
    let mut seen = Vec::new();
    for (i, mode) in [RuleMode::Shadow, RuleMode::Off, RuleMode::On]
        .into_iter()
        .enumerate()
    {
        engine.control_now(switch("listed", mode), "ann").unwrap();
        let body = order(&i.to_string(), "c1", 20.0, START);
        let decision = decide(&engine, &body).unwrap().decision;
        seen.push(decision.rules.first().map(|hit| hit.firing));
    }
    assert_eq!(seen, [Some(Firing::Shadow), None, Some(Firing::Acted)]);
    engine.close().unwrap();
    assert_replays(&shop.sources(), 3);
}

#[test]
fn a_refused_edit_is_not_in_the_log_and_does_not_govern() {
    let shop = Shop::new();
    let engine = shop.open();
    let refused = engine
        .control_now(switch("lisetd", RuleMode::Off), "ann")
        .unwrap_err();
    assert!(refused.to_string().contains("`listed`"), "{refused}");
    let falling = Control::Thresholds {
        use_case: "orders".into(),
        knots: vec![(1.0, 0.0)],
    };
    assert!(matches!(
        engine.control_now(falling, "ann"),
        Err(Refusal::Invalid(_))
    ));
    let unknown = Control::Deploy {
        use_case: "orders".into(),
        member: "boosted".into(),
        version: "none".into(),
    };
    assert!(matches!(
        engine.control_now(unknown, "ann"),
        Err(Refusal::Invalid(_))
    ));
    // Too long for one record: the log refuses it and goes on.
    let long = "x".repeat(RECORD_BYTES_MAX);
    assert!(engine.control_now(watch(&[&long]), "ann").is_err());
    assert!(engine.lists().unwrap()["watched"].is_empty());
    assert_eq!(
        engine
            .ask(|core, log| (core.next, log.next_position()))
            .unwrap(),
        (0, 0)
    );
    decide(&engine, &order("a", "c1", 20.0, START)).unwrap();
    engine.close().unwrap();
    assert_replays(&shop.sources(), 1);
}

#[test]
fn a_declared_share_is_let_through_and_says_so() {
    let explore = "explore: {action: ship, share: 0.2}\nfallback: review";
    let shop = Shop::with(&[("fallback: review", explore)]);
    let engine = shop.open();
    let mut explored = 0;
    for i in 0..300 {
        let body = order(&i.to_string(), &format!("c{i}"), 20.0, START);
        let decision = decide(&engine, &body).unwrap().decision;
        assert_eq!(decision.action_without_exploration, "review");
        let let_through = decision.action == "ship";
        assert_eq!(decision.propensity, if let_through { 0.2 } else { 0.8 });
        explored += usize::from(let_through);
    }
    assert!((35..=90).contains(&explored), "{explored}");
    engine.close().unwrap();
    assert_replays(&shop.sources(), 300);
}
