//! `profile`: what was last said of an entity.

use acumen_base::{ColumnKind, FieldType, Value};

use super::{Accepts, Context, Operator, ParamDoc, ParamKind};
use crate::history::{History, Keep, Remembers};
use crate::reader::{Numbers, Reader};
use crate::state::{Facts, Keyed};

/// The operator.
pub(super) struct Profile;

struct Attributes {
    reader: Reader,
    /// The time field whose age is the last column.
    age_of: Option<usize>,
    keep: Keep,
}

impl Attributes {
    /// The attributes that an event states; the last is the instant whose age is asked for.
    fn state(&self, facts: &Facts<'_>) -> Numbers {
        let mut numbers = self.reader.read(facts);
        if let Some(field) = self.age_of {
            numbers.push(match facts.event.values.get(field) {
                Some(Value::Time(time)) => time.0 as f64,
                _ => f64::NAN,
            });
        }
        numbers
    }
}

impl Remembers for Attributes {
    type Value = Numbers;

    fn keep(&self) -> Keep {
        self.keep
    }

    fn width(&self) -> usize {
        self.reader.width() + usize::from(self.age_of.is_some())
    }

    fn read(&self, of: &History<Numbers>, current: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        match current.filter(|facts| facts.kind == self.reader.kind) {
            Some(facts) => out.copy_from_slice(&self.state(facts)),
            None => match of.last(at) {
                Some(entry) => out.copy_from_slice(&entry.value),
                None => out.fill(f64::NAN),
            },
        }
        if let (Some(_), Some(since)) = (self.age_of, out.last_mut()) {
            *since = (at as f64 - *since) / 86_400_000.0;
        }
    }

    fn value(&self, facts: &Facts<'_>) -> Option<Numbers> {
        (facts.kind == self.reader.kind).then(|| self.state(facts))
    }
}

impl Operator for Profile {
    fn name(&self) -> &'static str {
        "profile"
    }

    fn doc(&self) -> &'static str {
        "The attributes that the newest event of a type, at or before the row's time, states of \
         the key, the current event included; a field that it left out is missing. With `age_of`, \
         also `age_days`: the days since the instant in that field."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[
            ParamDoc {
                name: "fields",
                kind: ParamKind::Texts,
                default: "[]",
                doc: "The fields to show.",
            },
            ParamDoc {
                name: "age_of",
                kind: ParamKind::Text,
                default: "none",
                doc: "A field of type time whose age in days is shown.",
            },
        ]
    }

    fn accepts(&self) -> Accepts {
        Accepts::BY
    }

    fn example(&self) -> &'static str {
        "{operator: profile, of: registration, by: customer, fields: [level], age_of: opened_at}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let (entities, names) = (context.entities(), context.texts("fields"));
        let Some(kind) = context.event() else {
            return;
        };
        let (reader, described) = Reader::compile(context, kind, &names);
        let age_of = context.text("age_of").and_then(|name| {
            let (field, field_kind) = context.field(kind, "age_of", &name)?;
            if field_kind != FieldType::Time {
                let help = "use a field of type time".to_owned();
                context.problem("age_of", format!("a {field_kind} has no age"), help);
            }
            Some((field, name))
        });
        if names.is_empty() && age_of.is_none() {
            let help = "name `fields`, or `age_of`".to_owned();
            context.problem("fields", "a profile of nothing".to_owned(), help);
        }
        let keep = Keep {
            lateness: context.lateness(),
            last: 1,
        };
        for entity in entities {
            let age_of_field = age_of.as_ref().map(|age| age.0);
            let logic = Attributes {
                reader: reader.clone(),
                age_of: age_of_field,
                keep,
            };
            let unit = context.unit(Box::new(Keyed::new(logic, entity)));
            let by = context.entity_name(entity);
            for (local, field) in described.iter().enumerate() {
                let help = format!(
                    "latest {} of this {by}",
                    field.name.replace(['_', '.'], " ")
                );
                let at = (unit, local);
                context.column(entity, &field.name, (field.kind, &field.unit), &help, at);
            }
            if let Some((_, name)) = &age_of {
                let help = format!("days since {} of this {by}", name.replace(['_', '.'], " "));
                let at = (unit, described.len());
                context.column(entity, "age_days", (ColumnKind::Number, "d"), &help, at);
            }
        }
    }
}
