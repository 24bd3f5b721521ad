//! What a request for the values of some keys is answered with.

use std::sync::Arc;

use acumen_base::decision::Reason;
use acumen_base::{Attribution, Row, Time};
use acumen_decision::driver_in_words;
use acumen_model::Answered;

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
        let values = rows.iter().map(|(_, row)| &*row.values);
        let answered = self.answer_many(values, REASONS_MAX);
        let answer = |((id, row), said): ((Arc<str>, Row), Answered)| ValueAnswer {
            id,
            scored: self.scored(said.value, said.says),
            reasons: said.drivers.iter().map(|one| self.reason(one)).collect(),
            model: self.artifact().member.clone(),
            version: self.version().to_owned(),
            at: row.at,
            position: row.position,
        };
        rows.into_iter().zip(answered).map(answer).collect()
    }

    /// What moved the value, in words.
    fn reason(&self, driver: &Attribution) -> Reason {
        Reason {
            text: driver_in_words(self.columns(), driver),
            code: driver.column.clone(),
            weight: driver.contribution,
        }
    }
}
