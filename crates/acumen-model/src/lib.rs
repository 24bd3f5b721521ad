//! Rows into predictions: learners, metrics, calibration, explanations, artifacts.
//!
//! ```text
//! Dataset ──learner──▶ FittedModel ──calibration, metrics──▶ Artifact ──▶ ArtifactMember
//!                         │ ▲                                            (Row ▶ Prediction)
//!                         ▼ │
//!                     XGBoost JSON
//! ```
//!
//! What holds: many rows are predicted bit for bit as one by one; an artifact that was saved and
//! loaded predicts the same bits; contributions add up to the margin; a calibration never
//! decreases; the same rows, parameters and seed give the same version.
//!
//! It does not know what a row is about, what is done with a prediction, or what it is worth.

pub mod artifact;
pub mod binning;
pub mod calibration;
pub mod card;
pub mod compiled;
pub mod data;
pub mod encoding;
pub mod fitted;
pub mod forest;
mod informed;
pub mod intervals;
pub mod isolation;
pub mod layout;
pub mod learner;
pub mod lifetime;
pub mod member;
pub mod metrics;
pub mod network;
mod quadrature;
pub mod recommend;
pub mod search;
pub mod shap;
mod special;
pub mod split;
pub mod stacking;
pub mod store;
pub mod training;
pub mod two_part;
pub mod xgboost_json;

#[cfg(test)]
mod sample;

pub use artifact::{Artifact, ArtifactError, Candidate, CandidateTable, TrainingWindow};
pub use calibration::{Calibration, CalibrationMethod};
pub use compiled::CompiledForest;
pub use data::{Dataset, Matrix};
pub use encoding::{Dictionary, Encoding};
pub use fitted::{BrokenModel, FittedModel, Scorer};
pub use forest::{BrokenForest, Forest, Node, Objective, Tree};
pub use intervals::{Intervals, IntervalsError};
pub use isolation::{BrokenIsolation, IsolationForest};
pub use learner::{
    Checked, FitError, Fitted, Importance, LEARNERS, Learner, ParamDoc, ParamProblem, ParamRange,
    Params, Predicts, Progress, Reader, TrainingLog, check_rows, find_learner, learner,
};
pub use lifetime::{LifetimeError, LifetimeModel, Says};
pub use member::{Answered, ArtifactMember};
pub use metrics::{BinaryMetrics, Metrics, RegressionMetrics};
pub use network::{BrokenNetwork, Network};
pub use search::{SearchMethod, SearchMetric, SearchProgress, SearchSpec, SearchTable, Trial};
pub use shap::{Explainer, Explanation};
pub use split::{Fold, Period, Shares, Split};
pub use stacking::Stacking;
pub use store::{ModelStore, StoreError};
pub use training::{
    EnsemblePlan, JudgedValue, TrainingError, TrainingPlan, TrainingStage, ValueModel, ValuePlan,
    Versions, fit_artifact, fit_ensemble, fit_value,
};
pub use two_part::TwoPart;
pub use xgboost_json::{XgboostError, XgboostModel, read_xgboost_json, write_xgboost_json};
