//! When each value of one key occurred, from which every window's distinct count is read.
//!
//! An occurrence counts at an instant if it is the latest of its value there: it happened at or
//! before the instant and the next one of the same value did not. So a window holds as many
//! distinct values as it holds occurrences that count. At the newest instant these are exactly the
//! last occurrences of each value, kept sorted, and a binary search answers every window.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::entity::HashedMap;

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Occurrence {
    time: i64,
    value: u64,
    /// When the same value occurred next; `i64::MAX` if it did not.
    next: i64,
}

/// The occurrences of the values of one key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(crate) struct Occurrences {
    all: VecDeque<Occurrence>,
    /// The last occurrence of each value, by time.
    last: VecDeque<i64>,
    /// The same by value.
    by_value: HashedMap<u64, i64>,
    newest_known: Option<i64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Saved {
    all: VecDeque<Occurrence>,
    newest_known: Option<i64>,
}

impl From<Occurrences> for Saved {
    fn from(of: Occurrences) -> Saved {
        Saved {
            all: of.all,
            newest_known: of.newest_known,
        }
    }
}

impl From<Saved> for Occurrences {
    fn from(saved: Saved) -> Occurrences {
        let lasting = saved.all.iter().filter(|o| o.next == i64::MAX);
        Occurrences {
            last: lasting.clone().map(|o| o.time).collect(),
            by_value: lasting.map(|o| (o.value, o.time)).collect(),
            all: saved.all,
            newest_known: saved.newest_known,
        }
    }
}

/// How much is remembered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// How long an event may be late.
    pub(crate) lateness: i64,
    /// The longest window; `i64::MAX` is all.
    pub(crate) longest: i64,
}

impl Occurrences {
    /// Adds an occurrence and forgets what no row can ask for any more.
    pub(crate) fn insert(&mut self, time: i64, value: u64, known_at: i64, reach: Reach) {
        self.place(time, value);
        if self.newest_known.is_none_or(|known| known_at > known) {
            self.newest_known = Some(known_at);
        }
        self.prune(reach);
    }

    fn place(&mut self, time: i64, value: u64) {
        let mut next = i64::MAX;
        match self.by_value.get(&value).copied() {
            Some(last) if last == time => return,
            Some(last) if last < time => {
                self.amend(last, value, time);
                remove(&mut self.last, last);
            }
            Some(last) => {
                // Late: it stands between an earlier and a later occurrence of the value.
                let mut previous = None;
                next = last;
                for occurrence in self.all.iter().filter(|o| o.value == value) {
                    if occurrence.time == time {
                        return;
                    }
                    if occurrence.time < time {
                        previous = Some(occurrence.time);
                    } else {
                        next = occurrence.time;
                        break;
                    }
                }
                if let Some(previous) = previous {
                    self.amend(previous, value, time);
                }
            }
            None => {}
        }
        let at = self.all.partition_point(|o| o.time <= time);
        self.all.insert(at, Occurrence { time, value, next });
        if next == i64::MAX {
            self.by_value.insert(value, time);
            let at = self.last.partition_point(|known| *known <= time);
            self.last.insert(at, time);
        }
    }

    fn amend(&mut self, time: i64, value: u64, next: i64) {
        let first = self.all.partition_point(|o| o.time < time);
        let same = self.all.range_mut(first..).find(|o| o.value == value);
        if let Some(occurrence) = same {
            occurrence.next = next;
        }
    }

    fn prune(&mut self, reach: Reach) {
        let horizon = self
            .newest_known
            .unwrap_or(i64::MIN)
            .saturating_sub(reach.lateness);
        let edge = match reach.longest {
            i64::MAX => i64::MIN,
            longest => horizon.saturating_sub(longest),
        };
        while let Some(first) = self.all.front() {
            if first.time <= edge && first.next == i64::MAX {
                self.by_value.remove(&first.value);
                self.last.pop_front();
            } else if first.time > edge && first.next > horizon {
                break;
            }
            self.all.pop_front();
        }
        // What a later occurrence hides from every row is dropped when it is most of the ring.
        if self.all.len() > 64 && self.all.len() > 4 * self.last.len() {
            self.all.retain(|o| o.next > horizon);
        }
    }

    /// How many distinct values the window `(at - length, at]` holds, and whether `value` is
    /// among them.
    pub(crate) fn read(&self, at: i64, length: i64, value: Option<u64>) -> (u64, bool) {
        let begin = match length {
            i64::MAX => i64::MIN,
            length => at.saturating_sub(length),
        };
        if self.all.back().is_none_or(|newest| newest.time <= at) {
            let count = self.last.len() - self.last.partition_point(|time| *time <= begin);
            let seen = value.and_then(|value| self.by_value.get(&value));
            return (count as u64, seen.is_some_and(|time| *time > begin));
        }
        let until = self.all.partition_point(|o| o.time <= at);
        let inside = self.all.range(..until).rev().take_while(|o| o.time > begin);
        inside
            .filter(|o| o.next > at)
            .fold((0, false), |(count, seen), o| {
                (count + 1, seen || Some(o.value) == value)
            })
    }

    /// The time of the newest occurrence at or before an instant.
    pub(crate) fn newest(&self, at: i64) -> Option<i64> {
        let until = self.all.partition_point(|o| o.time <= at);
        until.checked_sub(1).map(|index| self.all[index].time)
    }

    /// Unites two parts.
    pub(crate) fn merge(&mut self, other: &Occurrences, reach: Reach) {
        let mut both: Vec<Occurrence> = self.all.drain(..).collect();
        both.extend(&other.all);
        both.sort_by_key(|o| (o.time, o.value));
        let known = self.newest_known.max(other.newest_known);
        *self = Occurrences {
            newest_known: known,
            ..Occurrences::default()
        };
        for occurrence in both {
            self.place(occurrence.time, occurrence.value);
        }
        self.prune(reach);
    }
}

fn remove(times: &mut VecDeque<i64>, time: i64) {
    let at = times.partition_point(|known| *known < time);
    times.remove(at);
}
