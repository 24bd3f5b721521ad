//! Rules as they fare and are switched, tried out, suppressed by lists; and cases.

use serde_json::{Value, json};

use super::client::Client;
use super::running::{Running, complaint, order};

const DECIDE: &str = "/v1/usecases/orders/decide";
const RULES: &str = "/v1/usecases/orders/rules";
const BACKTEST: &str = "/v1/usecases/orders/backtest";
const CASES: &str = "/v1/usecases/orders/cases";

fn reviewed() -> Running {
    Running::with(&[
        ("value:\n", "review: {actions: [review]}\nvalue:\n"),
        (
            "lists: {watched: customer_id}",
            "lists: {watched: customer_id, trusted: customer_id}",
        ),
        (
            "reason: Many orders within an hour}",
            "reason: Many orders within an hour, suppress: trusted}",
        ),
        ("orders.count_1h > 50", "orders.count_1h > 1"),
    ])
}

fn many(client: &mut Client) -> Value {
    let rules = client.get(RULES).json();
    let rules = rules.as_array().unwrap();
    rules
        .iter()
        .find(|rule| rule["id"] == "many")
        .unwrap()
        .clone()
}

#[test]
fn rules_are_listed_switched_and_suppressed() {
    let server = reviewed();
    let mut client = server.client();
    let listed = json!({"add": ["c2"], "until": "2026-01-01T00:00:01Z", "by": "ann"});
    assert_eq!(
        client.post("/v1/lists/trusted", listed.to_string()).status,
        200
    );
    assert_eq!(client.get("/v1/lists/trusted").json(), json!(["c2"]));
    assert_eq!(
        client.get("/v1/lists/trusted/expiring").json(),
        json!({"c2": "2026-01-01T00:00:01Z"})
    );
    for (id, customer) in [("a", "c1"), ("b", "c1"), ("c", "c2"), ("d", "c2")] {
        client.post(DECIDE, order(id, customer, "\"20.00\""));
    }
    let rule = many(&mut client);
    assert_eq!(
        (&rule["mode"], &rule["suppress"]),
        (&json!("on"), &json!("trusted"))
    );
    assert_eq!(
        (&rule["acted"], &rule["suppressed"]),
        (&json!(1), &json!(1)),
        "{rule}"
    );
    let record = client.get("/v1/decisions/orders:d").json();
    assert_eq!(
        record["rules"],
        json!([{"id": "many", "firing": "suppressed"}])
    );
    assert_eq!(record["action"], "ship");

    let share = json!({"share": 0.25, "by": "ann"}).to_string();
    assert_eq!(client.post(&format!("{RULES}/many"), share).status, 200);
    assert_eq!(many(&mut client)["mode"], "on for 25 %");
    let metrics = client.get("/metrics").text();
    let line = "acumen_rule_hits_total{use_case=\"orders\",rule=\"many\",outcome=\"suppressed\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    for (wrong, said) in [
        (json!({"share": 1.5, "by": "ann"}), "between 0 and 1"),
        (json!({"mode": "onn", "by": "ann"}), "is not a mode"),
        (
            json!({"mode": "on", "share": 0.5, "by": "ann"}),
            "takes no share",
        ),
    ] {
        let (status, _, message) = client
            .post(&format!("{RULES}/many"), wrong.to_string())
            .problem();
        assert_eq!(status, 400);
        assert!(message.contains(said), "{message}");
    }
    let until = json!({"add": ["c2"], "until": "tomorrow", "by": "ann"}).to_string();
    let (status, _, message) = client.post("/v1/lists/trusted", until).problem();
    assert_eq!(status, 400);
    assert!(message.contains("`until`"), "{message}");
    assert_eq!(client.get("/v1/usecases/ordres/rules").problem().0, 404);
}

#[test]
fn a_rule_is_tried_out_on_the_log() {
    let server = reviewed();
    let mut client = server.client();
    for (id, customer) in [("a", "c1"), ("b", "c1"), ("c", "c2")] {
        client.post(DECIDE, order(id, customer, "\"20.00\""));
    }
    client.post("/v1/events", complaint("c"));
    let query = json!({"rule": "order.amount >= money('20 EUR')", "effect": "review"});
    let found = client.post(BACKTEST, query.to_string()).json();
    assert_eq!(
        (&found["rows"], &found["hits"]["all"]),
        (&json!(3), &json!(3))
    );
    assert_eq!(
        (&found["hits"]["open"], &found["changed"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(
        found["overlap"][1],
        json!({"rule": "many", "both": 1, "only_new": 2, "only_old": 0})
    );
    let early = json!({"rule": "true", "from": "2025-01-01", "to": "2025-02-01"});
    assert_eq!(client.post(BACKTEST, early.to_string()).json()["rows"], 0);

    let wrong = json!({"rule": "order.amuont > 3 && orders.count_2h > 1", "effect": "reveiw"});
    let (status, code, message) = client.post(BACKTEST, wrong.to_string()).problem();
    assert_eq!((status, code.as_str()), (400, "invalid"));
    for said in [
        "did you mean `review`",
        "order.amount",
        "at byte 20",
        "count_1h",
    ] {
        assert!(message.contains(said), "{said}: {message}");
    }
    let (status, _, message) = client
        .post(
            BACKTEST,
            json!({"rule": "true", "from": "soon"}).to_string(),
        )
        .problem();
    assert_eq!(status, 400);
    assert!(message.contains("`from`"), "{message}");
    assert_eq!(client.post(BACKTEST, "{").problem().0, 400);
    let nowhere = client.post(
        "/v1/usecases/ordres/backtest",
        json!({"rule": "true"}).to_string(),
    );
    assert_eq!(nowhere.problem().0, 404);
}

#[test]
fn cases_are_listed_disposed_of_and_superseded() {
    let server = reviewed();
    let mut client = server.client();
    for (id, amount) in [("a", "\"20.00\""), ("b", "\"70.00\""), ("c", "\"30.00\"")] {
        client.post(DECIDE, order(id, "c1", amount));
    }
    let ids = |page: &Value| -> Vec<String> {
        let cases = page["cases"].as_array().unwrap();
        cases
            .iter()
            .map(|case| case["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let page = client.get(CASES).json();
    assert_eq!(
        (ids(&page), &page["count"]),
        (
            vec!["orders:c".to_owned(), "orders:b".to_owned()],
            &json!(2)
        )
    );
    let page = client.get(&format!("{CASES}?order=value&limit=1")).json();
    assert_eq!(
        (ids(&page), &page["count"]),
        (vec!["orders:b".to_owned()], &json!(2))
    );

    let found = json!({"disposition": "negative", "by": "ann", "note": "a regular"});
    let first = client.post("/v1/cases/orders:b", found.to_string()).json();
    assert_eq!(first["repeated"], false);
    let again = client.post("/v1/cases/orders:b", found.to_string()).json();
    assert_eq!(
        (&again["repeated"], &again["position"]),
        (&json!(true), &first["position"])
    );
    let other = json!({"disposition": "positive", "by": "bob"});
    assert_eq!(
        client.post("/v1/cases/orders:b", other.to_string()).json()["repeated"],
        false
    );
    let case = client.get("/v1/cases/orders:b").json();
    assert_eq!(
        (&case["state"], &case["decision"]["action"]),
        (&json!("positive"), &json!("review"))
    );
    assert_eq!(case["dispositions"].as_array().unwrap().len(), 2);
    assert_eq!(case["dispositions"][0]["note"], "a regular");
    assert_eq!(
        ids(&client.get(&format!("{CASES}?state=open")).json()),
        ["orders:c"]
    );
    assert_eq!(
        ids(&client.get(&format!("{CASES}?state=closed")).json()),
        ["orders:b"]
    );
    assert_eq!(client.get(&format!("{CASES}?state=all")).json()["count"], 2);

    assert_eq!(
        client.get("/v1/cases/orders:a").problem().0,
        404,
        "it was shipped"
    );
    for (wrong, said) in [
        (
            json!({"disposition": "maybe", "by": "ann"}),
            "`positive` or `negative`",
        ),
        (json!({"disposition": "positive", "by": ""}), "say who"),
        (json!({"disposition": "positive"}), "by"),
    ] {
        let (status, _, message) = client
            .post("/v1/cases/orders:c", wrong.to_string())
            .problem();
        assert_eq!(status, 400);
        assert!(message.contains(said), "{message}");
    }
    for wrong in [
        "state=opened",
        "order=oldest",
        "limit=201",
        "limit=x",
        "page=2",
    ] {
        let (status, _, message) = client.get(&format!("{CASES}?{wrong}")).problem();
        assert_eq!(status, 400, "{message}");
    }
}
