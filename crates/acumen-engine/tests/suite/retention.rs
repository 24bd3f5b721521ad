//! What is older than the declared retention is trimmed, and nothing else changes.

use super::shop::{HOUR, START, Shop, days, decide, order};
use acumen_base::{Control, Span, Time};
use acumen_engine::history::replay_all;
use acumen_engine::{Engine, LogOptions, Wanted, rows};

fn month(shop: &Shop, engine: &Engine, from: i64) {
    for i in from..from + 30 * 24 {
        let at = Time(START.0 + i * HOUR.0);
        shop.clock.set(at);
        decide(
            engine,
            &order(&i.to_string(), &format!("c{}", i % 5), i as f64, at),
        )
        .unwrap();
    }
}

fn first_position(engine: &Engine) -> u64 {
    engine.ask(|_, log| log.first_position()).unwrap()
}

#[test]
fn trimming_changes_no_row_that_is_kept() {
    let mut shop = Shop::with(&[("serving:", "retention: 20d\nserving:")]);
    shop.log = LogOptions {
        segment_bytes: 64 * 1024,
        ..shop.log
    };
    let whole = Shop::new();
    let engine = shop.open();
    let other = whole.open();
    for (shop, engine) in [(&shop, &engine), (&whole, &other)] {
        let edit = Control::ListAdd {
            list: "watched".into(),
            ids: vec!["c3".into()],
            until: None,
        };
        engine.control_now(edit, "ann").unwrap();
        month(shop, engine, 0);
    }
    assert_eq!(first_position(&engine), 0);
    engine.snapshot().unwrap();
    let first = first_position(&engine);
    assert!(first > 0, "ten days are older than what is kept");
    month(&shop, &engine, 30 * 24);
    month(&whole, &other, 30 * 24);
    engine.close().unwrap();
    let engine = shop.open();
    assert!(first_position(&engine) > first, "closing trims too");
    assert_eq!(
        engine.lists().unwrap()["watched"],
        [("c3".to_owned(), None)],
        "the edit was trimmed, not undone"
    );

    let last = 60 * 24 - 1;
    for i in [last, last - 10 * 24] {
        let id = format!("orders:{i}");
        let (one, two) = (engine.decision(&id).unwrap(), other.decision(&id).unwrap());
        assert_eq!(one.row, two.row);
        assert_eq!(engine.replay(&id).unwrap().mismatches, 0);
    }
    let lost = engine.replay("orders:0");
    assert!(lost.is_err(), "trimmed, and said so");
    let to = START + days(60);
    let from = Time(to.0 - Span(15 * 24 * HOUR.0).0);
    let wanted = Wanted {
        from,
        to,
        as_of: None,
        sample: None,
    };
    let kept = rows(&shop.sources(), 0, wanted, &mut |_| ()).unwrap();
    let all = rows(&whole.sources(), 0, wanted, &mut |_| ()).unwrap();
    assert_eq!(kept.len(), 15 * 24);
    for i in 0..kept.len() {
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&kept.row(i).values), bits(&all.row(i).values));
    }
    drop(engine);
    let replayed = replay_all(&shop.sources(), &mut |_| ()).unwrap();
    assert!(
        replayed.decisions >= 20 * 24 && replayed.mismatches == 0,
        "{replayed:?}"
    );
}

#[test]
fn ids_are_forgotten_when_they_are_too_old_to_count_twice() {
    let shop = Shop::new();
    let engine = shop.open();
    let ids = || {
        engine
            .ask(|core, _| (core.seen.len(), core.live[0].decided.len()))
            .unwrap()
    };
    month(&shop, &engine, 0);
    assert_eq!(ids(), (720, 720));
    month(&shop, &engine, 720);
    let (seen, decided) = ids();
    assert!(
        (720..=770).contains(&seen) && (720..=770).contains(&decided),
        "{seen} {decided}"
    );
    assert!(engine.decision("orders:1439").is_ok());
    assert!(engine.decision("orders:0").is_err());
}
