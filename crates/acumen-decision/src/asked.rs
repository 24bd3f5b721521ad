//! A deployed member that is asked about a row, and what became of it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use acumen_base::{Deadline, Member, MemberError, Prediction, Row};

/// An answer, and how many microseconds it took.
pub(crate) type Answered = (Result<Prediction, MemberError>, u64);

/// Asks a member; a panic or an answer that is no probability is a failure of its own.
pub(crate) fn predict(
    member: &Arc<dyn Member>,
    row: &Row,
    deadline: &Deadline,
) -> Result<Prediction, MemberError> {
    let answer = catch_unwind(AssertUnwindSafe(|| member.predict(row, deadline)));
    let prediction = answer.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(MemberError::Failed(format!(
            "panicked: {}",
            text.unwrap_or("without a message")
        )))
    })?;
    if (0.0..=1.0).contains(&prediction.value) {
        return Ok(prediction);
    }
    Err(MemberError::Failed(format!(
        "answered {}, which is not a probability",
        prediction.value
    )))
}

/// Asks a member within a deadline: an answer that comes too late counts as none.
pub(crate) fn predict_in_time(
    member: &Arc<dyn Member>,
    row: &Row,
    deadline: &Deadline,
) -> Result<Prediction, MemberError> {
    let answer = predict(member, row, deadline);
    if deadline.expired() {
        return Err(MemberError::Late);
    }
    answer
}
