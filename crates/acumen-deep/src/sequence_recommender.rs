//! `recurrent`: a network over the events of a user that says which item comes next.
//!
//! GRU4Rec (Hidasi et al. 2016) with what was found to matter since: the cross-entropy over all
//! items instead of a few negatives (Klenitskiy and Vasilev 2023), item vectors that are input and
//! output at once (Hidasi and Karatzoglou 2018), and every event of a window as a target. Users'
//! events are cut into windows at another place in every epoch.
//!
//! The gradient of the output is computed here, in pieces that fit a cache
//! ([`Softmax`]), and handed to the framework as a sum whose gradient it is: a table of
//! events × items is never kept.

use acumen_base::Seed;
use acumen_model::network::{Cell, CellKind};
use acumen_model::recommend::{
    CheckedRecommender, RecommendData, RecommendError, RecommendLearner, Recurrent, Source,
};
use acumen_model::{ParamDoc, ParamProblem, ParamRange, Params, Progress, Reader};
use burn::grad_clipping::GradientClippingConfig;
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use crate::architecture::device;
use crate::draws::Draws;
use crate::layers::{drop_out, export, linear, numbers, parameter, select};
use crate::parameters::{self as shared, finish};
use crate::recommend::epochs::{BATCH_SIZE, rate};
use crate::recommend::softmax::Softmax;
use crate::recommend::windows::{Batch, Windows, liked};

#[cfg(test)]
mod tests;

/// The largest norm of the gradient of one tensor.
const GRADIENT_NORM_MAX: f32 = 1.0;

/// What comes next, by the name `recurrent`.
#[derive(Debug)]
pub struct SequenceRecommender;

const DOCS: &[ParamDoc] = &[
    ParamDoc {
        name: "width",
        aliases: &["embedding"],
        range: ParamRange::Whole(1, 1_024),
        default: "64",
        doc: "how many numbers describe an item",
    },
    shared::units("128", "how many numbers the cell remembers"),
    ParamDoc {
        name: "window",
        aliases: &["last"],
        range: ParamRange::Whole(2, 1_000),
        default: "100",
        doc: "how many of the newest events are read",
    },
    ParamDoc {
        name: "dropout",
        aliases: &[],
        range: ParamRange::Number(0.0, 0.9),
        default: "0.2",
        doc: "the share of inputs and of what is remembered that a step of training leaves out",
    },
    shared::LEARNING_RATE,
    BATCH_SIZE,
    ParamDoc {
        name: "epochs",
        aliases: &[],
        range: ParamRange::Whole(1, 10_000),
        default: "10",
        doc: "how often all events are gone through; the rate falls to 0 by the end",
    },
    shared::WEIGHT_DECAY,
    shared::SEED,
];

#[derive(Debug, Serialize)]
struct SequenceParams {
    width: usize,
    units: usize,
    window: usize,
    dropout: f64,
    learning_rate: f64,
    batch_size: usize,
    epochs: usize,
    weight_decay: f64,
    seed: u64,
}

/// The weights.
#[derive(Module, Debug)]
struct Weights {
    items: Param<Tensor<2>>,
    bias: Param<Tensor<2>>,
    input: Linear,
    recurrent: Linear,
    output: Linear,
}

impl RecommendLearner for SequenceRecommender {
    fn name(&self) -> &'static str {
        "recurrent"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["gru4rec"]
    }

    fn doc(&self) -> &'static str {
        "A recurrent network over the newest events: which item comes next, by their order. Takes \
         minutes to train where counting takes seconds."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>> {
        let reader = Reader::new(params, DOCS);
        let read = SequenceParams {
            width: reader.whole("width", 64),
            units: reader.whole("units", 128),
            window: reader.whole("window", 100),
            dropout: reader.number("dropout", 0.2),
            learning_rate: reader.number("learning_rate", 0.002),
            batch_size: reader.whole("batch_size", 3_200),
            epochs: reader.whole("epochs", 10),
            weight_decay: reader.number("weight_decay", 1e-4),
            seed: reader.whole("seed", 0) as u64,
        };
        Ok(Box::new(finish(read, reader)?))
    }
}

impl CheckedRecommender for SequenceParams {
    fn fit(
        &self,
        data: &RecommendData<'_>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError> {
        let windows = Windows::new(liked(data.interactions), self.window);
        if windows.is_empty() {
            return Err(RecommendError::NoInterest);
        }
        let seed = seed.derive(&format!("sequence {}", self.seed));
        let mut training = Training::start(self, data.interactions.n_items(), seed);
        for epoch in 1..=self.epochs {
            let loss = training.epoch(&windows, epoch);
            if !loss.is_finite() {
                return Err(RecommendError::Diverged { epoch });
            }
            progress(Progress {
                round: epoch,
                rounds: self.epochs,
                metric: "loss",
                value: Some(loss),
                best_round: epoch,
            });
        }
        let source = Source::Recurrent(training.export());
        let checked = source.check();
        checked.map_err(|_| RecommendError::Diverged { epoch: self.epochs })?;
        Ok(source)
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers become JSON")
    }
}

/// A network in the making.
struct Training<'a> {
    params: &'a SequenceParams,
    device: Device,
    cuts: Draws,
    dropped: Draws,
    optimiser: ModuleOptimizer,
    weights: Option<Weights>,
}

impl<'a> Training<'a> {
    fn start(params: &'a SequenceParams, items: usize, seed: Seed) -> Training<'a> {
        let device = device();
        let optimiser = AdamWConfig::new()
            .with_epsilon(1e-8)
            .with_weight_decay(params.weight_decay as f32)
            .with_grad_clipping(Some(GradientClippingConfig::Norm(GRADIENT_NORM_MAX)))
            .init();
        let mut draws = Draws::new(seed, "weights");
        Training {
            weights: Some(Weights::new(params, items, &mut draws, &device)),
            cuts: Draws::new(seed, "cuts"),
            dropped: Draws::new(seed, "dropout"),
            params,
            device,
            optimiser,
        }
    }

    /// Goes through all events; gives the mean loss of a target.
    fn epoch(&mut self, windows: &Windows, epoch: usize) -> f64 {
        let batches = windows.batches(self.params.batch_size, &mut self.cuts);
        let (mut loss, mut targets) = (0.0, 0);
        for (at, batch) in batches.iter().enumerate() {
            let done = (epoch - 1) as f64 + at as f64 / batches.len() as f64;
            let rate = rate(done / self.params.epochs as f64) * self.params.learning_rate;
            let seen = batch.targets.iter().flatten().count();
            loss += self.step(batch, rate) * seen as f64;
            targets += seen;
        }
        loss / targets.max(1) as f64
    }

    /// Looks at a batch; gives the mean loss of its targets before the step.
    fn step(&mut self, batch: &Batch, rate: f64) -> f64 {
        let weights = self.weights.take().expect("they are put back after a step");
        let hidden = self.remember(&weights, batch);
        let hidden = drop_out(hidden, self.params.dropout, &mut self.dropped, &self.device);
        let users = weights.output.forward(hidden);
        let (items, bias) = (weights.items.val(), weights.bias.val());
        let found = Softmax::new(items.clone(), bias.clone()).of(&users, &batch.targets);
        // Its gradient is that of the loss.
        let stands_for =
            (users * found.users).sum() + (items * found.items).sum() + (bias * found.bias).sum();
        let gradients = GradientsParams::from_grads(stands_for.backward(), &weights);
        self.weights = Some(self.optimiser.step(rate, weights, gradients));
        found.loss
    }

    /// What the cell remembers behind every event of a batch; lines are ordered by step.
    fn remember(&mut self, weights: &Weights, batch: &Batch) -> Tensor<2> {
        let (lines, units) = (batch.lines, self.params.units);
        let events = select(weights.items.val(), batch.inputs.clone(), &self.device);
        let inputs = drop_out(events, self.params.dropout, &mut self.dropped, &self.device);
        let sums = weights.input.forward(inputs);
        let mut hidden = Tensor::<2>::zeros([lines, units], &self.device);
        let mut course = Vec::with_capacity(batch.steps());
        for step in 0..batch.steps() {
            let sums = sums.clone().narrow(0, step * lines, lines);
            let recurrent = weights.recurrent.forward(hidden.clone());
            let both =
                sums.clone().narrow(1, 0, 2 * units) + recurrent.clone().narrow(1, 0, 2 * units);
            let gates = sigmoid(both);
            let (reset, update) = (
                gates.clone().narrow(1, 0, units),
                gates.narrow(1, units, units),
            );
            let recalled = reset * recurrent.narrow(1, 2 * units, units);
            let candidate = (sums.narrow(1, 2 * units, units) + recalled).tanh();
            hidden = candidate.clone() + update * (hidden - candidate);
            course.push(hidden.clone());
        }
        Tensor::cat(course, 0)
    }

    fn export(&self) -> Recurrent {
        let weights = self.weights.as_ref();
        let weights = weights.expect("they are put back after a step");
        Recurrent {
            last: self.params.window,
            width: self.params.width,
            items: numbers(weights.items.val()),
            bias: numbers(weights.bias.val()),
            cell: Cell {
                kind: CellKind::Gru,
                input: export(&weights.input),
                recurrent: export(&weights.recurrent),
            },
            output: export(&weights.output),
        }
    }
}

impl Weights {
    fn new(params: &SequenceParams, items: usize, draws: &mut Draws, device: &Device) -> Weights {
        let (width, units) = (params.width, params.units);
        let limit = 1.0 / (units as f32).sqrt();
        let vectors = draws.uniform(items * width, 1.0 / (width as f32).sqrt());
        Weights {
            items: parameter(vectors, [items, width], device),
            bias: parameter(vec![0.0; items], [1, items], device),
            input: linear(
                (width, 3 * units),
                limit,
                vec![0.0; 3 * units],
                draws,
                device,
            ),
            recurrent: linear(
                (units, 3 * units),
                limit,
                vec![0.0; 3 * units],
                draws,
                device,
            ),
            output: linear((units, width), limit, vec![0.0; width], draws, device),
        }
    }
}
