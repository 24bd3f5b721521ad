//! The judgement of values as a page for people.

use std::sync::Arc;

use acumen_base::{Span, Time};

use crate::error::EngineError;
use crate::history::Sources;
use crate::origins::{OriginRows, Reach, rows_at};
use crate::report::{self, About, ValueRow};
use crate::spec::is_of_purchases;

use super::evaluate::{Judged, ValueEvaluation};

/// Times before the judged one at which the model is asked too, to show whether it is stable.
const TIMES_BEFORE: usize = 3;

/// Rows whose drivers are looked at, evenly spread.
const DRIVEN_ROWS: usize = 500;

/// Evaluates as [`evaluate_values`](super::evaluate_values) does, and writes the page that shows
/// it; no page where nothing came of any key.
///
/// # Errors
/// Where nothing is live, or what followed `at` is not known yet.
pub fn report_values(
    sources: &Sources,
    use_case: usize,
    at: Option<Time>,
    progress: &mut dyn FnMut(u64),
) -> Result<(ValueEvaluation, Option<String>), EngineError> {
    let judged = Judged::read(sources, use_case, at, progress)?;
    let found = judged.found();
    let before = |at: &Time| Some(judged.over.before(*at));
    let earlier = std::iter::successors(before(&judged.at), before);
    let mut times: Vec<Time> = earlier.take(TIMES_BEFORE).collect();
    times.reverse();
    let reach = Reach::of(sources, use_case, None)?;
    let earlier = rows_at(sources, use_case, &times, reach, progress)?;
    let mut told = judged.told(&earlier, &judged.live.values(&earlier.data), 0);
    told.extend(judged.told(&judged.rows, &judged.predicted, DRIVEN_ROWS));
    let page = report::html(&judged.about(&found), &told);
    Ok((found, page))
}

impl Judged<'_> {
    fn about(&self, found: &ValueEvaluation) -> About {
        let declared = &self.plan.declared;
        let intervals = self.live.artifact().intervals.as_ref();
        let values = self.purchases("value").map(|column| {
            let values = self.rows.data[column].iter().copied();
            let known: Vec<f64> = values.filter(|value| *value > 0.0).collect();
            known.iter().sum::<f64>() / known.len() as f64
        });
        About {
            name: declared.name.clone(),
            question: declared.question.clone(),
            each: declared.subject.as_ref().map_or("key", |s| &s.each).into(),
            unit: declared.currency.to_string(),
            version: found.version.clone(),
            warning: found.warning.clone(),
            over: self.over.to_string(),
            level: intervals.map_or(f64::NAN, |found| found.level),
            event_value: values.filter(|mean| mean.is_finite()),
        }
    }

    /// Every row with what was predicted of it, and what drives so many of them.
    fn told(&self, rows: &OriginRows, predicted: &[f64], driven: usize) -> Vec<ValueRow> {
        let (age, intervals) = (
            self.purchases("age"),
            self.live.artifact().intervals.as_ref(),
        );
        let every = rows.len().div_ceil(driven.max(1)).max(1);
        let row = |row: usize| ValueRow {
            key: Arc::clone(&rows.ids[row]),
            at: rows.at[row],
            cohort: age.map_or_else(String::new, |age| month(rows.at[row], rows.data[age][row])),
            predicted: predicted[row].max(0.0),
            interval: intervals.map(|found| found.around(predicted[row])),
            actual: rows.target[row].max(0.0),
            drivers: match driven > 0 && row.is_multiple_of(every) {
                true => self.drivers(rows, row),
                false => Vec::new(),
            },
        };
        (0..rows.len()).map(row).collect()
    }

    fn drivers(&self, rows: &OriginRows, row: usize) -> Vec<(String, f64)> {
        let row: Vec<f64> = rows.data.iter().map(|column| column[row]).collect();
        let answered = self.live.answer_many([&*row].into_iter(), usize::MAX);
        let moved = answered.into_iter().flat_map(|one| one.drivers);
        moved
            .map(|moved| (moved.column, moved.contribution))
            .collect()
    }

    /// The column that a model of purchases reads as this, where one is declared.
    fn purchases(&self, what: &str) -> Option<usize> {
        let mut models = self.plan.declared.models.iter();
        let model = models.find(|model| is_of_purchases(&model.algorithm))?;
        self.rows
            .columns
            .position(model.params.get(what)?.as_str()?)
    }
}

/// The month in which a key was first seen, so many days before; empty where that is not known.
fn month(at: Time, days: f64) -> String {
    match days.is_finite() {
        true => {
            let first = at - Span((days * Span::days(1).0 as f64) as i64);
            first.to_string().chars().take("2026-01".len()).collect()
        }
        false => String::new(),
    }
}
