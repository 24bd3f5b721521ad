//! The unit that reads windows: one ring a key for all features of one operand and one delay.

use crate::condition::Where;
use crate::operand::MISSING;
use crate::outcome::Mark;
use crate::ring::{Needs, Ring, Summary};
use crate::state::{Facts, Logic};
use smallvec::SmallVec;

/// What is read of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Stat {
    Count,
    Sum,
    Avg,
    Min,
    Max,
    Stddev,
    /// Sum over count: the share of ones.
    Share,
    /// Mean, deviation, distance of the current value in deviations, and ratio of the current
    /// value to the mean, of at least so many events.
    Mean(u64),
    Deviation(u64),
    Distance(u64),
    Ratio(u64),
}

/// One column of the unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Output {
    /// Index into the unit's windows.
    pub(crate) window: usize,
    pub(crate) stat: Stat,
    /// Whether the event of the row counts.
    pub(crate) current: bool,
}

/// What values a unit keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Source {
    /// A numeric operand of the plan.
    Operand(usize),
    /// One where the outcome is known to be positive, else zero.
    Outcome(usize),
}

/// A ring a key, and everything that is read from it.
pub(crate) struct Windows {
    /// The event type it observes.
    pub(crate) kind: usize,
    pub(crate) source: Source,
    /// Which events count.
    pub(crate) when: Option<Where>,
    /// Windows end this long before the row.
    pub(crate) delay: i64,
    /// Window lengths; `i64::MAX` is all.
    pub(crate) lengths: Vec<i64>,
    pub(crate) outputs: Vec<Output>,
    pub(crate) needs: Needs,
    /// Units of the operand in a unit of the columns.
    pub(crate) scale: f64,
    /// How long an event may be late.
    pub(crate) lateness: i64,
}

impl Windows {
    /// The output's place; adds the window and the output where they are new.
    pub(crate) fn output(&mut self, length: i64, mut output: Output) -> usize {
        output.window = match self.lengths.iter().position(|known| *known == length) {
            Some(window) => window,
            None => {
                self.lengths.push(length);
                self.lengths.len() - 1
            }
        };
        match output.stat {
            Stat::Max => self.needs.largest = true,
            Stat::Min => self.needs.smallest = true,
            Stat::Stddev | Stat::Deviation(_) | Stat::Distance(_) => self.needs.squares = true,
            _ => {}
        }
        match self.outputs.iter().position(|known| *known == output) {
            Some(at) => at,
            None => {
                self.outputs.push(output);
                self.outputs.len() - 1
            }
        }
    }

    /// How far before the newest known time an event can still be read.
    fn reach(&self) -> i64 {
        let finite = self.lengths.iter().filter(|length| **length != i64::MAX);
        let longest = finite.max().copied().unwrap_or(0);
        longest
            .saturating_add(self.delay)
            .saturating_add(self.lateness)
    }

    fn value(&self, facts: &Facts<'_>) -> i64 {
        match self.source {
            Source::Operand(operand) => facts.operands[operand],
            Source::Outcome(outcome) => i64::from(facts.positive >> outcome & 1),
        }
    }

    fn derive(&self, output: Output, before: &Summary, current: Option<i64>) -> f64 {
        let summary = match current {
            Some(value) if output.current => before.with(value),
            _ => *before,
        };
        let enough = |minimum: u64, value: f64| {
            if summary.count >= minimum {
                value
            } else {
                f64::NAN
            }
        };
        let empty = summary.count == 0;
        match output.stat {
            Stat::Count => summary.count as f64,
            Stat::Sum => summary.sum as f64 / self.scale,
            Stat::Avg | Stat::Share => summary.mean() / self.scale,
            Stat::Min | Stat::Max if empty => f64::NAN,
            Stat::Min => summary.smallest as f64 / self.scale,
            Stat::Max => summary.largest as f64 / self.scale,
            Stat::Stddev => summary.deviation() / self.scale,
            Stat::Mean(minimum) => enough(minimum, summary.mean() / self.scale),
            Stat::Deviation(minimum) => enough(minimum, summary.deviation() / self.scale),
            Stat::Distance(minimum) => enough(
                minimum,
                distance(current, summary.mean(), summary.deviation()),
            ),
            Stat::Ratio(minimum) => enough(minimum, ratio(current, summary.mean())),
        }
    }
}

/// In deviations; a value equal to a mean without deviation is at distance 0, any other has none.
fn distance(current: Option<i64>, mean: f64, deviation: f64) -> f64 {
    let Some(value) = current else {
        return f64::NAN;
    };
    let off = value as f64 - mean;
    if deviation > 0.0 {
        off / deviation
    } else if off == 0.0 && deviation == 0.0 {
        0.0
    } else {
        f64::NAN
    }
}

fn ratio(current: Option<i64>, mean: f64) -> f64 {
    match current {
        Some(value) if mean != 0.0 => value as f64 / mean,
        _ => f64::NAN,
    }
}

impl Logic for Windows {
    type Of = Ring;

    fn width(&self) -> usize {
        self.outputs.len()
    }

    fn read(&self, ring: &mut Ring, current: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        let current = current.filter(|facts| facts.kind == self.kind);
        let counts = current.is_some_and(|facts| facts.holds.admits(self.when));
        let current = current.map(|facts| self.value(facts));
        let mut summaries: SmallVec<[Summary; 10]> = SmallVec::new();
        summaries.resize(self.lengths.len(), Summary::EMPTY);
        let end = at.saturating_sub(self.delay);
        ring.read(end, &self.lengths, self.needs, &mut summaries);
        let missing = current == Some(MISSING);
        for (output, out) in self.outputs.iter().zip(out) {
            *out = if missing && output.current {
                f64::NAN
            } else {
                let value = current.filter(|value| *value != MISSING);
                let output = Output {
                    current: output.current && counts,
                    ..*output
                };
                self.derive(output, &summaries[output.window], value)
            };
        }
    }

    fn observe(&self, ring: &mut Ring, facts: &Facts<'_>) {
        if facts.kind != self.kind || !facts.holds.admits(self.when) {
            return;
        }
        let value = self.value(facts);
        if value != MISSING {
            ring.insert(facts.time, value, facts.known_at, self.reach(), self.needs);
        }
    }

    fn mark(&self, ring: &mut Ring, mark: &Mark) {
        if mark.holds.admits(self.when) {
            ring.amend(mark.time, if mark.positive { 1 } else { -1 });
        }
    }

    fn outcome(&self) -> Option<usize> {
        match self.source {
            Source::Outcome(outcome) => Some(outcome),
            Source::Operand(_) => None,
        }
    }

    fn when(&self) -> Option<Where> {
        self.when
    }

    fn newest(&self, ring: &Ring, at: i64) -> Option<i64> {
        ring.newest(at.saturating_sub(self.delay))
    }

    fn merge(&self, ring: &mut Ring, other: &Ring) {
        ring.merge(other, self.reach(), self.needs);
    }
}
