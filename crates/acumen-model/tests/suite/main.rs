//! What crosses the border of the crate: models of XGBoost, in both directions, and a training
//! from columns of rows to a member that answers.

#[cfg(test)]
mod exchange;
#[cfg(test)]
mod training;
