//! How good predicted values were, as one page: a self-contained HTML file with pictures in SVG.
//!
//! Turns rows (a key with what was predicted of it and what came) into text; it reads no file and
//! no log, and asks for nothing from elsewhere when it is opened.

mod chart;
mod measures;
mod page;
mod sections;

use std::sync::Arc;

use acumen_base::Time;

/// What the rows are of.
#[derive(Clone, Debug)]
pub struct About {
    /// The use case.
    pub name: String,
    /// The question that it answers.
    pub question: String,
    /// What a key is, such as `customer`.
    pub each: String,
    /// The unit of values, such as `GBP`.
    pub unit: String,
    /// The model and its version.
    pub version: String,
    /// What the model saw of the judged time in training, in words; empty where it saw nothing.
    pub warning: String,
    /// How far ahead values reach, in words.
    pub over: String,
    /// The probability that an interval holds what came.
    pub level: f64,
    /// What a single event is worth on average, where that is known: how much chance alone decides
    /// follows from it.
    pub event_value: Option<f64>,
}

/// A key at an origin, with what came.
#[derive(Clone, Debug)]
pub struct ValueRow {
    /// The key.
    pub key: Arc<str>,
    /// When it was predicted; the latest is what the page is about, earlier ones show stability.
    pub at: Time,
    /// The group that it came with, such as the month of its first event.
    pub cohort: String,
    /// What was predicted, not below 0.
    pub predicted: f64,
    /// Where what comes was said to lie.
    pub interval: Option<(f64, f64)>,
    /// What came, not below 0.
    pub actual: f64,
    /// What moved the prediction, in words, and how far.
    pub drivers: Vec<(String, f64)>,
}

/// The page; `None` where there are no rows or nothing came of any.
pub fn html(about: &About, rows: &[ValueRow]) -> Option<String> {
    let latest = rows.iter().map(|row| row.at).max()?;
    let judged: Vec<&ValueRow> = rows.iter().filter(|row| row.at == latest).collect();
    if judged.iter().all(|row| row.actual <= 0.0) {
        return None;
    }
    let sections = [
        sections::summary(about, &judged),
        sections::tenths(about, &judged),
        sections::calibration(about, &judged),
        sections::gains(about, &judged),
        sections::cohorts(about, &judged),
        sections::drivers(about, &judged),
        sections::stability(about, rows),
        sections::money(about, &judged),
        sections::limits(about, &judged),
    ];
    Some(page::page(about, latest, &sections.concat()))
}

#[cfg(test)]
mod tests;
