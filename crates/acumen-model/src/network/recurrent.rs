//! A recurrent cell over the steps of sequences, from the oldest to the newest.
//!
//! The cells are the LSTM with a forget gate (Hochreiter and Schmidhuber 1997; Gers, Schmidhuber
//! and Cummins 2000) and the GRU (Cho et al. 2014) whose reset gate acts behind the recurrent
//! product.

use serde::{Deserialize, Serialize};

use super::Kernel;
use super::dense::{Dense, Stack};
use super::inputs::{Inputs, Places};

mod cell;

use cell::{Memory, StepTrace};

/// A recurrent cell over steps; what it remembers is joined with the other columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recurrent {
    /// How the columns of a step become inputs.
    pub fields: Inputs,
    /// The columns of each step, the newest first.
    pub steps: Vec<Places>,
    /// What goes over the steps.
    pub cell: Cell,
    /// How the other columns become inputs.
    pub fixed: Inputs,
    /// The other columns.
    pub places: Places,
    /// From the other columns and the memory to the margin.
    pub head: Stack,
}

/// A recurrent cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Which.
    pub kind: CellKind,
    /// From the inputs of a step to the gates.
    pub input: Dense,
    /// From what is remembered to the gates.
    pub recurrent: Dense,
}

/// The kinds of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellKind {
    /// Long short-term memory; gates: input, forget, candidate, output.
    Lstm,
    /// Gated recurrent unit; gates: reset, update, candidate.
    Gru,
}

impl CellKind {
    /// How many gates it has.
    pub fn gates(self) -> usize {
        match self {
            CellKind::Lstm => 4,
            CellKind::Gru => 3,
        }
    }
}

impl Recurrent {
    /// Inputs of a step: its gate and its fields.
    fn step_width(&self) -> usize {
        1 + self.fields.width()
    }

    /// The inputs of the steps, the oldest first, behind those of the other columns.
    fn steps_of<'a>(&self, inputs: &'a [f32]) -> impl DoubleEndedIterator<Item = &'a [f32]> {
        inputs[self.fixed.width()..].chunks_exact(self.step_width())
    }

    fn joined(&self, inputs: &[f32], memory: &Memory) -> Vec<f32> {
        let mut joined = inputs[..self.fixed.width()].to_vec();
        joined.extend_from_slice(&memory.hidden);
        joined
    }

    fn encode_with(
        &self,
        fixed: impl Fn(&mut [f32]),
        step: impl Fn(&Places, &mut [f32]),
    ) -> Vec<f32> {
        let width = self.fixed.width();
        let mut inputs = vec![0.0; width + self.steps.len() * self.step_width()];
        fixed(&mut inputs[..width]);
        let steps = inputs[width..].chunks_exact_mut(self.step_width());
        for (places, out) in self.steps.iter().rev().zip(steps) {
            step(places, out);
        }
        inputs
    }
}

impl Kernel for Recurrent {
    fn encode(&self, row: &[f32]) -> Vec<f32> {
        let value = |column: usize| row[column];
        let fixed = |out: &mut [f32]| self.fixed.encode(&self.places, value, out);
        self.encode_with(fixed, |places, out| {
            if places.is_empty_in(value) {
                self.fields.encode_nothing(&mut out[1..]);
            } else {
                out[0] = 1.0;
                self.fields.encode(places, value, &mut out[1..]);
            }
        })
    }

    fn encode_nothing(&self) -> Vec<f32> {
        let fixed = |out: &mut [f32]| self.fixed.encode_nothing(out);
        self.encode_with(fixed, |_, out| self.fields.encode_nothing(&mut out[1..]))
    }

    fn margin(&self, inputs: &[f32], go_on: &mut dyn FnMut() -> bool) -> Option<f32> {
        let mut memory = Memory::new(self.cell.units());
        for step in self.steps_of(inputs).filter(|step| step[0] != 0.0) {
            if !go_on() {
                return None;
            }
            self.cell.step(step[0], &step[1..], &mut memory);
        }
        let output = self.head.forward(&self.joined(inputs, &memory), go_on);
        output.map(|output| output[0])
    }

    fn gradient(&self, inputs: &[f32]) -> Vec<f32> {
        let mut memory = Memory::new(self.cell.units());
        let steps = self.steps_of(inputs).enumerate();
        let traces: Vec<(usize, StepTrace)> = steps
            .filter(|(_, step)| step[0] != 0.0)
            .map(|(at, step)| (at, self.cell.step(step[0], &step[1..], &mut memory)))
            .collect();
        let trace = self.head.trace(&self.joined(inputs, &memory));
        let joined = self.head.pull(&trace, vec![1.0]);
        let (fixed, hidden) = joined.split_at(self.fixed.width());
        let mut gradient = vec![0.0; inputs.len()];
        gradient[..fixed.len()].copy_from_slice(fixed);
        let mut change = Memory::new(self.cell.units());
        change.hidden.copy_from_slice(hidden);
        for (at, trace) in traces.iter().rev() {
            let begin = fixed.len() + at * self.step_width();
            let (gate, fields) = gradient[begin..begin + self.step_width()].split_at_mut(1);
            gate[0] = self.cell.pull(inputs[begin], trace, &mut change, fields);
        }
        gradient
    }

    fn spread(&self, row: &[f32], moved: &[f64], columns: &mut [f64]) {
        let (fixed, steps) = moved.split_at(self.fixed.width());
        self.fixed.spread(&self.places, fixed, columns);
        let steps = steps.chunks_exact(self.step_width());
        for (places, moved) in self.steps.iter().rev().zip(steps) {
            spread_gate(places, row, moved[0], columns);
            self.fields.spread(places, &moved[1..], columns);
        }
    }

    fn check(&self, n_features: usize) -> Result<(), String> {
        self.fields.check(&self.steps, n_features)?;
        let places = std::slice::from_ref(&self.places);
        self.fixed.check(places, n_features)?;
        self.cell.check(self.fields.width())?;
        self.head.check(self.fixed.width() + self.cell.units(), 1)
    }

    fn parameters(&self) -> usize {
        let of = |dense: &Dense| dense.weights.len() + dense.bias.len();
        let inputs = self.fields.parameters() + self.fixed.parameters();
        inputs + of(&self.cell.input) + of(&self.cell.recurrent) + self.head.parameters()
    }
}

/// Shares what the presence of a step or neighbour moved among the columns that show it.
pub(super) fn spread_gate(places: &Places, row: &[f32], moved: f64, columns: &mut [f64]) {
    let known = || places.all().filter(|column| !row[*column].is_nan());
    let share = moved / known().count().max(1) as f64;
    known().for_each(|column| columns[column] += share);
}
