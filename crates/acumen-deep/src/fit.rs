//! Fitting a classifier, and what a fitted network says of its columns.

use acumen_base::Seed;
use acumen_model::forest::Objective;
use acumen_model::metrics::{Curve, log_loss};
use acumen_model::network::{Body, Stack};
use acumen_model::{
    Dataset, FitError, Fitted, FittedModel, Importance, Network, Progress, Scorer, check_rows,
};
use rayon::prelude::*;

use crate::architecture::Architecture;
use crate::draws::Draws;
use crate::parameters::{Classes, Schedule};
use crate::training::{Lesson, Metric, train};

/// Training rows that say how important columns are.
const EXPLAINED_MAX: usize = 32;

/// The rows of each class.
struct ByClass {
    positives: Vec<usize>,
    negatives: Vec<usize>,
    /// How many negatives an epoch draws.
    kept: usize,
    /// What all negatives weigh together.
    negative_weight: f64,
    /// The weights of rows in the loss, those of negatives by their mean: what stands for many
    /// rows stands for as many in the shift, and does not drown the positives.
    weight: Option<Vec<f32>>,
}

/// Checks rows for a classifier, which needs both outcomes.
pub(crate) fn check_classes(train: &Dataset, valid: Option<&Dataset>) -> Result<(), FitError> {
    check_rows(Objective::BinaryLogistic, train, valid)?;
    let first = train.outcome[0];
    match train.outcome.iter().all(|outcome| *outcome == first) {
        true => Err(FitError::OneClass {
            rows: train.outcome.len(),
            value: first,
        }),
        false => Ok(()),
    }
}

/// Fits a classifier to rows that passed [`check_classes`], starting from a network of the same
/// layout where there is one.
pub(crate) fn classify<A: Architecture>(
    architecture: &A,
    (schedule, classes): (&Schedule, &Classes),
    (rows, valid): (&Dataset, Option<&Dataset>),
    from: Option<&Body>,
    seed: Seed,
    progress: &mut dyn FnMut(Progress),
) -> Result<Fitted, FitError> {
    let by_class = ByClass::of(rows, classes.negatives);
    let log_odds = (by_class.positives.len() as f64 / by_class.kept as f64).ln();
    let shift = by_class.shift();
    // Its margins were moved back to those of all rows: it learns those of the rows drawn now.
    let from = from.map(|body| {
        let mut body = body.clone();
        move_margin(&mut body, -shift);
        body
    });
    let has_positives = valid.is_some_and(|valid| valid.positives() > 0);
    let by_precision = classes.eval_metric == "aucpr" && has_positives;
    let judge = |network: &Network| valid.map(|valid| value(network, valid, by_precision));
    let lesson = Lesson {
        schedule,
        train: rows,
        weight: by_class.weight.as_deref(),
        bias: log_odds as f32,
        from: from.as_ref(),
        draw: &|draws| by_class.draw(draws),
        finish: &|body| move_margin(body, shift),
        metric: Metric {
            name: if by_precision { "aucpr" } else { "logloss" },
            rises: by_precision,
            of: &judge,
        },
    };
    let (network, log) = train(architecture, &lesson, seed, progress)?;
    Ok(Fitted {
        importances: importances(&network, rows),
        model: FittedModel::Network(network),
        log,
    })
}

/// Whether layers have these widths before the margin.
pub(crate) fn is_stacked(stack: &Stack, widths: &[usize]) -> bool {
    let outputs = stack.layers.iter().map(|layer| layer.outputs);
    outputs.eq(widths.iter().copied().chain([1]))
}

impl Schedule {
    /// What training goes on from: the network of a model over so many columns, if it is laid out
    /// as the parameters say.
    pub(crate) fn goes_on_from<'a, T>(
        &self,
        previous: &'a FittedModel,
        n_columns: usize,
        laid_out: impl FnOnce(&'a Body) -> Option<T>,
    ) -> Option<(&'a Body, T)> {
        let FittedModel::Network(network) = previous else {
            return None;
        };
        let goes_on = self.warm_start > 0 && network.n_features == n_columns;
        let body = goes_on.then_some(&*network.body)?;
        Some((body, laid_out(body)?))
    }
}

impl ByClass {
    fn of(rows: &Dataset, per_positive: usize) -> ByClass {
        let is_positive = |row: &usize| rows.outcome[*row] > 0.5;
        let (positives, negatives): (Vec<usize>, Vec<usize>) =
            (0..rows.len()).partition(is_positive);
        let kept = match per_positive {
            0 => negatives.len(),
            many => negatives.len().min(many.saturating_mul(positives.len())),
        };
        let of = |row: &usize| rows.weight.as_ref().map_or(1.0, |weight| weight[*row]);
        let negative_weight = negatives.iter().map(|row| f64::from(of(row))).sum();
        let mean = (negative_weight / negatives.len() as f64) as f32;
        let relative = |row: usize| match is_positive(&row) {
            true => of(&row),
            false => of(&row) / mean,
        };
        ByClass {
            weight: (rows.weight.is_some()).then(|| (0..rows.len()).map(relative).collect()),
            positives,
            negatives,
            kept,
            negative_weight,
        }
    }

    fn draw(&self, draws: &mut Draws) -> Vec<usize> {
        let mut negatives = self.negatives.clone();
        draws.shuffle(&mut negatives, self.kept);
        let mut rows = self.positives.clone();
        rows.extend(&negatives[..self.kept]);
        let count = rows.len();
        draws.shuffle(&mut rows, count);
        rows
    }

    /// How far the margin of rows drawn so is from that of all rows: leaving out negatives
    /// multiplies the odds (King and Zeng 2001, "Logistic regression in rare events data", prior
    /// correction).
    fn shift(&self) -> f32 {
        (self.kept as f64 / self.negative_weight).ln() as f32
    }
}

fn value(network: &Network, valid: &Dataset, by_precision: bool) -> f64 {
    let margins = network.margins_many(&valid.matrix).into_iter();
    let predicted: Vec<f64> = margins
        .map(|margin| Objective::BinaryLogistic.transform(margin))
        .collect();
    let (outcome, weight) = (&valid.outcome, valid.weight.as_deref());
    match by_precision {
        true => {
            let precision = Curve::weighted(&predicted, outcome, weight).average_precision();
            precision.expect("there are positive rows")
        }
        false => log_loss(&predicted, outcome, weight),
    }
}

fn move_margin(body: &mut Body, by: f32) {
    let head: Option<&mut Stack> = match body {
        Body::FeedForward(body) => Some(&mut body.layers),
        Body::Recurrent(body) => Some(&mut body.head),
        Body::Graph(body) => Some(&mut body.head),
        Body::Autoencoder(_) => None,
    };
    let last = head.and_then(|head| head.layers.last_mut());
    for bias in last.into_iter().flat_map(|last| &mut last.bias) {
        *bias += by;
    }
}

/// By how much each column moves the margin on average, over some training rows.
pub(crate) fn importances(network: &Network, rows: &Dataset) -> Vec<Importance> {
    let matrix = &rows.matrix;
    let step = matrix.n_rows.div_ceil(EXPLAINED_MAX).max(1);
    let chosen: Vec<usize> = (0..matrix.n_rows).step_by(step).collect();
    let explained: Vec<Vec<f64>> = chosen
        .par_iter()
        .map(|row| {
            let values: Vec<f32> = matrix.data.iter().map(|column| column[*row]).collect();
            network.explain(&values).contributions
        })
        .collect();
    let names = matrix.columns.list.iter().map(|column| column.name.clone());
    let mut found: Vec<Importance> = names
        .enumerate()
        .map(|(column, name)| {
            let sizes = explained.iter().map(|moved| moved[column].abs());
            Importance {
                column: name,
                total_gain: sizes.sum::<f64>() / explained.len().max(1) as f64,
                splits: 0,
            }
        })
        .collect();
    found.retain(|importance| importance.total_gain > 0.0);
    found.sort_by(|a, b| b.total_gain.total_cmp(&a.total_gain));
    found
}
