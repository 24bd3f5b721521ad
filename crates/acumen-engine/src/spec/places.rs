//! Where every key of a spec stands, so that a problem found later can be given its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::Place;

use super::tree::{Kind, Node};

/// The places of a spec's values by their path of keys, such as `rules.stolen_card.when`.
///
/// An item of a list has its index in the path: `layers.models.run.0`.
#[derive(Clone, Debug, Default)]
pub struct Places {
    spots: BTreeMap<String, Spot>,
}

#[derive(Clone, Debug)]
struct Spot {
    place: Place,
    key: Place,
    /// A scalar as it stands in the file and as it reads, to find a byte of it again.
    scalar: Option<(Arc<str>, Arc<str>)>,
}

impl Places {
    /// Remembers where a tree's nodes stand, each under `prefix` and its own path.
    pub(super) fn add(&mut self, file: &str, source: &str, prefix: &str, node: &Node) {
        let place = node.place(file);
        self.add_at(file, source, prefix.to_owned(), node, place);
    }

    fn add_at(&mut self, file: &str, source: &str, path: String, node: &Node, key: Place) {
        let scalar = match &node.kind {
            Kind::Scalar { text, .. } => {
                let written = source.get(node.bytes.clone()).unwrap_or_default();
                Some((written.into(), text.as_str().into()))
            }
            _ => None,
        };
        let join = |name: &str| match path.as_str() {
            "" => name.to_owned(),
            _ => format!("{path}.{name}"),
        };
        match &node.kind {
            Kind::Map(entries) => {
                for (key, value) in entries {
                    self.add_at(file, source, join(&key.text), value, key.place(file));
                }
            }
            Kind::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add_at(
                        file,
                        source,
                        join(&index.to_string()),
                        item,
                        item.place(file),
                    );
                }
            }
            Kind::Scalar { .. } | Kind::Null => {}
        }
        let spot = Spot {
            place: node.place(file),
            key,
            scalar,
        };
        self.spots.entry(path).or_insert(spot);
    }

    /// Adds the places of another file.
    pub(super) fn extend(&mut self, other: &Places) {
        for (path, spot) in &other.spots {
            self.spots
                .entry(path.clone())
                .or_insert_with(|| spot.clone());
        }
    }

    /// Where the value at a path stands, or the nearest thing around it that is in a file.
    pub fn place(&self, path: &str) -> Place {
        self.spot(path)
            .map_or_else(Place::default, |spot| spot.place.clone())
    }

    /// Whether something stands at just this path.
    pub(super) fn has(&self, path: &str) -> bool {
        self.spots.contains_key(path)
    }

    /// Where, at a path, what a message speaks of stands: an item of a list, the key, or else the
    /// value, or the nearest thing around it.
    pub(super) fn mentioned(&self, path: &str, message: &str) -> Place {
        let quoted = |text: &str| message.contains(&format!("`{text}`"));
        let prefix = format!("{path}.");
        let items = self.spots.range(prefix.clone()..);
        let mut items = items.take_while(|(at, _)| at.starts_with(&prefix));
        let mentioned = |spot: &Spot| spot.scalar.as_ref().is_some_and(|(_, text)| quoted(text));
        if let Some((_, item)) = items.find(|(_, spot)| mentioned(spot)) {
            return item.place.clone();
        }
        let name = path.rsplit_once('.').map_or(path, |(_, name)| name);
        match self.spots.get(path) {
            Some(spot) if !mentioned(spot) && quoted(name) => spot.key.clone(),
            Some(spot) if spot.scalar.is_some() => self.within(path, 0),
            _ => self.place(path),
        }
    }

    /// Where the key of the value at a path stands.
    pub fn key(&self, path: &str) -> Place {
        self.spot(path)
            .map_or_else(Place::default, |spot| spot.key.clone())
    }

    /// Where a byte of the text at a path stands: for a problem inside an expression.
    pub fn within(&self, path: &str, offset: usize) -> Place {
        let Some(spot) = self.spots.get(path) else {
            return self.place(path);
        };
        let Some((written, text)) = &spot.scalar else {
            return spot.place.clone();
        };
        let before = text.get(..offset.min(text.len())).unwrap_or(text);
        let skipped = written_length(written, before);
        let mut place = spot.place.clone();
        for c in written[..skipped].chars() {
            if c == '\n' {
                place.line += 1;
                place.column = 1;
            } else {
                place.column += 1;
            }
        }
        place
    }

    fn spot(&self, path: &str) -> Option<&Spot> {
        let mut path = path;
        loop {
            if let Some(spot) = self.spots.get(path) {
                return Some(spot);
            }
            if path.is_empty() {
                return None;
            }
            path = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        }
    }
}

/// How many bytes of a scalar as it is written lie before what follows `before` as it reads.
///
/// What a scalar reads as is what is written, in order, less quotes, escapes and folds: so its
/// characters are found again one after the other.
fn written_length(written: &str, before: &str) -> usize {
    let mut at = usize::from(written.starts_with(['"', '\'']));
    if written.starts_with(['|', '>']) {
        let header = written.find('\n').map_or(written.len(), |line| line + 1);
        at = header + blank(&written[header..]);
    }
    for wanted in before.chars() {
        let rest = &written[at..];
        at += match wanted.is_whitespace() {
            true if rest.starts_with(['\n', '\r']) => blank(rest),
            true => rest.chars().next().map_or(0, char::len_utf8),
            false => rest.find(wanted).map_or(0, |skip| skip + wanted.len_utf8()),
        };
    }
    at
}

fn blank(text: &str) -> usize {
    text.len() - text.trim_start().len()
}
