//! Named limits of everything that could otherwise grow without end.

/// Bytes of one request body.
pub const BODY_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Bytes of one event as JSON.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
/// Events in one request.
pub const EVENTS_PER_REQUEST_MAX: usize = 10_000;
/// Bytes of an id.
pub const ID_BYTES_MAX: usize = 256;
/// Bytes of a text or category value.
pub const TEXT_BYTES_MAX: usize = 4 * 1024;
/// Fields of one event type.
pub const FIELDS_MAX: usize = 256;
/// Columns of a row.
pub const COLUMNS_MAX: usize = 4_096;
/// Bytes of a spec file.
pub const SPEC_BYTES_MAX: usize = 1024 * 1024;
/// Bytes of an expression.
pub const EXPRESSION_BYTES_MAX: usize = 4 * 1024;
/// Bytes of one log record.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;
/// Bytes after which the log starts a new segment.
pub const SEGMENT_BYTES: u64 = 256 * 1024 * 1024;
/// Requests that wait for the sequencer; the next one is answered 429.
pub const SEQUENCER_QUEUE_MAX: usize = 4_096;
/// Requests that may wait for a worker before the deepest layer of models is left out.
pub const WAITING_BEFORE_SHEDDING: usize = 64;
/// Ids of one edit of a list.
pub const LIST_EDIT_MAX: usize = 10_000;
/// Events that `sequence` and `neighbours` may keep per entity.
pub const LAST_MAX: usize = 256;
/// How far an event time may lie ahead of the clock of a live server, in milliseconds.
pub const FUTURE_MS_MAX: i64 = 5 * 60 * 1_000;
/// Trainings of a use case of which the engine keeps the record at hand; the log has them all.
pub const UPDATES_KEPT: usize = 200;
/// Cases that a use case keeps; of more the oldest are dropped.
pub const CASES_MAX: usize = 100_000;
/// Cases that one request lists.
pub const CASES_LISTED_MAX: usize = 200;
/// Decided events that a backtest over HTTP looks at.
pub const BACKTEST_ROWS_MAX: u64 = 10_000_000;
/// Microseconds that a backtest over HTTP may take.
pub const BACKTEST_MICROS_MAX: u64 = 20_000_000;
/// Microseconds after which thresholds that were asked for over HTTP are not put in force any more:
/// whoever asked has been told by then that there was no answer.
pub const REFIT_MICROS_MAX: u64 = 25_000_000;
/// Keys that one request may ask about.
pub const KEYS_PER_REQUEST_MAX: usize = 1_000;
/// Answers for keys that a use case keeps; of more none is kept.
pub const SCORES_CACHED_MAX: usize = 200_000;
