//! Bodies of records as bytes: events by hand (small, fast), everything else as postcard.

use std::sync::Arc;

use acumen_base::{
    Body, Control, Currency, Decision, Event, EventType, Geo, Listing, Money, Time, Value,
};

use crate::bytes::{Cursor, Malformed, put_signed, put_text, put_unsigned};
use crate::schema::Schemas;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FrameKind {
    /// An event type, which takes no position.
    Schema,
    /// [`Body::Event`].
    Event,
    /// [`Body::Decision`].
    Decision,
    /// [`Body::Control`].
    Control,
    /// [`Body::Listing`].
    Listing,
}

impl FrameKind {
    pub(crate) fn of(body: &Body) -> FrameKind {
        match body {
            Body::Event(_) => FrameKind::Event,
            Body::Decision(_) => FrameKind::Decision,
            Body::Control { .. } => FrameKind::Control,
            Body::Listing(_) => FrameKind::Listing,
        }
    }

    pub(crate) fn from_byte(byte: u8) -> Option<FrameKind> {
        match byte {
            1 => Some(FrameKind::Schema),
            2 => Some(FrameKind::Event),
            3 => Some(FrameKind::Decision),
            4 => Some(FrameKind::Control),
            5 => Some(FrameKind::Listing),
            _ => None,
        }
    }

    pub(crate) fn byte(self) -> u8 {
        match self {
            FrameKind::Schema => 1,
            FrameKind::Event => 2,
            FrameKind::Decision => 3,
            FrameKind::Control => 4,
            FrameKind::Listing => 5,
        }
    }
}

pub(crate) fn encode_event(bytes: &mut Vec<u8>, schema: u32, event: &Event) {
    put_unsigned(bytes, schema.into());
    put_text(bytes, &event.id);
    put_signed(bytes, event.event_time.0);
    put_signed(bytes, event.known_at.0.wrapping_sub(event.event_time.0));
    put_signed(bytes, event.received_at.0.wrapping_sub(event.known_at.0));
    put_unsigned(bytes, event.values.len() as u64);
    for value in &event.values {
        encode_value(bytes, value);
    }
}

fn encode_value(bytes: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Missing => bytes.push(0),
        Value::Bool(false) => bytes.push(1),
        Value::Bool(true) => bytes.push(2),
        Value::Int(value) => {
            bytes.push(3);
            put_signed(bytes, *value);
        }
        Value::Number(value) => {
            bytes.push(4);
            bytes.extend_from_slice(&value.to_bits().to_le_bytes());
        }
        Value::Money(value) => {
            bytes.push(5);
            bytes.extend_from_slice(value.currency.code().as_bytes());
            put_signed(bytes, value.minor);
        }
        Value::Time(value) => {
            bytes.push(6);
            put_signed(bytes, value.0);
        }
        Value::Text(value) => {
            bytes.push(7);
            put_text(bytes, value);
        }
        Value::Geo(geo) => {
            bytes.push(8);
            bytes.extend_from_slice(&geo.lat.to_bits().to_le_bytes());
            bytes.extend_from_slice(&geo.lon.to_bits().to_le_bytes());
            bytes.extend_from_slice(&geo.accuracy_km.to_bits().to_le_bytes());
        }
    }
}

/// Reads bodies, remembering the last currency (looking one up costs more than all else).
#[derive(Clone, Debug, Default)]
pub(crate) struct BodyReader {
    currency: Option<Currency>,
}

impl BodyReader {
    /// Reads the body of a frame that is not a schema.
    pub(crate) fn read(
        &mut self,
        kind: FrameKind,
        payload: &[u8],
        schemas: &Schemas,
    ) -> Result<Body, Malformed> {
        match kind {
            FrameKind::Event => self
                .event(payload, schemas)
                .map(|e| Body::Event(Arc::new(e))),
            FrameKind::Decision => postcard::from_bytes::<Decision>(payload)
                .map(|decision| Body::Decision(Arc::new(decision)))
                .map_err(|_| Malformed("the decision cannot be read")),
            FrameKind::Listing => decode_listing(payload)
                .map(|listing| Body::Listing(Arc::new(listing)))
                .map_err(|_| Malformed("the list cannot be read")),
            FrameKind::Control => postcard::from_bytes::<(Control, String, Time)>(payload)
                .map(|(control, by, at)| Body::Control { control, by, at })
                .map_err(|_| Malformed("the control record cannot be read")),
            FrameKind::Schema => Err(Malformed("a schema stands where a record should")),
        }
    }

    fn event(&mut self, payload: &[u8], schemas: &Schemas) -> Result<Event, Malformed> {
        let mut cursor = Cursor::new(payload);
        let schema = u32::try_from(cursor.unsigned()?).ok();
        let kind = schema
            .and_then(|id| schemas.get(id))
            .ok_or(Malformed("the event's type is not in the segment"))?;
        let id: Arc<str> = cursor.text()?.into();
        let event_time = cursor.signed()?;
        let known_at = event_time.wrapping_add(cursor.signed()?);
        let received_at = known_at.wrapping_add(cursor.signed()?);
        let count = cursor.unsigned()?;
        if count != kind.fields.len() as u64 {
            return Err(Malformed("the event has not as many values as its type"));
        }
        let mut values = Vec::with_capacity(kind.fields.len());
        for _ in 0..count {
            values.push(self.value(&mut cursor)?);
        }
        cursor.end()?;
        Ok(Event {
            kind: Arc::clone(kind),
            id,
            event_time: Time(event_time),
            known_at: Time(known_at),
            received_at: Time(received_at),
            values,
        })
    }

    fn value(&mut self, cursor: &mut Cursor<'_>) -> Result<Value, Malformed> {
        Ok(match cursor.byte()? {
            0 => Value::Missing,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Int(cursor.signed()?),
            4 => Value::Number(cursor.number()?),
            5 => {
                let currency = self.currency(cursor.take(3)?)?;
                Value::Money(Money::new(cursor.signed()?, currency))
            }
            6 => Value::Time(Time(cursor.signed()?)),
            7 => Value::Text(cursor.text()?.into()),
            8 => Value::Geo(Geo {
                lat: cursor.number()?,
                lon: cursor.number()?,
                accuracy_km: f32::from_bits(u32::from_le_bytes(cursor.array()?)),
            }),
            _ => return Err(Malformed("a value is of no known kind")),
        })
    }

    fn currency(&mut self, code: &[u8]) -> Result<Currency, Malformed> {
        if let Some(last) = self.currency
            && last.code().as_bytes() == code
        {
            return Ok(last);
        }
        let currency = std::str::from_utf8(code)
            .ok()
            .and_then(|code| code.parse().ok())
            .ok_or(Malformed("a currency is unknown"))?;
        self.currency = Some(currency);
        Ok(currency)
    }
}

/// Reads a list. What it was made under stands behind it, unless there was nothing to say; builds
/// that knew of nothing wrote the list alone, and leave unread what is behind it.
fn decode_listing(payload: &[u8]) -> Result<Listing, postcard::Error> {
    let (mut listing, rest) = postcard::take_from_bytes::<Listing>(payload)?;
    if !rest.is_empty() {
        listing.circumstances = postcard::from_bytes(rest)?;
    }
    Ok(listing)
}

/// Reads the payload of a schema frame.
pub(crate) fn decode_schema(payload: &[u8]) -> Result<(u32, EventType), Malformed> {
    postcard::from_bytes(payload).map_err(|_| Malformed("the event type cannot be read"))
}

/// The `known_at` of an event's payload, without reading the rest.
pub(crate) fn peek_known_at(payload: &[u8]) -> Result<Time, Malformed> {
    let mut cursor = Cursor::new(payload);
    cursor.unsigned()?;
    cursor.text()?;
    let event_time = cursor.signed()?;
    Ok(Time(event_time.wrapping_add(cursor.signed()?)))
}

#[cfg(test)]
mod tests {
    use acumen_base::{Circumstances, EnsembleChoice, ListedItem};

    use super::*;

    /// Lists of builds that knew of no circumstances are read, and such a build reads those of now.
    #[test]
    fn lists_are_read_with_and_without_what_they_were_made_under() {
        let listing = Listing {
            id: "7-1".to_owned(),
            use_case: "wares".to_owned(),
            at: Time(7),
            visitor: None,
            session: Some("v1".to_owned()),
            places: vec![ListedItem {
                item: "w1".to_owned(),
                score: 1.5,
                propensity: 0.9,
                context: vec![1.0, -2.0],
            }],
            sources: vec![("next".to_owned(), "abc".to_owned())],
            took_us: 12,
            circumstances: Circumstances {
                context: vec![("weather".to_owned(), Value::Text("rain".into()))],
                choice: Some(EnsembleChoice {
                    ensemble: "fresh".to_owned(),
                    probabilities: vec![("steady".to_owned(), 0.4), ("fresh".to_owned(), 0.6)],
                    known: vec![1.0, 0.5],
                }),
            },
        };
        let before = postcard::to_stdvec(&listing).unwrap();
        let now = postcard::to_stdvec(&(&listing, &listing.circumstances)).unwrap();
        assert_eq!(now[..before.len()], before);
        assert_eq!(decode_listing(&now).unwrap(), listing);
        let bare = Listing {
            circumstances: Circumstances::default(),
            ..listing
        };
        assert_eq!(decode_listing(&before).unwrap(), bare);
        assert_eq!(postcard::from_bytes::<Listing>(&now).unwrap(), bare);
        assert!(decode_listing(&now[..now.len() - 1]).is_err());
    }
}
