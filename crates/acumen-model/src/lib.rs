//! Rows into predictions: learners, metrics, calibration, explanations, artifacts.

pub mod artifact;
pub mod binning;
pub mod calibration;
pub mod card;
pub mod compiled;
pub mod data;
pub mod encoding;
pub mod forest;
pub mod learner;
pub mod member;
pub mod metrics;
pub mod shap;
pub mod split;
pub mod store;
pub mod training;
pub mod xgboost_json;

#[cfg(test)]
mod sample;

pub use artifact::{Artifact, ArtifactError, TrainingWindow};
pub use calibration::{Calibration, CalibrationMethod};
pub use compiled::CompiledForest;
pub use data::{Dataset, Matrix};
pub use encoding::{Dictionary, Encoding};
pub use forest::{BrokenForest, Forest, Node, Objective, Tree};
pub use learner::{
    Checked, FitError, Fitted, FittedModel, Importance, LEARNERS, Learner, ParamDoc, ParamProblem,
    Params, Progress, TrainingLog, learner,
};
pub use member::ArtifactMember;
pub use metrics::{BinaryMetrics, Metrics, RegressionMetrics};
pub use shap::{Explainer, Explanation};
pub use split::{Fold, Period, Shares, Split};
pub use store::{ModelStore, StoreError};
pub use training::{TrainingError, TrainingPlan, fit_artifact};
pub use xgboost_json::{XgboostError, XgboostModel, read_xgboost_json, write_xgboost_json};
