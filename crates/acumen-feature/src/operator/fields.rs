//! `fields`: what the deciding event itself says.

use acumen_base::key::category_code;
use acumen_base::{ColumnKind, FieldType, Value};

use super::{Accepts, Context, Operator, ParamDoc, ParamKind};
use crate::operand::MISSING;
use crate::state::Facts;
use crate::stateless::{FromEvent, Stateless};

/// The operator.
pub(super) struct Fields;

struct Reader {
    kind: usize,
    columns: Vec<Source>,
}

enum Source {
    /// A money operand and its minor units.
    Money(usize, f64),
    /// The value of a field.
    Field(usize),
}

impl FromEvent for Reader {
    fn width(&self) -> usize {
        self.columns.len()
    }

    fn read(&self, facts: &Facts<'_>, out: &mut [f64]) {
        if facts.kind != self.kind {
            out.fill(f64::NAN);
            return;
        }
        for (source, out) in self.columns.iter().zip(out) {
            *out = match source {
                Source::Money(operand, scale) => match facts.operands[*operand] {
                    MISSING => f64::NAN,
                    minor => minor as f64 / scale,
                },
                Source::Field(field) => number(&facts.event.values[*field], facts.time()),
            };
        }
    }
}

fn number(value: &Value, at: i64) -> f64 {
    match value {
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::Int(value) => *value as f64,
        Value::Number(value) => *value,
        Value::Text(text) => category_code(text),
        Value::Time(time) => at.saturating_sub(time.0) as f64 / 1_000.0,
        Value::Missing | Value::Money(_) | Value::Geo(_) => f64::NAN,
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
        Accepts {
            by: false,
            windows: false,
            aggregations: false,
        }
    }

    fn example(&self) -> &'static str {
        "{operator: fields, of: order, fields: [amount, channel]}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let names = context.texts("fields");
        let Some(kind) = context.event() else {
            return;
        };
        let mut columns = Vec::new();
        let mut described = Vec::new();
        for name in &names {
            let Some((position, field_kind)) = context.field(kind, "fields", name) else {
                continue;
            };
            let (source, column_kind, unit) = match field_kind {
                FieldType::Money => {
                    let (operand, scale, unit) = context.money(kind, position);
                    (Source::Money(operand, scale), ColumnKind::Number, unit)
                }
                FieldType::Id | FieldType::Category | FieldType::Text => {
                    (Source::Field(position), ColumnKind::Category, String::new())
                }
                FieldType::Bool => (Source::Field(position), ColumnKind::Flag, String::new()),
                FieldType::Int | FieldType::Number => {
                    (Source::Field(position), ColumnKind::Number, String::new())
                }
                FieldType::Time => (Source::Field(position), ColumnKind::Number, "s".to_owned()),
                FieldType::Geo => {
                    context.problem(
                        "fields",
                        format!("`{name}` is a place, which is not one number"),
                        "use `geo_velocity`, or leave it out".to_owned(),
                    );
                    continue;
                }
            };
            columns.push(source);
            described.push((name.clone(), column_kind, unit));
        }
        let event = context.event_name(kind);
        let unit = context.unit(Box::new(Stateless(Reader { kind, columns })));
        for (local, (name, column_kind, of)) in described.into_iter().enumerate() {
            let help = match of.as_str() {
                "s" => format!("seconds from {name} to this {event}"),
                _ => format!("{} of this {event}", name.replace(['_', '.'], " ")),
            };
            context.plain_column(&name, column_kind, &of, &help, (unit, local));
        }
    }
}
