//! How many candidates of one group a list may have.

use std::collections::BTreeMap;

/// A cap for each of several ways to group candidates, such as by brand and by category.
#[derive(Clone, Debug, Default)]
pub struct Caps {
    /// For each way, the group of every candidate and how many of one group a list may have.
    ways: Vec<(Vec<u32>, usize)>,
    /// How many of each group were taken.
    taken: Vec<BTreeMap<u32, usize>>,
}

impl Caps {
    /// Adds a way: the group of every candidate, and how many of one group a list may have.
    #[must_use]
    pub fn with(mut self, groups: Vec<u32>, most: usize) -> Caps {
        self.ways.push((groups, most));
        self.taken.push(BTreeMap::new());
        self
    }

    /// Whether a list that has what was taken may have this one as well.
    pub(super) fn allow(&self, candidate: usize) -> bool {
        let mut ways = self.ways.iter().zip(&self.taken);
        ways.all(|((groups, most), taken)| {
            taken.get(&groups[candidate]).copied().unwrap_or(0) < *most
        })
    }

    /// Takes one; whether a group has no room left by that.
    pub(super) fn take(&mut self, candidate: usize) -> bool {
        let mut full = false;
        for ((groups, most), taken) in self.ways.iter().zip(&mut self.taken) {
            let taken = taken.entry(groups[candidate]).or_insert(0);
            *taken += 1;
            full |= *taken >= *most;
        }
        full
    }
}
