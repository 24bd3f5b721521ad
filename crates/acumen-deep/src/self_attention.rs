//! `self_attention`: every event of a user looks at those before it and says which item comes next.
//!
//! SASRec (Kang and McAuley 2018) with what was found to matter since: the cross-entropy over all
//! items instead of one negative (Klenitskiy and Vasilev 2023), or, of large catalogues, over the
//! items of the batch and many drawn evenly, corrected for how likely each was to be among them
//! (gSASRec, Petrov and Macdonald 2023, says why the correction is needed). Item vectors are input
//! and output at once, events' places are vectors that are learnt, counted from the newest one, and
//! all events of a window are targets of one pass.
//!
//! Users' events are cut into windows at another place in every epoch. The gradient of the output
//! is computed here ([`Softmax`]) and handed to the framework as a sum whose gradient it is.

use acumen_base::Seed;
use acumen_model::recommend::{
    CheckedRecommender, RecommendData, RecommendError, RecommendLearner, SelfAttention, Source,
};
use acumen_model::{ParamDoc, ParamProblem, ParamRange, Params, Progress, Reader};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use crate::architecture::device;
use crate::draws::Draws;
use crate::layers::{drop_out, matrix, numbers, select};
use crate::parameters::finish;
use crate::recommend::compared::{Compared, NEGATIVES, Popularity};
use crate::recommend::epochs::{Pupil, TEACHING, Teaching, teach};
use crate::recommend::held_out::HeldOut;
use crate::recommend::softmax::Softmax;
use crate::recommend::touches;
use crate::recommend::windows::{Batch, Windows, liked};

#[cfg(test)]
mod tests;
mod weights;

use weights::{Shape, Weights};

/// Attention over events, by the name `self_attention`.
#[derive(Debug)]
pub struct SelfAttentionLearner;

const DOCS: &[ParamDoc] = &[
    ParamDoc {
        name: "width",
        aliases: &["embedding"],
        range: ParamRange::Whole(1, 1_024),
        default: "64",
        doc: "how many numbers describe an item, and an event in every block",
    },
    ParamDoc {
        name: "blocks",
        aliases: &[],
        range: ParamRange::Whole(1, 8),
        default: "2",
        doc: "how often events look at those before them",
    },
    ParamDoc {
        name: "heads",
        aliases: &[],
        range: ParamRange::Whole(1, 64),
        default: "2",
        doc: "how many parts of an event look on their own; they share its `width`",
    },
    ParamDoc {
        name: "window",
        aliases: &["last"],
        range: ParamRange::Whole(2, 1_000),
        default: "100",
        doc: "how many of the newest events are read; time and memory of training grow with it",
    },
    NEGATIVES,
    TEACHING[0],
    TEACHING[1],
    TEACHING[2],
    TEACHING[3],
    TEACHING[4],
    TEACHING[5],
    TEACHING[6],
];

#[derive(Debug, Serialize)]
struct AttentionParams {
    width: usize,
    blocks: usize,
    heads: usize,
    window: usize,
    negatives: usize,
    #[serde(flatten)]
    teaching: Teaching,
}

impl RecommendLearner for SelfAttentionLearner {
    fn name(&self) -> &'static str {
        "self_attention"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["sasrec"]
    }

    fn doc(&self) -> &'static str {
        "Self-attention over the newest events: which item comes next, by whichever of them tell. \
         Takes minutes to train."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>> {
        let mut reader = Reader::new(params, DOCS);
        let read = AttentionParams {
            width: reader.whole("width", 64),
            blocks: reader.whole("blocks", 2),
            heads: reader.whole("heads", 2),
            window: reader.whole("window", 100),
            negatives: reader.whole("negatives", 4_096),
            teaching: Teaching::read(&reader),
        };
        if !read.width.is_multiple_of(read.heads) {
            let (width, heads) = (read.width, read.heads);
            reader.problem(
                "heads",
                format!("{heads} heads cannot share a `width` of {width}"),
                "take one that divides it".to_owned(),
            );
        }
        Ok(Box::new(finish(read, reader)?))
    }
}

impl CheckedRecommender for AttentionParams {
    fn fit(
        &self,
        data: &RecommendData<'_>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError> {
        let mut sequences = liked(data.interactions);
        let items = data.interactions.n_items();
        let held_out = HeldOut::take(&mut sequences, items);
        let touches = touches(&sequences, items);
        let windows = Windows::new(sequences, self.window);
        if windows.is_empty() {
            return Err(RecommendError::NoInterest);
        }
        let seed = seed.derive(&format!("self_attention {}", self.teaching.seed));
        let mut training = Training::start(self, (windows, touches), seed);
        teach(&mut training, (&self.teaching, &held_out), progress)
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers become JSON")
    }
}

/// A network in the making.
struct Training<'a> {
    params: &'a AttentionParams,
    windows: Windows,
    /// How many events each item is in.
    touches: Vec<u32>,
    popularity: Popularity,
    device: Device,
    cuts: Draws,
    drawn: Draws,
    dropped: Draws,
    optimiser: ModuleOptimizer,
    weights: Option<Weights>,
}

impl<'a> Training<'a> {
    fn start(
        params: &'a AttentionParams,
        (windows, touches): (Windows, Vec<u32>),
        seed: Seed,
    ) -> Training<'a> {
        let device = device();
        let mut draws = Draws::new(seed, "weights");
        Training {
            weights: Some(Weights::new(params, &touches, &mut draws, &device)),
            popularity: Popularity::new(&touches),
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

    /// The vectors behind all events of a batch, of which each has one of these lines.
    fn users(&mut self, weights: &Weights, events: Tensor<2>, batch: &Batch) -> Tensor<2> {
        let positions = positions(batch, self.params.window);
        let positions = select(weights.positions.val(), positions, &self.device);
        let scale = (self.params.width as f32).sqrt();
        let share = self.params.teaching.dropout;
        let (draws, device) = (&mut self.dropped, &self.device);
        let mut drop = |values| drop_out(values, share, draws, device);
        let inputs = drop(events.mul_scalar(scale) + positions);
        let shape = Shape {
            steps: batch.steps(),
            windows: batch.lines,
        };
        weights.through(inputs, shape, &mut drop)
    }

    fn export(&self) -> SelfAttention {
        let weights = self.weights.as_ref();
        let weights = weights.expect("they are put back after a step");
        let (mut items, mut bias) = (numbers(weights.items.val()), numbers(weights.bias.val()));
        let touched = || self.touches.iter().zip(&bias);
        let touched = touched().filter(|(touches, _)| **touches > 0);
        let least = touched.map(|(_, bias)| *bias).fold(f32::INFINITY, f32::min);
        // Of what nobody touched nothing was learnt.
        let lines = items.chunks_exact_mut(self.params.width);
        for ((line, bias), touches) in lines.zip(&mut bias).zip(&self.touches) {
            if *touches == 0 {
                line.fill(0.0);
                *bias = least;
            }
        }
        SelfAttention {
            last: self.params.window,
            width: self.params.width,
            items,
            bias,
            positions: numbers(weights.positions.val()),
            blocks: weights.export_blocks(),
            norm: weights::export_norm(&weights.norm),
        }
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
        let compared = Compared::new(batch, &self.popularity, negatives, &mut self.drawn);
        let places = || compared.items.iter().map(|item| *item as i32).collect();
        let lines = select(weights.items.val(), places(), &self.device);
        let events = select(lines.clone(), compared.inputs, &self.device);
        let users = self.users(&weights, events, batch);
        let count = compared.corrections.len();
        let vectors = lines.narrow(0, 0, count);
        let bias = select(weights.bias.val(), places(), &self.device);
        let bias = bias.narrow(0, 0, count).reshape([1, count]);
        let corrections = matrix(compared.corrections, [1, count], &self.device);
        let softmax = Softmax::new(vectors.clone(), bias.clone() - corrections);
        let found = softmax.of(&users, &compared.targets);
        // Its gradient is that of the loss.
        let stands_for =
            (users * found.users).sum() + (vectors * found.items).sum() + (bias * found.bias).sum();
        let gradients = GradientsParams::from_grads(stands_for.backward(), &weights);
        self.weights = Some(self.optimiser.step(rate, weights, gradients));
        found.loss
    }

    fn source(&self) -> Source {
        Source::SelfAttention(self.export())
    }
}

/// The place of each event among those that are read, the newest of its window the last; where a
/// window has ended, any.
fn positions(batch: &Batch, window: usize) -> Vec<i32> {
    let mut lengths = vec![0; batch.lines];
    for targets in batch.targets.chunks(batch.lines.max(1)) {
        let lengths = lengths.iter_mut().zip(targets);
        lengths.for_each(|(length, target)| *length += usize::from(target.is_some()));
    }
    let of = |step: usize, length: &usize| (window - length + step).min(window - 1) as i32;
    let steps = 0..batch.steps();
    steps
        .flat_map(|step| lengths.iter().map(move |length| of(step, length)))
        .collect()
}
