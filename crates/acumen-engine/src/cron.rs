//! When something is due by five cron fields, in a time zone.
//!
//! The fields are minute, hour, day of the month, month and day of the week, each `*`, a number, a
//! name (`jan`, `mon`), a range, a list of these, or one with a step (`*/15`, `1-5/2`). Where both
//! days are restricted, either makes a day match, as in every cron since Vixie's.

use acumen_base::Time;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// Days that are looked through: leap days are at most eight years apart.
const DAYS_MAX: i32 = 366 * 9;

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];
const WEEKDAYS: [&str; 8] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A schedule that has occurrences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    text: String,
    zone: TimeZone,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Whether a day matches by either of its fields.
    either: bool,
}

/// A field: what it is called, and the least and the greatest number with their names.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        names: &[],
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        names: &[],
    },
    Field {
        name: "day of the month",
        least: 1,
        most: 31,
        names: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &MONTHS,
    },
    Field {
        name: "day of the week",
        least: 0,
        most: 7,
        names: &WEEKDAYS,
    },
];

impl Cron {
    /// Reads a line in a time zone of the tz database, such as `Europe/London` or `UTC`.
    ///
    /// # Errors
    /// What is wrong with it, and what may stand there.
    pub fn parse(text: &str, zone: &str) -> Result<Cron, String> {
        let zone = match zone {
            "UTC" => TimeZone::UTC,
            name => TimeZone::get(name).map_err(|_unknown| {
                format!("`{name}` is no time zone: write one such as `UTC` or `Europe/London`")
            })?,
        };
        let parts: Vec<&str> = text.split_whitespace().collect();
        if parts.len() != FIELDS.len() {
            return Err(format!(
                "`{text}` has {} fields: write minute, hour, day of the month, month and day of \
                 the week, such as `0 2 * * *`",
                parts.len()
            ));
        }
        let mut sets = [0_u64; 5];
        for ((set, field), part) in sets.iter_mut().zip(&FIELDS).zip(&parts) {
            *set = field.parse(part)?;
        }
        let [minutes, hours, days, months, weekdays] = sets;
        let cron = Cron {
            text: text.to_owned(),
            zone,
            minutes,
            hours,
            days,
            months,
            // Sunday is 0 and 7.
            weekdays: weekdays | weekdays >> 7,
            either: !parts[2].starts_with('*') && !parts[4].starts_with('*'),
        };
        match cron.next(Time(0)) {
            Some(_) => Ok(cron),
            None => Err(format!(
                "`{text}` never comes: no month that it names has such a day"
            )),
        }
    }

    /// The line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The last occurrence at or before a time.
    pub fn last(&self, at: Time) -> Option<Time> {
        let today = self.civil(at)?.date();
        let mut days = (0..DAYS_MAX).map_while(|back| today.checked_sub(back.days()).ok());
        days.find_map(|day| self.on(day).into_iter().rev().find(|found| *found <= at))
    }

    /// The first occurrence after a time.
    pub fn next(&self, at: Time) -> Option<Time> {
        let today = self.civil(at)?.date();
        let mut days = (0..DAYS_MAX).map_while(|ahead| today.checked_add(ahead.days()).ok());
        days.find_map(|day| self.on(day).into_iter().find(|found| *found > at))
    }

    fn civil(&self, at: Time) -> Option<DateTime> {
        let at = Timestamp::from_millisecond(at.0).ok()?;
        Some(self.zone.to_datetime(at))
    }

    /// The occurrences of a day, rising. What falls into the hour that is left out in spring comes
    /// an hour later, and what falls into the one that comes twice in autumn comes the first time.
    fn on(&self, day: Date) -> Vec<Time> {
        let has = |set: u64, number: i8| set >> number & 1 == 1;
        let by_date = has(self.days, day.day());
        let by_weekday = has(self.weekdays, day.weekday().to_sunday_zero_offset());
        let matches = match self.either {
            true => by_date || by_weekday,
            false => by_date && by_weekday,
        };
        if !matches || !has(self.months, day.month()) {
            return Vec::new();
        }
        let hours = (0..24).filter(|hour| has(self.hours, *hour));
        let times = hours.flat_map(|hour| {
            let minutes = (0..60).filter(|minute| has(self.minutes, *minute));
            minutes.filter_map(move |minute| {
                let civil = day.at(hour, minute, 0, 0);
                let at = self.zone.to_ambiguous_timestamp(civil).compatible().ok()?;
                Some(Time(at.as_millisecond()))
            })
        });
        let mut times: Vec<Time> = times.collect();
        times.sort_unstable();
        times.dedup();
        times
    }
}

impl Field {
    /// A list of ranges as a set of bits.
    fn parse(&self, text: &str) -> Result<u64, String> {
        let mut set = 0;
        for item in text.split(',') {
            let (range, step) = match item.split_once('/') {
                Some((range, step)) => (range, Some(step)),
                None => (item, None),
            };
            let step_by = match step.map(str::parse::<u8>) {
                None => 1,
                Some(Ok(step)) if step > 0 => step,
                Some(_) => return Err(self.wrong(item)),
            };
            let (from, to) = match range.split_once('-') {
                _ if range == "*" => (self.least, self.most),
                Some((from, to)) => (self.number(from)?, self.number(to)?),
                None => {
                    let from = self.number(range)?;
                    (from, if step.is_some() { self.most } else { from })
                }
            };
            if from > to {
                return Err(self.wrong(item));
            }
            set |= (from..=to)
                .step_by(step_by.into())
                .fold(0, |set, n| set | 1 << n);
        }
        Ok(set)
    }

    fn number(&self, text: &str) -> Result<u8, String> {
        let named = self
            .names
            .iter()
            .position(|name| text.eq_ignore_ascii_case(name));
        let number = match named {
            Some(place) => u8::try_from(place).ok().map(|place| place + self.least),
            None => text.parse().ok(),
        };
        let inside = number.filter(|number| (self.least..=self.most).contains(number));
        inside.ok_or_else(|| self.wrong(text))
    }

    fn wrong(&self, text: &str) -> String {
        let names = match self.names.first() {
            Some(first) => format!(" or names such as `{first}`"),
            None => String::new(),
        };
        format!(
            "`{text}` is no {}: write numbers from {} to {}{names}, ranges or steps such as `*/2`",
            self.name, self.least, self.most
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    fn next(line: &str, after: &str) -> Time {
        Cron::parse(line, "UTC").unwrap().next(at(after)).unwrap()
    }

    #[test]
    fn lines_come_when_they_say() {
        for (line, after, expected) in [
            ("0 2 * * *", "2026-03-01T01:59:59", "2026-03-01T02:00"),
            ("0 2 * * *", "2026-03-01T02:00", "2026-03-02T02:00"),
            ("*/20 9-10 * * *", "2026-03-01T09:41", "2026-03-01T10:00"),
            ("5/20 * * * *", "2026-03-01T09:26", "2026-03-01T09:45"),
            ("0 0 1 jan *", "2026-03-01", "2027-01-01"),
            ("0 0 29 2 *", "2026-03-01", "2028-02-29"),
            // 2026-03-01 is a Sunday.
            ("30 4 * * mon-fri", "2026-03-01", "2026-03-02T04:30"),
            ("30 4 * * 7", "2026-03-01T05:00", "2026-03-08T04:30"),
            ("0 0 13 * fri", "2026-03-07", "2026-03-13"),
            ("0 0 10,13 * fri", "2026-03-07", "2026-03-10"),
        ] {
            assert_eq!(next(line, after), at(expected), "{line} after {after}");
        }
        let nightly = Cron::parse("0 2 * * *", "UTC").unwrap();
        assert_eq!(
            nightly.last(at("2026-03-01T02:00")),
            Some(at("2026-03-01T02:00"))
        );
        assert_eq!(
            nightly.last(at("2026-03-01T01:59")),
            Some(at("2026-02-28T02:00"))
        );
    }

    #[test]
    fn a_time_zone_moves_them_and_keeps_to_its_clocks() {
        let london = Cron::parse("30 1 * * *", "Europe/London").unwrap();
        assert_eq!(london.next(at("2026-07-01")), Some(at("2026-07-01T00:30")));
        assert_eq!(london.next(at("2026-01-01")), Some(at("2026-01-01T01:30")));
        // Left out in spring: an hour later. Twice in autumn: the first time, and once.
        assert_eq!(london.next(at("2026-03-29")), Some(at("2026-03-29T01:30")));
        assert_eq!(london.next(at("2026-10-25")), Some(at("2026-10-25T00:30")));
        assert_eq!(
            london.next(at("2026-10-25T00:30")),
            Some(at("2026-10-26T01:30"))
        );
    }

    #[test]
    fn lines_that_mean_nothing_are_refused_with_what_would_do() {
        for (line, zone, told) in [
            ("0 2 * *", "UTC", "has 4 fields"),
            (
                "61 2 * * *",
                "UTC",
                "`61` is no minute: write numbers from 0 to 59",
            ),
            ("0 24 * * *", "UTC", "is no hour"),
            ("0 2 0 * *", "UTC", "is no day of the month"),
            ("0 2 * foo *", "UTC", "names such as `jan`"),
            ("0 2 * * 8", "UTC", "is no day of the week"),
            ("5-1 2 * * *", "UTC", "`5-1` is no minute"),
            ("*/0 2 * * *", "UTC", "`*/0` is no minute"),
            ("0 2 30 2 *", "UTC", "never comes"),
            ("0 2 * * *", "Europe/Nowhere", "is no time zone"),
        ] {
            let error = Cron::parse(line, zone).unwrap_err();
            assert!(error.contains(told), "{line}: {error}");
        }
    }
}
