//! `since_last`: how long ago the key's previous event was.

use acumen_base::ColumnKind;

use super::{Accepts, Context, Operator, ParamDoc, WHERE};
use crate::condition::Where;
use crate::history::{Entry, History, Keep};
use crate::state::{Facts, Keyed, Logic};

/// The operator.
pub(super) struct SinceLast;

struct Previous {
    kind: usize,
    when: Option<Where>,
    keep: Keep,
}

impl Logic for Previous {
    type Of = History<()>;

    fn width(&self) -> usize {
        1
    }

    fn read(&self, of: &mut History<()>, _: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        let last = of.last(at);
        out[0] = last.map_or(f64::NAN, |entry| (at - entry.time) as f64 / 1_000.0);
    }

    fn observe(&self, of: &mut History<()>, facts: &Facts<'_>) {
        if facts.kind == self.kind && facts.holds.admits(self.when) {
            let entry = Entry {
                time: facts.time,
                position: facts.position,
                value: (),
            };
            of.insert(entry, facts.known_at, self.keep);
        }
    }

    fn when(&self) -> Option<Where> {
        self.when
    }

    fn newest(&self, of: &History<()>, at: i64) -> Option<i64> {
        of.last(at).map(|entry| entry.time)
    }

    fn merge(&self, of: &mut History<()>, other: &History<()>) {
        of.merge(other, self.keep);
    }
}

impl Operator for SinceLast {
    fn name(&self) -> &'static str {
        "since_last"
    }

    fn doc(&self) -> &'static str {
        "Seconds since the previous event of the key (at or before the row's time, the current \
         event excluded); missing for the first."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[WHERE]
    }

    fn accepts(&self) -> Accepts {
        Accepts::BY
    }

    fn example(&self) -> &'static str {
        "{operator: since_last, of: order, by: customer}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let entities = context.entities();
        let Some(kind) = context.event() else {
            return;
        };
        let (when, so) = (context.condition(kind), context.condition_words());
        let keep = Keep {
            lateness: context.lateness(),
            last: 1,
        };
        for entity in entities {
            let state = Keyed::new(Previous { kind, when, keep }, entity);
            let unit = context.unit(Box::new(state));
            let (event, by) = (context.event_name(kind), context.entity_name(entity));
            let help = format!("seconds since the previous {event}{so} of this {by}");
            context.column(
                entity,
                "seconds",
                (ColumnKind::Number, "s"),
                &help,
                (unit, 0),
            );
        }
    }
}
