//! A use case that decides on each customer, over HTTP.

use acumen_base::Time;
use serde_json::{Value, json};

use super::running::{Running, START};

const USE_CASE: &str = include_str!("../../../acumen-engine/tests/data/regulars/usecase.yaml");
const DECIDE: &str = "/v1/usecases/regulars/decide";
const DAY: i64 = 86_400_000;
/// Days of orders.
const LASTS: i64 = 300;

/// Sixty customers who order every few days, each at a pace of their own, and one who only signed
/// up; a model is live.
fn server() -> Running {
    let now = Time(START + LASTS * DAY);
    Running::trained(("regulars", USE_CASE), history(), now)
}

fn order(id: &str, customer: &str, at: i64, euros: i64) -> Value {
    json!({
        "type": "order", "order_id": id, "ordered_at": at, "customer_id": customer,
        "amount": {"amount": format!("{euros}.00"), "currency": "EUR"},
    })
}

fn history() -> Vec<(Time, Value)> {
    let sign_up = json!({
        "type": "sign_up", "sign_up_id": "s", "signed_up_at": START, "customer_id": "quiet",
    });
    let mut events = vec![(Time(START), sign_up)];
    for customer in 0..60_i64 {
        let pause = 4 + customer % 25;
        for n in 0..(LASTS - customer) / pause {
            let at = START + (customer + n * pause) * DAY + n % 7 * 3_600_000;
            let euros = 10 + customer % 9 * 5 + n % 4;
            let (id, who) = (format!("o{customer}-{n}"), format!("c{customer}"));
            events.push((Time(at), order(&id, &who, at, euros)));
        }
    }
    events.sort_by_key(|(at, _)| *at);
    events
}

#[test]
fn customers_are_answered_by_the_key_and_in_bulk() {
    let server = server();
    let mut client = server.client();
    let one = client.post(DECIDE, json!({"customer_id": "c1"}).to_string());
    assert_eq!(one.status, 200);
    let one = one.json();
    assert!(one["value"].as_f64().unwrap() >= 0.0, "{one}");
    assert!(
        one["segment"].is_string() && one["version"].is_string(),
        "{one}"
    );
    assert!(
        (0.0..=1.0).contains(&one["probability_alive"].as_f64().unwrap()),
        "{one}"
    );
    assert!(!one["reasons"].as_array().unwrap().is_empty(), "{one}");
    assert_eq!(one["cached"], false);

    let ids: Vec<String> = (0..999)
        .map(|i| format!("c{}", i % 60))
        .chain(["nobody".into()])
        .collect();
    let many = client
        .post(DECIDE, json!({"customer_id": ids}).to_string())
        .json();
    assert_eq!(
        (&many["answered"], &many["refused"]),
        (&json!(999), &json!(1))
    );
    let answers = many["answers"].as_array().unwrap();
    assert_eq!(
        (&answers[1]["value"], &answers[1]["cached"]),
        (&one["value"], &json!(true))
    );
    assert_eq!(answers[999]["problem"]["code"], "not_found");

    let new = order("new", "c1", START + LASTS * DAY, 500).to_string();
    assert_eq!(client.post("/v1/events", new).json()["logged"], 1);
    let after = client
        .post(DECIDE, json!({"customer_id": "c1"}).to_string())
        .json();
    assert_eq!(after["cached"], false);
    let metrics = client.get("/metrics").text();
    assert!(
        metrics.contains("acumen_keys_asked_total{use_case=\"regulars\",cache=\"hit\"}"),
        "{metrics}"
    );
}

#[test]
fn what_is_asked_wrongly_is_told_what_to_send() {
    let server = server();
    let mut client = server.client();
    for (body, status, told) in [
        (
            json!({"customer_id": "nobody"}).to_string(),
            404,
            "no customer `nobody`",
        ),
        (
            json!({"customer_id": "quiet"}).to_string(),
            404,
            "bought.count",
        ),
        (
            json!({"customer": "c1"}).to_string(),
            400,
            "`customer` is not read here",
        ),
        (json!({"customer_id": 7}).to_string(), 400, "7 is no id"),
        (json!({}).to_string(), 400, "`customer_id` is missing"),
        ("[".to_owned(), 400, "this is not JSON"),
        (
            json!({"customer_id": vec!["c1"; 1_001]}).to_string(),
            400,
            "send it in parts",
        ),
    ] {
        let answer = client.post(DECIDE, body);
        assert_eq!(answer.status, status, "{told}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(told), "{message}");
    }
}

#[test]
fn batches_are_run_and_told_of() {
    let server = server();
    let mut client = server.client();
    assert_eq!(client.get("/v1/usecases/regulars/scores/c1").status, 503);
    assert_eq!(server.engine.batches_due().unwrap().len(), 1);
    let told = client.get("/v1/usecases/regulars/batches").json();
    assert_eq!(
        (&told["latest"]["keys"], &told["latest"]["scored"]),
        (&json!(61), &json!(60))
    );
    assert!(
        told["next_at"].as_str().unwrap().ends_with("T02:00:00Z"),
        "{told}"
    );
    let mut score = |id: &str| client.get(&format!("/v1/usecases/regulars/scores/{id}"));
    let one = score("c1").json();
    assert!(one["value"].as_f64().unwrap() >= 0.0, "{one}");
    assert!(one["low"].as_f64() <= one["value"].as_f64(), "{one}");
    for key in ["segment", "model", "version", "currency", "job"] {
        assert!(one[key].is_string(), "{key} in {one}");
    }
    assert_eq!(one["origin"], told["latest"]["at"]);
    let quiet = score("quiet").json();
    assert!(quiet["value"].is_null(), "{quiet}");
    assert!(quiet["reason"].as_str().unwrap().contains("bought.count"));
    assert_eq!(score("nobody").status, 404);
}
