//! `run_length`: how many of a key's last events in a row turned out positive.

use acumen_base::ColumnKind;

use super::{Accepts, Context, Operator, ParamDoc};
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
    /// After so long an event is neither amended nor passed over by a late row.
    settled: i64,
}

impl Run {
    /// Forgets settled events before the last negative among them: no run reaches beyond it. The
    /// negative itself stays, for the part of the state that this one may be merged with.
    fn prune(&self, of: &mut History<bool>) {
        let edge = of.newest_known.saturating_sub(self.settled);
        let settled = of.entries.iter().take_while(|entry| entry.time < edge);
        let last_negative = settled
            .enumerate()
            .filter(|(_, entry)| !entry.value)
            .map(|(index, _)| index)
            .last();
        if let Some(index) = last_negative {
            of.entries.drain(..index);
        }
    }
}

impl Logic for Run {
    type Of = History<bool>;

    fn width(&self) -> usize {
        2
    }

    fn read(&self, of: &mut Self::Of, _: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        let known = of.entries.range(..of.until(at)).rev();
        let mut run = 0_u64;
        let mut started = None;
        for entry in known.take_while(|entry| entry.value) {
            run += 1;
            started = Some(entry.time);
        }
        out[0] = run as f64;
        out[1] = started.map_or(f64::NAN, |time| (at - time) as f64 / 1_000.0);
    }

    fn observe(&self, of: &mut Self::Of, facts: &Facts<'_>) {
        if facts.kind != self.kind {
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
        of.place(entry, facts.known_at);
        self.prune(of);
    }

    fn mark(&self, of: &mut Self::Of, mark: &Mark) {
        let key = (mark.time, mark.position);
        let at = of
            .entries
            .partition_point(|entry| (entry.time, entry.position) < key);
        if let Some(entry) = of.entries.get_mut(at)
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

    fn newest(&self, of: &Self::Of, at: i64) -> Option<i64> {
        of.last(at).map(|entry| entry.time)
    }

    fn merge(&self, of: &mut Self::Of, other: &Self::Of) {
        // A positive event may be in the one part and what it names in the other: what looks
        // negative here is forgotten only after the outcomes are united, by the next event.
        of.unite(other);
    }
}

impl Operator for RunLength {
    fn name(&self) -> &'static str {
        "run_length"
    }

    fn doc(&self) -> &'static str {
        "How many of the key's latest events in a row, by event time, are known to be positive at \
         the row's place in the log (`events`), and the `seconds` since the first of them. An event \
         whose outcome is not known ends the run, as a negative one does. The current event is \
         excluded."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[]
    }

    fn accepts(&self) -> Accepts {
        Accepts::BY
    }

    fn example(&self) -> &'static str {
        "{operator: run_length, of: outcome, by: customer}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let entities = context.entities();
        let Some(operand) = context.outcome_or_flag() else {
            return;
        };
        let settled = context
            .lateness()
            .saturating_add(context.closes(operand.source));
        for entity in entities {
            let logic = Run {
                kind: operand.kind,
                source: operand.source,
                settled,
            };
            let unit = context.unit(Box::new(Keyed::new(logic, entity)));
            let by = context.entity_name(entity);
            let of = &operand.words;
            let help = format!("length of the latest run of {of} of this {by}");
            context.column(entity, "events", (ColumnKind::Number, ""), &help, (unit, 0));
            let help = format!("seconds since the latest run of {of} of this {by} began");
            context.column(
                entity,
                "seconds",
                (ColumnKind::Number, "s"),
                &help,
                (unit, 1),
            );
        }
    }
}
