//! `sequence`: the last events of a key, laid side by side.

use acumen_base::limits::LAST_MAX;

use super::{Accepts, Context, Operator, ParamDoc, ParamKind};
use crate::history::{Entry, History, Keep};
use crate::reader::{Numbers, Reader};
use crate::state::{Facts, Keyed, Logic};

/// The operator.
pub(super) struct Sequence;

struct Last {
    reader: Reader,
    last: usize,
    keep: Keep,
}

impl Logic for Last {
    type Of = History<Numbers>;

    fn width(&self) -> usize {
        self.last * self.reader.width()
    }

    fn read(&self, of: &mut Self::Of, current: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        let current = current.filter(|facts| facts.kind == self.reader.kind);
        let current = current.map(|facts| self.reader.read(facts));
        let earlier = of
            .entries
            .range(..of.until(at))
            .rev()
            .map(|entry| &entry.value);
        let mut newest_first = current.iter().chain(earlier);
        for step in out.chunks_exact_mut(self.reader.width().max(1)) {
            match newest_first.next() {
                Some(numbers) => step.copy_from_slice(numbers),
                None => step.fill(f64::NAN),
            }
        }
    }

    fn observe(&self, of: &mut Self::Of, facts: &Facts<'_>) {
        if facts.kind == self.reader.kind {
            let value = self.reader.read(facts);
            let entry = Entry {
                time: facts.time,
                position: facts.position,
                value,
            };
            of.insert(entry, facts.known_at, self.keep);
        }
    }

    fn newest(&self, of: &Self::Of, at: i64) -> Option<i64> {
        of.last(at).map(|entry| entry.time)
    }

    fn merge(&self, of: &mut Self::Of, other: &Self::Of) {
        of.merge(other, self.keep);
    }
}

impl Operator for Sequence {
    fn name(&self) -> &'static str {
        "sequence"
    }

    fn doc(&self) -> &'static str {
        "The given fields of the key's last events at or before the row's time, newest first, the \
         current event included: `amount_1` is the newest, `amount_2` the one before. Events of \
         one instant stand in log order. Where there are fewer events, the rest is missing."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[
            ParamDoc {
                name: "fields",
                kind: ParamKind::Texts,
                default: "",
                doc: "The fields of each event.",
            },
            ParamDoc {
                name: "last",
                kind: ParamKind::Int,
                default: "10",
                doc: "How many events, up to 256.",
            },
        ]
    }

    fn accepts(&self) -> Accepts {
        Accepts::BY
    }

    fn example(&self) -> &'static str {
        "{operator: sequence, of: order, by: customer, fields: [amount], last: 3}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let last = context.int("last", 10, 1, LAST_MAX as i64) as usize;
        let (entities, names) = (context.entities(), context.texts("fields"));
        let Some(kind) = context.event() else {
            return;
        };
        let (reader, described) = Reader::compile(context, kind, &names);
        let keep = Keep {
            lateness: context.lateness(),
            last,
        };
        for entity in entities {
            let logic = Last {
                reader: reader.clone(),
                last,
                keep,
            };
            let unit = context.unit(Box::new(Keyed::new(logic, entity)));
            let (event, by) = (context.event_name(kind), context.entity_name(entity));
            for step in 0..last {
                for (index, field) in described.iter().enumerate() {
                    let words = field.name.replace(['_', '.'], " ");
                    let help = match step {
                        0 => format!("{words} of the newest {event} of this {by}"),
                        _ => format!("{words} of this {by}'s {event} {step} before the newest"),
                    };
                    let suffix = format!("{}_{}", field.name, step + 1);
                    let at = (unit, step * described.len() + index);
                    context.column(entity, &suffix, (field.kind, &field.unit), &help, at);
                }
            }
        }
    }
}
