//! The two arms: the current system, and what is tried.

use acumen_decision::ranking::Objectives;
use serde_json::{Value, json};

use super::shop::Plan;

/// What fills a list where the neighbours of what was done are fewer than its places.
const FILLER: f32 = 1e-3;

/// What is popular these days.
fn popular() -> (&'static str, Value) {
    ("popular", json!({"half_life_hours": 72}))
}

/// An item-kNN, as tuned as it can be.
pub(super) fn current(parameters: &Value) -> Plan {
    let weights = vec![1.0, FILLER];
    Plan {
        sources: vec![("item_similarity", parameters.clone()), popular()],
        weights: [weights.clone(), weights],
        objectives: Objectives::default(),
    }
}

/// The parameters that the item-kNN is chosen among.
pub(super) fn choices() -> Vec<Value> {
    let mut all = Vec::new();
    for shrinkage in [0.0, 5.0, 20.0] {
        for (last, decay) in [(0, 1.0), (0, 0.9), (20, 0.8), (5, 0.6)] {
            all.push(json!({
                "method": "cosine", "neighbours": 200, "shrinkage": shrinkage,
                "last": last, "history_decay": decay,
            }));
        }
    }
    all
}

/// All sources together.
pub(super) fn tried(knn: &Value) -> Plan {
    Plan {
        sources: vec![
            ("item_similarity", knn.clone()),
            (
                "matrix_factorization",
                json!({"factors": 32, "iterations": 8, "history_decay": 0.8, "last": 30}),
            ),
            ("content", json!({"last": 4, "history_decay": 0.6})),
            ("content", json!({"last": 60, "history_decay": 0.97})),
            (
                "sequential_cooccurrence",
                json!({"window": 4, "decay": 0.6, "last": 4, "history_decay": 0.5}),
            ),
            popular(),
        ],
        weights: [
            vec![0.1, 0.2, 0.2, 0.2, 0.1, 0.2],
            vec![0.1, 0.15, 0.35, 0.1, 0.2, 0.1],
        ],
        objectives: Objectives::default(),
    }
}
