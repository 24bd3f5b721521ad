//! Cells into instants.

use acumen_base::{Span, Time};

use crate::cell::{Block, Cell};
use crate::field::{Refusal, not};
use crate::mapping::TimeUnit;

/// What to add where instants say no time zone.
pub(crate) const ZONE_HELP: &str = "say of which clock it is: `{column: …, timezone: UTC}`, or an \
     offset such as `timezone: +01:00`";

/// How an instant is read.
pub(crate) struct TimeReading {
    pub(crate) column: usize,
    pub(crate) unit: Option<TimeUnit>,
    pub(crate) origin: Time,
    /// Of the clock that instants without an offset were read from, where it is declared.
    pub(crate) ahead_of_utc: Option<Span>,
}

impl TimeReading {
    /// The instant of a record; `None` where the cell is missing.
    pub(crate) fn read(&self, block: &Block, row: usize) -> Result<Option<Time>, Refusal> {
        let cell = block.columns[self.column].cell(row);
        let time = match cell {
            Cell::Missing => return Ok(None),
            Cell::Time {
                millis,
                is_utc: true,
            } => Some(Time(millis)),
            Cell::Time { millis, .. } => match self.ahead_of_utc {
                Some(ahead) => Some(Time(millis) - ahead),
                None => return Err(without_zone(cell)),
            },
            Cell::Int(value) => self.counted(value),
            Cell::Float(value) => self.counted_decimal(value),
            Cell::Text(text) if self.is_naive(text) => return Err(without_zone(cell)),
            Cell::Text(text) => self.written(text.trim()),
            Cell::Bool(_) | Cell::Unreadable => None,
        };
        let plausible = time.filter(|time| time.is_plausible());
        plausible.map(Some).ok_or_else(|| {
            let (message, _) = not(cell, "an instant between 1900 and 2200");
            (
                message,
                "write RFC 3339, or give the column's unit and origin",
            )
        })
    }

    /// Whether a text is an instant of a clock that nobody named.
    fn is_naive(&self, text: &str) -> bool {
        let text = text.trim();
        self.ahead_of_utc.is_none()
            && self.unit.is_none()
            && text.parse::<jiff::Timestamp>().is_err()
            && text.parse::<jiff::civil::DateTime>().is_ok()
    }

    /// Whether the first instant of a block says no time zone where it would have to.
    pub(crate) fn begins_naive(&self, block: &Block) -> bool {
        let mut cells = (0..block.len).map(|row| block.columns[self.column].cell(row));
        match cells.find(|cell| *cell != Cell::Missing) {
            Some(Cell::Text(text)) => self.is_naive(text),
            _ => false,
        }
    }

    fn ahead(&self) -> Span {
        self.ahead_of_utc.unwrap_or(Span::ZERO)
    }

    fn counted(&self, value: i64) -> Option<Time> {
        let millis = value.checked_mul(match self.unit? {
            TimeUnit::Seconds => 1_000,
            TimeUnit::Milliseconds => 1,
        })?;
        let since = self.origin.0.checked_add(millis)?;
        Some(Time(since) - self.ahead())
    }

    fn counted_decimal(&self, value: f64) -> Option<Time> {
        let millis = match self.unit? {
            TimeUnit::Seconds => value * 1_000.0,
            TimeUnit::Milliseconds => value,
        };
        let fits = millis.abs() < 9.0e15;
        fits.then(|| Time(self.origin.0 + millis.round() as i64) - self.ahead())
    }

    fn written(&self, text: &str) -> Option<Time> {
        if self.unit.is_some() {
            let counted = text.parse().ok().and_then(|value| self.counted(value));
            return counted.or_else(|| text.parse().ok().and_then(|v| self.counted_decimal(v)));
        }
        if let Ok(at) = text.parse::<jiff::Timestamp>() {
            return Some(Time(at.as_millisecond()));
        }
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        let at = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
        Some(Time(at.as_millisecond()) - self.ahead())
    }
}

fn without_zone(cell: Cell<'_>) -> Refusal {
    let (message, _) = not(cell, "an instant: it says no time zone");
    (message, ZONE_HELP)
}
