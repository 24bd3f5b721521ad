//! Training: epochs of mini-batches, and a look at the validation rows after each. It starts from
//! drawn weights, or from those of an earlier network of the same layout.
//!
//! The optimiser is AdamW (Loshchilov and Hutter 2019, "Decoupled weight decay regularization").
//! Weights are drawn from the seed here and handed over as tensors.

use acumen_base::Seed;
use acumen_model::network::Body;
use acumen_model::{Dataset, FitError, Network, Progress, TrainingLog};
use burn::grad_clipping::GradientClippingConfig;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};

use crate::architecture::{Architecture, device};
use crate::draws::Draws;
use crate::layers::matrix;
use crate::parameters::Schedule;

/// The largest norm of the gradient of one tensor.
const GRADIENT_NORM_MAX: f32 = 1.0;

/// What is to be learnt, and how it is judged.
pub(crate) struct Lesson<'a> {
    pub(crate) schedule: &'a Schedule,
    pub(crate) train: &'a Dataset,
    /// How much each of its rows counts in the loss; `None` is 1 each.
    pub(crate) weight: Option<&'a [f32]>,
    /// The margin to start from.
    pub(crate) bias: f32,
    /// The network to start from, instead of drawn weights; it is judged like an epoch, so that
    /// what comes of it is no worse on the validation rows.
    pub(crate) from: Option<&'a Body>,
    /// The rows of the next epoch, in the order in which they are looked at.
    pub(crate) draw: &'a dyn Fn(&mut Draws) -> Vec<usize>,
    /// What is still to be done to a network before it is judged or served.
    pub(crate) finish: &'a dyn Fn(&mut Body),
    pub(crate) metric: Metric<'a>,
}

/// What is watched on the validation rows.
pub(crate) struct Metric<'a> {
    pub(crate) name: &'static str,
    /// Whether more is better.
    pub(crate) rises: bool,
    /// Its value, where there are validation rows.
    pub(crate) of: &'a dyn Fn(&Network) -> Option<f64>,
}

/// A network in the making.
struct Training<'a, A: Architecture> {
    architecture: &'a A,
    lesson: &'a Lesson<'a>,
    device: Device,
    draws: Draws,
    optimiser: ModuleOptimizer,
    weights: Option<A::Weights>,
    best: Option<Network>,
    values: Vec<f64>,
    best_value: Option<f64>,
    /// 0 is what it started from.
    best_epoch: usize,
}

/// Trains a network; the best epoch is kept.
pub(crate) fn train<A: Architecture>(
    architecture: &A,
    lesson: &Lesson<'_>,
    seed: Seed,
    progress: &mut dyn FnMut(Progress),
) -> Result<(Network, TrainingLog), FitError> {
    let mut training = Training::start(architecture, lesson, seed);
    let epochs = match lesson.from {
        Some(_) => {
            training.look(0)?;
            lesson.schedule.warm_start
        }
        None => lesson.schedule.epochs,
    };
    let mut epoch = 0;
    while epoch < epochs {
        epoch += 1;
        training.epoch(epoch)?;
        progress(Progress {
            round: epoch,
            rounds: epochs,
            metric: lesson.metric.name,
            value: training.values.last().copied(),
            best_round: training.best_epoch,
        });
        let patience = lesson.schedule.patience;
        if patience > 0 && epoch - training.best_epoch >= patience {
            break;
        }
    }
    let log = TrainingLog {
        metric: lesson.metric.name,
        values: training.values,
        rounds_run: epoch,
        best_round: training.best_epoch,
    };
    Ok((
        training.best.expect("the first epoch is the best so far"),
        log,
    ))
}

impl<'a, A: Architecture> Training<'a, A> {
    fn start(architecture: &'a A, lesson: &'a Lesson<'a>, seed: Seed) -> Training<'a, A> {
        let device = device();
        let seed = seed.derive(&format!("network {}", lesson.schedule.seed));
        let mut weights = Draws::new(seed, "weights");
        let optimiser = AdamWConfig::new()
            .with_epsilon(1e-8)
            .with_weight_decay(lesson.schedule.weight_decay as f32)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(GRADIENT_NORM_MAX)))
            .init();
        let resumed = lesson
            .from
            .and_then(|body| architecture.resume(body, &device));
        let mut start = || architecture.start(lesson.bias, &mut weights, &device);
        Training {
            weights: Some(resumed.unwrap_or_else(&mut start)),
            draws: Draws::new(seed, "rows"),
            architecture,
            lesson,
            device,
            optimiser,
            best: None,
            values: Vec::new(),
            best_value: None,
            best_epoch: 0,
        }
    }

    fn epoch(&mut self, epoch: usize) -> Result<(), FitError> {
        let rows = (self.lesson.draw)(&mut self.draws);
        for batch in rows.chunks(self.lesson.schedule.batch_size) {
            if !self.step(batch).is_finite() {
                return Err(FitError::Diverged { epoch });
            }
        }
        let value = self.look(epoch)?;
        self.values.extend(value);
        Ok(())
    }

    /// Judges the network as it is; gives its value on the validation rows.
    fn look(&mut self, epoch: usize) -> Result<Option<f64>, FitError> {
        let weights = self
            .weights
            .as_ref()
            .expect("they are put back after a step");
        let mut body = self.architecture.export(weights);
        (self.lesson.finish)(&mut body);
        let network = Network {
            n_features: self.lesson.train.matrix.data.len(),
            body: Box::new(body),
        };
        if network.check().is_err() {
            return Err(FitError::Diverged { epoch });
        }
        Ok(self.judge(epoch, network))
    }

    /// Looks at a batch; gives the mean loss before the step.
    fn step(&mut self, batch: &[usize]) -> f32 {
        let train = self.lesson.train;
        let column = |value: &dyn Fn(usize) -> f32| -> Tensor<2> {
            let values = batch.iter().map(|row| value(*row)).collect();
            matrix(values, [batch.len(), 1], &self.device)
        };
        let weights = self.weights.take().expect("they are put back after a step");
        let output = self.architecture.output(&weights, &train.matrix, batch);
        let outcome = column(&|row| train.outcome[row]);
        let losses = self.architecture.losses(output, outcome);
        let loss = match self.lesson.weight {
            None => losses.mean(),
            Some(weight) => {
                let total: f32 = batch.iter().map(|row| weight[*row]).sum();
                (losses * column(&|row| weight[row]))
                    .sum()
                    .div_scalar(total)
            }
        };
        let value = loss.clone().into_scalar::<f32>();
        let gradients = GradientsParams::from_grads(loss.backward(), &weights);
        let rate = self.lesson.schedule.learning_rate;
        self.weights = Some(self.optimiser.step(rate, weights, gradients));
        value
    }

    fn judge(&mut self, epoch: usize, network: Network) -> Option<f64> {
        let metric = &self.lesson.metric;
        let value = (metric.of)(&network);
        let is_best = match (value, self.best_value) {
            (Some(value), Some(best)) if metric.rises => value > best,
            (Some(value), Some(best)) => value < best,
            _ => true,
        };
        if is_best {
            (self.best, self.best_epoch, self.best_value) = (Some(network), epoch, value);
        }
        value
    }
}
