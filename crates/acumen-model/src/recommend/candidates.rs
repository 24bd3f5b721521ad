//! The best of every source, with what all sources say of them in one unit.
//!
//! Scores of different sources have different units. Each source's scores are standardised over all
//! items that it knows, to a mean of 0 and a deviation of 1, so that weights of a blend mean the
//! same for everybody.

use super::open::Open;
use super::proposal::Spread;
use super::{History, Proposal, Source};

/// Items that some source put forward, in rising order, and what every source says of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// The items.
    pub items: Vec<u32>,
    /// For each source, one standardised score an item.
    pub scores: Vec<Vec<f32>>,
}

impl Candidates {
    /// Those at some places, in rising order.
    #[must_use]
    pub fn only(&self, places: &[u32]) -> Candidates {
        let scores = |scores: &Vec<f32>| places.iter().map(|at| scores[*at as usize]).collect();
        Candidates {
            items: places.iter().map(|at| self.items[*at as usize]).collect(),
            scores: self.scores.iter().map(scores).collect(),
        }
    }
}

/// The `most` best of each source among the items that may be shown.
pub fn candidates(
    sources: &[&Source],
    history: History<'_>,
    open: &Open<'_>,
    most: usize,
) -> Candidates {
    let propose = |source: &&Source| source.propose(history, open, most);
    let proposals: Vec<Proposal> = sources.iter().map(propose).collect();
    let items = put_forward(&proposals);
    let scores = sources.iter().zip(&proposals);
    Candidates {
        scores: scores
            .map(|(source, unit)| source.score_some(history, &items, unit))
            .collect(),
        items,
    }
}

/// Everything that was put forward, in rising order.
pub fn put_forward<'a>(proposals: impl IntoIterator<Item = &'a Proposal>) -> Vec<u32> {
    let all = proposals.into_iter();
    let mut items: Vec<u32> = all.flat_map(|said| &said.items).copied().collect();
    items.sort_unstable();
    items.dedup();
    items
}

/// Brings scores to a mean of 0 and a deviation of 1; where all are the same, to 0.
pub fn standardise(scores: &mut [f32]) {
    let (mean, deviation) = Spread::of(scores).over(scores.len());
    for score in scores {
        *score = (*score - mean) / deviation;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_standardised() {
        let mut scores = [1.0, 3.0];
        standardise(&mut scores);
        assert_eq!(scores, [-1.0, 1.0]);
        let mut same = [0.1; 5];
        standardise(&mut same);
        assert_eq!(same, [0.0; 5]);
        standardise(&mut []);
    }
}
