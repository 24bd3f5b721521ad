//! Which of several ensembles makes a list: a bandit whose arms they are, which knows the visitor
//! and the moment, and learns from what came of the whole list.

use std::collections::HashSet;

use acumen_base::{EnsembleChoice, Seed};
use acumen_decision::bandit::{Arm, Bandit, BanditError};

use super::ask::{ArmLine, EnsembleLine};
use super::moment::Moments;
use super::visitors::Past;
use super::wish::Wish;
use crate::spec::RankingDecl;

/// Numbers of the visitor and the time, before those of the moment.
const OF_VISITOR: usize = 8;
const HOUR: f64 = 3_600_000.0;

/// A bandit over ensembles.
#[derive(Clone, Debug)]
pub(crate) struct Chooser {
    names: Vec<String>,
    pub(crate) bandit: Bandit,
}

/// The ensemble of a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chosen {
    pub(super) at: usize,
    /// What the log keeps.
    pub(super) choice: EnsembleChoice,
    expected: Vec<f64>,
}

impl Chooser {
    /// One that knows nothing; `None` where there is nothing to choose.
    pub(crate) fn new(decl: &RankingDecl, moments: &Moments) -> Option<Chooser> {
        let names: Vec<String> = decl.ensembles.iter().map(|of| of.name.clone()).collect();
        let width = OF_VISITOR + moments.width();
        (!names.is_empty()).then(|| Chooser {
            bandit: Bandit::new(decl.choose, names.len(), width),
            names,
        })
    }

    /// What it has learnt of ensembles, for a declaration that has others or chooses otherwise;
    /// `None` where that has nothing to choose.
    pub(super) fn declared_as(&self, decl: &RankingDecl) -> Option<Chooser> {
        let names: Vec<String> = decl.ensembles.iter().map(|of| of.name.clone()).collect();
        let known: Vec<Option<usize>> = names.iter().map(|name| self.place(name)).collect();
        (!names.is_empty()).then(|| Chooser {
            bandit: self.bandit.declared_as(decl.choose, &known),
            names,
        })
    }

    /// Chooses, by what is known and the id of the list.
    pub(super) fn choose(&self, known: Vec<f32>, by: (Seed, &str)) -> Result<Chosen, BanditError> {
        let allowed = vec![true; self.names.len()];
        let chosen = self.bandit.choose(&wide(&known), &allowed, by)?;
        let probabilities = chosen.distribution.probabilities.iter();
        let named = self.names.iter().cloned().zip(probabilities.copied());
        Ok(Chosen {
            at: chosen.action,
            choice: EnsembleChoice {
                ensemble: self.names[chosen.action].clone(),
                probabilities: named.collect(),
                known,
            },
            expected: chosen.distribution.expected,
        })
    }

    /// Learns that a list was seen, and what came of it so far.
    pub(super) fn seen(&mut self, choice: &EnsembleChoice, reward: f64) {
        if let Some(arm) = self.place(&choice.ensemble) {
            let _of_another_width = self.bandit.learn(arm, &wide(&choice.known), reward);
        }
    }

    /// Learns what came of a list besides.
    pub(super) fn reward(&mut self, choice: &EnsembleChoice, more: f64) {
        if let Some(arm) = self.place(&choice.ensemble) {
            let _of_another_width = self.bandit.reward(arm, &wide(&choice.known), more);
        }
    }

    /// How many lists of each ensemble it has learnt from.
    pub(super) fn learnt(&self) -> Vec<(String, u64)> {
        let counts = self.bandit.arms().iter().map(Arm::count);
        self.names.iter().cloned().zip(counts).collect()
    }

    fn place(&self, ensemble: &str) -> Option<usize> {
        self.names.iter().position(|name| name == ensemble)
    }
}

impl Chosen {
    /// What an answer says of it.
    pub(super) fn line(&self, explain: bool) -> EnsembleLine {
        let arm = |((name, probability), expected): (&(String, f64), &f64)| ArmLine {
            name: name.clone(),
            probability: *probability,
            expected: *expected,
        };
        let arms = self.choice.probabilities.iter().zip(&self.expected);
        EnsembleLine {
            name: self.choice.ensemble.clone(),
            propensity: self.choice.probabilities[self.at].1,
            arms: match explain {
                true => arms.map(arm).collect(),
                false => Vec::new(),
            },
        }
    }
}

/// What is known of whoever asks and of the moment: a constant; whether they did anything, and how
/// much (as a logarithm); for how long they have been away (a logarithm of hours); the share of what
/// they did with items that they knew; the hour of the day in UTC as a point of a circle; whether it
/// is a weekend; and what is said of the moment.
pub(super) fn known(wish: &Wish<'_>, moments: &Moments) -> Vec<f32> {
    let Past { items, times, .. } = &wish.past;
    let hours = times
        .last()
        .map_or(0.0, |at| ((wish.now - *at).0 as f64 / HOUR).max(0.0));
    let different: HashSet<&u32> = items.iter().collect();
    let again = items.len() - different.len();
    let angle = f64::from(wish.now.hour()) / 24.0 * std::f64::consts::TAU;
    let of_visitor: [f64; OF_VISITOR] = [
        1.0,
        f64::from(u8::from(!items.is_empty())),
        (items.len() as f64).ln_1p(),
        hours.ln_1p(),
        again as f64 / items.len().max(1) as f64,
        angle.sin(),
        angle.cos(),
        f64::from(u8::from(wish.now.weekday() >= 5)),
    ];
    let of_visitor = of_visitor.iter().map(|number| *number as f32);
    of_visitor.chain(moments.numbers(&wish.moment)).collect()
}

fn wide(known: &[f32]) -> Vec<f64> {
    known.iter().map(|value| f64::from(*value)).collect()
}
