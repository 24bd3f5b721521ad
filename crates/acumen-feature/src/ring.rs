//! The events of one key for one operand, from which every window is read exactly.
//!
//! Events stand by event time with the running total up to each. The sum over any window is the
//! difference of two totals, so a window costs two positions and no accumulator, a late event is
//! an insertion, and a read in the past is the same read at other positions. Totals are integers
//! modulo 2^64: differences are exact as long as the sum of the window itself fits, whatever the
//! totals did. The largest and smallest value of every window ending at the newest event are read
//! from one monotonic deque each (the idea of SlickDeque, EDBT 2017).

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

/// What a ring has to be able to answer; fixed when the pipeline is compiled.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Needs {
    pub(crate) squares: bool,
    pub(crate) largest: bool,
    pub(crate) smallest: bool,
}

/// What is known of the events of one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) count: u64,
    pub(crate) sum: i64,
    pub(crate) squares: i128,
    /// `i64::MIN` where there is none.
    pub(crate) largest: i64,
    /// `i64::MAX` where there is none.
    pub(crate) smallest: i64,
}

impl Summary {
    pub(crate) const EMPTY: Summary = Summary {
        count: 0,
        sum: 0,
        squares: 0,
        largest: i64::MIN,
        smallest: i64::MAX,
    };

    /// The same with one value more.
    pub(crate) fn with(mut self, value: i64) -> Summary {
        self.count += 1;
        self.sum = self.sum.wrapping_add(value);
        self.squares += square(value);
        self.largest = self.largest.max(value);
        self.smallest = self.smallest.min(value);
        self
    }

    /// The mean in units of the operand.
    pub(crate) fn mean(&self) -> f64 {
        if self.count == 0 {
            return f64::NAN;
        }
        self.sum as f64 / self.count as f64
    }

    /// The sample standard deviation; missing below two values.
    pub(crate) fn deviation(&self) -> f64 {
        if self.count < 2 {
            return f64::NAN;
        }
        let count = self.count as i128;
        let sum = i128::from(self.sum);
        // Exact in integers as long as it fits; only the last division rounds.
        let exact = count
            .checked_mul(self.squares)
            .zip(sum.checked_mul(sum))
            .map(|(left, right)| (left - right) as f64);
        let spread = exact.unwrap_or_else(|| {
            let sum = self.sum as f64;
            (self.count as f64 * self.squares as f64 - sum * sum).max(0.0)
        });
        (spread / (count * (count - 1)) as f64).sqrt()
    }
}

fn square(value: i64) -> i128 {
    i128::from(value) * i128::from(value)
}

/// Events of one key, by event time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Ring {
    /// Event time and the total of all values up to and including this one.
    events: VecDeque<(i64, i64)>,
    /// The total of the squares, where asked for.
    squares: VecDeque<i128>,
    /// Everything that left the ring: older than any window can reach.
    folded: Summary128,
    largest: VecDeque<(i64, i64)>,
    smallest: VecDeque<(i64, i64)>,
    /// The newest `known_at` of an event of this key.
    newest_known: i64,
    /// Where the last read found the end of time and the begin of each window: hints only.
    #[serde(skip)]
    end: u32,
    #[serde(skip)]
    begins: SmallVec<[u32; 8]>,
}

/// The folded part: totals with the largest and smallest value.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Summary128 {
    count: u64,
    sum: i64,
    squares: i128,
    largest: i64,
    smallest: i64,
}

impl Default for Ring {
    fn default() -> Ring {
        Ring {
            events: VecDeque::new(),
            squares: VecDeque::new(),
            folded: Summary128 {
                count: 0,
                sum: 0,
                squares: 0,
                largest: i64::MIN,
                smallest: i64::MAX,
            },
            largest: VecDeque::new(),
            smallest: VecDeque::new(),
            newest_known: i64::MIN,
            end: 0,
            begins: SmallVec::new(),
        }
    }
}

impl Ring {
    /// Adds an event and drops what no window can reach any more: events at or before
    /// `known_at - reach`.
    pub(crate) fn insert(
        &mut self,
        time: i64,
        value: i64,
        known_at: i64,
        reach: i64,
        needs: Needs,
    ) {
        self.place(time, value, needs);
        if known_at > self.newest_known {
            self.newest_known = known_at;
            self.fold(known_at.saturating_sub(reach), needs);
        }
    }

    fn place(&mut self, time: i64, value: i64, needs: Needs) {
        if needs.largest {
            dominate(&mut self.largest, time, value, |later, new| later >= new);
        }
        if needs.smallest {
            dominate(&mut self.smallest, time, value, |later, new| later <= new);
        }
        let at = match self.events.back() {
            Some(&(newest, _)) if newest > time => self.events.partition_point(|e| e.0 <= time),
            _ => self.events.len(),
        };
        let total = self.total(at).wrapping_add(value);
        let squares = if needs.squares {
            self.squares_total(at) + square(value)
        } else {
            0
        };
        if at == self.events.len() {
            self.events.push_back((time, total));
            if needs.squares {
                self.squares.push_back(squares);
            }
            return;
        }
        self.events.insert(at, (time, total));
        for later in self.events.range_mut(at + 1..) {
            later.1 = later.1.wrapping_add(value);
        }
        if needs.squares {
            self.squares.insert(at, squares);
            for later in self.squares.range_mut(at + 1..) {
                *later += square(value);
            }
        }
    }

    /// Adds `change` to the value of an event that happened at `time`. Windows never part events
    /// of one instant, so it does not matter which of them.
    pub(crate) fn amend(&mut self, time: i64, change: i64) {
        let after = self.events.partition_point(|e| e.0 <= time);
        let from = after.saturating_sub(1);
        let here = after > 0 && self.events[from].0 == time;
        if !here {
            // It left the ring: only `window: all` still counts it.
            self.folded.sum = self.folded.sum.wrapping_add(change);
        }
        let first = if here { from } else { 0 };
        for later in self.events.range_mut(first..) {
            later.1 = later.1.wrapping_add(change);
        }
    }

    fn fold(&mut self, edge: i64, needs: Needs) {
        let mut gone = 0;
        while let Some(&(time, total)) = self.events.front() {
            if time > edge {
                break;
            }
            let value = total.wrapping_sub(self.folded.sum);
            self.folded.count += 1;
            self.folded.sum = total;
            self.folded.largest = self.folded.largest.max(value);
            self.folded.smallest = self.folded.smallest.min(value);
            self.events.pop_front();
            if needs.squares {
                self.folded.squares = self.squares.pop_front().unwrap_or(self.folded.squares);
            }
            gone += 1;
        }
        if gone == 0 {
            return;
        }
        for deque in [&mut self.largest, &mut self.smallest] {
            while deque.front().is_some_and(|first| first.0 <= edge) {
                deque.pop_front();
            }
        }
        self.end = self.end.saturating_sub(gone);
        for begin in &mut self.begins {
            *begin = begin.saturating_sub(gone);
        }
    }

    /// The total of the first `count` events and everything folded.
    fn total(&self, count: usize) -> i64 {
        match count {
            0 => self.folded.sum,
            _ => self.events[count - 1].1,
        }
    }

    fn squares_total(&self, count: usize) -> i128 {
        match count {
            0 => self.folded.squares,
            _ => self.squares[count - 1],
        }
    }

    fn value(&self, index: usize) -> i64 {
        self.events[index].1.wrapping_sub(self.total(index))
    }

    /// The first event after `bound`, looked for from a hint in both directions.
    fn locate(&self, hint: u32, bound: i64) -> usize {
        let mut at = (hint as usize).min(self.events.len());
        while at < self.events.len() && self.events[at].0 <= bound {
            at += 1;
        }
        while at > 0 && self.events[at - 1].0 > bound {
            at -= 1;
        }
        at
    }

    /// Reads the windows `(at - length, at]`; `i64::MAX` is the window without a beginning.
    pub(crate) fn read(&mut self, at: i64, lengths: &[i64], needs: Needs, out: &mut [Summary]) {
        let end = self.locate(self.end, at);
        self.end = end as u32;
        self.begins.resize(lengths.len(), 0);
        let newest = end == self.events.len();
        let totals = (
            self.total(end),
            if needs.squares {
                self.squares_total(end)
            } else {
                0
            },
        );
        for (index, &length) in lengths.iter().enumerate() {
            let all = length == i64::MAX;
            let bound = at.saturating_sub(length);
            let begin = if all {
                0
            } else {
                self.locate(self.begins[index], bound)
            };
            self.begins[index] = begin as u32;
            let mut summary = Summary {
                count: (end - begin) as u64,
                sum: totals.0.wrapping_sub(self.total(begin)),
                ..Summary::EMPTY
            };
            if needs.squares {
                summary.squares = totals.1 - self.squares_total(begin);
            }
            self.extremes(&mut summary, (begin, end), bound, newest, needs);
            if all {
                summary.count += self.folded.count;
                summary.sum = totals.0;
                summary.squares = totals.1;
                summary.largest = summary.largest.max(self.folded.largest);
                summary.smallest = summary.smallest.min(self.folded.smallest);
            }
            out[index] = summary;
        }
    }

    fn extremes(
        &self,
        summary: &mut Summary,
        (begin, end): (usize, usize),
        bound: i64,
        newest: bool,
        needs: Needs,
    ) {
        if begin == end || !(needs.largest || needs.smallest) {
            return;
        }
        if newest {
            // The deques speak of windows that end at the newest event only.
            summary.largest = first_after(&self.largest, bound).unwrap_or(i64::MIN);
            summary.smallest = first_after(&self.smallest, bound).unwrap_or(i64::MAX);
            return;
        }
        for index in begin..end {
            let value = self.value(index);
            summary.largest = summary.largest.max(value);
            summary.smallest = summary.smallest.min(value);
        }
    }

    /// The time of the newest event at or before `at`.
    pub(crate) fn newest(&self, at: i64) -> Option<i64> {
        let after = self.events.partition_point(|e| e.0 <= at);
        after.checked_sub(1).map(|index| self.events[index].0)
    }

    /// Unites the events of two parts of one key.
    pub(crate) fn merge(&mut self, other: &Ring, reach: i64, needs: Needs) {
        let known = self.newest_known.max(other.newest_known);
        let edge = known.saturating_sub(reach);
        let mut other = other.clone();
        self.fold(edge, needs);
        other.fold(edge, needs);
        let mut events: Vec<(i64, i64)> = Vec::with_capacity(self.events.len());
        for ring in [&*self, &other] {
            events.extend((0..ring.events.len()).map(|i| (ring.events[i].0, ring.value(i))));
        }
        events.sort_unstable();
        let mut merged = Ring {
            folded: Summary128 {
                count: self.folded.count + other.folded.count,
                sum: self.folded.sum.wrapping_add(other.folded.sum),
                squares: self.folded.squares + other.folded.squares,
                largest: self.folded.largest.max(other.folded.largest),
                smallest: self.folded.smallest.min(other.folded.smallest),
            },
            newest_known: known,
            ..Ring::default()
        };
        for (time, value) in events {
            merged.place(time, value, needs);
        }
        *self = merged;
    }
}

/// Keeps a deque in which every entry beats all later ones, whatever the order of arrival.
fn dominate(
    deque: &mut VecDeque<(i64, i64)>,
    time: i64,
    value: i64,
    beats: impl Fn(i64, i64) -> bool,
) {
    let mut at = deque.len();
    while at > 0 && deque[at - 1].0 > time {
        at -= 1;
    }
    if at < deque.len() && beats(deque[at].1, value) {
        return;
    }
    let mut first = at;
    while first > 0 && beats(value, deque[first - 1].1) {
        first -= 1;
    }
    if at == deque.len() {
        deque.truncate(first);
        deque.push_back((time, value));
    } else {
        deque.drain(first..at);
        deque.insert(first, (time, value));
    }
}

fn first_after(deque: &VecDeque<(i64, i64)>, bound: i64) -> Option<i64> {
    let mut found = None;
    for &(time, value) in deque.iter().rev() {
        if time <= bound {
            break;
        }
        found = Some(value);
    }
    found
}
