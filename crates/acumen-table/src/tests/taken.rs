use std::sync::Arc;

use acumen_base::{Geo, Span, Value};
use arrow_array::types::Int32Type;
use arrow_array::{
    BooleanArray, Decimal128Array, DictionaryArray, Float64Array, Int16Array, Int32Array,
    LargeStringArray, StringArray, StringViewArray, TimestampMillisecondArray,
    TimestampNanosecondArray,
};

use super::{Folder, RECEIVED_AT, mapping, plain_mapping, read_all};
use crate::Mapping;

/// Two events of a record, with a field of every type.
fn full_mapping(time: &str) -> Mapping {
    mapping(&format!(
        r#"{{"events": {{
        "order": {{"id": "o-{{n}}", "time": {time},
            "fields": {{"customer_id": "c{{c}}", "amount": {{"column": "price", "currency": "GBP"}},
                "items": "items", "weight": "weight", "gift": "gift", "promised_at": {{"column": "promised", "timezone": "UTC"}},
                "place": {{"lat": "lat", "lon": "lon", "accuracy_km": 0.5}}, "device.os": "os"}}}},
        "refund": {{"when": {{"column": "refunded", "equals": 1}}, "id": "r-{{n}}",
            "time": {time}, "known_at": {{"delay": "7d"}}, "fields": {{"order_id": "o-{{n}}"}}}}
        }}}}"#
    ))
}

const NDJSON: &str = r#"{"n":1,"at":"2018-04-01T00:00:31Z","c":7,"price":57.16,"items":2,"weight":0.5,"gift":true,"promised":"2018-04-02","lat":51.5,"lon":-0.1,"os":"ios","refunded":0}
{"n":2,"at":"2018-04-01T00:01:00Z","c":"x","price":"0.29","refunded":1}
"#;
const CSV: &str = "n,at,c,price,items,weight,gift,promised,lat,lon,os,refunded\r
1,2018-04-01T00:00:31Z,7,57.16,2,0.5,true,2018-04-02,51.5,-0.1,ios,0\r
2,2018-04-01 00:01:00,x,0.29,,,,,,,,1\r
";

fn parquet(folder: &Folder) -> std::path::PathBuf {
    let at = vec![1_522_540_831_000, 1_522_540_860_000];
    let os: DictionaryArray<Int32Type> = vec![Some("ios"), None].into_iter().collect();
    let price = Decimal128Array::from(vec![57_160, 290]);
    let price = price.with_precision_and_scale(10, 3).unwrap();
    folder.parquet(
        "orders.parquet",
        vec![
            ("n", Arc::new(Int16Array::from(vec![1, 2]))),
            ("at", Arc::new(TimestampMillisecondArray::from(at))),
            ("c", Arc::new(StringViewArray::from(vec!["7", "x"]))),
            ("price", Arc::new(price)),
            ("items", Arc::new(Float64Array::from(vec![Some(2.0), None]))),
            (
                "weight",
                Arc::new(Float64Array::from(vec![Some(0.5), None])),
            ),
            ("gift", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            (
                "promised",
                Arc::new(LargeStringArray::from(vec![Some("2018-04-02"), None])),
            ),
            ("lat", Arc::new(Float64Array::from(vec![Some(51.5), None]))),
            ("lon", Arc::new(Float64Array::from(vec![Some(-0.1), None]))),
            ("os", Arc::new(os)),
            ("refunded", Arc::new(Int32Array::from(vec![0, 1]))),
        ],
    )
}

#[test]
fn every_format_gives_the_same_events() {
    let folder = Folder::new();
    let mapping = full_mapping(r#"{"column": "at", "timezone": "UTC"}"#);
    for path in [
        folder.write("orders.ndjson", NDJSON),
        folder.write("orders.csv", CSV),
        parquet(&folder),
    ] {
        let batch = read_all(&path, &mapping).unwrap();
        let shown = path.display();
        assert_eq!(batch.rejected, [], "{shown}");
        assert_eq!(Some(batch.done), batch.total, "{shown}");
        let [first, second, refund] = batch.events.as_slice() else {
            panic!("{shown}: {:?}", batch.events);
        };
        assert_eq!(
            (&*first.id, &*second.id, &*refund.id),
            ("o-1", "o-2", "r-2")
        );
        assert_eq!(first.event_time.to_string(), "2018-04-01T00:00:31Z");
        assert_eq!(first.known_at, first.event_time);
        assert_eq!(first.received_at, RECEIVED_AT);
        assert_eq!(
            first.values,
            [
                Value::text("c7"),
                Value::Money("57.16 GBP".parse().unwrap()),
                Value::Int(2),
                Value::Number(0.5),
                Value::Bool(true),
                Value::Time("2018-04-02".parse().unwrap()),
                Value::Geo(Geo {
                    lat: 51.5,
                    lon: -0.1,
                    accuracy_km: 0.5
                }),
                Value::text("ios"),
            ],
            "{shown}"
        );
        assert_eq!(second.values[1], Value::Money("0.29 GBP".parse().unwrap()));
        assert!(second.values[2..].iter().all(Value::is_missing), "{shown}");
        assert_eq!(refund.delay(), Span::days(7));
        assert_eq!(refund.values, [Value::text("o-2")]);
    }
}

#[test]
fn times_are_read_in_their_unit_and_zone() {
    let folder = Folder::new();
    let column = |time: &str| {
        mapping(&format!(
            r#"{{"events": {{"refund": {{"id": "n", "time": {time},
            "fields": {{"order_id": "n"}}}}}}}}"#
        ))
    };
    let expected = "2018-04-01T00:00:31Z";
    for (text, time) in [
        (
            "31",
            r#"{"column": "at", "unit": "s", "origin": "2018-04-01"}"#,
        ),
        (
            "31000",
            r#"{"column": "at", "unit": "ms", "origin": "2018-04-01"}"#,
        ),
        ("1522540831", r#"{"column": "at", "unit": "s"}"#),
        ("1522540831.0", r#"{"column": "at", "unit": "s"}"#),
        (
            "2018-04-01T02:00:31",
            r#"{"column": "at", "timezone": "+02:00"}"#,
        ),
        (
            "2018-04-01T02:00:31+02:00",
            r#"{"column": "at", "timezone": "-05:00"}"#,
        ),
        (
            "2018-04-01 00:00:31",
            r#"{"column": "at", "timezone": "UTC"}"#,
        ),
    ] {
        let path = folder.write("t.csv", format!("n,at\n1,{text}\n"));
        let batch = read_all(&path, &column(time)).unwrap();
        assert_eq!(batch.rejected, [], "{text} as {time}");
        assert_eq!(
            batch.events[0].event_time.to_string(),
            expected,
            "{text} as {time}"
        );
    }
    let nanos = TimestampNanosecondArray::from(vec![1_522_540_831_000_999_999]);
    for (array, zone, expected) in [
        (nanos.clone().with_timezone("UTC"), "+02:00", expected),
        (nanos, "+02:00", "2018-03-31T22:00:31Z"),
    ] {
        let n = StringArray::from(vec!["1"]);
        let columns: Vec<(&str, arrow_array::ArrayRef)> =
            vec![("n", Arc::new(n)), ("at", Arc::new(array))];
        let path = folder.parquet("t.parquet", columns);
        let time = format!(r#"{{"column": "at", "timezone": "{zone}"}}"#);
        let batch = read_all(&path, &column(&time)).unwrap();
        assert_eq!(batch.events[0].event_time.to_string(), expected);
    }
}

#[test]
fn texts_can_name_instants() {
    let folder = Folder::new();
    let at = TimestampMillisecondArray::from(vec![1_522_540_831_000]);
    for (at, expected) in [
        (at.clone().with_timezone("UTC"), "a-2018-04-01T00:00:31Z"),
        (at, "a-2018-04-01T00:00:31"),
    ] {
        let n = StringArray::from(vec!["a"]);
        let columns: Vec<(&str, arrow_array::ArrayRef)> =
            vec![("n", Arc::new(n)), ("at", Arc::new(at))];
        let path = folder.parquet("t.parquet", columns);
        let mapping = mapping(
            r#"{"events": {"refund": {"id": "{n}-{at}",
            "time": {"column": "at", "timezone": "UTC"}, "fields": {"order_id": "n"}}}}"#,
        );
        let batch = read_all(&path, &mapping).unwrap();
        assert_eq!(batch.events[0].id.as_ref(), expected);
    }
}

#[test]
fn amounts_take_their_currency_from_a_column_or_from_the_text() {
    let folder = Folder::new();
    let path = folder.write(
        "a.csv",
        "n,at,c,price,code,both\n1,2018-04-01,x,1500,JPY,15.00 EUR\n2,2018-04-01,x,1.5,JPY,15\n",
    );
    let with = |amount: &str| {
        mapping(&format!(
            r#"{{"events": {{"order": {{"id": "n", "time": {{"column": "at", "timezone": "UTC"}},
            "fields": {{"customer_id": "c", "amount": {amount}}}}}}}}}"#
        ))
    };
    for (amount, expected) in [
        (
            r#"{"column": "price", "currency_column": "code"}"#,
            "1500 JPY",
        ),
        (r#""both""#, "15.00 EUR"),
    ] {
        let batch = read_all(&path, &with(amount)).unwrap();
        assert_eq!(batch.events[0].values[1].to_string(), expected);
        assert_eq!(batch.rejected.len(), 1, "{:?}", batch.rejected);
        assert_eq!(batch.rejected[0].place.line, 3);
    }
}

#[test]
fn a_long_file_comes_in_bounded_batches() {
    let folder = Folder::new();
    let mut text = String::from("n,at,c,price\n");
    for n in 0..20_000 {
        text.push_str(&format!("{n},2018-04-01,x,1.00\n"));
    }
    let path = folder.write("long.csv", text);
    let mut source = super::open(&path, &plain_mapping()).unwrap();
    let mut sizes = Vec::new();
    while let Some(batch) = source.next_batch().unwrap() {
        sizes.push(batch.events.len());
    }
    assert_eq!(sizes, [8_192, 8_192, 3_616]);
}
