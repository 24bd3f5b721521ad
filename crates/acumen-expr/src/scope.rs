//! What a text may read: declared paths and lists, and where their values come from.

use std::collections::BTreeMap;

use crate::value::{Type, Val};

/// The paths that an expression may read, with their types, and the lists that it may search.
///
/// A path is dotted, such as `order.amount`; its slot is the number by which a [`Frame`] is asked
/// for it: 0, 1, 2, … in the order of declaration.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    paths: BTreeMap<String, (usize, Type)>,
    lists: BTreeMap<String, usize>,
}

/// Where the values of one evaluation come from.
pub trait Frame {
    /// The value of a slot, of the type that it was declared with; `None` where it is missing.
    fn get(&self, slot: usize) -> Option<Val>;
    /// Whether a list holds a text.
    fn contains(&self, list: usize, text: &str) -> bool;
}

impl Scope {
    /// A scope that declares nothing.
    pub fn new() -> Scope {
        Scope::default()
    }

    /// Declares a path and gives its slot; declared again it keeps its slot and takes the new
    /// type.
    pub fn declare(&mut self, path: &str, kind: Type) -> usize {
        let next = self.paths.len();
        let entry = self.paths.entry(path.to_owned()).or_insert((next, kind));
        entry.1 = kind;
        entry.0
    }

    /// Declares a list, read as `x in lists.name`, and gives its number.
    pub fn declare_list(&mut self, name: &str) -> usize {
        let next = self.lists.len();
        *self.lists.entry(name.to_owned()).or_insert(next)
    }

    /// The slot and type of a path.
    pub fn path(&self, path: &str) -> Option<(usize, Type)> {
        self.paths.get(path).copied()
    }

    /// The number of a list.
    pub fn list(&self, name: &str) -> Option<usize> {
        self.lists.get(name).copied()
    }

    /// The declared paths in alphabetical order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.keys().map(String::as_str)
    }

    /// The declared lists in alphabetical order.
    pub fn lists(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }

    /// How many paths are declared: slots run from 0 to one less.
    pub fn len(&self) -> usize {
        self.paths.len()
    }

    /// Whether no path is declared.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty()
    }
}
