//! The server's life: one port, one folder, and an end in order.

use std::net::TcpListener;

use crate::program::{Server, acumen, well};

#[test]
fn a_port_in_use_is_one_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    well(folder.path(), &["new", "orders"]);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = acumen(folder.path(), &["serve", "--listen", &address]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains(&address) && ran.err.contains("--listen"),
        "{}",
        ran.err
    );
    assert_eq!(ran.err.trim().lines().count(), 1, "{}", ran.err);
}

#[test]
fn one_process_holds_a_data_folder_and_leaves_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    well(root, &["new", "orders"]);
    let server = Server::start(root);
    assert!(server.said.contains("not ready: orders"), "{}", server.said);
    let second = acumen(root, &["serve", "--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, 1);
    assert!(
        second.err.contains("in use by another process"),
        "{}",
        second.err
    );
    assert_eq!(acumen(root, &["lists"]).code, 1);

    let order = r#"{"order_id": "o1", "ordered_at": "2026-02-01T09:00:00Z", "customer_id": "c7",
                    "amount": {"amount": "65.50", "currency": "GBP"}}"#;
    let (status, first) = server.ask("POST", "/v1/usecases/orders/decide", order);
    assert_eq!(status, 200, "{first}");
    assert_eq!(server.ask("GET", "/healthz", "").0, 200);
    assert_eq!(server.ask("GET", "/readyz", "").0, 503);
    let (code, last) = server.terminate();
    assert_eq!(code, Some(0), "{last}");
    assert!(last.contains("closed"), "{last}");

    // What was acknowledged is there, and the same event gets the same decision.
    let server = Server::start(root);
    let (_, again) = server.ask("POST", "/v1/usecases/orders/decide", order);
    let parse = |text: &str| -> serde_json::Value { serde_json::from_str(text).unwrap() };
    assert_eq!(parse(&again)["repeated"], true);
    assert_eq!(parse(&again)["action"], parse(&first)["action"]);
    assert_eq!(server.terminate().0, Some(0));
    well(root, &["lists", "known_abusers", "--add", "c7", "c8"]);
    assert_eq!(
        well(root, &["lists", "known_abusers"])
            .lines()
            .collect::<Vec<_>>(),
        ["c7", "c8"]
    );
}

#[test]
fn a_drill_is_said_on_start_and_one_of_no_model_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    well(root, &["new", "orders"]);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--drill-slow"];
    let wrong = |drill: &str| {
        let ran = acumen(root, &[&serve[..], &[drill]].concat());
        assert_ne!(ran.code, 0);
        ran.err
    };
    let told = wrong("bosted=2s");
    assert!(told.contains("did you mean `boosted`?"), "{told}");
    let told = wrong("boosted");
    assert!(
        told.contains("boosted=2s") || told.contains("MODEL=SPAN"),
        "{told}"
    );

    let server = Server::start_with(root, &["--drill-slow", "boosted=2s"]);
    let words = "`boosted` answers 2s late on purpose";
    assert!(server.said.contains(words), "{}", server.said);
    let (_, status) = server.ask("GET", "/v1/status", "");
    assert!(status.contains(words), "{status}");
    assert_eq!(server.terminate().0, Some(0));
}
