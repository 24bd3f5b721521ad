//! What the tests of declared sources share.

use std::path::Path;

use acumen_base::{Diagnostic, Place, SourceMark};

use super::{RECEIVED_AT, types};
use crate::{Batch, Environment, Mapping, Opening, SourceDecl, SourceReader};

/// A source of orders: ids `o-1`, …
pub(super) fn orders(read: &str, table: Option<&str>, watermark: Option<&str>) -> SourceDecl {
    let mapping: Mapping = super::mapping(
        r#"{"events": {"order": {"id": "o-{n}", "time": {"column": "at", "timezone": "UTC"},
            "fields": {"customer_id": "c", "amount": {"column": "price", "currency": "GBP"}}}}}"#,
    );
    SourceDecl {
        name: "shop".into(),
        place: Place {
            file: "catalogue/sources/shop.yaml".into(),
            line: 1,
            column: 1,
        },
        read: read.into(),
        table: table.map(str::to_owned),
        watermark: watermark.map(str::to_owned),
        format: None,
        events: mapping.events,
    }
}

pub(super) fn open(
    source: &SourceDecl,
    environment: &Environment,
    root: &Path,
    since: Option<&SourceMark>,
) -> Result<SourceReader, Vec<Diagnostic>> {
    SourceReader::open(
        source,
        &Opening {
            root,
            environment,
            since,
            types: &types(),
            received_at: RECEIVED_AT,
            accept_changes: false,
        },
    )
}

/// All that is new, and how far the source has been read then.
pub(super) fn all(mut reader: SourceReader) -> (Batch, SourceMark) {
    let mut all = Batch::default();
    while let Some(batch) = reader.next_batch().unwrap() {
        all.take(batch);
    }
    (all, reader.mark().clone())
}

pub(super) fn ids(batch: &Batch) -> Vec<&str> {
    batch.events.iter().map(|event| &*event.id).collect()
}
