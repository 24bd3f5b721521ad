//! Declared sources, from a folder to the log.

use std::path::Path;

use crate::program::{Server, acumen, data, well};

/// A project with a source of bills, a file a day, that lies in a folder.
fn project(root: &Path) {
    well(root, &["new", "churn"]);
    let folder = root.join("usecases/churn");
    std::fs::remove_dir_all(folder.join("tests")).unwrap();
    std::fs::copy(data("churn/usecase.yaml"), folder.join("usecase.yaml")).unwrap();
    let mapping = std::fs::read_to_string(data("churn/mapping.yaml")).unwrap();
    let mapping = mapping.replace(
        "    id: \"b{number}\"",
        "    id: \"b{number}\"\n    guest_without: customer",
    );
    source(root, "bills", &format!("read: bills\n{mapping}"));
    std::fs::create_dir(root.join("bills")).unwrap();
}

fn source(root: &Path, name: &str, text: &str) {
    let folder = root.join("catalogue/sources");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("{name}.yaml")), text).unwrap();
}

fn bills(root: &Path, day: &str, rows: &[&str]) {
    let text = format!(
        "number,customer,billed,total,calls,plan,left\n{}\n",
        rows.join("\n")
    );
    std::fs::write(root.join(format!("bills/{day}.csv")), text).unwrap();
}

#[test]
fn a_source_is_shown_then_taken_then_only_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    project(root);
    bills(
        root,
        "monday",
        &[
            "1,7,2026-01-05 09:00:00,10.50,3,basic,0",
            "2,,2026-01-05 09:01:00,9.00,1,basic,0",
            "3,8,2026-01-05 09:02:00,oops,1,basic,1",
            "4,8,2026-01-05 09:03:00,8.00,x,basic,0",
        ],
    );
    well(root, &["check"]);
    let shown = well(root, &["ingest", "--dry-run"]);
    for expected in [
        "bill_id",
        "b1",
        "2026-01-05T09:00:00Z",
        "10.50 GBP",
        "line 4: bill: `amount`: `oops`",
        "line 5: bill: `calls`",
        "2 events would be taken, 2 records refused, 1 of guests",
        "nothing was written",
    ] {
        assert!(shown.contains(expected), "{expected}:\n{shown}");
    }
    assert!(!root.join(".acumen").exists());

    let taken = well(root, &["ingest"]);
    assert!(taken.contains("2 events taken"), "{taken}");
    assert!(taken.contains("1 records of guests"), "{taken}");
    assert!(taken.contains("2 records refused"), "{taken}");
    assert!(well(root, &["ingest", "bills"]).starts_with("0 events taken"));
    bills(root, "tuesday", &["5,7,2026-01-06 09:00:00,1.00,1,plus,0"]);
    let shown = well(root, &["ingest", "--dry-run"]);
    assert!(
        shown.contains("1 events would be taken, 0 records"),
        "{shown}"
    );
    assert!(well(root, &["ingest"]).starts_with("1 events taken"));
}

#[test]
fn a_running_server_takes_what_is_new_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    project(root);
    let server = Server::start(root);
    let asked = |path: &str| -> serde_json::Value {
        let (status, body) = server.ask("GET", path, "");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    };
    let monday = [
        "1,7,2026-01-05 09:00:00,10.50,3,basic,0",
        "2,8,2026-01-05 09:02:00,oops,1,basic,0",
    ];
    bills(root, "monday", &monday);
    let taken = well(root, &["ingest"]);
    let into = format!(
        "1 events taken into the server at http://{}",
        server.address
    );
    assert!(taken.starts_with(&into), "{taken}");
    assert!(taken.contains("1 records refused"), "{taken}");
    assert!(taken.contains("later than their type's"), "{taken}");
    let refused = asked("/v1/quarantine");
    assert_eq!(refused.as_array().unwrap().len(), 1, "{refused}");
    assert!(
        refused[0]["source"]
            .as_str()
            .unwrap()
            .contains("monday.csv")
    );
    assert_eq!(asked("/v1/sources")[0]["source"], "bills");
    assert!(well(root, &["ingest"]).starts_with("0 events taken"));

    // What was taken once counts once, by whichever way it comes.
    let url = format!("http://{}", server.address);
    let map = root.join("map.yaml");
    std::fs::copy(data("churn/mapping.yaml"), &map).unwrap();
    let monday = root.join("bills/monday.csv");
    let again = ["--mapping", map.to_str().unwrap(), monday.to_str().unwrap()];
    let again = [&["ingest", "--server", &url, "--json"], &again[..]].concat();
    let again: serde_json::Value = serde_json::from_str(&well(root, &again)).unwrap();
    assert_eq!(
        (&again["logged"], &again["repeated"]),
        (&0.into(), &1.into())
    );

    bills(root, "tuesday", &["5,7,2026-01-06 09:00:00,1.00,1,plus,0"]);
    assert!(well(root, &["ingest"]).starts_with("1 events taken"));
    let address = server.address.clone();
    assert_eq!(server.terminate().0, Some(0));
    let alone = well(root, &["ingest"]);
    assert!(alone.starts_with("0 events taken into"), "{alone}");
    assert!(!alone.contains(&address), "{alone}");
    let gone = acumen(root, &["ingest", "--server", &url]);
    assert!(
        gone.err.contains("no answer from the server"),
        "{}",
        gone.err
    );
}

#[test]
fn mistakes_in_sources_are_named_where_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    project(root);
    source(
        root,
        "secret",
        "read: postgres://reader:s3cret@db/shop\ntable: bills\nevents: {}\n",
    );
    source(
        root,
        "wrong",
        "read: bills\nwatermrk: changed\nevents:\n  bil:\n    id: n\n    time: at\n    when: {column: n}\n    fields: {}\n",
    );
    let checked = acumen(root, &["check"]);
    assert_eq!(checked.code, 1);
    let said = format!("{}{}", checked.out, checked.err);
    for expected in ["wrong.yaml:2:1", "watermrk", "needs one of `equals`"] {
        assert!(said.contains(expected), "{expected}:\n{said}");
    }
    std::fs::remove_file(root.join("catalogue/sources/wrong.yaml")).unwrap();
    let checked = acumen(root, &["check"]);
    let said = format!("{}{}", checked.out, checked.err);
    assert!(said.contains("secret.yaml:1:1"), "{said}");
    assert!(said.contains("a password stands in the file"), "{said}");
    assert!(!said.contains("s3cret"), "{said}");
    std::fs::remove_file(root.join("catalogue/sources/secret.yaml")).unwrap();

    let unknown = acumen(root, &["ingest", "bils"]);
    assert!(unknown.err.contains("`bills`"), "{}", unknown.err);
    let file = root.join("bills/monday.csv");
    bills(root, "monday", &["1,7,2026-01-05 09:00:00,10.50,3,basic,0"]);
    let unmapped = acumen(root, &["ingest", file.to_str().unwrap()]);
    assert!(
        unmapped.err.contains("add `--mapping FILE`"),
        "{}",
        unmapped.err
    );

    // What fails is said, and ends the command with 1; what does not is taken.
    let gone = "read: s3://${BUCKET}/bills\nformat: csv\nevents:\n  cancellation: {id: n, time: at, fields: {bill_id: n}}\n";
    source(root, "gone", gone);
    let partly = acumen(root, &["ingest"]);
    assert_eq!(partly.code, 1);
    assert!(partly.out.contains("1 events taken"), "{}", partly.out);
    assert!(
        partly
            .err
            .contains("`BUCKET` of the environment is not set"),
        "{}",
        partly.err
    );
}

#[test]
fn sources_and_mappings_have_a_schema() {
    let folder = tempfile::tempdir().unwrap();
    for (of, key) in [
        ("source", "watermark"),
        ("mapping", "source"),
        ("usecase", "question"),
    ] {
        let schema = well(folder.path(), &["schema", of]);
        let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
        assert!(schema["properties"][key].is_object(), "{of}");
    }
}
