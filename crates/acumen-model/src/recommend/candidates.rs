//! The best of every source, with what all sources say of them in one unit.
//!
//! Scores of different sources have different units. Each source's scores of one request are
//! standardised over all items that may be shown, to a mean of 0 and a deviation of 1, so that
//! weights of a blend mean the same for everybody.

use super::{History, Source};

/// Items that some source put forward, in rising order, and what every source says of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Candidates {
    /// The items.
    pub items: Vec<u32>,
    /// For each source, one standardised score an item.
    pub scores: Vec<Vec<f32>>,
}

/// The `most` best of each source among the items that may be shown.
///
/// # Panics
/// If sources know different numbers of items.
pub fn candidates(
    sources: &[&Source],
    history: History<'_>,
    may_be_shown: &[bool],
    most: usize,
) -> Candidates {
    let mut all: Vec<Vec<f32>> = Vec::with_capacity(sources.len());
    let mut items: Vec<u32> = Vec::new();
    for source in sources {
        let mut scores = vec![0.0; may_be_shown.len()];
        source.score(history, &mut scores);
        standardise(&mut scores, may_be_shown);
        items.extend(best(&scores, may_be_shown, most));
        all.push(scores);
    }
    items.sort_unstable();
    items.dedup();
    let of = |scores: Vec<f32>| items.iter().map(|&item| scores[item as usize]).collect();
    Candidates {
        scores: all.into_iter().map(of).collect(),
        items,
    }
}

/// Brings the scores of those that may be shown to a mean of 0 and a deviation of 1; where all are
/// the same, to 0.
pub fn standardise(scores: &mut [f32], may_be_shown: &[bool]) {
    let (mut count, mut sum, mut squares) = (0.0_f64, 0.0, 0.0);
    for (score, _) in scores.iter().zip(may_be_shown).filter(|(_, shown)| **shown) {
        let score = f64::from(*score);
        (count, sum, squares) = (count + 1.0, sum + score, squares + score * score);
    }
    let mean = sum / count.max(1.0);
    let variance = (squares / count.max(1.0) - mean * mean).max(0.0);
    // A deviation that rounding alone makes is none.
    let deviation = match variance > 1e-12 * mean * mean {
        true => variance.sqrt(),
        false => f64::INFINITY,
    };
    let (mean, deviation) = (mean as f32, deviation as f32);
    for score in scores {
        *score = (*score - mean) / deviation;
    }
}

/// The `most` best of those that may be shown, in no order; of equal ones, the smaller numbers.
pub fn best(scores: &[f32], may_be_shown: &[bool], most: usize) -> Vec<u32> {
    let shown = (0..).zip(may_be_shown).filter(|(_, shown)| **shown);
    let mut items: Vec<u32> = shown.map(|(item, _)| item).collect();
    if most < items.len() {
        let by = |a: &u32, b: &u32| {
            let (first, second) = (scores[*a as usize], scores[*b as usize]);
            second.total_cmp(&first).then(a.cmp(b))
        };
        if most > 0 {
            items.select_nth_unstable_by(most - 1, by);
        }
        items.truncate(most);
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_standardised_over_what_may_be_shown() {
        let mut scores = [1.0, 100.0, 3.0];
        standardise(&mut scores, &[true, false, true]);
        assert_eq!([scores[0], scores[2]], [-1.0, 1.0]);
        let mut same = [0.1; 5];
        standardise(&mut same, &[true; 5]);
        assert_eq!(same, [0.0; 5]);
        let mut none = [7.0];
        standardise(&mut none, &[false]);
        assert!(none[0].is_finite());
    }

    #[test]
    fn the_best_are_found_and_ties_go_to_the_smaller() {
        let scores = [2.0, 5.0, 2.0, 9.0, 2.0];
        let mut found = best(&scores, &[true, true, true, false, true], 3);
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2]);
        assert!(best(&scores, &[true; 5], 0).is_empty());
        assert_eq!(best(&scores, &[true; 5], 99).len(), 5);
    }
}
