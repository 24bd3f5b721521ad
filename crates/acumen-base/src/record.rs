//! The records of the one log.

use std::sync::Arc;

use crate::control::Control;
use crate::decision::Decision;
use crate::event::Event;
use crate::listing::Listing;
use crate::time::Time;

/// One record of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where it stands: 0, 1, 2, …
    pub position: u64,
    /// What it says.
    pub body: Body,
}

/// Everything that changes an answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// Something happened.
    Event(Arc<Event>),
    /// Something was decided.
    Decision(Arc<Decision>),
    /// A list was shown.
    Listing(Arc<Listing>),
    /// A person or a job changed something.
    Control {
        /// What was changed.
        control: Control,
        /// Who did it.
        by: String,
        /// When.
        at: Time,
    },
}
