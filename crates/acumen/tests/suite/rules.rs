//! Rules that are tried out, rolled out and watched; cases that people dispose of.

use acumen_base::{Clock, SystemClock};

use crate::program::{Server, acumen, well};

#[test]
fn rules_and_cases_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    well(root, &["new", "orders"]);
    let file = root.join("usecases/orders/usecase.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    // A busy machine may need longer than a payment may wait.
    let patient = [
        ("deadline: 5ms", "deadline: 5s"),
        ("deadline: 30ms", "deadline: 6s"),
        ("max_latency: 50ms", "max_latency: 9s"),
    ];
    let text = patient
        .iter()
        .fold(text, |text, (short, long)| text.replace(short, long));
    std::fs::write(&file, text + "review: {actions: [review]}\n").unwrap();
    well(root, &["check", "orders"]);
    let until = [
        "lists",
        "known_abusers",
        "--add",
        "c7",
        "--until",
        "2200-01-01",
    ];
    well(root, &until);
    let listed = well(root, &["lists", "known_abusers"]);
    assert_eq!(listed.trim(), "c7  until 2200-01-01T00:00:00Z");

    let server = Server::start(root);
    let now = SystemClock::new().now();
    for (id, customer, amount) in [("o1", "c7", "65.50"), ("o2", "c8", "20.00")] {
        let order = format!(
            r#"{{"order_id": "{id}", "ordered_at": "{now}", "customer_id": "{customer}",
                "amount": {{"amount": "{amount}", "currency": "GBP"}}}}"#
        );
        let (status, answer) = server.ask("POST", "/v1/usecases/orders/decide", &order);
        assert_eq!(status, 200, "{answer}");
    }
    assert_eq!(server.terminate().0, Some(0));

    let open = well(root, &["cases", "orders", "--by-value"]);
    assert!(open.starts_with("2 open cases"), "{open}");
    assert!(
        open.find("o1").unwrap() < open.find("o2").unwrap(),
        "{open}"
    );
    let dispose = [
        "cases",
        "orders",
        "o2",
        "--negative",
        "--by",
        "ann",
        "--note",
        "a regular",
    ];
    assert!(well(root, &dispose).contains("is on record"));
    assert!(well(root, &dispose).contains("found before"));
    let case = well(root, &["cases", "orders", "o2"]);
    assert!(case.contains("negative, by ann  a regular"), "{case}");
    assert!(well(root, &["cases", "orders"]).starts_with("1 open case\n"));
    let missing = acumen(
        root,
        &["cases", "orders", "o9", "--positive", "--by", "ann"],
    );
    assert!(
        missing.code == 1 && missing.err.contains("no case `orders:o9`"),
        "{}",
        missing.err
    );

    let rules = well(root, &["rules", "orders", "--json"]);
    let rules: serde_json::Value = serde_json::from_str(&rules).unwrap();
    assert_eq!(rules[0]["firings"]["acted"], 1, "{rules}");
    let shown = well(
        root,
        &["rules", "orders", "too_many_orders", "--share", "0.1"],
    );
    assert!(shown.contains("on for 10 %"), "{shown}");
    let wrong = acumen(
        root,
        &["rules", "orders", "too_many_orders", "--share", "2"],
    );
    assert!(
        wrong.code == 1 && wrong.err.contains("between 0 and 1"),
        "{}",
        wrong.err
    );

    let rule = "order.amount > money('50 GBP')";
    let found = well(root, &["backtest", "orders", "--rule", rule, "--json"]);
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        (&found["rows"], &found["hits"]["all"]),
        (&2.into(), &1.into()),
        "{found}"
    );
    let page = well(root, &["backtest", "orders", "--rule", "true"]);
    assert!(page.contains("2 of 2 decided events hit"), "{page}");
    assert!(page.contains("1 negative, 1 still open"), "{page}");
    let wrong = acumen(
        root,
        &[
            "backtest",
            "orders",
            "--rule",
            "order.amuont > 3 && scroe > 1.0",
        ],
    );
    assert_eq!(wrong.code, 1);
    assert!(
        wrong.err.contains("order.amount") && wrong.err.contains("`score`"),
        "{}",
        wrong.err
    );
}
