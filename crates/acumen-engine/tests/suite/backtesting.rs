//! Rules that are tried out on the log.

use std::fs;
use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Clock, Deadline, ManualClock, Money, Seed, Time};
use acumen_engine::{
    Backtest, BacktestLimits, BacktestQuery, EngineError, Offline, Refusal, Wanted, backtest, rows,
};
use acumen_event::DecodeLimits;

use super::shop::{DAY, HOUR, START, Shop, complaint, days, decide, ingest, order};

fn query(rule: &str) -> BacktestQuery {
    BacktestQuery {
        rule: rule.to_owned(),
        from: Time::EARLIEST,
        to: Time::LATEST,
        effect: None,
    }
}

fn ask(shop: &Shop, query: &BacktestQuery) -> Result<Backtest, EngineError> {
    let limits = BacktestLimits::default();
    backtest(&shop.sources(), 0, query, &limits, &mut |_| ())
}

#[test]
fn counts_and_money_are_those_of_the_rows() {
    let shop = Shop::new();
    shop.import_history();
    let query = BacktestQuery {
        from: START + days(10),
        to: START + days(59),
        ..query("order.amount > money('150 EUR') && orders.count_7d > 3")
    };
    let found = ask(&shop, &query).unwrap();

    let wanted = Wanted {
        from: query.from,
        to: query.to,
        as_of: None,
        sample: None,
    };
    let all = rows(&shop.sources(), 0, wanted, &mut |_| ()).unwrap();
    let amounts = &all.data[all.columns.position("order_itself.amount").unwrap()];
    let counts = &all.data[all.columns.position("orders.count_7d").unwrap()];
    let hit = |i: &usize| amounts[*i] > 150.0 && counts[*i] > 3.0;
    let hits: Vec<usize> = (0..all.len()).filter(hit).collect();
    let of = |truth| hits.iter().filter(|&&i| all.truth[i] == truth).count() as u64;
    let (positive, negative) = (of(Truth::Positive), of(Truth::Negative));
    assert!(
        positive > 50 && negative > 10 && of(Truth::Open) > 0,
        "{found:?}"
    );
    assert_eq!(
        (found.rows, found.hits.all),
        (all.len() as u64, hits.len() as u64)
    );
    assert_eq!(
        (found.hits.positive, found.hits.negative),
        (positive, negative)
    );
    assert_eq!((found.hits.open, found.hits.hidden), (of(Truth::Open), 0));
    let positives = all
        .truth
        .iter()
        .filter(|truth| **truth == Truth::Positive)
        .count();
    assert_eq!(found.recall, Some(positive as f64 / positives as f64));
    assert_eq!(
        found.precision,
        Some(positive as f64 / (positive + negative) as f64)
    );
    assert_eq!(
        found.false_positive_ratio,
        Some(negative as f64 / positive as f64)
    );
    // Nothing was decided: orders were shipped, and what was complained about was lost. A review
    // costs 2 and saves it.
    let lost: f64 = hits
        .iter()
        .filter(|&&i| all.truth[i] == Truth::Positive)
        .map(|&i| amounts[i])
        .sum();
    let eur = |minor: f64| {
        Money::new(
            minor.round() as i64,
            shop.plan.use_cases[0].declared.currency,
        )
    };
    assert_eq!(found.positive_amount, Some(eur(lost * 100.0)));
    assert_eq!(
        found.gained,
        Some(eur((lost - 2.0 * (positive + negative) as f64) * 100.0))
    );
    assert_eq!(
        (found.effect.as_str(), found.changed),
        ("review", hits.len() as u64)
    );
    assert_eq!(found.warning, "");
}

#[test]
fn overlap_tells_rules_apart() {
    let shop = Shop::with(&[("orders.count_1h > 50", "orders.count_7d > 12")]);
    shop.import_history();
    let found = ask(&shop, &query("orders.count_7d > 10")).unwrap();
    let many = found
        .overlap
        .iter()
        .find(|overlap| overlap.rule == "many")
        .unwrap();
    assert!(many.both > 0 && many.only_new > 0, "{many:?}");
    assert_eq!(
        (many.only_old, many.both + many.only_new),
        (0, found.hits.all)
    );
    let listed = &found.overlap[0];
    assert_eq!((listed.both, listed.only_old), (0, 0), "nobody is watched");
}

#[test]
fn all_problems_are_reported_with_their_offsets() {
    let shop = Shop::new();
    shop.import_history();
    let wrong = BacktestQuery {
        effect: Some("reveiw".to_owned()),
        from: Time(5),
        to: Time(5),
        ..query("order.amuont > 3 && orders.count_2h > 1")
    };
    let error = ask(&shop, &wrong).unwrap_err();
    let EngineError::Rule(problems) = &error else {
        panic!("{error}")
    };
    let keys: Vec<&str> = problems
        .iter()
        .map(|problem| problem.key.as_str())
        .collect();
    assert_eq!(keys, ["from", "effect", "rule", "rule"]);
    assert_eq!((problems[2].offset, problems[3].offset), (0, 20));
    let text = error.to_string();
    for said in ["order.amount", "orders.count_1h", "`review`", "at byte 20"] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// Orders of some customers every minute, and complaints about a few of them.
fn import_many(shop: &Shop, offline: &mut Offline, range: std::ops::Range<i64>) {
    for i in range {
        let at = Time(START.0 + i * 60_000);
        let chance = |what: &str| Seed(3).derive(what).unit(&i.to_string());
        let customer = format!("c{}", (chance("customer") * 50.0) as u32);
        let mut give = |json: String| {
            let decoder = &shop.plan.decoder;
            let event = decoder.decode_json(json.as_bytes(), None, at, &DecodeLimits::default());
            offline.import(&Arc::new(event.unwrap())).unwrap();
        };
        give(order(
            &format!("o{i}"),
            &customer,
            5.0 + (chance("amount") * 90.0).floor(),
            at,
        ));
        if i > 2_000 && chance("complaint") < 0.1 {
            give(complaint(&format!("o{}", i - 1_500), at));
        }
    }
}

#[test]
fn what_is_kept_changes_no_answer() {
    let shop = Shop::new();
    let rules = [
        "orders.count_24h > 20",
        "order.amount > money('80 EUR') || orders.avg_7d > 55",
        "order.order_id == 'o77'",
        "order.channel == 'web' && quiet_for.seconds < 60",
    ];
    let everything = |shop: &Shop| -> Vec<Backtest> {
        rules
            .iter()
            .map(|rule| ask(shop, &query(rule)).unwrap())
            .collect()
    };
    let anew = |shop: &Shop| {
        fs::remove_dir_all(shop.folder().rows("orders")).unwrap();
        everything(shop)
    };
    // Few rows are not worth writing down, many are, and then only what is new is read.
    for (part, range) in [0..500, 500..17_000, 17_000..17_400, 17_400..34_500]
        .into_iter()
        .enumerate()
    {
        let mut offline = shop.offline();
        import_many(&shop, &mut offline, range.clone());
        offline.close().unwrap();
        let kept = everything(&shop);
        assert!(kept.iter().all(|found| found.rows == range.end as u64));
        let written = shop.folder().rows("orders").join("index").exists();
        assert_eq!(written, part > 0);
        if part == 3 {
            assert_eq!(kept, everything(&shop), "asked again");
            assert!(
                kept.iter()
                    .take(2)
                    .all(|found| found.hits.positive > 0 && found.hits.open > 0)
            );
            assert_eq!(kept[2].hits.all, 1);
            assert_eq!(kept, anew(&shop), "read from the log at once");
        }
    }
    // What is damaged or of another definition is read again.
    let whole = everything(&shop);
    for file in ["index", "state"] {
        fs::write(shop.folder().rows("orders").join(file), b"damaged").unwrap();
        let mut offline = shop.offline();
        let next = whole[0].rows as i64 + if file == "state" { 1 } else { 0 };
        import_many(&shop, &mut offline, next..next + 1);
        offline.close().unwrap();
        assert_eq!(everything(&shop), anew(&shop), "{file}");
    }
    fs::write(shop.folder().rows("orders").join("streams"), b"damaged").unwrap();
    let error = ask(&shop, &query(rules[0])).unwrap_err().to_string();
    assert!(error.contains("delete that folder"), "{error}");
}

#[test]
fn a_definition_that_changed_is_read_anew() {
    let mut shop = Shop::new();
    let mut offline = shop.offline();
    import_many(&shop, &mut offline, 0..17_000);
    offline.close().unwrap();
    let before = ask(&shop, &query("orders.count_24h > 20")).unwrap();
    shop.redefine(&[
        ("window: [1h, 24h, 7d]", "window: [2h, 24h, 7d]"),
        ("count_1h > 50", "count_2h > 50"),
    ]);
    let after = ask(
        &shop,
        &query("orders.count_24h > 20 && orders.count_2h > 0"),
    )
    .unwrap();
    assert_eq!(before.hits, after.hits);
}

#[test]
fn decisions_that_were_made_count_as_what_was_done() {
    let shop = Shop::with(&[("closes: 10d}", "closes: 10d, hidden_by: review}")]);
    let engine = shop.open();
    let refused = engine.backtest("ordres", &query("true")).unwrap_err();
    assert!(matches!(refused, Refusal::NotFound { .. }), "{refused}");
    // Without a model the fallback reviews; reviewing hides the truth.
    for i in 0..6 {
        decide(&engine, &order(&i.to_string(), "c1", 20.0, START)).unwrap();
    }
    for i in 6..9 {
        ingest(&engine, &order(&i.to_string(), "c2", 20.0, START)).unwrap();
    }
    shop.clock.set(START + DAY);
    ingest(&engine, &complaint("0", START + DAY)).unwrap();
    ingest(&engine, &complaint("8", START + DAY)).unwrap();
    shop.clock.set(START + days(4));
    ingest(&engine, &order("later", "c3", 1.0, START + days(4))).unwrap();
    let found = engine.backtest("orders", &query("true")).unwrap();
    let hits = found.hits;
    assert_eq!((hits.all, hits.positive, hits.negative), (10, 2, 2));
    assert_eq!((hits.open, hits.hidden), (1, 5));
    assert_eq!(found.changed, 4, "six are reviewed already");
    // One of 20 is saved by three reviews of 2.
    assert_eq!(found.gained.unwrap().to_string(), "14.00 EUR");
    let scored = engine.backtest("orders", &query("score >= 0")).unwrap();
    assert_eq!(scored.hits.all, 0);
    assert!(scored.warning.contains("0 of 10"), "{}", scored.warning);
    let watched = acumen_base::Control::ListAdd {
        list: "watched".into(),
        ids: vec!["c2".into()],
        until: None,
    };
    engine.control_now(watched, "ann").unwrap();
    let listed = engine
        .backtest("orders", &query("order.customer_id in lists.watched"))
        .unwrap();
    assert_eq!((listed.hits.all, listed.overlap[0].both), (3, 3));
    shop.clock.set(START + days(4) + HOUR);
    engine.close().unwrap();
    assert_eq!(ask(&shop, &query("true")).unwrap().hits, found.hits);
}

#[test]
fn what_was_read_before_the_deadline_is_kept() {
    let shop = Shop::new();
    let mut offline = shop.offline();
    import_many(&shop, &mut offline, 0..20_000);
    offline.close().unwrap();
    let clock = ManualClock::at(START) as Arc<dyn Clock>;
    let limits = BacktestLimits {
        deadline: Some(Deadline::after(clock, 0, 0)),
        ..BacktestLimits::default()
    };
    let mut begun = Vec::new();
    for _ in 0..2 {
        let mut first = None;
        let error = backtest(&shop.sources(), 0, &query("true"), &limits, &mut |at| {
            first.get_or_insert(at);
        });
        let error = error.unwrap_err();
        assert!(matches!(&error, EngineError::NotReady(_)), "{error}");
        assert!(error.to_string().contains("goes on from there"), "{error}");
        begun.push(first.unwrap());
    }
    assert!(begun[1] > begun[0], "{begun:?}");
    assert_eq!(ask(&shop, &query("true")).unwrap().rows, 20_000);
}

#[test]
fn a_request_has_limits() {
    let shop = Shop::new();
    shop.import_history();
    let limits = BacktestLimits {
        rows_max: Some(100),
        ..BacktestLimits::default()
    };
    let error = backtest(&shop.sources(), 0, &query("true"), &limits, &mut |_| ());
    let error = error.unwrap_err().to_string();
    assert!(error.contains("100 events at most"), "{error}");
    let held = fs::File::open(shop.folder().rows("orders").join("lock")).unwrap();
    held.lock().unwrap();
    let engine = shop.open();
    let busy = engine.backtest("orders", &query("true")).unwrap_err();
    assert!(matches!(busy, Refusal::NotReady(_)), "{busy}");
    drop(held);
    assert_eq!(
        engine.backtest("orders", &query("true")).unwrap().rows,
        2_880
    );
}
