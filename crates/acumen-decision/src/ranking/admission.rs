//! Which items may be shown at all, and why the others may not.

use serde::Serialize;

/// What a request says about items that it does not want.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Items that the request excludes, in rising order.
    pub excluded: &'a [u32],
    /// Items that the user has, in rising order.
    pub had: &'a [u32],
    /// Items that the user does not want to see again, in rising order.
    pub hidden: &'a [u32],
}

/// Why an item is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnedAway {
    /// It cannot be had, or a declared condition does not hold for it.
    Unavailable,
    /// The request excludes it.
    Excluded,
    /// The user does not want to see it again.
    Hidden,
    /// The user has it.
    Had,
    /// It is not of the kind that the request wants.
    Filtered,
}

/// How many items were turned away, by the first reason that held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Refusals {
    /// They cannot be had.
    pub unavailable: usize,
    /// The request excludes them.
    pub excluded: usize,
    /// The user does not want to see them again.
    pub hidden: usize,
    /// The user has them.
    pub had: usize,
    /// They are not of the kind that the request wants.
    pub filtered: usize,
}

impl Refusals {
    /// Counts one.
    pub fn count(&mut self, reason: TurnedAway) {
        match reason {
            TurnedAway::Unavailable => self.unavailable += 1,
            TurnedAway::Excluded => self.excluded += 1,
            TurnedAway::Hidden => self.hidden += 1,
            TurnedAway::Had => self.had += 1,
            TurnedAway::Filtered => self.filtered += 1,
        }
    }

    /// All together.
    pub fn total(&self) -> usize {
        self.unavailable + self.excluded + self.hidden + self.had + self.filtered
    }

    /// The reason that an empty list is given with, in words.
    pub fn in_words(&self) -> String {
        let parts = [
            (self.unavailable, "cannot be had"),
            (self.excluded, "excluded by the request"),
            (self.hidden, "hidden by the user"),
            (self.had, "already with the user"),
            (self.filtered, "not of the kind that was asked for"),
        ];
        let said = parts.iter().filter(|(count, _)| *count > 0);
        let said: Vec<String> = said.map(|(count, why)| format!("{count} {why}")).collect();
        match said.is_empty() {
            true => "there are no items".to_owned(),
            false => said.join(", "),
        }
    }
}

/// For each item whether it may be shown, and how many may not.
///
/// `available` says of each item whether it can be had now and every declared condition holds.
pub fn admit(available: &[bool], asked: &Asked<'_>) -> (Vec<bool>, Refusals) {
    let reason = |item: u32| {
        let in_list = |list: &[u32]| list.binary_search(&item).is_ok();
        match available[item as usize] {
            false => Some(TurnedAway::Unavailable),
            true if in_list(asked.excluded) => Some(TurnedAway::Excluded),
            true if in_list(asked.hidden) => Some(TurnedAway::Hidden),
            true if in_list(asked.had) => Some(TurnedAway::Had),
            true => None,
        }
    };
    let mut refusals = Refusals::default();
    let shown = (0..available.len() as u32).map(|item| {
        let reason = reason(item);
        reason.into_iter().for_each(|reason| refusals.count(reason));
        reason.is_none()
    });
    (shown.collect(), refusals)
}
