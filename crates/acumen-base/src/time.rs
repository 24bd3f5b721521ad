//! Instants and spans, in whole milliseconds.

use std::fmt;
use std::ops::{Add, Sub};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An instant: milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Time(pub i64);

/// A length of time in milliseconds; [`Span::ALL`] has no end (`window: all`).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(pub i64);

/// Text that is not a time or a span.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {expected}")]
pub struct ParseTimeError {
    text: String,
    expected: &'static str,
}

impl ParseTimeError {
    pub(crate) fn new(text: &str, expected: &'static str) -> ParseTimeError {
        let text = text.into();
        ParseTimeError { text, expected }
    }
}

impl Time {
    /// The earliest instant that an event may carry: 1900-01-01.
    pub const EARLIEST: Time = Time(-2_208_988_800_000);
    /// The latest instant that an event may carry: 2200-01-01.
    pub const LATEST: Time = Time(7_258_118_400_000);

    /// Whether an event may carry this instant.
    pub fn is_plausible(self) -> bool {
        (Self::EARLIEST..=Self::LATEST).contains(&self)
    }

    /// Days since 1970-01-01, UTC.
    pub fn day(self) -> i64 {
        self.0.div_euclid(86_400_000)
    }

    /// Hour of the day in UTC, 0–23.
    pub fn hour(self) -> u8 {
        (self.0.rem_euclid(86_400_000) / 3_600_000) as u8
    }

    /// Day of the week in UTC, Monday 0 to Sunday 6.
    pub fn weekday(self) -> u8 {
        (self.day() + 3).rem_euclid(7) as u8
    }
}

impl Span {
    /// A window without an end.
    pub const ALL: Span = Span(i64::MAX);
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// A span of whole seconds.
    pub const fn seconds(seconds: i64) -> Span {
        Span(seconds * 1_000)
    }

    /// A span of whole days.
    pub const fn days(days: i64) -> Span {
        Span(days * 86_400_000)
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0.saturating_add(span.0))
    }
}

impl Sub<Span> for Time {
    type Output = Time;
    fn sub(self, span: Span) -> Time {
        Time(self.0.saturating_sub(span.0))
    }
}

impl Sub for Time {
    type Output = Span;
    fn sub(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

impl FromStr for Time {
    type Err = ParseTimeError;

    /// RFC 3339 with an offset or `Z`; a date, or a date and time without an offset, is UTC.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(timestamp) = text.parse::<jiff::Timestamp>() {
            return Ok(Time(timestamp.as_millisecond()));
        }
        let civil = text.parse::<jiff::civil::DateTime>().ok();
        let utc = civil.and_then(|at| jiff::tz::TimeZone::UTC.to_timestamp(at).ok());
        match utc {
            Some(at) => Ok(Time(at.as_millisecond())),
            None => Err(ParseTimeError {
                text: text.into(),
                expected: "a time such as `2026-03-01T12:30:00Z`",
            }),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Span::ALL {
            return write!(f, "all");
        }
        let units = [
            (86_400_000, "d"),
            (3_600_000, "h"),
            (60_000, "m"),
            (1_000, "s"),
            (1, "ms"),
        ];
        let (length, unit) = units
            .into_iter()
            .find(|(length, _)| self.0 % length == 0)
            .unwrap_or((1, "ms"));
        // 24 hours and 7 days stay as people write them: `24h`, `7d`.
        match self.0 {
            86_400_000 => write!(f, "24h"),
            _ => write!(f, "{}{unit}", self.0 / length),
        }
    }
}

impl FromStr for Span {
    type Err = ParseTimeError;

    /// A whole number and a unit (`250ms`, `30s`, `15m`, `24h`, `30d`, `1w`), or `all`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ParseTimeError {
            text: text.into(),
            expected: "a span such as `250ms`, `30s`, `15m`, `24h`, `30d`, `1w` or `all`",
        };
        if text == "all" {
            return Ok(Span::ALL);
        }
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(error)?;
        let (number, unit) = text.split_at(split);
        let length = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(error()),
        };
        let number: i64 = number.parse().map_err(|_| error())?;
        number.checked_mul(length).map(Span).ok_or_else(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_and_print_as_people_write_them() {
        for text in ["250ms", "30s", "15m", "1h", "24h", "30d", "all"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert!("5 minutes".parse::<Span>().is_err());
        assert!("99999999999999w".parse::<Span>().is_err());
    }

    #[test]
    fn times_know_their_calendar() {
        let at: Time = "2018-04-01T13:45:10Z".parse().unwrap();
        assert_eq!((at.hour(), at.weekday()), (13, 6));
        assert_eq!(at, "2018-04-01T13:45:10".parse().unwrap());
        assert_eq!(at.to_string(), "2018-04-01T13:45:10Z");
        assert_eq!(Time(-1).weekday(), 2);
    }
}
