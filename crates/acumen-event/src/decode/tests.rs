use acumen_base::{Field, Geo, Money, Value};
use proptest::prelude::*;

use super::*;

fn order() -> Arc<EventType> {
    let field = |name: &str, kind, optional, signed| Field {
        name: name.into(),
        kind,
        optional,
        personal: false,
        signed,
    };
    Arc::new(EventType {
        name: "order".into(),
        id_field: "order_id".into(),
        time_field: "at".into(),
        lateness: Span::days(1),
        fields: vec![
            field("customer", FieldType::Id, false, false),
            field("amount", FieldType::Money, false, false),
            field("channel", FieldType::Category, true, false),
            field("items", FieldType::Int, true, false),
            field("weight", FieldType::Number, true, false),
            field("change", FieldType::Number, true, true),
            field("gift", FieldType::Bool, true, false),
            field("promised", FieldType::Time, true, false),
            field("place", FieldType::Geo, true, false),
            field("device.os", FieldType::Category, true, false),
            field("device.id", FieldType::Id, true, false),
            field("refund.amount", FieldType::Money, true, true),
        ],
    })
}

fn now() -> Time {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn decode(json: &[u8]) -> Result<Event, Rejected> {
    Decoder::new(vec![order()]).decode_json(json, None, now(), &DecodeLimits::default())
}

const WHOLE: &str = r#"{"type": "order", "order_id": "o-1", "at": "2026-03-01T11:59:00Z",
    "customer": "c-1", "amount": 12.34, "currency": "EUR", "channel": "web", "items": 3,
    "weight": 0.75, "change": -2, "gift": true, "promised": 1772400000000,
    "place": {"lat": 51.5, "lon": -0.1, "accuracy_km": 5},
    "device": {"os": "linux", "id": 77},
    "refund": {"amount": "-1.000", "currency": "KWD"}}"#;

#[test]
fn a_whole_event_is_read() {
    let event = decode(WHOLE.as_bytes()).unwrap();
    assert_eq!(&*event.id, "o-1");
    assert_eq!(event.event_time, "2026-03-01T11:59:00Z".parse().unwrap());
    assert_eq!((event.known_at, event.received_at), (now(), now()));
    let expected = [
        Value::text("c-1"),
        Value::Money("12.34 EUR".parse().unwrap()),
        Value::text("web"),
        Value::Int(3),
        Value::Number(0.75),
        Value::Number(-2.0),
        Value::Bool(true),
        Value::Time(Time(1_772_400_000_000)),
        Value::Geo(Geo {
            lat: 51.5,
            lon: -0.1,
            accuracy_km: 5.0,
        }),
        Value::text("linux"),
        Value::text("77"),
        Value::Money("-1.000 KWD".parse().unwrap()),
    ];
    assert_eq!(event.values, expected);
}

/// The whole event with some of its text replaced.
fn with(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "{from}");
    WHOLE.replace(from, to)
}

#[test]
fn every_bad_input_is_named_with_its_remedy() {
    let table = [
        (
            with("\"items\"", "\"itmes\""),
            "unknown_field",
            "unknown field `itmes`",
            "did you mean `items`?",
        ),
        (
            with("\"os\"", "\"oss\""),
            "unknown_field",
            "unknown field `device.oss`",
            "did you mean `device.os`?",
        ),
        (
            with("3,", "\"three\","),
            "wrong_type",
            "`items` must be int, found the text `three`",
            "send int",
        ),
        (
            with("true", "1"),
            "wrong_type",
            "`gift` must be bool, found the number 1",
            "send bool",
        ),
        (
            with(r#"{"os": "linux", "id": 77}"#, "7"),
            "wrong_type",
            "`device` must be an object, found the number 7",
            "send an object",
        ),
        (
            with("\"web\"", "[1]"),
            "wrong_type",
            "`channel` must be category, found a list",
            "send category",
        ),
        (
            with("\"customer\": \"c-1\",", ""),
            "missing_field",
            "`customer` is missing",
            "send id, or declare the field `optional: true`",
        ),
        (
            with("\"order_id\": \"o-1\",", ""),
            "missing_field",
            "`order_id` is missing",
            "send the event's id",
        ),
        (
            with("\"type\": \"order\",", ""),
            "missing_field",
            "`type` is missing",
            "send one of `order`",
        ),
        (
            with("\"order\"", "\"ordr\""),
            "unknown_type",
            "unknown event type `ordr`",
            "did you mean `order`?",
        ),
        (
            with("2026-03-01T11:59:00Z", "2026-02-30T11:59:00Z"),
            "impossible_time",
            "`at`: `2026-02-30T11:59:00Z` is no time",
            "send RFC 3339 such as \"2026-03-01T12:30:00Z\", or whole milliseconds since 1970",
        ),
        (
            with("2026-03-01T11:59:00Z", "1492-10-12T00:00:00Z"),
            "impossible_time",
            "`at`: 1492-10-12T00:00:00Z is not between 1900 and 2200",
            "send RFC 3339 such as \"2026-03-01T12:30:00Z\", or whole milliseconds since 1970",
        ),
        (
            with("2026-03-01T11:59:00Z", "2026-03-01T12:06:00Z"),
            "future_time",
            "`at`: 2026-03-01T12:06:00Z lies more than 5m ahead of the clock (2026-03-01T12:00:00Z)",
            "check the sender's clock and time zone",
        ),
        (
            with("0.75", "NaN"),
            "not_finite",
            "`NaN` at line 3, column 15 is not a number",
            "leave the field out where there is no value",
        ),
        (
            with("0.75", "-Infinity"),
            "not_finite",
            "`-Infinity` at line 3, column 16 is not a number",
            "leave the field out where there is no value",
        ),
        (
            with("0.75", "\"NaN\""),
            "not_finite",
            "`weight`: `NaN` is not a number",
            "leave the field out where there is no value",
        ),
        (
            with("12.34", "-12.34"),
            "negative",
            "`amount` may not be negative, found the number -12.34",
            "send its size, or declare the field `signed: true`",
        ),
        (
            with("3,", "-3,"),
            "negative",
            "`items` may not be negative, found the number -3",
            "send its size, or declare the field `signed: true`",
        ),
        (
            with("\"EUR\"", "\"EUX\""),
            "unknown_currency",
            "`currency`: `EUX` is not an ISO 4217 currency code, such as `GBP`",
            "send an ISO 4217 code in capital letters",
        ),
        (
            with("\"currency\": \"EUR\",", ""),
            "missing_currency",
            "`amount` has no currency",
            "send a `currency` beside it, such as \"GBP\", or `{\"amount\": …, \"currency\": …}`",
        ),
        (
            with("12.34", "12.345"),
            "too_precise",
            "`amount`: `12.345` has more decimals than EUR has (2)",
            "round the amount to the currency's minor unit before sending it",
        ),
        (
            with("12.34", "\"ten\""),
            "wrong_type",
            "`amount`: `ten` is not a decimal amount",
            "send a number, or a decimal text such as \"12.34\"",
        ),
        (
            with("12.34", "1e30"),
            "out_of_range",
            "`amount`: `1000000000000000000000000000000` is too large an amount",
            "send a smaller amount",
        ),
        (
            with("51.5", "151.5"),
            "out_of_range",
            "`place`: 151.5, -0.1 (±5 km) is no place on the earth",
            "latitudes go from -90 to 90, longitudes from -180 to 180; check their order",
        ),
        (
            with("\"web\"", "\"web\", \"channel\": \"app\""),
            "duplicate_key",
            "`channel` is there twice",
            "send it once: which of the two is meant cannot be known",
        ),
        (
            with("\"lat\": 51.5", "\"lat\": 51.5, \"lat\": 1"),
            "duplicate_key",
            "`place.lat` is there twice",
            "send it once: which of the two is meant cannot be known",
        ),
        (
            with(
                "\"type\": \"order\"",
                "\"type\": \"order\", \"type\": \"order\"",
            ),
            "duplicate_key",
            "`type` is there twice",
            "send it once: which of the two is meant cannot be known",
        ),
        (
            WHOLE[..WHOLE.len() - 1].into(),
            "truncated_json",
            "the JSON ends too early, at line 6, column 53",
            "send the whole text; perhaps it was cut off on its way",
        ),
        (
            with("\"web\",", "\"web\""),
            "invalid_json",
            "this is no JSON: expected `,` or `}`, at line 2, column 77",
            "send JSON (RFC 8259)",
        ),
        (
            "[1, 2]".into(),
            "wrong_type",
            "an event must be an object, found a list",
            "send `{\"type\": …, …}`",
        ),
        (
            with("o-1", &"x".repeat(300)),
            "too_long",
            "`order_id` has 300 bytes, more than 256",
            "send at most 256 bytes",
        ),
        (
            with("web", &"x".repeat(5_000)),
            "too_long",
            "`channel` has 5000 bytes, more than 4096",
            "send at most 4096 bytes",
        ),
        (
            with("web", &"x".repeat(70_000)),
            "too_long",
            "the event has 70382 bytes, more than 65536",
            "send at most 65536 bytes an event",
        ),
    ];
    for (json, code, message, help) in table {
        let rejected = decode(json.as_bytes()).unwrap_err();
        let found = (rejected.code(), rejected.message(), rejected.help());
        assert_eq!(found, (code, message.to_owned(), help), "{json:.200}");
        assert_eq!(rejected.problems.len(), 1);
        assert_eq!(rejected.original, json.as_bytes());
    }
}

#[test]
fn bytes_that_are_no_text_are_named() {
    let mut bytes = WHOLE.as_bytes().to_vec();
    bytes[12] = 0xff;
    let rejected = decode(&bytes).unwrap_err();
    assert_eq!(
        (rejected.code(), rejected.message().as_str()),
        ("not_utf8", "byte 13 is not UTF-8")
    );
    assert_eq!(rejected.original, bytes);
}

#[test]
fn all_problems_are_said_at_once() {
    let json = r#"{"type": "order", "at": "yesterday", "amout": 3, "items": "x",
        "currency": "QQQ", "amount": -5, "device": {"os": 4, "colour": 1}}"#;
    let rejected = decode(json.as_bytes()).unwrap_err();
    let codes: Vec<(&str, &str)> = rejected
        .problems
        .iter()
        .map(|p| (p.code.as_str(), p.field.as_deref().unwrap()))
        .collect();
    let expected = [
        ("impossible_time", "at"),
        ("unknown_field", "amout"),
        ("wrong_type", "items"),
        ("unknown_currency", "currency"),
        ("wrong_type", "device.os"),
        ("unknown_field", "device.colour"),
        ("negative", "amount"),
        ("missing_field", "order_id"),
        ("missing_field", "customer"),
    ];
    assert_eq!(codes, expected);
}

#[test]
fn money_takes_its_currency_from_where_it_stands() {
    let pounds = Decoder::new(vec![order()]).with_currency(Currency::GBP);
    let amount = |extra: &str| {
        let json = format!(r#"{{"order_id": 1, "at": 1772366340000, "customer": 2, {extra}}}"#);
        let limits = DecodeLimits::default();
        let event = pounds.decode_json(json.as_bytes(), Some("order"), now(), &limits);
        event
            .unwrap()
            .value("amount")
            .as_money()
            .unwrap()
            .to_string()
    };
    assert_eq!(amount(r#""amount": 7"#), "7.00 GBP");
    assert_eq!(amount(r#""amount": "0.10""#), "0.10 GBP");
    assert_eq!(amount(r#""amount": 7, "currency": "JPY""#), "7 JPY");
    assert_eq!(
        amount(r#""amount": {"amount": "1.5", "currency": "EUR"}"#),
        "1.50 EUR"
    );
    assert_eq!(
        amount(r#""amount": 0.07, "device": null, "channel": null"#),
        "0.07 GBP"
    );
}

#[test]
fn a_cloud_event_is_taken_out_of_its_envelope() {
    let json = r#"{"specversion": "1.0", "type": "com.example.order", "source": "/shop",
        "id": "e-9", "time": "2026-03-01T11:00:00Z",
        "data": {"customer": "c-1", "amount": {"amount": 1, "currency": "EUR"}}}"#;
    let event = decode(json.as_bytes()).unwrap();
    assert_eq!(&*event.id, "e-9");
    assert_eq!(event.event_time, "2026-03-01T11:00:00Z".parse().unwrap());
    assert_eq!(
        event.value("amount").as_money(),
        Some("1.00 EUR".parse::<Money>().unwrap())
    );
    let empty = decode(br#"{"specversion": "1.0", "type": "order"}"#).unwrap_err();
    assert_eq!(empty.message(), "`data` is missing");
}

#[test]
fn a_bad_line_never_harms_its_neighbours() {
    let good = WHOLE.replace('\n', " ");
    let text = format!("\u{feff}{good}\r\n\r\n{{\"type\": \n{good}\nnonsense\n{good}");
    let decoder = Decoder::new(vec![order()]);
    let limits = DecodeLimits::default();
    let lines: Vec<Item> = decoder
        .decode_ndjson(text.as_bytes(), None, now(), &limits)
        .collect();
    let found: Vec<(usize, bool)> = lines.iter().map(|l| (l.line, l.result.is_ok())).collect();
    assert_eq!(
        found,
        [(1, true), (3, false), (4, true), (5, false), (6, true)]
    );
    let truncated = lines[1].result.as_ref().unwrap_err();
    assert_eq!(
        truncated.message(),
        "the JSON ends too early, at line 3, column 8"
    );
}

#[test]
fn a_list_an_object_and_lines_are_told_apart() {
    let decoder = Decoder::new(vec![order()]);
    let limits = DecodeLimits::default();
    let many = |text: &str| -> Vec<(usize, bool)> {
        let items = decoder.decode_many(text.as_bytes(), None, now(), &limits);
        items.map(|item| (item.line, item.result.is_ok())).collect()
    };
    assert_eq!(many(WHOLE), [(1, true)]);
    let flat = WHOLE.replace('\n', " ");
    assert_eq!(many(&format!("{flat}\n{flat}")), [(1, true), (2, true)]);
    let bad = r#"{"text": "a ], \" } [", oops}"#;
    assert_eq!(
        many(&format!("[{flat},\n{bad}, 7,\n\n {flat}]")),
        [(1, true), (2, false), (2, false), (4, true)]
    );
    assert_eq!(many("[]"), []);
    assert_eq!(many(&format!("[{flat}, {{")), [(1, true), (1, false)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_it_panic(start in 0..WHOLE.len(), cut in 0..40_usize, bytes: Vec<u8>) {
        let mut text = WHOLE.as_bytes().to_vec();
        let end = (start + cut).min(text.len());
        text.splice(start..end, bytes);
        let decoder = Decoder::new(vec![order()]);
        let limits = DecodeLimits::default();
        for item in decoder.decode_many(&text, Some("order"), now(), &limits) {
            if let Err(rejected) = item.result {
                prop_assert!(!rejected.problems.is_empty());
            }
        }
    }
}
