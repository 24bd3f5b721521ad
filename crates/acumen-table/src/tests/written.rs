use acumen_base::row::{Column, ColumnKind, Columns};
use acumen_base::{Decision, Time};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMillisecondType, UInt64Type};
use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::Folder;
use crate::{RowWriter, TableError, write_decisions};

pub(super) fn columns(names: &[&str]) -> Columns {
    let column = |name: &&str| Column {
        name: (*name).to_owned(),
        kind: ColumnKind::Number,
        unit: String::new(),
        help: String::new(),
    };
    Columns::new(names.iter().map(column).collect(), "")
}

fn read(path: &std::path::Path) -> (Vec<RecordBatch>, Option<String>) {
    let file = std::fs::File::open(path).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let notes = builder
        .metadata()
        .file_metadata()
        .key_value_metadata()
        .cloned();
    let fingerprint = notes
        .into_iter()
        .flatten()
        .find(|n| n.key == "acumen.columns");
    let batches = builder.build().unwrap().map(Result::unwrap).collect();
    (batches, fingerprint.and_then(|note| note.value))
}

#[test]
fn rows_are_read_as_they_were_written() {
    let folder = Folder::new();
    let path = folder.path("rows.parquet");
    let columns = columns(&["amount", "velocity.count_1h"]);
    let mut writer = RowWriter::create(&path, &columns).unwrap();
    assert!(!path.exists(), "it appears when it is finished");
    let block = [1.5, f64::NAN, 3.0, 4.0];
    writer
        .write(&["a", "b"], &[Time(5), Time(6)], &block)
        .unwrap();
    writer.write(&["c"], &[Time(7)], &[9.0, f64::NAN]).unwrap();
    writer.finish().unwrap();

    let (batches, fingerprint) = read(&path);
    assert_eq!(fingerprint, Some(format!("{:016x}", columns.fingerprint)));
    let [batch] = batches.as_slice() else {
        panic!("{batches:?}");
    };
    let ids: Vec<_> = batch["event_id"]
        .as_string::<i32>()
        .iter()
        .flatten()
        .collect();
    assert_eq!(ids, ["a", "b", "c"]);
    let times = batch["event_time"].as_primitive::<TimestampMillisecondType>();
    assert_eq!(times.values().to_vec(), [5, 6, 7]);
    let amounts: Vec<_> = batch["amount"]
        .as_primitive::<Float64Type>()
        .iter()
        .collect();
    assert_eq!(amounts, [Some(1.5), None, Some(9.0)]);
    let counts = batch["velocity.count_1h"].as_primitive::<Float64Type>();
    assert_eq!(
        counts.iter().collect::<Vec<_>>(),
        [Some(3.0), Some(4.0), None]
    );
}

#[test]
fn a_file_that_is_not_finished_leaves_nothing_behind() {
    let folder = Folder::new();
    let path = folder.write("rows.parquet", "the file of before");
    let mut writer = RowWriter::create(&path, &columns(&["x"])).unwrap();
    let error = writer.write(&["a"], &[Time(1)], &[1.0, 2.0]).unwrap_err();
    assert!(matches!(error, TableError::Shape { .. }), "{error}");
    drop(writer);
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "the file of before"
    );
    assert_eq!(
        std::fs::read_dir(path.parent().unwrap()).unwrap().count(),
        1
    );
    let nowhere = folder.path("no/such/folder/rows.parquet");
    let error = RowWriter::create(&nowhere, &columns(&["x"])).err().unwrap();
    assert!(error.to_string().contains("cannot write"), "{error}");
}

fn decision(n: u64) -> Decision {
    let reason = |code: &str, text: &str| acumen_base::decision::Reason {
        code: code.to_owned(),
        text: text.to_owned(),
        weight: 1.0,
    };
    Decision {
        id: format!("orders/{n}"),
        use_case: "orders".into(),
        event_id: n.to_string(),
        event_time: Time(1_000),
        position: n,
        decided_at: Time(2_000),
        row: vec![1.0],
        columns: 0,
        layers: Vec::new(),
        ensemble: None,
        rules: Vec::new(),
        probability: (n > 0).then_some(0.25),
        score: None,
        action: "approve".into(),
        action_without_exploration: "verify".into(),
        propensity: 0.5,
        reasons: vec![reason("a", "First"), reason("b", "Second")],
        amount: (n > 0).then(|| "12.34 GBP".parse().unwrap()),
        control: 0,
        build: "b".into(),
        took_us: 40 + n,
    }
}

#[test]
fn decisions_are_read_as_they_were_written() {
    let folder = Folder::new();
    let path = folder.path("decisions.parquet");
    let decisions: Vec<Decision> = (0..10_000).map(decision).collect();
    write_decisions(&path, &decisions).unwrap();
    let (batches, _) = read(&path);
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows, 10_000);
    let batch = &batches[0];
    assert_eq!(batch["id"].as_string::<i32>().value(1), "orders/1");
    assert_eq!(
        batch["reasons"].as_string::<i32>().value(1),
        "First; Second"
    );
    assert_eq!(batch["currency"].as_string::<i32>().value(1), "GBP");
    assert!(batch["currency"].is_null(0) && batch["probability"].is_null(0));
    assert_eq!(
        batch["probability"].as_primitive::<Float64Type>().value(1),
        0.25
    );
    assert_eq!(
        batch["amount_minor"].as_primitive::<Int64Type>().value(1),
        1_234
    );
    assert_eq!(batch["took_us"].as_primitive::<UInt64Type>().value(1), 41);
    assert!(batch["score"].is_null(1));
}
