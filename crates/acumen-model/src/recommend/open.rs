//! Which items may be shown to somebody.

/// The items that may be shown: those that anybody may see, but for a few.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a> {
    shown: &'a [bool],
    but: &'a [u32],
}

impl<'a> Open<'a> {
    /// From one flag an item.
    pub fn new(shown: &'a [bool]) -> Open<'a> {
        Open { shown, but: &[] }
    }

    /// Without some items, which are in rising order.
    #[must_use]
    pub fn but(self, items: &'a [u32]) -> Open<'a> {
        Open { but: items, ..self }
    }

    /// How many items there are, shown or not.
    pub fn n_items(&self) -> usize {
        self.shown.len()
    }

    /// Whether an item may be shown.
    #[inline]
    pub fn has(&self, item: u32) -> bool {
        self.shown.get(item as usize) == Some(&true) && self.but.binary_search(&item).is_err()
    }
}
