//! Restarts: after closing, after a kill, from a snapshot, and from the log alone.

use std::fs;

use super::shop::{HOUR, START, Shop, assert_replays, bits, column, decide, ingest, order};
use acumen_base::Control;

/// Orders of a few customers, decided on or only logged, with an edit in the middle.
fn busy_hour(shop: &Shop, engine: &acumen_engine::Engine, from: usize) {
    for i in from..from + 60 {
        let body = order(
            &i.to_string(),
            &format!("c{}", i % 5),
            i as f64,
            shop_time(i),
        );
        shop.clock.set(shop_time(i));
        match i % 3 {
            0 => drop(ingest(engine, &body).unwrap()),
            _ => drop(decide(engine, &body).unwrap()),
        }
        if i % 30 == 15 {
            let edit = Control::ListAdd {
                list: "watched".into(),
                ids: vec![format!("c{}", i % 4)],
                until: None,
            };
            engine.control_now(edit, "ann").unwrap();
        }
    }
}

fn shop_time(i: usize) -> acumen_base::Time {
    acumen_base::Time(START.0 + i as i64 * HOUR.0 / 10)
}

#[test]
fn a_restart_changes_no_bit_of_any_later_row() {
    // One engine that never stops, and one that closes, is killed, and loses its snapshots.
    let steady = Shop::new();
    let engine = steady.open();
    (0..5).for_each(|part| busy_hour(&steady, &engine, part * 60));
    engine.close().unwrap();

    let restarted = Shop::new();
    let engine = restarted.open();
    busy_hour(&restarted, &engine, 0);
    engine.close().unwrap();
    assert_eq!(
        fs::read_dir(restarted.folder().snapshots())
            .unwrap()
            .count(),
        1
    );
    let engine = restarted.open();
    busy_hour(&restarted, &engine, 60);
    drop(engine);
    let engine = restarted.open();
    busy_hour(&restarted, &engine, 120);
    engine.snapshot().unwrap();
    busy_hour(&restarted, &engine, 180);
    drop(engine);
    assert_eq!(
        fs::read_dir(restarted.folder().snapshots())
            .unwrap()
            .count(),
        2
    );
    fs::remove_dir_all(restarted.folder().snapshots()).unwrap();
    let engine = restarted.open();
    busy_hour(&restarted, &engine, 240);

    let other = steady.open();
    for i in (0..300).filter(|i| i % 3 != 0) {
        let id = format!("orders:{i}");
        let (one, two) = (engine.decision(&id).unwrap(), other.decision(&id).unwrap());
        assert_eq!(bits(&one), bits(&two), "{id}");
    }
    let replayed = engine.replay("orders:299").unwrap();
    assert_eq!((replayed.decisions, replayed.mismatches), (1, 0));
    drop(engine);
    assert_replays(&restarted.sources(), 200);
}

#[test]
fn nothing_acknowledged_is_lost_when_the_process_is_killed() {
    let shop = Shop::new();
    let engine = shop.open();
    busy_hour(&shop, &engine, 0);
    shop.clock.set(shop_time(60));
    let made = decide(&engine, &order("last", "c1", 20.0, shop_time(60))).unwrap();
    let (_kept, folder) = shop.killed();
    let revived = shop.open_at(folder.clone());
    assert_eq!(
        revived.ask(|core, _| core.next).unwrap(),
        engine.ask(|core, _| core.next).unwrap()
    );
    let again = decide(&revived, &order("last", "c1", 20.0, shop_time(60))).unwrap();
    assert!(again.repeated);
    assert_eq!(bits(&again.decision), bits(&made.decision));
    drop(revived);
    assert_replays(&shop.sources_at(folder), 41);
}

#[test]
fn an_event_that_was_never_decided_on_gets_the_decision_of_its_own_place() {
    let shop = Shop::new();
    let engine = shop.open();
    let body = order("a", "c1", 20.0, START);
    ingest(&engine, &body).unwrap();
    ingest(&engine, &order("b", "c1", 30.0, START)).unwrap();
    // Once from a snapshot that stands behind the event, once from the log alone.
    engine.close().unwrap();
    for with_snapshot in [true, false] {
        if !with_snapshot {
            fs::remove_dir_all(shop.folder().snapshots()).unwrap();
        }
        let (_kept, folder) = shop.killed();
        let engine = shop.open_at(folder.clone());
        let decision = decide(&engine, &body).unwrap().decision;
        assert_eq!(column(&shop, &decision, "orders.sum_1h"), 20.0);
        drop(engine);
        assert_replays(&shop.sources_at(folder), 1);
    }
}

#[test]
fn a_snapshot_that_knows_more_than_the_log_is_not_believed() {
    let shop = Shop::new();
    let engine = shop.open();
    busy_hour(&shop, &engine, 0);
    let (_kept, folder) = shop.killed();
    busy_hour(&shop, &engine, 60);
    engine.close().unwrap();
    fs::remove_dir_all(folder.snapshots()).unwrap();
    fs::rename(shop.folder().snapshots(), folder.snapshots()).unwrap();
    let revived = shop.open_at(folder);
    let positions = revived
        .ask(|core, log| (core.next, log.next_position()))
        .unwrap();
    assert_eq!(positions.0, positions.1);
}

#[test]
fn other_features_are_read_from_the_log_and_not_from_the_snapshot() {
    let mut shop = Shop::new();
    let engine = shop.open();
    busy_hour(&shop, &engine, 0);
    engine.close().unwrap();
    shop.redefine(&[("window: [1h, 24h, 7d]", "window: [1h, 2h, 7d]")]);
    let engine = shop.open();
    let next = order("next", "c1", 1.0, shop_time(60));
    shop.clock.set(shop_time(60));
    let decision = decide(&engine, &next).unwrap().decision;
    // Customer 1 ordered at 41, 46, 51, 56 and now, six minutes apart.
    assert_eq!(column(&shop, &decision, "orders.count_2h"), 5.0);
}
