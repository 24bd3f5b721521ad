//! Health, metrics, many clients, and stopping.

use std::sync::mpsc::channel;

use acumen_base::limits::SEQUENCER_QUEUE_MAX;
use serde_json::json;

use super::running::{Running, order};

const DECIDE: &str = "/v1/usecases/orders/decide";

#[test]
fn health_is_honest() {
    let server = Running::new();
    let mut client = server.client();
    assert_eq!(client.get("/healthz").status, 200);
    assert_eq!(
        client.get("/readyz").json(),
        json!({"ready": true, "missing": []})
    );
    let untrained = Running::with(&[
        (
            "layers:\n",
            "training: {training_data: last_90_days}\nmodels: {boosted: {algorithm: xgboost}}\nfallback: review\nlayers:\n  models: {deadline: 30ms, run: [boosted]}\n",
        ),
        ("rules: {deadline: 5ms,", "rules: {deadline: 40ms,"),
    ]);
    let mut client = untrained.client();
    let ready = client.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(
        ready.json()["missing"][0]
            .as_str()
            .unwrap()
            .contains("acumen train orders")
    );
    assert_eq!(client.get("/healthz").status, 200, "alive all the same");
    assert_eq!(
        client.post(DECIDE, order("a", "c1", "1")).json()["action"],
        "review"
    );
}

#[test]
fn metrics_count_and_can_be_read() {
    let server = Running::new();
    let mut client = server.client();
    for id in ["a", "b", "a"] {
        client.post(DECIDE, order(id, "c1", "1"));
    }
    client.post(DECIDE, "not json");
    let metrics = client.get("/metrics").text();
    let value = |name: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("no {name} in {metrics}"))
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    assert_eq!(value("acumen_events_total{kind=\"order\"}"), 2.0);
    assert_eq!(
        value("acumen_decisions_total{use_case=\"orders\",action=\"ship\"}"),
        2.0
    );
    assert_eq!(value("acumen_refusals_total"), 1.0);
    assert_eq!(value("acumen_decision_latency_seconds_count"), 2.0);
    assert!(metrics.ends_with("# EOF\n"));
    for line in metrics.lines().filter(|line| !line.starts_with('#')) {
        let (name, number) = line.rsplit_once(' ').unwrap();
        assert!(
            name.starts_with("acumen_") && number.parse::<f64>().is_ok(),
            "{line}"
        );
    }
}

#[test]
fn many_clients_are_served_at_once() {
    let server = Running::new();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let mut client = server.client();
            scope.spawn(move || {
                for i in 0..50 {
                    // Every other event is sent by two clients.
                    let sender = if i % 2 == 0 { thread / 2 } else { thread + 10 };
                    let body = order(&format!("{sender}-{i}"), "c1", "1");
                    assert_eq!(client.post(DECIDE, body).status, 200);
                }
            });
        }
    });
    let status = server.client().get("/v1/status").json();
    assert_eq!(status["use_cases"][0]["decisions"], 4 * 25 + 8 * 25);
    let features = server
        .client()
        .get("/v1/usecases/orders/entities/customer/c1")
        .json();
    assert_eq!(features[0]["value"], 300.0, "{features}");
}

#[test]
fn overload_is_answered_429_at_once() {
    let server = Running::new();
    let (open, gate) = channel::<()>();
    let (held, holding) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let hold = move |_: &mut _, _: &mut _| {
                held.send(()).unwrap();
                gate.recv().unwrap();
            };
            server.engine.ask(hold).unwrap();
        });
        holding.recv().unwrap();
        for i in 0..SEQUENCER_QUEUE_MAX {
            let body = order(&i.to_string(), "c1", "1");
            server.engine.ingest(body.as_bytes(), Box::new(drop));
        }
        let mut client = server.client();
        let answer = client.post(DECIDE, order("more", "c1", "1"));
        assert!(answer.head.contains("retry-after: 1"), "{}", answer.head);
        assert_eq!(
            (answer.problem().0, answer.problem().1.as_str()),
            (429, "overloaded")
        );
        assert_eq!(client.get("/healthz").status, 200);
        open.send(()).unwrap();
    });
    while server.engine.waiting() > 0 {
        std::thread::yield_now();
    }
    assert_eq!(
        server
            .client()
            .post(DECIDE, order("more", "c1", "1"))
            .status,
        200
    );
}

#[test]
fn what_is_under_way_is_finished_and_nothing_new_is_taken() {
    let mut server = Running::new();
    let (open, gate) = channel::<()>();
    let (held, holding) = channel();
    let engine = std::sync::Arc::clone(&server.engine);
    let holder = std::thread::spawn(move || {
        let hold = move |_: &mut _, _: &mut _| {
            held.send(()).unwrap();
            gate.recv().unwrap();
        };
        engine.ask(hold).unwrap();
    });
    holding.recv().unwrap();
    let mut idle = server.client();
    assert_eq!(idle.get("/healthz").status, 200);
    let mut client = server.client();
    client.send("POST", DECIDE, order("a", "c1", "1").as_bytes());
    // It is under way once it has taken its place in the queue.
    let waiting = || server.engine.waiting();
    while waiting() == 0 {
        std::thread::yield_now();
    }
    server.stop();
    assert!(idle.answer().is_err(), "idle connections are closed");
    open.send(()).unwrap();
    assert_eq!(client.answer().unwrap().json()["durable"], true);
    server.join();
    holder.join().unwrap();
    assert!(
        std::net::TcpStream::connect(server.address).is_err(),
        "nobody listens"
    );
    server.engine.close().unwrap();
}
