//! What a request for the values of some keys is answered with.

use std::sync::Arc;

use acumen_base::decision::Reason;
use acumen_base::{Row, Time};
use acumen_decision::driver_in_words;

use super::{LiveModel, Scored};

/// The most drivers that an answer names.
const REASONS_MAX: usize = 5;

/// The value of one key.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueAnswer {
    /// The key.
    pub id: Arc<str>,
    /// What is said of it.
    pub scored: Scored,
    /// What moved the value, the strongest first.
    pub reasons: Vec<Reason>,
    /// The model that answered.
    pub model: String,
    /// Its version.
    pub version: String,
    /// When its row was read.
    pub at: Time,
    /// Where in the log: exactly the records before it were known.
    pub position: u64,
}

impl LiveModel {
    /// The answers for the rows of some keys.
    pub(crate) fn answers(&self, rows: Vec<(Arc<str>, Row)>) -> Vec<ValueAnswer> {
        let Some((_, first)) = rows.first() else {
            return Vec::new();
        };
        let width = first.values.len();
        let column = |column: usize| rows.iter().map(|(_, row)| row.values[column]).collect();
        let data: Vec<Vec<f64>> = (0..width).map(column).collect();
        let values = self.values(&data);
        let answer = |((id, row), value): ((Arc<str>, Row), f64)| ValueAnswer {
            id,
            scored: self.scored(value, &row.values),
            reasons: self.reasons(&row),
            model: self.artifact().member.clone(),
            version: self.version().to_owned(),
            at: row.at,
            position: row.position,
        };
        rows.into_iter().zip(values).map(answer).collect()
    }

    /// What moved the value of a row most, in words.
    fn reasons(&self, row: &Row) -> Vec<Reason> {
        let mut moved = self.attributions(row);
        moved.retain(|one| one.contribution.is_finite() && one.contribution != 0.0);
        let size = |one: &acumen_base::Attribution| one.contribution.abs();
        moved.sort_by(|a, b| size(b).total_cmp(&size(a)).then(a.column.cmp(&b.column)));
        let columns = self.artifact().seen();
        let reasons = moved.iter().take(REASONS_MAX).map(|one| Reason {
            text: driver_in_words(&columns, one),
            code: one.column.clone(),
            weight: one.contribution,
        });
        reasons.collect()
    }
}
