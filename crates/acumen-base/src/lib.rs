//! The nouns on the arrows of the data path.
//!
//! ```text
//! Event ──▶ Row ──▶ Prediction ──▶ Decision ──▶ Outcome ──▶ Money
//! ```
//!
//! Every other crate speaks in these types and in nothing of each other's. Nothing here
//! reads a clock, a file or the network.

pub mod calendar;
pub mod clock;
pub mod control;
pub mod decision;
pub mod diagnostic;
pub mod event;
pub mod key;
pub mod limits;
pub mod listing;
pub mod member;
pub mod money;
pub mod outcome;
pub mod problem;
pub mod random;
pub mod record;
pub mod row;
pub mod source;
pub mod time;
pub mod update;
pub mod value;

pub use calendar::CalendarSpan;
pub use clock::{Clock, Deadline, ManualClock, SystemClock};
pub use control::Control;
pub use decision::Decision;
pub use diagnostic::{Diagnostic, Place, nearest};
pub use event::{Event, EventType, Field};
pub use key::{Key, Seed};
pub use listing::{Circumstances, EnsembleChoice, ListedItem, Listing};
pub use member::{Attribution, ENSEMBLE, Member, MemberError, Prediction};
pub use money::{Currency, Money};
pub use outcome::Outcome;
pub use problem::Problem;
pub use record::{Body, Record};
pub use row::{Column, ColumnKind, Columns, Row};
pub use source::SourceMark;
pub use time::{Span, Time};
pub use update::{Gate, ModelVersion, Update};
pub use value::{FieldType, Geo, Value};
