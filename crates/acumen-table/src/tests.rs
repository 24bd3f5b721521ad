//! Files in, events out; rows and decisions out, and read again.

mod objects;
mod order;
mod postgres;
mod postgres_server;
mod real;
mod refused;
mod returns;
mod sources;
mod sqlite;
mod stream;
mod taken;
mod written;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::{Diagnostic, EventType, Field, FieldType, Span, Time};
use arrow_array::{ArrayRef, RecordBatch};
use parquet::arrow::ArrowWriter;
use tempfile::TempDir;

use crate::{Batch, EventSource, Mapping, TableError};

const RECEIVED_AT: Time = Time(1_700_000_000_000);

fn field(name: &str, kind: FieldType, optional: bool) -> Field {
    Field {
        name: name.to_owned(),
        kind,
        optional,
        personal: false,
        signed: false,
    }
}

/// Orders with a field of every type, and refunds of them.
fn types() -> Vec<Arc<EventType>> {
    let order = EventType {
        name: "order".into(),
        id_field: "order_id".into(),
        time_field: "ordered_at".into(),
        lateness: Span::days(1),
        fields: vec![
            field("customer_id", FieldType::Id, false),
            field("amount", FieldType::Money, false),
            field("items", FieldType::Int, true),
            field("weight", FieldType::Number, true),
            field("gift", FieldType::Bool, true),
            field("promised_at", FieldType::Time, true),
            field("place", FieldType::Geo, true),
            field("device.os", FieldType::Category, true),
        ],
    };
    let refund = EventType {
        name: "refund".into(),
        id_field: "refund_id".into(),
        time_field: "booked_at".into(),
        lateness: Span::days(30),
        fields: vec![field("order_id", FieldType::Id, false)],
    };
    vec![Arc::new(order), Arc::new(refund)]
}

fn mapping(text: &str) -> Mapping {
    serde_json::from_str(text).unwrap()
}

/// The smallest mapping of orders.
fn plain_mapping() -> Mapping {
    mapping(
        r#"{"events": {"order": {"id": "n", "time": {"column": "at", "timezone": "UTC"},
        "fields": {"customer_id": "c", "amount": {"column": "price", "currency": "GBP"}}}}}"#,
    )
}

struct Folder(TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn parquet(&self, name: &str, columns: Vec<(&str, ArrayRef)>) -> PathBuf {
        let path = self.path(name);
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = std::fs::File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        path
    }
}

fn open(path: &Path, mapping: &Mapping) -> Result<EventSource, Vec<Diagnostic>> {
    EventSource::open(path, mapping, &types(), RECEIVED_AT)
}

/// All batches of a file in one.
fn read_all(path: &Path, mapping: &Mapping) -> Result<Batch, TableError> {
    let mut source = open(path, mapping).unwrap_or_else(|problems| panic!("{problems:?}"));
    let mut all = Batch::default();
    while let Some(batch) = source.next_batch()? {
        assert!(batch.done > all.done, "every batch makes progress");
        all.take(batch);
    }
    Ok(all)
}
