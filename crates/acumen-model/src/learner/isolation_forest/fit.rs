//! Fitting: trees on a few rows each, side by side, and the oldest of them replaced.

use acumen_base::{ColumnKind, Seed};
use rayon::prelude::*;

use super::grow::{Ground, grow};
use super::parameters::IsolationParams;
use super::sample;
use crate::data::{Dataset, Matrix};
use crate::fitted::FittedModel;
use crate::forest::CATEGORY_ORDINAL_MAX;
use crate::isolation::{IsolationForest, IsolationNode, IsolationTree};
use crate::learner::threads::threads;
use crate::learner::{Checked, FitError, Fitted, Importance, Progress, TrainingLog, checks};
use acumen_base::random::Stream;

/// Trees between two reports of progress.
const TREES_TOGETHER: usize = 32;
/// Fewer rows cannot be told apart.
const ROWS_MIN: usize = 2;

impl Checked for IsolationParams {
    fn fit(
        &self,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        let nothing = IsolationForest {
            n_features: train.matrix.data.len(),
            generation: 0,
            trees: Vec::new(),
        };
        self.grow_onto(nothing, train, valid, seed, progress)
    }

    fn goes_on_from(&self, previous: &FittedModel, n_columns: usize) -> bool {
        match previous {
            FittedModel::IsolationForest(forest) => {
                let is_oblique = self.extension_level > 0;
                forest.n_features == n_columns && forest.is_oblique() == is_oblique
            }
            _ => false,
        }
    }

    fn fit_from(
        &self,
        previous: &FittedModel,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        match previous {
            FittedModel::IsolationForest(forest)
                if self.goes_on_from(previous, train.matrix.data.len()) =>
            {
                let kept = self.newest(forest);
                self.grow_onto(kept, train, valid, seed, progress)
            }
            _ => self.fit(train, valid, seed, progress),
        }
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers become JSON")
    }
}

impl IsolationParams {
    /// The trees that a retraining keeps.
    fn newest(&self, forest: &IsolationForest) -> IsolationForest {
        let replaced = ((self.refresh * self.n_estimators as f64).ceil() as usize).max(1);
        let kept = (self.n_estimators - replaced).min(forest.trees.len());
        IsolationForest {
            n_features: forest.n_features,
            generation: forest.generation + 1,
            trees: forest.trees[forest.trees.len() - kept..].to_vec(),
        }
    }

    /// Adds trees until there are as many as wanted: on all rows at first, later on the newest.
    fn grow_onto(
        &self,
        mut forest: IsolationForest,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        check(train, valid)?;
        let n_rows = train.matrix.n_rows;
        let generation = forest.generation;
        let share = if generation == 0 { 1.0 } else { self.refresh };
        let newest = ((share * n_rows as f64).ceil() as usize).clamp(ROWS_MIN, n_rows);
        let plot = Plot {
            params: self,
            train,
            first: n_rows - newest,
            seed: seed.derive(&format!("isolation {} generation {generation}", self.seed)),
        };
        let pool = threads(self.n_threads)?;
        while forest.trees.len() < self.n_estimators {
            let until = (forest.trees.len() + TREES_TOGETHER).min(self.n_estimators);
            let places = (forest.trees.len()..until).into_par_iter();
            let grown: Vec<IsolationTree> =
                pool.install(|| places.map(|tree| plot.tree(tree)).collect());
            forest.trees.extend(grown);
            progress(at(until, self.n_estimators));
        }
        Ok(fitted(forest, train))
    }
}

/// What the trees of one fit share.
struct Plot<'a> {
    params: &'a IsolationParams,
    train: &'a Dataset,
    /// The first row that is drawn from; rows are in the order of time.
    first: usize,
    seed: Seed,
}

impl Plot<'_> {
    fn tree(&self, tree: usize) -> IsolationTree {
        let matrix = &self.train.matrix;
        let mut random = Stream::new(self.seed.derive(&format!("tree {tree}")));
        let rows = sample::rows(
            &mut random,
            (self.first, matrix.n_rows),
            self.train.weight.as_deref(),
            self.params.max_samples,
        );
        let columns = sample::columns(&mut random, matrix.data.len(), self.params.max_features);
        let ground = Ground {
            matrix,
            columns,
            extension_level: self.params.extension_level,
            random,
        };
        grow(ground, rows)
    }
}

fn at(round: usize, rounds: usize) -> Progress {
    Progress {
        round,
        rounds,
        metric: "trees",
        value: None,
        best_round: round,
    }
}

/// Outcomes are not looked at: whatever they are, the rows teach.
fn check(train: &Dataset, valid: Option<&Dataset>) -> Result<(), FitError> {
    checks::shape("training", train)?;
    checks::same_columns(train, valid)?;
    if train.matrix.n_rows < ROWS_MIN {
        return Err(FitError::TooFewRows {
            rows: train.matrix.n_rows,
            least: ROWS_MIN,
        });
    }
    for (column, values) in train.matrix.columns.list.iter().zip(&train.matrix.data) {
        let is_ordinal = |v: f32| v.fract() == 0.0 && (0.0..CATEGORY_ORDINAL_MAX).contains(&v);
        let bad = values
            .iter()
            .find(|value| !value.is_nan() && !is_ordinal(**value));
        if let (ColumnKind::Category, Some(value)) = (column.kind, bad) {
            return Err(FitError::Categories {
                column: column.name.clone(),
                value: *value,
                limit: CATEGORY_ORDINAL_MAX as usize,
            });
        }
    }
    Ok(())
}

fn fitted(forest: IsolationForest, train: &Dataset) -> Fitted {
    Fitted {
        importances: importances(&forest, &train.matrix),
        log: TrainingLog {
            metric: "trees",
            values: Vec::new(),
            rounds_run: forest.trees.len(),
            best_round: forest.trees.len(),
        },
        model: FittedModel::IsolationForest(forest),
    }
}

/// By how much the splits on each column told path lengths apart: rows times variance between the
/// two sides, equally shared by the columns of a plane.
fn importances(forest: &IsolationForest, matrix: &Matrix) -> Vec<Importance> {
    let named = matrix.columns.list.iter().map(|column| Importance {
        column: column.name.clone(),
        total_gain: 0.0,
        splits: 0,
    });
    let mut found: Vec<Importance> = named.collect();
    for tree in &forest.trees {
        let places = tree.places().expect("a tree that was just grown");
        for (node, at) in tree.nodes.iter().zip(&places) {
            let columns = columns_of(node);
            let (left, right) = (places[at.left as usize], places[at.right as usize]);
            let between = (left.rows * right.rows) as f64 / at.rows.max(1) as f64;
            let gain = between * (left.length - right.length).powi(2) / columns.len().max(1) as f64;
            for column in columns {
                found[column as usize].total_gain += gain;
                found[column as usize].splits += 1;
            }
        }
    }
    found.retain(|importance| importance.splits > 0);
    found.sort_by(|a, b| b.total_gain.total_cmp(&a.total_gain));
    found
}

fn columns_of(node: &IsolationNode) -> Vec<u32> {
    match node {
        IsolationNode::Leaf(_) => Vec::new(),
        IsolationNode::Below(column, ..) | IsolationNode::Among(column, ..) => vec![*column],
        IsolationNode::Plane(terms) => terms.iter().map(|term| term.column).collect(),
    }
}
