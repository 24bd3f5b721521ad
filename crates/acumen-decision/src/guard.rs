//! What keeps a member from being asked in vain: it overran too often, or has not finished yet.

use acumen_base::{MemberError, Prediction};

use crate::beside::Outstanding;
use crate::breaker::Breaker;

/// The guard of one member.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    pub(crate) breaker: Breaker,
    pub(crate) outstanding: Outstanding,
}

impl Guard {
    /// Takes note of an answer.
    pub(crate) fn note(&self, answer: &Result<Prediction, MemberError>) {
        match answer {
            // It was not asked.
            Err(MemberError::Skipped) => {}
            Err(MemberError::Late | MemberError::Busy) => self.breaker.note(true),
            _ => self.breaker.note(false),
        }
    }
}
