//! `run_length`: how many of a key's last events in a row turned out positive.

use acumen_base::{ColumnKind, Span};
use serde::{Deserialize, Serialize};

use super::{Accepts, Context, DELAY, Operator, ParamDoc, WHERE};
use crate::condition::Where;
use crate::history::{Entry, History};
use crate::operand::MISSING;
use crate::outcome::Mark;
use crate::state::{Facts, Keyed, Logic};
use crate::windows::Source;

/// The operator.
pub(super) struct RunLength;

struct Run {
    kind: usize,
    source: Source,
    when: Option<Where>,
    /// Events count this long after they happened.
    delay: i64,
    /// After so long an event is neither amended nor passed over by a late row.
    settled: i64,
}

/// What is kept of a key.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    history: History<bool>,
    /// When the last positive among the forgotten events happened.
    last_positive: Option<i64>,
}

impl Run {
    /// Forgets settled events before the last negative among them: no run reaches beyond it. The
    /// negative itself stays, for the part of the state that this one may be merged with.
    fn prune(&self, of: &mut Kept) {
        let edge = of.history.newest_known.saturating_sub(self.settled);
        let entries = &mut of.history.entries;
        let settled = entries.iter().take_while(|entry| entry.time < edge);
        let last_negative = settled
            .enumerate()
            .filter(|(_, entry)| !entry.value)
            .map(|(index, _)| index)
            .last();
        if let Some(index) = last_negative {
            let mut positives = entries.drain(..index).filter(|entry| entry.value);
            let newest = positives.next_back().map(|entry| entry.time);
            of.last_positive = of.last_positive.max(newest);
        }
    }
}

impl Logic for Run {
    type Of = Kept;

    fn width(&self) -> usize {
        COLUMNS.len()
    }

    fn read(&self, of: &mut Self::Of, _: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        let until = of.history.until(at.saturating_sub(self.delay));
        let newest_first = || of.history.entries.range(..until).rev();
        let run = newest_first().take_while(|entry| entry.value);
        let (length, began) = run.fold((0_u64, None), |(n, _), entry| (n + 1, Some(entry.time)));
        let last = newest_first().next().map(|entry| entry.value);
        let last_positive = newest_first().find(|entry| entry.value);
        let last_positive = last_positive.map(|entry| entry.time).max(of.last_positive);
        let since = |time: Option<i64>| time.map_or(f64::NAN, |t| (at - t) as f64 / 1_000.0);
        out[0] = length as f64;
        out[1] = since(began);
        out[2] = last.map_or(f64::NAN, |positive| f64::from(u8::from(positive)));
        out[3] = since(last_positive);
        out[4] = since(
            newest_first()
                .find(|entry| !entry.value)
                .map(|entry| entry.time),
        );
    }

    fn observe(&self, of: &mut Self::Of, facts: &Facts<'_>) {
        if facts.kind != self.kind || !facts.holds.admits(self.when) {
            return;
        }
        let value = match self.source {
            Source::Outcome(outcome) => facts.positive >> outcome & 1 == 1,
            Source::Operand(operand) => match facts.operands[operand] {
                MISSING => return,
                flag => flag == 1,
            },
        };
        let entry = Entry {
            time: facts.time,
            position: facts.position,
            value,
        };
        of.history.place(entry, facts.known_at);
        self.prune(of);
    }

    fn mark(&self, of: &mut Self::Of, mark: &Mark) {
        let key = (mark.time, mark.position);
        let entries = &mut of.history.entries;
        let at = entries.partition_point(|entry| (entry.time, entry.position) < key);
        if let Some(entry) = entries.get_mut(at)
            && (entry.time, entry.position) == key
        {
            entry.value = mark.positive;
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

    fn newest(&self, of: &Self::Of, at: i64) -> Option<i64> {
        let last = of.history.last(at.saturating_sub(self.delay));
        last.map(|entry| entry.time)
    }

    fn merge(&self, of: &mut Self::Of, other: &Self::Of) {
        // A positive event may be in the one part and what it names in the other: what looks
        // negative here is forgotten only after the outcomes are united, by the next event.
        of.history.unite(&other.history);
        of.last_positive = of.last_positive.max(other.last_positive);
    }
}

/// Suffix, kind, unit, and words in which `{}` is what the run is of.
const COLUMNS: [(&str, ColumnKind, &str, &str); 5] = [
    (
        "events",
        ColumnKind::Number,
        "",
        "length of the latest run of {}",
    ),
    (
        "seconds",
        ColumnKind::Number,
        "s",
        "seconds since the latest run of {} began",
    ),
    (
        "last",
        ColumnKind::Flag,
        "",
        "whether the latest event is a {}",
    ),
    (
        "since_positive",
        ColumnKind::Number,
        "s",
        "seconds since the latest {}",
    ),
    (
        "since_negative",
        ColumnKind::Number,
        "s",
        "seconds since the latest that is no {}",
    ),
];

impl Operator for RunLength {
    fn name(&self) -> &'static str {
        "run_length"
    }

    fn doc(&self) -> &'static str {
        "How many of the key's latest events in a row, by event time, are known to be positive at \
         the row's place in the log (`events`), and the `seconds` since the first of them; whether \
         the `last` event is positive, missing where there is none; and the seconds \
         `since_positive` and `since_negative`, since the latest event of either kind. A run of \
         positive events began after the latest negative one and not later than the first of \
         them, so `since_negative` and `seconds` enclose its age. An event whose \
         outcome is not known counts as a negative one. One for which `where` does not hold is \
         passed over. The current event is excluded."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[DELAY, WHERE]
    }

    fn accepts(&self) -> Accepts {
        Accepts::BY
    }

    fn example(&self) -> &'static str {
        "{operator: run_length, of: outcome, by: customer, delay: 7d}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let delay = context.span("delay", Span::ZERO).0;
        let entities = context.entities();
        let Some(operand) = context.outcome_or_flag() else {
            return;
        };
        let late = context.lateness().saturating_add(delay);
        let settled = late.saturating_add(context.closes(operand.source));
        for entity in entities {
            let logic = Run {
                kind: operand.kind,
                source: operand.source,
                when: operand.when,
                delay,
                settled,
            };
            let unit = context.unit(Box::new(Keyed::new(logic, entity)));
            let (of, by) = (&operand.words, context.entity_name(entity));
            for (local, (suffix, kind, measure, words)) in COLUMNS.into_iter().enumerate() {
                let help = format!("{} of this {by}", words.replace("{}", of));
                context.column(entity, suffix, (kind, measure), &help, (unit, local));
            }
        }
    }
}
