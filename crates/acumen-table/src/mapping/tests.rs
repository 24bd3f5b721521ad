use super::*;

fn read(text: &str) -> Result<Mapping, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

#[test]
fn a_mapping_reads_as_it_is_written() {
    let mapping = read(
        r#"{"source": {"format": "parquet"}, "events": {
        "order": {"id": "o-{n}", "time": {"column": "at", "timezone": "+02:00"},
            "fields": {"amount": {"column": "price", "currency": "GBP"}, "customer_id": "who",
                       "place": {"lat": "y", "lon": "x", "accuracy_km": 0.5}}},
        "a_refund": {"id": "r-{n}", "time": {"column": "s", "unit": "s", "origin": "2018-04-01"},
            "known_at": {"delay": "7d"}, "when": {"column": "refunded", "equals": 1},
            "fields": {}}}}"#,
    )
    .unwrap();
    assert_eq!(mapping.source.format, Some(Format::Parquet));
    let [order, refund] = mapping.events.as_slice() else {
        panic!("{mapping:?}");
    };
    assert_eq!(
        (order.event.as_str(), refund.event.as_str()),
        ("order", "a_refund")
    );
    assert_eq!(order.time.ahead_of_utc, Some(Span::seconds(7_200)));
    assert_eq!(refund.known_at, Some(KnownAt::Delay(Span::days(7))));
    assert_eq!(refund.time.origin, Some("2018-04-01".parse().unwrap()));
    let refunded = Condition {
        column: "refunded".into(),
        test: Test::Equals(Scalar::Number(1.0)),
    };
    assert_eq!(refund.when, [refunded]);
    assert!(matches!(order.fields["place"], Source::Geo { .. }));
    assert!(matches!(order.fields["amount"], Source::Money { .. }));
}

#[test]
fn mistakes_in_a_mapping_are_named() {
    let event = |body: &str| format!(r#"{{"events": {{"order": {{{body}}}}}}}"#);
    for (body, says) in [
        (
            r#""id": "n", "time": {"colum": "at"}, "fields": {}"#,
            "colum",
        ),
        (
            r#""id": "n", "time": {"unit": "s"}, "fields": {}"#,
            "`column` is missing",
        ),
        (
            r#""id": "{", "time": "at", "fields": {}"#,
            "not a column or a template",
        ),
        (
            r#""id": "n", "time": {"column": "at", "timezone": "Europe/Paris"}, "fields": {}"#,
            "offset",
        ),
        (
            r#""id": "n", "time": "at", "known_at": {"delay": "7 days"}, "fields": {}"#,
            "7 days",
        ),
        (
            r#""id": "n", "time": "at", "fields": {"amount": {"column": "p", "currency": "XYZ"}}"#,
            "XYZ",
        ),
    ] {
        let error = read(&event(body)).unwrap_err();
        assert!(error.contains(says), "{body}: {error}");
    }
}
