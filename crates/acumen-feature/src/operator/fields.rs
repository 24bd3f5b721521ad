//! `fields`: what the deciding event itself says.

use super::{Accepts, Context, Operator, ParamDoc, ParamKind};
use crate::reader::Reader;
use crate::state::Facts;
use crate::stateless::{FromEvent, Stateless};

/// The operator.
pub(super) struct Fields;

impl FromEvent for Reader {
    fn width(&self) -> usize {
        Reader::width(self)
    }

    fn read(&self, facts: &Facts<'_>, out: &mut [f64]) {
        if facts.kind == self.kind {
            out.copy_from_slice(&Reader::read(self, facts));
        } else {
            out.fill(f64::NAN);
        }
    }
}

impl Operator for Fields {
    fn name(&self) -> &'static str {
        "fields"
    }

    fn doc(&self) -> &'static str {
        "Fields of the event that the row is of, as they are: money in major units of the base \
         currency, categories, ids and texts as category codes, booleans as 0 or 1, a time as the \
         seconds from it to the event."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[ParamDoc {
            name: "fields",
            kind: ParamKind::Texts,
            default: "",
            doc: "The names of the fields.",
        }]
    }

    fn accepts(&self) -> Accepts {
        Accepts::NOTHING
    }

    fn example(&self) -> &'static str {
        "{operator: fields, of: order, fields: [amount, channel]}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let names = context.texts("fields");
        let Some(kind) = context.event() else {
            return;
        };
        let (reader, described) = Reader::compile(context, kind, &names);
        let event = context.event_name(kind);
        let unit = context.unit(Box::new(Stateless(reader)));
        for (local, field) in described.into_iter().enumerate() {
            let words = field.name.replace(['_', '.'], " ");
            let help = match field.unit.as_str() {
                "s" => format!("seconds from {words} to this {event}"),
                _ => format!("{words} of this {event}"),
            };
            context.plain_column(&field.name, field.kind, &field.unit, &help, (unit, local));
        }
    }
}
