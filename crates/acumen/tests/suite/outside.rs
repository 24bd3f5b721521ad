//! What other programs make of our files and streams, as they run: DuckDB, pandas, Spark.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::{ACUMEN, Server, data, repository, well};

/// The Python that `cargo xtask test` sets up; `None`, and a word of why, where there is none.
fn python() -> Option<String> {
    let python = repository().join(".venv-outside/bin/python");
    let there = python.is_file();
    let python = python.to_string_lossy().into_owned();
    if !there {
        eprintln!("skipped: {python} is not here; `cargo xtask test` sets it up");
    }
    there.then_some(python)
}

/// Runs a Python program to its end, which has to go well; gives the last line that it printed.
fn run(python: &str, arguments: &[&str]) -> String {
    let output = Command::new(python).args(arguments).output().unwrap();
    let (out, err) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{arguments:?}\n{out}\n{err}");
    out.lines().last().unwrap_or_default().to_owned()
}

fn script() -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/outside.py");
    script.to_string_lossy().into_owned()
}

#[test]
fn duckdb_and_pandas_read_what_we_write() {
    let Some(python) = python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    crate::journey::project(root);
    well(root, &["train", "churn"]);
    let server = Server::start(root);
    for (id, amount) in [("a", "65.50"), ("b", "12.25")] {
        let bill = format!(
            r#"{{"bill_id": "{id}", "billed_at": "2026-02-01T09:00:00.125Z", "customer_id": "c7",
                "amount": {{"amount": "{amount}", "currency": "GBP"}}, "calls": 9, "plan": "plus"}}"#
        );
        let (status, body) = server.ask("POST", "/v1/usecases/churn/decide", &bill);
        assert_eq!(status, 200, "{body}");
    }
    server.terminate();
    let [rows, decisions] = ["rows.parquet", "decisions.parquet"].map(|name| {
        let path = root.join(name);
        path.to_string_lossy().into_owned()
    });
    well(root, &["rows", "churn", "--out", &rows]);
    well(root, &["decisions", "--out", &decisions]);
    let read: Value =
        serde_json::from_str(&run(&python, &[&script(), "read", &rows, &decisions])).unwrap();
    assert_eq!(read["rows"], 2_882, "{read}");
    assert_eq!(read["times"], "datetime64[ms, UTC]");
    assert_eq!(read["features"], "float64");
    assert_eq!(read["minor"], 6_550 + 1_225);
    assert_eq!(read["currency"], serde_json::json!(["GBP"]));
    assert_eq!(read["first"], "2026-02-01T09:00:00.125000+00:00");
    assert!(read["positive"].as_u64() > Some(50), "{read}");
}

/// A project with bills in a file, and their rows by the log of one process.
fn bills(python: &str, root: &Path, count: &str) -> [String; 2] {
    let folder = root.join("usecases/bills");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::copy(data("bills/usecase.yaml"), folder.join("usecase.yaml")).unwrap();
    let [records, rows] = ["records.parquet", "rows.parquet"].map(|name| {
        let path = root.join(name);
        path.to_string_lossy().into_owned()
    });
    run(python, &[&script(), "make", &records, count]);
    let mapping = data("bills/mapping.yaml");
    let taken = well(
        root,
        &["ingest", "--mapping", mapping.to_str().unwrap(), &records],
    );
    assert!(taken.contains("were there already"), "{taken}");
    well(root, &["rows", "bills", "--out", &rows]);
    [records, rows]
}

fn same(python: &str, ours: &str, theirs: &str) {
    let found = run(python, &[&script(), "compare", ours, theirs]);
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["differ"], 0, "{found}");
    assert!(found["rows"].as_u64() > Some(1_000), "{found}");
    assert_eq!(found["columns"], 49, "{found}");
    assert!(found["known"].as_u64() > Some(50_000), "{found}");
}

#[test]
fn a_stream_gives_the_rows_of_the_log() {
    let Some(python) = python() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let [records, rows] = bills(&python, root, "3000");
    let streamed = root.join("streamed.parquet");
    let (streamed, mapping) = (streamed.to_str().unwrap(), data("bills/mapping.yaml"));
    let command = [ACUMEN, "rows", "bills", "--root", root.to_str().unwrap()];
    let stream = ["--arrow-stream", "--mapping", mapping.to_str().unwrap()];
    let script = script();
    let ours = [
        &[script.as_str(), "stream", &records, streamed],
        &command[..],
        &stream,
    ]
    .concat();
    run(&python, &ours);
    same(&python, &rows, streamed);
}

#[test]
fn spark_gives_the_rows_of_one_process_bit_for_bit() {
    let Some(python) = python() else {
        return;
    };
    let java = Command::new("java")
        .arg("-version")
        .stderr(Stdio::null())
        .status();
    if !java.is_ok_and(|status| status.success()) {
        eprintln!("skipped: Spark needs a Java, and none is here");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let [records, rows] = bills(&python, root, "20000");
    let driver = repository().join("examples/spark/rows.py");
    let spark = root.join("spark.parquet");
    let (spark, mapping) = (spark.to_str().unwrap(), data("bills/mapping.yaml"));
    let said = run(
        &python,
        &[
            driver.to_str().unwrap(),
            "--acumen",
            ACUMEN,
            "--root",
            root.to_str().unwrap(),
            "--usecase",
            "bills",
            "--mapping",
            mapping.to_str().unwrap(),
            "--records",
            &records,
            "--order",
            "order",
            "--out",
            spark,
            "--master",
            "local-cluster[2,1,1024]",
            "--partitions",
            "2",
        ],
    );
    assert!(said.ends_with("in 4 passes"), "{said}");
    same(&python, &rows, spark);
}
