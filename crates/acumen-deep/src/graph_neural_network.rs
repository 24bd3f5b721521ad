//! `graph_neural_network`: an inductive graph network over the neighbours of a node.
//!
//! The columns that the operator `neighbours` writes with `each: true`
//! (`network.hop1_1.device_sharing.distinct_30d`, the latest neighbour, to `network.hop1_k.…`) are
//! what is known of each neighbour of a hop. As in GraphSAGE (Hamilton, Ying and Leskovec 2017,
//! "Inductive representation learning on large graphs", Algorithm 1), each neighbour of a hop goes
//! through one dense layer of `units` rectified outputs that all of them share; their mean and
//! their largest values, and a flag where there is no neighbour, are joined with the node's own
//! columns before the dense layers. Nodes have no parameters of their own, so an unseen or
//! isolated one scores. The output is a margin: the logarithm of the odds.

use acumen_base::{Columns, Seed};
use acumen_model::layout::{Field, relations};
use acumen_model::network::{Body, Graph, Neighbourhood};
use acumen_model::{
    Checked, Dataset, FitError, Fitted, FittedModel, Learner, Matrix, ParamDoc, ParamProblem,
    Params, Progress,
};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use crate::architecture::{Architecture, device};
use crate::draws::Draws;
use crate::fit::{check_classes, classify, is_stacked};
use crate::group::{Categories, Encoded, Group, are_as_wide, other_columns};
use crate::layers::{Layers, Tables, export, import, join, rectified};
use crate::parameters::{self as shared, Classes, Schedule, finish, reader};

/// A graph network by the name `graph_neural_network`.
#[derive(Debug)]
pub struct GraphNeuralNetwork;

const DOCS: &[ParamDoc] = &[
    shared::units("32", "how many numbers stand for a neighbour"),
    shared::layers("[64, 32]"),
    shared::EMBEDDING,
    shared::LEARNING_RATE,
    shared::BATCH_SIZE,
    shared::EPOCHS,
    shared::PATIENCE,
    shared::WEIGHT_DECAY,
    shared::negatives("20"),
    shared::EVAL_METRIC,
    shared::SEED,
    shared::WARM_START,
];

#[derive(Debug, Serialize)]
struct GraphParams {
    units: usize,
    layers: Vec<usize>,
    embedding: usize,
    #[serde(flatten)]
    schedule: Schedule,
    #[serde(flatten)]
    classes: Classes,
}

/// The network over neighbours and other columns.
pub(crate) struct Meeting<'a> {
    pub(crate) units: usize,
    pub(crate) own: Group,
    /// Each neighbourhood and its name.
    pub(crate) hops: Vec<(String, Group)>,
    pub(crate) layers: &'a [usize],
}

/// Its weights.
#[derive(Module, Debug)]
pub(crate) struct MeetingWeights {
    own: Tables,
    hops: Vec<HopWeights>,
    head: Layers,
}

/// Those of one neighbourhood.
#[derive(Module, Debug)]
pub(crate) struct HopWeights {
    tables: Tables,
    layer: Linear,
}

impl Learner for GraphNeuralNetwork {
    fn name(&self) -> &'static str {
        "graph_neural_network"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["graphsage"]
    }

    fn doc(&self) -> &'static str {
        "A graph network over the neighbours of a `neighbours` feature with `each: true`: for what \
         lies in whom a key deals with. It learns from neighbours' features, not from their ids, \
         so keys never seen before score."
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
        if relations(columns).is_empty() {
            let message = "`graph_neural_network` needs neighbours, and the model's features show \
                           none one by one";
            let help = "add a feature such as `network: {operator: neighbours, of: order, path: \
                        [customer, device, customer], gather: [device_sharing], each: true}` to \
                        its `features`";
            reader.problem("features", message.to_owned(), help.to_owned());
        }
        let read = GraphParams {
            units: reader.whole("units", 32),
            layers: reader.wholes("layers", &[64, 32]),
            embedding: reader.whole("embedding", 8),
            schedule: Schedule::read(&reader),
            classes: Classes::read(&reader, 20),
        };
        Ok(Box::new(finish(read, reader)?))
    }
}

impl Checked for GraphParams {
    fn fit(
        &self,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        check_classes(train, valid)?;
        let categories = Categories::Embedded(self.embedding);
        let relations = relations(&train.matrix.columns);
        let taken: Vec<Field> = relations.iter().flat_map(|r| r.fields.clone()).collect();
        let others = other_columns(&train.matrix.columns, &taken);
        let hop = |relation: &acumen_model::layout::Relation| {
            let group = Group::of_places(&train.matrix, &relation.fields, categories)?;
            Ok((relation.name.clone(), group))
        };
        let architecture = Meeting {
            units: self.units,
            own: Group::of_rows(&train.matrix, &others, categories)?,
            hops: relations.iter().map(hop).collect::<Result<_, FitError>>()?,
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
        let hop = |hop: &Neighbourhood| {
            let group = Group::trained(&hop.fields, &hop.neighbours, true);
            (hop.name.clone(), group)
        };
        let architecture = Meeting {
            units: self.units,
            own: Group::trained(&network.own, std::slice::from_ref(&network.places), false),
            hops: network.hops.iter().map(hop).collect(),
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

impl GraphParams {
    /// A network that has the layout that these parameters ask for.
    fn laid_out<'a>(&self, body: &'a Body) -> Option<&'a Graph> {
        let Body::Graph(network) = body else {
            return None;
        };
        let hops = |hop: &Neighbourhood| {
            hop.layer.outputs == self.units && are_as_wide(&hop.fields, self.embedding)
        };
        let same = network.hops.iter().all(hops)
            && is_stacked(&network.head, &self.layers)
            && are_as_wide(&network.own, self.embedding);
        same.then_some(network)
    }
}

impl Meeting<'_> {
    /// Means, largest values and the flag of a neighbourhood.
    fn aggregate(&self, weights: &HopWeights, seen: Encoded, rows: usize) -> Vec<Tensor<2>> {
        let places = seen.gates.dims()[0] / rows.max(1);
        let inputs = weights.tables.forward(seen.numbers, seen.lines);
        let outputs = relu(weights.layer.forward(inputs)) * seen.gates.clone();
        let outputs = outputs.reshape([places, rows, self.units]);
        let count = seen
            .gates
            .reshape([places, rows])
            .sum_dim(0)
            .reshape([rows, 1]);
        let flat = |tensor: Tensor<3>| tensor.reshape([rows, self.units]);
        let none = count.clone().clamp_max(1.0).neg().add_scalar(1.0);
        let mean = flat(outputs.clone().sum_dim(0)) / count.clamp_min(1.0);
        vec![mean, flat(outputs.max_dim(0)), none]
    }
}

impl Architecture for Meeting<'_> {
    type Weights = MeetingWeights;

    fn start(&self, bias: f32, draws: &mut Draws, device: &Device) -> MeetingWeights {
        let joined = self.own.inputs.width() + self.hops.len() * (2 * self.units + 1);
        let widths = [&[joined], self.layers, &[1]].concat();
        let hop = |(_, group): &(String, Group)| HopWeights {
            tables: Tables::new(&group.inputs, draws, device),
            layer: rectified((group.inputs.width(), self.units), draws, device),
        };
        MeetingWeights {
            hops: self.hops.iter().map(hop).collect(),
            own: Tables::new(&self.own.inputs, draws, device),
            head: Layers::new(&widths, bias, draws, device),
        }
    }

    fn resume(&self, body: &Body, device: &Device) -> Option<MeetingWeights> {
        let Body::Graph(network) = body else {
            return None;
        };
        let hop = |hop: &Neighbourhood| HopWeights {
            tables: Tables::of(&hop.fields, device),
            layer: import(&hop.layer, device),
        };
        Some(MeetingWeights {
            own: Tables::of(&network.own, device),
            hops: network.hops.iter().map(hop).collect(),
            head: Layers::of(&network.head, device),
        })
    }

    fn output(&self, weights: &MeetingWeights, rows: &Matrix, chosen: &[usize]) -> Tensor<2> {
        let device = device();
        let own = self.own.encode(rows, chosen, &device);
        let mut parts = vec![weights.own.forward(own.numbers, own.lines)];
        for ((_, group), weights) in self.hops.iter().zip(&weights.hops) {
            let seen = group.encode(rows, chosen, &device);
            parts.extend(self.aggregate(weights, seen, chosen.len()));
        }
        weights.head.forward(join(parts))
    }

    fn export(&self, weights: &MeetingWeights) -> Body {
        let hops = self.hops.iter().zip(&weights.hops);
        Body::Graph(Graph {
            own: weights.own.export(&self.own.inputs),
            places: self.own.places[0].clone(),
            hops: hops
                .map(|((name, group), weights)| Neighbourhood {
                    name: name.clone(),
                    fields: weights.tables.export(&group.inputs),
                    neighbours: group.places.clone(),
                    layer: export(&weights.layer),
                })
                .collect(),
            head: weights.head.export(),
        })
    }
}
