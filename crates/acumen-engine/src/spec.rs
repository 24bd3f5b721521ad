//! A use case folder, read and checked.
//!
//! ```text
//! usecases/NAME/usecase.yaml ─┐
//! catalogue/events/*.yaml ────┼─▶ tree with places ─▶ walk: types, or every problem at once
//! catalogue/features/*.yaml ──┤
//! catalogue/sources/*.yaml ───┘
//! ```
//!
//! A [`UseCase`] that exists has no mistake in it; every problem is a
//! [`Diagnostic`](acumen_base::Diagnostic) with file, line, column and what to do.

pub mod catalogue;
mod check;
pub mod compile;
mod decisions;
mod events;
mod explain;
mod features;
mod files;
mod gates;
mod idle;
pub mod places;
pub mod project;
mod ranking;
pub(crate) mod review;
pub mod scaffold;
pub mod schema;
mod serving;
mod sources;
mod subject;
pub mod test_file;
mod training;
mod tree;
pub mod types;
mod use_case;
mod walk;

pub use catalogue::{Catalogue, FeatureSet, SetOrigin};
pub use places::Places;
pub use project::Project;
pub use ranking::{
    BanditDecl, CapDecl, ContextDecl, EnsembleOfMany, FeedbackDecl, GroupDecl, ItemsDecl, Outcome,
    RankingDecl, StagesDecl,
};
pub(crate) use ranking::{CATEGORY_NUMBERS, SAYS, candidate_columns, is_amount, is_compared};
pub use scaffold::{ScaffoldError, scaffold};
pub use schema::{mapping_schema, schema, source_schema};
pub(crate) use subject::is_of_purchases;
pub use test_file::TestFile;
pub use types::{
    Autoscaling, BatchDecl, Calibration, Combination, Durability, EnsembleDecl, ExplainDecl,
    ExploreDecl, FeatureDecl, GateMetric, GatesDecl, LayerDecl, ModelDecl, OriginsDecl,
    OutcomeDecl, RatesDecl, ReviewDecl, RuleDecl, ScoreDecl, ServingDecl, SubjectDecl, TargetDecl,
    TrainingData, TrainingDecl, UseCase, ValueDecl, When, WhenLogFails,
};
pub use use_case::USE_CASE_FILE;

#[cfg(test)]
mod subject_tests;
#[cfg(test)]
mod tests;
