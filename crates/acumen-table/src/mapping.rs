//! Mappings: how the records of a file become events, as they are declared in YAML or JSON.

mod condition;

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use acumen_base::money::MoneyError;
use acumen_base::{Currency, Span, Time};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::template::Template;

pub use condition::{Condition, Scalar, Test};

/// How each record of a file becomes one event or several.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// What the file is, where its name does not say.
    #[serde(default)]
    pub source: SourceFormat,
    /// The events of one record, in declared order; in the text a map from event type.
    #[serde(deserialize_with = "in_declared_order")]
    pub events: Vec<EventMapping>,
}

/// What a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceFormat {
    /// The format; from the file's extension where it is left out.
    pub format: Option<Format>,
}

/// A format of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Values separated by commas, with a line of names.
    Csv,
    /// One JSON object a line.
    #[serde(alias = "jsonl")]
    Ndjson,
}

/// How a record becomes an event of one type.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventMapping {
    /// The declared type of event.
    #[serde(skip)]
    pub event: String,
    /// Its id.
    pub id: Template,
    /// When it happened.
    pub time: TimeSource,
    /// When it became known; when it happened, where this is left out.
    #[serde(default)]
    pub known_at: Option<KnownAt>,
    /// Which records give this event, by conditions of which all have to hold; all records, where
    /// this is left out.
    #[serde(default, deserialize_with = "condition::one_or_several")]
    pub when: Vec<Condition>,
    /// The column with the id of whom the event is about: a record without it is a guest's, which
    /// is counted and gives no event. Where this is left out, there are no guests.
    #[serde(default)]
    pub guest_without: Option<String>,
    /// What it must not come before.
    #[serde(default)]
    pub after: Option<After>,
    /// Where each field comes from; a group's field is named with a dot, `device.os`.
    pub fields: BTreeMap<String, Source>,
}

/// The first event of a type that has the same value in a field: an order is not placed before its
/// customer's account is opened.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    /// The type of event that comes first.
    pub event: String,
    /// The field that both have.
    pub by: String,
}

/// A column that holds instants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeSource {
    /// The column.
    pub column: String,
    /// The unit of a column of numbers.
    pub unit: Option<TimeUnit>,
    /// The instant that numbers count from: 1970-01-01, where this is left out.
    pub origin: Option<Time>,
    /// How far ahead of UTC the clock is that instants without an offset were read from; where it
    /// is not declared, such instants are refused.
    pub ahead_of_utc: Option<Span>,
}

/// The unit of numbers that count time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum TimeUnit {
    /// Seconds.
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
}

/// When an event became known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownAt {
    /// This long after it happened.
    Delay(Span),
    /// As a column says.
    Column(TimeSource),
}

/// Where a field's value comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A column, or a text over columns.
    Template(Template),
    /// A column with what it leaves unsaid: a time's unit and origin.
    Time(TimeSource),
    /// A column of amounts in major units, and their currency.
    Money {
        /// The column.
        column: String,
        /// The currency of every amount.
        currency: CurrencySource,
        /// A column of whole numbers that each amount is multiplied by: prices into totals.
        times: Option<String>,
        /// Whether the sign is turned round: a refund of 12.00 may stand there as -12.00.
        negated: bool,
    },
    /// Two columns of degrees, and how precise they are.
    Geo {
        /// Degrees north.
        lat: String,
        /// Degrees east.
        lon: String,
        /// Within how many kilometres the true place lies.
        accuracy_km: Accuracy,
    },
}

impl Source {
    /// The columns that a text is read from; `None` for what is no text.
    pub fn columns(&self) -> Option<Vec<String>> {
        match self {
            Source::Template(template) => Some(template.columns()),
            _ => None,
        }
    }
}

/// Which currency amounts are in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CurrencySource {
    /// All in this one.
    Fixed(Currency),
    /// As a column says.
    Column(String),
    /// As a column says, which has to be this one.
    Only(Currency, String),
}

/// How precise a place is.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Accuracy {
    /// The same everywhere, in kilometres.
    Fixed(f32),
    /// As a column says, in kilometres.
    Column(String),
}

/// The keys of a source that is written as a map.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Detail {
    column: Option<String>,
    unit: Option<TimeUnit>,
    origin: Option<String>,
    timezone: Option<String>,
    delay: Option<String>,
    currency: Option<String>,
    currency_column: Option<String>,
    times: Option<String>,
    negated: bool,
    lat: Option<String>,
    lon: Option<String>,
    accuracy_km: Option<Accuracy>,
}

impl Detail {
    fn time(&self) -> Result<TimeSource, String> {
        let column = self.column.clone().ok_or("`column` is missing")?;
        let origin = self.origin.as_deref().map(str::parse).transpose();
        Ok(TimeSource {
            column,
            unit: self.unit,
            origin: origin.map_err(|error: acumen_base::time::ParseTimeError| error.to_string())?,
            ahead_of_utc: self.timezone.as_deref().map(offset).transpose()?,
        })
    }

    fn has_time_keys(&self) -> bool {
        self.unit.is_some() || self.origin.is_some() || self.timezone.is_some()
    }

    fn currency(&self) -> Result<Option<CurrencySource>, String> {
        let currency = self.currency.as_deref().map(str::parse).transpose();
        let currency = currency.map_err(|error: MoneyError| error.to_string())?;
        Ok(match (currency, self.currency_column.clone()) {
            (Some(currency), Some(column)) => Some(CurrencySource::Only(currency, column)),
            (Some(currency), None) => Some(CurrencySource::Fixed(currency)),
            (None, Some(column)) => Some(CurrencySource::Column(column)),
            (None, None) => None,
        })
    }
}

/// `UTC`, or a fixed offset such as `+02:00`. Named zones need a database that changes by the
/// year, and with it what an old file means.
fn offset(text: &str) -> Result<Span, String> {
    let error = || format!("`{text}` is not a time zone here: write `UTC` or an offset, `+02:00`");
    if matches!(text, "UTC" | "Z") {
        return Ok(Span::ZERO);
    }
    let (sign, digits) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
        (Some(digits), _) => (1, digits),
        (_, Some(digits)) => (-1, digits),
        _ => return Err(error()),
    };
    let (hours, minutes) = digits.split_once(':').ok_or_else(error)?;
    let part = |text: &str, below: i64| {
        let number = text.parse::<u8>().ok().map(i64::from);
        number.filter(|number| text.len() == 2 && *number < below)
    };
    let (hours, minutes) = part(hours, 15).zip(part(minutes, 60)).ok_or_else(error)?;
    Ok(Span::seconds(sign * (hours * 3_600 + minutes * 60)))
}

/// What is written as a text, or as a map where more has to be said.
trait TextOrMap: Sized {
    const EXPECTING: &'static str;
    fn from_text(text: &str) -> Result<Self, String>;
    fn from_detail(detail: &Detail) -> Result<Self, String>;
}

impl TextOrMap for TimeSource {
    const EXPECTING: &'static str = "a column of times, or {column, unit, origin, timezone}";

    fn from_text(text: &str) -> Result<Self, String> {
        Ok(TimeSource {
            column: text.to_owned(),
            unit: None,
            origin: None,
            ahead_of_utc: None,
        })
    }

    fn from_detail(detail: &Detail) -> Result<Self, String> {
        detail.time()
    }
}

impl TextOrMap for KnownAt {
    const EXPECTING: &'static str = "a column of times, {column: …} or {delay: 7d}";

    fn from_text(text: &str) -> Result<Self, String> {
        TimeSource::from_text(text).map(KnownAt::Column)
    }

    fn from_detail(detail: &Detail) -> Result<Self, String> {
        let Some(delay) = &detail.delay else {
            return detail.time().map(KnownAt::Column);
        };
        match delay.parse() {
            Ok(Span::ALL) => Err("a delay has an end: write a span such as `7d`".into()),
            Ok(delay) => Ok(KnownAt::Delay(delay)),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl TextOrMap for Source {
    const EXPECTING: &'static str =
        "a column, a template, {column, currency}, {column, unit} or {lat, lon, accuracy_km}";

    fn from_text(text: &str) -> Result<Self, String> {
        let template: Result<Template, _> = text.parse();
        template
            .map(Source::Template)
            .map_err(|error| error.to_string())
    }

    fn from_detail(detail: &Detail) -> Result<Self, String> {
        if let (Some(lat), Some(lon)) = (&detail.lat, &detail.lon) {
            return Ok(Source::Geo {
                lat: lat.clone(),
                lon: lon.clone(),
                accuracy_km: detail.accuracy_km.clone().unwrap_or(Accuracy::Fixed(0.0)),
            });
        }
        let column = detail.column.clone().ok_or(
            "`column` is missing (or `lat` and `lon`); \
             a group's field is named with a dot: `device.os`",
        )?;
        match detail.currency()? {
            Some(currency) => Ok(Source::Money {
                column,
                currency,
                times: detail.times.clone(),
                negated: detail.negated,
            }),
            None if detail.has_time_keys() => detail.time().map(Source::Time),
            None => Source::from_text(&format!("{{{column}}}")),
        }
    }
}

struct TextOrMapVisitor<T>(PhantomData<T>);

impl<'de, T: TextOrMap> Visitor<'de> for TextOrMapVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTING)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let detail = Detail::deserialize(MapAccessDeserializer::new(map))?;
        T::from_detail(&detail).map_err(A::Error::custom)
    }
}

impl<'de> Deserialize<'de> for TimeSource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrMapVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for KnownAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrMapVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrMapVisitor(PhantomData))
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A map from event type, in the order in which it is written.
fn in_declared_order<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<EventMapping>, D::Error> {
    struct Declared;

    impl<'de> Visitor<'de> for Declared {
        type Value = Vec<EventMapping>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a map from event type to {id, time, known_at, when, fields}")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut events: Vec<EventMapping> = Vec::new();
            while let Some((event, mut mapping)) = map.next_entry::<String, EventMapping>()? {
                if events.iter().any(|other| other.event == event) {
                    return Err(A::Error::custom(format!("`{event}` is mapped twice")));
                }
                mapping.event = event;
                events.push(mapping);
            }
            Ok(events)
        }
    }

    deserializer.deserialize_map(Declared)
}

#[cfg(test)]
mod tests;
