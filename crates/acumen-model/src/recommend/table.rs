//! A score for every pair of items, as lists: what speaks for what.

use serde::{Deserialize, Serialize};

use super::History;
use super::recency::Recency;
use super::wide::wide;

/// For each item, the items that it speaks for. The score of an item is the sum over the events of
/// the history of the event's weight times what its item says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub(super) recency: Recency,
    /// Where each item's list begins, and where the last one ends.
    starts: Vec<u32>,
    /// The items of the lists, rising within one.
    items: Vec<u32>,
    scores: Vec<f32>,
}

impl Table {
    /// From one line an item, of which only the `keep` largest are kept; 0 is all.
    pub(super) fn new(lines: Vec<Vec<(u32, f32)>>, keep: usize, recency: Recency) -> Table {
        let mut table = Table {
            recency,
            starts: vec![0],
            items: Vec::new(),
            scores: Vec::new(),
        };
        for line in lines {
            for (item, score) in largest(line, keep) {
                table.items.push(item);
                table.scores.push(score);
            }
            table.starts.push(table.items.len() as u32);
        }
        table
    }

    /// How many items it knows.
    pub fn n_items(&self) -> usize {
        self.starts.len() - 1
    }

    /// What an item says of others.
    pub fn line(&self, item: u32) -> (&[u32], &[f32]) {
        let range = self.starts[item as usize] as usize..self.starts[item as usize + 1] as usize;
        (&self.items[range.clone()], &self.scores[range])
    }

    pub(super) fn score(&self, history: History<'_>, scores: &mut [f32]) {
        scores.fill(0.0);
        for (_, item, weight) in self.recency.of(history) {
            let (items, said) = self.line(item);
            if items.len() == scores.len() {
                // It says something of every item: no places to look up.
                wide(
                    #[inline(always)]
                    || {
                        let mut at = 0;
                        while at < said.len() {
                            scores[at] += weight * said[at];
                            at += 1;
                        }
                    },
                );
                continue;
            }
            for (other, said) in items.iter().zip(said) {
                scores[*other as usize] += weight * said;
            }
        }
    }

    /// Whether its items speak for few others.
    pub(super) fn is_sparse(&self) -> bool {
        let items = self.n_items();
        (0..items.min(8) as u32).all(|item| self.line(item).0.len() < items.max(2) / 2)
    }

    /// Every item that the history says something of, in rising order, with what it says; `None`
    /// where that is all of them.
    pub(super) fn said(&self, history: History<'_>) -> Option<Vec<(u32, f32)>> {
        if !self.is_sparse() {
            return None;
        }
        let mut said: Vec<(u32, f32)> = Vec::new();
        for (_, item, weight) in self.recency.of(history) {
            let (items, scores) = self.line(item);
            let line = items.iter().zip(scores);
            said.extend(line.map(|(other, score)| (*other, weight * score)));
        }
        // Stable, so that sums are added in the order in which the dense way adds them.
        said.sort_by_key(|(item, _)| *item);
        let mut sums: Vec<(u32, f32)> = Vec::with_capacity(said.len());
        for (item, score) in said {
            match sums.last_mut() {
                Some((last, sum)) if *last == item => *sum += score,
                _ => sums.push((item, score)),
            }
        }
        Some(sums)
    }

    pub(super) fn score_some(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        let said = self.said(history).unwrap_or_default();
        let score = |item: &u32| {
            let place = said.binary_search_by_key(item, |(known, _)| *known);
            place.map_or(0.0, |place| said[place].1)
        };
        items.iter().map(score).collect()
    }

    /// What each event that counts adds to the score of an item, by its place in the history.
    pub(super) fn contributions(&self, history: History<'_>, of: u32) -> Vec<(usize, f32)> {
        let said = |item| {
            let (items, scores) = self.line(item);
            items.binary_search(&of).map_or(0.0, |place| scores[place])
        };
        let events = self.recency.of(history);
        events
            .map(|(place, item, weight)| (place, weight * said(item)))
            .collect()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.recency.check()?;
        let items = self.starts.len().saturating_sub(1);
        let rising = self.starts.windows(2).all(|pair| pair[0] <= pair[1]);
        let whole = self.starts.first() == Some(&0)
            && self.starts.last().map(|end| *end as usize) == Some(self.items.len());
        if !rising || !whole || self.items.len() != self.scores.len() {
            return Err("the lists of a table do not fit each other".to_owned());
        }
        for item in 0..items as u32 {
            let (line, scores) = self.line(item);
            let sorted = line.windows(2).all(|pair| pair[0] < pair[1]);
            let known = line.last().is_none_or(|last| (*last as usize) < items);
            if !sorted || !known || scores.iter().any(|score| !score.is_finite()) {
                return Err(format!("the list of item {item} is no list of items"));
            }
        }
        Ok(())
    }
}

/// The `keep` largest of a line in rising order of the items; among equal ones the smaller items.
pub(super) fn largest(mut line: Vec<(u32, f32)>, keep: usize) -> Vec<(u32, f32)> {
    if keep > 0 && line.len() > keep {
        let by_size = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        line.select_nth_unstable_by(keep - 1, by_size);
        line.truncate(keep);
        line.sort_unstable_by_key(|&(item, _)| item);
    }
    line
}
