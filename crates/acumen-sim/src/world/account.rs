//! What every business knows of a customer.

use acumen_base::Time;

/// The levels to which a customer may be verified, by `Account::verification`.
pub(crate) const LEVELS: [&str; 3] = ["basic", "standard", "enhanced"];

/// A customer's account; its number is its place in a list, its id is made of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// When it was opened.
    pub opened_at: Time,
    /// To what level the customer is verified at first: 0 basic, 1 standard, 2 enhanced.
    pub verification: u8,
}

/// The id of the customer of this number, in every world.
pub(crate) fn id(number: usize) -> String {
    format!("c{number:06}")
}
