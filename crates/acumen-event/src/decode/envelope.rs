//! The CloudEvents 1.0 envelope (JSON format, structured mode), or none.

use super::Entries;
use super::field::{duplicate, wrong_type};
use super::json::Json;
use super::rejected::Problem;

/// An event's own entries and what stands around them.
pub(super) struct Envelope<'a, 'b> {
    /// The event's type, where it was sent.
    pub(super) kind: Option<&'b Json<'a>>,
    /// The event's entries.
    pub(super) entries: &'b Entries<'a>,
    /// The envelope's id, for an event that has none of its own.
    pub(super) id: Option<&'b Json<'a>>,
    /// The envelope's time, likewise.
    pub(super) time: Option<&'b Json<'a>>,
}

/// Takes the envelope off, where there is one.
pub(super) fn open<'a, 'b>(entries: &'b Entries<'a>) -> Result<Envelope<'a, 'b>, Problem> {
    let get = |name: &str| {
        let mut named = entries.iter().filter(|entry| entry.0 == name);
        let found = named.next().map(|entry| &entry.1);
        match named.next() {
            Some(_) => Err(duplicate(name)),
            None => Ok(found),
        }
    };
    let kind = get("type")?;
    if get("specversion")?.is_none() {
        return Ok(Envelope {
            kind,
            entries,
            id: None,
            time: None,
        });
    }
    let data = get("data")?.ok_or_else(|| {
        let help = "send the event's fields as a JSON object in `data`";
        Problem::new("missing_field", Some("data"), "`data` is missing", help)
    })?;
    let Json::Object(fields) = data else {
        return Err(wrong_type("data", "an object", data));
    };
    Ok(Envelope {
        kind,
        entries: fields,
        id: get("id")?,
        time: get("time")?,
    })
}
