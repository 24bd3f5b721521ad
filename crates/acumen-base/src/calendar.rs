//! Lengths of time as calendars have them.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::time::{ParseTimeError, Span, Time};

/// The average month of the Gregorian calendar, 30.436875 days.
pub const MONTH: Span = Span::seconds(2_629_746);
/// Its average year.
pub const YEAR: Span = Span(MONTH.0 * 12);

/// More months are no length that anything is declared for: a hundred years.
const MONTHS_MAX: i32 = 1_200;

/// A length of time: months as they come in UTC, or a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CalendarSpan {
    /// So many months: from the 31st it leads to the last day of a shorter month.
    Months(i32),
    /// The same length always.
    Span(Span),
}

impl CalendarSpan {
    /// The instant so much later.
    pub fn after(self, at: Time) -> Time {
        match self {
            CalendarSpan::Months(months) => shifted(at, months).unwrap_or(at + self.usual()),
            CalendarSpan::Span(span) => at + span,
        }
    }

    /// The instant so much earlier.
    pub fn before(self, at: Time) -> Time {
        match self {
            CalendarSpan::Months(months) => shifted(at, -months).unwrap_or(at - self.usual()),
            CalendarSpan::Span(span) => at - span,
        }
    }

    /// So often this length.
    pub fn times(self, n: u32) -> CalendarSpan {
        match self {
            CalendarSpan::Months(months) => CalendarSpan::Months(months.saturating_mul(n as i32)),
            CalendarSpan::Span(span) => CalendarSpan::Span(Span(span.0.saturating_mul(n.into()))),
        }
    }

    /// How long it is on average.
    pub fn usual(self) -> Span {
        match self {
            CalendarSpan::Months(months) => Span(MONTH.0.saturating_mul(months.into())),
            CalendarSpan::Span(span) => span,
        }
    }
}

/// An instant some months on; none beyond what a calendar holds.
fn shifted(at: Time, months: i32) -> Option<Time> {
    let utc: DateTime = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(at.0).ok()?);
    let then = utc
        .checked_add(jiff::Span::new().try_months(months).ok()?)
        .ok()?;
    let then = TimeZone::UTC.to_timestamp(then).ok()?;
    Some(Time(then.as_millisecond()))
}

impl fmt::Display for CalendarSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CalendarSpan::Months(months) => write!(f, "{months}mo"),
            CalendarSpan::Span(span) => write!(f, "{span}"),
        }
    }
}

impl FromStr for CalendarSpan {
    type Err = ParseTimeError;

    /// Months or years (`6mo`, `1y`), or a span with an end that is not empty.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let months = |number: &str, each: i32| {
            let number: i32 = number.parse().ok()?;
            let months = number.checked_mul(each)?;
            let there = (1..=MONTHS_MAX).contains(&months);
            there.then_some(CalendarSpan::Months(months))
        };
        let parsed = match (text.strip_suffix("mo"), text.strip_suffix('y')) {
            (Some(number), _) => months(number, 1),
            (_, Some(number)) => months(number, 12),
            _ => {
                let span = text.parse().ok();
                let span = span.filter(|span| *span > Span::ZERO && *span != Span::ALL);
                span.map(CalendarSpan::Span)
            }
        };
        parsed.ok_or_else(|| ParseTimeError::new(text, "a length such as `30d`, `6mo` or `1y`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn months_are_those_of_the_calendar() {
        let half_a_year: CalendarSpan = "6mo".parse().unwrap();
        assert_eq!(half_a_year.after(at("2010-06-01")), at("2010-12-01"));
        assert_eq!(half_a_year.before(at("2011-06-01")), at("2010-12-01"));
        assert_eq!(
            half_a_year.after(at("2011-08-31T13:00")),
            at("2012-02-29T13:00")
        );
        assert_eq!("1y".parse(), Ok(CalendarSpan::Months(12)));
        assert_eq!("2w".parse(), Ok(CalendarSpan::Span(Span::days(14))));
        assert_eq!(half_a_year.times(2).to_string(), "12mo");
        for wrong in ["0mo", "all", "-3mo", "9999y", "soon", "0d", ""] {
            assert!(wrong.parse::<CalendarSpan>().is_err(), "{wrong}");
        }
        // Beyond the calendar it is as long as it usually is.
        assert!(half_a_year.after(Time(i64::MAX / 2)) > Time(i64::MAX / 2));
    }
}
