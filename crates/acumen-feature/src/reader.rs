//! Fields of one event as numbers, for every operator that shows them as they are.

use acumen_base::key::category_code;
use acumen_base::{ColumnKind, FieldType, Value};
use smallvec::SmallVec;

use crate::compile::Context;
use crate::operand::MISSING;
use crate::state::Facts;

/// The numbers read of one event.
pub(crate) type Numbers = SmallVec<[f64; 4]>;

/// Which fields of which event type.
#[derive(Clone, Debug)]
pub(crate) struct Reader {
    pub(crate) kind: usize,
    sources: Vec<Source>,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    /// A money operand and its minor units.
    Money(usize, f64),
    /// The value of a field.
    Field(usize),
}

/// What a field is as a column.
pub(crate) struct Described {
    pub(crate) name: String,
    pub(crate) kind: ColumnKind,
    pub(crate) unit: String,
}

impl Reader {
    /// Resolves field names; what cannot be a number is a problem.
    pub(crate) fn compile(
        context: &mut Context<'_>,
        kind: usize,
        names: &[String],
    ) -> (Reader, Vec<Described>) {
        let mut reader = Reader {
            kind,
            sources: Vec::new(),
        };
        let mut described = Vec::new();
        for name in names {
            let Some((position, field_kind)) = context.field(kind, "fields", name) else {
                continue;
            };
            let mut source = Source::Field(position);
            let (column, unit) = match field_kind {
                FieldType::Money => {
                    let (operand, scale, unit) = context.money(kind, position);
                    source = Source::Money(operand, scale);
                    (ColumnKind::Number, unit)
                }
                FieldType::Id | FieldType::Category | FieldType::Text => {
                    (ColumnKind::Category, String::new())
                }
                FieldType::Bool => (ColumnKind::Flag, String::new()),
                FieldType::Int | FieldType::Number => (ColumnKind::Number, String::new()),
                FieldType::Time => (ColumnKind::Number, "s".to_owned()),
                FieldType::Geo => {
                    let message = format!("`{name}` is a place, which is not one number");
                    let help = "use `geo_velocity`, or leave it out".to_owned();
                    context.problem("fields", message, help);
                    continue;
                }
            };
            reader.sources.push(source);
            described.push(Described {
                name: name.clone(),
                kind: column,
                unit,
            });
        }
        (reader, described)
    }

    pub(crate) fn width(&self) -> usize {
        self.sources.len()
    }

    /// The numbers of an event of this reader's type; NaN where a field is missing.
    pub(crate) fn read(&self, facts: &Facts<'_>) -> Numbers {
        let numbers = self.sources.iter().map(|source| match *source {
            Source::Money(operand, scale) => match facts.operands[operand] {
                MISSING => f64::NAN,
                minor => minor as f64 / scale,
            },
            Source::Field(field) => number(&facts.event.values[field], facts.time),
        });
        numbers.collect()
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
