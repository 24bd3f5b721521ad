//! Events and decisions while the engine runs.

use proptest::prelude::*;

use super::shop::{
    DAY, HOUR, START, Shop, assert_replays, bits, column, complaint, days, decide, ingest, order,
};
use acumen_engine::Refusal;

#[test]
fn the_same_event_gives_the_same_decision_and_another_body_is_a_conflict() {
    let shop = Shop::new();
    let engine = shop.open();
    let body = order("a", "c1", 20.0, START);
    let first = decide(&engine, &body).unwrap();
    assert!(!first.repeated && first.durable);
    assert_eq!(
        first.decision.action, "review",
        "nothing is deployed: the fallback"
    );
    shop.clock.set(START + HOUR);
    let again = decide(&engine, &body).unwrap();
    assert!(again.repeated && again.durable);
    assert_eq!(bits(&again.decision), bits(&first.decision));
    let refused = decide(&engine, &order("a", "c1", 21.0, START)).unwrap_err();
    assert!(
        matches!(&refused, Refusal::Conflict { id, position: 0 } if id == "a"),
        "{refused}"
    );
    assert_eq!(
        bits(&engine.decision("orders:a").unwrap()),
        bits(&first.decision)
    );
    assert_eq!(engine.ask(|_, log| log.next_position()).unwrap(), 2);
    engine.close().unwrap();
    assert_replays(&shop.sources(), 1);
}

#[test]
fn eight_threads_that_ask_at_once_get_one_decision() {
    let shop = Shop::new();
    let engine = shop.open();
    let body = order("a", "c1", 20.0, START);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let ask = || decide(&engine, &body).unwrap();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(answers.iter().filter(|answer| !answer.repeated).count(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| bits(&answer.decision) == bits(&answers[0].decision))
    );
    assert_eq!(
        engine.ask(|core, _| core.next).unwrap(),
        2,
        "one event and one decision"
    );
}

/// What the threads ask for: for each, the keys of its requests in order.
fn requests() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let keys = prop::collection::vec(0..3_u8, 1..20);
    prop::collection::vec(keys, 2..9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn checks_and_adds_of_one_key_never_overlap(requests in requests()) {
        let shop = Shop::new();
        let engine = shop.open();
        let seen: Vec<(u8, u64)> = std::thread::scope(|scope| {
            let (engine, shop) = (&engine, &shop);
            let ask = |thread: usize, keys: &[u8]| -> Vec<(u8, u64)> {
                let ask = |(n, key): (usize, &u8)| {
                    let (id, customer) = (format!("{thread}-{n}"), format!("c{key}"));
                    let decision = decide(engine, &order(&id, &customer, 1.0, START)).unwrap().decision;
                    (*key, column(shop, &decision, "orders.count_1h") as u64)
                };
                keys.iter().enumerate().map(ask).collect()
            };
            let threads = requests.iter().enumerate();
            let threads: Vec<_> = threads
                .map(|(i, keys)| scope.spawn(move || ask(i, keys)))
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        for key in 0..3 {
            let of_key = seen.iter().filter(|(of, _)| *of == key);
            let mut counts: Vec<u64> = of_key.map(|(_, count)| *count).collect();
            counts.sort_unstable();
            let expected: Vec<u64> = (1..=counts.len() as u64).collect();
            prop_assert_eq!(counts, expected, "no gap and no duplicate");
        }
        engine.close().unwrap();
        assert_replays(&shop.sources(), seen.len() as u64);
    }
}

#[test]
fn late_events_are_logged_and_counted_and_not_applied() {
    let shop = Shop::new();
    shop.clock.set(START + days(10));
    let engine = shop.open();
    let late = order("late", "c1", 500.0, START + days(8));
    let ingested = ingest(&engine, &late).unwrap();
    assert_eq!((ingested.logged, ingested.too_late), (0, 1));
    assert_eq!(ingest(&engine, &late).unwrap().repeated, 1);
    let now = order("now", "c1", 10.0, START + days(10));
    let decision = decide(&engine, &now).unwrap().decision;
    assert_eq!(column(&shop, &decision, "orders.count_7d"), 1.0);
    assert_eq!(column(&shop, &decision, "orders.sum_7d"), 10.0);
    let metrics = engine.metrics().text();
    assert!(
        metrics.contains("acumen_events_too_late_total{kind=\"order\"} 1"),
        "{metrics}"
    );
    let in_time = order("in-time", "c1", 7.0, START + days(10) - HOUR);
    assert_eq!(ingest(&engine, &in_time).unwrap().logged, 1);
    let next = order("next", "c1", 1.0, START + days(10));
    let decision = decide(&engine, &next).unwrap().decision;
    assert_eq!(column(&shop, &decision, "orders.sum_7d"), 18.0);
    engine.close().unwrap();
    assert_replays(&shop.sources(), 2);
}

#[test]
fn an_event_is_decided_on_from_the_row_at_its_own_place() {
    let shop = Shop::new();
    let engine = shop.open();
    let body = order("a", "c1", 20.0, START);
    ingest(&engine, &body).unwrap();
    ingest(&engine, &order("b", "c1", 30.0, START)).unwrap();
    let decision = decide(&engine, &body).unwrap().decision;
    assert_eq!(
        column(&shop, &decision, "orders.sum_1h"),
        20.0,
        "b stands behind a"
    );
    assert_eq!(decision.position, 0);
    let decision = decide(&engine, &order("b", "c1", 30.0, START))
        .unwrap()
        .decision;
    assert_eq!(column(&shop, &decision, "orders.sum_1h"), 50.0);
    engine.close().unwrap();
    assert_replays(&shop.sources(), 2);
}

#[test]
fn good_records_beside_bad_ones_are_taken_and_the_bad_are_kept() {
    let shop = Shop::new();
    let engine = shop.open();
    let good = order("a", "c1", 20.0, START);
    let bad = order("b", "c1", 20.0, START).replace("amount\":{", "amuont\":{");
    let body = format!("{good}\n{bad}\nnot json\n{}\n", complaint("a", START));
    let ingested = ingest(&engine, &body).unwrap();
    assert_eq!((ingested.logged, ingested.refused.len()), (2, 2));
    let lines: Vec<usize> = ingested
        .refused
        .iter()
        .map(|refused| refused.line)
        .collect();
    assert_eq!(lines, [2, 3]);
    assert!(
        ingested.refused[0]
            .problem
            .contains("did you mean `amount`"),
        "{ingested:?}"
    );
    let kept = engine.quarantined(0, 10).unwrap();
    assert_eq!(kept.len(), 2);
    assert_eq!(kept[0].original, bad.as_bytes());
    let id = ingested.refused[0].quarantine.unwrap();
    assert_eq!(engine.quarantined_one(id).unwrap().original, bad.as_bytes());
    engine.resolve_quarantined(id).unwrap();
    assert_eq!(engine.quarantined(0, 10).unwrap().len(), 1);
    assert!(matches!(
        engine.quarantined_one(id),
        Err(Refusal::NotFound { .. })
    ));
    engine.close().unwrap();
    assert_eq!(
        shop.open().quarantined(0, 10).unwrap().len(),
        1,
        "quarantine outlives a restart"
    );
}

#[test]
fn what_is_asked_for_by_a_wrong_name_names_the_right_one() {
    let shop = Shop::new();
    let engine = shop.open();
    decide(&engine, &order("a", "c1", 20.0, START)).unwrap();
    let help = |refused: Refusal| match refused {
        Refusal::NotFound { what } => what,
        other => panic!("{other}"),
    };
    let refused = help(engine.entity("ordres", "customer", "c1").unwrap_err());
    assert!(refused.contains("did you mean `orders`?"), "{refused}");
    let refused = help(engine.entity("orders", "custommer", "c1").unwrap_err());
    assert!(refused.contains("did you mean `customer`?"), "{refused}");
    assert!(help(engine.decision("orders:b").unwrap_err()).contains("orders:b"));
    assert!(help(engine.decision("a").unwrap_err()).contains("use-case:event-id"));
}

#[test]
fn an_entity_shows_its_features_as_they_are_now() {
    let shop = Shop::new();
    let engine = shop.open();
    decide(&engine, &order("a", "c1", 20.0, START)).unwrap();
    shop.clock.set(START + HOUR + HOUR);
    let values = engine.entity("orders", "customer", "c1").unwrap();
    let value = |name: &str| values.iter().find(|value| value.column == name).unwrap();
    assert_eq!(value("orders.count_1h").value, 0.0, "an hour has passed");
    assert_eq!(value("orders.sum_24h").value, 20.0);
    assert_eq!(
        value("orders.sum_24h").age,
        Some(acumen_base::Span(2 * HOUR.0))
    );
}

#[test]
fn the_status_counts_what_was_decided_and_what_it_was_worth() {
    let shop = Shop::new();
    let engine = shop.open();
    decide(&engine, &order("a", "c1", 20.0, START)).unwrap();
    decide(&engine, &order("b", "c1", 20.0, START)).unwrap();
    shop.clock.set(START + DAY);
    ingest(&engine, &complaint("a", START + DAY)).unwrap();
    let status = &engine.status().unwrap().use_cases[0];
    assert_eq!(
        status.actions,
        [("ship".to_owned(), 0), ("review".to_owned(), 2)]
    );
    assert_eq!(status.latest[0].event_id, "b");
    let money = status.money.as_ref().unwrap();
    assert_eq!((money.baseline.as_str(), money.open), ("ship", 1));
    assert_eq!(
        money.saved.to_string(),
        "18.00 EUR",
        "20 kept, 2 for the review"
    );
}

#[test]
fn a_use_case_takes_its_own_event_only() {
    let shop = Shop::new();
    let engine = shop.open();
    let refused = decide(&engine, &complaint("a", START)).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("decides on `order`, not on `complaint`"),
        "{refused}"
    );
    assert_eq!(engine.ask(|core, _| core.next).unwrap(), 0);
}
