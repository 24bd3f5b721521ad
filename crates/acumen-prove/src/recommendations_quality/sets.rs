//! The public sets as interactions, with what their items are like.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use acumen_base::Time;
use acumen_model::recommend::{Attributes, InteractionColumns, Interactions};
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};

use crate::report::Failure;

/// Users of fewer events have nothing to hold out.
const EVENTS_LEAST: usize = 3;

/// A set, as it lies in files.
pub(super) struct Declared {
    pub(super) name: &'static str,
    sequences: &'static str,
    attributes: Option<&'static str>,
    /// Of how many items EASE is still worth its time.
    pub(super) dense: bool,
    /// Whether the published protocol has 100 negatives.
    pub(super) negatives: bool,
}

/// All sets.
pub(super) const SETS: [Declared; 3] = [
    Declared {
        name: "ml1m",
        sequences: "ml1m_sequences.parquet",
        attributes: Some("ml1m_items.parquet"),
        dense: true,
        negatives: false,
    },
    Declared {
        name: "beauty",
        sequences: "amazon_beauty_s3rec.parquet",
        attributes: Some("amazon_beauty_s3rec_attrs.parquet"),
        dense: false,
        negatives: false,
    },
    Declared {
        name: "games",
        sequences: "amazon_games_sasrec.parquet",
        attributes: None,
        dense: false,
        negatives: true,
    },
];

/// A set that was read.
pub(super) struct Set {
    pub(super) name: &'static str,
    pub(super) events: Interactions,
    pub(super) attributes: Option<Attributes>,
    pub(super) dense: bool,
    pub(super) negatives: bool,
}

impl Declared {
    pub(super) fn files(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.sequences).chain(self.attributes)
    }
}

impl Set {
    /// Reads it; items are numbered in the order of their numbers in the file.
    pub(super) fn read(declared: &Declared, folder: &Path) -> Result<Set, Failure> {
        let mut users: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
        each(&folder.join(declared.sequences), |row| {
            let event = (number(row, "pos"), number(row, "item"));
            users.entry(number(row, "user")).or_default().push(event);
        })?;
        users.retain(|_, events| events.len() >= EVENTS_LEAST);
        let items = users.values().flatten().map(|(_, item)| (*item, 0));
        let mut items: BTreeMap<i64, u32> = items.collect();
        (0..)
            .zip(items.values_mut())
            .for_each(|(at, item)| *item = at);
        let (mut user, mut item, mut time) = (Vec::new(), Vec::new(), Vec::new());
        for (at, events) in (0..).zip(users.values()) {
            for (position, of) in events {
                user.push(at);
                item.push(items[of]);
                time.push(Time(*position));
            }
        }
        let columns = InteractionColumns {
            user: &user,
            item: &item,
            time: &time,
            weight: &vec![1.0; user.len()],
        };
        let attributes = declared
            .attributes
            .map(|file| attributes(&folder.join(file), &items));
        Ok(Set {
            name: declared.name,
            events: Interactions::new(users.len(), items.len(), &columns)?,
            attributes: attributes.transpose()?,
            dense: declared.dense,
            negatives: declared.negatives,
        })
    }
}

/// Genres and the five years of a film, or the numbers that stand for brands and categories.
fn attributes(path: &Path, items: &BTreeMap<i64, u32>) -> Result<Attributes, Failure> {
    let mut attributes = Attributes::new(items.len());
    each(path, |row| {
        let Some(&item) = items.get(&number(row, "item")) else {
            return;
        };
        for (name, field) in row.get_column_iter() {
            match (name.as_str(), field) {
                ("genres", Field::Str(genres)) => {
                    let genres = genres.split('|');
                    genres.for_each(|genre| attributes.value(item, "genre", genre));
                }
                ("title", Field::Str(title)) => {
                    let year = title.rsplit('(').next().unwrap_or_default();
                    let year: i64 = year.trim_end_matches(')').parse().unwrap_or_default();
                    attributes.value(item, "years", &(year / 5).to_string());
                }
                ("attribute_ids", Field::ListInternal(list)) => {
                    let ids = list.elements().iter();
                    ids.for_each(|id| attributes.value(item, "attribute", &id.to_string()));
                }
                _ => {}
            }
        }
    })?;
    Ok(attributes)
}

fn each(path: &Path, mut see: impl FnMut(&Row)) -> Result<(), Failure> {
    let file = SerializedFileReader::new(File::open(path)?)?;
    for row in file.get_row_iter(None)? {
        see(&row?);
    }
    Ok(())
}

/// A whole number of a row; 0 where there is none of the name.
fn number(row: &Row, wanted: &str) -> i64 {
    let mut columns = row.get_column_iter();
    let found = columns.find(|(name, _)| name.as_str() == wanted);
    match found.map(|(_, field)| field) {
        Some(Field::Byte(number)) => i64::from(*number),
        Some(Field::Short(number)) => i64::from(*number),
        Some(Field::Int(number)) => i64::from(*number),
        Some(Field::Long(number)) => *number,
        _ => 0,
    }
}
