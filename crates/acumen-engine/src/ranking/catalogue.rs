//! The items: what is known of each, and whether it may be shown now.
//!
//! Items are numbered as the log mentions them first, so that a training that reads the log gives
//! them the numbers that they have live.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use acumen_base::{Event, EventType, FieldType, Time, Value};
use acumen_expr::{Compiled, EventScope, Val};
use acumen_model::recommend::Attributes;
use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::spec::{CapDecl, ItemsDecl, RankingDecl};

/// How events of items are read.
#[derive(Debug)]
pub(crate) struct Shelving {
    decl: ItemsDecl,
    scope: EventScope,
    item: usize,
    /// The places of the attributes, with their types.
    attributes: Vec<(usize, String, FieldType)>,
    value: Option<usize>,
    caps: Vec<(usize, CapDecl)>,
}

/// All items by number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Catalogue {
    numbers: HashMap<Arc<str>, u32>,
    items: Vec<Item>,
    /// Whether each may be shown, by number.
    available: Arc<Vec<bool>>,
    /// Numbers of the values of attributes, so that two items are compared by numbers.
    words: HashMap<String, u32>,
    /// Of each such number the power of two that it stands for; NaN where it stands for none.
    tiers: Vec<f32>,
    /// How often items were touched.
    touched: u64,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Item {
    pub(crate) id: Arc<str>,
    /// When what is known of it was so, and since when it is known at all; `None` before the
    /// first event of it.
    pub(crate) since: Option<(Time, Time)>,
    pub(crate) available: bool,
    /// What selling one is worth, in major units where it is money.
    pub(crate) value: f32,
    /// Its attributes in declared order, as numbers; 0 is missing.
    pub(crate) words: Arc<[u32]>,
    /// Its attributes in words.
    pub(crate) attributes: Vec<Option<Arc<str>>>,
    /// The group of each cap that it belongs to; 0 is none.
    pub(crate) groups: Vec<u32>,
    /// How often it was touched.
    pub(crate) touched: u32,
}

/// What an attribute of an item must be.
#[derive(Debug)]
pub(crate) struct Wanted {
    place: usize,
    words: Vec<u32>,
}

impl Wanted {
    /// Whether an item is so.
    pub(crate) fn admits(&self, item: &Item) -> bool {
        let word = item.words.get(self.place);
        word.is_some_and(|word| self.words.contains(word))
    }
}

/// The items as a snapshot keeps them.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SavedCatalogue {
    items: Vec<Item>,
    words: Vec<(String, u32)>,
}

impl Shelving {
    /// How events of the declared type are read; `None` where it lacks a field, which the check
    /// of the specification has refused.
    pub(crate) fn new(ranking: &RankingDecl, event: &EventType) -> Option<Shelving> {
        let decl = ranking.items.clone();
        let place = |name: &String| event.position(name);
        let attributes = decl.attributes.iter().filter_map(|name| {
            let at = place(name)?;
            Some((at, name.clone(), event.fields[at].kind))
        });
        let caps = ranking.caps.iter();
        Some(Shelving {
            scope: EventScope::new(event),
            item: event.position(&ranking.item_field)?,
            attributes: attributes.collect(),
            value: decl.value.as_ref().and_then(place),
            caps: caps
                .filter_map(|cap| Some((place(&cap.field)?, cap.clone())))
                .collect(),
            decl,
        })
    }

    /// The names of the attributes.
    pub(crate) fn attribute_names(&self) -> Vec<&str> {
        self.attributes
            .iter()
            .map(|(_, name, _)| name.as_str())
            .collect()
    }

    /// The types of the attributes.
    pub(crate) fn attribute_kinds(&self) -> Vec<FieldType> {
        self.attributes.iter().map(|(_, _, kind)| *kind).collect()
    }

    /// Attributes that a request wants, each with the values that will do, as numbers.
    ///
    /// # Errors
    /// Where there is no such attribute.
    pub(crate) fn wanted(
        &self,
        catalogue: &Catalogue,
        filters: &BTreeMap<String, Vec<String>>,
    ) -> Result<Vec<Wanted>, Refusal> {
        let wanted = |(name, values): (&String, &Vec<String>)| {
            let place = self
                .attributes
                .iter()
                .position(|(_, known, _)| known == name);
            let unknown = || Refusal::unknown("attribute", name, self.attribute_names());
            // A value that no item has is none that will do.
            let words = values
                .iter()
                .filter_map(|value| catalogue.known_word(name, value));
            Ok(Wanted {
                place: place.ok_or_else(unknown)?,
                words: words.collect(),
            })
        };
        filters.iter().map(wanted).collect()
    }

    /// Which item an event is of.
    fn item<'a>(&self, event: &'a Event) -> Option<&'a Arc<str>> {
        match event.kind.name == self.decl.event {
            true => text(&event.values[self.item]),
            false => None,
        }
    }

    fn may_be_shown(&self, event: &Event) -> bool {
        let facts = self.scope.over(event);
        // What is missing keeps nothing out: an item that does not say `hidden` is not hidden.
        let is_false = |condition: &Compiled| condition.eval(&facts) == Some(Val::Bool(false));
        !self.decl.require.iter().any(is_false)
    }
}

impl Catalogue {
    /// How many items there are.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    /// The number of an item.
    pub(crate) fn number(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// The ids by number.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        self.items.iter().map(|item| &item.id)
    }

    /// One item.
    pub(crate) fn item(&self, number: u32) -> &Item {
        &self.items[number as usize]
    }

    /// Whether each may be shown, by number.
    pub(crate) fn available(&self) -> &[bool] {
        &self.available
    }

    /// The same as it is now, for whoever cannot hold the catalogue for so long.
    pub(crate) fn shown(&self) -> Arc<Vec<bool>> {
        Arc::clone(&self.available)
    }

    /// How surprising an item is: the bits of information in somebody touching it.
    pub(crate) fn novelty(&self, number: u32) -> f32 {
        let all = self.touched as f64 + self.items.len() as f64;
        let own = f64::from(self.items[number as usize].touched) + 1.0;
        (all / own).log2() as f32
    }

    /// The number of an item, which becomes known with it.
    pub(crate) fn mention(&mut self, id: &Arc<str>) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = self.items.len() as u32;
        self.numbers.insert(Arc::clone(id), number);
        Arc::make_mut(&mut self.available).push(false);
        self.items.push(Item {
            id: Arc::clone(id),
            since: None,
            available: false,
            value: 0.0,
            words: Arc::default(),
            attributes: Vec::new(),
            groups: Vec::new(),
            touched: 0,
        });
        number
    }

    /// Counts that somebody touched an item.
    pub(crate) fn touch(&mut self, number: u32) {
        let item = &mut self.items[number as usize];
        item.touched = item.touched.saturating_add(1);
        self.touched += 1;
    }

    /// Takes in an event of an item; gives its number where the item is new to the catalogue, or
    /// is like something else now. Of events of one item the one that happened last counts.
    pub(crate) fn learn(&mut self, shelving: &Shelving, event: &Event) -> Option<u32> {
        let number = self.mention(shelving.item(event)?);
        let since = self.item(number).since;
        if since.is_some_and(|(newest, _)| event.event_time < newest) {
            return None;
        }
        let attributes = shelving
            .attributes
            .iter()
            .map(|(place, _, kind)| words(&event.values[*place], *kind));
        let attributes: Vec<Option<Arc<str>>> = attributes.collect();
        let fields = shelving.attributes.iter().map(|(_, name, _)| name);
        let words: Arc<[u32]> = fields
            .zip(&attributes)
            .map(|(field, value)| self.word(field, value.as_deref()))
            .collect();
        let groups = shelving.caps.iter().map(|(place, cap)| {
            let kind = event.kind.fields[*place].kind;
            self.word(
                &cap.field,
                self::words(&event.values[*place], kind).as_deref(),
            )
        });
        let groups: Vec<u32> = groups.collect();
        let available = shelving.may_be_shown(event);
        let item = &mut self.items[number as usize];
        let changed = since.is_none() || item.attributes != attributes;
        item.since = Some((
            event.event_time,
            since.map_or(event.event_time, |known| known.1),
        ));
        item.available = available;
        item.value = shelving
            .value
            .map_or(0.0, |place| amount(&event.values[place]));
        (item.words, item.attributes, item.groups) = (words, attributes, groups);
        if self.available[number as usize] != available {
            Arc::make_mut(&mut self.available)[number as usize] = available;
        }
        changed.then_some(number)
    }

    /// The number of a value of a field that some item has.
    fn known_word(&self, field: &str, value: &str) -> Option<u32> {
        self.words.get(&format!("{field}={value}")).copied()
    }

    /// The number of a value of a field; 0 where it is missing.
    fn word(&mut self, field: &str, value: Option<&str>) -> u32 {
        let Some(value) = value else {
            return 0;
        };
        let word = format!("{field}={value}");
        if let Some(number) = self.words.get(&word) {
            return *number;
        }
        let number = self.words.len() as u32 + 1;
        self.tiers.push(tier_of(&word));
        self.words.insert(word, number);
        number
    }

    /// The power of two in which an amount lies, by the number of its tier.
    pub(crate) fn tier(&self, word: u32) -> f32 {
        let at = (word as usize).checked_sub(1);
        at.and_then(|at| self.tiers.get(at))
            .copied()
            .unwrap_or(f32::NAN)
    }

    /// The words of some items, for sources that know items by what they are like.
    pub(crate) fn attributes(&self, shelving: &Shelving, numbers: &[u32]) -> Attributes {
        let mut attributes = Attributes::new(numbers.len());
        for (place, number) in (0..).zip(numbers) {
            let item = self.item(*number);
            for ((_, field, kind), value) in shelving.attributes.iter().zip(&item.attributes) {
                match (kind, value) {
                    (_, None) => {}
                    (FieldType::Text, Some(text)) => attributes.text(place, field, text),
                    (_, Some(value)) => attributes.value(place, field, value),
                }
            }
        }
        attributes
    }

    /// What a snapshot keeps.
    pub(crate) fn save(&self) -> SavedCatalogue {
        let words = self.words.iter();
        let mut words: Vec<(String, u32)> = words.map(|(w, n)| (w.clone(), *n)).collect();
        words.sort_unstable_by_key(|(_, number)| *number);
        SavedCatalogue {
            items: self.items.clone(),
            words,
        }
    }

    /// From a snapshot.
    pub(crate) fn load(saved: SavedCatalogue) -> Catalogue {
        let SavedCatalogue { items, words } = saved;
        let ids = items.iter().map(|item| Arc::clone(&item.id));
        Catalogue {
            numbers: ids.zip(0..).collect(),
            available: Arc::new(items.iter().map(|item| item.available).collect()),
            tiers: words.iter().map(|(word, _)| tier_of(word)).collect(),
            words: words.into_iter().collect(),
            touched: items.iter().map(|item| u64::from(item.touched)).sum(),
            items,
        }
    }
}

/// What the values of amounts and numbers begin with.
const TIER: &str = "tier ";

fn text(value: &Value) -> Option<&Arc<str>> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// An attribute in words: amounts and numbers by the power of two that they lie in, so that
/// prices have tiers.
fn words(value: &Value, kind: FieldType) -> Option<Arc<str>> {
    let tier = |number: f64| Arc::from(format!("{TIER}{}", number.max(1.0).log2().floor()));
    match (value, kind) {
        (Value::Text(text), _) => Some(Arc::clone(text)),
        (Value::Money(money), _) => Some(tier(money.major())),
        (Value::Number(number), _) => Some(tier(*number)),
        (Value::Int(number), _) => Some(tier(*number as f64)),
        (Value::Bool(flag), _) => Some(if *flag { "yes" } else { "no" }.into()),
        _ => None,
    }
}

/// The power of two of a word that is a tier of some field; NaN of any other word.
fn tier_of(word: &str) -> f32 {
    let value = word.split_once('=').map_or("", |(_, value)| value);
    let tier = value.strip_prefix(TIER).and_then(|tier| tier.parse().ok());
    tier.unwrap_or(f32::NAN)
}

fn amount(value: &Value) -> f32 {
    match value {
        Value::Money(money) => money.major() as f32,
        Value::Number(number) => *number as f32,
        Value::Int(number) => *number as f32,
        _ => 0.0,
    }
}
