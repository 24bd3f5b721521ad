//! One table with sales and returns, guests and members, in one currency or in two.

use super::{Folder, mapping, open, read_all};

const MAPPING: &str = r#"{"events": {
    "order": {"id": "o-{n}", "time": {"column": "at", "timezone": "+01:00"},
        "when": [{"column": "quantity", "at_least": 0}, {"column": "n", "not_starts_with": "T"}],
        "guest_without": "c",
        "fields": {"customer_id": "c",
            "amount": {"column": "price", "times": "quantity", "currency": "GBP",
                       "currency_column": "code"}}},
    "refund": {"id": "r-{n}", "time": {"column": "at", "timezone": "+01:00"},
        "when": {"column": "quantity", "below": 0}, "fields": {"order_id": "o-{n}"}}}}"#;

const TABLE: &str = "n,at,c,price,quantity,code
1,2024-07-01 00:30:00,7,2.55,6,GBP
2,2024-07-01 00:31:00,,1.00,1,GBP
3,2024-07-01 00:32:00,7,2.55,-6,GBP
4,2024-07-01 00:33:00,8,9.00,1,EUR
T5,2024-07-01 00:34:00,8,9.00,1,GBP
6,2024-07-01 00:35:00,8,1.25,two,GBP
";

#[test]
fn returns_guests_and_currencies_are_told_apart() {
    let folder = Folder::new();
    let batch = read_all(&folder.write("sales.csv", TABLE), &mapping(MAPPING)).unwrap();
    let ids: Vec<&str> = batch.events.iter().map(|event| &*event.id).collect();
    assert_eq!(ids, ["o-1", "r-3"]);
    assert_eq!(batch.events[0].values[1].to_string(), "15.30 GBP");
    assert_eq!(
        batch.events[0].event_time.to_string(),
        "2024-06-30T23:30:00Z"
    );
    assert_eq!(batch.guests, 1, "line 3");
    assert_eq!(
        batch.unmatched, 2,
        "T5, and `two` is neither below nor at least 0"
    );
    let [euro] = batch.rejected.as_slice() else {
        panic!("{:?}", batch.rejected);
    };
    assert_eq!(euro.place.line, 5);
    assert!(euro.message.contains("an amount in EUR"), "{euro:?}");
    assert!(euro.help.contains("convert it"), "{euro:?}");
}

#[test]
fn a_sign_can_be_turned_round() {
    let folder = Folder::new();
    let path = folder.write("r.csv", "n,at,c,price\n1,2024-07-01T00:00:00Z,7,-2.50\n");
    let mapping = mapping(
        r#"{"events": {"order": {"id": "n", "time": "at", "fields": {"customer_id": "c",
            "amount": {"column": "price", "currency": "GBP", "negated": true}}}}}"#,
    );
    let batch = read_all(&path, &mapping).unwrap();
    assert_eq!(batch.events[0].values[1].to_string(), "2.50 GBP");
}

#[test]
fn times_without_a_zone_are_one_error_that_says_what_to_add() {
    let folder = Folder::new();
    let plain = mapping(
        r#"{"events": {"refund": {"id": "n", "time": "at", "fields": {"order_id": "n"}}}}"#,
    );
    let csv = folder.write(
        "t.csv",
        "n,at\n1,\n2,2024-07-01 00:00:00\n3,2024-07-02 00:00:00\n",
    );
    let stamps = arrow_array::TimestampMillisecondArray::from(vec![1, 2]);
    let parquet = folder.parquet(
        "t.parquet",
        vec![
            (
                "n",
                std::sync::Arc::new(arrow_array::Int64Array::from(vec![1, 2])),
            ),
            ("at", std::sync::Arc::new(stamps)),
        ],
    );
    for path in [csv, parquet] {
        let problems = open(&path, &plain).err().unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].code, "naive_time");
        assert!(problems[0].message.contains("`at`"), "{problems:?}");
        assert!(problems[0].help.contains("timezone: UTC"), "{problems:?}");
    }
    // Where only some say no zone, those are refused one by one.
    let mixed = folder.write(
        "m.csv",
        "n,at\n1,2024-07-01T00:00:00Z\n2,2024-07-01 00:00:00\n",
    );
    let batch = read_all(&mixed, &plain).unwrap();
    assert_eq!((batch.events.len(), batch.rejected.len()), (1, 1));
    assert!(batch.rejected[0].help.contains("timezone: UTC"));
}
