//! `neural_network`: a feed-forward network with entity embeddings for categories.
//!
//! Numbers are squashed where they have a heavy tail, standardised, and flagged where they are
//! missing; a category is a trained line of a table (Guo and Berkhahn 2016, "Entity embeddings of
//! categorical variables"); dense layers with rectifiers follow. For `n` inputs and layers
//! `[64, 32]` the shapes are `n → 64 → 32 → 1`, and the output is a margin: the logarithm of the
//! odds.

use acumen_base::{Columns, Seed};
use acumen_model::network::{Body, FeedForward};
use acumen_model::{
    Checked, Dataset, FitError, Fitted, FittedModel, Learner, Matrix, ParamDoc, ParamProblem,
    Params, Progress,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use crate::architecture::{Architecture, device};
use crate::draws::Draws;
use crate::fit::{check_classes, classify, is_stacked};
use crate::group::{Categories, Group, are_as_wide, other_columns};
use crate::layers::{Layers, Tables};
use crate::parameters::{self as shared, Classes, Schedule, finish, reader};

/// A feed-forward network by the name `neural_network`.
#[derive(Debug)]
pub struct NeuralNetwork;

const DOCS: &[ParamDoc] = &[
    shared::layers("[64, 32]"),
    shared::EMBEDDING,
    shared::LEARNING_RATE,
    shared::BATCH_SIZE,
    shared::EPOCHS,
    shared::PATIENCE,
    shared::WEIGHT_DECAY,
    shared::negatives("0"),
    shared::EVAL_METRIC,
    shared::SEED,
    shared::WARM_START,
];

#[derive(Debug, Serialize)]
struct NetworkParams {
    layers: Vec<usize>,
    embedding: usize,
    #[serde(flatten)]
    schedule: Schedule,
    #[serde(flatten)]
    classes: Classes,
}

/// The network over one table of rows.
pub(crate) struct Feeding<'a> {
    pub(crate) own: Group,
    pub(crate) layers: &'a [usize],
}

/// Its weights.
#[derive(Module, Debug)]
pub(crate) struct FeedingWeights {
    tables: Tables,
    layers: Layers,
}

impl Learner for NeuralNetwork {
    fn name(&self) -> &'static str {
        "neural_network"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["feed_forward", "mlp"]
    }

    fn doc(&self) -> &'static str {
        "A feed-forward network with embeddings for categories: smooth where trees are steps, so \
         that it errs on other rows than they do. Scaling, missing values and unseen categories \
         need no preparation."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn rounds(&self) -> Option<[&'static str; 2]> {
        Some(["epochs", "patience"])
    }

    fn check(
        &self,
        params: &Params,
        columns: &Columns,
    ) -> Result<Box<dyn Checked>, Vec<ParamProblem>> {
        let mut reader = reader(params, DOCS);
        shared::need_columns(&mut reader, columns);
        let read = NetworkParams {
            layers: reader.wholes("layers", &[64, 32]),
            embedding: reader.whole("embedding", 8),
            schedule: Schedule::read(&reader),
            classes: Classes::read(&reader, 0),
        };
        Ok(Box::new(finish(read, reader)?))
    }
}

impl Checked for NetworkParams {
    fn fit(
        &self,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        check_classes(train, valid)?;
        let fields = other_columns(&train.matrix.columns, &[]);
        let architecture = Feeding {
            own: Group::of_rows(&train.matrix, &fields, Categories::Embedded(self.embedding))?,
            layers: &self.layers,
        };
        let how = (&self.schedule, &self.classes);
        classify(&architecture, how, (train, valid), None, seed, progress)
    }

    fn goes_on_from(&self, previous: &FittedModel, n_columns: usize) -> bool {
        let schedule = &self.schedule;
        let found = schedule.goes_on_from(previous, n_columns, |body| self.laid_out(body));
        found.is_some()
    }

    fn fit_from(
        &self,
        previous: &FittedModel,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        let (schedule, n_columns) = (&self.schedule, train.matrix.data.len());
        let found = schedule.goes_on_from(previous, n_columns, |body| self.laid_out(body));
        let Some((body, network)) = found else {
            return self.fit(train, valid, seed, progress);
        };
        check_classes(train, valid)?;
        let architecture = Feeding {
            own: Group::trained(
                &network.inputs,
                std::slice::from_ref(&network.places),
                false,
            ),
            layers: &self.layers,
        };
        let how = (&self.schedule, &self.classes);
        classify(
            &architecture,
            how,
            (train, valid),
            Some(body),
            seed,
            progress,
        )
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers and words become JSON")
    }
}

impl NetworkParams {
    /// A network that has the layout that these parameters ask for.
    fn laid_out<'a>(&self, body: &'a Body) -> Option<&'a FeedForward> {
        let Body::FeedForward(network) = body else {
            return None;
        };
        let same = is_stacked(&network.layers, &self.layers)
            && are_as_wide(&network.inputs, self.embedding);
        same.then_some(network)
    }
}

impl Architecture for Feeding<'_> {
    type Weights = FeedingWeights;

    fn start(&self, bias: f32, draws: &mut Draws, device: &Device) -> FeedingWeights {
        let widths = [&[self.own.inputs.width()], self.layers, &[1]].concat();
        FeedingWeights {
            tables: Tables::new(&self.own.inputs, draws, device),
            layers: Layers::new(&widths, bias, draws, device),
        }
    }

    fn resume(&self, body: &Body, device: &Device) -> Option<FeedingWeights> {
        let Body::FeedForward(network) = body else {
            return None;
        };
        Some(FeedingWeights {
            tables: Tables::of(&network.inputs, device),
            layers: Layers::of(&network.layers, device),
        })
    }

    fn output(&self, weights: &FeedingWeights, rows: &Matrix, chosen: &[usize]) -> Tensor<2> {
        let own = self.own.encode(rows, chosen, &device());
        weights
            .layers
            .forward(weights.tables.forward(own.numbers, own.lines))
    }

    fn export(&self, weights: &FeedingWeights) -> Body {
        Body::FeedForward(FeedForward {
            inputs: weights.tables.export(&self.own.inputs),
            places: self.own.places[0].clone(),
            layers: weights.layers.export(),
        })
    }
}
