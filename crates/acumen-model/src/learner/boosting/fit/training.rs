//! Rounds of gradients, a tree, and a look at the validation rows, whatever the loss is.

use std::sync::atomic::{AtomicU32, Ordering};

use acumen_base::Seed;
use rayon::prelude::*;

use super::super::grow::{Ground, Grower, Growth};
use super::super::histogram::Pair;
use super::super::objective::margin_of;
use super::super::parameters::BoostingParams;
use super::super::workers::Workers;
use super::draw;
use crate::binning::{BINS_MAX, BinnedMatrix};
use crate::data::Matrix;
use crate::fitted::FittedModel;
use crate::forest::{Forest, Tree};
use crate::learner::{FitError, Fitted, Importance, Progress, TrainingLog};

/// Rows whose gradients are computed by one task; part of no result.
pub(super) const PIECE: usize = 4_096;

/// What trees are fitted to, and what tells when to stop.
pub(in crate::learner) trait Loss: Send {
    /// Writes the first and the second derivative of the loss by the margin of every training row.
    fn differentiate(&mut self, margin: &[f32], pairs: &mut [Pair]);
    /// The name of what is watched on the validation rows.
    fn metric(&self) -> &'static str;
    /// Its value at the margins of the validation rows.
    fn value(&self, margin: &[f32]) -> f64;
    /// Whether `a` is better than `b`.
    fn is_better(&self, a: f64, b: f64) -> bool;
}

/// What trees grow on.
pub(in crate::learner) struct Given<'a> {
    pub(in crate::learner) train: &'a Matrix,
    /// How much each training row counts when bins are cut.
    pub(in crate::learner) weight: Option<&'a [f32]>,
    pub(in crate::learner) valid: Option<&'a Matrix>,
    /// The forest that training goes on from.
    pub(in crate::learner) previous: Option<&'a Forest>,
    /// The prediction before the first tree.
    pub(in crate::learner) base_score: f64,
}

/// Grows a forest that lowers a loss, which is given back as the last round left it.
pub(in crate::learner) fn grow<L: Loss>(
    params: &BoostingParams,
    given: &Given<'_>,
    loss: L,
    seed: Seed,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Fitted, L), FitError> {
    let workers = Workers::new(params.n_threads).map_err(|source| FitError::Threads {
        count: params.n_threads,
        source,
    })?;
    let mut training = workers.run(|| Training::start(params, given, loss, &workers, seed))?;
    if let Some(forest) = given.previous {
        workers.run(|| training.go_on_from(forest, given.train));
    }
    while training.trees.len() < training.rounds {
        workers.run(|| training.round());
        progress(training.progress());
        if training.should_stop() {
            break;
        }
    }
    Ok(training.finish(given.train))
}

/// A model in the making.
struct Training<'a, L> {
    params: &'a BoostingParams,
    loss: L,
    workers: &'a Workers,
    seed: Seed,
    bins: BinnedMatrix,
    growth: Growth,
    grower: Grower,
    base_score: f64,
    margin: Vec<f32>,
    added: Vec<AtomicU32>,
    pairs: Vec<Pair>,
    /// Of all training rows, where trees are fitted to some only.
    unbinned: Option<RowMajor>,
    validation: Option<Validation>,
    trees: Vec<Tree>,
    /// How many trees there are to be at most.
    rounds: usize,
    values: Vec<f64>,
    best_round: usize,
    best_value: Option<f64>,
}

/// The rows that tell when to stop.
struct Validation {
    rows: RowMajor,
    margin: Vec<f32>,
}

/// Values row by row, for walks down a tree.
struct RowMajor {
    width: usize,
    values: Vec<f32>,
}

impl<'a, L: Loss> Training<'a, L> {
    fn start(
        params: &'a BoostingParams,
        given: &Given<'_>,
        loss: L,
        workers: &'a Workers,
        seed: Seed,
    ) -> Result<Training<'a, L>, FitError> {
        let (train, n_rows) = (given.train, given.train.n_rows);
        let blocks_wanted = if workers.count() > 1 {
            3 * workers.count()
        } else {
            1
        };
        let bins = BinnedMatrix::new(train, given.weight, params.max_bin, blocks_wanted).map_err(
            |bad| FitError::Categories {
                column: train.columns.list[bad[0].column].name.clone(),
                value: bad[0].value,
                limit: BINS_MAX,
            },
        )?;
        let directions = bins
            .columns
            .iter()
            .map(|column| {
                params
                    .directions
                    .get(column.column)
                    .copied()
                    .unwrap_or_default()
            })
            .collect();
        let margin = margin_of(params.objective, given.base_score) as f32;
        Ok(Training {
            params,
            loss,
            workers,
            seed: seed.derive(&format!("boosting {}", params.seed)),
            growth: Growth {
                penalty: params.penalty(),
                learning_rate: params.learning_rate,
                max_depth: params.max_depth,
                max_leaves: params.max_leaves,
                lossguide: params.grow_policy == "lossguide",
                directions,
            },
            bins,
            grower: Grower::new(),
            base_score: given.base_score,
            margin: vec![margin; n_rows],
            added: (0..n_rows).map(|_| AtomicU32::new(0)).collect(),
            pairs: vec![[0.0; 2]; n_rows],
            unbinned: (params.subsample < 1.0).then(|| RowMajor::new(train)),
            validation: given.valid.map(|valid| Validation {
                rows: RowMajor::new(valid),
                margin: vec![margin; valid.n_rows],
            }),
            trees: Vec::with_capacity(params.n_estimators),
            rounds: params.n_estimators,
            values: Vec::new(),
            best_round: 0,
            best_value: None,
        })
    }

    /// Takes over the trees of an earlier model: the rounds to come mend what they leave.
    fn go_on_from(&mut self, forest: &Forest, train: &Matrix) {
        self.base_score = forest.base_score;
        self.rounds = forest.trees.len() + self.params.warm_start;
        let base = margin_of(forest.objective, forest.base_score) as f32;
        self.margin.fill(base);
        let rows = RowMajor::new(train);
        if let Some(valid) = &mut self.validation {
            valid.margin.fill(base);
        }
        for tree in &forest.trees {
            rows.add(tree, &mut self.margin);
            if let Some(valid) = &mut self.validation {
                valid.rows.add(tree, &mut valid.margin);
            }
        }
        self.trees.extend_from_slice(&forest.trees);
        self.best_round = self.trees.len();
        self.best_value = self.value();
    }

    /// One more tree.
    fn round(&mut self) {
        self.loss.differentiate(&self.margin, &mut self.pairs);
        let round = self.trees.len();
        let share = self.params.subsample;
        let n_rows = self.margin.len() as u32;
        if share < 1.0 {
            let drawn = draw::rows(self.seed, round, share);
            self.grower
                .rows
                .start((0..n_rows).filter(|row| drawn(*row)));
        } else {
            self.grower.rows.start(0..n_rows);
        }
        let n_columns = self.bins.columns.len();
        let enabled = draw::columns(self.seed, round, n_columns, self.params.colsample_bytree);
        let tree = self.grower.grow(&Ground {
            bins: &self.bins,
            workers: self.workers,
            growth: &self.growth,
            pairs: &self.pairs,
            enabled: &enabled,
            added: &self.added,
        });
        self.add(&tree);
        self.trees.push(tree);
        self.validate();
    }

    /// Adds a tree to the margins of the training rows.
    fn add(&mut self, tree: &Tree) {
        if let Some(rows) = &self.unbinned {
            rows.add(tree, &mut self.margin);
            return;
        }
        self.margin
            .par_chunks_mut(PIECE)
            .zip(self.added.par_chunks(PIECE))
            .for_each(|(margin, added)| {
                for (margin, added) in margin.iter_mut().zip(added) {
                    *margin += f32::from_bits(added.load(Ordering::Relaxed));
                }
            });
    }

    fn validate(&mut self) {
        let round = self.trees.len();
        if let Some(valid) = &mut self.validation {
            let tree = self.trees.last().expect("a tree was just added");
            valid.rows.add(tree, &mut valid.margin);
        }
        let Some(value) = self.value() else {
            self.best_round = round;
            return;
        };
        self.values.push(value);
        let is_better = |best| self.loss.is_better(value, best);
        if self.best_value.is_none_or(is_better) {
            (self.best_round, self.best_value) = (round, Some(value));
        }
    }

    /// The metric on the validation rows, where there are any.
    fn value(&self) -> Option<f64> {
        let valid = self.validation.as_ref()?;
        Some(self.loss.value(&valid.margin))
    }

    fn progress(&self) -> Progress {
        Progress {
            round: self.trees.len(),
            rounds: self.rounds,
            metric: self.loss.metric(),
            value: self.values.last().copied(),
            best_round: self.best_round,
        }
    }

    fn should_stop(&self) -> bool {
        self.params
            .early_stopping_rounds
            .is_some_and(|patience| self.trees.len() - self.best_round >= patience)
    }

    fn finish(mut self, matrix: &Matrix) -> (Fitted, L) {
        let rounds_run = self.trees.len();
        let kept = match self.params.early_stopping_rounds {
            Some(_) => self.best_round,
            None => rounds_run,
        };
        self.trees.truncate(kept);
        let fitted = Fitted {
            importances: importances(&self.trees, matrix),
            model: FittedModel::Forest(Forest {
                objective: self.params.objective,
                base_score: self.base_score,
                n_features: matrix.data.len(),
                trees: self.trees,
            }),
            log: TrainingLog {
                metric: self.loss.metric(),
                values: self.values,
                rounds_run,
                best_round: kept,
            },
        };
        (fitted, self.loss)
    }
}

impl RowMajor {
    fn new(matrix: &Matrix) -> RowMajor {
        let width = matrix.data.len();
        let mut values = vec![0.0; width * matrix.n_rows];
        values
            .par_chunks_mut(width.max(1))
            .enumerate()
            .for_each(|(row, out)| {
                for (out, column) in out.iter_mut().zip(&matrix.data) {
                    *out = column[row];
                }
            });
        RowMajor { width, values }
    }

    fn add(&self, tree: &Tree, margin: &mut [f32]) {
        let width = self.width.max(1);
        margin
            .par_chunks_mut(PIECE)
            .zip(self.values.par_chunks(PIECE * width))
            .for_each(|(margin, values)| {
                for (margin, row) in margin.iter_mut().zip(values.chunks(width)) {
                    *margin += leaf_value(tree, row);
                }
            });
    }
}

/// What a tree adds to the margin of a row.
fn leaf_value(tree: &Tree, row: &[f32]) -> f32 {
    let mut node = &tree.nodes[0];
    while !node.is_leaf() {
        let value = row[node.feature as usize];
        let left = match &node.categories {
            _ if value.is_nan() => node.default_left,
            Some(right) => right.binary_search(&(value as u32)).is_err(),
            None => value < node.threshold,
        };
        node = &tree.nodes[if left { node.left } else { node.right } as usize];
    }
    node.value
}

fn importances(trees: &[Tree], matrix: &Matrix) -> Vec<Importance> {
    let mut found: Vec<Importance> = (0..matrix.data.len())
        .map(|column| Importance {
            column: match matrix.columns.list.get(column) {
                Some(column) => column.name.clone(),
                None => format!("column {column}"),
            },
            total_gain: 0.0,
            splits: 0,
        })
        .collect();
    for node in trees
        .iter()
        .flat_map(|tree| &tree.nodes)
        .filter(|n| !n.is_leaf())
    {
        let importance = &mut found[node.feature as usize];
        importance.total_gain += f64::from(node.gain);
        importance.splits += 1;
    }
    found.retain(|importance| importance.splits > 0);
    found.sort_by(|a, b| b.total_gain.total_cmp(&a.total_gain));
    found
}
