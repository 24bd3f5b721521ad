//! What the log says of events beside their rows: outcomes, decisions, rates and edits.

use std::collections::{BTreeMap, HashMap};

use acumen_base::{Control, Currency, Decision, Time};
use acumen_value::Rates;
use serde::{Deserialize, Serialize};

use crate::truth::Word;

/// What one stretch of the log says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// What was said of outcomes, by the hash of the event's id, in log order.
    pub(crate) words: Vec<(u64, Word)>,
    /// What was decided.
    pub(crate) made: Vec<Made>,
    /// The actions that `made` names by their place here.
    actions: Vec<String>,
    /// Rates of currencies.
    rates: Vec<(Currency, f64)>,
    /// Edits with their positions, those that deploy models excepted.
    controls: Vec<(u64, Control)>,
    /// The newest time at which any event became known.
    as_of: Time,
}

/// A decision on an event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Made {
    /// The log position of the event.
    pub(crate) position: u64,
    /// What was done, by its place among the actions.
    pub(crate) action: u32,
    /// What the models said.
    pub(crate) probability: Option<f64>,
    /// The same as a score.
    pub(crate) score: Option<f64>,
}

/// What all stretches say.
#[derive(Debug)]
pub(crate) struct Said {
    /// What was said of outcomes, by the hash of the event's id, in log order.
    pub(crate) words: HashMap<u64, Vec<Word>>,
    /// What was decided, by the position of the event.
    pub(crate) made: Vec<Made>,
    /// The actions that `made` names.
    pub(crate) actions: Vec<String>,
    /// The newest rates.
    pub(crate) rates: Rates,
    /// Edits in log order.
    pub(crate) controls: Vec<(u64, Control)>,
    /// Up to when outcomes are known.
    pub(crate) as_of: Time,
}

impl Default for Facts {
    fn default() -> Facts {
        Facts {
            words: Vec::new(),
            made: Vec::new(),
            actions: Vec::new(),
            rates: Vec::new(),
            controls: Vec::new(),
            as_of: Time(i64::MIN),
        }
    }
}

impl Facts {
    pub(super) fn decision(&mut self, decision: &Decision) {
        let known = self.actions.iter().position(|a| *a == decision.action);
        let action = known.unwrap_or_else(|| {
            self.actions.push(decision.action.clone());
            self.actions.len() - 1
        });
        self.made.push(Made {
            position: decision.position,
            action: action as u32,
            probability: decision.probability,
            score: decision.score,
        });
    }

    pub(super) fn rate(&mut self, currency: Currency, rate: f64) {
        self.rates.push((currency, rate));
    }

    pub(super) fn control(&mut self, position: u64, control: &Control) {
        if !matches!(control, Control::Deploy { .. }) {
            self.controls.push((position, control.clone()));
        }
    }

    pub(super) fn known(&mut self, at: Time) {
        self.as_of = self.as_of.max(at);
    }

    /// How many there are, for a bound on one stretch.
    pub(super) fn len(&self) -> usize {
        self.words.len() + self.made.len() + self.rates.len() + self.controls.len()
    }

    /// Whether there was not even an event.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0 && self.as_of == Time(i64::MIN)
    }
}

impl Said {
    /// Everything that the stretches of a log say, in log order.
    pub(crate) fn of(stretches: impl IntoIterator<Item = Facts>) -> Said {
        let mut said = Said {
            words: HashMap::new(),
            made: Vec::new(),
            actions: Vec::new(),
            rates: BTreeMap::new(),
            controls: Vec::new(),
            as_of: Time(i64::MIN),
        };
        for facts in stretches {
            said.add(facts);
        }
        said.made.sort_by_key(|made| made.position);
        said
    }

    fn add(&mut self, facts: Facts) {
        for (id, word) in facts.words {
            self.words.entry(id).or_default().push(word);
        }
        let place = |action: String| {
            let known = self.actions.iter().position(|known| *known == action);
            known.unwrap_or_else(|| {
                self.actions.push(action);
                self.actions.len() - 1
            }) as u32
        };
        let places: Vec<u32> = facts.actions.into_iter().map(place).collect();
        self.made.extend(facts.made.into_iter().map(|made| Made {
            action: places[made.action as usize],
            ..made
        }));
        self.rates.extend(facts.rates);
        self.controls.extend(facts.controls);
        self.as_of = self.as_of.max(facts.as_of);
    }

    /// What was said of the outcome of an event.
    pub(crate) fn words(&self, id: u64) -> &[Word] {
        self.words.get(&id).map_or(&[], Vec::as_slice)
    }
}
