//! What one source puts forward for somebody, in a unit that all sources share.
//!
//! A proposal is the source's best items among those that may be shown, with the mean and the
//! deviation of its scores over all of these. The score of any item is then comparable with that of
//! other sources, and can be computed again for another past without looking at every item.

use super::candidates::best;
use super::table::Table;
use super::{History, Source};

/// What one source puts forward.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Its best items.
    pub items: Vec<u32>,
    /// The mean of its scores over what may be shown.
    pub mean: f32,
    /// Their deviation; infinite where all are the same, so that none stands out.
    pub deviation: f32,
}

/// Adds up scores as they come.
#[derive(Default)]
pub(super) struct Spread {
    sum: f64,
    squares: f64,
}

impl Spread {
    pub(super) fn add(&mut self, score: f32) {
        let score = f64::from(score);
        self.sum += score;
        self.squares += score * score;
    }

    /// The mean and the deviation over so many scores, those that were not added being 0.
    pub(super) fn over(&self, count: usize) -> (f32, f32) {
        let count = (count as f64).max(1.0);
        let mean = self.sum / count;
        let variance = (self.squares / count - mean * mean).max(0.0);
        // A deviation that rounding alone makes is none.
        let deviation = match variance > 1e-12 * mean * mean {
            true => variance.sqrt(),
            false => f64::INFINITY,
        };
        (mean as f32, deviation as f32)
    }
}

impl Source {
    /// The `most` best items among those that may be shown; a source that knows fewer items than
    /// there are says nothing of the others.
    ///
    /// # Panics
    /// If the history names an item that is not known.
    pub fn propose(&self, history: History<'_>, may_be_shown: &[bool], most: usize) -> Proposal {
        let known = self.n_items().min(may_be_shown.len());
        let may_be_shown = &may_be_shown[..known];
        let count = may_be_shown.iter().filter(|shown| **shown).count();
        if let Source::Table(table) = self
            && let Some(said) = table.said(history)
        {
            return of_few(said, may_be_shown, (count, most));
        }
        if let Source::NeuralCollaborative(network) = self
            && let Some(found) = network.shortlisted(history, may_be_shown, most)
        {
            return found;
        }
        let mut scores = vec![0.0; self.n_items()];
        self.score(history, &mut scores);
        scores.truncate(known);
        let mut spread = Spread::default();
        for (score, _) in scores.iter().zip(may_be_shown).filter(|(_, shown)| **shown) {
            spread.add(*score);
        }
        let (mean, deviation) = spread.over(count);
        Proposal {
            items: best(&scores, may_be_shown, most),
            mean,
            deviation,
        }
    }

    /// Whether proposing takes so little that it is not worth keeping: lists of items, of which few
    /// are long where there are many items.
    pub fn proposes_at_once(&self) -> bool {
        matches!(self, Source::Table(_))
    }

    /// The scores of some items in the unit of a proposal; of items that are not known 0.
    ///
    /// # Panics
    /// If the history names an item that is not known.
    pub fn score_some(&self, history: History<'_>, items: &[u32], unit: &Proposal) -> Vec<f32> {
        let known = self.n_items() as u32;
        let raw: Vec<f32> = match self {
            Source::Table(table) if table.is_sparse() => table.score_some(history, items),
            Source::Factors(factors) => {
                let user = factors.fold_in(history);
                let score = |item: &u32| match *item < known {
                    true => factors.score_one(&user, *item),
                    false => 0.0,
                };
                items.iter().map(score).collect()
            }
            Source::Popular(popular) => {
                let score = |item: &u32| popular.scores.get(*item as usize).copied();
                items
                    .iter()
                    .map(|item| score(item).unwrap_or(0.0))
                    .collect()
            }
            Source::Content(content) => content.score_some(history, items),
            Source::TwoTower(towers) => towers.score_some(history, items),
            Source::NeuralCollaborative(network) => network.score_some(history, items),
            Source::Table(_) | Source::Recurrent(_) => {
                let mut scores = vec![0.0; self.n_items()];
                self.score(history, &mut scores);
                let score = |item: &u32| scores.get(*item as usize).copied();
                items
                    .iter()
                    .map(|item| score(item).unwrap_or(0.0))
                    .collect()
            }
        };
        let standard = |(item, score): (&u32, f32)| match *item < known {
            true => (score - unit.mean) / unit.deviation,
            false => 0.0,
        };
        items.iter().zip(raw).map(standard).collect()
    }
}

/// The proposal of a source that says something of few items, and 0 of all others.
fn of_few(said: Vec<(u32, f32)>, may_be_shown: &[bool], (count, most): (usize, usize)) -> Proposal {
    let shown = |(item, _): &(u32, f32)| may_be_shown.get(*item as usize) == Some(&true);
    let mut said: Vec<(u32, f32)> = said.into_iter().filter(shown).collect();
    let mut spread = Spread::default();
    said.iter().for_each(|(_, score)| spread.add(*score));
    let (mean, deviation) = spread.over(count);
    said.retain(|(_, score)| *score > 0.0);
    let by = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if said.len() > most && most > 0 {
        said.select_nth_unstable_by(most - 1, by);
    }
    said.truncate(most);
    Proposal {
        items: said.into_iter().map(|(item, _)| item).collect(),
        mean,
        deviation,
    }
}

impl Table {
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

    fn score_some(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        let said = self.said(history).unwrap_or_default();
        let score = |item: &u32| {
            let place = said.binary_search_by_key(item, |(known, _)| *known);
            place.map_or(0.0, |place| said[place].1)
        };
        items.iter().map(score).collect()
    }
}
