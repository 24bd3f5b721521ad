use std::sync::Arc;

use arrow_array::{BooleanArray, Float64Array, Int64Array, StringArray};

use super::{Folder, mapping, open, plain_mapping, read_all};
use crate::{Mapping, TableError};

#[test]
fn everything_wrong_with_a_mapping_is_said_at_once() {
    let folder = Folder::new();
    let path = folder.parquet(
        "orders.parquet",
        vec![
            ("order_number", Arc::new(Int64Array::from(vec![1]))),
            ("at", Arc::new(Int64Array::from(vec![1]))),
            ("price", Arc::new(BooleanArray::from(vec![true]))),
        ],
    );
    let mapping = mapping(
        r#"{"events": {
        "order": {"id": "o-{order_nmber}", "time": {"column": "at", "timezone": "UTC"}, "fields": {
            "amount": {"column": "price", "currency": "GBP"}, "itmes": "order_number",
            "place": "order_number", "order_id": "order_number", "weight": "order_number"}},
        "refnd": {"id": "order_number", "time": {"column": "at", "timezone": "UTC"}, "fields": {}}}}"#,
    );
    let problems = open(&path, &mapping).err().unwrap();
    let said: Vec<(&str, &str, &str)> = problems
        .iter()
        .map(|p| (p.code, p.message.as_str(), p.help.as_str()))
        .collect();
    for (code, message, help) in [
        ("missing_column", "`order_nmber`", "`order_number`"),
        ("unconvertible_column", "the time", "unit: s"),
        (
            "unconvertible_column",
            "`order.amount` (money)",
            "whole numbers",
        ),
        ("unknown_field", "`itmes`", "`items`"),
        ("unknown_field", "`order_id`", "beside `fields`"),
        ("wrong_source", "`order.place` (geo)", "lat"),
        ("missing_field", "`order.customer_id`", "under `fields`"),
        ("unknown_event", "`refnd`", "`refund`"),
    ] {
        let found = said
            .iter()
            .any(|(c, m, h)| *c == code && m.contains(message) && h.contains(help));
        assert!(found, "{code} {message} {help}: {said:#?}");
    }
    assert_eq!(said.len(), 8, "{said:#?}");
    assert!(
        problems
            .iter()
            .all(|p| p.place.file == path.display().to_string())
    );
}

#[test]
fn amounts_without_a_currency_are_refused_before_reading() {
    let folder = Folder::new();
    let path = folder.parquet(
        "orders.parquet",
        vec![
            ("n", Arc::new(Int64Array::from(vec![1]))),
            ("at", Arc::new(StringArray::from(vec!["2018-04-01"]))),
            ("price", Arc::new(Float64Array::from(vec![1.0]))),
        ],
    );
    let mapping = mapping(
        r#"{"events": {"order": {"id": "n", "time": {"column": "at", "timezone": "UTC"},
        "fields": {"customer_id": "n", "amount": "price"}}}}"#,
    );
    let problems = open(&path, &mapping).err().unwrap();
    assert_eq!(problems[0].code, "missing_currency");
}

#[test]
fn files_that_cannot_be_opened_say_why() {
    let folder = Folder::new();
    let code = |path: &std::path::Path| open(path, &plain_mapping()).err().unwrap().remove(0).code;
    assert_eq!(code(&folder.path("not-there.csv")), "unreadable_file");
    assert_eq!(code(&folder.write("data.xlsx", "x")), "unknown_format");
    assert_eq!(
        code(&folder.write("data.parquet", "not parquet at all")),
        "not_parquet"
    );
    assert_eq!(
        code(&folder.write("names.csv", [b'n', 0xff, b'\n'])),
        "not_csv"
    );
    let named = mapping_with_format();
    let path = folder.write("data.txt", "n,at,c,price\n1,2018-04-01,x,2.00\n");
    assert_eq!(read_all(&path, &named).unwrap().events.len(), 1);
}

fn mapping_with_format() -> Mapping {
    let mut mapping = plain_mapping();
    mapping.source.format = Some(crate::Format::Csv);
    mapping
}

/// A record, and what its rejection says.
const BAD_RECORDS: &[(&str, &str)] = &[
    ("1,2018-04-01,x,-1.00", "negative"),
    ("1,2018-04-01,x,1.001", "more decimals"),
    ("1,2018-04-01,x,NaN", "not a decimal amount"),
    ("1,2018-04-01,,1.00", "`customer_id` is missing"),
    (",2018-04-01,x,1.00", "the id is missing"),
    ("1,,x,1.00", "the time is missing"),
    ("1,yesterday,x,1.00", "not an instant"),
    ("1,1700-01-01,x,1.00", "not an instant"),
    (
        "1,2018-04-01,x,1.00,more",
        "5 fields, and the first line names 4",
    ),
    ("1,2018-04-01", "2 fields"),
];

#[test]
fn a_bad_record_is_named_and_the_good_ones_are_taken() {
    let folder = Folder::new();
    for (record, says) in BAD_RECORDS {
        let good = "7,2018-04-01,x,1.00";
        let path = folder.write("r.csv", format!("n,at,c,price\n{good}\n{record}\n{good}\n"));
        let batch = read_all(&path, &plain_mapping()).unwrap();
        assert_eq!(batch.events.len(), 2, "{record}");
        let [rejected] = batch.rejected.as_slice() else {
            panic!("{record}: {:?}", batch.rejected);
        };
        assert_eq!(rejected.place.line, 3, "{record}");
        assert!(rejected.message.contains(says), "{record}: {rejected:?}");
        assert_eq!(&rejected.original, record);
        assert!(!rejected.help.is_empty());
    }
}

#[test]
fn bad_lines_of_json_keep_their_place_and_text() {
    let folder = Folder::new();
    let good = br#"{"n": 1, "at": "2018-04-01", "c": "x", "price": 2}"#;
    let long = format!(r#"{{"n": "{}"}}"#, "x".repeat(100_000));
    let lines: Vec<&[u8]> = vec![
        good,
        b"{\"n\": \"\xff\xfe\"}",
        b"[1, 2]",
        b"",
        b"{\"n\": 1,",
        long.as_bytes(),
        br#"{"n": {"a": 1}, "at": "2018-04-01", "c": "x", "price": 2}"#,
        br#"{"n": 2, "at": "2018-04-01", "c": "x", "price": 2.005}"#,
        good,
    ];
    let path = folder.write("lines.ndjson", lines.join(&b'\n'));
    let batch = read_all(&path, &plain_mapping()).unwrap();
    assert_eq!(batch.events.len(), 2);
    let found: Vec<(u32, &str)> = batch
        .rejected
        .iter()
        .map(|r| (r.place.line, r.message.as_str()))
        .collect();
    let expected = [
        (2, "not UTF-8"),
        (3, "not a JSON object"),
        (5, "not a JSON object"),
        (6, "longer than"),
        (7, "a list, a map or bytes"),
        (8, "more decimals"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((line, message), (wanted, says)) in found.iter().zip(expected) {
        assert_eq!(*line, wanted, "{found:?}");
        assert!(message.contains(says), "{found:?}");
    }
    assert_eq!(Some(batch.done), batch.total);
}

#[test]
fn numbers_of_a_table_are_refused_one_by_one() {
    let folder = Folder::new();
    let price = vec![Some(1.0), None, Some(f64::NAN), Some(-2.0), Some(0.001)];
    let path = folder.parquet(
        "p.parquet",
        vec![
            ("n", Arc::new(Int64Array::from(vec![1, 2, 3, 4, 5]))),
            ("at", Arc::new(StringArray::from(vec!["2018-04-01"; 5]))),
            ("c", Arc::new(StringArray::from(vec!["x"; 5]))),
            ("price", Arc::new(Float64Array::from(price))),
        ],
    );
    let batch = read_all(&path, &plain_mapping()).unwrap();
    assert_eq!(batch.events.len(), 1);
    let rows: Vec<u32> = batch.rejected.iter().map(|r| r.place.line).collect();
    assert_eq!(rows, [2, 3, 4, 5], "rows count from 1");
    assert!(batch.rejected[0].message.contains("`amount` is missing"));
    assert!(
        batch.rejected[2].original.contains(r#""price":-2.0"#),
        "{:?}",
        batch.rejected[2]
    );
}

#[test]
fn a_file_that_is_cut_off_is_an_error_and_never_a_panic() {
    let folder = Folder::new();
    let rows = 50_000;
    let text = |n: i64| format!("customer-{}", n * 7919 % 10_007);
    let path = folder.parquet(
        "whole.parquet",
        vec![
            ("n", Arc::new((0..rows).map(Some).collect::<Int64Array>())),
            (
                "at",
                Arc::new(StringArray::from(vec!["2018-04-01"; rows as usize])),
            ),
            (
                "c",
                Arc::new(StringArray::from_iter_values((0..rows).map(text))),
            ),
            (
                "price",
                Arc::new(Float64Array::from(vec![1.0; rows as usize])),
            ),
        ],
    );
    let whole = std::fs::read(&path).unwrap();
    let cut = folder.write("cut.parquet", &whole[..whole.len() / 2]);
    assert_eq!(
        open(&cut, &plain_mapping()).err().unwrap()[0].code,
        "not_parquet"
    );
    // Damage within: the description at the end is whole, the pages are not.
    let mut damaged = whole.clone();
    damaged[4..whole.len() / 2].fill(0x5a);
    let path = folder.write("damaged.parquet", damaged);
    let error = read_all(&path, &plain_mapping()).unwrap_err();
    assert!(matches!(error, TableError::Read { .. }), "{error}");
    assert!(error.to_string().contains("damaged.parquet"), "{error}");
}

#[test]
fn damage_anywhere_in_a_table_is_an_error_or_a_rejection() {
    let folder = Folder::new();
    let path = folder.parquet(
        "small.parquet",
        vec![
            ("n", Arc::new((0..50).map(Some).collect::<Int64Array>())),
            ("at", Arc::new(StringArray::from(vec!["2018-04-01"; 50]))),
            ("c", Arc::new(StringArray::from(vec!["x"; 50]))),
            ("price", Arc::new(Float64Array::from(vec![1.0; 50]))),
        ],
    );
    let whole = std::fs::read(&path).unwrap();
    let mut read_on = 0;
    for at in (0..whole.len()).step_by(3) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let path = folder.write("damaged.parquet", damaged);
        let Ok(mut source) = open(&path, &plain_mapping()) else {
            continue;
        };
        while let Ok(Some(batch)) = source.next_batch() {
            assert!(batch.events.len() <= 50);
            read_on += 1;
        }
    }
    assert!(read_on > 0, "some damage is of no consequence");
}
