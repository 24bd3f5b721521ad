//! XGBoost's JSON model format (as version 3 writes it), in both directions.
//!
//! A model trained here loads in any XGBoost, and the reverse: boosted trees for
//! `binary:logistic`, `reg:squarederror`, `reg:tweedie` and `reg:gamma`, numbers and categories, one
//! output.
//! Category columns hold ordinals; names of categories that a data-frame library stored beside
//! the model are not read.
//!
//! The format: <https://xgboost.readthedocs.io/en/release_3.2.0/tutorials/saving_model.html>.

use crate::forest::{BrokenForest, Forest, Objective};

mod shape;
mod tree;

use shape::{Booster, File, GbtreeParameters, Learner, Loss, Model, ModelParameters};

/// A forest with what XGBoost says of its columns.
#[derive(Clone, Debug, PartialEq)]
pub struct XgboostModel {
    /// The trees.
    pub forest: Forest,
    /// One name a column, or none at all.
    pub feature_names: Vec<String>,
    /// One type a column (`float`, `int`, `i` or `c` for a category), or none at all.
    pub feature_types: Vec<String>,
}

/// Why a file is not a model that can be read.
#[derive(Debug, thiserror::Error)]
pub enum XgboostError {
    /// Not JSON, or not the shape of a model.
    #[error(
        "not an XGBoost JSON model: {0} (save it with `booster.save_model(\"model.json\")`; \
         the binary `.ubj` format is not read)"
    )]
    Shape(#[from] serde_json::Error),
    /// A model of a kind that is not supported.
    #[error("`{field}` is `{found}`, and only {supported} can be read")]
    Unsupported {
        /// Which field of the file.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What it may hold.
        supported: &'static str,
    },
    /// A field that should be a number.
    #[error("`{field}` is `{found}`, which is not {expected}")]
    Number {
        /// Which field of the file.
        field: &'static str,
        /// What it holds.
        found: String,
        /// What it should hold.
        expected: &'static str,
    },
    /// A tree whose arrays do not fit together.
    #[error("tree {tree} of the file: {problem}")]
    Tree {
        /// Which tree, from 0.
        tree: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// Arrays that fit together but do not make a forest.
    #[error(transparent)]
    Broken(#[from] BrokenForest),
}

/// Reads a model.
pub fn read_xgboost_json(text: &str) -> Result<XgboostModel, XgboostError> {
    let file: File = serde_json::from_str(text)?;
    let learner = file.learner;
    let objective = objective(&learner)?;
    let parameters = &learner.learner_model_param;
    let n_features: usize = number("num_feature", &parameters.num_feature)?;
    for (field, found) in [
        ("num_class", &parameters.num_class),
        ("num_target", &parameters.num_target),
    ] {
        if number::<usize>(field, found)? > 1 {
            return Err(unsupported(field, found, "models with one output"));
        }
    }
    let trees = learner.gradient_booster.model.trees.iter().enumerate();
    let trees = trees.map(|(index, tree)| {
        tree::read(tree).map_err(|problem| XgboostError::Tree {
            tree: index,
            problem,
        })
    });
    let forest = Forest {
        objective,
        base_score: base_score(&parameters.base_score)?,
        n_features,
        trees: trees.collect::<Result<_, _>>()?,
    };
    forest.check()?;
    for (field, list) in [
        ("feature_names", &learner.feature_names),
        ("feature_types", &learner.feature_types),
    ] {
        if !list.is_empty() && list.len() != n_features {
            let found = format!("{} entries for {n_features} columns", list.len());
            return Err(unsupported(field, &found, "one entry a column, or none,"));
        }
    }
    Ok(XgboostModel {
        forest,
        feature_names: learner.feature_names,
        feature_types: learner.feature_types,
    })
}

/// Writes a model so that XGBoost 3 loads it; the same model gives the same bytes.
pub fn write_xgboost_json(model: &XgboostModel) -> String {
    let forest = &model.forest;
    let trees = forest.trees.iter().enumerate();
    let trees: Vec<_> = trees
        .map(|(index, tree)| tree::write(tree, index, forest.n_features))
        .collect();
    let file = File {
        version: [3, 2, 0],
        learner: Learner {
            attributes: Default::default(),
            feature_names: model.feature_names.clone(),
            feature_types: model.feature_types.clone(),
            gradient_booster: Booster {
                name: "gbtree".into(),
                model: Model {
                    cats: Default::default(),
                    gbtree_model_param: GbtreeParameters {
                        num_parallel_tree: "1".into(),
                        num_trees: trees.len().to_string(),
                    },
                    iteration_indptr: (0..=trees.len()).collect(),
                    tree_info: vec![0; trees.len()],
                    trees,
                },
            },
            learner_model_param: ModelParameters {
                base_score: format!("[{:E}]", forest.base_score as f32),
                boost_from_average: "1".into(),
                num_class: "0".into(),
                num_feature: forest.n_features.to_string(),
                num_target: "1".into(),
            },
            objective: Loss::of(forest.objective),
        },
    };
    serde_json::to_string(&file).expect("a model holds only text and finite numbers")
}

fn objective(learner: &Learner) -> Result<Objective, XgboostError> {
    let booster = &learner.gradient_booster.name;
    if booster != "gbtree" {
        let field = "learner.gradient_booster.name";
        return Err(unsupported(field, booster, "`gbtree`"));
    }
    let loss = &learner.objective;
    match loss.name.as_str() {
        "binary:logistic" => Ok(Objective::BinaryLogistic),
        "reg:squarederror" => Ok(Objective::SquaredError),
        "reg:gamma" => Ok(Objective::Gamma),
        "reg:tweedie" => {
            let power = loss.tweedie_regression_param.as_ref();
            let power = power.map_or("", |of| of.tweedie_variance_power.as_str());
            let parsed = power
                .parse()
                .ok()
                .filter(|power| (1.0..2.0).contains(power) && *power > 1.0);
            let variance_power = parsed.ok_or_else(|| XgboostError::Number {
                field: "tweedie_variance_power",
                found: power.into(),
                expected: "a number between 1 and 2",
            })?;
            Ok(Objective::Tweedie { variance_power })
        }
        name => {
            let supported = "`binary:logistic`, `reg:squarederror`, `reg:tweedie` and `reg:gamma`";
            Err(unsupported("learner.objective.name", name, supported))
        }
    }
}

/// `5E-1`, or since version 3.1 the list `[5E-1]`. XGBoost keeps it as `f32`.
fn base_score(text: &str) -> Result<f64, XgboostError> {
    let inner = text.trim().trim_start_matches('[').trim_end_matches(']');
    let score: f32 = inner.trim().parse().map_err(|_| XgboostError::Number {
        field: "base_score",
        found: text.into(),
        expected: "one number, such as `5E-1` or `[5E-1]`",
    })?;
    Ok(f64::from(score))
}

fn number<T: std::str::FromStr>(field: &'static str, found: &str) -> Result<T, XgboostError> {
    found.parse().map_err(|_| XgboostError::Number {
        field,
        found: found.into(),
        expected: "a whole number",
    })
}

fn unsupported(field: &'static str, found: &str, supported: &'static str) -> XgboostError {
    XgboostError::Unsupported {
        field,
        found: found.into(),
        supported,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{forest_and_rows, stump};

    fn model(forest: Forest) -> XgboostModel {
        XgboostModel {
            forest,
            feature_names: ["amount", "count", "channel"].map(String::from).into(),
            feature_types: ["float", "float", "c"].map(String::from).into(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        /// What is written is read back, and predicts the same bits.
        #[test]
        fn written_models_read_back((forest, rows) in forest_and_rows(6)) {
            let text = write_xgboost_json(&model(forest.clone()));
            let back = read_xgboost_json(&text).unwrap();
            prop_assert_eq!(&read_xgboost_json(&write_xgboost_json(&back)).unwrap(), &back);
            for row in &rows {
                for (a, b) in forest.trees.iter().zip(&back.forest.trees) {
                    prop_assert_eq!(a.value(row).to_bits(), b.value(row).to_bits());
                }
            }
        }
    }

    #[test]
    fn the_base_score_has_two_forms() {
        assert_eq!(base_score("5E-1").unwrap(), 0.5);
        assert_eq!(base_score("[1.5575E-1]").unwrap(), f64::from(0.15575_f32));
        assert!(base_score("[0.1,0.2]").is_err());
    }

    #[test]
    fn every_objective_reads_back() {
        let objectives = [
            Objective::SquaredError,
            Objective::Tweedie {
                variance_power: 1.3,
            },
            Objective::Gamma,
        ];
        for objective in objectives {
            let written = write_xgboost_json(&model(Forest {
                objective,
                ..stump()
            }));
            assert_eq!(
                read_xgboost_json(&written).unwrap().forest.objective,
                objective
            );
            let wrong = read_xgboost_json(&written.replace("\"1.3\"", "\"2\""));
            assert_eq!(wrong.is_err(), objective.name() == "reg:tweedie");
        }
    }

    #[test]
    fn errors_name_the_field() {
        let text = write_xgboost_json(&model(stump()));
        let wrong = |from: &str, to: &str| {
            assert!(text.contains(from), "{from} in {text}");
            read_xgboost_json(&text.replace(from, to))
                .unwrap_err()
                .to_string()
        };
        assert!(wrong("gbtree\"", "dart\"").contains("gradient_booster.name"));
        assert!(wrong("binary:logistic", "rank:pairwise").contains("rank:pairwise"));
        assert!(wrong("[2.5E-1]", "half").contains("`base_score` is `half`"));
        assert!(wrong("[2.5E-1]", "[2]").contains("base score of 2"));
        assert!(
            wrong(
                "\"num_feature\":\"3\",\"num_target",
                "\"num_feature\":\"0\",\"num_target"
            )
            .contains("rows have 0 columns")
        );
        assert!(wrong("\"left_children\":[1,", "\"left_children\":[9,").contains("tree 0"));
        assert!(wrong("\"left_children\":[1,", "\"left_children\":[0,").contains("tree 0"));
        assert!(wrong("\"split_indices\":[0,", "\"split_indices\":[").contains("split_indices"));
        assert!(wrong("\"trees\"", "\"shrubs\"").contains("trees"));
        assert!(
            read_xgboost_json("{")
                .unwrap_err()
                .to_string()
                .contains("save_model")
        );
    }
}
