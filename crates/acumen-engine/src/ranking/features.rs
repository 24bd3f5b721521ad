//! What is known of the candidates of a request, in numbers: computed here alone, when a list is
//! made, and logged with it, so that a ranker learns from what it is asked with. The names stand in
//! [`candidate_columns`](crate::spec::candidate_columns).

use acumen_base::{Columns, Time};

use super::catalogue::{Catalogue, Item, Shelving};
use super::visitors::Past;
use crate::spec::{is_amount, is_compared};

/// Two items are alike if they agree in so large a share of what can be compared.
const ALIKE: f32 = 0.5;

/// An event of the visitor, with what its item is like.
struct Event<'a> {
    number: u32,
    item: &'a Item,
    weight: f32,
    at: Time,
}

/// What is known of candidates beyond what sources say of them: in the order of the columns from
/// `surprise` on.
pub(super) fn beyond(
    (catalogue, shelving): (&Catalogue, &Shelving),
    numbers: &[u32],
    past: &Past,
    now: Time,
) -> Vec<Vec<f32>> {
    let events = past.items.iter().zip(&past.weights).zip(&past.times);
    let events: Vec<Event<'_>> = events
        .map(|((number, weight), at)| Event {
            number: *number,
            item: catalogue.item(*number),
            weight: *weight,
            at: *at,
        })
        .collect();
    let kinds = shelving.attribute_kinds();
    let compared: Vec<usize> = kinds
        .iter()
        .enumerate()
        .filter_map(|(place, kind)| is_compared(*kind).then_some(place))
        .collect();
    let of_candidate = |number: &u32| {
        let item = catalogue.item(*number);
        let mut row = Vec::with_capacity(12 + 2 * kinds.len());
        row.push(catalogue.novelty(*number));
        row.push(item.value);
        row.push(
            item.since
                .map_or(f32::NAN, |(_, since)| (now - since).0 as f32 / DAY),
        );
        of_visitor(&mut row, (*number, item), (&events, &compared), now);
        row.push(f32::from(now.hour()));
        row.push(f32::from(now.weekday()));
        for (place, kind) in kinds.iter().enumerate() {
            if is_compared(*kind) {
                row.push(share_of_same(item, place, &events));
            }
            if is_amount(*kind) {
                row.push(tier(item, place));
            }
        }
        row
    };
    numbers.iter().map(of_candidate).collect()
}

const DAY: f32 = 86_400_000.0;
const HOUR: f32 = 3_600_000.0;

/// How familiar a candidate, and what is like it, is to the visitor.
fn of_visitor(
    row: &mut Vec<f32>,
    (number, item): (u32, &Item),
    (events, compared): (&[Event<'_>], &[usize]),
    now: Time,
) {
    let idle = |event: &Event<'_>| (now - event.at).0 as f32 / HOUR;
    let own = || events.iter().filter(|event| event.number == number);
    row.push(own().count() as f32);
    row.push(own().map(|event| event.weight).sum());
    row.push(events.len() as f32);
    row.push(events.last().map_or(f32::NAN, idle));
    row.push(
        events
            .last()
            .map_or(0.0, |event| likeness(item, event.item, compared)),
    );
    let is_alike = |event: &&Event<'_>| {
        event.number == number || likeness(item, event.item, compared) >= ALIKE
    };
    let alike = events.iter().rev().find(is_alike);
    row.push(alike.map_or(0.0, |event| event.weight));
    row.push(alike.map_or(f32::NAN, idle));
}

/// The share of what can be compared in which two items agree.
fn likeness(a: &Item, b: &Item, compared: &[usize]) -> f32 {
    let agree = compared
        .iter()
        .filter(|place| is_same(a, b, **place))
        .count();
    agree as f32 / compared.len().max(1) as f32
}

fn is_same(a: &Item, b: &Item, place: usize) -> bool {
    // An item that was only mentioned has no words yet.
    let [a, b] = [a, b].map(|item| item.words.get(place).copied().unwrap_or(0));
    a != 0 && a == b
}

/// The share of the events that tell of interest whose items agree with a candidate in an attribute.
fn share_of_same(item: &Item, place: usize, events: &[Event<'_>]) -> f32 {
    let wanted = || events.iter().filter(|event| event.weight > 0.0);
    let same = wanted()
        .filter(|event| is_same(item, event.item, place))
        .count();
    same as f32 / wanted().count().max(1) as f32
}

/// The power of two in which an amount lies.
fn tier(item: &Item, place: usize) -> f32 {
    let word = item.attributes.get(place).and_then(|word| word.as_deref());
    let tier = word.and_then(|word| word.strip_prefix("tier ")?.parse().ok());
    tier.unwrap_or(f32::NAN)
}

/// By which the record of a list tells which columns its numbers are of; as exact as a number of
/// the record can be.
pub(super) fn mark(columns: &Columns) -> f32 {
    (columns.fingerprint >> 40) as f32
}

/// What was known of an item of a list, where it is of these columns.
pub(super) fn of_columns<'a>(context: &'a [f32], columns: &Columns) -> Option<&'a [f32]> {
    let (last, values) = context.split_last()?;
    (*last == mark(columns) && values.len() == columns.len()).then_some(values)
}
