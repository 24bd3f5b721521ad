//! `autoencoder`: how badly a row is reconstructed by a network that learnt usual rows.
//!
//! The network passes the inputs of a row (`n` standardised numbers, flags, and a 1 for each
//! category) through a narrow layer and back (Hinton and Salakhutdinov 2006, "Reducing the
//! dimensionality of data with neural networks"): for layers `[32]` and a bottleneck of 8 the
//! shapes are `n → 32 → 8 → 32 → n`. It is trained on negative rows only and needs no positive
//! ones. The margin is the logarithm of the mean squared error, standardised over the training
//! rows, so that its logistic function is a score in (0, 1) that grows with unusualness; only a
//! calibration makes a probability of it.

use acumen_base::{Columns, Seed};
use acumen_model::forest::Objective;
use acumen_model::network::{Body, ERROR_MIN};
use acumen_model::{
    Checked, Dataset, FitError, Fitted, FittedModel, Learner, Matrix, Network, ParamDoc,
    ParamProblem, ParamRange, Params, Progress, Scorer, check_rows,
};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use crate::architecture::{Architecture, device};
use crate::draws::Draws;
use crate::fit::importances;
use crate::group::{Categories, Group, other_columns};
use crate::layers::{Layers, matrix};
use crate::parameters::{self as shared, Schedule, finish, reader};
use crate::training::{Lesson, Metric, train};

/// An autoencoder by the name `autoencoder`.
#[derive(Debug)]
pub struct AutoencoderLearner;

const DOCS: &[ParamDoc] = &[
    ParamDoc {
        name: "layers",
        aliases: &["hidden"],
        range: ParamRange::Wholes(1, 1_024, 8),
        default: "[32]",
        doc: "the widths of the dense layers before the bottleneck; those behind it mirror them",
    },
    ParamDoc {
        name: "bottleneck",
        aliases: &[],
        range: ParamRange::Whole(1, 1_024),
        default: "8",
        doc: "the width of the narrowest layer: how many numbers a usual row is told by",
    },
    ParamDoc {
        name: "categories",
        aliases: &[],
        range: ParamRange::Whole(2, 1_024),
        default: "32",
        doc: "how many inputs a category column has at most; rarer categories share one",
    },
    shared::LEARNING_RATE,
    shared::BATCH_SIZE,
    shared::EPOCHS,
    shared::PATIENCE,
    shared::WEIGHT_DECAY,
    shared::SEED,
    shared::WARM_START,
];

#[derive(Debug, Serialize)]
struct AutoencoderParams {
    layers: Vec<usize>,
    bottleneck: usize,
    categories: usize,
    #[serde(flatten)]
    schedule: Schedule,
}

/// The network from the inputs back to the inputs.
pub(crate) struct Returning<'a> {
    pub(crate) own: Group,
    /// The widths between inputs and outputs.
    pub(crate) inner: &'a [usize],
}

/// Its weights.
#[derive(Module, Debug)]
pub(crate) struct ReturningWeights {
    layers: Layers,
}

impl Learner for AutoencoderLearner {
    fn name(&self) -> &'static str {
        "autoencoder"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    fn doc(&self) -> &'static str {
        "A network that reconstructs usual rows: what it reconstructs badly is unlike everything \
         it was trained on. It needs no positive outcomes, so it sees what has never happened \
         before; it does not know whether the unusual is bad."
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
        let read = AutoencoderParams {
            layers: reader.wholes("layers", &[32]),
            bottleneck: reader.whole("bottleneck", 8),
            categories: reader.whole("categories", 32),
            schedule: Schedule::read(&reader),
        };
        Ok(Box::new(finish(read, reader)?))
    }
}

impl Checked for AutoencoderParams {
    fn fit(
        &self,
        rows: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        self.learn(None, (rows, valid), seed, progress)
    }

    fn goes_on_from(&self, previous: &FittedModel, n_columns: usize) -> bool {
        let schedule = &self.schedule;
        let found = schedule.goes_on_from(previous, n_columns, |body| self.laid_out(body));
        found.is_some()
    }

    fn fit_from(
        &self,
        previous: &FittedModel,
        rows: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        let (schedule, n_columns) = (&self.schedule, rows.matrix.data.len());
        let found = schedule.goes_on_from(previous, n_columns, |body| self.laid_out(body));
        let from = found.map(|(body, _)| body);
        self.learn(from, (rows, valid), seed, progress)
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers and words become JSON")
    }
}

impl AutoencoderParams {
    /// The widths between inputs and outputs.
    fn inner(&self) -> Vec<usize> {
        let back = self.layers.iter().rev();
        let inner = self.layers.iter().chain([&self.bottleneck]).chain(back);
        inner.copied().collect()
    }

    /// A network that has the layout that these parameters ask for.
    fn laid_out<'a>(&self, body: &'a Body) -> Option<&'a acumen_model::network::Autoencoder> {
        let Body::Autoencoder(network) = body else {
            return None;
        };
        let widths = network.layers.layers.iter().map(|layer| layer.outputs);
        let inner = self.inner();
        let same = widths.len() == inner.len() + 1 && widths.zip(&inner).all(|(a, b)| a == *b);
        let lines = |table: &acumen_model::network::Table| table.width <= self.categories;
        (same && network.inputs.categories.iter().all(lines)).then_some(network)
    }

    fn learn(
        &self,
        from: Option<&Body>,
        (rows, valid): (&Dataset, Option<&Dataset>),
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        check_rows(Objective::BinaryLogistic, rows, valid)?;
        let usual = negatives(rows);
        if usual.is_empty() {
            return Err(FitError::NothingUsual { rows: rows.len() });
        }
        let usual = rows.select(&usual);
        let usual_valid = valid.map(|valid| valid.select(&negatives(valid)));
        let usual_valid = usual_valid.filter(|valid| !valid.is_empty());
        let fields = other_columns(&rows.matrix.columns, &[]);
        let inner = self.inner();
        let own = match from.and_then(|body| self.laid_out(body)) {
            Some(network) => Group::trained(
                &network.inputs,
                std::slice::from_ref(&network.places),
                false,
            ),
            None => Group::of_rows(&usual.matrix, &fields, Categories::OneHot(self.categories))?,
        };
        let architecture = Returning { own, inner: &inner };
        let judge = |network: &Network| usual_valid.as_ref().map(|valid| error(network, valid));
        let lesson = Lesson {
            schedule: &self.schedule,
            train: &usual,
            weight: usual.weight.as_deref(),
            bias: 0.0,
            from,
            draw: &|draws| {
                let mut rows: Vec<usize> = (0..usual.len()).collect();
                draws.shuffle(&mut rows, usual.len());
                rows
            },
            finish: &|_| {},
            metric: Metric {
                name: "mse",
                rises: false,
                of: &judge,
            },
        };
        let (network, log) = train(&architecture, &lesson, seed, progress)?;
        let network = standardise(network, &usual);
        Ok(Fitted {
            importances: importances(&network, &usual),
            model: FittedModel::Network(network),
            log,
        })
    }
}

fn negatives(rows: &Dataset) -> Vec<usize> {
    (0..rows.len())
        .filter(|row| rows.outcome[*row] <= 0.5)
        .collect()
}

/// The mean squared error over some rows, of a network that is not standardised yet.
fn error(network: &Network, rows: &Dataset) -> f64 {
    let margins = network.margins_many(&rows.matrix);
    mean(rows, margins.iter().map(|margin| f64::from(*margin).exp())) - f64::from(ERROR_MIN)
}

/// Makes the mean margin of the training rows 0 and its deviation 1.
fn standardise(mut network: Network, rows: &Dataset) -> Network {
    let margins = network.margins_many(&rows.matrix);
    let of = |value: &dyn Fn(f64) -> f64| {
        mean(rows, margins.iter().map(|margin| value(f64::from(*margin))))
    };
    let mean = of(&|margin| margin);
    let deviation = of(&|margin| (margin - mean).powi(2)).sqrt() as f32;
    if let Body::Autoencoder(body) = &mut *network.body {
        body.mean = mean as f32;
        body.deviation = if deviation > 1e-3 { deviation } else { 1.0 };
    }
    network
}

/// The mean of a value of each row, by their weights.
fn mean(rows: &Dataset, values: impl Iterator<Item = f64>) -> f64 {
    let weight = |row: usize| {
        rows.weight
            .as_ref()
            .map_or(1.0, |weight| f64::from(weight[row]))
    };
    let (mut sum, mut all) = (0.0, 0.0);
    for (row, value) in values.enumerate() {
        sum += weight(row) * value;
        all += weight(row);
    }
    sum / all
}

impl Architecture for Returning<'_> {
    type Weights = ReturningWeights;

    fn start(&self, bias: f32, draws: &mut Draws, device: &Device) -> ReturningWeights {
        let width = self.own.inputs.width();
        let widths = [&[width], self.inner, &[width]].concat();
        ReturningWeights {
            layers: Layers::new(&widths, bias, draws, device),
        }
    }

    fn resume(&self, body: &Body, device: &Device) -> Option<ReturningWeights> {
        let Body::Autoencoder(network) = body else {
            return None;
        };
        Some(ReturningWeights {
            layers: Layers::of(&network.layers, device),
        })
    }

    /// The mean squared error of each row.
    fn output(&self, weights: &ReturningWeights, rows: &Matrix, chosen: &[usize]) -> Tensor<2> {
        let width = self.own.inputs.width();
        let mut inputs = vec![0.0; width * chosen.len()];
        for (row, out) in chosen.iter().zip(inputs.chunks_exact_mut(width)) {
            let value = |column: usize| rows.data[column][*row];
            self.own.inputs.encode(&self.own.places[0], value, out);
        }
        let inputs = matrix(inputs, [chosen.len(), width], &device());
        let outputs = weights.layers.forward(inputs.clone());
        (outputs - inputs).square().mean_dim(1)
    }

    fn losses(&self, output: Tensor<2>, _outcome: Tensor<2>) -> Tensor<2> {
        output
    }

    fn export(&self, weights: &ReturningWeights) -> Body {
        Body::Autoencoder(acumen_model::network::Autoencoder {
            inputs: self.own.inputs.clone(),
            places: self.own.places[0].clone(),
            layers: weights.layers.export(),
            mean: 0.0,
            deviation: 1.0,
        })
    }
}
