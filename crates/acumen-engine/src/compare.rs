//! Champion and challenger side by side: what both said of the same rows, and what turned out.
//!
//! Both stand in the record of every decision, so the log is all that is read: what it gives is
//! the same before and after a restart.

mod echo;
mod gathered;

use acumen_base::control::CHALLENGER;
use acumen_base::outcome::Truth;
use acumen_base::{ENSEMBLE, Money, Prediction};
use acumen_decision::State;
use acumen_model::BinaryMetrics;
use serde::Serialize;

use crate::error::EngineError;
use crate::evaluate::ActionLine;
use crate::history::Sources;
use crate::plan::UseCasePlan;
use echo::Voice;
use gathered::{Gathered, Pair};

/// Decisions that are compared: the latest of all.
pub const COMPARED_MAX: usize = 200_000;

/// What a use case's challengers and shadows come to beside what decides.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The use case.
    pub use_case: String,
    /// One a challenger or shadow.
    pub pairs: Vec<Compared>,
    /// Why there is none; empty where there is.
    pub note: String,
}

/// A member that votes and one that answers beside it.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Decisions that both answered.
    pub decisions: usize,
    /// Those whose truth is known, which all figures are of.
    pub rows: usize,
    /// Positives among them.
    pub positives: usize,
    /// Left out: the decision hid the truth.
    pub hidden: usize,
    /// The share of the rows in which the champion's decision was not the mildest action.
    pub alert_rate: Option<f64>,
    /// What votes.
    pub champion: Side,
    /// What answers beside it.
    pub challenger: Side,
}

/// One of the two.
#[derive(Clone, Debug, Serialize)]
pub struct Side {
    /// Its name: a model's, or that of its challenger.
    pub name: String,
    /// Its version; of the champion the latest that was met.
    pub version: String,
    /// Average precision; `None` without a positive.
    pub average_precision: Option<f64>,
    /// Expected calibration error over bins of equal numbers of rows; `None` without rows.
    pub calibration_error: Option<f64>,
    /// Of the positives, the share among its highest rows, as many as the champion alerted on.
    pub recall_at_alert_rate: Option<f64>,
    /// What would have been done by its vote, under today's rules and thresholds.
    pub actions: Vec<ActionLine>,
    /// Of the rows that it would not have treated mildest, the share that was positive.
    pub precision: Option<f64>,
    /// Of the positives, the share that it would not have treated mildest.
    pub recall: Option<f64>,
    /// What that was worth.
    pub value: Option<Money>,
}

/// Compares every challenger and shadow that is deployed now with what it answers beside.
///
/// # Errors
/// Where the log cannot be read.
pub fn compare(
    sources: &Sources,
    use_case: usize,
    progress: &mut dyn FnMut(u64),
) -> Result<Comparison, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let state = crate::evaluate::state_at_the_end(sources, use_case)?;
    let pairs = pairs(plan, &state);
    let mut comparison = Comparison {
        use_case: plan.declared.name.clone(),
        pairs: Vec::new(),
        note: String::new(),
    };
    if pairs.is_empty() {
        let name = &plan.declared.name;
        comparison.note = format!(
            "nothing answers beside what decides: `acumen deploy {name} MODEL VERSION \
             --challenger`, or `shadow: true` in a model's declaration"
        );
        return Ok(comparison);
    }
    for gathered in gathered::gather(sources, use_case, &pairs, progress)? {
        comparison.pairs.push(compared(plan, &state, &gathered));
    }
    Ok(comparison)
}

/// Who answers beside whom.
fn pairs(plan: &UseCasePlan, state: &State) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for model in &plan.declared.models {
        let challenger = format!("{}{CHALLENGER}", model.name);
        let beside = match model.shadow {
            true => vec![(None, model.name.clone()), (Some(&model.name), challenger)],
            false => vec![(Some(&model.name), challenger)],
        };
        for (champion, beside) in beside {
            if let Some(member) = state.member(&beside) {
                pairs.push(Pair {
                    champion: champion.cloned(),
                    version: member.version().to_owned(),
                    beside,
                });
            }
        }
    }
    if let Some(member) = state.ensemble_challenger() {
        pairs.push(Pair {
            champion: Some(ENSEMBLE.to_owned()),
            version: member.version().to_owned(),
            beside: member.name().to_owned(),
        });
    }
    pairs
}

fn compared(plan: &UseCasePlan, state: &State, gathered: &Gathered<'_>) -> Compared {
    let known: Vec<usize> = gathered.known();
    let positive = |i: usize| gathered.truth[i] == Truth::Positive;
    let voted = |voice: Voice| -> Vec<String> {
        let action = |&i: &usize| echo::action(plan, state, &gathered.decided[i], voice);
        known.iter().map(action).collect()
    };
    let (theirs, ours) = (voted(Voice::Champion), voted(Voice::Challenger));
    let mildest = plan.policy.actions().next().unwrap_or_default();
    let alerts = theirs.iter().filter(|action| *action != mildest).count();
    let side =
        |name: &str, version: &str, said: &dyn Fn(usize) -> Prediction, actions: &[String]| {
            let values: Vec<f64> = known.iter().map(|&i| said(i).value).collect();
            let truth: Vec<bool> = known.iter().map(|&i| positive(i)).collect();
            let mut side = Side::new(name, version, &values, &truth, alerts);
            side.by_action(plan, gathered, &known, actions);
            side
        };
    let first = |i: usize| gathered.decided[i].champion;
    let second = |i: usize| gathered.decided[i].challenger;
    let pair = gathered.pair;
    Compared {
        decisions: gathered.decided.len(),
        rows: known.len(),
        positives: known.iter().filter(|&&i| positive(i)).count(),
        hidden: gathered.hidden,
        alert_rate: (!known.is_empty()).then(|| alerts as f64 / known.len() as f64),
        champion: side(
            pair.champion.as_deref().unwrap_or("the vote"),
            &gathered.champion_version,
            &first,
            &theirs,
        ),
        challenger: side(&pair.beside, &pair.version, &second, &ours),
    }
}

impl Side {
    fn new(name: &str, version: &str, values: &[f64], truth: &[bool], alerts: usize) -> Side {
        let outcomes: Vec<f32> = truth.iter().map(|&truth| f32::from(truth)).collect();
        let metrics = (!values.is_empty()).then(|| BinaryMetrics::of(values, &outcomes));
        Side {
            name: name.to_owned(),
            version: version.to_owned(),
            average_precision: metrics.as_ref().and_then(|found| found.average_precision),
            calibration_error: metrics.as_ref().map(|found| found.ece_equal_mass),
            recall_at_alert_rate: recall_among_highest(values, truth, alerts),
            actions: Vec::new(),
            precision: None,
            recall: None,
            value: None,
        }
    }

    fn by_action(
        &mut self,
        plan: &UseCasePlan,
        gathered: &Gathered<'_>,
        known: &[usize],
        actions: &[String],
    ) {
        let currency = plan.declared.currency;
        for action in plan.policy.actions() {
            let of = known
                .iter()
                .zip(actions)
                .filter(|(_, taken)| *taken == action);
            let of: Vec<usize> = of.map(|(i, _)| *i).collect();
            let hits = of.iter().filter(|&&i| gathered.truth[i] == Truth::Positive);
            let positive = hits.count();
            let value = plan.value.as_ref().map(|valuation| {
                let worth = of.iter().filter_map(|&i| {
                    let event = &gathered.decided[i].event;
                    valuation.value(action, gathered.truth[i], event, &gathered.rates)
                });
                Money::new(worth.map(|money| money.minor).sum(), currency)
            });
            self.actions.push(ActionLine {
                action: action.to_owned(),
                positive,
                negative: of.len() - positive,
                value,
            });
        }
        let severe = || self.actions.iter().skip(1);
        let hits: usize = severe().map(|line| line.positive).sum();
        let wrong: usize = severe().map(|line| line.negative).sum();
        let positives = hits + self.actions.first().map_or(0, |line| line.positive);
        self.precision = (hits + wrong > 0).then(|| hits as f64 / (hits + wrong) as f64);
        self.recall = (positives > 0).then(|| hits as f64 / positives as f64);
        let minor = self.actions.iter().filter_map(|line| line.value);
        let total = minor.map(|money| money.minor).sum();
        self.value = plan.value.is_some().then(|| Money::new(total, currency));
    }
}

/// Of the positives, the share among the `count` highest values; of equal values the earlier.
fn recall_among_highest(values: &[f64], truth: &[bool], count: usize) -> Option<f64> {
    let positives = truth.iter().filter(|truth| **truth).count();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
    let hits = order.iter().take(count).filter(|&&i| truth[i]).count();
    (positives > 0).then(|| hits as f64 / positives as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recall_is_counted_among_the_highest() {
        let (values, truth) = ([0.1, 0.9, 0.5, 0.5], [true, true, true, false]);
        let recall = |count| recall_among_highest(&values, &truth, count);
        assert_eq!(recall(0), Some(0.0));
        assert_eq!(recall(2), Some(2.0 / 3.0), "the earlier of two equals");
        assert_eq!(recall(4), Some(1.0));
        assert_eq!(recall_among_highest(&values, &[false; 4], 2), None);
    }
}
