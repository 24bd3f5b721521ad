//! Epochs of a network that recommends: the rate, stopping, and the best that is kept.

use acumen_model::recommend::{RecommendError, Source};
use acumen_model::{ParamDoc, ParamRange, Progress, Reader};
use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, ModuleOptimizer};
use serde::Serialize;

use super::held_out::HeldOut;
use super::windows::Batch;
use crate::parameters as shared;

/// The largest norm of the gradient of one tensor.
const GRADIENT_NORM_MAX: f32 = 1.0;
/// The share of all steps over which the rate rises from 0; it falls back to 0 over the others.
const WARMING: f64 = 0.05;

/// How a network is taught.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Teaching {
    pub(crate) dropout: f64,
    pub(crate) learning_rate: f64,
    pub(crate) batch_size: usize,
    pub(crate) epochs: usize,
    pub(crate) patience: usize,
    pub(crate) weight_decay: f64,
    pub(crate) seed: u64,
}

/// How large a step is.
pub(crate) const BATCH_SIZE: ParamDoc = ParamDoc {
    name: "batch_size",
    aliases: &[],
    range: ParamRange::Whole(1, 1_000_000),
    default: "3200",
    doc: "how many events a step of training looks at",
};

/// The parameters of [`Teaching`], in their order.
pub(crate) const TEACHING: [ParamDoc; 7] = [
    ParamDoc {
        name: "dropout",
        aliases: &[],
        range: ParamRange::Number(0.0, 0.9),
        default: "0.2",
        doc: "the share of the numbers of a past that a step of training leaves out",
    },
    shared::LEARNING_RATE,
    BATCH_SIZE,
    ParamDoc {
        name: "epochs",
        aliases: &[],
        range: ParamRange::Whole(1, 10_000),
        default: "10",
        doc: "how often all events are gone through at most; the rate falls to 0 by then",
    },
    ParamDoc {
        name: "patience",
        aliases: &["early_stopping_rounds"],
        range: ParamRange::Whole(0, 10_000),
        default: "2",
        doc: "training stops when the place of what a tenth of the users did last, which is held out, has not improved for so many epochs, and the best epoch is kept; 0 goes through all epochs and keeps the best all the same",
    },
    shared::WEIGHT_DECAY,
    shared::SEED,
];

impl Teaching {
    pub(crate) fn read(reader: &Reader<'_>) -> Teaching {
        Teaching {
            dropout: reader.number("dropout", 0.2),
            learning_rate: reader.number("learning_rate", 0.002),
            batch_size: reader.whole("batch_size", 3_200),
            epochs: reader.whole("epochs", 10),
            patience: reader.whole("patience", 2),
            weight_decay: reader.number("weight_decay", 1e-4),
            seed: reader.whole("seed", 0) as u64,
        }
    }

    /// What moves the weights.
    pub(crate) fn optimiser(&self) -> ModuleOptimizer {
        AdamWConfig::new()
            .with_epsilon(1e-8)
            .with_weight_decay(self.weight_decay as f32)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(GRADIENT_NORM_MAX)))
            .init()
    }
}

/// The rate of a step, as a share of the largest, where this share of all steps is done.
pub(crate) fn rate(done: f64) -> f64 {
    let rate = match done < WARMING {
        true => (done + 1e-3) / WARMING,
        false => (1.0 - done) / (1.0 - WARMING),
    };
    rate.min(1.0)
}

/// A network in the making.
pub(crate) trait Pupil {
    /// All events once, in batches.
    fn batches(&mut self) -> Vec<Batch>;
    /// Looks at a batch; gives the mean loss of its targets before the step.
    fn step(&mut self, batch: &Batch, rate: f64) -> f64;
    /// It, as it serves.
    fn source(&self) -> Source;
}

/// Goes through the epochs; the best is kept, or the last where none can be judged.
pub(crate) fn teach(
    pupil: &mut impl Pupil,
    (teaching, held_out): (&Teaching, &HeldOut),
    progress: &mut dyn FnMut(Progress),
) -> Result<Source, RecommendError> {
    let mut best: Option<(Option<f64>, usize, Source)> = None;
    for epoch in 1..=teaching.epochs {
        let loss = go_through(pupil, teaching, epoch);
        let diverged = || RecommendError::Diverged { epoch };
        if !loss.is_finite() {
            return Err(diverged());
        }
        let source = pupil.source();
        source.check().map_err(|_| diverged())?;
        let gain = held_out.gain(&source);
        let better = |(before, ..): &(Option<f64>, usize, Source)| gain.is_none() || gain > *before;
        if best.as_ref().is_none_or(better) {
            best = Some((gain, epoch, source));
        }
        let best_round = best.as_ref().map_or(epoch, |(_, round, _)| *round);
        progress(Progress {
            round: epoch,
            rounds: teaching.epochs,
            metric: if gain.is_some() { "ndcg" } else { "loss" },
            value: Some(gain.unwrap_or(loss)),
            best_round,
        });
        if teaching.patience > 0 && epoch - best_round >= teaching.patience {
            break;
        }
    }
    let (.., source) = best.expect("there is at least one epoch");
    Ok(source)
}

/// Goes through all events; gives the mean loss of a target.
fn go_through(pupil: &mut impl Pupil, teaching: &Teaching, epoch: usize) -> f64 {
    let batches = pupil.batches();
    let (mut loss, mut targets) = (0.0, 0);
    for (at, batch) in batches.iter().enumerate() {
        let done = (epoch - 1) as f64 + at as f64 / batches.len() as f64;
        let rate = rate(done / teaching.epochs as f64) * teaching.learning_rate;
        let seen = batch.targets.iter().flatten().count();
        loss += pupil.step(batch, rate) * seen as f64;
        targets += seen;
    }
    loss / targets.max(1) as f64
}
