//! `lstm`: a recurrent network over the last events of a key.
//!
//! The columns that the operator `sequence` lays side by side (`recent.amount_1`, the newest, to
//! `recent.amount_k`) are one field over `k` steps. All such fields of a model stand side by side
//! at each step, newest with newest; where sequences differ in length, the older steps of the
//! longer ones are read like any other column. The cell goes from the oldest step to the newest;
//! a step of which a row holds nothing is masked, so that fewer than `k` events are normal and an
//! entity never seen has no steps at all. What the cell remembers (`units` numbers) is joined with
//! the other columns before the dense layers.
//!
//! `cell: lstm` is the LSTM with a forget gate (Hochreiter and Schmidhuber 1997; Gers,
//! Schmidhuber and Cummins 2000), its forget bias starting at 1 (Jozefowicz, Zaremba and Sutskever
//! 2015); `cell: gru` is the GRU (Cho et al. 2014) with the reset gate behind the recurrent
//! product. The output is a margin: the logarithm of the odds.

use acumen_base::{Columns, Seed};
use acumen_model::layout::{Field, sequence_fields};
use acumen_model::network::{Body, Cell, CellKind, Recurrent};
use acumen_model::{
    Checked, Dataset, FitError, Fitted, FittedModel, Learner, Matrix, ParamDoc, ParamProblem,
    ParamRange, Params, Progress,
};
use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::sigmoid;
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use crate::architecture::{Architecture, device};
use crate::draws::Draws;
use crate::fit::{check_classes, classify, is_stacked};
use crate::group::{Categories, Encoded, Group, are_as_wide, other_columns};
use crate::layers::{Layers, Tables, export, import, join, linear};
use crate::parameters::{self as shared, Classes, Schedule, finish, reader};

/// A recurrent network by the name `lstm`.
#[derive(Debug)]
pub struct Lstm;

const DOCS: &[ParamDoc] = &[
    ParamDoc {
        name: "cell",
        aliases: &[],
        range: ParamRange::OneOf(&["lstm", "gru"]),
        default: "lstm",
        doc: "the recurrent cell; a GRU has three quarters of the weights",
    },
    shared::units("32", "how many numbers the cell remembers"),
    shared::layers("[32]"),
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
struct LstmParams {
    cell: CellKind,
    units: usize,
    layers: Vec<usize>,
    embedding: usize,
    #[serde(flatten)]
    schedule: Schedule,
    #[serde(flatten)]
    classes: Classes,
}

/// The network over steps and other columns.
pub(crate) struct Stepping<'a> {
    pub(crate) kind: CellKind,
    pub(crate) units: usize,
    pub(crate) steps: Group,
    pub(crate) fixed: Group,
    pub(crate) layers: &'a [usize],
}

/// Its weights.
#[derive(Module, Debug)]
pub(crate) struct SteppingWeights {
    fields: Tables,
    input: Linear,
    recurrent: Linear,
    fixed: Tables,
    head: Layers,
}

impl Learner for Lstm {
    fn name(&self) -> &'static str {
        "lstm"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["recurrent"]
    }

    fn doc(&self) -> &'static str {
        "A recurrent network over the events of a `sequence` feature: for what lies in the order \
         of events and the time between them rather than in their sums. Missing steps and other \
         columns need no preparation."
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
        if sequence_fields(columns).is_empty() {
            let message = "`lstm` needs a sequence of events, and the model's features have none";
            let help = "add a feature such as `recent: {operator: sequence, of: order, by: \
                        customer, fields: [amount], last: 10, ages: true}` to its `features`";
            reader.problem("features", message.to_owned(), help.to_owned());
        }
        let read = LstmParams {
            cell: match reader.word("cell", "lstm") {
                "gru" => CellKind::Gru,
                _ => CellKind::Lstm,
            },
            units: reader.whole("units", 32),
            layers: reader.wholes("layers", &[32]),
            embedding: reader.whole("embedding", 8),
            schedule: Schedule::read(&reader),
            classes: Classes::read(&reader, 20),
        };
        Ok(Box::new(finish(read, reader)?))
    }
}

/// The fields of sequences, all of as many steps as the shortest.
fn aligned(columns: &Columns) -> Vec<Field> {
    let mut fields = sequence_fields(columns);
    let steps = fields.iter().map(|field| field.places.len()).min();
    for field in &mut fields {
        field.places.truncate(steps.unwrap_or(0));
    }
    fields
}

impl Checked for LstmParams {
    fn fit(
        &self,
        train: &Dataset,
        valid: Option<&Dataset>,
        seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        check_classes(train, valid)?;
        let categories = Categories::Embedded(self.embedding);
        let fields = aligned(&train.matrix.columns);
        let others = other_columns(&train.matrix.columns, &fields);
        let architecture = Stepping {
            kind: self.cell,
            units: self.units,
            steps: Group::of_places(&train.matrix, &fields, categories)?,
            fixed: Group::of_rows(&train.matrix, &others, categories)?,
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
        let architecture = Stepping {
            kind: self.cell,
            units: self.units,
            steps: Group::trained(&network.fields, &network.steps, true),
            fixed: Group::trained(&network.fixed, std::slice::from_ref(&network.places), false),
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

impl LstmParams {
    /// A network that has the layout that these parameters ask for.
    fn laid_out<'a>(&self, body: &'a Body) -> Option<&'a Recurrent> {
        let Body::Recurrent(network) = body else {
            return None;
        };
        let same = network.cell.kind == self.cell
            && network.cell.recurrent.inputs == self.units
            && is_stacked(&network.head, &self.layers)
            && are_as_wide(&network.fields, self.embedding)
            && are_as_wide(&network.fixed, self.embedding);
        same.then_some(network)
    }
}

impl Stepping<'_> {
    /// What the cell remembers after all steps, `rows × units`.
    fn remember(&self, weights: &SteppingWeights, steps: Encoded, rows: usize) -> Tensor<2> {
        let device = device();
        let inputs = weights.fields.forward(steps.numbers, steps.lines);
        let sums = weights.input.forward(inputs);
        let mut hidden = Tensor::<2>::zeros([rows, self.units], &device);
        let mut state = hidden.clone();
        for step in steps.used.into_iter().rev() {
            let part = |tensor: &Tensor<2>| tensor.clone().narrow(0, step * rows, rows);
            let (sums, gate) = (part(&sums), part(&steps.gates));
            let recurrent = weights.recurrent.forward(hidden.clone());
            let mix = |before: Tensor<2>, after: Tensor<2>| {
                before.clone() + gate.clone() * (after - before)
            };
            match self.kind {
                CellKind::Lstm => {
                    let after = self.lstm(&(sums + recurrent), state.clone());
                    (hidden, state) = (mix(hidden, after.0), mix(state, after.1));
                }
                CellKind::Gru => hidden = mix(hidden.clone(), self.gru(&sums, &recurrent, hidden)),
            }
        }
        hidden
    }

    fn gate(&self, sums: &Tensor<2>, index: usize) -> Tensor<2> {
        sums.clone().narrow(1, index * self.units, self.units)
    }

    fn lstm(&self, sums: &Tensor<2>, state: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let entrance = sigmoid(self.gate(sums, 0)) * self.gate(sums, 2).tanh();
        let state = sigmoid(self.gate(sums, 1)) * state + entrance;
        (sigmoid(self.gate(sums, 3)) * state.clone().tanh(), state)
    }

    fn gru(&self, sums: &Tensor<2>, recurrent: &Tensor<2>, hidden: Tensor<2>) -> Tensor<2> {
        let switch = |index| sigmoid(self.gate(sums, index) + self.gate(recurrent, index));
        let (reset, update) = (switch(0), switch(1));
        let candidate = (self.gate(sums, 2) + reset * self.gate(recurrent, 2)).tanh();
        candidate.clone() + update * (hidden - candidate)
    }
}

impl Architecture for Stepping<'_> {
    type Weights = SteppingWeights;

    fn start(&self, bias: f32, draws: &mut Draws, device: &Device) -> SteppingWeights {
        let (units, gates) = (self.units, self.kind.gates() * self.units);
        let limit = 1.0 / (units as f32).sqrt();
        let mut remember = vec![0.0; gates];
        if self.kind == CellKind::Lstm {
            remember[units..2 * units].fill(1.0);
        }
        let widths = [&[self.fixed.inputs.width() + units], self.layers, &[1]].concat();
        let shape = (self.steps.inputs.width(), gates);
        SteppingWeights {
            fields: Tables::new(&self.steps.inputs, draws, device),
            input: linear(shape, limit, remember, draws, device),
            recurrent: linear((units, gates), limit, vec![0.0; gates], draws, device),
            fixed: Tables::new(&self.fixed.inputs, draws, device),
            head: Layers::new(&widths, bias, draws, device),
        }
    }

    fn resume(&self, body: &Body, device: &Device) -> Option<SteppingWeights> {
        let Body::Recurrent(network) = body else {
            return None;
        };
        Some(SteppingWeights {
            fields: Tables::of(&network.fields, device),
            input: import(&network.cell.input, device),
            recurrent: import(&network.cell.recurrent, device),
            fixed: Tables::of(&network.fixed, device),
            head: Layers::of(&network.head, device),
        })
    }

    fn output(&self, weights: &SteppingWeights, rows: &Matrix, chosen: &[usize]) -> Tensor<2> {
        let device = device();
        let fixed = self.fixed.encode(rows, chosen, &device);
        let fixed = weights.fixed.forward(fixed.numbers, fixed.lines);
        let steps = self.steps.encode(rows, chosen, &device);
        let hidden = self.remember(weights, steps, chosen.len());
        weights.head.forward(join(vec![fixed, hidden]))
    }

    fn export(&self, weights: &SteppingWeights) -> Body {
        Body::Recurrent(Recurrent {
            fields: weights.fields.export(&self.steps.inputs),
            steps: self.steps.places.clone(),
            cell: Cell {
                kind: self.kind,
                input: export(&weights.input),
                recurrent: export(&weights.recurrent),
            },
            fixed: weights.fixed.export(&self.fixed.inputs),
            places: self.fixed.places[0].clone(),
            head: weights.head.export(),
        })
    }
}
