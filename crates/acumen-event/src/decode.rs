//! JSON into typed events, or everything that is wrong with it.

use std::borrow::Cow;
use std::sync::Arc;

use acumen_base::{Currency, Event, EventType, FieldType, Span, Time, limits, nearest};

mod envelope;
mod field;
mod json;
mod lines;
mod rejected;
mod walk;

use json::Json;
pub use lines::{Item, Items};
pub use rejected::{Problem, Rejected};

/// What one event may not exceed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// Bytes of its JSON.
    pub event_bytes: usize,
    /// Bytes of an id.
    pub id_bytes: usize,
    /// Bytes of a text or category.
    pub text_bytes: usize,
    /// How far its time may lie ahead of its receipt.
    pub future: Span,
}

impl Default for DecodeLimits {
    fn default() -> Self {
        DecodeLimits {
            event_bytes: limits::EVENT_BYTES_MAX,
            id_bytes: limits::ID_BYTES_MAX,
            text_bytes: limits::TEXT_BYTES_MAX,
            future: Span(limits::FUTURE_MS_MAX),
        }
    }
}

/// Decodes JSON events of the declared types.
///
/// An event is an object: `type` (unless a default is given), the type's id and time field, and
/// its fields. Groups may be nested or dotted; a time is RFC 3339 text or whole milliseconds
/// since 1970; money is a number or decimal text with a `currency` beside it (or the decoder's
/// default), or `{amount, currency}`; a place is `{lat, lon, accuracy_km}` (without
/// `accuracy_km`: exact). `null` is a field that was not sent. A CloudEvents 1.0 envelope is
/// taken off.
#[derive(Clone, Debug)]
pub struct Decoder {
    types: Vec<KnownType>,
    currency: Option<Currency>,
}

/// An event type with what finds its fields quickly.
#[derive(Clone, Debug)]
struct KnownType {
    kind: Arc<EventType>,
    /// Where each incoming name goes, sorted by name.
    slots: Vec<(String, Slot)>,
    /// The groups: `device` of `device.os`, sorted.
    groups: Vec<String>,
    has_money: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Id,
    Time,
    Field(usize),
}

impl Decoder {
    /// A decoder of some event types.
    pub fn new(types: Vec<Arc<EventType>>) -> Decoder {
        Decoder {
            types: types.into_iter().map(KnownType::new).collect(),
            currency: None,
        }
    }

    /// Takes amounts that come without a currency for amounts of this one.
    #[must_use]
    pub fn with_currency(self, currency: Currency) -> Decoder {
        Decoder {
            currency: Some(currency),
            ..self
        }
    }

    /// The declared type of a name.
    pub fn event_type(&self, name: &str) -> Option<&Arc<EventType>> {
        self.known(name).map(|known| &known.kind)
    }

    /// Decodes one event. `default_kind` is its type where it names none; it becomes known when
    /// it is received.
    ///
    /// # Errors
    /// [`Rejected`] with everything that is wrong with it.
    pub fn decode_json(
        &self,
        bytes: &[u8],
        default_kind: Option<&str>,
        received_at: Time,
        limits: &DecodeLimits,
    ) -> Result<Event, Rejected> {
        self.decode_from_line(bytes, 1, default_kind, received_at, limits)
    }

    /// Decodes one event that begins at a line of a larger text.
    fn decode_from_line(
        &self,
        bytes: &[u8],
        line: usize,
        default_kind: Option<&str>,
        received_at: Time,
        limits: &DecodeLimits,
    ) -> Result<Event, Rejected> {
        let reject = |problem| Rejected::new(vec![problem], bytes);
        let json = parse(bytes, line, limits).map_err(reject)?;
        let Json::Object(entries) = &json else {
            return Err(reject(Problem::new(
                "wrong_type",
                None,
                format!("an event must be an object, found {}", json.describe()),
                "send `{\"type\": …, …}`",
            )));
        };
        let envelope = envelope::open(entries).map_err(reject)?;
        let known = self.kind_of(envelope.kind, default_kind).map_err(reject)?;
        let walk = walk::Walk::new(known, limits, self.currency);
        walk.event(&envelope, received_at)
            .map_err(|problems| Rejected::new(problems, bytes))
    }

    fn known(&self, name: &str) -> Option<&KnownType> {
        self.types.iter().find(|known| known.kind.name == name)
    }

    fn kind_of(
        &self,
        sent: Option<&Json<'_>>,
        default_kind: Option<&str>,
    ) -> Result<&KnownType, Problem> {
        let names = || self.types.iter().map(|known| known.kind.name.as_str());
        let list = || names().collect::<Vec<_>>().join("`, `");
        let name = match sent {
            Some(Json::Text(name)) => name.as_ref(),
            Some(other) => return Err(field::wrong_type("type", "an event type's name", other)),
            None => default_kind.ok_or_else(|| {
                let help = format!("send one of `{}`", list());
                Problem::new("missing_field", Some("type"), "`type` is missing", help)
            })?,
        };
        // CloudEvents names types like `com.example.order`.
        let last_part = || self.known(name.rsplit('.').next()?);
        self.known(name).or_else(last_part).ok_or_else(|| {
            let help = match nearest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("declared are `{}`", list()),
            };
            let message = format!("unknown event type `{}`", json::shorten(name));
            Problem::new("unknown_type", Some("type"), message, help)
        })
    }
}

impl KnownType {
    fn new(kind: Arc<EventType>) -> KnownType {
        let mut slots = vec![
            (kind.id_field.clone(), Slot::Id),
            (kind.time_field.clone(), Slot::Time),
        ];
        let fields = kind.fields.iter().enumerate();
        slots.extend(fields.map(|(index, field)| (field.name.clone(), Slot::Field(index))));
        slots.sort_by(|a, b| a.0.cmp(&b.0));
        let names = slots.iter().map(|slot| slot.0.as_str());
        let dots = |name: &str| -> Vec<String> {
            let ends = name.match_indices('.').map(|(end, _)| end);
            ends.map(|end| name[..end].to_owned()).collect()
        };
        let mut groups: Vec<String> = names.flat_map(dots).collect();
        groups.sort();
        groups.dedup();
        let has_money = kind.fields.iter().any(|f| f.kind == FieldType::Money);
        KnownType {
            kind,
            slots,
            groups,
            has_money,
        }
    }

    fn slot(&self, path: &str) -> Option<Slot> {
        let found = self
            .slots
            .binary_search_by(|slot| slot.0.as_str().cmp(path));
        found.ok().map(|index| self.slots[index].1)
    }

    fn is_group(&self, path: &str) -> bool {
        let found = self
            .groups
            .binary_search_by(|group| group.as_str().cmp(path));
        found.is_ok()
    }
}

/// Reads the text of one event, or says where it is no JSON.
fn parse<'a>(bytes: &'a [u8], line: usize, limits: &DecodeLimits) -> Result<Json<'a>, Problem> {
    if bytes.len() > limits.event_bytes {
        return Err(Problem::new(
            "too_long",
            None,
            format!(
                "the event has {} bytes, more than {}",
                bytes.len(),
                limits.event_bytes
            ),
            format!("send at most {} bytes an event", limits.event_bytes),
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Problem::new(
            "not_utf8",
            None,
            format!("byte {} is not UTF-8", error.valid_up_to() + 1),
            "send the text as UTF-8",
        )
    })?;
    serde_json::from_str(text).map_err(|error| syntax(text, line, &error))
}

fn syntax(text: &str, line: usize, error: &serde_json::Error) -> Problem {
    let place = format!(
        "line {}, column {}",
        line + error.line().max(1) - 1,
        error.column()
    );
    if let Some(literal) = literal_at(text, error) {
        return Problem {
            message: format!("`{literal}` at {place} is not a number"),
            ..field::not_finite(None, literal)
        };
    }
    if error.is_eof() {
        return Problem::new(
            "truncated_json",
            None,
            format!("the JSON ends too early, at {place}"),
            "send the whole text; perhaps it was cut off on its way",
        );
    }
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    let message = format!("this is no JSON: {words}, at {place}");
    Problem::new("invalid_json", None, message, "send JSON (RFC 8259)")
}

/// `NaN` or an infinity at the place of an error.
fn literal_at<'a>(text: &'a str, error: &serde_json::Error) -> Option<&'a str> {
    let line = text.lines().nth(error.line().checked_sub(1)?)?;
    let about = error.column().saturating_sub(1);
    (about.saturating_sub(1)..=about + 1).find_map(|start| {
        let rest = line.get(start..)?;
        let end = rest.find([',', '}', ']', ' ']).unwrap_or(rest.len());
        Some(&rest[..end]).filter(|word| field::is_not_finite(word))
    })
}

/// The entries of a JSON object.
type Entries<'a> = Vec<(Cow<'a, str>, Json<'a>)>;

#[cfg(test)]
mod tests;
