//! One step of a recurrent cell, and what it pulls back.

use super::{Cell, CellKind};

/// What is remembered between steps, or how the margin changes with it.
pub(super) struct Memory {
    pub(super) hidden: Vec<f32>,
    /// Of an LSTM only.
    state: Vec<f32>,
}

/// What a step computed.
pub(super) struct StepTrace {
    /// The gates, behind their functions.
    gates: Vec<f32>,
    /// The recurrent part of a GRU's candidate.
    recalled: Vec<f32>,
    /// What was remembered before, and what the step made of it.
    before: Memory,
    after: Memory,
}

impl Memory {
    pub(super) fn new(units: usize) -> Memory {
        Memory {
            hidden: vec![0.0; units],
            state: vec![0.0; units],
        }
    }
}

fn logistic(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}

impl Cell {
    /// How many numbers it remembers.
    pub fn units(&self) -> usize {
        self.recurrent.inputs
    }

    /// Takes a step: `gate` of what it makes replaces what was remembered.
    pub(super) fn step(&self, gate: f32, input: &[f32], memory: &mut Memory) -> StepTrace {
        let mut gates = self.input.forward(input);
        let recurrent = self.recurrent.forward(&memory.hidden);
        let (after, recalled) = match self.kind {
            CellKind::Lstm => {
                for (gate, recurrent) in gates.iter_mut().zip(&recurrent) {
                    *gate += recurrent;
                }
                (self.lstm(&mut gates, memory), Vec::new())
            }
            CellKind::Gru => self.gru(&mut gates, recurrent, memory),
        };
        let mix = |after: &[f32], before: &[f32]| -> Vec<f32> {
            let pairs = after.iter().zip(before);
            pairs.map(|(a, b)| gate * a + (1.0 - gate) * b).collect()
        };
        let mixed = Memory {
            hidden: mix(&after.hidden, &memory.hidden),
            state: mix(&after.state, &memory.state),
        };
        StepTrace {
            gates,
            recalled,
            before: std::mem::replace(memory, mixed),
            after,
        }
    }

    fn lstm(&self, gates: &mut [f32], before: &Memory) -> Memory {
        let units = self.units();
        let (squeezed, output) = gates.split_at_mut(3 * units);
        let (entrance, candidate) = squeezed.split_at_mut(2 * units);
        for value in entrance.iter_mut().chain(output.iter_mut()) {
            *value = logistic(*value);
        }
        candidate.iter_mut().for_each(|value| *value = value.tanh());
        let mut after = Memory::new(units);
        for unit in 0..units {
            let kept = entrance[units + unit] * before.state[unit];
            after.state[unit] = kept + entrance[unit] * candidate[unit];
            after.hidden[unit] = output[unit] * after.state[unit].tanh();
        }
        after
    }

    fn gru(&self, gates: &mut [f32], recurrent: Vec<f32>, before: &Memory) -> (Memory, Vec<f32>) {
        let units = self.units();
        let mut recalled = recurrent;
        let (switches, candidate) = gates.split_at_mut(2 * units);
        for (value, recurrent) in switches.iter_mut().zip(&recalled) {
            *value = logistic(*value + recurrent);
        }
        recalled.drain(..2 * units);
        let mut after = Memory::new(units);
        for unit in 0..units {
            let (reset, update) = (switches[unit], switches[units + unit]);
            candidate[unit] = (candidate[unit] + reset * recalled[unit]).tanh();
            after.hidden[unit] = (1.0 - update) * candidate[unit] + update * before.hidden[unit];
        }
        (after, recalled)
    }

    /// Turns how the margin changes with what is remembered after the step into how it does with
    /// what was before, adds how it changes with the inputs, and returns how with the gate.
    pub(super) fn pull(
        &self,
        gate: f32,
        trace: &StepTrace,
        change: &mut Memory,
        input: &mut [f32],
    ) -> f32 {
        let of_gate = |change: &[f32], after: &[f32], before: &[f32]| -> f32 {
            let pairs = change.iter().zip(after.iter().zip(before));
            pairs.map(|(change, (a, b))| change * (a - b)).sum()
        };
        let (after, before) = (&trace.after, &trace.before);
        let moved = of_gate(&change.hidden, &after.hidden, &before.hidden)
            + of_gate(&change.state, &after.state, &before.state);
        let mut earlier = Memory::new(self.units());
        let through = |values: &[f32]| values.iter().map(|value| (1.0 - gate) * value).collect();
        (earlier.hidden, earlier.state) = (through(&change.hidden), through(&change.state));
        for value in change.hidden.iter_mut().chain(&mut change.state) {
            *value *= gate;
        }
        let (gates, recurrent) = match self.kind {
            CellKind::Lstm => self.pull_lstm(trace, change, &mut earlier),
            CellKind::Gru => self.pull_gru(trace, change, &mut earlier),
        };
        self.input.pull(&gates, input);
        let recurrent = recurrent.as_deref().unwrap_or(&gates);
        self.recurrent.pull(recurrent, &mut earlier.hidden);
        *change = earlier;
        moved
    }

    /// How the margin changes with the sums before the gates.
    fn pull_lstm(
        &self,
        trace: &StepTrace,
        change: &Memory,
        earlier: &mut Memory,
    ) -> (Vec<f32>, Option<Vec<f32>>) {
        let units = self.units();
        let mut sums = vec![0.0; 4 * units];
        for unit in 0..units {
            let gate = |index: usize| trace.gates[index * units + unit];
            let (entrance, forget, candidate, output) = (gate(0), gate(1), gate(2), gate(3));
            let shown = trace.after.state[unit].tanh();
            let hidden = change.hidden[unit];
            let state = change.state[unit] + hidden * output * (1.0 - shown * shown);
            sums[unit] = state * candidate * entrance * (1.0 - entrance);
            sums[units + unit] = state * trace.before.state[unit] * forget * (1.0 - forget);
            sums[2 * units + unit] = state * entrance * (1.0 - candidate * candidate);
            sums[3 * units + unit] = hidden * shown * output * (1.0 - output);
            earlier.state[unit] += state * forget;
        }
        (sums, None)
    }

    /// The same; the candidate's recurrent part changes by its own measure.
    fn pull_gru(
        &self,
        trace: &StepTrace,
        change: &Memory,
        earlier: &mut Memory,
    ) -> (Vec<f32>, Option<Vec<f32>>) {
        let units = self.units();
        let mut sums = vec![0.0; 3 * units];
        for unit in 0..units {
            let gate = |index: usize| trace.gates[index * units + unit];
            let (reset, update, candidate) = (gate(0), gate(1), gate(2));
            let hidden = change.hidden[unit];
            let inner = hidden * (1.0 - update) * (1.0 - candidate * candidate);
            let kept = trace.before.hidden[unit] - candidate;
            sums[unit] = inner * trace.recalled[unit] * reset * (1.0 - reset);
            sums[units + unit] = hidden * kept * update * (1.0 - update);
            sums[2 * units + unit] = inner;
            earlier.hidden[unit] += hidden * update;
        }
        let mut recurrent = sums.clone();
        for unit in 0..units {
            recurrent[2 * units + unit] *= trace.gates[unit];
        }
        (sums, Some(recurrent))
    }

    /// What it remembers behind the last of some inputs.
    pub(crate) fn remember<'a>(&self, inputs: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
        let mut memory = Memory::new(self.units());
        for input in inputs {
            self.step(1.0, input, &mut memory);
        }
        memory.hidden
    }

    /// What it remembers before the first of some inputs, and behind each of them.
    pub(crate) fn course<'a>(&self, inputs: impl Iterator<Item = &'a [f32]>) -> Vec<Vec<f32>> {
        let mut memory = Memory::new(self.units());
        let mut course = vec![memory.hidden.clone()];
        for input in inputs {
            self.step(1.0, input, &mut memory);
            course.push(memory.hidden.clone());
        }
        course
    }

    pub(crate) fn check(&self, inputs: usize) -> Result<(), String> {
        self.input.check()?;
        self.recurrent.check()?;
        let (units, gates) = (self.units(), self.kind.gates());
        let fits = self.input.inputs == inputs
            && self.input.outputs == gates * units
            && self.recurrent.outputs == gates * units;
        match fits && units > 0 {
            true => Ok(()),
            false => Err(format!(
                "a cell of {units} units cannot have {} and {} gates over {} inputs",
                self.input.outputs, self.recurrent.outputs, self.input.inputs
            )),
        }
    }
}
