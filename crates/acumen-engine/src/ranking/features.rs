//! What is known of the candidates of a request, in numbers: computed here alone, when a list is
//! made, and logged with it, so that a ranker learns from what it is asked with. The names stand in
//! [`candidate_columns`](crate::spec::candidate_columns).

use acumen_base::{Columns, FieldType, Time};

use super::catalogue::{Catalogue, Item, Shelving};
use super::visitors::Past;
use crate::spec::{is_amount, is_compared};

/// Two items are alike if they agree in so large a share of what can be compared.
const ALIKE: f32 = 0.5;

/// What is known of some candidates beyond what sources say of them: one row each, in the order of
/// the columns from `surprise` on.
pub(super) struct Beyond {
    width: usize,
    values: Vec<f32>,
}

impl Beyond {
    /// The rows.
    pub(super) fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width.max(1))
    }
}

/// What is known of candidates beyond what sources say of them.
pub(super) fn beyond(
    (catalogue, shelving): (&Catalogue, &Shelving),
    numbers: &[u32],
    past: &Past,
    now: Time,
) -> Beyond {
    let kinds = shelving.attribute_kinds();
    let events = Events::of(catalogue, &kinds, past);
    let mut values = Vec::with_capacity(numbers.len() * (COLUMNS + 2 * kinds.len()));
    let (hour, weekday) = (f32::from(now.hour()), f32::from(now.weekday()));
    for number in numbers {
        let item = catalogue.item(*number);
        values.push(catalogue.novelty(*number));
        values.push(item.value);
        values.push(
            item.since
                .map_or(f32::NAN, |(_, since)| (now - since).0 as f32 / DAY),
        );
        let words: Vec<u32> = events.words_of(item).collect();
        of_visitor(&mut values, (*number, &words), &events, now);
        values.push(hour);
        values.push(weekday);
        let mut compared = (0..).zip(&words);
        for (place, kind) in kinds.iter().enumerate() {
            if is_compared(*kind)
                && let Some((at, word)) = compared.next()
            {
                values.push(events.share_of_same(at, *word));
            }
            if is_amount(*kind) {
                let word = item.words.get(place).copied().unwrap_or(0);
                values.push(catalogue.tier(word));
            }
        }
    }
    Beyond {
        width: values.len() / numbers.len().max(1),
        values,
    }
}

/// Columns that there are whatever the attributes.
const COLUMNS: usize = 13;
const DAY: f32 = 86_400_000.0;
const HOUR: f32 = 3_600_000.0;

/// What a visitor did, with what the items are like.
struct Events<'a> {
    past: &'a Past,
    /// The places of the attributes that can be compared.
    compared: Vec<usize>,
    /// The words of those of each event's item, one event after the other.
    words: Vec<u32>,
    /// For each attribute, the events of interest by word.
    liked: Vec<Vec<(u32, usize)>>,
    /// How many events tell of interest.
    likes: usize,
}

impl<'a> Events<'a> {
    fn of(catalogue: &Catalogue, kinds: &[FieldType], past: &'a Past) -> Events<'a> {
        let places = kinds.iter().enumerate();
        let compared = places.filter_map(|(place, kind)| is_compared(*kind).then_some(place));
        let mut events = Events {
            past,
            compared: compared.collect(),
            words: Vec::new(),
            liked: Vec::new(),
            likes: 0,
        };
        events.liked = vec![Vec::new(); events.compared.len()];
        for (number, weight) in past.items.iter().zip(&past.weights) {
            let words: Vec<u32> = events.words_of(catalogue.item(*number)).collect();
            if *weight > 0.0 {
                events.likes += 1;
                for (liked, word) in events.liked.iter_mut().zip(&words) {
                    match liked.iter_mut().find(|(known, _)| known == word) {
                        Some((_, times)) => *times += 1,
                        None => liked.push((*word, 1)),
                    }
                }
            }
            events.words.extend(words);
        }
        events
    }

    /// The words of an item that can be compared; 0 is missing.
    fn words_of(&self, item: &Item) -> impl Iterator<Item = u32> {
        // An item that was only mentioned has no words yet.
        let places = self.compared.iter();
        places.map(|place| item.words.get(*place).copied().unwrap_or(0))
    }

    /// How alike the item of an event and one of these words are: the share of what can be compared
    /// in which they agree.
    fn likeness(&self, event: usize, words: &[u32]) -> f32 {
        let own = &self.words[event * words.len()..][..words.len()];
        let pairs = own.iter().zip(words);
        let agree = pairs.filter(|(own, word)| **own != 0 && own == word);
        agree.count() as f32 / words.len().max(1) as f32
    }

    /// The share of the events that tell of interest whose items have the same word of an attribute.
    fn share_of_same(&self, attribute: usize, word: u32) -> f32 {
        let mut known = self.liked[attribute].iter();
        let same = known.find(|(known, _)| word != 0 && *known == word);
        same.map_or(0, |(_, times)| *times) as f32 / self.likes.max(1) as f32
    }
}

/// How familiar a candidate, and what is like it, is to the visitor.
fn of_visitor(row: &mut Vec<f32>, (number, words): (u32, &[u32]), events: &Events<'_>, now: Time) {
    let past = events.past;
    let idle = |event: usize| (now - past.times[event]).0 as f32 / HOUR;
    let own = past.items.iter().zip(&past.weights);
    let own = own.filter(|(item, _)| **item == number);
    let (times, weight) = own.fold((0, 0.0), |(times, sum), (_, weight)| {
        (times + 1, sum + weight)
    });
    row.push(times as f32);
    row.push(weight);
    row.push(past.times_seen(number) as f32);
    row.push(past.items.len() as f32);
    let last = past.items.len().checked_sub(1);
    row.push(last.map_or(f32::NAN, idle));
    row.push(last.map_or(0.0, |event| events.likeness(event, words)));
    let is_alike =
        |event: &usize| past.items[*event] == number || events.likeness(*event, words) >= ALIKE;
    let alike = (0..past.items.len()).rev().find(is_alike);
    row.push(alike.map_or(0.0, |event| past.weights[event]));
    row.push(alike.map_or(f32::NAN, idle));
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
