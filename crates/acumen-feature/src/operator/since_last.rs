//! `since_last`: how long ago the key's previous event was.

use acumen_base::ColumnKind;

use super::{Accepts, Context, Operator, ParamDoc, WHERE};
use crate::condition::Where;
use crate::history::{History, Keep, Remembers};
use crate::state::{Facts, Keyed};

/// The operator.
pub(super) struct SinceLast;

struct Previous {
    kind: usize,
    when: Option<Where>,
    keep: Keep,
}

impl Remembers for Previous {
    type Value = ();

    fn keep(&self) -> Keep {
        self.keep
    }

    fn width(&self) -> usize {
        1
    }

    fn read(&self, of: &History<()>, _: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        let last = of.last(at);
        out[0] = last.map_or(f64::NAN, |entry| (at - entry.time) as f64 / 1_000.0);
    }

    fn value(&self, facts: &Facts<'_>) -> Option<()> {
        (facts.kind == self.kind).then_some(())
    }

    fn when(&self) -> Option<Where> {
        self.when
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
