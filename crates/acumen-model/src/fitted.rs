//! A model of any learner: what it is, how it is scored, and why it said what it said.

use std::fmt;

use acumen_base::Deadline;
use serde::{Deserialize, Serialize};

use crate::compiled::CompiledForest;
use crate::data::Matrix;
use crate::forest::{BrokenForest, Forest, Objective};
use crate::isolation::{BrokenIsolation, IsolationForest, IsolationScorer};
use crate::lifetime::{BrokenLifetime, LifetimeModel};
use crate::network::{BrokenNetwork, Network};
use crate::shap::{Explainer, Explanation};
use crate::stacking::Stacking;
use crate::two_part::{TwoPart, TwoPartScorer};

/// A model of any learner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FittedModel {
    /// Trees whose leaves add up.
    Forest(Forest),
    /// Weights of other models.
    Stacking(Stacking),
    /// Layers of weights.
    Network(Network),
    /// Trees whose path lengths add up.
    IsolationForest(IsolationForest),
    /// Customers who buy until they stop.
    Lifetime(LifetimeModel),
    /// Trees for whether there is a value, and for how much.
    TwoPart(TwoPart),
}

/// A model that is ready to answer, one row at a time or many.
///
/// Many rows are scored bit for bit as one by one, and contributions add up to the margin less
/// what is expected.
pub trait Scorer: fmt::Debug + Send + Sync {
    /// The margin of a row; `None` where the deadline expired between two units of work.
    fn margin_before(&self, row: &[f32], deadline: &Deadline) -> Option<f32>;

    /// The margins of many rows, on all cores.
    fn margins_many(&self, rows: &Matrix) -> Vec<f32>;

    /// How much each column moved the margin of a row from what is expected.
    fn explain(&self, row: &[f32]) -> Explanation;
}

/// Why a stored model is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BrokenModel {
    /// A forest whose trees are no trees.
    #[error(transparent)]
    Forest(#[from] BrokenForest),
    /// Weights that are none.
    #[error("its weights, means and covariances do not fit together")]
    Stacking,
    /// A network whose numbers do not fit together.
    #[error(transparent)]
    Network(#[from] BrokenNetwork),
    /// An isolation forest whose trees are no trees.
    #[error(transparent)]
    Isolation(#[from] BrokenIsolation),
    /// A model of lifetime value that is none.
    #[error(transparent)]
    Lifetime(#[from] BrokenLifetime),
}

impl FittedModel {
    /// What its margin means.
    pub fn objective(&self) -> Objective {
        match self {
            FittedModel::Forest(forest) => forest.objective,
            FittedModel::Stacking(_) => Objective::BinaryLogistic,
            FittedModel::Network(_) => Objective::BinaryLogistic,
            FittedModel::IsolationForest(_) => Objective::BinaryLogistic,
            FittedModel::Lifetime(_) => Objective::SquaredError,
            FittedModel::TwoPart(_) => Objective::LogValue,
        }
    }

    /// How many columns its rows have.
    pub fn n_features(&self) -> usize {
        match self {
            FittedModel::Forest(forest) => forest.n_features,
            FittedModel::Stacking(stacking) => stacking.weights.len(),
            FittedModel::Network(network) => network.n_features,
            FittedModel::IsolationForest(forest) => forest.n_features,
            FittedModel::Lifetime(model) => model.n_features,
            FittedModel::TwoPart(model) => model.occurs.n_features,
        }
    }

    /// Whether it is what it says; everything else relies on it.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn check(&self) -> Result<(), BrokenModel> {
        match self {
            FittedModel::Forest(forest) => Ok(forest.check()?),
            FittedModel::Stacking(stacking) if stacking.is_sound() => Ok(()),
            FittedModel::Stacking(_) => Err(BrokenModel::Stacking),
            FittedModel::Network(network) => Ok(network.check()?),
            FittedModel::IsolationForest(forest) => Ok(forest.check()?),
            FittedModel::Lifetime(model) => Ok(model.check()?),
            FittedModel::TwoPart(model) => Ok(model.check()?),
        }
    }

    /// What it is made of, for people: `300 trees`.
    pub fn describe(&self) -> String {
        match self {
            FittedModel::Forest(forest) => format!("{} trees", forest.trees.len()),
            FittedModel::Stacking(stacking) => format!("{} weights", stacking.weights.len()),
            FittedModel::Network(network) => network.describe(),
            FittedModel::IsolationForest(forest) => {
                format!("{} isolation trees", forest.trees.len())
            }
            FittedModel::Lifetime(model) => model.describe(),
            FittedModel::TwoPart(model) => {
                let parts = model.parts().into_iter();
                let trees: Vec<String> = parts.map(|part| part.trees.len().to_string()).collect();
                format!("{} trees in parts", trees.join(" + "))
            }
        }
    }

    /// The model made ready to answer.
    ///
    /// # Panics
    /// If it does not pass [`FittedModel::check`]; a loaded one does.
    pub fn scorer(&self) -> Box<dyn Scorer> {
        match self {
            FittedModel::Forest(forest) => Box::new(ForestScorer {
                compiled: CompiledForest::new(forest),
                explainer: Explainer::new(forest),
            }),
            FittedModel::Stacking(stacking) => Box::new(stacking.clone()),
            FittedModel::Network(network) => Box::new(network.clone()),
            FittedModel::IsolationForest(forest) => Box::new(IsolationScorer::new(forest)),
            FittedModel::Lifetime(model) => Box::new(model.clone()),
            FittedModel::TwoPart(model) => Box::new(TwoPartScorer::new(model)),
        }
    }

    /// The margins of many rows, on all cores.
    pub fn margins(&self, rows: &Matrix) -> Vec<f32> {
        match self {
            FittedModel::Forest(forest) => CompiledForest::new(forest).margins_many(rows),
            FittedModel::Stacking(stacking) => stacking.margins_many(rows),
            FittedModel::Network(network) => network.margins_many(rows),
            FittedModel::IsolationForest(forest) => IsolationScorer::new(forest).margins_many(rows),
            FittedModel::Lifetime(model) => model.margins_many(rows),
            FittedModel::TwoPart(model) => TwoPartScorer::new(model).margins_many(rows),
        }
    }

    /// The trees, where it has some that add up.
    pub fn into_forest(self) -> Option<Forest> {
        match self {
            FittedModel::Forest(forest) => Some(forest),
            FittedModel::Stacking(_) => None,
            FittedModel::Network(_) => None,
            FittedModel::IsolationForest(_) => None,
            FittedModel::Lifetime(_) => None,
            FittedModel::TwoPart(_) => None,
        }
    }
}

#[derive(Debug)]
struct ForestScorer {
    compiled: CompiledForest,
    explainer: Explainer,
}

impl Scorer for ForestScorer {
    fn margin_before(&self, row: &[f32], deadline: &Deadline) -> Option<f32> {
        self.compiled.margin_before(row, deadline)
    }

    fn margins_many(&self, rows: &Matrix) -> Vec<f32> {
        self.compiled.margins_many(rows)
    }

    fn explain(&self, row: &[f32]) -> Explanation {
        self.explainer.explain(row)
    }
}
