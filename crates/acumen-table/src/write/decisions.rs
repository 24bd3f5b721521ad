//! Decisions into Parquet: one row each.

use std::path::Path;
use std::sync::Arc;

use acumen_base::Decision;
use acumen_base::decision::Firing;
use arrow_array::{ArrayRef, Float64Array, Int64Array, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};

use crate::RECORDS_PER_BATCH;
use crate::error::TableError;
use crate::write::output::Output;
use crate::write::rows::{time_array, time_field};

/// Writes decisions; the file appears when all of them are in it.
///
/// Amounts are whole minor units with their currency beside them; reasons are their sentences,
/// weightiest first, separated by `; `, and their codes likewise.
pub fn write_decisions<'a>(
    path: &Path,
    decisions: impl IntoIterator<Item = &'a Decision>,
) -> Result<(), TableError> {
    let mut output = Output::create(path, Arc::new(schema()), Vec::new())?;
    let mut decisions = decisions.into_iter();
    loop {
        let block: Vec<&Decision> = decisions.by_ref().take(RECORDS_PER_BATCH).collect();
        if block.is_empty() {
            return output.finish();
        }
        output.write(columns(&block))?;
    }
}

fn schema() -> Schema {
    let text = |name| Field::new(name, DataType::Utf8, false);
    let number = |name| Field::new(name, DataType::Float64, true);
    Schema::new(vec![
        text("id"),
        text("use_case"),
        text("event_id"),
        time_field("event_time"),
        time_field("decided_at"),
        text("action"),
        text("action_without_exploration"),
        number("propensity"),
        number("score"),
        number("probability"),
        text("rules"),
        text("reason_codes"),
        text("reasons"),
        Field::new("amount_minor", DataType::Int64, true),
        Field::new("currency", DataType::Utf8, true),
        Field::new("position", DataType::UInt64, false),
        Field::new("took_us", DataType::UInt64, false),
        text("build"),
    ])
}

fn columns(block: &[&Decision]) -> Vec<ArrayRef> {
    fn texts(block: &[&Decision], read: impl Fn(&Decision) -> String) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(block.iter().map(|d| read(d))))
    }
    fn numbers(block: &[&Decision], read: impl Fn(&Decision) -> Option<f64>) -> ArrayRef {
        let finite = |d: &&Decision| read(d).filter(|value| value.is_finite());
        Arc::new(block.iter().map(finite).collect::<Float64Array>())
    }
    fn counts(block: &[&Decision], read: impl Fn(&Decision) -> u64) -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(block.iter().map(|d| read(d))))
    }
    let join = |parts: Vec<&str>| parts.join("; ");
    let minor = block.iter().map(|d| d.amount.map(|amount| amount.minor));
    let currency = block
        .iter()
        .map(|d| d.amount.map(|a| a.currency.to_string()));
    vec![
        texts(block, |d| d.id.clone()),
        texts(block, |d| d.use_case.clone()),
        texts(block, |d| d.event_id.clone()),
        time_array(block.iter().map(|d| d.event_time)),
        time_array(block.iter().map(|d| d.decided_at)),
        texts(block, |d| d.action.clone()),
        texts(block, |d| d.action_without_exploration.clone()),
        numbers(block, |d| Some(d.propensity)),
        numbers(block, |d| d.score),
        numbers(block, |d| d.probability),
        texts(block, |d| {
            // What a list suppresses did not fire.
            let fired = d
                .rules
                .iter()
                .filter(|rule| rule.firing != Firing::Suppressed);
            join(fired.map(|rule| rule.id.as_str()).collect())
        }),
        texts(block, |d| {
            join(d.reasons.iter().map(|r| r.code.as_str()).collect())
        }),
        texts(block, |d| {
            join(d.reasons.iter().map(|r| r.text.as_str()).collect())
        }),
        Arc::new(minor.collect::<Int64Array>()),
        Arc::new(currency.collect::<StringArray>()),
        counts(block, |d| d.position),
        counts(block, |d| d.took_us),
        texts(block, |d| d.build.clone()),
    ]
}
