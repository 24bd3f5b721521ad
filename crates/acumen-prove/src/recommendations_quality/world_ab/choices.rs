//! What the current system is chosen among.

use std::fmt;

/// The use case, with what is chosen left open.
const TEMPLATE: &str = include_str!("../../../projects/storefront/usecases/current/usecase.yaml");

/// An item-kNN: how much feedback weighs, its parameters, and what fills lists.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    weights: &'static str,
    parameters: String,
    filler: f64,
}

/// Every kind of feedback the same, or a purchase more than a click.
const WEIGHTS: [&str; 2] = [
    "{view: 1, click: 1, cart: 1, purchase: 1, hide: -1}",
    "{view: 1, click: 2, cart: 5, purchase: 10, hide: -10}",
];
/// How many of the newest events are read, and what an older one counts for.
const READ: [(u32, f64); 3] = [(0, 1.0), (20, 0.9), (10, 0.7)];
const SHRINKAGE: [f64; 2] = [20.0, 100.0];
/// What is popular hardly counts, or somewhat.
const FILLER: [f64; 2] = [0.001, 0.3];

impl Choice {
    /// All of them.
    pub(super) fn all() -> Vec<Choice> {
        let mut all = Vec::new();
        for weights in WEIGHTS {
            for (last, decay) in READ {
                for shrinkage in SHRINKAGE {
                    let parameters =
                        format!("shrinkage: {shrinkage}, last: {last}, history_decay: {decay}");
                    all.extend(FILLER.map(|filler| Choice {
                        weights,
                        parameters: parameters.clone(),
                        filler,
                    }));
                }
            }
        }
        all
    }

    /// The use case by a name.
    pub(super) fn use_case(&self, name: &str) -> String {
        TEMPLATE
            .replace("usecase: current", &format!("usecase: {name}"))
            .replace("weights: {weights}", &format!("weights: {}", self.weights))
            .replace("{parameters}", &self.parameters)
            .replace("{filler}", &self.filler.to_string())
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}, feedback {}, popular {}",
            self.parameters, self.weights, self.filler
        )
    }
}
