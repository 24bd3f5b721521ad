//! `sequence`: the last events of a key, laid side by side.

use acumen_base::ColumnKind;
use acumen_base::limits::LAST_MAX;

use super::{Accepts, Context, Operator, ParamDoc, ParamKind};
use crate::history::{History, Keep, Remembers};
use crate::reader::{Described, Numbers, Reader};
use crate::state::{Facts, Keyed};

/// The name of the ages' columns.
const AGE: &str = "age";

/// The operator.
pub(super) struct Sequence;

struct Last {
    reader: Reader,
    /// Whether each event's age stands behind its fields.
    ages: bool,
    last: usize,
    keep: Keep,
}

impl Last {
    /// Columns of one event.
    fn step_width(&self) -> usize {
        self.reader.width() + usize::from(self.ages)
    }
}

impl Remembers for Last {
    type Value = Numbers;

    fn keep(&self) -> Keep {
        self.keep
    }

    fn width(&self) -> usize {
        self.last * self.step_width()
    }

    fn read(&self, of: &History<Numbers>, current: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        let current = current.filter(|facts| facts.kind == self.reader.kind);
        let current = current.map(|facts| self.reader.read(facts));
        let current = current.iter().map(|numbers| (numbers, at));
        let earlier = of.entries.range(..of.until(at)).rev();
        let mut newest_first = current.chain(earlier.map(|entry| (&entry.value, entry.time)));
        for step in out.chunks_exact_mut(self.step_width().max(1)) {
            match newest_first.next() {
                Some((numbers, time)) => {
                    let (fields, age) = step.split_at_mut(numbers.len());
                    fields.copy_from_slice(numbers);
                    age.fill(at.saturating_sub(time) as f64 / 1_000.0);
                }
                None => step.fill(f64::NAN),
            }
        }
    }

    fn value(&self, facts: &Facts<'_>) -> Option<Numbers> {
        (facts.kind == self.reader.kind).then(|| self.reader.read(facts))
    }
}

impl Operator for Sequence {
    fn name(&self) -> &'static str {
        "sequence"
    }

    fn doc(&self) -> &'static str {
        "The given fields of the key's last events at or before the row's time, newest first, the \
         current event included: `amount_1` is the newest, `amount_2` the one before. Events of \
         one instant stand in log order. Where there are fewer events, the rest is missing. With \
         `ages`, `age_1` is how long before the row's time the newest happened: 0 for the current \
         event."
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
            ParamDoc {
                name: "ages",
                kind: ParamKind::Bool,
                default: "false",
                doc: "Whether to show how long ago each event was, in seconds.",
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
        let ages = context.flag("ages");
        let (entities, names) = (context.entities(), context.texts("fields"));
        if ages && names.iter().any(|name| name == AGE) {
            let message = "a field is called `age`, and so would be the events' ages".to_owned();
            let help = "leave out `ages`, or give the field another name".to_owned();
            context.problem("ages", message, help);
        }
        let Some(kind) = context.event() else {
            return;
        };
        let (reader, mut described) = Reader::compile(context, kind, &names);
        described.extend(ages.then(|| Described {
            name: AGE.to_owned(),
            kind: ColumnKind::Number,
            unit: "s".to_owned(),
        }));
        let keep = Keep {
            lateness: context.lateness(),
            last,
        };
        for entity in entities {
            let logic = Last {
                reader: reader.clone(),
                ages,
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
