//! A use case that no code knows of: from a folder and a file to decisions over HTTP.

use std::fmt::Write;
use std::path::Path;

use crate::program::{Server, acumen, data, well};

/// Bills of 120 customers over two years; those who call a lot and pay much tend to leave.
fn bills() -> String {
    let mut text = "number,customer,billed,total,calls,plan,left\n".to_owned();
    let mut state = 12_345_u64;
    let mut chance = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut number = 0;
    for month in 0..24 {
        for customer in 0..120 {
            number += 1;
            let (calls, day) = (chance(10), 1 + chance(28));
            let (pounds, plan) = (
                10 + chance(60),
                ["basic", "family", "plus"][chance(3) as usize],
            );
            let left = u64::from(calls >= 7 && pounds > 40 && chance(10) < 8 || chance(100) < 2);
            let (year, month) = (2024 + month / 12, 1 + month % 12);
            writeln!(
                text,
                "{number},{customer},{year}-{month:02}-{day:02}T09:00:00Z,{pounds}.50,{calls},{plan},{left}"
            )
            .unwrap();
        }
    }
    text.push_str("oops,1,2025-12-30T09:00:00Z,not a number,1,basic,0\n");
    text
}

/// A project with the use case, and its history in the log.
pub(crate) fn project(root: &Path) -> String {
    well(root, &["new", "churn"]);
    let folder = root.join("usecases/churn");
    std::fs::remove_dir_all(folder.join("tests")).unwrap();
    std::fs::copy(data("churn/usecase.yaml"), folder.join("usecase.yaml")).unwrap();
    well(root, &["check", "churn"]);
    let file = root.join("bills.csv");
    std::fs::write(&file, bills()).unwrap();
    let mapping = data("churn/mapping.yaml");
    let (mapping, file) = (mapping.to_str().unwrap(), file.to_str().unwrap());
    let shown = well(root, &["ingest", "--dry-run", "--mapping", mapping, file]);
    assert!(shown.contains("nothing was written"), "{shown}");
    assert!(!root.join(".acumen").exists());
    well(root, &["ingest", "--mapping", mapping, file])
}

#[test]
fn a_new_use_case_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let taken = project(root);
    assert!(
        taken.contains("1 records refused") || taken.contains("1 record refused"),
        "{taken}"
    );
    let refused = well(root, &["quarantine"]);
    assert!(refused.contains("not a number"), "{refused}");

    let trained = well(root, &["train", "churn"]);
    assert!(trained.contains("deployed: boosted"), "{trained}");
    let found: serde_json::Value =
        serde_json::from_str(&well(root, &["evaluate", "churn", "--json"])).unwrap();
    let auc = found["metrics"]["auc"].as_f64().unwrap();
    assert!(auc > 0.8, "{auc}: the test's data can be told apart");
    assert_eq!(found["warning"], "");
    let page = well(root, &["evaluate", "churn"]);
    assert!(page.contains("saved against always `leave_be`"), "{page}");
    let models = well(root, &["models", "churn"]);
    assert!(models.contains("live"), "{models}");

    thresholds_follow_a_target(root);

    let server = Server::start(root);
    assert!(
        server
            .said
            .contains("ready: every declared model is loaded"),
        "{}",
        server.said
    );
    let bill = r#"{"bill_id": "live-1", "billed_at": "2026-02-01T09:00:00Z", "customer_id": "c7",
                   "amount": {"amount": "65.50", "currency": "GBP"}, "calls": 9, "plan": "plus"}"#;
    let (status, body) = server.ask("POST", "/v1/usecases/churn/decide", bill);
    assert_eq!(status, 200, "{body}");
    let decision: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(decision["id"], "churn:live-1");
    assert!(decision["probability"].as_f64().is_some(), "{body}");
    // Reading needs no lock: the server keeps running.
    let why = well(root, &["explain", "churn:live-1"]);
    assert!(why.contains("boosted"), "{why}");
    let (code, last) = server.terminate();
    assert_eq!(code, Some(0), "{last}");

    let again = well(root, &["replay", "--all"]);
    assert!(
        again.contains("1 decisions made again, 0 differ"),
        "{again}"
    );
    for (command, file) in [("rows", "rows.parquet"), ("decisions", "decisions.parquet")] {
        let out = root.join(file);
        let mut arguments = vec![command];
        arguments.extend((command == "rows").then_some("churn"));
        arguments.extend(["--out", out.to_str().unwrap()]);
        well(root, &arguments);
        assert_eq!(&std::fs::read(&out).unwrap()[..4], b"PAR1");
    }
    let out = root.join("model.json");
    well(
        root,
        &["export", "churn", "boosted", "--out", out.to_str().unwrap()],
    );
    assert!(
        std::fs::read_to_string(&out)
            .unwrap()
            .contains("gradient_booster")
    );
    well(root, &["doctor"]);
    let unknown = acumen(root, &["deploy", "churn", "boosted", "000000000000"]);
    assert_eq!(unknown.code, 1);
    assert!(
        unknown.err.contains("there is no version"),
        "{}",
        unknown.err
    );
}

/// Thresholds are shown, refused where the target cannot be reached, and moved.
fn thresholds_follow_a_target(root: &Path) {
    let fit = ["thresholds", "churn", "--target", "block_rate=5%"];
    let shown = well(root, &[&fit[..], &["--dry-run"]].concat());
    assert!(shown.contains("nothing was changed"), "{shown}");
    let found = well(root, &[&fit[..], &["--dry-run", "--json"]].concat());
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    assert!(found["reached"].as_f64().unwrap() <= 0.05, "{found}");
    let moved = well(root, &fit);
    assert!(moved.contains("in force (log position"), "{moved}");
    let found = well(root, &["evaluate", "churn", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&found).unwrap();
    let lines = found["actions"].as_array().unwrap();
    let count = |line: &serde_json::Value| {
        line["positive"].as_u64().unwrap() + line["negative"].as_u64().unwrap()
    };
    let strict = count(lines.last().unwrap()) as f64;
    let all: u64 = lines.iter().map(count).sum();
    assert!(strict > 0.0 && strict / all as f64 <= 0.08, "{found}");
    let refused = acumen(
        root,
        &["thresholds", "churn", "--target", "precision=0.99999"],
    );
    assert!(
        refused.code == 1 && refused.err.contains("cannot be reached"),
        "{}",
        refused.err
    );
    let misspelt = acumen(root, &["thresholds", "churn", "--target", "recall=0.9"]);
    assert!(
        misspelt.code == 2 && misspelt.err.contains("block_rate=0.01"),
        "{}",
        misspelt.err
    );
}

#[test]
fn a_mapping_with_a_mistake_names_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    well(root, &["new", "orders"]);
    let mapping = root.join("mapping.yaml");
    std::fs::write(
        &mapping,
        "events:\n  order:\n    id: \"{n}\"\n    tiem: at\n",
    )
    .unwrap();
    let ran = acumen(
        root,
        &["ingest", "--mapping", mapping.to_str().unwrap(), "x.csv"],
    );
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains("mapping.yaml:4:") && ran.err.contains("tiem"),
        "{}",
        ran.err
    );
}
