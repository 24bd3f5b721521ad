//! What the names of columns say of their place: the steps of a sequence, the neighbours of a key.
//!
//! The operator `sequence` lays events side by side as `FEATURE.FIELD_1` (the newest) to
//! `FEATURE.FIELD_k`, and `neighbours` lays counterparties side by side as
//! `FEATURE.hopH_1.SOURCE` (the latest) to `FEATURE.hopH_k.SOURCE`. Networks read such columns as
//! one field over many places.

use std::collections::BTreeMap;

use acumen_base::{ColumnKind, Columns};

/// One field over many places: `places[i]` is its column at the place `i`, the newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// What the columns' names have in common: `recent.amount`.
    pub name: String,
    /// What all of them are.
    pub kind: ColumnKind,
    /// The columns.
    pub places: Vec<usize>,
}

/// The neighbours that one feature reaches in one hop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// Feature and hop: `around.hop1`.
    pub name: String,
    /// What is known of each neighbour.
    pub fields: Vec<Field>,
}

/// The fields of sequences among some columns, in the order of their first columns.
///
/// A field has at least two steps: a lone `_1` may be any name.
pub fn sequence_fields(columns: &Columns) -> Vec<Field> {
    let mut found = gather(columns, |name| {
        let (field, step) = name.rsplit_once('_')?;
        let is_field = field.contains('.') && split_hop(name).is_none();
        is_field.then_some((field.to_owned(), number(step)?))
    });
    found.retain(|field| field.places.len() > 1);
    found
}

/// The neighbours among some columns, in the order of their first columns.
pub fn relations(columns: &Columns) -> Vec<Relation> {
    let fields = gather(columns, |name| {
        let (feature, hop, place, source) = split_hop(name)?;
        Some((format!("{feature}.hop{hop}.{source}"), place))
    });
    let mut relations: Vec<Relation> = Vec::new();
    for mut field in fields {
        let first = &columns.list[field.places[0]].name;
        let Some((feature, hop, _, source)) = split_hop(first) else {
            continue;
        };
        let name = format!("{feature}.hop{hop}");
        field.name = source.to_owned();
        match relations.iter_mut().find(|known| known.name == name) {
            Some(relation) => relation.fields.push(field),
            None => relations.push(Relation {
                name,
                fields: vec![field],
            }),
        }
    }
    relations
}

/// `FEATURE.hopH_N.SOURCE` in its parts.
fn split_hop(name: &str) -> Option<(&str, usize, usize, &str)> {
    let (feature, rest) = name.split_once(".hop")?;
    let (place, source) = rest.split_once('.')?;
    let (hop, place) = place.split_once('_')?;
    Some((feature, number(hop)?, number(place)?, source))
}

/// A number as an operator writes it: from 1, without leading zeros.
fn number(text: &str) -> Option<usize> {
    let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// Columns by field and place; a field is what has the places 1, 2, … without a gap and is of one
/// kind.
fn gather(columns: &Columns, split: impl Fn(&str) -> Option<(String, usize)>) -> Vec<Field> {
    let mut found: Vec<(String, ColumnKind, BTreeMap<usize, usize>)> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (index, column) in columns.list.iter().enumerate() {
        let Some((name, place)) = split(&column.name) else {
            continue;
        };
        let at = *known.entry(name.clone()).or_insert_with(|| {
            found.push((name, column.kind, BTreeMap::new()));
            found.len() - 1
        });
        if found[at].1 == column.kind {
            found[at].2.insert(place, index);
        }
    }
    let field = |(name, kind, places): (String, ColumnKind, BTreeMap<usize, usize>)| Field {
        name,
        kind,
        places: places
            .into_iter()
            .zip(1..)
            .take_while(|((place, _), wanted)| place == wanted)
            .map(|((_, column), _)| column)
            .collect(),
    };
    let mut fields: Vec<Field> = found.into_iter().map(field).collect();
    fields.retain(|field| !field.places.is_empty());
    fields
}

#[cfg(test)]
mod tests {
    use acumen_base::Column;

    use super::*;

    fn columns(names: &[&str]) -> Columns {
        let column = |name: &&str| Column {
            name: (*name).to_owned(),
            kind: match name.contains("channel") {
                true => ColumnKind::Category,
                false => ColumnKind::Number,
            },
            unit: String::new(),
            help: String::new(),
        };
        Columns::new(names.iter().map(column).collect(), "")
    }

    #[test]
    fn steps_are_found_by_their_names() {
        let found = sequence_fields(&columns(&[
            "recent.amount_1",
            "recent.channel_1",
            "velocity.count_1h",
            "recent.amount_2",
            "recent.channel_2",
            "recent.amount_4",
            "lone.amount_1",
            "plain_1",
            "plain_2",
            "around.hop1_1.recent.amount_1",
            "around.hop1_1.recent.amount_2",
        ]));
        let names: Vec<&str> = found.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["recent.amount", "recent.channel"]);
        assert_eq!(found[0].places, [0, 3]);
        assert_eq!(found[1].kind, ColumnKind::Category);
    }

    #[test]
    fn neighbours_are_found_by_their_names() {
        let found = relations(&columns(&[
            "around.device_count",
            "around.hop1_1.customers.distinct_5s",
            "around.hop1_2.customers.distinct_5s",
            "around.hop2_1.pause.seconds",
            "around.hop1_1.risk.share",
            "around.hop1_2.risk.share",
            "around.hopper.pause",
        ]));
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].name, "around.hop1");
        assert_eq!(found[0].fields[0].name, "customers.distinct_5s");
        assert_eq!(found[0].fields[0].places, [1, 2]);
        assert_eq!(found[0].fields[1].places, [4, 5]);
        assert_eq!(found[1].name, "around.hop2");
        assert_eq!(found[1].fields[0].places, [3]);
    }
}
