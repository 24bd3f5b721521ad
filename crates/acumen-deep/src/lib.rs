//! Rows into trained networks, and their weights for the one-row kernels.
//!
//! ```text
//! Dataset ──group──▶ tensors ──burn: forward, backward, AdamW──▶ weights ──▶ acumen_model::Network
//! ```
//!
//! This is the only crate that knows the tensor framework. What it hands over is plain numbers,
//! scored by the kernels of [`acumen_model::network`] and [`acumen_model::recommend`], to within 1e-5 of what was trained.
//!
//! What holds: initial weights and every shuffle are drawn from the seed here, so the framework's
//! own randomness is never used; the same rows, parameters and seed give the same bytes at any
//! number of threads; validation rows are judged by the very kernels that serve.

mod architecture;
mod autoencoder;
mod draws;
mod fit;
mod graph_neural_network;
mod group;
mod layers;
mod lstm;
mod neural_collaborative_filtering;
mod neural_network;
mod parameters;
mod recommend;
mod self_attention;
mod sequence_recommender;
mod training;
mod two_tower;

#[cfg(test)]
mod tests;

use acumen_model::Learner;
use acumen_model::recommend::RecommendLearner;

pub use autoencoder::AutoencoderLearner;
pub use graph_neural_network::GraphNeuralNetwork;
pub use lstm::Lstm;
pub use neural_collaborative_filtering::NeuralCollaborativeFiltering;
pub use neural_network::NeuralNetwork;
pub use self_attention::SelfAttentionLearner;
pub use sequence_recommender::SequenceRecommender;
pub use two_tower::TwoTowerLearner;

/// Every learner of this crate.
pub static LEARNERS: &[&dyn Learner] = &[
    &NeuralNetwork,
    &Lstm,
    &AutoencoderLearner,
    &GraphNeuralNetwork,
];

/// Every recommender of this crate.
pub static RECOMMENDERS: &[&dyn RecommendLearner] = &[
    &SequenceRecommender,
    &SelfAttentionLearner,
    &TwoTowerLearner,
    &NeuralCollaborativeFiltering,
];
