//! Events as a client sends them: one JSON object a line.
//!
//! `{"type":"order","order_id":"o1","placed_at":"2026-01-01T08:00:00Z","amount":{"amount":"12.34","currency":"GBP"},…}`:
//! the type, the id and the time under the names that the event type declares, then each field;
//! a dotted field (`device.os`) stands in an object of its group, money is
//! `{"amount":"12.34","currency":"GBP"}` (decimal text: exact), a place is
//! `{"lat":…,"lon":…,"accuracy_km":…}`, and a missing value is left out.

use std::io::Write;

use acumen_base::{Event, Money, Time, Value};

/// Appends the event as one line of NDJSON, the line feed included.
pub fn write_line(event: &Event, line: &mut Vec<u8>) {
    let kind = &event.kind;
    line.extend_from_slice(b"{\"type\":");
    text(&kind.name, line);
    member(&kind.id_field, line);
    text(&event.id, line);
    member(&kind.time_field, line);
    time(event.event_time, line);
    let mut open: Option<&str> = None;
    for (field, value) in kind.fields.iter().zip(&event.values) {
        if value.is_missing() {
            continue;
        }
        match (field.name.split_once('.'), open) {
            (Some((group, name)), Some(current)) if group == current => member(name, line),
            (Some((group, name)), before) => {
                if before.is_some() {
                    line.push(b'}');
                }
                member(group, line);
                line.push(b'{');
                text(name, line);
                line.push(b':');
                open = Some(group);
            }
            (None, before) => {
                if before.is_some() {
                    line.push(b'}');
                    open = None;
                }
                member(&field.name, line);
            }
        }
        write_value(value, line);
    }
    if open.is_some() {
        line.push(b'}');
    }
    line.extend_from_slice(b"}\n");
}

fn member(name: &str, line: &mut Vec<u8>) {
    line.push(b',');
    text(name, line);
    line.push(b':');
}

fn write_value(value: &Value, line: &mut Vec<u8>) {
    match value {
        Value::Missing => line.extend_from_slice(b"null"),
        Value::Bool(value) => display(value, line),
        Value::Int(value) => display(value, line),
        Value::Number(value) => display(value, line),
        Value::Money(value) => money(*value, line),
        Value::Time(value) => time(*value, line),
        Value::Text(value) => text(value, line),
        Value::Geo(geo) => {
            line.extend_from_slice(b"{\"lat\":");
            display(&geo.lat, line);
            line.extend_from_slice(b",\"lon\":");
            display(&geo.lon, line);
            line.extend_from_slice(b",\"accuracy_km\":");
            display(&geo.accuracy_km, line);
            line.push(b'}');
        }
    }
}

fn money(money: Money, line: &mut Vec<u8>) {
    line.extend_from_slice(b"{\"amount\":\"");
    display(&money, line);
    // `12.34 GBP`: the amount as exact decimal text, without the code and the space before it.
    line.truncate(line.len() - " GBP".len());
    line.extend_from_slice(b"\",\"currency\":\"");
    line.extend_from_slice(money.currency.code().as_bytes());
    line.extend_from_slice(b"\"}");
}

fn display(value: &impl std::fmt::Display, line: &mut Vec<u8>) {
    write!(line, "{value}").expect("a vector takes every byte");
}

fn time(at: Time, line: &mut Vec<u8>) {
    line.push(b'"');
    display(&at, line);
    line.push(b'"');
}

fn text(value: &str, line: &mut Vec<u8>) {
    let plain = |b: u8| b >= 0x20 && b != b'"' && b != b'\\';
    if value.bytes().all(plain) {
        line.push(b'"');
        line.extend_from_slice(value.as_bytes());
        line.push(b'"');
    } else {
        serde_json::to_writer(line, value).expect("a text is always JSON");
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Arc;

    use acumen_base::{EventType, Field, FieldType, Geo, Span};

    use super::*;

    /// A small event type that has every shape of field.
    pub(crate) fn order_type() -> Arc<EventType> {
        let field = |name: &str, kind| Field {
            name: name.into(),
            kind,
            optional: true,
            personal: false,
            signed: false,
        };
        Arc::new(EventType {
            name: "order".into(),
            id_field: "order_id".into(),
            time_field: "placed_at".into(),
            lateness: Span::days(1),
            fields: vec![
                field("customer_id", FieldType::Id),
                field("device.os", FieldType::Text),
                field("device.browser", FieldType::Text),
                field("amount", FieldType::Money),
                field("place", FieldType::Geo),
            ],
        })
    }

    /// The `number`-th order, one a second.
    pub(crate) fn order(number: i64) -> Event {
        let at = Time(1_767_225_600_000 + number * 1_000);
        Event {
            kind: order_type(),
            id: format!("o{number}").into(),
            event_time: at,
            known_at: at,
            received_at: at,
            values: vec![
                Value::text(&format!("c{}", number % 7)),
                Value::text("a \"quoted\" name"),
                Value::text("b"),
                Value::Money("12.34 GBP".parse().unwrap()),
                Value::Geo(Geo {
                    lat: 51.5,
                    lon: -0.1,
                    accuracy_km: 0.5,
                }),
            ],
        }
    }

    #[test]
    fn a_line_is_the_json_that_a_client_sends() {
        let mut line = Vec::new();
        write_line(&order(0), &mut line);
        assert_eq!(line.last(), Some(&b'\n'));
        let read: serde_json::Value = serde_json::from_slice(&line).unwrap();
        let sent = serde_json::json!({
            "type": "order", "order_id": "o0", "placed_at": "2026-01-01T00:00:00Z",
            "customer_id": "c0", "device": {"os": "a \"quoted\" name", "browser": "b"},
            "amount": {"amount": "12.34", "currency": "GBP"},
            "place": {"lat": 51.5, "lon": -0.1, "accuracy_km": 0.5},
        });
        assert_eq!(read, sent);
    }

    #[test]
    fn what_is_missing_is_left_out() {
        let mut event = order(1);
        event.values = vec![Value::Missing; 5];
        let mut line = Vec::new();
        write_line(&event, &mut line);
        let read: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(read.as_object().unwrap().len(), 3);
    }
}
