//! Where the score bands begin, so that what is done is worth most.
//!
//! With rows in the order of their probability, giving each action one stretch of them is a
//! dynamic programme over the cuts: exact, in one pass (Bellman 1961, on the segmentation of a
//! sequence).

use std::sync::Arc;

use acumen_base::Event;
use acumen_base::outcome::Truth;
use acumen_value::{Rates, Valuation};

/// A row with its calibrated probability and its truth.
pub(crate) struct Judged<'a> {
    pub(crate) probability: f64,
    pub(crate) truth: Truth,
    pub(crate) event: &'a Arc<Event>,
    /// How many rows it stands for.
    pub(crate) weight: f32,
}

/// Pairs of (probability, score) under which the declared bands take the cuts that were worth
/// most on these rows; `None` where there are no rows.
pub(crate) fn fit(
    actions: &[(String, u8, u8)],
    valuation: &Valuation,
    rates: &Rates,
    mut rows: Vec<Judged<'_>>,
) -> Option<Vec<(f64, f64)>> {
    rows.sort_by(|a, b| a.probability.total_cmp(&b.probability));
    // Rows of one probability cannot be told apart, so a cut falls between groups of them.
    let groups: Vec<&[Judged<'_>]> = rows
        .chunk_by(|a, b| a.probability == b.probability)
        .collect();
    if groups.is_empty() {
        return None;
    }
    let worth: Vec<Vec<i128>> = actions
        .iter()
        .map(|(action, _, _)| {
            groups
                .iter()
                .map(|rows| sum(valuation, action, rates, rows))
                .collect()
        })
        .collect();
    let cut = |start: &usize| match groups.get(*start) {
        Some(rows) if *start > 0 => {
            f64::midpoint(groups[*start - 1][0].probability, rows[0].probability)
        }
        Some(_) => 0.0,
        None => 1.0,
    };
    let cuts: Vec<f64> = best_starts(&worth).iter().skip(1).map(cut).collect();
    Some(knots_at(actions, &cuts))
}

/// The score at which each action but the mildest begins, less the half that rounding adds.
pub(crate) fn boundaries(actions: &[(String, u8, u8)]) -> impl Iterator<Item = f64> {
    actions
        .iter()
        .skip(1)
        .map(|(_, from, _)| f64::from(*from) - 0.5)
}

/// Pairs of (probability, score) under which each action but the mildest begins at its cut.
pub(crate) fn knots_at(actions: &[(String, u8, u8)], cuts: &[f64]) -> Vec<(f64, f64)> {
    let mut knots = vec![(0.0, 0.0)];
    for (boundary, cut) in boundaries(actions).zip(cuts) {
        // Knots rise: a band that was given no rows is squeezed to almost nothing.
        let least = knots[knots.len() - 1].0 + SQUEEZED;
        knots.push((cut.max(least), boundary));
    }
    knots.push((1.0, 100.0));
    squeeze_down(&mut knots);
    knots
}

/// Where each action but the mildest begins under some knots, the other way round.
pub(crate) fn cuts_of(actions: &[(String, u8, u8)], knots: &[(f64, f64)]) -> Vec<f64> {
    let cut = |boundary: f64| {
        let after = knots.partition_point(|(_, score)| *score < boundary);
        match (
            after.checked_sub(1).map(|before| knots[before]),
            knots.get(after),
        ) {
            (None, _) => 0.0,
            (Some(_), None) => 1.0,
            (Some((p, s)), Some((q, t))) => p + (q - p) * ((boundary - s) / (t - s)),
        }
    };
    boundaries(actions).map(cut).collect()
}

/// How narrow a band may become.
const SQUEEZED: f64 = 1e-9;

/// Moves knots down that were pushed to or beyond the one behind them.
fn squeeze_down(knots: &mut [(f64, f64)]) {
    for i in (1..knots.len() - 1).rev() {
        let most = knots[i + 1].0 - SQUEEZED;
        knots[i].0 = knots[i].0.min(most);
    }
}

fn sum(valuation: &Valuation, action: &str, rates: &Rates, rows: &[Judged<'_>]) -> i128 {
    let worth = |row: &Judged<'_>| {
        let money = valuation.value(action, row.truth, row.event, rates)?;
        // In minor units; a row that stands for others counts for them, to the nearest unit.
        Some((money.minor as f64 * f64::from(row.weight)).round() as i128)
    };
    rows.iter().filter_map(worth).sum()
}

/// The first group of each action's stretch, when stretches follow each other in the order of the
/// actions and are worth most in total; of equal choices the milder action.
fn best_starts(worth: &[Vec<i128>]) -> Vec<usize> {
    let n = worth[0].len();
    // best[i]: the worth of the first i groups with the actions so far.
    let mut best: Vec<i128> = prefix(&worth[0]);
    let mut cuts: Vec<Vec<usize>> = Vec::new();
    for action in &worth[1..] {
        let gained = prefix(action);
        // The last cut c ≤ i maximises best[c] − gained[c]: a running maximum.
        let mut chosen = vec![0; n + 1];
        let mut next = vec![0; n + 1];
        let mut top = 0;
        for i in 0..=n {
            if best[i] - gained[i] >= best[top] - gained[top] {
                top = i;
            }
            chosen[i] = top;
            next[i] = best[top] - gained[top] + gained[i];
        }
        cuts.push(chosen);
        best = next;
    }
    let mut starts = vec![0; worth.len()];
    let mut end = n;
    for (action, chosen) in cuts.iter().enumerate().rev() {
        end = chosen[end];
        starts[action + 1] = end;
    }
    starts
}

fn prefix(values: &[i128]) -> Vec<i128> {
    let mut sums = Vec::with_capacity(values.len() + 1);
    sums.push(0);
    for value in values {
        sums.push(sums[sums.len() - 1] + value);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knots_and_cuts_are_two_ways_to_say_it() {
        let actions = [("ship", 0, 30), ("check", 31, 69), ("review", 70, 100)];
        let actions = actions.map(|(name, from, to)| (name.to_owned(), from, to));
        for cuts in [[0.2, 0.7], [0.001, 0.002]] {
            let back = cuts_of(&actions, &knots_at(&actions, &cuts));
            assert!(
                back.iter().zip(cuts).all(|(a, b)| (a - b).abs() < 1e-12),
                "{back:?}"
            );
        }
        let linear = cuts_of(&actions, &[(0.0, 0.0), (1.0, 100.0)]);
        assert_eq!(linear, [0.305, 0.695]);
        assert_eq!(cuts_of(&actions, &[(0.1, 50.0), (0.9, 60.0)]), [0.0, 1.0]);
    }

    #[test]
    fn cuts_are_the_best_of_all() {
        let worth: Vec<Vec<i128>> = vec![
            vec![5, 4, -9, -9, -50],
            vec![1, 1, 1, -2, -5],
            vec![-4, -4, -4, 3, 3],
        ];
        let total = |starts: &[usize]| -> i128 {
            let ends = [starts[1], starts[2], 5];
            (0..3)
                .map(|a| worth[a][starts[a]..ends[a]].iter().sum::<i128>())
                .sum()
        };
        let mut most = i128::MIN;
        for first in 0..=5 {
            for second in first..=5 {
                most = most.max(total(&[0, first, second]));
            }
        }
        let starts = best_starts(&worth);
        assert_eq!(total(&starts), most);
        assert_eq!(starts, [0, 2, 3]);
    }
}
