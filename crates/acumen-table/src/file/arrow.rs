//! Arrow arrays as cells.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Date32Type, Date64Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{Array, ArrayRef, ArrowPrimitiveType, RecordBatch};
use arrow_schema::{DataType, TimeUnit};

use crate::cell::{Block, ColumnCells, ColumnType, Lines, Nulls, Originals, Texts};

const DAY_MS: i64 = 86_400_000;

/// What the cells of an Arrow column hold.
pub(crate) fn column_type(kind: &DataType) -> ColumnType {
    match kind {
        DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::UInt8
        | DataType::UInt16
        | DataType::UInt32 => ColumnType::Int,
        DataType::Float32 | DataType::Float64 => ColumnType::Float,
        DataType::Boolean => ColumnType::Bool,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Decimal128(..) => {
            ColumnType::Text
        }
        DataType::Dictionary(_, words) if **words == DataType::Utf8 => ColumnType::Text,
        DataType::Timestamp(_, Some(_)) => ColumnType::Time,
        DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => ColumnType::NaiveTime,
        other => ColumnType::Unreadable(other.to_string()),
    }
}

/// The wanted columns of the next records behind `done` others, which it counts.
pub(crate) fn block(batch: &RecordBatch, wanted: &Arc<[String]>, done: &mut u64) -> Block {
    let first = *done + 1;
    *done += batch.num_rows() as u64;
    let column = |name: &String| {
        let array = batch.column_by_name(name);
        array.and_then(cells).unwrap_or(ColumnCells::Missing)
    };
    Block {
        columns: wanted.iter().map(column).collect(),
        len: batch.num_rows(),
        lines: Lines::From(first),
        texts: Originals::Columns(Arc::clone(wanted)),
        malformed: Vec::new(),
        done: *done,
    }
}

/// The cells of an Arrow column; `None` for a type that [`column_type`] calls unreadable.
pub(crate) fn cells(array: &ArrayRef) -> Option<ColumnCells> {
    let nulls = Nulls::of(array);
    Some(match array.data_type() {
        DataType::Int8 => ColumnCells::Int(whole::<Int8Type>(array), nulls),
        DataType::Int16 => ColumnCells::Int(whole::<Int16Type>(array), nulls),
        DataType::Int32 => ColumnCells::Int(whole::<Int32Type>(array), nulls),
        DataType::Int64 => ColumnCells::Int(whole::<Int64Type>(array), nulls),
        DataType::UInt8 => ColumnCells::Int(whole::<UInt8Type>(array), nulls),
        DataType::UInt16 => ColumnCells::Int(whole::<UInt16Type>(array), nulls),
        DataType::UInt32 => ColumnCells::Int(whole::<UInt32Type>(array), nulls),
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>().values();
            ColumnCells::Float(
                values.iter().map(|value| f64::from(*value)).collect(),
                nulls,
            )
        }
        DataType::Float64 => {
            ColumnCells::Float(array.as_primitive::<Float64Type>().values().to_vec(), nulls)
        }
        DataType::Boolean => {
            let values = array.as_boolean().values();
            ColumnCells::Bool(values.iter().collect(), nulls)
        }
        DataType::Timestamp(unit, zone) => ColumnCells::Time {
            millis: timestamps(array, *unit),
            is_utc: zone.is_some(),
            nulls,
        },
        DataType::Date32 => {
            let days = array.as_primitive::<Date32Type>().values();
            let millis = days.iter().map(|day| i64::from(*day) * DAY_MS).collect();
            dates(millis, nulls)
        }
        DataType::Date64 => dates(array.as_primitive::<Date64Type>().values().to_vec(), nulls),
        _ => ColumnCells::Text(texts(array)?, nulls),
    })
}

fn dates(millis: Vec<i64>, nulls: Nulls) -> ColumnCells {
    ColumnCells::Time {
        millis,
        is_utc: false,
        nulls,
    }
}

fn whole<T: ArrowPrimitiveType<Native: Into<i64>>>(array: &ArrayRef) -> Vec<i64> {
    let values = array.as_primitive::<T>().values();
    values.iter().map(|value| (*value).into()).collect()
}

fn timestamps(array: &ArrayRef, unit: TimeUnit) -> Vec<i64> {
    match unit {
        TimeUnit::Second => {
            let values = array.as_primitive::<TimestampSecondType>().values();
            values.iter().map(|at| at.saturating_mul(1_000)).collect()
        }
        TimeUnit::Millisecond => array
            .as_primitive::<TimestampMillisecondType>()
            .values()
            .to_vec(),
        TimeUnit::Microsecond => {
            let values = array.as_primitive::<TimestampMicrosecondType>().values();
            values.iter().map(|at| at.div_euclid(1_000)).collect()
        }
        TimeUnit::Nanosecond => {
            let values = array.as_primitive::<TimestampNanosecondType>().values();
            values.iter().map(|at| at.div_euclid(1_000_000)).collect()
        }
    }
}

fn texts(array: &ArrayRef) -> Option<Texts> {
    Some(match array.data_type() {
        DataType::Utf8 => Texts::Small(array.as_string::<i32>().clone()),
        DataType::LargeUtf8 => Texts::Large(array.as_string::<i64>().clone()),
        DataType::Utf8View => Texts::View(array.as_string_view().clone()),
        DataType::Decimal128(..) => {
            let decimals = array.as_primitive::<Decimal128Type>();
            let text = |row| match decimals.is_null(row) {
                true => String::new(),
                false => decimals.value_as_string(row),
            };
            Texts::Owned((0..decimals.len()).map(text).collect())
        }
        DataType::Dictionary(..) => {
            let dictionary = array.as_any_dictionary_opt()?;
            let words = dictionary.values().as_string_opt::<i32>()?;
            Texts::Dictionary {
                keys: dictionary.normalized_keys(),
                words: words
                    .iter()
                    .map(|word| word.unwrap_or("").to_owned())
                    .collect(),
            }
        }
        _ => return None,
    })
}
