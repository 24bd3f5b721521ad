//! `two_tower`: a tower over what a user did and one over what an item is, whose product says what
//! comes next.
//!
//! Covington et al. 2016 with the correction for popularity of Yi et al. 2019. The user is the
//! mean of the lines of their newest items, through dense layers; an item is a line of its own and
//! the lines of its words, added up and through dense layers. Both towers add to what goes into
//! them. Lines of items are left out at random in training (Volkovs et al. 2017, "DropoutNet"), so
//! that words alone say enough of an item that comes later; an item that nobody touched has none.
//!
//! What comes next is compared with the items of the whole batch and with items drawn evenly
//! (Yang et al. 2020, "Mixed negative sampling"), each once; an item that is drawn with probability
//! `Q` counts `1 / Q`, so that the softmax is that over all items. Where all can be compared with,
//! they are.

use acumen_base::Seed;
use acumen_model::recommend::{
    CheckedRecommender, Recency, RecommendData, RecommendError, RecommendLearner, Source, TwoTower,
};
use acumen_model::{ParamDoc, ParamProblem, ParamRange, Params, Progress, Reader};
use burn::module::{Module, Param};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use crate::architecture::device;
use crate::draws::Draws;
use crate::layers::{Layers, drop_out, matrix, numbers, parameter, select};
use crate::parameters::{self as shared, finish};
use crate::recommend::compared::{Compared, NEGATIVES, Popularity};
use crate::recommend::epochs::{Pupil, TEACHING, Teaching, teach};
use crate::recommend::held_out::HeldOut;
use crate::recommend::past::{self, means};
use crate::recommend::popularity;
use crate::recommend::softmax::Softmax;
use crate::recommend::windows::{Batch, Windows, liked};

mod items;
#[cfg(test)]
mod tests;

use items::Items;

/// Two towers, by the name `two_tower`.
#[derive(Debug)]
pub struct TwoTowerLearner;

const DOCS: &[ParamDoc] = &[
    ParamDoc {
        name: "width",
        aliases: &["embedding"],
        range: ParamRange::Whole(1, 1_024),
        default: "64",
        doc: "how many numbers describe an item",
    },
    shared::layers("128"),
    past::LAST,
    past::HISTORY_DECAY,
    ParamDoc {
        name: "item_dropout",
        aliases: &[],
        range: ParamRange::Number(0.0, 0.9),
        default: "0.1",
        doc: "the share of the items that a step of training knows by their words alone; more is better for new items, and worse for the others",
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
struct TwoTowerParams {
    width: usize,
    layers: Vec<usize>,
    #[serde(flatten)]
    recency: Recency,
    item_dropout: f64,
    negatives: usize,
    #[serde(flatten)]
    teaching: Teaching,
}

/// The weights.
#[derive(Module, Debug)]
struct Weights {
    /// A line of each item: a vector with the bias behind it.
    items: Param<Tensor<2>>,
    user: Layers,
    words: Option<Words>,
}

/// A line of each word, and the layers of the tower of the items.
#[derive(Module, Debug)]
struct Words {
    lines: Param<Tensor<2>>,
    layers: Layers,
}

impl RecommendLearner for TwoTowerLearner {
    fn name(&self) -> &'static str {
        "two_tower"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["two_towers", "dual_encoder"]
    }

    fn doc(&self) -> &'static str {
        "A network over the newest events and one over an item and its attributes, side by side: \
         what comes next. Finds new items by their attributes. Takes minutes to train."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>> {
        let reader = Reader::new(params, DOCS);
        let read = TwoTowerParams {
            width: reader.whole("width", 64),
            layers: reader.wholes("layers", &[128]),
            recency: past::recency(&reader),
            item_dropout: reader.number("item_dropout", 0.1),
            negatives: reader.whole("negatives", 4_096),
            teaching: Teaching::read(&reader),
        };
        Ok(Box::new(finish(read, reader)?))
    }
}

impl CheckedRecommender for TwoTowerParams {
    fn fit(
        &self,
        data: &RecommendData<'_>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError> {
        let mut sequences = liked(data.interactions);
        let held_out = HeldOut::take(&mut sequences, data.interactions.n_items());
        let items = Items::new(data, &sequences)?;
        let windows = Windows::new(sequences, self.recency.last as usize);
        if windows.is_empty() {
            return Err(RecommendError::NoInterest);
        }
        let seed = seed.derive(&format!("two_tower {}", self.teaching.seed));
        let mut training = Training::start(self, (windows, items), seed);
        teach(&mut training, (&self.teaching, &held_out), progress)
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers become JSON")
    }
}

/// Towers in the making.
struct Training<'a> {
    params: &'a TwoTowerParams,
    windows: Windows,
    items: Items,
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
        params: &'a TwoTowerParams,
        (windows, items): (Windows, Items),
        seed: Seed,
    ) -> Training<'a> {
        let device = device();
        let mut draws = Draws::new(seed, "weights");
        Training {
            weights: Some(Weights::new(params, &items, &mut draws, &device)),
            popularity: Popularity::new(&items.touches),
            cuts: Draws::new(seed, "cuts"),
            drawn: Draws::new(seed, "negatives"),
            dropped: Draws::new(seed, "dropout"),
            optimiser: params.teaching.optimiser(),
            params,
            windows,
            items,
            device,
        }
    }

    /// The tower over items, run for some: their lines.
    fn lines(&self, weights: &Weights, items: &[u32], own: Vec<f32>) -> Tensor<2> {
        let count = items.len();
        let numbers = items.iter().map(|item| *item as i32).collect();
        let lines = select(weights.items.val(), numbers, &self.device);
        let Some(words) = &weights.words else {
            return lines;
        };
        let lines = lines * matrix(own, [count, 1], &self.device);
        let sum = lines + self.items.words_of(items, &words.lines, &self.device);
        sum.clone() + words.layers.forward(sum)
    }

    /// One for each item that is known by its own line in this step, 0 for the others.
    fn known(&mut self, items: &[u32]) -> Vec<f32> {
        let share = self.params.item_dropout as f32;
        let kept = self.dropped.mask(items.len(), share).into_iter();
        let has_words = |item: &u32| !self.items.words[*item as usize].is_empty();
        let known = kept.zip(items).map(|(kept, item)| match has_words(item) {
            true => kept.min(1.0),
            false => 1.0,
        });
        known.collect()
    }

    /// The vectors of the users of a batch, of which each event's item has one of these lines.
    fn users(
        &mut self,
        weights: &Weights,
        vectors: &Tensor<2>,
        batch: &Batch,
        places: Vec<i32>,
    ) -> Tensor<2> {
        let events = select(vectors.clone(), places, &self.device);
        let means = means(events, batch, self.params.recency.decay, &self.device);
        let dropout = self.params.teaching.dropout;
        let means = drop_out(means, dropout, &mut self.dropped, &self.device);
        means.clone() + weights.user.forward(means)
    }

    fn export(&self) -> TwoTower {
        let weights = self.weights.as_ref();
        let weights = weights.expect("they are put back after a step");
        let tower = weights.words.as_ref().map(|words| {
            self.items
                .tower(numbers(words.lines.val()), words.layers.export())
        });
        let own = numbers(weights.items.val());
        let lines = self.items.lines(&own, tower.as_ref());
        TwoTower::new(self.params.recency, weights.user.export(), tower, lines)
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
        let own = self.known(&compared.items);
        let lines = self.lines(&weights, &compared.items, own);
        let (count, width) = (compared.corrections.len(), self.params.width);
        let vectors = lines.clone().narrow(1, 0, width);
        let users = self.users(&weights, &vectors, batch, compared.inputs);
        let vectors = vectors.narrow(0, 0, count);
        let bias = lines
            .narrow(0, 0, count)
            .narrow(1, width, 1)
            .reshape([1, count]);
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
        Source::TwoTower(self.export())
    }
}

impl Weights {
    fn new(params: &TwoTowerParams, items: &Items, draws: &mut Draws, device: &Device) -> Weights {
        let width = params.width;
        let limit = 1.0 / (width as f32).sqrt();
        let mut table = |biases: Vec<f32>| {
            let count = biases.len();
            let mut lines = draws.uniform(count * (width + 1), limit);
            let each = lines.chunks_exact_mut(width + 1).zip(biases);
            each.for_each(|(line, bias)| line[width] = bias);
            parameter(lines, [count, width + 1], device)
        };
        let own = table(popularity(&items.touches));
        let words = items.vocabulary.as_ref();
        let words = words.map(|vocabulary| table(vec![0.0; vocabulary.len()]));
        let user: Vec<usize> = std::iter::once(width)
            .chain(params.layers.iter().copied())
            .chain([width])
            .collect();
        Weights {
            items: own,
            user: Layers::beside(&user, draws, device),
            words: words.map(|lines| Words {
                lines,
                layers: Layers::beside(&[width + 1, width, width + 1], draws, device),
            }),
        }
    }
}
