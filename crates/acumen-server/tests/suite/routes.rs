//! What every route answers when it is asked rightly.

use serde_json::{Value, json};

use super::running::{Running, complaint, order};

#[test]
fn an_event_is_decided_on_and_the_decision_can_be_asked_for() {
    let server = Running::new();
    let mut client = server.client();
    let body = order("a", "c1", "12.50");
    let made = client.post("/v1/usecases/orders/decide", &body);
    assert_eq!(made.status, 200);
    let made = made.json();
    assert_eq!(made["id"], "orders:a");
    assert_eq!(
        (&made["action"], &made["repeated"], &made["durable"]),
        (&json!("ship"), &json!(false), &json!(true))
    );
    let again = client.post("/v1/usecases/orders/decide", &body).json();
    assert_eq!(
        (&again["action"], &again["repeated"]),
        (&json!("ship"), &json!(true))
    );

    let record = client.get("/v1/decisions/orders:a").json();
    assert_eq!(record["amount"], "12.50 EUR");
    assert_eq!(record["row"]["orders.sum_1h"], 12.5);
    assert_eq!(record["event_time"], "2026-01-01T00:00:00Z");
    let explained = client.get("/v1/decisions/orders:a/explain");
    assert_eq!(explained.status, 200);
    assert!(explained.json().is_object());
    let replayed = client.post("/v1/decisions/orders:a/replay", "").json();
    assert_eq!(replayed, json!({"identical": true, "differences": []}));

    let features = client
        .get("/v1/usecases/orders/entities/customer/c1")
        .json();
    let count = features
        .as_array()
        .unwrap()
        .iter()
        .find(|f| f["column"] == "orders.count_24h");
    assert_eq!(count.unwrap()["value"], 1.0);
    assert_eq!(count.unwrap()["age_ms"], 0);
}

#[test]
fn events_are_taken_one_by_one_as_an_array_and_by_line() {
    let server = Running::new();
    let mut client = server.client();
    let counts = |answer: Value| [answer["logged"].clone(), answer["repeated"].clone()];
    let one = client.post("/v1/events", order("a", "c1", "1"));
    assert_eq!(
        (one.status, counts(one.json())),
        (200, [json!(1), json!(0)])
    );
    let array = format!("[{},{}]", order("a", "c1", "1"), order("b", "c1", "1"));
    let array = client.post("/v1/events", array);
    assert_eq!(
        (array.status, counts(array.json())),
        (200, [json!(1), json!(1)])
    );
    let lines = format!("{}\n{}\n", order("c", "c1", "1"), complaint("c"));
    let lines = client.post("/v1/events", lines);
    assert_eq!(
        (lines.status, counts(lines.json())),
        (200, [json!(2), json!(0)])
    );
}

#[test]
fn lists_and_rules_are_edited_and_hold_from_then_on() {
    let server = Running::new();
    let mut client = server.client();
    assert_eq!(client.get("/v1/lists").json(), json!({"watched": 0}));
    let edit = json!({"add": ["c1", "c2"], "by": "ann"}).to_string();
    assert_eq!(
        client.post("/v1/lists/watched", edit).json(),
        json!({"position": 0})
    );
    let edit = json!({"remove": ["c2"], "by": "ann"}).to_string();
    assert_eq!(client.post("/v1/lists/watched", edit).status, 200);
    assert_eq!(client.get("/v1/lists/watched").json(), json!(["c1"]));
    let mut decide = |id: &str| {
        let body = order(id, "c1", "1");
        client.post("/v1/usecases/orders/decide", body).json()
    };
    let made = decide("a");
    assert_eq!(
        (&made["action"], &made["reasons"][0]["text"]),
        (&json!("review"), &json!("The customer is watched"))
    );
    let switch = json!({"mode": "off", "by": "ann"}).to_string();
    let switched = server
        .client()
        .post("/v1/usecases/orders/rules/listed", switch);
    assert_eq!(switched.status, 200);
    assert_eq!(decide("b")["action"], "ship");
}

#[test]
fn what_was_refused_is_mended_and_sent_again() {
    let server = Running::new();
    let mut client = server.client();
    let refused = client.post("/v1/events", order("a", "c1", "-1"));
    assert_eq!(refused.status, 422);
    let id = refused.json()["refused"][0]["quarantine"].as_u64().unwrap();
    let listed = client.get("/v1/quarantine").json();
    assert_eq!(listed[0]["original"], order("a", "c1", "-1"));
    assert_eq!(
        client.get(&format!("/v1/quarantine?after={id}")).json(),
        json!([])
    );
    let entry = client.get(&format!("/v1/quarantine/{id}")).json();
    assert!(
        entry["problems"][0].as_str().unwrap().contains("amount"),
        "{entry}"
    );
    let again = format!("/v1/quarantine/{id}/resubmit");
    assert_eq!(
        client.post(&again, "").json()["logged"],
        0,
        "as it was, it is refused again"
    );
    let mended = client.post(&again, order("a", "c1", "1"));
    assert_eq!(mended.json()["logged"], 1);
    assert_eq!(client.get(&format!("/v1/quarantine/{id}")).status, 404);
}

#[test]
fn the_live_page_has_what_it_shows() {
    let server = Running::new();
    let mut client = server.client();
    client.post("/v1/usecases/orders/decide", order("a", "c1", "1"));
    let status = client.get("/v1/status").json();
    assert_eq!(
        (&status["records"], &status["ready"]),
        (&json!(2), &json!(true))
    );
    let orders = &status["use_cases"][0];
    assert_eq!(
        (&orders["name"], &orders["actions"]),
        (
            &json!("orders"),
            &json!([{"action": "ship", "count": 1}, {"action": "review", "count": 0}])
        )
    );
    assert_eq!(orders["latest"][0]["id"], "orders:a");
    assert_eq!(orders["money"]["open"], 1);
    for page in ["/", "/docs"] {
        let page = client.get(page);
        assert_eq!(page.status, 200);
        assert!(page.head.contains("text/html"), "{}", page.head);
        let text = page.text();
        assert!(
            text.contains("</html>") && !text.contains("https://"),
            "works without the internet"
        );
    }
}

#[test]
fn every_route_of_the_description_answers() {
    let server = Running::new();
    let mut client = server.client();
    client.post("/v1/usecases/orders/decide", order("a", "c1", "1"));
    let description = client.get("/openapi.json").json();
    assert!(
        description["openapi"].as_str().unwrap().starts_with("3.1."),
        "{description}"
    );
    let names = [
        ("{name}", "orders"),
        ("{rule}", "listed"),
        ("{list}", "watched"),
        ("{entity}", "customer"),
        ("{key}", "c1"),
        ("/decisions/{id}", "/decisions/orders:a"),
    ];
    let mut routes = 0;
    for (path, methods) in description["paths"].as_object().unwrap() {
        let mut asked = path.clone();
        names
            .iter()
            .for_each(|(name, value)| asked = asked.replace(name, value));
        asked = asked.replace("{id}", "1");
        for (method, operation) in methods.as_object().unwrap() {
            let answer = client.ask(&method.to_uppercase(), &asked, b"{}");
            let declared = operation["responses"].as_object().unwrap();
            let status = answer.status.to_string();
            let wrong_body = method == "post" && answer.status == 400;
            assert!(
                declared.contains_key(&status) || wrong_body,
                "{method} {asked}: {answer:?}"
            );
            assert!(
                operation["summary"].is_string(),
                "{method} {path} says nothing of itself"
            );
            routes += 1;
        }
    }
    assert!(routes >= 16, "{routes}");
    assert_refer(&description, &description);
}

/// Every reference within the description leads somewhere.
fn assert_refer(all: &Value, part: &Value) {
    match part {
        Value::Object(entries) => {
            if let Some(Value::String(target)) = entries.get("$ref") {
                let pointer = target.strip_prefix('#').unwrap();
                assert!(all.pointer(pointer).is_some(), "{target} leads nowhere");
            }
            entries.values().for_each(|entry| assert_refer(all, entry));
        }
        Value::Array(items) => items.iter().for_each(|item| assert_refer(all, item)),
        _ => {}
    }
}
