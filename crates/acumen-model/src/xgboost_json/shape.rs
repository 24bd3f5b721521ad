//! The file as it lies on disk. Numbers of the configuration are text there.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::forest::Objective;

#[derive(Serialize, Deserialize)]
pub(super) struct File {
    pub(super) learner: Learner,
    pub(super) version: [u32; 3],
}

#[derive(Serialize, Deserialize)]
pub(super) struct Learner {
    #[serde(default)]
    pub(super) attributes: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) feature_names: Vec<String>,
    #[serde(default)]
    pub(super) feature_types: Vec<String>,
    pub(super) gradient_booster: Booster,
    pub(super) learner_model_param: ModelParameters,
    pub(super) objective: Loss,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Booster {
    pub(super) model: Model,
    pub(super) name: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Model {
    #[serde(default)]
    pub(super) cats: Cats,
    pub(super) gbtree_model_param: GbtreeParameters,
    #[serde(default)]
    pub(super) iteration_indptr: Vec<usize>,
    pub(super) tree_info: Vec<u32>,
    pub(super) trees: Vec<FileTree>,
}

/// Names of categories; always empty in what we write.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Cats {
    enc: Vec<serde_json::Value>,
    feature_segments: Vec<serde_json::Value>,
    sorted_idx: Vec<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct GbtreeParameters {
    #[serde(default = "one")]
    pub(super) num_parallel_tree: String,
    pub(super) num_trees: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct ModelParameters {
    pub(super) base_score: String,
    #[serde(default = "one")]
    pub(super) boost_from_average: String,
    #[serde(default = "zero")]
    pub(super) num_class: String,
    pub(super) num_feature: String,
    #[serde(default = "one")]
    pub(super) num_target: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Loss {
    pub(super) name: String,
    #[serde(default)]
    reg_loss_param: Weight,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tweedie_regression_param: Option<Tweedie>,
}

#[derive(Serialize, Deserialize)]
struct Weight {
    scale_pos_weight: String,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Tweedie {
    pub(super) tweedie_variance_power: String,
}

impl Loss {
    pub(super) fn of(objective: Objective) -> Loss {
        Loss {
            name: objective.name().into(),
            reg_loss_param: Weight::default(),
            tweedie_regression_param: match objective {
                Objective::Tweedie { variance_power } => Some(Tweedie {
                    tweedie_variance_power: variance_power.to_string(),
                }),
                _ => None,
            },
        }
    }
}

impl Default for Weight {
    fn default() -> Weight {
        Weight {
            scale_pos_weight: one(),
        }
    }
}

/// One entry a node in every array but those of categories.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct FileTree {
    #[serde(default)]
    pub(super) base_weights: Vec<f32>,
    /// The ordinals of all category splits, one after the other.
    #[serde(default)]
    pub(super) categories: Vec<u32>,
    /// Which nodes are category splits.
    #[serde(default)]
    pub(super) categories_nodes: Vec<usize>,
    /// Where the ordinals of each of them start.
    #[serde(default)]
    pub(super) categories_segments: Vec<usize>,
    /// How many each of them has.
    #[serde(default)]
    pub(super) categories_sizes: Vec<usize>,
    #[serde(deserialize_with = "flags")]
    pub(super) default_left: Vec<u8>,
    #[serde(default)]
    pub(super) id: usize,
    pub(super) left_children: Vec<i32>,
    #[serde(default)]
    pub(super) loss_changes: Vec<f32>,
    #[serde(default)]
    pub(super) parents: Vec<i32>,
    pub(super) right_children: Vec<i32>,
    pub(super) split_conditions: Vec<f32>,
    pub(super) split_indices: Vec<u32>,
    #[serde(default)]
    pub(super) split_type: Vec<u8>,
    #[serde(default)]
    pub(super) sum_hessian: Vec<f32>,
    #[serde(default)]
    pub(super) tree_param: TreeParameters,
}

#[derive(Default, Serialize, Deserialize)]
pub(super) struct TreeParameters {
    pub(super) num_deleted: String,
    pub(super) num_feature: String,
    pub(super) num_nodes: String,
    pub(super) size_leaf_vector: String,
}

fn one() -> String {
    "1".into()
}

fn zero() -> String {
    "0".into()
}

/// Version 1 wrote `true` and `false`, later ones 1 and 0.
fn flags<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Flag {
        Number(u8),
        Bool(bool),
    }
    let flags = Vec::<Flag>::deserialize(deserializer)?;
    let number = |flag| match flag {
        Flag::Number(number) => number,
        Flag::Bool(bool) => u8::from(bool),
    };
    Ok(flags.into_iter().map(number).collect())
}
