//! The linear model of one action's reward, learning one outcome after the other.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

/// Ridge regression as sums: `A = λI + Σ w x xᵀ` and `b = Σ w r x`. What follows from them is made
/// when it is asked for, since many outcomes may come between two questions.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Sums", into = "Sums")]
pub struct Arm {
    sums: Sums,
    solved: OnceLock<Solved>,
}

/// What follows from the sums.
#[derive(Clone, Debug)]
struct Solved {
    /// The lower half of L with `A = L Lᵀ`, line after line.
    factor: Vec<f64>,
    /// `A⁻¹ b`.
    mean: Vec<f64>,
}

impl PartialEq for Arm {
    fn eq(&self, other: &Arm) -> bool {
        self.sums == other.sums
    }
}

/// What is added up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sums {
    ridge: f64,
    /// The lower half of `Σ w x xᵀ`, line after line.
    squares: Vec<f64>,
    rewards: Vec<f64>,
    /// How many outcomes.
    count: u64,
}

/// Why an outcome or a context is refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum BanditError {
    /// A context of another width.
    #[error("the context has {found} numbers, and the bandit has learnt from {expected}")]
    Width {
        /// Numbers that were given.
        found: usize,
        /// Numbers that are needed.
        expected: usize,
    },
    /// A number that is none.
    #[error("{what} is {value}, and must be a finite number; leave the event out or mend it")]
    Number {
        /// `number 3 of the context`, or `the reward`.
        what: String,
        /// The value.
        value: f64,
    },
    /// An action that there is not.
    #[error("there is no action {found}: there are {count}, counted from 0")]
    Action {
        /// The action that was given.
        found: usize,
        /// How many there are.
        count: usize,
    },
    /// Nothing to choose from.
    #[error("no action may be taken; give at least one")]
    NoActions,
}

impl Arm {
    /// A model that has seen nothing.
    pub fn new(width: usize, ridge: f64) -> Arm {
        Arm::from(Sums {
            ridge,
            squares: vec![0.0; half(width)],
            rewards: vec![0.0; width],
            count: 0,
        })
    }

    /// The same sums under another ridge.
    pub(super) fn with_ridge(&self, ridge: f64) -> Arm {
        Arm::from(Sums {
            ridge,
            ..self.sums.clone()
        })
    }

    /// How many outcomes it has learnt from.
    pub fn count(&self) -> u64 {
        self.sums.count
    }

    /// Learns from an outcome.
    pub(super) fn learn(&mut self, context: &[f64], reward: f64) {
        let mut squares = self.sums.squares.iter_mut();
        for (line, x) in context.iter().enumerate() {
            for (y, sum) in context[..=line].iter().zip(squares.by_ref()) {
                *sum += x * y;
            }
            self.sums.rewards[line] += reward * x;
        }
        self.sums.count += 1;
        self.solved.take();
    }

    /// Adds to the reward of an outcome that was learnt with this context.
    pub(super) fn reward(&mut self, context: &[f64], more: f64) {
        for (sum, x) in self.sums.rewards.iter_mut().zip(context) {
            *sum += more * x;
        }
        self.solved.take();
    }

    /// Adds what another one has learnt.
    pub(super) fn merge(&mut self, other: &Arm) {
        let add = |own: &mut [f64], theirs: &[f64]| {
            own.iter_mut()
                .zip(theirs)
                .for_each(|(sum, value)| *sum += value);
        };
        add(&mut self.sums.squares, &other.sums.squares);
        add(&mut self.sums.rewards, &other.sums.rewards);
        self.sums.count += other.sums.count;
        self.solved.take();
    }

    /// The expected reward.
    pub fn expected(&self, context: &[f64]) -> f64 {
        dot(&self.solved().mean, context)
    }

    /// `√(xᵀA⁻¹x)`: how unsure the expected reward is, in units of the noise.
    pub fn spread(&self, context: &[f64]) -> f64 {
        self.spread_with(context, &mut Vec::new())
    }

    /// The same, with room that is used again.
    pub(super) fn spread_with(&self, context: &[f64], room: &mut Vec<f64>) -> f64 {
        self.solved().forward_into(context, room);
        dot(room, room).sqrt()
    }

    /// A draw of the model `mean + scale · L⁻ᵀ z`, as the reward that it expects.
    pub(super) fn drawn(&self, context: &[f64], scale: f64, normals: &[f64]) -> f64 {
        // xᵀ L⁻ᵀ z = (L⁻¹ x)ᵀ z.
        self.expected(context) + scale * dot(&self.forward(context), normals)
    }

    fn solved(&self) -> &Solved {
        self.solved.get_or_init(|| self.sums.solved())
    }

    /// `L⁻¹ x`.
    pub(super) fn forward(&self, x: &[f64]) -> Vec<f64> {
        self.solved().forward(x)
    }
}

impl Sums {
    fn solved(&self) -> Solved {
        let width = self.rewards.len();
        let mut factor = self.squares.clone();
        for line in 0..width {
            let (above, own) = factor.split_at_mut(half(line));
            let own = &mut own[..=line];
            own[line] += self.ridge;
            for column in 0..line {
                let other = &above[half(column)..][..=column];
                let sum = dot(&own[..column], &other[..column]);
                own[column] = (own[column] - sum) / other[column];
            }
            own[line] = (own[line] - dot(&own[..line], &own[..line])).sqrt();
        }
        let mut solved = Solved {
            factor,
            mean: Vec::new(),
        };
        let mut mean = solved.forward(&self.rewards);
        for line in (0..width).rev() {
            let row = &solved.factor[half(line)..][..=line];
            mean[line] /= row[line];
            let value = mean[line];
            for (earlier, entry) in mean[..line].iter_mut().zip(row) {
                *earlier -= value * entry;
            }
        }
        solved.mean = mean;
        solved
    }
}

impl Solved {
    /// `L⁻¹ x`.
    fn forward(&self, x: &[f64]) -> Vec<f64> {
        let mut solved = Vec::with_capacity(x.len());
        self.forward_into(x, &mut solved);
        solved
    }

    fn forward_into(&self, x: &[f64], solved: &mut Vec<f64>) {
        solved.clear();
        for (line, value) in x.iter().enumerate() {
            let row = &self.factor[half(line)..][..=line];
            let sum = dot(&row[..line], solved);
            solved.push((value - sum) / row[line]);
        }
    }
}

impl From<Sums> for Arm {
    fn from(sums: Sums) -> Arm {
        Arm {
            sums,
            solved: OnceLock::new(),
        }
    }
}

impl From<Arm> for Sums {
    fn from(arm: Arm) -> Sums {
        arm.sums
    }
}

/// Entries of the lower half of so many lines.
const fn half(lines: usize) -> usize {
    lines * (lines + 1) / 2
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
