//! Which action is taken, with which probability.

use acumen_base::Seed;
use acumen_base::random::{Stream, unit};
use serde::{Deserialize, Serialize};

use super::arm::{Arm, BanditError};

/// How a bandit explores.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "algorithm", rename_all = "snake_case")]
pub enum Algorithm {
    /// The largest upper bound `expected + alpha · spread` (LinUCB with disjoint models; Li et al.
    /// 2010).
    LinUcb {
        /// How many spreads the bound lies above what is expected.
        alpha: f64,
    },
    /// Linear Thompson sampling (Agrawal and Goyal 2013): the best by models drawn from what is
    /// known of them.
    LinearThompson {
        /// How wide models are drawn: the deviation of the noise.
        scale: f64,
        /// How often they are drawn for one request. The probability of an action is the share
        /// of draws that it wins, and one of them is taken.
        draws: usize,
    },
    /// The largest expected reward; all exploration is `epsilon`.
    Greedy,
}

/// A bandit, declared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BanditSpec {
    /// How it explores.
    #[serde(flatten)]
    pub algorithm: Algorithm,
    /// The share of requests at which any action is as likely as any other: what keeps every
    /// probability above 0, so that other policies can be judged.
    pub epsilon: f64,
    /// The ridge λ of the models.
    pub ridge: f64,
}

/// Models of actions, learning as outcomes arrive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bandit {
    spec: BanditSpec,
    width: usize,
    arms: Vec<Arm>,
}

/// The probability of every action, and what they were judged by.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Distribution {
    /// One an action; 0 for those that may not be taken.
    pub probabilities: Vec<f64>,
    /// What each is expected to bring, all of them, so that the next best can stand in.
    pub expected: Vec<f64>,
}

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chosen {
    /// The action.
    pub action: usize,
    /// Its probability, for the log.
    pub propensity: f64,
    /// All of them.
    pub distribution: Distribution,
}

impl Bandit {
    /// A bandit over so many actions, and contexts of so many numbers, that knows nothing yet.
    pub fn new(spec: BanditSpec, actions: usize, width: usize) -> Bandit {
        Bandit {
            spec,
            width,
            arms: vec![Arm::new(width, spec.ridge); actions],
        }
    }

    /// How many numbers it is told of each action.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many actions.
    pub fn actions(&self) -> usize {
        self.arms.len()
    }

    /// The model of an action.
    pub fn arm(&self, action: usize) -> Option<&Arm> {
        self.arms.get(action)
    }

    /// What was learnt of every action.
    pub fn arms(&self) -> &[Arm] {
        &self.arms
    }

    /// Some of the actions under another declaration, with what was learnt of them; `None` is an
    /// action that nothing is known of.
    #[must_use]
    pub fn declared_as(&self, spec: BanditSpec, actions: &[Option<usize>]) -> Bandit {
        let arm = |action: &Option<usize>| match action.and_then(|action| self.arm(action)) {
            Some(known) => known.with_ridge(spec.ridge),
            None => Arm::new(self.width, spec.ridge),
        };
        Bandit {
            spec,
            width: self.width,
            arms: actions.iter().map(arm).collect(),
        }
    }

    /// Takes back what was learnt of every action, where it is of as many.
    pub fn restore(&mut self, arms: Vec<Arm>) {
        if arms.len() == self.arms.len() {
            self.arms = arms;
        }
    }

    /// Learns what came of an action.
    ///
    /// # Errors
    /// Where there is no such action, or a number is none.
    pub fn learn(
        &mut self,
        action: usize,
        context: &[f64],
        reward: f64,
    ) -> Result<(), BanditError> {
        self.check(context)?;
        if !reward.is_finite() {
            let what = "the reward".to_owned();
            return Err(BanditError::Number {
                what,
                value: reward,
            });
        }
        let count = self.arms.len();
        let arm = self.arms.get_mut(action);
        let arm = arm.ok_or(BanditError::Action {
            found: action,
            count,
        })?;
        arm.learn(context, reward);
        Ok(())
    }

    /// What an action is expected to bring in each of some contexts, and above it what finding out
    /// more is worth; of drawn models, their mean.
    ///
    /// # Errors
    /// For each context: where there is no such action, or a number of it is none.
    pub fn scores<'a>(
        &self,
        action: usize,
        contexts: impl Iterator<Item = &'a [f32]>,
    ) -> Vec<Result<f64, BanditError>> {
        let (count, found) = (self.arms.len(), action);
        let (mut wide, mut room) = (Vec::new(), Vec::new());
        let score = |context: &[f32]| {
            wide.clear();
            wide.extend(context.iter().map(|value| f64::from(*value)));
            self.check(&wide)?;
            let arm = self.arms.get(action);
            let arm = arm.ok_or(BanditError::Action { found, count })?;
            let more = match self.spec.algorithm {
                Algorithm::LinUcb { alpha } => alpha * arm.spread_with(&wide, &mut room),
                Algorithm::LinearThompson { .. } | Algorithm::Greedy => 0.0,
            };
            Ok(arm.expected(&wide) + more)
        };
        contexts.map(score).collect()
    }

    /// Adds to the reward of something that was learnt before: an outcome that came later.
    ///
    /// # Errors
    /// As [`Bandit::learn`].
    pub fn reward(&mut self, action: usize, context: &[f64], more: f64) -> Result<(), BanditError> {
        self.check(context)?;
        if !more.is_finite() {
            let what = "the reward".to_owned();
            return Err(BanditError::Number { what, value: more });
        }
        let count = self.arms.len();
        let arm = self.arms.get_mut(action);
        let found = action;
        arm.ok_or(BanditError::Action { found, count })?
            .reward(context, more);
        Ok(())
    }

    /// What an action may bring in each of some contexts by models that are drawn, draw by draw: each
    /// draw is one model for all contexts (Agrawal and Goyal 2013).
    ///
    /// # Errors
    /// Where there is no such action, or a number of a context is none.
    pub fn drawn(
        &self,
        action: usize,
        contexts: &[Vec<f32>],
        (scale, draws): (f64, usize),
        (seed, key): (Seed, &str),
    ) -> Result<Vec<Vec<f32>>, BanditError> {
        let (count, found) = (self.arms.len(), action);
        let arm = self.arms.get(action);
        let arm = arm.ok_or(BanditError::Action { found, count })?;
        let looked_at = contexts.iter().map(|context| {
            let wide: Vec<f64> = context.iter().map(|value| f64::from(*value)).collect();
            self.check(&wide)?;
            Ok((arm.expected(&wide), arm.forward(&wide)))
        });
        let looked_at: Vec<(f64, Vec<f64>)> = looked_at.collect::<Result<_, BanditError>>()?;
        let mut stream = Stream::new(seed.derive("drawn").derive(key));
        let draw = |_| {
            let normals: Vec<f64> = (0..self.width).map(|_| stream.normal()).collect();
            let score = |(expected, forward): &(f64, Vec<f64>)| {
                let off: f64 = forward.iter().zip(&normals).map(|(a, b)| a * b).sum();
                (expected + scale * off) as f32
            };
            looked_at.iter().map(score).collect()
        };
        Ok((0..draws).map(draw).collect())
    }

    /// How it is declared.
    pub fn spec(&self) -> BanditSpec {
        self.spec
    }

    /// Adds what another bandit over the same actions has learnt apart.
    ///
    /// # Errors
    /// Where it is over other actions or contexts.
    pub fn merge(&mut self, other: &Bandit) -> Result<(), BanditError> {
        if other.width != self.width {
            let (found, expected) = (other.width, self.width);
            return Err(BanditError::Width { found, expected });
        }
        if other.arms.len() != self.arms.len() {
            let (found, count) = (other.arms.len(), self.arms.len());
            return Err(BanditError::Action { found, count });
        }
        self.arms
            .iter_mut()
            .zip(&other.arms)
            .for_each(|(own, theirs)| own.merge(theirs));
        Ok(())
    }

    /// The probability of every action that may be taken. It depends on the seed and the key of
    /// the request alone, besides what was learnt.
    ///
    /// # Errors
    /// Where no action may be taken, or a number of the context is none.
    pub fn distribution(
        &self,
        context: &[f64],
        allowed: &[bool],
        (seed, key): (Seed, &str),
    ) -> Result<Distribution, BanditError> {
        self.check(context)?;
        if allowed.len() != self.arms.len() {
            let (found, count) = (allowed.len(), self.arms.len());
            return Err(BanditError::Action { found, count });
        }
        let open: Vec<usize> = (0..self.arms.len()).filter(|at| allowed[*at]).collect();
        if open.is_empty() {
            return Err(BanditError::NoActions);
        }
        let mut wins = vec![0.0; self.arms.len()];
        match self.spec.algorithm {
            Algorithm::Greedy => wins[best(&open, |at| self.arms[at].expected(context))] = 1.0,
            Algorithm::LinUcb { alpha } => {
                let bound = |at: usize| {
                    self.arms[at].expected(context) + alpha * self.arms[at].spread(context)
                };
                wins[best(&open, bound)] = 1.0;
            }
            Algorithm::LinearThompson { scale, draws } => {
                let draws = draws.max(1);
                let mut stream = Stream::new(seed.derive("thompson").derive(key));
                for _ in 0..draws {
                    wins[self.drawn_best(&open, context, scale, &mut stream)] += 1.0;
                }
                wins.iter_mut().for_each(|wins| *wins /= draws as f64);
            }
        }
        let (epsilon, even) = (self.spec.epsilon, 1.0 / open.len() as f64);
        for at in open {
            wins[at] = (1.0 - epsilon) * wins[at] + epsilon * even;
        }
        Ok(Distribution {
            probabilities: wins,
            expected: self.arms.iter().map(|arm| arm.expected(context)).collect(),
        })
    }

    /// Chooses an action.
    ///
    /// # Errors
    /// As [`Bandit::distribution`].
    pub fn choose(
        &self,
        context: &[f64],
        allowed: &[bool],
        (seed, key): (Seed, &str),
    ) -> Result<Chosen, BanditError> {
        let distribution = self.distribution(context, allowed, (seed, key))?;
        let mut left = unit(seed.derive("choose").derive(key).0);
        let probabilities = distribution.probabilities.iter().copied().enumerate();
        let mut action = None;
        for (at, probability) in probabilities.filter(|(_, probability)| *probability > 0.0) {
            // Where rounding leaves a rest, the last that is possible is taken.
            action = Some((at, probability));
            left -= probability;
            if left < 0.0 {
                break;
            }
        }
        let (action, propensity) = action.ok_or(BanditError::NoActions)?;
        Ok(Chosen {
            action,
            propensity,
            distribution,
        })
    }

    /// The best action by models that are drawn once.
    fn drawn_best(
        &self,
        open: &[usize],
        context: &[f64],
        scale: f64,
        stream: &mut Stream,
    ) -> usize {
        let drawn = open.iter().map(|&at| {
            let normals: Vec<f64> = context.iter().map(|_| stream.normal()).collect();
            self.arms[at].drawn(context, scale, &normals)
        });
        let drawn: Vec<f64> = drawn.collect();
        let places: Vec<usize> = (0..open.len()).collect();
        open[best(&places, |place| drawn[place])]
    }

    fn check(&self, context: &[f64]) -> Result<(), BanditError> {
        let (found, expected) = (context.len(), self.width);
        if found != expected {
            return Err(BanditError::Width { found, expected });
        }
        match context.iter().position(|value| !value.is_finite()) {
            Some(at) => Err(BanditError::Number {
                what: format!("number {at} of the context"),
                value: context[at],
            }),
            None => Ok(()),
        }
    }
}

/// The one of the largest value, of equal ones the first.
fn best(open: &[usize], value: impl Fn(usize) -> f64) -> usize {
    let mut best = (open[0], value(open[0]));
    for &at in &open[1..] {
        let value = value(at);
        if value > best.1 {
            best = (at, value);
        }
    }
    best.0
}
