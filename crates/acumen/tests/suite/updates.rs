//! Versions that come and go: by command, by the server, and back again.

use crate::journey::project;
use crate::program::{Server, acumen, well};

#[test]
fn models_are_trained_by_a_running_server_and_rolled_back() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    project(root);
    let file = root.join("usecases/churn/usecase.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    // A small history: so few rows show little of how well probabilities are calibrated.
    let gates = "gates: {min_positives: 5, ece_max: 0.3, tolerance: 0.3, latency_us_max: 100000}";
    std::fs::write(&file, format!("{text}{gates}\n")).unwrap();
    well(root, &["train", "churn", "--as-of", "2025-06-01"]);
    let refused = acumen(root, &["models", "churn", "--roll-back"]);
    assert!(
        refused.err.contains("no earlier version"),
        "{}",
        refused.err
    );
    let early = live(root);
    well(root, &["train", "churn"]);
    let whole = live(root);
    let back = well(root, &["models", "churn", "--roll-back"]);
    assert!(back.contains(&format!("back to boosted {early}")), "{back}");
    assert_eq!(live(root), early);

    let server = Server::start(root);
    let at = server.address.clone();
    let refused = acumen(root, &["train", "churn"]);
    assert_eq!(refused.code, 1, "the server has the folder");
    let trained = well(root, &["train", "churn", "--server", &at]);
    for gate in ["enough", "not_worse", "calibrated", "fast"] {
        assert!(trained.contains(&format!("  {gate}: ")), "{trained}");
    }
    // It goes on from the champion, so that it is neither of the two.
    let candidate = live(root);
    assert!(candidate != early && candidate != whole);
    assert!(
        trained.contains(&format!("candidate: boosted {candidate}")),
        "{trained}"
    );
    assert!(
        trained.contains(&format!("champion: boosted {early}")),
        "{trained}"
    );
    assert!(
        trained.contains("promoted: it passed every gate"),
        "{trained}"
    );
    let back = well(root, &["models", "churn", "--roll-back", "--server", &at]);
    assert!(back.contains(&format!("back to boosted {early}")), "{back}");
    assert_eq!(live(root), early);

    let deploy = [
        "deploy",
        "churn",
        "boosted",
        &whole,
        "--challenger",
        "--server",
        &at,
    ];
    let deployed = well(root, &deploy);
    assert!(
        deployed.contains("answers beside what decides"),
        "{deployed}"
    );
    let bill = r#"{"bill_id": "live-1", "billed_at": "2026-02-01T09:00:00Z", "customer_id": "c7",
                   "amount": {"amount": "65.50", "currency": "GBP"}, "calls": 9, "plan": "plus"}"#;
    let (status, body) = server.ask("POST", "/v1/usecases/churn/decide", bill);
    assert!(
        status == 200 && body.contains("boosted@challenger"),
        "{body}"
    );
    let compared = well(root, &["compare", "churn"]);
    assert!(
        compared.starts_with("1 decisions that both answered"),
        "{compared}"
    );
    assert!(compared.contains("boosted@challenger"), "{compared}");
    let why = well(root, &["explain", "churn:live-1"]);
    assert!(why.contains("what would have changed it"), "{why}");
    assert!(
        why.contains("aggregate of bill.amount by customer over"),
        "{why}"
    );
    well(
        root,
        &["deploy", "churn", "boosted", "--withdraw", "--server", &at],
    );
    assert_eq!(server.terminate().0, Some(0));

    let all = well(root, &["models", "churn", "--updates"]);
    assert_eq!(all.matches("candidate: ").count(), 3, "{all}");
    assert_eq!(all.matches("deployed by command").count(), 2, "{all}");
}

fn live(root: &std::path::Path) -> String {
    let models = well(root, &["models", "churn", "--json"]);
    let models: serde_json::Value = serde_json::from_str(&models).unwrap();
    let live = models
        .as_array()
        .unwrap()
        .iter()
        .find(|m| m["live"] == true);
    live.unwrap()["version"].as_str().unwrap().to_owned()
}
