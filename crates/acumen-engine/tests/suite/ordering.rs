//! A ranker: it learns from lists that were shown, goes live where it orders better, and is what
//! answers from then on.

use std::sync::Arc;

use acumen_base::{Clock, Control, Seed, Span};
use acumen_engine::{Engine, RankAnswer, RankRequest};
use acumen_model::Artifact;

use super::shop::ingest;
use super::wares::{Wares, asks, feedback, ids, rank, ware};

const DECLARED: (&str, &str) = (
    "  bandit: {algorithm: contextual_bandit}\n",
    "  bandit: {algorithm: contextual_bandit}\n  ranker: {algorithm: lambda_mart}\n",
);
const NAMED: (&str, &str) = ("ensemble:\n", "ensemble:\n  ranker: ranker\n");
const EXPLORING: (&str, &str) = ("explore: {epsilon: 5%}", "explore: {epsilon: 30%}");
const CALM: (&str, &str) = ("explore: {epsilon: 5%}", "explore: {epsilon: 0}");

/// What a ware is worth, as [`ware`] says.
fn worth(id: &str) -> u128 {
    1 + acumen_base::Key::of(id).0 % 9
}

/// Visitors look at so many lists; of those places that they look at, ever fewer further down, they
/// take what is worth much.
fn visits(engine: &Engine, clock: &acumen_base::ManualClock, lists: u32) {
    let draw = |what: String| Seed(11).unit(&what);
    for n in 0..lists {
        clock.set(clock.now() + Span(60_000));
        let now = clock.now();
        let list = rank(engine, &asks(&format!("c{}", n % 120))).unwrap();
        let mut lines = Vec::new();
        for item in &list.items {
            let on = |what: &str| {
                let id = format!("{what}-{}-{}", list.id, item.place);
                feedback(&id, (None, "v"), (&item.item, what), Some(&list.id), now)
            };
            lines.push(on("seen"));
            let looked_at = (item.place as f64).powf(-0.7);
            let likely = if worth(&item.item) > 6 { 0.8 } else { 0.05 };
            if draw(format!("{} {}", list.id, item.item)) < looked_at * likely {
                lines.push(on("click"));
            }
        }
        let sent = ingest(engine, &lines.join("\n")).unwrap();
        assert_eq!(sent.logged, lines.len() as u64, "{sent:?}");
    }
}

fn mean_worth(answer: &RankAnswer) -> f64 {
    let ids = ids(answer);
    ids.iter().map(|id| worth(id) as f64).sum::<f64>() / ids.len() as f64
}

fn explained(customer: &str) -> RankRequest {
    RankRequest {
        explain: true,
        ..asks(customer)
    }
}

#[test]
fn a_ranker_learns_from_lists_goes_live_and_answers_the_same_after_a_restart() {
    let mut wares = Wares::grown(&[DECLARED, NAMED, EXPLORING]);
    let trained = wares.train();
    let early = trained.ranking.unwrap().ranker.unwrap();
    assert_eq!((early.lists, early.version), (0, None));
    let why = early.held.unwrap();
    assert!(why.contains("200 are needed"), "{why}");

    let engine = wares.open();
    assert!(engine.readiness().unwrap().ready, "the weights order");
    visits(&engine, &wares.clock, 500);
    let status = engine.ranking("wares").unwrap();
    assert_eq!(status.ranker, None);
    let before = rank(&engine, &explained("c1")).unwrap();
    assert!(before.items[0].why.as_ref().unwrap().moved_by.is_empty());
    engine.close().unwrap();

    let trained = wares.train();
    let table = trained.ranking.clone().unwrap();
    let found = table.ranker.unwrap();
    let judged = found.judged.unwrap();
    assert!(judged.ndcg > judged.blend + 0.05, "{found:?}");
    assert!(found.held.is_none(), "{found:?}");
    let places = &found.examination;
    for (place, at_least, at_most) in [(0, 1.0, 1.0), (4, 0.2, 0.5), (9, 0.1, 0.35)] {
        assert!((at_least..=at_most).contains(&places[place]), "{places:?}");
    }
    let version = found.version.unwrap();
    let versions = trained.versions();
    assert!(versions.iter().any(|one| one.version == version));
    let again = acumen_engine::train(&wares.sources(), 0, None, &mut |_| ()).unwrap();
    assert_eq!(
        again.ranking, trained.ranking,
        "the same log, the same trees"
    );

    wares.redefine(&[DECLARED, NAMED, CALM]);
    let engine = wares.open();
    let status = engine.ranking("wares").unwrap();
    assert_eq!(status.ranker, Some(("ranker".to_owned(), version.clone())));
    let first = rank(&engine, &explained("c1")).unwrap();
    let line = |name: &str| first.sources.iter().find(|line| line.name == name).unwrap();
    assert_eq!(line("ranker").version.as_ref(), Some(&version));
    assert!(line("ranker").weight > 0.8 && line("bandit").weight > 0.0);
    assert_eq!(
        (line("next").status, line("next").weight),
        ("answered", 0.0)
    );
    assert!(mean_worth(&first) > mean_worth(&before) + 1.0, "{first:?}");
    engine.snapshot().unwrap();
    engine.close().unwrap();
    let engine = wares.open();
    let second = rank(&engine, &explained("c1")).unwrap();
    let scores = |answer: &RankAnswer| -> Vec<(Arc<str>, f32)> {
        let items = answer.items.iter();
        items
            .map(|item| (Arc::clone(&item.item), item.score))
            .collect()
    };
    assert_eq!(scores(&second), scores(&first));
    engine.close().unwrap();

    explains_what_was_logged(&wares, &second, &version);
}

/// What an answer says of its items is what its record says, and what the version makes of that.
fn explains_what_was_logged(wares: &Wares, answer: &RankAnswer, version: &str) {
    let artifact: Artifact = wares
        .sources()
        .store
        .get("wares", "ranker", version)
        .unwrap();
    let last = wares.listings().pop().unwrap();
    assert_eq!(last.id, answer.id);
    assert!(
        last.sources
            .contains(&("ranker".to_owned(), version.to_owned()))
    );
    let columns = &artifact.columns;
    let explainer = artifact.model.scorer();
    for (item, logged) in answer.items.iter().zip(&last.places) {
        assert_eq!(*item.item, *logged.item);
        let (_, known) = logged.context.split_last().unwrap();
        let why = item.why.as_ref().unwrap();
        assert!(
            !why.moved_by.is_empty() && why.words.contains("`ranker`"),
            "{why:?}"
        );
        assert!(why.words.contains(&why.moved_by[0].name), "{why:?}");
        let by = explainer.explain(known).contributions;
        for moved in &why.moved_by {
            let at = columns.position(&moved.name).unwrap();
            let same = moved.value == known[at] || moved.value.is_nan() && known[at].is_nan();
            assert!(same && moved.by == by[at] as f32, "{moved:?}");
        }
        let at = |name: &str| known[columns.position(name).unwrap()];
        assert_eq!(at("worth"), worth(&item.item) as f32);
        assert_eq!(
            (at("constant"), at("hour")),
            (1.0, f32::from(last.at.hour()))
        );
        assert!((0.0..=1.0).contains(&at("same.kind")) && at("age") > 60.0);
    }
    assert!(answer.items[0].why.as_ref().unwrap().because.len() <= 3);
}

#[test]
fn what_a_ranker_is_worth_is_told_from_the_log_before_it_orders() {
    let wares = Wares::grown(&[DECLARED, EXPLORING, ("weights: dynamic", "weights: fixed")]);
    wares.train();
    let engine = wares.open();
    visits(&engine, &wares.clock, 400);
    engine.close().unwrap();
    let trained = wares.train();
    let deploys = |control: &&Control| matches!(control, Control::Deploy { member, .. } if member == "ranker");
    assert_eq!(trained.controls.iter().filter(deploys).count(), 1);
    let engine = wares.open();
    // It is there, and orders nothing: no ensemble names it.
    assert_eq!(engine.ranking("wares").unwrap().ranker, None);
    let list = rank(&engine, &asks("c1")).unwrap();
    assert!(list.sources.iter().all(|line| line.name != "ranker"));
    visits(&engine, &wares.clock, 150);
    // Gone back on, the ranker is taken out and the sources are those of before.
    engine.close().unwrap();

    let judged = |changes: &[(&str, &str)]| wares.judged_as(changes).unwrap();
    let same = judged(&[]);
    assert!(same.lists == 551 && same.agrees > 0.99, "{same:?}");
    let off = (same.by_place.ips.value - same.by_place.logged.value).abs();
    assert!(off < 1e-9, "{same:?}");
    let ordered = judged(&[NAMED]);
    let gained = ordered.by_place.snips.value - ordered.by_place.logged.value;
    assert!(gained > 0.01, "{ordered:?}");
    // Without the model, nothing else is remembered: such a declaration can be judged, too.
    assert!(judged(&[(DECLARED.1, DECLARED.0)]).agrees > 0.99);

    let engine = wares.open();
    let back = engine.roll_back("wares", "ann").unwrap();
    let withdrawn = |control: &Control| matches!(control, Control::Withdraw { member, .. } if member == "ranker");
    assert!(back.iter().any(withdrawn), "{back:?}");
    engine.close().unwrap();
}

#[test]
fn lists_of_another_declaration_are_not_learnt_from() {
    let mut wares = Wares::grown(&[DECLARED, NAMED, EXPLORING]);
    wares.train();
    let engine = wares.open();
    visits(&engine, &wares.clock, 230);
    engine.close().unwrap();
    let found = |wares: &Wares| wares.train().ranking.unwrap().ranker.unwrap();
    let live = found(&wares);
    assert!(live.lists == 230 && live.version.is_some(), "{live:?}");
    let fewer = (
        "attributes: [kind, maker, title]",
        "attributes: [maker, kind, title]",
    );
    wares.redefine(&[DECLARED, NAMED, EXPLORING, fewer]);
    assert_eq!(found(&wares).lists, 0);
    let engine = wares.open();
    let list = rank(&engine, &asks("c1")).unwrap();
    assert!(list.items.len() == 10 && list.sources.iter().all(|line| line.name != "ranker"));
    // A ware of which nothing but its name is known is no reason to stumble.
    let now = engine.clock().now();
    let line = feedback("x", (Some("c1"), "v"), ("w-unknown", "click"), None, now);
    assert_eq!(ingest(&engine, &line).unwrap().logged, 1);
    assert_eq!(
        ingest(&engine, &ware("new5", 5, 1, 2, now)).unwrap().logged,
        1
    );
    assert_eq!(rank(&engine, &explained("c1")).unwrap().items.len(), 10);
    engine.close().unwrap();
}
