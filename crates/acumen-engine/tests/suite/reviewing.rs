//! Cases, what people find about them, and how rules fare, across a restart.

use std::sync::mpsc::channel;

use acumen_base::decision::{Firing, RuleMode};
use acumen_base::outcome::Truth;
use acumen_base::{Control, Time};
use acumen_engine::{
    BacktestQuery, CaseOrder, CaseState, Disposed, Engine, Finding, Refusal, RuleStatus, Wanted,
    rows,
};

use super::shop::{
    DAY, HOUR, START, Shop, assert_replays, column, complaint, days, decide, ingest, order,
};

/// Reviews hide the truth, and are looked at.
const REVIEWED: [(&str, &str); 3] = [
    ("closes: 10d}", "closes: 10d, hidden_by: review}"),
    (
        "fallback: review",
        "fallback: review\nreview: {actions: [review]}",
    ),
    (
        "  quiet_for:",
        "  bad: {operator: share, of: outcome, by: customer, window: all}\n  run: {operator: run_length, of: outcome, by: customer}\n  quiet_for:",
    ),
];

fn finding(positive: bool, by: &str) -> Finding {
    Finding {
        positive,
        by: by.to_owned(),
        note: positive.then(|| "called the customer".to_owned()),
    }
}

fn dispose(engine: &Engine, id: &str, finding: Finding) -> Result<Disposed, Refusal> {
    let (sender, receiver) = channel();
    engine.dispose(
        id,
        finding,
        Box::new(move |answer| drop(sender.send(answer))),
    );
    receiver.recv().unwrap()
}

fn open(engine: &Engine, order: CaseOrder) -> Vec<String> {
    let found = engine.cases("orders", CaseState::Open, order, 100).unwrap();
    assert_eq!(found.count, found.cases.len());
    found.cases.into_iter().map(|case| case.event_id).collect()
}

#[test]
fn a_finding_is_the_outcome_in_features_training_and_money() {
    let shop = Shop::with(&REVIEWED);
    let engine = shop.open();
    for (id, customer, amount) in [("a", "c1", 50.0), ("b", "c1", 90.0), ("c", "c2", 20.0)] {
        decide(&engine, &order(id, customer, amount, START)).unwrap();
    }
    assert_eq!(open(&engine, CaseOrder::Newest), ["c", "b", "a"]);
    assert_eq!(open(&engine, CaseOrder::Value), ["b", "a", "c"]);

    shop.clock.set(START + HOUR);
    let first = dispose(&engine, "orders:a", finding(false, "ann")).unwrap();
    assert!(!first.repeated);
    let again = dispose(&engine, "orders:a", finding(false, "bob")).unwrap();
    assert_eq!((again.position, again.repeated), (first.position, true));
    dispose(&engine, "orders:b", finding(true, "ann")).unwrap();
    assert_eq!(open(&engine, CaseOrder::Newest), ["c"]);

    // The state is the same from a snapshot and from the log alone.
    engine.close().unwrap();
    for with_snapshot in [true, false] {
        if !with_snapshot {
            std::fs::remove_dir_all(shop.folder().snapshots()).unwrap();
        }
        let engine = shop.open();
        assert_eq!(open(&engine, CaseOrder::Newest), ["c"]);
        let totals = engine
            .ask(|core, _| core.live[0].ledger.as_ref().unwrap().totals().clone())
            .unwrap();
        // Both were reviewed for 2: one order of 90 was saved.
        assert_eq!((totals.settled, totals.open), (2, 1));
        assert_eq!(totals.saved().to_string(), "86.00 EUR");
        drop(engine);
    }
    let engine = shop.open();
    let again = dispose(&engine, "orders:a", finding(false, "ann")).unwrap();
    assert!(again.repeated, "after a restart, too");

    // Features see what was found, training may learn from it before `negative_after`.
    let next = decide(&engine, &order("d", "c1", 5.0, START + HOUR))
        .unwrap()
        .decision;
    assert_eq!(column(&shop, &next, "bad.share_all"), 0.5);
    assert_eq!(column(&shop, &next, "run.events"), 1.0);
    let wanted = Wanted {
        from: Time::EARLIEST,
        to: Time::LATEST,
        as_of: None,
        sample: None,
    };
    let all = rows(&shop.sources(), 0, wanted, &mut |_| ()).unwrap();
    let (negative, positive) = (Truth::Negative, Truth::Positive);
    assert_eq!(all.truth, [negative, positive, Truth::Open, Truth::Open]);
    assert_eq!(all.weight, [1.0, 1.0, 0.0, 0.0]);
    assert_eq!(all.mature(), [0, 1]);

    // A different finding supersedes, and both stay on record.
    shop.clock.set(START + HOUR + HOUR);
    let superseding = dispose(&engine, "orders:b", finding(false, "bob")).unwrap();
    assert!(!superseding.repeated);
    let (case, found) = engine.case("orders:b").unwrap();
    assert_eq!(case.positive, Some(false));
    let told: Vec<(bool, &str)> = found
        .iter()
        .map(|found| (found.finding.positive, found.finding.by.as_str()))
        .collect();
    assert_eq!(told, [(true, "ann"), (false, "bob")]);
    assert_eq!(
        found[0].finding.note.as_deref(),
        Some("called the customer")
    );
    let next = decide(&engine, &order("e", "c1", 5.0, START + HOUR + HOUR))
        .unwrap()
        .decision;
    assert_eq!(column(&shop, &next, "bad.share_all"), 0.0);
    assert_eq!(column(&shop, &next, "run.events"), 0.0);
    let query = BacktestQuery {
        rule: "order.amount > money('40 EUR')".to_owned(),
        from: Time::EARLIEST,
        to: Time::LATEST,
        effect: None,
    };
    let hits = engine.backtest("orders", &query).unwrap().hits;
    assert_eq!((hits.all, hits.negative, hits.hidden), (2, 2, 0));
    engine.close().unwrap();
    assert_replays(&shop.sources(), 5);
}

#[test]
fn cases_that_are_not_there_and_findings_that_say_nothing_are_refused() {
    let shop = Shop::with(&REVIEWED);
    let engine = shop.open();
    decide(&engine, &order("a", "c1", 50.0, START)).unwrap();
    let missing = dispose(&engine, "orders:b", finding(true, "ann")).unwrap_err();
    assert!(
        missing.to_string().contains("decisions for review"),
        "{missing}"
    );
    let nobody = dispose(&engine, "orders:a", finding(true, " ")).unwrap_err();
    assert!(nobody.to_string().contains("say who found it"), "{nobody}");
    assert_eq!(open(&engine, CaseOrder::Newest), ["a"]);
    // When its outcome has closed, nothing that is said of it counts any more.
    shop.clock.set(START + days(12));
    ingest(&engine, &order("late", "c9", 1.0, START + days(12))).unwrap();
    assert!(dispose(&engine, "orders:a", finding(true, "ann")).is_err());
    let without = Shop::new();
    let engine = without.open();
    decide(&engine, &order("a", "c1", 50.0, START)).unwrap();
    let refused = dispose(&engine, "orders:a", finding(true, "ann")).unwrap_err();
    assert!(
        refused.to_string().contains("declares no `review`"),
        "{refused}"
    );
}

#[test]
fn a_declared_positive_event_closes_a_case_and_a_finding_may_correct_it() {
    let shop = Shop::with(&REVIEWED);
    let engine = shop.open();
    decide(&engine, &order("a", "c1", 50.0, START)).unwrap();
    shop.clock.set(START + HOUR);
    ingest(&engine, &complaint("a", START + HOUR)).unwrap();
    assert!(open(&engine, CaseOrder::Newest).is_empty());
    let disposed = dispose(&engine, "orders:a", finding(false, "ann")).unwrap();
    assert!(!disposed.repeated);
    let (case, found) = engine.case("orders:a").unwrap();
    assert_eq!((case.positive, found.len()), (Some(false), 1));
}

fn rule(engine: &Engine, id: &str) -> RuleStatus {
    let rules = engine.rules("orders").unwrap();
    rules.into_iter().find(|rule| rule.id == id).unwrap()
}

#[test]
fn rules_tell_how_they_fare_and_a_restart_changes_nothing() {
    let shop = Shop::with(&[
        (
            "lists: {watched: customer_id}",
            "lists: {watched: customer_id, trusted: customer_id}",
        ),
        (
            "many: {when: orders.count_1h > 50, effect: review, reason: Many orders within an hour}",
            "many: {when: orders.count_1h > 0, effect: review, reason: Many orders, mode: {roll_out: 50%, by: customer}, suppress: trusted}",
        ),
    ]);
    let engine = shop.open();
    let trusted = Control::ListAdd {
        list: "trusted".into(),
        ids: vec!["c0".into()],
        until: Some(START + HOUR),
    };
    engine.control_now(trusted, "ann").unwrap();
    let mut counts = [0; 3];
    let mut by_customer = std::collections::BTreeMap::new();
    for i in 0..60 {
        let customer = format!("c{}", i % 20);
        let at = START + acumen_base::Span(i * 120_000);
        shop.clock.set(at);
        let decision = decide(&engine, &order(&i.to_string(), &customer, 20.0, at))
            .unwrap()
            .decision;
        let firing = decision.rules[0].firing;
        counts[firing as usize] += 1;
        assert_eq!(firing == Firing::Suppressed, i == 0 || i == 20, "{i}");
        if firing != Firing::Suppressed {
            let before = by_customer.insert(customer, firing);
            assert!(
                before.is_none_or(|before| before == firing),
                "a customer is in or out"
            );
        }
    }
    let many = rule(&engine, "many");
    assert_eq!(
        many.mode,
        RuleMode::RollOut {
            per_million: 500_000
        }
    );
    let [acted, shadow, suppressed] = counts;
    assert!(acted > 5 && shadow > 5 && suppressed == 2, "{counts:?}");
    assert_eq!((many.firings.acted, many.firings.shadow), (acted, shadow));
    assert_eq!(
        (many.firings.suppressed, many.positive, many.precision),
        (suppressed, 0, None)
    );

    shop.clock.set(START + DAY);
    for id in ["1", "2", "3", "20"] {
        ingest(&engine, &complaint(id, START + DAY)).unwrap();
    }
    assert_eq!(
        (
            rule(&engine, "many").positive,
            rule(&engine, "many").negative
        ),
        (3, 0)
    );
    shop.clock.set(START + days(5));
    ingest(&engine, &order("later", "c1", 1.0, START + days(5))).unwrap();
    let many = rule(&engine, "many");
    assert_eq!((many.positive, many.negative), (3, 55));
    assert_eq!(many.precision, Some(3.0 / 58.0));
    // Reviewing 58 costs 2 each and saves three orders of 20.
    assert_eq!(many.saved.unwrap().to_string(), "-56.00 EUR");
    let told = engine.metrics_text();
    let line = "acumen_rule_hits_total{use_case=\"orders\",rule=\"many\",outcome=\"negative\"} 55";
    assert!(told.contains(line), "{told}");

    let before = engine.rules("orders").unwrap();
    engine.close().unwrap();
    assert_eq!(
        shop.open().rules("orders").unwrap(),
        before,
        "from a snapshot"
    );
    std::fs::remove_dir_all(shop.folder().snapshots()).unwrap();
    let engine = shop.open();
    assert_eq!(engine.rules("orders").unwrap(), before, "from the log");
    assert!(engine.metrics_text().contains(line));
    engine.close().unwrap();
    assert_replays(&shop.sources(), 60);
}
