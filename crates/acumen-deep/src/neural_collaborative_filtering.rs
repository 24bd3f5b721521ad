//! `neural_collaborative_filtering`: a product of what a user did and an item, beside a perceptron
//! over both.
//!
//! NeuMF (He et al. 2017, "Neural Collaborative Filtering") with the mean of the newest items in
//! place of a user's number (He et al. 2018, "NAIS: Neural Attentive Item Similarity Model"; here
//! what an event counts for is its weight and age). What came next is told from items drawn evenly
//! by the binary cross-entropy; all events of a step are compared with the same ones, so that what
//! these add is looked up once, and many cost little.

use acumen_base::Seed;
use acumen_model::recommend::{
    CheckedRecommender, NeuralCollaborative, Recency, RecommendData, RecommendError,
    RecommendLearner, Source,
};
use acumen_model::{ParamDoc, ParamProblem, ParamRange, Params, Progress, Reader};
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::activation::{log_sigmoid, relu};
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use crate::architecture::device;
use crate::draws::Draws;
use crate::layers::{Layers, drop_out, export, matrix, numbers, parameter, rectified, select};
use crate::parameters::finish;
use crate::recommend::epochs::{Pupil, TEACHING, Teaching, teach};
use crate::recommend::held_out::HeldOut;
use crate::recommend::past::{self, means};
use crate::recommend::windows::{Batch, Windows, liked};
use crate::recommend::{popularity, touches};

mod asked;
#[cfg(test)]
mod tests;

use asked::Asked;

/// A product and a perceptron, by the name `neural_collaborative_filtering`.
#[derive(Debug)]
pub struct NeuralCollaborativeFiltering;

const DOCS: &[ParamDoc] = &[
    ParamDoc {
        name: "width",
        aliases: &["embedding", "factors"],
        range: ParamRange::Whole(1, 1_024),
        default: "64",
        doc: "how many numbers describe an item of the past, and an item in the product",
    },
    ParamDoc {
        name: "layers",
        aliases: &["hidden"],
        range: ParamRange::Wholes(1, 1_024, 8),
        default: "32, 16",
        doc: "the widths of the dense layers before the output, the first one first; what an item adds in the first is as wide",
    },
    past::LAST,
    past::HISTORY_DECAY,
    ParamDoc {
        name: "negatives",
        aliases: &[],
        range: ParamRange::Whole(1, 10_000),
        default: "64",
        doc: "how many items, drawn evenly, the events of a step are compared with",
    },
    TEACHING[0],
    TEACHING[1],
    TEACHING[2],
    TEACHING[3],
    TEACHING[4],
    TEACHING[5],
    TEACHING[6],
];

#[derive(Debug, Serialize)]
struct NeuralParams {
    width: usize,
    layers: Vec<usize>,
    #[serde(flatten)]
    recency: Recency,
    negatives: usize,
    #[serde(flatten)]
    teaching: Teaching,
}

/// The weights.
#[derive(Module, Debug)]
struct Weights {
    past: Param<Tensor<2>>,
    product: Param<Tensor<2>>,
    first: Param<Tensor<2>>,
    bias: Param<Tensor<2>>,
    user: Linear,
    last: Layers,
}

/// What a network says of asked items, one line each: the logarithm of the odds.
struct Margins {
    next: Tensor<2>,
    /// Those of one event after those of the other.
    others: Tensor<2>,
}

impl RecommendLearner for NeuralCollaborativeFiltering {
    fn name(&self) -> &'static str {
        "neural_collaborative_filtering"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["ncf", "neumf"]
    }

    fn doc(&self) -> &'static str {
        "A product of a past and an item beside a perceptron over both: which items go with what \
         somebody did lately. Takes minutes to train."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>> {
        let reader = Reader::new(params, DOCS);
        let read = NeuralParams {
            width: reader.whole("width", 64),
            layers: reader.wholes("layers", &[32, 16]),
            recency: past::recency(&reader),
            negatives: reader.whole("negatives", 64),
            teaching: Teaching::read(&reader),
        };
        Ok(Box::new(finish(read, reader)?))
    }
}

impl CheckedRecommender for NeuralParams {
    fn fit(
        &self,
        data: &RecommendData<'_>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError> {
        let items = data.interactions.n_items();
        let mut sequences = liked(data.interactions);
        let held_out = HeldOut::take(&mut sequences, items);
        let touches = touches(&sequences, items);
        let windows = Windows::new(sequences, self.recency.last as usize);
        if windows.is_empty() {
            return Err(RecommendError::NoInterest);
        }
        let seed = seed.derive(&format!("neural {}", self.teaching.seed));
        let mut training = Training::start(self, windows, touches, seed);
        teach(&mut training, (&self.teaching, &held_out), progress)
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers become JSON")
    }
}

/// A network in the making.
struct Training<'a> {
    params: &'a NeuralParams,
    windows: Windows,
    /// How many events each item is in.
    touches: Vec<u32>,
    /// The items that are in any.
    touched: Vec<u32>,
    device: Device,
    cuts: Draws,
    drawn: Draws,
    dropped: Draws,
    optimiser: ModuleOptimizer,
    weights: Option<Weights>,
}

impl<'a> Training<'a> {
    fn start(
        params: &'a NeuralParams,
        windows: Windows,
        touches: Vec<u32>,
        seed: Seed,
    ) -> Training<'a> {
        let device = device();
        let mut draws = Draws::new(seed, "weights");
        let touched = (0_u32..).zip(&touches).filter(|(_, count)| **count > 0);
        Training {
            weights: Some(Weights::new(params, &touches, &mut draws, &device)),
            touched: touched.map(|(item, _)| item).collect(),
            cuts: Draws::new(seed, "cuts"),
            drawn: Draws::new(seed, "negatives"),
            dropped: Draws::new(seed, "dropout"),
            optimiser: params.teaching.optimiser(),
            params,
            windows,
            touches,
            device,
        }
    }

    /// The margins of the asked items.
    fn margins(&mut self, weights: &Weights, batch: &Batch, asked: &Asked) -> Margins {
        let device = &self.device;
        let lines = select(weights.past.val(), batch.inputs.clone(), device);
        let means = means(lines, batch, self.params.recency.decay, device);
        let dropout = self.params.teaching.dropout;
        let means = drop_out(means, dropout, &mut self.dropped, device);
        let users = weights.user.forward(means.clone());
        let of =
            |table: &Param<Tensor<2>>, items: &Vec<i32>| select(table.val(), items.clone(), device);
        let (events, others) = (asked.next.len(), asked.others.len());
        let units = self.params.layers[0];

        let next = (means.clone() * of(&weights.product, &asked.next)).sum_dim(1);
        let first = users.clone() + of(&weights.first, &asked.next);
        let next = next + of(&weights.bias, &asked.next) + weights.last.forward(relu(first));

        let bias = of(&weights.bias, &asked.others).transpose();
        let product = means.matmul(of(&weights.product, &asked.others).transpose()) + bias;
        let first = of(&weights.first, &asked.others).reshape([1, others, units]);
        let first = users.reshape([events, 1, units]) + first;
        let last = weights
            .last
            .forward(relu(first.reshape([events * others, units])));
        Margins {
            next,
            others: product.reshape([events * others, 1]) + last,
        }
    }

    /// The negative log likelihood of what came next and of what did not, in the mean of the events.
    fn loss(&self, margins: Margins, asked: &Asked) -> Tensor<1> {
        let column = |values: &Vec<f32>| matrix(values.clone(), [values.len(), 1], &self.device);
        let next = log_sigmoid(margins.next) * column(&asked.next_shares);
        let others = log_sigmoid(margins.others.neg()) * column(&asked.other_shares);
        (next.sum() + others.sum()).neg()
    }

    fn export(&self) -> NeuralCollaborative {
        let weights = self.weights.as_ref();
        let weights = weights.expect("they are put back after a step");
        let [past, product, first] = [&weights.past, &weights.product, &weights.first]
            .map(|table| self.touched_only(numbers(table.val()), 0.0));
        let bias = numbers(weights.bias.val());
        let least = self.touched.iter().map(|item| bias[*item as usize]);
        let least = least.reduce(f32::min).unwrap_or(0.0);
        NeuralCollaborative {
            recency: self.params.recency,
            width: self.params.width,
            past,
            product,
            first,
            bias: self.touched_only(bias, least),
            user: export(&weights.user),
            last: weights.last.export(),
        }
    }

    /// Lines of items, where nothing was learnt of those that nobody touched.
    fn touched_only(&self, mut lines: Vec<f32>, nothing: f32) -> Vec<f32> {
        let width = lines.len() / self.touches.len().max(1);
        let each = lines.chunks_exact_mut(width.max(1)).zip(&self.touches);
        let untouched = each.filter(|(_, count)| **count == 0);
        untouched.for_each(|(line, _)| line.fill(nothing));
        lines
    }
}

impl Pupil for Training<'_> {
    fn batches(&mut self) -> Vec<Batch> {
        let size = self.params.teaching.batch_size;
        self.windows.batches(size, &mut self.cuts)
    }

    fn step(&mut self, batch: &Batch, rate: f64) -> f64 {
        let weights = self.weights.take().expect("they are put back after a step");
        let negatives = self.params.negatives;
        let asked = Asked::new(batch, (&self.touched, negatives), &mut self.drawn);
        let margins = self.margins(&weights, batch, &asked);
        let loss = self.loss(margins, &asked);
        let value = loss.clone().into_scalar::<f32>();
        let gradients = GradientsParams::from_grads(loss.backward(), &weights);
        self.weights = Some(self.optimiser.step(rate, weights, gradients));
        f64::from(value)
    }

    fn source(&self) -> Source {
        Source::NeuralCollaborative(self.export())
    }
}

impl Weights {
    fn new(params: &NeuralParams, touches: &[u32], draws: &mut Draws, device: &Device) -> Weights {
        let (items, width, units) = (touches.len(), params.width, params.layers[0]);
        // Of so many items one came next.
        let odds = -(params.negatives as f32).ln();
        let mut table = |width: usize| {
            let lines = draws.uniform(items * width, 1.0 / (width as f32).sqrt());
            parameter(lines, [items, width], device)
        };
        let (past, product, first) = (table(width), table(width), table(units));
        let last: Vec<usize> = params.layers.iter().copied().chain([1]).collect();
        Weights {
            past,
            product,
            first,
            bias: parameter(popularity(touches), [items, 1], device),
            user: rectified((width, units), draws, device),
            last: Layers::new(&last, odds, draws, device),
        }
    }
}
