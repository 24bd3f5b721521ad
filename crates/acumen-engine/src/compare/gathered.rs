//! The decisions that both sides answered, with their events and what turned out.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::{Body, Decision, Event, Prediction, Time};
use acumen_event::LogReader;
use acumen_value::Rates;

use super::COMPARED_MAX;
use crate::core::as_declared;
use crate::error::EngineError;
use crate::history::Sources;
use crate::plan::UseCasePlan;

/// Events that may wait for their decision while the log is read.
const WAITING_MAX: usize = 10_000;

/// Who answers beside whom.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// The member that votes; `None` is the vote of all.
    pub(super) champion: Option<String>,
    /// The member that answers beside it.
    pub(super) beside: String,
    /// Its version.
    pub(super) version: String,
}

/// A decision that both answered.
pub(super) struct Decided {
    pub(super) record: Arc<Decision>,
    pub(super) event: Arc<Event>,
    pub(super) champion: Prediction,
    pub(super) challenger: Prediction,
    /// The members whose vote the challenger's would have been.
    pub(super) exchanges: Vec<String>,
}

/// What was found of one pair.
pub(super) struct Gathered<'a> {
    pub(super) pair: &'a Pair,
    /// Oldest first, the latest [`COMPARED_MAX`].
    pub(super) decided: VecDeque<Decided>,
    /// What turned out of each.
    pub(super) truth: Vec<Truth>,
    /// Decisions that hid the truth.
    pub(super) hidden: usize,
    pub(super) champion_version: String,
    /// The newest rates of currencies.
    pub(super) rates: Rates,
}

/// Reads the log once for all pairs.
pub(super) fn gather<'a>(
    sources: &Sources,
    use_case: usize,
    pairs: &'a [Pair],
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<Gathered<'a>>, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let mut found: Vec<Gathered<'a>> = pairs.iter().map(Gathered::new).collect();
    let mut waiting: BTreeMap<u64, Arc<Event>> = BTreeMap::new();
    let mut positives: HashMap<Arc<str>, Time> = HashMap::new();
    let (mut rates, mut as_of) = (Rates::new(), Time(i64::MIN));
    let reader = LogReader::open(&sources.folder.log())?;
    for record in reader.read(reader.first_position()?) {
        let record = record?;
        match record.body {
            Body::Event(event) => {
                as_of = as_of.max(event.known_at);
                if let Some((currency, rate)) = plan.rate(&event) {
                    rates.insert(currency, rate);
                }
                if let Some(id) = made_positive(plan, &event) {
                    positives.entry(id).or_insert(event.known_at);
                }
                if let Some(kind) = sources.plan.event_type(&event.kind.name)
                    && plan.decides(&event.kind.name)
                {
                    waiting.insert(record.position, as_declared(&event, kind));
                    if waiting.len() > WAITING_MAX {
                        waiting.pop_first();
                    }
                }
            }
            Body::Decision(decision) if decision.use_case == plan.declared.name => {
                if let Some(event) = waiting.remove(&decision.position) {
                    let same = decision.columns == plan.columns.fingerprint;
                    for gathered in found.iter_mut().filter(|_| same) {
                        gathered.take(&decision, &event);
                    }
                }
            }
            Body::Decision(_) | Body::Listing(_) | Body::Control { .. } => {}
        }
        progress(record.position);
    }
    for gathered in &mut found {
        gathered.rates = rates.clone();
        gathered.settle(plan, &positives, as_of);
    }
    Ok(found)
}

/// The id of the event that an outcome makes positive.
fn made_positive(plan: &UseCasePlan, event: &Event) -> Option<Arc<str>> {
    let outcome = plan.declared.outcome.as_ref()?;
    let is_positive = event.kind.name == outcome.positive;
    match event.value(&outcome.by) {
        acumen_base::Value::Text(id) if is_positive => Some(Arc::clone(id)),
        _ => None,
    }
}

impl<'a> Gathered<'a> {
    fn new(pair: &'a Pair) -> Gathered<'a> {
        Gathered {
            pair,
            decided: VecDeque::new(),
            truth: Vec::new(),
            hidden: 0,
            champion_version: String::new(),
            rates: Rates::new(),
        }
    }

    /// Takes a decision in that both answered.
    fn take(&mut self, record: &Arc<Decision>, event: &Arc<Event>) {
        let members = || {
            let models = record.layers.iter().flat_map(|layer| &layer.members);
            models.chain(&record.ensemble)
        };
        let said = |name: &str| members().find(|member| member.name == name);
        let beside = said(&self.pair.beside).filter(|beside| beside.version == self.pair.version);
        let Some(Ok(challenger)) = beside.map(|beside| &beside.answer) else {
            return;
        };
        let (champion, exchanges) = match &self.pair.champion {
            Some(name) => {
                let Some(champion) = said(name) else { return };
                let Ok(prediction) = champion.answer else {
                    return;
                };
                self.champion_version.clone_from(&champion.version);
                (prediction, vec![name.clone()])
            }
            None => {
                let Some(value) = record.probability else {
                    return;
                };
                let voted = members().filter(|member| member.name != self.pair.beside);
                let voted = voted.map(|member| member.name.clone()).collect();
                (Prediction { value, raw: value }, voted)
            }
        };
        self.decided.push_back(Decided {
            record: Arc::clone(record),
            event: Arc::clone(event),
            champion,
            challenger: *challenger,
            exchanges,
        });
        if self.decided.len() > COMPARED_MAX {
            self.decided.pop_front();
        }
    }

    /// Finds out what turned out, as training does: nothing is negative before it could have
    /// become positive, and what hid the truth tells nothing.
    fn settle(&mut self, plan: &UseCasePlan, positives: &HashMap<Arc<str>, Time>, as_of: Time) {
        let Some(outcome) = &plan.declared.outcome else {
            self.truth = vec![Truth::Open; self.decided.len()];
            return;
        };
        for decided in &self.decided {
            let mature = decided.event.event_time + outcome.negative_after <= as_of;
            let hidden = outcome.hidden_by.contains(&decided.record.action);
            self.hidden += usize::from(hidden);
            self.truth.push(match mature && !hidden {
                false => Truth::Open,
                true if positives.contains_key(&decided.event.id) => Truth::Positive,
                true => Truth::Negative,
            });
        }
    }

    /// The places of the decisions whose truth is known.
    pub(super) fn known(&self) -> Vec<usize> {
        (0..self.truth.len())
            .filter(|&i| self.truth[i] != Truth::Open)
            .collect()
    }
}
