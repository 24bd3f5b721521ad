//! A stream of events as a bad network delivers it: late, twice, changed, out of order, broken.
//!
//! Seeded, generic over the type of event, and streaming: it holds only what it delays.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use acumen_base::{Event, Seed, Span};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::wire;

/// What share of the events meets which fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Faults {
    /// Arrives late, by up to `late_by`.
    pub late: f64,
    /// The most that a late event is late by.
    pub late_by: Span,
    /// Swaps places with its neighbours: arrives up to `shuffled_by` after its turn.
    pub out_of_order: f64,
    /// The most that an event out of order is late by.
    pub shuffled_by: Span,
    /// Is sent again, word for word, a little later.
    pub duplicates: f64,
    /// Is sent again under the same id with another body.
    pub conflicts: f64,
    /// Is followed by a line that is not an event.
    pub malformed: f64,
}

impl Default for Faults {
    /// 5 % late by up to an hour, 5 % out of order, 2 % twice, 0.5 % in conflict, 1 % malformed.
    fn default() -> Faults {
        Faults {
            late: 0.05,
            late_by: Span::seconds(3_600),
            out_of_order: 0.05,
            shuffled_by: Span::seconds(5),
            duplicates: 0.02,
            conflicts: 0.005,
            malformed: 0.01,
        }
    }
}

/// One thing that arrives.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrival {
    /// An event, unchanged.
    Whole(Event),
    /// An event that arrived before, word for word.
    Duplicate(Event),
    /// An id that arrived before, with another event time.
    Conflict(Event),
    /// Bytes that are not an event: truncated JSON, not UTF-8, no object, no id, not a time.
    Malformed(Vec<u8>),
}

impl Arrival {
    /// Appends the line as it is sent, the line feed included.
    pub fn write_line(&self, line: &mut Vec<u8>) {
        match self {
            Arrival::Whole(event) | Arrival::Duplicate(event) | Arrival::Conflict(event) => {
                wire::write_line(event, line);
            }
            Arrival::Malformed(bytes) => {
                line.extend_from_slice(bytes);
                line.push(b'\n');
            }
        }
    }
}

/// A stream of events with faults; see [`Faults`].
///
/// An arriving event's `known_at` and `received_at` are when it arrives; its `event_time` stays.
#[derive(Debug)]
pub struct Faulty<I: Iterator<Item = Event>> {
    events: std::iter::Peekable<I>,
    faults: Faults,
    random: ChaCha8Rng,
    waiting: BinaryHeap<Reverse<Waiting>>,
    sequence: u64,
}

#[derive(Debug)]
struct Waiting {
    at_ms: i64,
    sequence: u64,
    arrival: Arrival,
}

impl Waiting {
    fn order(&self) -> (i64, u64) {
        (self.at_ms, self.sequence)
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

impl<I: Iterator<Item = Event>> Faulty<I> {
    /// The faulty form of `events`, which come in `known_at` order.
    pub fn new(events: I, faults: Faults, seed: Seed) -> Faulty<I> {
        Faulty {
            events: events.peekable(),
            faults,
            random: ChaCha8Rng::seed_from_u64(seed.derive("faults").0),
            waiting: BinaryHeap::new(),
            sequence: 0,
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        self.random.random::<f64>() < share
    }

    fn span(&mut self, most: Span) -> Span {
        Span(self.random.random_range(1..=most.0.max(1)))
    }

    fn wait(&mut self, at_ms: i64, arrival: Arrival) {
        self.sequence += 1;
        self.waiting.push(Reverse(Waiting {
            at_ms,
            sequence: self.sequence,
            arrival,
        }));
    }

    fn take_in(&mut self, mut event: Event) {
        if self.chance(self.faults.late) {
            event.known_at = event.known_at + self.span(self.faults.late_by);
        } else if self.chance(self.faults.out_of_order) {
            event.known_at = event.known_at + self.span(self.faults.shuffled_by);
        }
        event.received_at = event.known_at;
        if self.chance(self.faults.duplicates) {
            let again = self.again(&event);
            self.wait(again.known_at.0, Arrival::Duplicate(again));
        }
        if self.chance(self.faults.conflicts) {
            let mut other = self.again(&event);
            other.event_time = other.event_time - Span::seconds(1);
            self.wait(other.known_at.0, Arrival::Conflict(other));
        }
        if self.chance(self.faults.malformed) {
            let bytes = self.broken(&event);
            self.wait(event.known_at.0, Arrival::Malformed(bytes));
        }
        self.wait(event.known_at.0, Arrival::Whole(event));
    }

    fn again(&mut self, event: &Event) -> Event {
        let mut again = event.clone();
        again.known_at = event.known_at + self.span(self.faults.shuffled_by);
        again.received_at = again.known_at;
        again
    }

    fn broken(&mut self, event: &Event) -> Vec<u8> {
        let mut line = Vec::new();
        wire::write_line(event, &mut line);
        line.pop();
        match self.random.random_range(0..5) {
            0 => line.truncate(line.len() / 2),
            1 => line.insert(line.len() / 2, 0xff),
            2 => line = b"[1, 2, 3]".to_vec(),
            3 => line = b"{\"type\":\"no_such_type\"}".to_vec(),
            _ => {
                let kind = &event.kind;
                line = format!(
                    "{{\"type\":\"{}\",\"{}\":\"broken\",\"{}\":\"yesterday\"}}",
                    kind.name, kind.id_field, kind.time_field
                )
                .into_bytes();
            }
        }
        line
    }
}

impl<I: Iterator<Item = Event>> Iterator for Faulty<I> {
    type Item = Arrival;

    fn next(&mut self) -> Option<Arrival> {
        loop {
            let due = self.waiting.peek().map(|Reverse(first)| first.at_ms);
            let take_in = match (self.events.peek(), due) {
                (Some(event), Some(due)) => event.known_at.0 <= due,
                (Some(_), None) => true,
                (None, _) => false,
            };
            if !take_in {
                return self.waiting.pop().map(|Reverse(first)| first.arrival);
            }
            let event = self.events.next()?;
            self.take_in(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::wire::tests::order;

    fn arrivals(seed: u64) -> Vec<Arrival> {
        Faulty::new((0..20_000).map(order), Faults::default(), Seed(seed)).collect()
    }

    #[test]
    fn every_event_arrives_whole_exactly_once_and_in_order_of_arrival() {
        let mut seen = BTreeSet::new();
        let mut last = i64::MIN;
        for arrival in arrivals(1) {
            match arrival {
                Arrival::Whole(event) => {
                    assert!(event.known_at.0 >= last && event.event_time <= event.known_at);
                    last = event.known_at.0;
                    assert!(seen.insert(event.id.clone()), "{} twice", event.id);
                }
                Arrival::Duplicate(event) => assert!(seen.contains(&event.id)),
                Arrival::Conflict(event) => assert!(seen.contains(&event.id)),
                Arrival::Malformed(_) => {}
            }
        }
        assert_eq!(seen.len(), 20_000);
    }

    #[test]
    fn each_fault_has_its_share() {
        let all = arrivals(2);
        let share = |wanted: fn(&Arrival) -> bool| {
            all.iter().filter(|a| wanted(a)).count() as f64 / 20_000.0
        };
        let late = share(|a| matches!(a, Arrival::Whole(e) if e.delay() > Span::seconds(5)));
        assert!((0.045..0.055).contains(&late), "{late}");
        let twice = share(|a| matches!(a, Arrival::Duplicate(_)));
        assert!((0.015..0.025).contains(&twice), "{twice}");
        let conflicts = share(|a| matches!(a, Arrival::Conflict(_)));
        assert!((0.003..0.007).contains(&conflicts), "{conflicts}");
        let malformed = share(|a| matches!(a, Arrival::Malformed(_)));
        assert!((0.007..0.013).contains(&malformed), "{malformed}");
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        assert_eq!(arrivals(3), arrivals(3));
        assert_ne!(arrivals(3), arrivals(4));
    }

    #[test]
    fn a_conflict_differs_in_its_body_and_a_duplicate_does_not() {
        for arrival in arrivals(5) {
            match arrival {
                Arrival::Conflict(event) => {
                    let number: i64 = event.id[1..].parse().unwrap();
                    assert_ne!(event.body_hash(), order(number).body_hash());
                }
                Arrival::Duplicate(event) => {
                    let number: i64 = event.id[1..].parse().unwrap();
                    assert_eq!(event.body_hash(), order(number).body_hash());
                }
                _ => {}
            }
        }
    }
}
