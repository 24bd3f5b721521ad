//! What one source puts forward for somebody, in a unit that all sources share.
//!
//! A proposal is the source's best items among those that may be shown, with the mean and the
//! deviation of its scores over all items that it knows. The score of any item is then comparable
//! with that of other sources, and can be computed again for another past without looking at every
//! item.

use super::matrix_factorization::Factors;
use super::open::Open;
use super::scratch::with_scores;
use super::top::Top;
use super::wide::{LANES, wide};
use super::{History, Source};

/// Above so many items, vectors are searched by a first look at them in bytes.
const EXACT_MAX: usize = 20_000;
/// How many times as many items as are wanted are compared in full after it.
pub(super) const NEAR: usize = 3;
/// How many items, evenly apart, say what scores are like where not all are looked at.
const SAMPLED: usize = 1_000;

/// Scores that are looked at together.
const BLOCK: usize = 64;

/// What one source puts forward.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Its best items.
    pub items: Vec<u32>,
    /// The mean of its scores over all items that it knows.
    pub mean: f32,
    /// Their deviation; infinite where all are the same, so that none stands out.
    pub deviation: f32,
}

/// Adds up scores as they come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread {
    sum: f64,
    squares: f64,
}

impl Spread {
    /// Of many scores at once, added up in lanes.
    pub(super) fn of(scores: &[f32]) -> Spread {
        let (lanes, rest) = scores.as_chunks::<LANES>();
        let (mut sums, mut squares) = ([0.0_f64; LANES], [0.0_f64; LANES]);
        wide(
            #[inline(always)]
            || {
                let mut at = 0;
                while at < lanes.len() {
                    let mut lane = 0;
                    while lane < LANES {
                        let score = lanes[at][lane] as f64;
                        sums[lane] += score;
                        squares[lane] += score * score;
                        lane += 1;
                    }
                    at += 1;
                }
            },
        );
        let mut spread = Spread {
            sum: sums.iter().sum(),
            squares: squares.iter().sum(),
        };
        rest.iter().for_each(|score| spread.add(*score));
        spread
    }

    /// The mean and the deviation of the scores of items evenly apart.
    pub(super) fn sampled(items: usize, score: impl Fn(u32) -> f32) -> (f32, f32) {
        let apart = (0..items as u32).step_by((items / SAMPLED).max(1));
        let mut spread = Spread::default();
        let looked_at = apart.map(|item| spread.add(score(item))).count();
        spread.over(looked_at)
    }

    pub(super) fn add(&mut self, score: f32) {
        let score = f64::from(score);
        self.sum += score;
        self.squares += score * score;
    }

    /// Puts one score in the place of another.
    pub(super) fn replace(&mut self, before: f32, after: f32) {
        let (before, after) = (f64::from(before), f64::from(after));
        self.sum += after - before;
        self.squares += after * after - before * before;
    }

    /// The mean and the deviation over so many scores, those that were not added being 0.
    pub(super) fn over(&self, count: usize) -> (f32, f32) {
        let count = (count as f64).max(1.0);
        unit(self.sum / count, self.squares / count)
    }
}

/// The mean and the deviation, from the mean and that of the squares.
pub(super) fn unit(mean: f64, of_squares: f64) -> (f32, f32) {
    let variance = (of_squares - mean * mean).max(0.0);
    // A deviation that rounding alone makes is none.
    let deviation = match variance > 1e-12 * mean * mean {
        true => variance.sqrt(),
        false => f64::INFINITY,
    };
    (mean as f32, deviation as f32)
}

impl Source {
    /// The `most` best items among those that may be shown, in no order; a source that knows fewer
    /// items than there are says nothing of the others.
    ///
    /// # Panics
    /// If the history names an item that is not known.
    pub fn propose(&self, history: History<'_>, open: &Open<'_>, most: usize) -> Proposal {
        match self {
            Source::Table(table) => match table.said(history) {
                Some(said) => of_few(said, self.n_items(), open, most),
                None => self.of_all(history, open, most),
            },
            Source::Factors(factors) if factors.n_items() > EXACT_MAX => {
                of_vectors(factors, history, open, most)
            }
            Source::TwoTower(towers) if towers.n_items() > EXACT_MAX => {
                towers.search(history, open, most)
            }
            Source::NeuralCollaborative(network) => network
                .shortlisted(history, open, most)
                .unwrap_or_else(|| self.of_all(history, open, most)),
            Source::Popular(popular) => popular.propose(history, open, most),
            Source::InContext(by_word) => by_word.anywhere().propose(history, open, most),
            Source::Factors(_)
            | Source::Content(_)
            | Source::SequentialContent(_)
            | Source::Recurrent(_)
            | Source::SelfAttention(_)
            | Source::TwoTower(_) => self.of_all(history, open, most),
        }
    }

    /// By the scores of all items.
    fn of_all(&self, history: History<'_>, open: &Open<'_>, most: usize) -> Proposal {
        with_scores(self.n_items(), |scores| {
            self.score(history, scores);
            let (mean, deviation) = Spread::of(scores).over(scores.len());
            Proposal {
                items: best(scores, open, most),
                mean,
                deviation,
            }
        })
    }

    /// Makes what is made when it is first needed, so that no request waits for it.
    pub fn prepare(&self) {
        match self {
            Source::Factors(factors) if factors.n_items() > EXACT_MAX => factors.prepare(),
            Source::Content(content) => content.prepare(),
            Source::SequentialContent(content) => content.prepare(),
            Source::Popular(popular) => popular.prepare(),
            Source::InContext(by_word) => by_word.prepare(),
            Source::TwoTower(towers) if towers.n_items() > EXACT_MAX => towers.prepare(),
            Source::Factors(_)
            | Source::Table(_)
            | Source::Recurrent(_)
            | Source::SelfAttention(_)
            | Source::TwoTower(_)
            | Source::NeuralCollaborative(_) => {}
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
        let standard = |(item, score): (&u32, f32)| match *item < known {
            true => (score - unit.mean) / unit.deviation,
            false => 0.0,
        };
        let raw = self.raw(history, items);
        items.iter().zip(raw).map(standard).collect()
    }

    /// The scores of some items in the source's own unit; of items that are not known anything.
    fn raw(&self, history: History<'_>, items: &[u32]) -> Vec<f32> {
        match self {
            Source::Table(table) if table.is_sparse() => table.score_some(history, items),
            Source::Factors(factors) => {
                let user = factors.fold_in(history);
                let known = self.n_items() as u32;
                let score = |item: &u32| match *item < known {
                    true => factors.score_one(&user, *item),
                    false => 0.0,
                };
                items.iter().map(score).collect()
            }
            Source::Popular(popular) => popular.score_some(history, items),
            Source::InContext(by_word) => by_word.anywhere().raw(history, items),
            Source::Content(content) => content.score_some(history, items),
            Source::SequentialContent(content) => content.score_some(history, items),
            Source::Recurrent(network) => network.score_some(history, items),
            Source::TwoTower(towers) => towers.score_some(history, items),
            Source::NeuralCollaborative(network) => network.score_some(history, items),
            Source::SelfAttention(network) => network.score_some(history, items),
            Source::Table(_) => with_scores(self.n_items(), |scores| {
                self.score(history, scores);
                of(scores, items)
            }),
        }
    }
}

/// The scores of some items; of those that are not known 0.
fn of(scores: &[f32], items: &[u32]) -> Vec<f32> {
    let score = |item: &u32| scores.get(*item as usize).copied();
    let scores = items.iter().map(|item| score(item).unwrap_or(0.0));
    scores.collect()
}

/// The `most` best of those that may be shown, in no order; of equal ones, the smaller numbers.
pub fn best(scores: &[f32], open: &Open<'_>, most: usize) -> Vec<u32> {
    let mut top = Top::new(most);
    for (block, scores) in scores.chunks(BLOCK).enumerate() {
        // Few blocks have one that is among the best so far.
        let largest = scores
            .iter()
            .fold(f32::NEG_INFINITY, |a, b| if *b > a { *b } else { a });
        if largest <= top.above() {
            continue;
        }
        for (at, score) in scores.iter().enumerate() {
            let item = (block * BLOCK + at) as u32;
            if *score > top.above() && open.has(item) {
                top.offer(item, *score);
            }
        }
    }
    top.items()
}

/// The proposal of a source that says something of few items, and 0 of all others.
fn of_few(said: Vec<(u32, f32)>, items: usize, open: &Open<'_>, most: usize) -> Proposal {
    let (mut spread, mut top) = (Spread::default(), Top::new(most));
    for (item, score) in said {
        spread.add(score);
        if score > 0.0 && open.has(item) {
            top.offer(item, score);
        }
    }
    let (mean, deviation) = spread.over(items);
    Proposal {
        items: top.items(),
        mean,
        deviation,
    }
}

/// The proposal of many vectors: those that look best in bytes, compared in full.
fn of_vectors(factors: &Factors, history: History<'_>, open: &Open<'_>, most: usize) -> Proposal {
    let user = factors.fold_in(history);
    let (mean, deviation) = factors.unit(&user);
    let mut near = factors.near(&user, open, NEAR * most);
    near.sort_unstable();
    Proposal {
        items: best_of(&near, |item| factors.score_one(&user, item), most),
        mean,
        deviation,
    }
}

/// The `most` best of some items in rising order.
pub(super) fn best_of(items: &[u32], score: impl Fn(u32) -> f32, most: usize) -> Vec<u32> {
    let mut top = Top::new(most);
    items.iter().for_each(|item| top.offer(*item, score(*item)));
    top.items()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_found_and_ties_go_to_the_smaller() {
        let scores = [2.0, 5.0, 2.0, 9.0, 2.0];
        let shown = [true, true, true, false, true];
        let mut found = best(&scores, &Open::new(&shown), 3);
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2]);
        let all = [true; 5];
        assert!(best(&scores, &Open::new(&all), 0).is_empty());
        assert_eq!(best(&scores, &Open::new(&all), 99).len(), 5);
        assert_eq!(best(&scores, &Open::new(&all).but(&[1, 3]), 99).len(), 3);
    }
}
