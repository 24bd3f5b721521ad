//! What came of the events that were sent, and how right it was.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Event, Money};
use acumen_engine::Engine;
use serde_json::Value;

use crate::demo::latency::Latencies;
use crate::failure::Outcome;

/// What came of the events so far.
pub(crate) struct Tally {
    /// Sent and answered.
    pub(crate) events: u64,
    /// Events that were not taken, by why.
    pub(crate) refused: BTreeMap<String, u64>,
    /// From the scheduled instant to the answer.
    pub(crate) overall: Latencies,
    /// Of each layer, in the order in which they run.
    pub(crate) layers: Vec<(String, Latencies)>,
    /// Decisions whose worth has not been counted yet.
    pub(crate) fresh: Vec<Decided>,
    /// The latest decision that intervened.
    pub(crate) notable: Option<String>,
}

/// A decision as the client got it, with the world's truth.
pub(crate) struct Decided {
    event: Arc<Event>,
    action: String,
    truth: Truth,
}

impl Tally {
    /// Nothing yet.
    pub(crate) fn new() -> Tally {
        Tally {
            events: 0,
            refused: BTreeMap::new(),
            overall: Latencies::new(),
            layers: Vec::new(),
            fresh: Vec::new(),
            notable: None,
        }
    }

    /// Notes an event that was not taken.
    pub(crate) fn refuse(&mut self, why: String) {
        *self.refused.entry(why).or_default() += 1;
    }

    /// Notes an answer that came after `micros`.
    pub(crate) fn answered(&mut self, micros: f64) {
        self.events += 1;
        self.overall.add(micros);
    }

    /// Notes the decision on an event.
    pub(crate) fn decided(
        &mut self,
        event: &Arc<Event>,
        positive: bool,
        mildest: &str,
        answer: &Value,
    ) {
        for layer in answer["layers"].as_array().into_iter().flatten() {
            let (Some(name), Some("ran")) = (layer["name"].as_str(), layer["status"].as_str())
            else {
                continue;
            };
            let known = self.layers.iter().position(|(layer, _)| layer == name);
            let known = known.unwrap_or_else(|| {
                self.layers.push((name.to_owned(), Latencies::new()));
                self.layers.len() - 1
            });
            self.layers[known]
                .1
                .add(layer["took_us"].as_f64().unwrap_or(0.0));
        }
        let action = answer["action"].as_str().unwrap_or_default().to_owned();
        if action != mildest {
            self.notable = answer["id"].as_str().map(str::to_owned);
        }
        let truth = if positive {
            Truth::Positive
        } else {
            Truth::Negative
        };
        self.fresh.push(Decided {
            event: Arc::clone(event),
            action,
            truth,
        });
    }
}

/// Counts decisions against the world's truth.
pub(crate) struct Judge {
    use_case: usize,
    /// How often each action met a positive and a negative, mildest first.
    pub(crate) actions: Vec<(String, u64, u64)>,
    /// What the decisions were worth against always choosing the mildest action.
    pub(crate) saved: Option<Money>,
}

impl Judge {
    /// Of a use case's decisions.
    pub(crate) fn new(engine: &Engine, use_case: usize) -> Judge {
        let plan = &engine.plan().use_cases[use_case];
        let actions = plan
            .policy
            .actions()
            .map(|name| (name.to_owned(), 0, 0))
            .collect();
        let saved = plan
            .value
            .as_ref()
            .map(|_| Money::new(0, plan.declared.currency));
        Judge {
            use_case,
            actions,
            saved,
        }
    }

    /// The action that is taken where nothing speaks against it.
    pub(crate) fn mildest(&self) -> &str {
        self.actions.first().map_or("", |(name, _, _)| name)
    }

    /// Counts decisions in.
    pub(crate) fn count(&mut self, engine: &Engine, decided: &[Decided]) -> Outcome {
        let use_case = self.use_case;
        let rates = engine.ask(move |core, _| {
            core.live[use_case]
                .ledger
                .as_ref()
                .map(|ledger| ledger.rates().clone())
        })?;
        let valuation = &engine.plan().use_cases[use_case].value;
        let mildest = self.mildest().to_owned();
        for one in decided {
            let line = self
                .actions
                .iter_mut()
                .find(|(name, _, _)| *name == one.action);
            if let Some((_, positive, negative)) = line {
                match one.truth {
                    Truth::Positive => *positive += 1,
                    _ => *negative += 1,
                }
            }
            if let (Some(saved), Some(valuation), Some(rates)) =
                (&mut self.saved, valuation, &rates)
            {
                let worth = |action: &str| valuation.value(action, one.truth, &one.event, rates);
                if let (Some(value), Some(baseline)) = (worth(&one.action), worth(&mildest)) {
                    saved.minor = saved.minor.saturating_add(value.minor - baseline.minor);
                }
            }
        }
        Ok(())
    }

    /// How many decisions were counted.
    pub(crate) fn decisions(&self) -> u64 {
        self.actions
            .iter()
            .map(|(_, positive, negative)| positive + negative)
            .sum()
    }

    /// Of interventions, the share that met a positive.
    pub(crate) fn precision(&self) -> Option<f64> {
        let (hits, wrong) = self.interventions();
        (hits + wrong > 0).then(|| hits as f64 / (hits + wrong) as f64)
    }

    /// Of positives, the share that met an intervention.
    pub(crate) fn recall(&self) -> Option<f64> {
        let positives: u64 = self.actions.iter().map(|(_, positive, _)| positive).sum();
        (positives > 0).then(|| self.interventions().0 as f64 / positives as f64)
    }

    fn interventions(&self) -> (u64, u64) {
        let stricter = self.actions.iter().skip(1);
        stricter.fold((0, 0), |(hits, wrong), (_, positive, negative)| {
            (hits + positive, wrong + negative)
        })
    }
}
