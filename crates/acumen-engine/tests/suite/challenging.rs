//! Challengers and shadows: they answer beside what decides, and are compared with it.

use acumen_base::{Control, Span};
use acumen_engine::compare::{Comparison, compare};
use acumen_engine::{Engine, Trained, train};

use super::learning::stacked;
use super::shop::{DAY, START, Shop, assert_replays, complaint, days, decide, ingest, order};

const WEAK: &str = "models:\n  weak: {algorithm: xgboost, n_estimators: 3, max_depth: 1, features: [quiet_for], shadow: true}\n";

fn trained(shop: &Shop, as_of: i64) -> Trained {
    train(&shop.sources(), 0, Some(START + days(as_of)), &mut |_| ()).unwrap()
}

fn challenge(engine: &Engine, version: &str) {
    let control = Control::Deploy {
        use_case: "orders".into(),
        member: "boosted@challenger".into(),
        version: version.into(),
    };
    engine.control_now(control, "ann").unwrap();
}

/// Orders a minute apart, dear ones among them, which are complained about a day later.
fn stream(engine: &Engine, shop: &Shop, name: &str, count: i64) {
    let began = engine.clock().now();
    let mut complaints = Vec::new();
    for i in 0..count {
        let at = began + Span(i * 60_000);
        shop.clock.set(at);
        let dear = i % 5 == 0;
        let amount = if dear { 190.0 } else { 20.0 };
        let id = format!("{name}-{i}");
        decide(engine, &order(&id, &format!("{name}{i}"), amount, at)).unwrap();
        if dear {
            complaints.push(id);
        }
    }
    let later = engine.clock().now() + DAY;
    shop.clock.set(later);
    for id in complaints {
        ingest(engine, &complaint(&id, later)).unwrap();
    }
}

fn compared(shop: &Shop) -> Comparison {
    compare(&shop.sources(), 0, &mut |_| ()).unwrap()
}

#[test]
fn a_challenger_answers_every_decision_and_changes_none() {
    let shop = Shop::new();
    shop.import_history();
    let (champion, challenger) = (trained(&shop, 60), trained(&shop, 30));
    let engine = shop.open();
    engine
        .controls_now(champion.controls.clone(), "ann")
        .unwrap();
    let at = START + days(61);
    let alone = decide(&engine, &order("alone", "a", 190.0, at))
        .unwrap()
        .decision;
    assert_eq!(alone.layers[1].members.len(), 1);

    challenge(&engine, &challenger.models[0].version);
    let both = decide(&engine, &order("both", "b", 190.0, at))
        .unwrap()
        .decision;
    let members = &both.layers[1].members;
    let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).collect();
    assert_eq!(names, ["boosted", "boosted@challenger"]);
    assert_eq!(members[1].version, challenger.models[0].version);
    assert_eq!(
        (both.probability, both.score, &both.action),
        (alone.probability, alone.score, &alone.action),
        "it has no vote"
    );
    let explained = engine.explain("orders:both").unwrap().explanation;
    let weights: Vec<f64> = explained.models.iter().map(|model| model.weight).collect();
    assert_eq!(weights, [1.0, 0.0]);
    assert!(
        explained
            .models
            .iter()
            .all(|model| model.additivity.as_ref().unwrap().holds)
    );

    let out = Control::Withdraw {
        use_case: "orders".into(),
        member: "boosted@challenger".into(),
    };
    engine.control_now(out.clone(), "ann").unwrap();
    let gone = decide(&engine, &order("gone", "c", 190.0, at))
        .unwrap()
        .decision;
    assert_eq!(gone.layers[1].members.len(), 1);
    let refused = engine.control_now(out, "ann").unwrap_err().to_string();
    assert!(refused.contains("nothing to withdraw"), "{refused}");
    engine.close().unwrap();
    assert_replays(&shop.sources(), 3);
}

#[test]
fn both_are_compared_on_the_same_stream_and_again_after_a_restart() {
    let shop = Shop::with(&[
        ("models:\n", WEAK),
        ("run: [boosted]", "run: [boosted, weak]"),
    ]);
    shop.import_history();
    let champion = trained(&shop, 60);
    let engine = shop.open();
    engine
        .controls_now(champion.controls.clone(), "ann")
        .unwrap();
    let early = trained(&shop, 30);
    challenge(&engine, &early.models[1].version);
    stream(&engine, &shop, "first", 100);
    drop(engine);

    let engine = shop.open();
    stream(&engine, &shop, "second", 100);
    // Time passes, so that what was not complained about is known to be good.
    let later = engine.clock().now() + days(4);
    shop.clock.set(later);
    decide(&engine, &order("last", "z", 20.0, later)).unwrap();
    let live = engine.compare("orders").unwrap();
    engine.close().unwrap();
    let found = compared(&shop);
    assert_eq!(
        serde_json::to_value(&found).unwrap(),
        serde_json::to_value(&live).unwrap(),
        "the log is all that is read"
    );
    let [shadow, pair] = found.pairs.as_slice() else {
        panic!("a shadow and a challenger: {found:?}")
    };
    assert_eq!(
        (pair.decisions, pair.rows, pair.positives, pair.hidden),
        (201, 200, 40, 0)
    );
    assert_eq!(pair.champion.name, "boosted");
    assert_eq!(pair.challenger.name, "boosted@challenger");
    assert_eq!(pair.challenger.version, early.models[1].version);
    for side in [&pair.champion, &pair.challenger] {
        assert!(side.average_precision.unwrap() > 0.9, "{side:?}");
        let counted: usize = side
            .actions
            .iter()
            .map(|line| line.positive + line.negative)
            .sum();
        assert_eq!(counted, 200);
    }
    // What the champion would have done is what was done, and both are worth something.
    let done = found.pairs[1].champion.actions.iter().skip(1);
    let alerts: usize = done.map(|line| line.positive + line.negative).sum();
    assert_eq!(pair.alert_rate, Some(alerts as f64 / 200.0));
    assert_eq!(pair.champion.recall, Some(1.0), "{:?}", pair.champion);
    assert_eq!(pair.champion.recall_at_alert_rate, Some(1.0));
    assert!(
        pair.champion.value.unwrap().minor < 0,
        "reviews cost something"
    );

    assert_eq!(
        (
            shadow.champion.name.as_str(),
            shadow.challenger.name.as_str()
        ),
        ("the vote", "weak")
    );
    assert_eq!(shadow.rows, 200);
    assert!(
        shadow.challenger.average_precision < shadow.champion.average_precision,
        "{shadow:?}"
    );
    assert_replays(&shop.sources(), 201);
}

#[test]
fn a_whole_ensemble_challenges_another_and_is_promoted() {
    let shop = stacked();
    shop.import_history();
    let (champion, other) = (trained(&shop, 60), trained(&shop, 30));
    let engine = shop.open();
    engine
        .controls_now(champion.controls.clone(), "ann")
        .unwrap();
    let beside = |name: &str, at: usize| {
        let version = Some(other.models[at].version.as_str());
        engine.deploy("orders", name, version, true, "ann").unwrap();
    };
    let at = START + days(61);
    let alone = decide(&engine, &order("alone", "a", 190.0, at))
        .unwrap()
        .decision;

    // The ensemble by itself first: it combines what the champion's members say.
    beside("ensemble", 2);
    let both = decide(&engine, &order("both", "b", 190.0, at))
        .unwrap()
        .decision;
    assert_eq!(
        (&both.probability, &both.action, &both.ensemble),
        (&alone.probability, &alone.action, &alone.ensemble),
        "it has no vote"
    );
    let report = |decision: &acumen_base::Decision| {
        let mut members = decision.layers.iter().flat_map(|layer| &layer.members);
        let report = members.find(|member| member.name == "ensemble@challenger");
        report.cloned().unwrap()
    };
    assert_eq!(report(&both).version, other.models[2].version);
    let borrowed = report(&both).answer.unwrap();

    // With its own members beside it, it says what it will say once all of them are live.
    beside("boosted", 0);
    beside("amounts", 1);
    let own = decide(&engine, &order("own", "c", 190.0, at))
        .unwrap()
        .decision;
    assert_eq!(own.probability, alone.probability);
    let said = report(&own).answer.unwrap();
    assert_ne!(said, borrowed);
    let explained = engine.explain("orders:own").unwrap().explanation;
    assert!(
        explained
            .models
            .iter()
            .all(|model| model.name != "ensemble@challenger"),
        "its attributions are those of its members"
    );
    stream(&engine, &shop, "streamed", 100);
    let later = engine.clock().now() + days(4);
    shop.clock.set(later);
    decide(&engine, &order("last", "z", 20.0, later)).unwrap();
    let found = engine.compare("orders").unwrap();
    let names: Vec<(&str, &str)> = found
        .pairs
        .iter()
        .map(|pair| (pair.champion.name.as_str(), pair.challenger.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("boosted", "boosted@challenger"),
            ("amounts", "amounts@challenger"),
            ("ensemble", "ensemble@challenger")
        ]
    );
    let pair = &found.pairs[2];
    assert_eq!(pair.decisions, 103);
    assert_eq!(pair.champion.version, champion.models[2].version);
    assert_eq!(pair.challenger.version, other.models[2].version);
    assert!(pair.challenger.average_precision.unwrap() > 0.9, "{pair:?}");
    assert!(pair.challenger.recall.unwrap() > 0.9, "{pair:?}");
    engine.close().unwrap();
    drop(engine);

    let engine = shop.open();
    let challenger = |name: &str| engine.deploy("orders", name, None, false, "ann");
    for (at, name) in ["boosted", "amounts", "ensemble"].iter().enumerate() {
        let version = Some(other.models[at].version.as_str());
        engine
            .deploy("orders", name, version, false, "ann")
            .unwrap();
        challenger(name).unwrap();
    }
    let refused = challenger("ensemble").unwrap_err().to_string();
    assert!(refused.contains("nothing to withdraw"), "{refused}");
    let promoted = decide(&engine, &order("promoted", "d", 190.0, at))
        .unwrap()
        .decision;
    let ensemble = promoted.ensemble.clone().unwrap();
    assert_eq!(ensemble.version, other.models[2].version);
    assert_eq!(
        ensemble.answer.unwrap(),
        said,
        "what it said as a challenger"
    );
    engine.close().unwrap();
    assert_replays(&shop.sources(), 105);
}

#[test]
fn without_a_challenger_it_says_how_to_have_one() {
    let shop = Shop::new();
    shop.import_history();
    let engine = shop.open();
    engine
        .controls_now(trained(&shop, 60).controls, "ann")
        .unwrap();
    let found = engine.compare("orders").unwrap();
    assert!(found.pairs.is_empty());
    assert!(
        found
            .note
            .contains("acumen deploy orders MODEL VERSION --challenger"),
        "{}",
        found.note
    );
}
