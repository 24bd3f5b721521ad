//! A use case that ranks, over HTTP.

use acumen_base::Time;
use serde_json::{Value, json};

use super::running::{Running, START};

const USE_CASE: &str = include_str!("../../../acumen-engine/tests/data/wares/usecase.yaml");
const RANK: &str = "/v1/usecases/wares/rank";
const HOUR: i64 = 3_600_000;

/// Thirty wares of three kinds, and forty customers who click through one kind each.
fn server() -> Running {
    server_of(USE_CASE)
}

fn server_of(use_case: &str) -> Running {
    let wares = (0..30).map(|n| (Time(START), ware(n)));
    let clicks = (0..400).map(|n: i64| {
        let number = 10 * (n % 40 % 3) + (n / 40 + n % 7) % 10;
        let at = START + HOUR * (1 + n);
        let (id, who) = (format!("f{n}"), format!("c{}", n % 40));
        (Time(at), click(&id, &who, number, at))
    });
    let now = Time(START + 500 * HOUR);
    Running::trained(("wares", use_case), wares.chain(clicks), now)
}

fn ware(number: i64) -> Value {
    json!({
        "type": "ware", "change_id": format!("w{number}"), "changed_at": START,
        "ware_id": format!("w{number}"), "kind": format!("kind {}", number / 10),
        "maker": format!("maker {}", number % 9), "stock": 3,
        "profit": {"amount": "2.00", "currency": "EUR"},
    })
}

fn click(id: &str, customer: &str, ware: i64, at: i64) -> Value {
    json!({
        "type": "feedback", "feedback_id": id, "at": at, "customer_id": customer,
        "visit_id": "v", "ware_id": format!("w{ware}"), "what": "click",
    })
}

#[test]
fn lists_are_asked_for_explained_and_answered_with_feedback() {
    let server = server();
    let mut client = server.client();
    assert_eq!(client.get("/readyz").json()["ready"], true);
    let request = json!({
        "customer_id": "c1", "visit_id": "v9", "n": 5, "explain": true,
        "events": [{"ware_id": "w22", "kind": "click"}],
    });
    let list = client.post(RANK, request.to_string());
    assert_eq!(list.status, 200, "{}", list.text());
    let list = list.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 5);
    assert_eq!(
        (&items[0]["place"], &list["fallback"]),
        (&json!(1), &json!(false))
    );
    assert!(
        items
            .iter()
            .all(|item| item["propensity"].as_f64().unwrap() > 0.0)
    );
    assert!(
        items[0]["why"]["words"].as_str().unwrap().contains('`'),
        "{list}"
    );
    assert!(items[0]["attributes"]["kind"].is_string());
    let sources = list["sources"].as_array().unwrap();
    assert_eq!(sources.len(), 5);
    let stages = list["stages"].as_array().unwrap();
    let names: Vec<&str> = stages
        .iter()
        .map(|stage| stage["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["context", "candidates", "ranking", "post_processing"]
    );

    let outcome = json!({
        "type": "feedback", "feedback_id": "o1", "at": START + 500 * HOUR, "customer_id": "c1",
        "visit_id": "v9", "ware_id": items[0]["item"], "what": "click",
        "list_id": list["decision_id"],
    });
    assert_eq!(client.post("/v1/events", outcome.to_string()).status, 200);
    let status = client.get("/v1/status").json();
    let told = &status["use_cases"][0]["ranking"];
    assert_eq!(
        (&told["lists"], &told["outcomes"]),
        (&json!(1), &json!(1)),
        "{status}"
    );
    let metrics = client.get("/metrics").text();
    assert!(metrics.contains("post_processing"), "{metrics}");
    assert_eq!(client.get("/try/wares").status, 200);
}

#[test]
fn several_lists_and_what_is_like_an_item() {
    let server = server();
    let mut client = server.client();
    let requests = json!([{"customer_id": "c1"}, {"n": 0}, {"visitor": "nobody", "n": 3}]);
    let lists = client.post(RANK, requests.to_string()).json();
    assert_eq!(lists[0]["items"].as_array().unwrap().len(), 10);
    assert_eq!(lists[1]["message"], "a list has 1 to 100 items, not 0");
    assert_eq!(lists[2]["items"].as_array().unwrap().len(), 3);
    let similar = client.get("/v1/usecases/wares/similar/w3?n=4").json();
    let items = similar["items"].as_array().unwrap();
    assert_eq!((items.len(), &similar["item"]), (4, &json!("w3")));
    assert!(items.iter().all(|item| item["item"] != "w3"));
}

#[test]
fn what_is_known_of_the_moment_is_said_with_the_request() {
    let said = USE_CASE
        .replace(
            "list_id: id}",
            "list_id: id, weather: category, mobile: bool}",
        )
        .replace(
            "[customer_id, list_id]",
            "[customer_id, list_id, weather, mobile]",
        )
        .replace("remember: 20", "remember: 20\n  context: [weather, mobile]");
    let server = server_of(&said);
    let mut client = server.client();
    let request = json!({"visit_id": "new", "context": {"weather": "rain", "mobile": true}});
    let list = client.post(RANK, request.to_string());
    assert_eq!(list.status, 200, "{}", list.text());
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 10);
    let status = client.get("/v1/status").json();
    let declared = &status["use_cases"][0]["ranking"]["context"];
    assert_eq!(*declared, json!({"weather": "category", "mobile": "bool"}));
    let wrong = r#"{"context": {"weather": 3, "wind": "north"}}"#;
    let (status, _, said) = client.post(RANK, wrong).problem();
    assert_eq!(status, 400);
    for part in [
        "`weather` is 3, not a category",
        "`wind` is not declared",
        "declared is `weather` (category), `mobile` (bool)",
    ] {
        assert!(said.contains(part), "{said}");
    }
    let (status, _, said) = client.post(RANK, r#"{"context": "rain"}"#).problem();
    assert!(
        status == 400 && said.contains("no request for a list"),
        "{said}"
    );
}

#[test]
fn wrong_requests_say_what_to_do() {
    let server = server();
    let mut client = server.client();
    let (status, _, said) = client.post(RANK, r#"{"customr_id": "c1"}"#).problem();
    assert!(status == 400 && said.contains("customr_id"), "{said}");
    let (status, _, said) = client.post(RANK, "[1]").problem();
    assert!(
        status == 400 && said.contains("no request for a list"),
        "{said}"
    );
    let event = r#"{"events": [{"item": "w1", "kind": "clik"}]}"#;
    let (status, _, said) = client.post(RANK, event).problem();
    assert!(status == 404 && said.contains("`click`"), "{said}");
    let (status, _, said) = client.get("/v1/usecases/wares/similar/w99").problem();
    assert!(
        status == 404 && said.contains("there is no item `w99`"),
        "{said}"
    );
    let (status, _, said) = client.post("/v1/usecases/wares/decide", "{}").problem();
    assert!(
        status == 400 && said.contains("/v1/usecases/wares/rank"),
        "{said}"
    );
    let (status, _, said) = client.post("/v1/usecases/ware/rank", "{}").problem();
    assert!(status == 404 && said.contains("`wares`"), "{said}");
}
