//! Scores into Parquet: one row a key, scored or with the reason why it is not.

use std::path::Path;
use std::sync::Arc;

use acumen_base::Time;
use arrow_array::{ArrayRef, Float64Array, StringArray};
use arrow_schema::{DataType, Field, Schema};
use parquet::file::metadata::KeyValue;

use crate::error::TableError;
use crate::write::output::Output;
use crate::write::rows::{time_array, time_field};

/// The scores of some keys, column by column; all columns are of one length.
#[derive(Clone, Debug, Default)]
pub struct Scores {
    /// What the column of ids is called.
    pub key: String,
    /// The keys.
    pub ids: Vec<Arc<str>>,
    /// What is expected of each.
    pub value: Vec<Option<f64>>,
    /// The lower end of the interval around it.
    pub low: Vec<Option<f64>>,
    /// The upper end.
    pub high: Vec<Option<f64>>,
    /// The probability that more is to come.
    pub alive: Vec<Option<f64>>,
    /// How many purchases are expected.
    pub purchases: Vec<Option<f64>>,
    /// The band of the value.
    pub segment: Vec<Option<String>>,
    /// Why there is no value.
    pub reason: Vec<Option<String>>,
    /// The version that answered.
    pub version: String,
    /// The time that the scores are of.
    pub origin: Time,
}

/// Writes scores; the file appears whole or not at all.
///
/// The columns are the key (text), `value`, `low`, `high`, `probability_alive`,
/// `expected_purchases`, `segment`, `reason`, `model_version` and `origin` (milliseconds, UTC).
///
/// # Errors
/// Where the file cannot be written, or the columns differ in length.
pub fn write_scores(path: &Path, scores: &Scores) -> Result<(), TableError> {
    let number = |name: &str| Field::new(name, DataType::Float64, true);
    let text = |name: &str, missing: bool| Field::new(name, DataType::Utf8, missing);
    let fields = vec![
        text(&scores.key, false),
        number("value"),
        number("low"),
        number("high"),
        number("probability_alive"),
        number("expected_purchases"),
        text("segment", true),
        text("reason", true),
        text("model_version", false),
        time_field("origin"),
    ];
    let version = scores.version.clone();
    let notes = vec![KeyValue::new("acumen.version".to_owned(), version)];
    let mut output = Output::create(path, Arc::new(Schema::new(fields)), notes)?;
    let rows = scores.ids.len();
    let numbers = |values: &[Option<f64>]| -> ArrayRef {
        Arc::new(values.iter().copied().collect::<Float64Array>())
    };
    let texts = |values: &[Option<String>]| -> ArrayRef {
        Arc::new(values.iter().collect::<StringArray>())
    };
    output.write(vec![
        Arc::new(StringArray::from_iter_values(&scores.ids)),
        numbers(&scores.value),
        numbers(&scores.low),
        numbers(&scores.high),
        numbers(&scores.alive),
        numbers(&scores.purchases),
        texts(&scores.segment),
        texts(&scores.reason),
        Arc::new(StringArray::from_iter_values(std::iter::repeat_n(
            &scores.version,
            rows,
        ))),
        time_array(std::iter::repeat_n(scores.origin, rows)),
    ])?;
    output.finish()
}
