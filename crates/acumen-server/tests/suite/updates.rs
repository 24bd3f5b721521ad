//! Training beside the server, and the way back.

use serde_json::json;

use super::running::Running;

const UPDATES: &str = "/v1/usecases/orders/updates";
const ROLL_BACK: &str = "/v1/usecases/orders/roll-back";

#[test]
fn what_has_no_training_has_no_updates() {
    let server = Running::new();
    let mut client = server.client();
    assert_eq!(
        client.get(UPDATES).json(),
        json!({"next_at": null, "running": null, "latest": []})
    );
    let (status, _, message) = client.post(UPDATES, r#"{"by": "ann"}"#).problem();
    assert!(
        status == 400 && message.contains("declares no `training`"),
        "{message}"
    );
    let (status, _, message) = client.post(ROLL_BACK, r#"{"by": "ann"}"#).problem();
    assert!(
        status == 400 && message.contains("nothing of `orders`"),
        "{message}"
    );
    let (status, _, message) = client.post(ROLL_BACK, r#"{"who": "ann"}"#).problem();
    assert!(status == 400 && message.contains("who"), "{message}");
    assert_eq!(client.get("/v1/usecases/order/updates").problem().0, 404);
}

#[test]
fn a_training_without_data_is_held_and_says_so() {
    let server = Running::with(&[
        (
            "layers:\n",
            "training: {training_data: last_90_days}\nupdate_frequency: hourly\nmodels: {boosted: {algorithm: xgboost}}\nfallback: review\nlayers:\n  models: {deadline: 30ms, run: [boosted]}\n",
        ),
        ("rules: {deadline: 5ms,", "rules: {deadline: 40ms,"),
    ]);
    let mut client = server.client();
    assert_eq!(
        client.get(UPDATES).json()["next_at"],
        "2026-01-01T01:00:00Z"
    );
    assert_eq!(client.post(UPDATES, r#"{"by": "ann"}"#).status, 202);
    // It is done behind the one that was begun.
    server.engine.update_due().unwrap();
    let updates = client.get(UPDATES).json();
    assert_eq!(updates["running"], json!(null));
    let update = &updates["latest"][0];
    assert_eq!(
        (&update["promoted"], &update["asked_by"]),
        (&json!(false), &json!("ann"))
    );
    let why = update["why"].as_str().unwrap();
    assert!(
        why.starts_with("held: there is nothing to promote"),
        "{why}"
    );
}

#[test]
fn versions_are_deployed_compared_and_withdrawn_or_refused_with_the_reason() {
    let server = Running::with(&[
        (
            "layers:\n",
            "training: {training_data: last_90_days}\nmodels: {boosted: {algorithm: xgboost}}\nfallback: review\nlayers:\n  models: {deadline: 30ms, run: [boosted]}\n",
        ),
        ("rules: {deadline: 5ms,", "rules: {deadline: 40ms,"),
    ]);
    let mut client = server.client();
    let found = client.get("/v1/usecases/orders/compare").json();
    assert_eq!(found["pairs"], json!([]));
    let note = found["note"].as_str().unwrap();
    assert!(note.contains("--challenger"), "{note}");
    let mut refused = |body: &str| client.post("/v1/usecases/orders/deploy", body).problem();
    let (status, _, message) = refused(r#"{"model": "bosted", "version": "1", "by": "ann"}"#);
    assert!(
        status == 404 && message.contains("did you mean `boosted`"),
        "{message}"
    );
    let body = r#"{"model": "boosted", "version": "1", "challenger": true, "by": "ann"}"#;
    let (status, _, message) = refused(body);
    assert!(
        status == 400 && message.contains("there is no version `1`"),
        "{message}"
    );
    let (status, _, message) = refused(r#"{"model": "boosted", "by": "ann"}"#);
    assert!(
        status == 400 && message.contains("nothing to withdraw"),
        "{message}"
    );
    assert_eq!(client.get("/v1/usecases/order/compare").problem().0, 404);
}

#[test]
fn thresholds_are_moved_or_the_request_is_refused_with_the_reason() {
    let server = Running::new();
    let mut client = server.client();
    let mut refused = |body: &str| {
        client
            .post("/v1/usecases/orders/thresholds", body)
            .problem()
    };
    let (status, _, message) = refused(r#"{"target": "recall=0.9", "by": "ann"}"#);
    assert!(
        status == 400 && message.contains("`precision=0.95`"),
        "{message}"
    );
    let (status, _, message) =
        refused(r#"{"target": "precision=0.9", "from": "yesterday", "by": "ann"}"#);
    assert!(status == 400 && message.contains("`from`"), "{message}");
    let (status, _, message) =
        refused(r#"{"target": "precision=0.9", "action": "revew", "by": "ann"}"#);
    assert!(
        status == 404 && message.contains("did you mean `review`"),
        "{message}"
    );
    let (status, _, message) = refused(r#"{"target": "precision=0.9", "by": "ann"}"#);
    assert!(status == 400 && message.contains("`orders`"), "{message}");
}
