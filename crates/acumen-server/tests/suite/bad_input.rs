//! Everything that a caller can do wrong: one clear problem each, and nothing else suffers.

use serde_json::json;

use super::running::{Running, complaint, order};

const DECIDE: &str = "/v1/usecases/orders/decide";

#[test]
fn a_malformed_event_is_refused_with_its_place_and_remedy() {
    let server = Running::new();
    let mut client = server.client();
    let good = order("a", "c1", "12.50");
    let cases = [
        (good.replace("customer_id", "custmer_id"), "customer_id"),
        (good.replace("12.50", "true"), "amount"),
        (good.replace("\"customer_id\":\"c1\",", ""), "customer_id"),
        (
            good.replace(
                "\"ordered_at\":1767225600000",
                "\"ordered_at\":\"2026-02-30T00:00:00Z\"",
            ),
            "ordered_at",
        ),
        (
            good.replace(
                "\"ordered_at\":1767225600000",
                "\"ordered_at\":99999999999999999",
            ),
            "ordered_at",
        ),
        (good.replace("12.50", "NaN"), "NaN"),
        (good.replace("12.50", "-12.50"), "amount"),
        (good.replace("EUR", "EUX"), "EUX"),
        (good.replace("12.50", "12.505"), "decimals"),
        (good[..good.len() / 2].to_owned(), ""),
        (String::new(), ""),
        ("[]".to_owned(), "object"),
    ];
    for (body, named) in &cases {
        let (status, code, message) = client.post(DECIDE, body).problem();
        assert_eq!(status, 422, "{body}: {code} {message}");
        assert!(message.contains(named), "{body}: {code} {message}");
    }
    assert_eq!(
        client.post(DECIDE, b"{\"type\": \"\xff\xfe\"}").problem().0,
        422
    );
    let kept = client.get("/v1/quarantine").json();
    assert_eq!(kept.as_array().unwrap().len(), cases.len() + 1);
    assert_eq!(
        client.post(DECIDE, good).status,
        200,
        "and the connection goes on"
    );
    assert_eq!(client.get("/v1/status").json()["records"], 2);
}

#[test]
fn one_bad_line_among_good_ones_is_refused_alone() {
    let server = Running::new();
    let mut client = server.client();
    let lines = format!(
        "{}\n{{\"type\":\"order\"\n{}\n",
        order("a", "c1", "1"),
        order("b", "c1", "1")
    );
    let answer = client.post("/v1/events", lines);
    assert_eq!(answer.status, 207);
    let json = answer.json();
    assert_eq!(
        (&json["logged"], &json["refused"][0]["line"]),
        (&json!(2), &json!(2))
    );
    assert!(json["refused"][0]["code"].is_string(), "{json}");
}

#[test]
fn an_id_stands_for_one_event() {
    let server = Running::new();
    let mut client = server.client();
    client.post(DECIDE, order("a", "c1", "1"));
    let (status, code, message) = client.post(DECIDE, order("a", "c1", "2")).problem();
    assert_eq!((status, code.as_str()), (409, "conflict"));
    assert!(message.contains("`a` is already in the log"), "{message}");
    let answer = client.post("/v1/events", order("a", "c1", "2"));
    assert_eq!(
        (answer.status, &answer.json()["refused"][0]["code"]),
        (409, &json!("conflict"))
    );
}

#[test]
fn what_is_not_there_is_named_with_what_is() {
    let server = Running::new();
    let mut client = server.client();
    let paths = [
        ("/v1/usecases/ordres/decide", "did you mean `orders`?"),
        ("/v1/lists/wached", "did you mean `watched`?"),
    ];
    for (path, near) in paths {
        let body = if path.contains("lists") {
            "{\"add\":[\"x\"],\"by\":\"ann\"}".into()
        } else {
            order("a", "c1", "1")
        };
        let (status, code, message) = client.post(path, body).problem();
        assert_eq!((status, code.as_str()), (404, "not_found"));
        assert!(message.contains(near), "{message}");
    }
    let gone = [
        "/v1/lists/wached",
        "/v1/usecases/ordres/entities/customer/c1",
        "/v1/usecases/orders/entities/custmer/c1",
        "/v1/decisions/orders:none",
        "/v1/decisions/none",
        "/v1/decisions/orders:none/explain",
        "/v1/quarantine/77",
    ];
    for path in gone {
        assert_eq!(client.get(path).problem().0, 404, "{path}");
    }
    assert_eq!(client.get("/v1/nothing").problem().1, "no_such_route");
    assert_eq!(client.get(DECIDE).problem().1, "no_such_method");
    assert_eq!(client.ask("DELETE", "/v1/events", b"").problem().0, 405);
    assert_eq!(client.get("/v1/quarantine/x").problem().0, 400);
    assert_eq!(client.get("/v1/quarantine?after=x").problem().0, 400);
}

#[test]
fn a_body_that_is_too_long_is_refused() {
    let server = Running::new();
    for path in [DECIDE, "/v1/events", "/v1/lists/watched"] {
        let (status, _, message) = server.client().announce(path, 10 * 1024 * 1024).problem();
        assert_eq!(status, 413);
        assert!(message.contains("8 MiB"), "{message}");
    }
    let long = vec![b' '; 10 * 1024 * 1024];
    let mut client = server.client();
    let (status, code, _) = client.post("/v1/events", long).problem();
    assert_eq!((status, code.as_str()), (413, "body_too_long"));
    assert_eq!(
        client.get("/healthz").status,
        200,
        "and the connection goes on"
    );
    server
        .client()
        .hang_up("/v1/events", order("a", "c1", "1").as_bytes());
    assert_eq!(server.client().get("/v1/status").json()["records"], 0);
}

#[test]
fn the_wrong_event_and_wrong_edits_are_refused() {
    let server = Running::new();
    let mut client = server.client();
    let (status, _, message) = client.post(DECIDE, complaint("a")).problem();
    assert_eq!(status, 400);
    assert!(message.contains("/v1/events"), "{message}");
    let edits = [
        ("/v1/lists/watched", json!({"add": ["c1"]}), "by"),
        (
            "/v1/lists/watched",
            json!({"ad": ["c1"], "by": "ann"}),
            "ad",
        ),
        ("/v1/lists/watched", json!({"by": "ann"}), "1 to"),
        (
            "/v1/lists/watched",
            json!({"add": "c1", "by": "ann"}),
            "sequence",
        ),
        (
            "/v1/usecases/orders/rules/listed",
            json!({"mode": "on-ish", "by": "ann"}),
            "shadow",
        ),
        (
            "/v1/usecases/orders/rules/lisetd",
            json!({"mode": "on", "by": "ann"}),
            "listed",
        ),
    ];
    for (path, body, named) in edits {
        let (status, _, message) = client.post(path, body.to_string()).problem();
        assert_eq!(status, 400, "{message}");
        assert!(message.contains(named), "{message}");
    }
    assert_eq!(client.get("/v1/status").json()["records"], 0);
}
