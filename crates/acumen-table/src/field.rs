//! Cells into the values of fields: what is taken, what is refused, and why.

use std::fmt::Write as _;
use std::sync::Arc;

use acumen_base::limits::TEXT_BYTES_MAX;
use acumen_base::{Geo, Time, Value};

use crate::amount::AmountReading;
use crate::cell::{Block, Cell};
use crate::instant::TimeReading;
use crate::mapping::{Scalar, Test};

/// Why a cell gives no value, and what to do.
pub(crate) type Refusal = (String, &'static str);

/// How the value of one field is read; columns are numbers of a block's columns.
pub(crate) enum Reading {
    /// An optional field that the mapping does not name.
    Absent,
    Text {
        pieces: Vec<TextPiece>,
        bytes_max: usize,
    },
    Money(AmountReading),
    Int(usize),
    Number(usize),
    Bool(usize),
    Time(TimeReading),
    Geo {
        lat: usize,
        lon: usize,
        accuracy: AccuracyReading,
    },
}

/// One piece of a template.
pub(crate) enum TextPiece {
    Text(String),
    Column(usize),
}

pub(crate) enum AccuracyReading {
    Fixed(f32),
    Column(usize),
}

/// How one declared field is read.
pub(crate) struct FieldReading {
    pub(crate) name: String,
    pub(crate) reading: Reading,
    pub(crate) optional: bool,
    pub(crate) signed: bool,
}

/// A condition on the columns of a block.
pub(crate) struct ConditionReading {
    pub(crate) column: usize,
    pub(crate) test: Test,
}

impl ConditionReading {
    /// Whether a record passes.
    pub(crate) fn holds(&self, block: &Block, row: usize) -> bool {
        let cell = block.columns[self.column].cell(row);
        match &self.test {
            Test::Equals(value) => is_equal(cell, value),
            Test::NotEquals(value) => !is_equal(cell, value),
            Test::Below(bound) => number(cell).is_ok_and(|value| value.is_some_and(|v| v < *bound)),
            Test::AtLeast(bound) => {
                number(cell).is_ok_and(|value| value.is_some_and(|v| v >= *bound))
            }
            Test::StartsWith(beginning) => begins(cell, beginning),
            Test::NotStartsWith(beginning) => !begins(cell, beginning),
        }
    }
}

impl FieldReading {
    /// The value of a record; `buffer` is scratch space.
    pub(crate) fn read(
        &self,
        block: &Block,
        row: usize,
        buffer: &mut String,
    ) -> Result<Value, Refusal> {
        let value = self
            .value(block, row, buffer)
            .map_err(|(problem, help)| (format!("`{}`: {problem}", self.name), help))?;
        if value.is_missing() && !self.optional {
            return Err((
                format!("`{}` is missing", self.name),
                "fill it in, or declare the field optional",
            ));
        }
        if is_negative(&value) && !self.signed {
            return Err((
                format!("`{}`: {value} is negative", self.name),
                "declare the field signed if it may be negative",
            ));
        }
        Ok(value)
    }

    fn value(&self, block: &Block, row: usize, buffer: &mut String) -> Result<Value, Refusal> {
        let cell = |column: usize| block.columns[column].cell(row);
        match &self.reading {
            Reading::Absent => Ok(Value::Missing),
            Reading::Text { pieces, bytes_max } => {
                if !fill(pieces, block, row, buffer)? {
                    return Ok(Value::Missing);
                }
                refuse_long(buffer, *bytes_max)?;
                Ok(Value::Text(Arc::from(buffer.as_str())))
            }
            Reading::Money(reading) => reading.read(block, row).map(or_missing(Value::Money)),
            Reading::Int(column) => whole_number(cell(*column)).map(or_missing(Value::Int)),
            Reading::Number(column) => number(cell(*column)).map(or_missing(Value::Number)),
            Reading::Bool(column) => flag(cell(*column)),
            Reading::Time(reading) => reading.read(block, row).map(or_missing(Value::Time)),
            Reading::Geo { lat, lon, accuracy } => {
                let accuracy = match accuracy {
                    AccuracyReading::Fixed(accuracy) => Some(f64::from(*accuracy)),
                    AccuracyReading::Column(column) => number(cell(*column))?,
                };
                place(number(cell(*lat))?, number(cell(*lon))?, accuracy)
            }
        }
    }
}

fn or_missing<T>(wrap: impl Fn(T) -> Value) -> impl Fn(Option<T>) -> Value {
    move |value| value.map_or(Value::Missing, &wrap)
}

fn is_negative(value: &Value) -> bool {
    match value {
        Value::Money(money) => money.minor < 0,
        Value::Int(value) => *value < 0,
        Value::Number(value) => *value < 0.0,
        _ => false,
    }
}

/// Writes a template into the buffer; false where a column of it is missing.
pub(crate) fn fill(
    pieces: &[TextPiece],
    block: &Block,
    row: usize,
    buffer: &mut String,
) -> Result<bool, Refusal> {
    buffer.clear();
    for piece in pieces {
        let cell = match piece {
            TextPiece::Text(text) => Cell::Text(text),
            TextPiece::Column(column) => block.columns[*column].cell(row),
        };
        let written = match cell {
            Cell::Missing => return Ok(false),
            Cell::Text(text) => buffer.write_str(text),
            Cell::Int(value) => write!(buffer, "{value}"),
            Cell::Bool(value) => write!(buffer, "{value}"),
            // Tables turn whole numbers into decimal ones when one of them is missing.
            Cell::Float(value) if value.is_nan() => return Ok(false),
            Cell::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e15 => {
                write!(buffer, "{}", value as i64)
            }
            Cell::Time { millis, is_utc } => {
                let time = Time(millis).to_string();
                // What a clock without a zone shows is no instant of UTC.
                let shown = if is_utc {
                    &time
                } else {
                    time.trim_end_matches('Z')
                };
                buffer.write_str(shown)
            }
            other => return Err(not(other, "a text")),
        };
        // Writing to a string has no way to fail.
        let _ = written;
    }
    Ok(!buffer.is_empty())
}

pub(crate) fn refuse_long(text: &str, bytes_max: usize) -> Result<(), Refusal> {
    if text.len() > bytes_max.min(TEXT_BYTES_MAX) {
        return Err((
            format!("{} bytes of text, more than {bytes_max}", text.len()),
            "shorten it",
        ));
    }
    Ok(())
}

pub(crate) fn not(cell: Cell<'_>, wanted: &str) -> Refusal {
    let shown = match cell {
        Cell::Missing => "nothing".to_owned(),
        Cell::Int(value) => value.to_string(),
        Cell::Float(value) => value.to_string(),
        Cell::Bool(value) => value.to_string(),
        Cell::Text(text) => format!("`{}`", text.chars().take(80).collect::<String>()),
        Cell::Time { millis, .. } => Time(millis).to_string(),
        Cell::Unreadable => "a list, a map or bytes".to_owned(),
    };
    (format!("{shown} is not {wanted}"), "mend the value")
}

pub(crate) fn whole_number(cell: Cell<'_>) -> Result<Option<i64>, Refusal> {
    let value = match cell {
        Cell::Missing => return Ok(None),
        Cell::Int(value) => Some(value),
        Cell::Float(value) => {
            (value.fract() == 0.0 && value.abs() < 9.0e15).then_some(value as i64)
        }
        Cell::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    value.map(Some).ok_or_else(|| not(cell, "a whole number"))
}

fn number(cell: Cell<'_>) -> Result<Option<f64>, Refusal> {
    let value = match cell {
        Cell::Missing => return Ok(None),
        Cell::Int(value) => Some(value as f64),
        Cell::Float(value) => Some(value),
        Cell::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    let finite = value.filter(|value: &f64| value.is_finite());
    finite.map(Some).ok_or_else(|| not(cell, "a finite number"))
}

fn flag(cell: Cell<'_>) -> Result<Value, Refusal> {
    match cell {
        Cell::Missing => Ok(Value::Missing),
        Cell::Bool(value) => Ok(Value::Bool(value)),
        Cell::Int(0) | Cell::Text("0" | "false" | "False" | "FALSE") => Ok(Value::Bool(false)),
        Cell::Int(1) | Cell::Text("1" | "true" | "True" | "TRUE") => Ok(Value::Bool(true)),
        _ => Err(not(cell, "true or false")),
    }
}

fn place(lat: Option<f64>, lon: Option<f64>, accuracy: Option<f64>) -> Result<Value, Refusal> {
    let (lat, lon) = match (lat, lon) {
        (None, None) => return Ok(Value::Missing),
        (Some(lat), Some(lon)) => (lat, lon),
        _ => return Err(("only one of `lat` and `lon` is there".into(), "give both")),
    };
    let accuracy = accuracy.unwrap_or(0.0);
    if !(-90.0..=90.0).contains(&lat) || !(-180.0..=180.0).contains(&lon) || accuracy < 0.0 {
        return Err((
            format!("{lat}, {lon} (±{accuracy} km) is not a place on the earth"),
            "latitudes run from -90 to 90, longitudes from -180 to 180",
        ));
    }
    Ok(Value::Geo(Geo {
        lat,
        lon,
        accuracy_km: accuracy as f32,
    }))
}

/// Whether a cell is the value of a condition; a text is compared with a number as a number.
fn is_equal(cell: Cell<'_>, value: &Scalar) -> bool {
    match (cell, value) {
        (Cell::Bool(cell), Scalar::Bool(value)) => cell == *value,
        (Cell::Int(cell), Scalar::Bool(value)) => cell == i64::from(*value),
        (Cell::Int(cell), Scalar::Number(value)) => cell as f64 == *value,
        (Cell::Float(cell), Scalar::Number(value)) => cell == *value,
        (Cell::Text(cell), Scalar::Text(value)) => cell == value,
        (Cell::Text(cell), Scalar::Number(value)) => cell.trim().parse() == Ok(*value),
        (Cell::Text(cell), Scalar::Bool(value)) => {
            flag(Cell::Text(cell)) == Ok(Value::Bool(*value))
        }
        _ => false,
    }
}

fn begins(cell: Cell<'_>, beginning: &str) -> bool {
    match cell {
        Cell::Text(text) => text.starts_with(beginning),
        Cell::Int(value) => value.to_string().starts_with(beginning),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_compare_across_formats() {
        let one = Scalar::Number(1.0);
        for cell in [
            Cell::Int(1),
            Cell::Float(1.0),
            Cell::Text("1"),
            Cell::Text(" 1.0"),
        ] {
            assert!(is_equal(cell, &one), "{cell:?}");
        }
        for cell in [
            Cell::Int(0),
            Cell::Missing,
            Cell::Text("x"),
            Cell::Bool(true),
        ] {
            assert!(!is_equal(cell, &one), "{cell:?}");
        }
        assert!(is_equal(Cell::Text("true"), &Scalar::Bool(true)));
    }
}
