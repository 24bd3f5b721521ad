//! A file of `catalogue/sources`: where events are read from, and how they are made of records.

use acumen_table::{EventMapping, Format, SourceDecl};

use super::tree::{Key, Node};
use super::walk::Walk;

/// Reads one; the rest of it is checked by [`SourceDecl::check`] when the types are known.
pub(super) fn source(walk: &mut Walk, name: &str, node: &Node) -> Option<SourceDecl> {
    let mut group = walk.group(node, format!("source `{name}`"))?;
    let read = group.require("read");
    let events = group.require("events");
    let (table, watermark) = (group.get("table"), group.get("watermark"));
    let format = group.get("format");
    group.finish(walk);
    let formats = [
        ("parquet", Format::Parquet),
        ("csv", Format::Csv),
        ("ndjson", Format::Ndjson),
    ];
    Some(SourceDecl {
        name: name.to_owned(),
        place: node.place(&walk.file),
        table: table.and_then(|node| walk.text(node)),
        watermark: watermark.and_then(|node| walk.text(node)),
        format: format.and_then(|node| walk.word(node, "format", &formats)),
        events: walk.each(events?, event),
        read: walk.text(read?)?,
    })
}

fn event(walk: &mut Walk, key: &Key, node: &Node) -> Option<EventMapping> {
    let read: Result<EventMapping, _> = serde_json::from_value(walk.json(node));
    match read {
        Ok(mapping) => Some(EventMapping {
            event: key.text.clone(),
            ..mapping
        }),
        Err(error) => {
            let help = "docs/sources.md shows what a mapping looks like";
            walk.problem(
                node,
                "bad_mapping",
                format!("`{}`: {error}", key.text),
                help,
            );
            None
        }
    }
}
