//! What would have led to a milder action: the smallest change of what a person can change.
//!
//! A counterfactual explanation (Wachter, Mittelstadt and Russell 2017) that takes only values
//! which the columns really take, changes one column before two, and measures a change by how many
//! of the training rows lie between, so that a pound and an hour compare.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use acumen_base::{Decision, Event, Row};
use serde::{Deserialize, Serialize};

use crate::choice::{self, Chance};
use crate::course::{self, Course};
use crate::policy::Policy;
use crate::reasons::value_in_words;
use crate::state::State;

/// How often models are asked in one search.
pub const EVALUATIONS_MAX: usize = 2_000;

/// A column that a person can change, and the values that it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Lever {
    /// The column's name.
    pub column: String,
    /// Values of the training rows at equal steps of their order, rising; codes of a category.
    pub values: Vec<f64>,
    /// Whether only equality means something.
    pub category: bool,
}

/// What a search for a milder action found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhatIf {
    /// The changes, one or two columns; empty where none was found.
    pub changes: Vec<Change>,
    /// The action that it would have been: decided again, on the changed row.
    pub action: Option<String>,
    /// The score that it would have had.
    pub score: Option<f64>,
    /// The share of the training rows that lies between, added up over the changes.
    pub distance: Option<f64>,
    /// How many rows were decided on in search of it.
    pub evaluated: usize,
    /// The same in words, or why there is none.
    pub text: String,
}

/// One column with another value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// The column.
    pub column: String,
    /// What it was; `None` where it was missing.
    pub from: Option<f64>,
    /// What it would have to be.
    pub to: f64,
}

/// One column set to one value.
#[derive(Clone, Copy, Debug)]
struct Step {
    column: usize,
    to: f64,
    distance: f64,
}

struct Search<'a> {
    policy: &'a Policy,
    record: &'a Decision,
    event: &'a Event,
    state: &'a State,
    row: Row,
    evaluated: usize,
}

/// Looks for the smallest change that leads to a milder action than the record's.
pub(crate) fn what_if(
    policy: &Policy,
    record: &Decision,
    event: &Event,
    state: &State,
    levers: &[Lever],
) -> WhatIf {
    let mut search = Search {
        policy,
        record,
        event,
        state,
        row: crate::explain::row_of(policy, record),
        evaluated: 0,
    };
    let severity = policy.bands.severity(&record.action_without_exploration);
    if severity.is_none_or(|severity| severity == 0) {
        return search.nothing("nothing milder could have been done");
    }
    if levers.is_empty() {
        return search.nothing(
            "no column is known to be changeable: declare `explain: {actionable: [feature or \
             column]}` in usecase.yaml",
        );
    }
    let severity = severity.unwrap_or_default();
    let steps = search.steps(levers);
    if steps.is_empty() {
        return search.nothing(
            "the models keep no values of the changeable columns: train them again, and they will",
        );
    }
    let singles = steps.iter().map(|step| vec![*step]);
    if let Some(found) = search.first(singles, severity) {
        return found;
    }
    match search.first(Pairs::new(&steps), severity) {
        Some(found) => found,
        None if search.evaluated >= EVALUATIONS_MAX => search.nothing(
            "no change of one or two of the changeable columns was found within the limit of the \
             search",
        ),
        None => search.nothing("no change of one or two of the changeable columns is enough"),
    }
}

impl Search<'_> {
    /// Every single change, the smallest first; of equal ones in the order of the columns.
    fn steps(&self, levers: &[Lever]) -> Vec<Step> {
        let mut steps = Vec::new();
        for lever in levers {
            let Some(column) = self.policy.spec.columns.position(&lever.column) else {
                continue;
            };
            let from = self.row.values[column];
            let others = lever
                .ranked()
                .into_iter()
                .filter(|(value, _)| *value != from);
            steps.extend(others.map(|(to, rank)| Step {
                column,
                to,
                distance: lever.distance(from, rank),
            }));
        }
        steps.sort_by(|a, b| {
            let distance = a.distance.total_cmp(&b.distance);
            distance
                .then(a.column.cmp(&b.column))
                .then(a.to.total_cmp(&b.to))
        });
        steps
    }

    /// The first of some changes that leads to something milder.
    fn first(
        &mut self,
        changes: impl Iterator<Item = Vec<Step>>,
        severity: usize,
    ) -> Option<WhatIf> {
        for steps in changes {
            if self.evaluated >= EVALUATIONS_MAX {
                return None;
            }
            let (would_be, score) = self.decide(&steps);
            if would_be < severity {
                return Some(self.found(&steps, would_be, score));
            }
        }
        None
    }

    /// Decides on the changed row, with the time that the record's members had.
    fn decide(&mut self, steps: &[Step]) -> (usize, Option<f64>) {
        self.evaluated += 1;
        let mut row = self.row.clone();
        for step in steps {
            row.values[step.column] = step.to;
        }
        let facts = self.policy.facts(self.event, &row, self.state);
        let run = course::run(self.policy, facts, &row, &Course::recorded(self.record));
        let (score, id) = (run.facts.score, &self.event.id);
        let choice = choice::choose(self.policy, &run.verdict, score, id, Chance::Drawn(false));
        (choice.without_exploration, score)
    }

    fn found(&self, steps: &[Step], severity: usize, score: Option<f64>) -> WhatIf {
        let action = self.policy.bands.actions()[severity].name.clone();
        let name = |column: usize| &self.policy.spec.columns.list[column].name;
        let words = |step: &Step| {
            let value = |value| value_in_words(self.policy, self.event, name(step.column), value);
            let (what, from) = value(self.row.values[step.column]);
            format!("{what}: {} instead of {from}", value(step.to).1)
        };
        let words: Vec<String> = steps.iter().map(words).collect();
        WhatIf {
            text: format!("it would have been `{action}` with {}", words.join(" and ")),
            changes: steps
                .iter()
                .map(|step| {
                    let from = self.row.values[step.column];
                    Change {
                        column: name(step.column).clone(),
                        from: (!from.is_nan()).then_some(from),
                        to: step.to,
                    }
                })
                .collect(),
            action: Some(action),
            score,
            distance: Some(steps.iter().map(|step| step.distance).sum()),
            evaluated: self.evaluated,
        }
    }

    fn nothing(&self, why: &str) -> WhatIf {
        WhatIf {
            changes: Vec::new(),
            action: None,
            score: None,
            distance: None,
            evaluated: self.evaluated,
            text: why.to_owned(),
        }
    }
}

impl Lever {
    /// Each different value with its place among all rows, 0 to 1.
    fn ranked(&self) -> Vec<(f64, f64)> {
        let last = self.values.len().saturating_sub(1).max(1) as f64;
        let mut ranked = Vec::new();
        let mut begin = 0;
        for same in self.values.chunk_by(|a, b| a == b) {
            let middle = begin as f64 + (same.len() - 1) as f64 / 2.0;
            ranked.push((same[0], middle / last));
            begin += same.len();
        }
        ranked
    }

    /// The share of the rows between a value and the place of another. One category is as far
    /// from any other as can be, and so is a missing value from a known one.
    fn distance(&self, from: f64, to_rank: f64) -> f64 {
        if self.category || from.is_nan() {
            return 1.0;
        }
        let ranked = self.ranked();
        let above = ranked.partition_point(|(value, _)| *value < from);
        let rank = match (above.checked_sub(1).map(|i| ranked[i]), ranked.get(above)) {
            (_, Some((value, rank))) if *value == from => *rank,
            (Some((low, low_rank)), Some((high, high_rank))) => {
                low_rank + (high_rank - low_rank) * (from - low) / (high - low)
            }
            (None, _) => 0.0,
            (Some(_), None) => 1.0,
        };
        (to_rank - rank).abs()
    }
}

/// Pairs of steps on different columns, the smallest sum first, without making them all.
struct Pairs<'a> {
    steps: &'a [Step],
    /// The next partner of each first step, by the bits of the sum: those of positive numbers
    /// are in the order of the numbers.
    next: BinaryHeap<Reverse<(u64, usize, usize)>>,
}

impl Pairs<'_> {
    fn new(steps: &[Step]) -> Pairs<'_> {
        let mut pairs = Pairs {
            steps,
            next: BinaryHeap::new(),
        };
        for first in 0..steps.len() {
            pairs.push(first, first + 1);
        }
        pairs
    }

    fn push(&mut self, first: usize, second: usize) {
        if let Some(partner) = self.steps.get(second) {
            let sum = self.steps[first].distance + partner.distance;
            self.next.push(Reverse((sum.to_bits(), first, second)));
        }
    }
}

impl Iterator for Pairs<'_> {
    type Item = Vec<Step>;

    fn next(&mut self) -> Option<Vec<Step>> {
        loop {
            let Reverse((_, first, second)) = self.next.pop()?;
            self.push(first, second + 1);
            let (one, other) = (self.steps[first], self.steps[second]);
            if one.column != other.column {
                return Some(vec![one, other]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lever(values: &[f64]) -> Lever {
        Lever {
            column: "a".to_owned(),
            values: values.to_vec(),
            category: false,
        }
    }

    #[test]
    fn distance_counts_the_rows_between() {
        let lever = lever(&[0.0, 0.0, 0.0, 1.0, 10.0]);
        assert_eq!(lever.ranked(), [(0.0, 0.25), (1.0, 0.75), (10.0, 1.0)]);
        for (from, to_rank, distance) in [
            (0.0, 0.75, 0.5),
            (10.0, 0.75, 0.25),
            (5.5, 1.0, 0.125),
            (-3.0, 0.25, 0.25),
            (99.0, 0.25, 0.75),
            (f64::NAN, 0.25, 1.0),
        ] {
            assert_eq!(lever.distance(from, to_rank), distance, "from {from}");
        }
    }

    #[test]
    fn pairs_come_smallest_first_and_all_of_them() {
        let distances = [(0, 0.1), (1, 0.2), (0, 0.25), (2, 0.4), (1, 0.9)];
        let steps = distances.map(|(column, distance)| Step {
            column,
            to: 0.0,
            distance,
        });
        let sums: Vec<f64> = Pairs::new(&steps)
            .map(|pair| pair[0].distance + pair[1].distance)
            .collect();
        assert!(sums.is_sorted(), "{sums:?}");
        assert_eq!(sums.len(), 8, "ten pairs, of which two are of one column");
    }
}
