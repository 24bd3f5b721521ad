//! Rows into predictions: learners, metrics, calibration, explanations, artifacts.

pub mod binning;
pub mod calibration;
pub mod compiled;
pub mod data;
pub mod forest;
pub mod learner;
pub mod metrics;
pub mod shap;
pub mod xgboost_json;

#[cfg(test)]
mod sample;

pub use calibration::{Calibration, CalibrationMethod};
pub use compiled::CompiledForest;
pub use data::{Dataset, Matrix};
pub use forest::{BrokenForest, Forest, Node, Objective, Tree};
pub use learner::{
    Checked, FitError, Fitted, FittedModel, Importance, LEARNERS, Learner, ParamDoc, ParamProblem,
    Params, Progress, TrainingLog, learner,
};
pub use metrics::{BinaryMetrics, Metrics, RegressionMetrics};
pub use shap::{Explainer, Explanation};
pub use xgboost_json::{XgboostError, XgboostModel, read_xgboost_json, write_xgboost_json};
