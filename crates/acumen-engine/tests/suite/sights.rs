//! What was shown to a visitor gives way, while that is remembered.

use acumen_engine::{RankAnswer, RankRequest};

use super::shop::{HOUR, ingest};
use super::wares::{Wares, asks, feedback, ids, rank};

/// No chance: the same request gives the same list.
const CALM: (&str, &str) = ("explore: {epsilon: 5%}", "explore: {epsilon: 0}");

#[test]
fn what_was_shown_gives_way_until_it_is_forgotten() {
    let remembers = [
        ("remember: 20", "remember: 20\n  seen_within: 1h"),
        ("business_value: 0.1}", "business_value: 0.1, fatigue: 3}"),
    ];
    for told in [true, false] {
        // Where nobody tells what was seen, all of a list was.
        let untold = ("  shown: seen\n", "");
        let changes = [remembers[0], remembers[1], CALM, untold];
        let wares = Wares::grown(&changes[..if told { 3 } else { 4 }]);
        wares.train();
        let engine = wares.open();
        let request = RankRequest {
            explain: true,
            ..asks("c1")
        };
        let first = rank(&engine, &request).unwrap();
        assert_eq!(first.objectives.repetition, 0.0);
        let now = engine.clock().now();
        for (place, item) in ids(&first).iter().enumerate().filter(|_| told) {
            let by = (Some("c1"), "v1");
            let id = format!("seen {place}");
            let line = feedback(&id, by, (item, "seen"), Some(&first.id), now);
            assert_eq!(ingest(&engine, &line).unwrap().logged, 1);
        }
        let second = rank(&engine, &request).unwrap();
        let again = |list: &RankAnswer| {
            let shown = ids(&first);
            ids(list).iter().filter(|id| shown.contains(id)).count()
        };
        assert!(again(&second) < 5, "{told}: {second:?}");
        assert!((second.objectives.repetition - again(&second) as f32 / 10.0).abs() < 1e-6);
        for item in &second.items {
            let why = item.why.as_ref().unwrap();
            let seen = ids(&first).contains(&item.item.to_string());
            assert_eq!(why.fatigue, if seen { -3.0 } else { 0.0 });
            assert_eq!(why.words.contains("because it was shown lately"), seen);
        }
        let other = rank(&engine, &asks("c2")).unwrap();
        assert_eq!(other.objectives.repetition, 0.0, "they were not shown it");

        engine.snapshot().unwrap();
        engine.close().unwrap();
        let engine = wares.open();
        let restarted = rank(&engine, &request).unwrap();
        if told {
            assert_eq!(ids(&restarted), ids(&second));
        }
        wares.clock.set(now + HOUR + HOUR);
        let later = rank(&engine, &request).unwrap();
        assert_eq!(later.objectives.repetition, 0.0, "{told}: it is forgotten");
        // The bandit has learnt from what was passed by.
        assert!(again(&later) >= 9, "{told}: {later:?}");
        engine.close().unwrap();

        // One log judges other weights of fatigue, and no other memory.
        let reads_other = |old: &str, new: &str| {
            let judged = wares.judged_as(&[(old, new)]);
            judged.is_err_and(|error| error.to_string().contains("reads other"))
        };
        assert!(reads_other("seen_within: 1h", "seen_within: 2h"));
        assert!(!reads_other("fatigue: 3", "fatigue: 0"));
    }
}
