//! How far a declared source has been read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How far a source has been read: it stands in the log behind the events that were read, so that
/// both are there or neither is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceMark {
    /// The source's name.
    pub source: String,
    /// The newest value of a table's watermark column, as text.
    pub watermark: Option<String>,
    /// Hashes of the rows that hold just this value and have been read: more may come with it.
    pub ties: Vec<u64>,
    /// Objects that have been read, each with its version (entity tag, or time and size).
    pub objects: BTreeMap<String, String>,
    /// The columns that were read, each with its type as the source names it.
    pub columns: BTreeMap<String, String>,
}

impl SourceMark {
    /// Takes over what a later reading came to: objects add up, the rest is the newer one's.
    pub fn advance(&mut self, newer: SourceMark) {
        let mut objects = std::mem::take(&mut self.objects);
        objects.extend(newer.objects.clone());
        *self = SourceMark { objects, ..newer };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_add_up_and_the_rest_is_the_newest() {
        let mark = |watermark: &str, object: &str, version: &str| SourceMark {
            source: "shop".into(),
            watermark: Some(watermark.into()),
            objects: [(object.to_owned(), version.to_owned())].into(),
            ..SourceMark::default()
        };
        let mut all = mark("1", "a", "v1");
        all.advance(mark("2", "b", "v1"));
        all.advance(mark("3", "a", "v2"));
        let expected = [("a", "v2"), ("b", "v1")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(all.objects, expected.into());
        assert_eq!(all.watermark.as_deref(), Some("3"));
    }
}
