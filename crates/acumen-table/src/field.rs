//! Cells into the values of fields: what is taken, what is refused, and why.

use std::fmt::Write as _;
use std::sync::Arc;

use acumen_base::limits::TEXT_BYTES_MAX;
use acumen_base::{Currency, Geo, Money, Span, Time, Value};

use crate::cell::{Block, Cell};
use crate::mapping::{Scalar, TimeUnit};

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
    Money {
        column: usize,
        currency: CurrencyReading,
    },
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

pub(crate) enum CurrencyReading {
    Fixed(Currency),
    Column(usize),
    /// The text says it: `12.34 GBP`.
    Inline,
}

pub(crate) enum AccuracyReading {
    Fixed(f32),
    Column(usize),
}

/// How an instant is read.
pub(crate) struct TimeReading {
    pub(crate) column: usize,
    pub(crate) unit: Option<TimeUnit>,
    pub(crate) origin: Time,
    pub(crate) ahead_of_utc: Span,
}

/// How one declared field is read.
pub(crate) struct FieldReading {
    pub(crate) name: String,
    pub(crate) reading: Reading,
    pub(crate) optional: bool,
    pub(crate) signed: bool,
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
            Reading::Money { column, currency } => match cell(*column) {
                Cell::Missing => Ok(Value::Missing),
                amount => money(amount, currency, cell).map(Value::Money),
            },
            Reading::Int(column) => whole(cell(*column)),
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

fn not(cell: Cell<'_>, wanted: &str) -> Refusal {
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

fn whole(cell: Cell<'_>) -> Result<Value, Refusal> {
    let value = match cell {
        Cell::Missing => return Ok(Value::Missing),
        Cell::Int(value) => Some(value),
        Cell::Float(value) => {
            (value.fract() == 0.0 && value.abs() < 9.0e15).then_some(value as i64)
        }
        Cell::Text(text) => text.trim().parse().ok(),
        _ => None,
    };
    value
        .map(Value::Int)
        .ok_or_else(|| not(cell, "a whole number"))
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

fn money<'a>(
    amount: Cell<'a>,
    currency: &CurrencyReading,
    cell: impl Fn(usize) -> Cell<'a>,
) -> Result<Money, Refusal> {
    const HELP: &str = "amounts are in major units, with the decimals of their currency";
    let currency = match currency {
        CurrencyReading::Fixed(currency) => *currency,
        CurrencyReading::Column(column) => match cell(*column) {
            Cell::Text(code) => code
                .trim()
                .parse()
                .map_err(|error| (format!("{error}"), "write the three letters of ISO 4217"))?,
            other => return Err(not(other, "a currency code")),
        },
        CurrencyReading::Inline => {
            let Cell::Text(text) = amount else {
                return Err(not(amount, "an amount with its currency"));
            };
            let read: Result<Money, _> = text.trim().parse();
            return read.map_err(|error| (error.to_string(), "write `12.34 GBP`"));
        }
    };
    match amount {
        Cell::Int(value) => value
            .checked_mul(currency.units())
            .map(|minor| Money::new(minor, currency))
            .ok_or_else(|| not(amount, "an amount that fits")),
        Cell::Float(value) => decimal_amount(value, currency),
        Cell::Text(text) => {
            Money::parse(text.trim(), currency).map_err(|error| (error.to_string(), HELP))
        }
        other => Err(not(other, "an amount")),
    }
}

/// A decimal number that is a whole count of minor units, up to what a number can hold.
fn decimal_amount(value: f64, currency: Currency) -> Result<Money, Refusal> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    let scaled = value * currency.units() as f64;
    let minor = scaled.round();
    if !minor.is_finite() || minor.abs() > EXACT_MAX {
        return Err(not(Cell::Float(value), "an amount that fits"));
    }
    let tolerance = f64::max(1e-6, 4.0 * f64::EPSILON * scaled.abs());
    if (scaled - minor).abs() > tolerance {
        return Err((
            format!(
                "{value} has more decimals than {currency} has ({})",
                currency.exponent()
            ),
            "round it to whole minor units before the import",
        ));
    }
    Ok(Money::new(minor as i64, currency))
}

impl TimeReading {
    /// The instant of a record; `None` where the cell is missing.
    pub(crate) fn read(&self, block: &Block, row: usize) -> Result<Option<Time>, Refusal> {
        let cell = block.columns[self.column].cell(row);
        let time = match cell {
            Cell::Missing => return Ok(None),
            Cell::Time {
                millis,
                is_utc: true,
            } => Some(Time(millis)),
            Cell::Time { millis, .. } => Some(Time(millis) - self.ahead_of_utc),
            Cell::Int(value) => self.counted(value),
            Cell::Float(value) => self.counted_decimal(value),
            Cell::Text(text) => self.written(text.trim()),
            Cell::Bool(_) | Cell::Unreadable => None,
        };
        let plausible = time.filter(|time| time.is_plausible());
        plausible.map(Some).ok_or_else(|| {
            let (message, _) = not(cell, "an instant between 1900 and 2200");
            (
                message,
                "write RFC 3339, or give the column's unit and origin",
            )
        })
    }

    fn counted(&self, value: i64) -> Option<Time> {
        let millis = value.checked_mul(match self.unit? {
            TimeUnit::Seconds => 1_000,
            TimeUnit::Milliseconds => 1,
        })?;
        let since = self.origin.0.checked_add(millis)?;
        Some(Time(since) - self.ahead_of_utc)
    }

    fn counted_decimal(&self, value: f64) -> Option<Time> {
        let millis = match self.unit? {
            TimeUnit::Seconds => value * 1_000.0,
            TimeUnit::Milliseconds => value,
        };
        let fits = millis.abs() < 9.0e15;
        fits.then(|| Time(self.origin.0 + millis.round() as i64) - self.ahead_of_utc)
    }

    fn written(&self, text: &str) -> Option<Time> {
        if self.unit.is_some() {
            let counted = text.parse().ok().and_then(|value| self.counted(value));
            return counted.or_else(|| text.parse().ok().and_then(|v| self.counted_decimal(v)));
        }
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(Time(at.as_millisecond()));
        }
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        let at = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
        Some(Time(at.as_millisecond()) - self.ahead_of_utc)
    }
}

/// Whether a cell is the value of a condition; a text is compared with a number as a number.
pub(crate) fn is_equal(cell: Cell<'_>, value: &Scalar) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_amounts_are_exact_or_refused() {
        let amount = |value| decimal_amount(value, Currency::GBP).map(|money| money.minor);
        for minor in [0, 1, 29, 57, 115, 1_999, 123_456_789_012] {
            assert_eq!(amount(minor as f64 / 100.0), Ok(minor));
        }
        for wrong in [0.001, 12.345, f64::NAN, f64::INFINITY, 1e17] {
            assert!(amount(wrong).is_err(), "{wrong}");
        }
    }

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
