//! CEL text and declared fields into type-checked, compiled expressions.
//!
//! A [`Scope`] declares the paths that a text may read and their types; [`Compiled::compile`]
//! reads the text, reports everything that is wrong with it at once, and turns it into typed
//! closures over slots; [`Compiled::eval`] runs them over a [`Frame`] without looking up a name.
//!
//! # What a value is
//!
//! Every value may be missing, and a missing operand makes the result missing, so that a rule on
//! it does not fire. Three things look through it: `has(path)`, `&&` and `||` (`false && missing`
//! is false, `true || missing` is true), and `? :` (only the branch that is taken matters).
//! What has no answer is missing too: overflow, division by zero, a number that is not finite,
//! amounts of two currencies.
//!
//! # What it takes from CEL, and what it does not
//!
//! The grammar and the operators are those of the
//! [CEL specification](https://github.com/google/cel-spec/blob/master/doc/langdef.md), parsed by
//! the `cel` crate. Whole numbers and decimal numbers compare with each other and are never mixed
//! in arithmetic. There are no loops (`all`, `exists`, `map`, `filter`), no maps, no null and no
//! regular expressions: every expression ends in a time that its length bounds.
//! Money, `min`, `max`, `abs`, `major` and `seconds` are ours.
//!
//! It does not know what an expression is for: the caller declares the scope and the type that it
//! expects.

mod arithmetic;
mod check;
mod comparison;
mod compiled;
mod event;
mod function;
mod literal;
mod membership;
mod node;
mod parse;
mod scope;
mod value;

pub use compiled::{Compiled, ExprError};
pub use event::{EventScope, EventSource};
pub use scope::{Frame, Scope};
pub use value::{Type, Val};

#[cfg(test)]
mod tests;
