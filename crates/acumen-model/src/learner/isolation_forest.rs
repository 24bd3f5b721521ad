//! Isolation forest: how unusual a row is, learnt from rows alone (Liu, Ting and Zhou 2008), with
//! planes through several columns where `extension_level` is above 0 (Hariri, Carrasco Kind and
//! Brunner 2019). See [`crate::isolation`] for the score.
//!
//! Outcomes are not looked at, so rows of one class only are enough; outcomes calibrate the score
//! afterwards. What the papers leave open:
//!
//! - **Missing values.** Where some rows of a node miss the drawn column, every second split parts
//!   known from missing, so that a rare gap isolates and a common one does not; otherwise missing
//!   goes where most rows go. To a plane a missing value adds nothing.
//! - **Categories.** A split sends a random half of the categories that a node has to each side;
//!   one that it did not have goes with the fewer rows. In a plane each category has a number by
//!   chance, another at every split.
//! - **Weights.** A tree draws its rows without replacement in proportion to their weights
//!   (Efraimidis and Spirakis 2006).
//! - **Scale.** Planes are drawn in the box of their node stretched to a cube, so that the unit of
//!   a column does not matter.
//!
//! A retraining replaces the oldest trees only (`refresh`): the new ones are grown on the newest
//! rows, and scores follow the data without a jump.

use acumen_base::Columns;

use super::{Checked, Learner, ParamDoc, ParamProblem, Params};

mod fit;
mod grow;
mod parameters;
mod sample;
#[cfg(test)]
mod tests;
mod views;

pub use parameters::IsolationParams;

/// Isolation forest by the name `isolation_forest`.
pub struct Isolation;

impl Learner for Isolation {
    fn name(&self) -> &'static str {
        "isolation_forest"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["iforest"]
    }

    fn doc(&self) -> &'static str {
        "How unusual a row is, without outcomes: finds what no past case looks like. Missing \
         values, categories and weights need no preparation."
    }

    fn params(&self) -> &'static [ParamDoc] {
        parameters::DOCS
    }

    fn searched(&self) -> &'static [(&'static str, [f64; 2])] {
        &[
            ("max_samples", [64.0, 4_096.0]),
            ("max_features", [0.3, 1.0]),
        ]
    }

    fn check(
        &self,
        params: &Params,
        columns: &Columns,
    ) -> Result<Box<dyn Checked>, Vec<ParamProblem>> {
        let checked = IsolationParams::check(params, columns)?;
        Ok(Box::new(checked))
    }
}
