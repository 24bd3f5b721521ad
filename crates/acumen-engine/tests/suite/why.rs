//! Explanations beyond the record: what would have changed it, ages, sources, neighbours, and what
//! the person concerned is told.

use std::sync::Arc;

use acumen_base::{Span, Time};
use acumen_engine::why::{Reread, why};
use acumen_engine::{Engine, train};
use acumen_event::DecodeLimits;

use super::shop::{HOUR, START, Shop, complaint, days, decide, order};

const EXPLAINED: (&str, &str) = (
    "training: {training_data: last_90_days}",
    "training: {training_data: last_90_days}\nexplain:\n  actionable: [order_itself.amount]\n  says: {order_itself.amount: The order is unusually large, orders: The customer ordered a lot}",
);

/// Orders that share a device; how often a device was used is gathered from it.
const SHARED: [(&str, &str); 3] = [
    (
        "entities: {customer: customer_id}",
        "entities: {customer: customer_id, channel: channel}",
    ),
    (
        "  quiet_for: {operator: since_last, of: order, by: customer}",
        "  use: {of: order.amount, by: channel, window: [1h], aggregations: [count]}\n  circle: {operator: neighbours, of: order, path: [customer, channel], last: 3, gather: [use]}",
    ),
    (
        "models:\n  boosted: {algorithm: xgboost, n_estimators: 25, max_depth: 3}",
        "models:\n  boosted: {algorithm: xgboost, n_estimators: 25, max_depth: 3, features: [circle]}",
    ),
];

fn trained(shop: &Shop) -> Engine {
    shop.import_history();
    deployed(shop)
}

fn deployed(shop: &Shop) -> Engine {
    let trained = train(&shop.sources(), 0, None, &mut |_| ()).unwrap();
    let engine = shop.open();
    engine.controls_now(trained.controls, "ann").unwrap();
    engine
}

#[test]
fn the_smallest_change_is_found_and_decides_otherwise() {
    let shop = Shop::with(&[EXPLAINED]);
    let engine = trained(&shop);
    let at = START + days(61);
    decide(&engine, &order("first", "new", 10.0, at - HOUR)).unwrap();
    let decision = decide(&engine, &order("dear", "new", 200.0, at))
        .unwrap()
        .decision;
    assert_eq!(decision.action, "review");
    let found = engine.explain("orders:dear").unwrap();
    let what_if = &found.what_if;
    assert_eq!(what_if.action.as_deref(), Some("ship"), "{what_if:?}");
    let [change] = what_if.changes.as_slice() else {
        panic!("one column is enough: {what_if:?}")
    };
    assert_eq!(
        (change.column.as_str(), change.from),
        ("order_itself.amount", Some(200.0))
    );
    assert!(change.to < 200.0 && what_if.evaluated <= 40, "{what_if:?}");
    assert!(what_if.text.contains("instead of 200"), "{}", what_if.text);
    // Decided again on the changed row by hand, it is what the answer says, and nothing that
    // training met between the two is enough.
    let plan = &shop.plan.use_cases[0];
    let place = plan.columns.position("order_itself.amount").unwrap();
    let state = engine.ask(|core, _| core.live[0].state.clone()).unwrap();
    let action = |amount: f64| {
        let mut record = (*decision).clone();
        record.row[place] = amount;
        let row = acumen_base::Row {
            columns: plan.columns.clone(),
            values: record.row.clone().into(),
            at: record.event_time,
            position: record.position,
        };
        let event = acumen_engine::history::row_at(&shop.sources(), 0, record.position);
        plan.policy
            .replay(&record, &event.unwrap().event, &row, &state)
            .action
    };
    assert_eq!(action(change.to), "ship");
    assert_eq!(action(200.0), "review");
}

#[test]
fn nothing_is_searched_that_was_not_declared_or_needs_no_change() {
    let shop = Shop::new();
    let engine = trained(&shop);
    let at = START + days(61);
    decide(&engine, &order("dear", "new", 200.0, at)).unwrap();
    let text = engine.explain("orders:dear").unwrap().what_if.text;
    assert!(text.contains("declare `explain: {actionable:"), "{text}");
    decide(&engine, &order("cheap", "newer", 10.0, at)).unwrap();
    let what_if = engine.explain("orders:cheap").unwrap().what_if;
    assert!(what_if.text.contains("nothing milder") && what_if.evaluated == 0);
}

#[test]
fn columns_come_with_their_age_their_source_and_words_for_the_person() {
    let shop = Shop::with(&[EXPLAINED]);
    let engine = trained(&shop);
    let at = START + days(61);
    decide(
        &engine,
        &order("first", "new", 10.0, at - Span(90 * 60_000)),
    )
    .unwrap();
    decide(&engine, &order("dear", "new", 200.0, at)).unwrap();
    // What comes later is not what was decided on.
    decide(&engine, &order("later", "new", 30.0, at)).unwrap();
    let live = engine.explain("orders:dear").unwrap();
    assert_eq!(live.missing, "");
    let line = |column: &str| {
        let line = live.features.iter().find(|line| line.column == column);
        line.unwrap_or_else(|| panic!("no {column}: {:?}", live.features))
    };
    assert_eq!(line("order_itself.amount").age_ms, Some(0));
    assert_eq!(line("order_itself.amount").source.operator, "fields");
    let moved = live
        .features
        .iter()
        .find(|line| line.source.feature == "orders");
    let moved = moved.expect("some window moved it");
    let source = &moved.source;
    assert_eq!(
        (source.operator.as_str(), source.of.as_str()),
        ("aggregate", "order.amount")
    );
    assert_eq!(source.by, "customer");
    assert!(
        ["1h", "24h", "7d"].contains(&source.window.as_str()),
        "{source:?}"
    );
    // The order itself is in its windows: what the window holds is as young as it.
    assert!(
        [Some(0), Some(90 * 60_000)].contains(&moved.age_ms),
        "{moved:?}"
    );

    let told: Vec<&str> = live.told.iter().map(|told| told.text.as_str()).collect();
    assert!(told.contains(&"The order is unusually large"), "{told:?}");
    assert!(
        told.iter().all(|text| !text.contains(char::is_numeric)),
        "{told:?}"
    );
    assert_eq!(
        told.len(),
        told.iter().collect::<std::collections::BTreeSet<_>>().len()
    );

    engine.close().unwrap();
    drop(engine);
    // After a restart, and by the log alone, it is the same explanation.
    let engine = shop.open();
    let again = engine.explain("orders:dear").unwrap();
    let json = |why: &acumen_engine::why::Why| serde_json::to_value(why).unwrap();
    assert_eq!(json(&again), json(&live));
}

#[test]
fn what_takes_too_long_to_read_again_is_said() {
    let shop = Shop::with(&[EXPLAINED]);
    let engine = trained(&shop);
    let decision = decide(&engine, &order("dear", "new", 200.0, START + days(61)));
    let decision = decision.unwrap().decision;
    let state = engine.ask(|core, _| core.live[0].state.clone()).unwrap();
    engine.close().unwrap();
    let sources = shop.sources();
    let from = acumen_engine::history::row_at(&sources, 0, decision.position).unwrap();
    let explained = |reread| why(&sources, 0, &decision, (&from.event, &state), reread).unwrap();
    let short = explained(Reread::AtMost(10));
    assert!(
        short.missing.contains("`acumen explain` reads them all"),
        "{}",
        short.missing
    );
    assert!(
        short
            .features
            .iter()
            .all(|line| line.source.operator == "fields" || line.age_ms.is_none())
    );
    assert_eq!(explained(Reread::Any).missing, "");
}

/// Orders two hours apart; every fourth time five customers use one channel within minutes, and
/// all of those complain.
fn import_bursts(shop: &Shop) {
    let mut events = Vec::new();
    let mut place = |id: String, channel: &str, at: Time, complains: bool| {
        let body = order(&id, &format!("c-{id}"), 20.0, at).replace("web", channel);
        events.push((at, body));
        if complains {
            events.push((at + days(1), complaint(&id, at + days(1))));
        }
    };
    for i in 0..600_i64 {
        let at = Time(START.0 + 2 * i * HOUR.0);
        match i % 4 {
            0 => (0..5).for_each(|k| {
                let at = at + Span(k * 60_000);
                place(format!("{i}-{k}"), &format!("shared-{i}"), at, true);
            }),
            _ => place(format!("{i}"), &format!("own-{i}"), at, false),
        }
    }
    events.sort_by_key(|(known_at, _)| *known_at);
    let mut offline = shop.offline();
    for (known_at, json) in &events {
        let (decoder, limits) = (&shop.plan.decoder, DecodeLimits::default());
        let event = decoder.decode_json(json.as_bytes(), None, *known_at, &limits);
        offline.import(&Arc::new(event.unwrap())).unwrap();
    }
    offline.close().unwrap();
    shop.clock.set(START + days(61));
}

#[test]
fn the_neighbours_that_raised_the_score_are_named() {
    let shop = Shop::with(&SHARED);
    import_bursts(&shop);
    let engine = deployed(&shop);
    let at = START + days(61);
    let placed = |id: &str, customer: &str, channel: &str, minutes: i64| {
        let body = order(id, customer, 20.0, at + Span(minutes * 60_000));
        let body = body.replace("web", channel);
        decide(&engine, &body).unwrap().decision
    };
    for i in 0..4 {
        placed(&format!("other-{i}"), &format!("o{i}"), "phone", i);
    }
    placed("mine", "me", "letter", 3);
    let decision = placed("again", "me", "phone", 4);
    // What comes later is not gathered.
    placed("later", "o9", "phone", 4);
    assert_eq!(
        super::shop::column(&shop, &decision, "circle.max.use.count_1h"),
        4.0,
        "as it stood before the order"
    );
    let found = engine.explain("orders:again").unwrap();
    let [circle] = found.neighbourhoods.as_slice() else {
        panic!("one feature gathers, and it raised the score: {found:?}")
    };
    assert!(
        circle
            .raised_by
            .iter()
            .any(|column| column.contains("use.count_1h"))
    );
    let neighbours = circle.neighbours.iter();
    let keys: Vec<_> = neighbours.map(|one| one.key.as_deref()).collect();
    assert_eq!(keys, [Some("phone"), Some("letter")]);
    assert_eq!(circle.neighbours[0].gathered[0].1, Some(4.0));
    assert_eq!((circle.reached, circle.neighbours[0].hop), (2, 1));
}
