use std::sync::Arc;

use acumen_base::{Event, Time};

use super::types;
use crate::sorted_by_known_at;

#[test]
fn what_was_known_late_comes_before_what_happens_at_that_instant() {
    let kind = &types()[1];
    let event = |id: &str, event_time, known_at| Event {
        kind: Arc::clone(kind),
        id: id.into(),
        event_time: Time(event_time),
        known_at: Time(known_at),
        received_at: Time(100),
        values: Vec::new(),
    };
    let sorted = sorted_by_known_at(vec![
        event("now-a", 10, 10),
        event("now-b", 10, 10),
        event("late-a", 3, 10),
        event("first", 2, 2),
        event("late-b", 1, 10),
        event("last", 11, 11),
    ]);
    let ids: Vec<&str> = sorted.iter().map(|event| &*event.id).collect();
    assert_eq!(ids, ["first", "late-a", "late-b", "now-a", "now-b", "last"]);
}
