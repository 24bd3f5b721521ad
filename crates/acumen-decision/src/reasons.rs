//! Why, in words: from the rules that acted and from what moved the models.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use acumen_base::decision::{LayerReport, MemberReport, Reason};
use acumen_base::key::category_code;
use acumen_base::row::ColumnKind;
use acumen_base::{Attribution, Columns, Event, Row, Value};

use crate::choice::Choice;
use crate::course::Verdict;
use crate::frame::Facts;
use crate::policy::Policy;
use crate::state::{State, challenges_the_ensemble};

/// The most reasons that a decision gives.
const REASONS_MAX: usize = 5;

/// The reasons of a decision: the rules that acted, most severe first; then, where the score or
/// its absence asked for more than the mildest action, why it did.
pub(crate) fn reasons(
    policy: &Policy,
    facts: &Facts<'_>,
    row: &Row,
    said: &Said<'_>,
    verdict: &Verdict,
    choice: &Choice,
) -> Vec<Reason> {
    let mut reasons = of_rules(policy, verdict);
    if choice.fell_back {
        reasons.push(of_fallback(policy, said.layers));
    }
    if choice.base > 0 && !choice.fell_back && choice.without_exploration > 0 {
        let raising = attributions(policy, facts, row, said)
            .into_iter()
            .filter(|one| one.contribution > 0.0);
        reasons.extend(raising.take(REASONS_MAX).map(|one| Reason {
            text: sentence(policy, facts.event, &one),
            code: one.column,
            weight: one.contribution,
        }));
    }
    if choice.action != choice.without_exploration {
        // Said whatever else there is to say: it is why nothing worse was done.
        reasons.truncate(REASONS_MAX - 1);
        let share = policy.explore.map_or(0.0, |explore| explore.share) * 100.0;
        reasons.push(Reason {
            code: "explore".to_owned(),
            text: format!(
                "one of the {}% let through so that the truth stays observable",
                decimal(share)
            ),
            weight: 0.0,
        });
    }
    reasons.truncate(REASONS_MAX);
    reasons
}

fn of_rules(policy: &Policy, verdict: &Verdict) -> Vec<Reason> {
    let acted: Vec<usize> = match verdict.final_rule {
        Some(rule) => vec![rule],
        None => {
            let mut acting = verdict.acting.clone();
            acting.sort_by_key(|rule| std::cmp::Reverse(policy.rules[*rule].effect));
            acting
        }
    };
    let reason = |rule: usize| Reason {
        code: policy.spec.rules[rule].id.clone(),
        text: policy.spec.rules[rule].reason.clone(),
        weight: f64::INFINITY,
    };
    acted.into_iter().map(reason).collect()
}

fn of_fallback(policy: &Policy, layers: &[LayerReport]) -> Reason {
    let silent = layers.iter().flat_map(|layer| &layer.members);
    let named: Vec<String> = silent
        .filter_map(|member| {
            let error = member.answer.as_ref().err()?;
            Some(format!("{} {error}", member.name))
        })
        .collect();
    let action = &policy.bands.actions()[policy.fallback].name;
    let why = if named.is_empty() {
        String::new()
    } else {
        format!(" ({})", named.join("; "))
    };
    Reason {
        code: "fallback".to_owned(),
        text: format!("no model answered{why}, so the fallback `{action}` stands in for a score"),
        weight: 0.0,
    }
}

/// What the models said, and what the ensemble made of it.
pub(crate) struct Said<'a> {
    pub(crate) layers: &'a [LayerReport],
    pub(crate) ensemble: Option<&'a MemberReport>,
}

impl<'a> Said<'a> {
    pub(crate) fn of(record: &'a acumen_base::Decision) -> Said<'a> {
        Said {
            layers: &record.layers,
            ensemble: record.ensemble.as_ref(),
        }
    }

    /// The weight that the ensemble gives to each member, where it answered and is still the one
    /// that is deployed.
    fn stacked<'s>(&self, state: &'s State) -> Option<(&'s Columns, &'s [f64])> {
        let report = self.ensemble.filter(|report| report.answer.is_ok())?;
        let combiner = state.ensemble.as_ref()?;
        let weights = combiner.member.weights()?;
        let same = combiner.member.version() == report.version;
        same.then_some((&*combiner.columns, weights))
    }
}

/// The members that answered and moved the score, with their share of it: their weights in the
/// ensemble, or their parts of the mean.
pub(crate) fn answered<'a>(
    policy: &Policy,
    state: &State,
    said: &Said<'a>,
) -> Vec<(&'a MemberReport, f64)> {
    let members = said.layers.iter().flat_map(|layer| &layer.members);
    let members = members.filter(|member| !challenges_the_ensemble(&member.name));
    if let Some((columns, weights)) = said.stacked(state) {
        let answered = members.filter(|member| member.answer.is_ok());
        let weight = |name: &str| columns.position(name).map_or(0.0, |at| weights[at]);
        return answered.map(|m| (m, weight(&m.name))).collect();
    }
    let weight = |member: &MemberReport| {
        let model = policy.models.iter().find(|model| model.name == member.name);
        model.map_or(0.0, |model| model.weight)
    };
    let with_weight = members.filter(|m| m.answer.is_ok()).map(|m| (m, weight(m)));
    let answered: Vec<_> = with_weight.collect();
    let total: f64 = answered.iter().map(|(_, weight)| weight).sum();
    let share = |weight: f64| if total > 0.0 { weight / total } else { 0.0 };
    answered
        .into_iter()
        .map(|(m, weight)| (m, share(weight)))
        .collect()
}

/// What a member says moved it; nothing where it panics.
pub(crate) fn of_member(facts: &Facts<'_>, row: &Row, report: &MemberReport) -> Vec<Attribution> {
    let Some(member) = facts.state.member(&report.name) else {
        return Vec::new();
    };
    catch_unwind(AssertUnwindSafe(|| member.attributions(row))).unwrap_or_default()
}

/// Weightiest first; equal weights by name, so that the order is always the same.
pub(crate) fn sort(attributions: &mut [Attribution]) {
    attributions.sort_by(|a, b| {
        let weight = |one: &Attribution| one.contribution.abs();
        weight(b)
            .total_cmp(&weight(a))
            .then_with(|| a.column.cmp(&b.column))
    });
}

/// What moved the score: the members' attributions by their share of it.
fn attributions(
    policy: &Policy,
    facts: &Facts<'_>,
    row: &Row,
    said: &Said<'_>,
) -> Vec<Attribution> {
    let mut shares = answered(policy, facts.state, said);
    let at_once = |name: &str| {
        let member = facts.state.member(name);
        member.is_some_and(|member| member.explains_at_once())
    };
    shares.retain(|(report, share)| *share > 0.0 && at_once(&report.name));
    let mut merged = if let [(report, _)] = shares[..] {
        of_member(facts, row, report)
    } else {
        merge(
            shares
                .iter()
                .map(|(report, share)| (of_member(facts, row, report), *share)),
        )
    };
    merged.retain(|one| one.contribution.is_finite());
    sort(&mut merged);
    merged
}

fn merge(parts: impl Iterator<Item = (Vec<Attribution>, f64)>) -> Vec<Attribution> {
    let mut by_column: BTreeMap<String, Attribution> = BTreeMap::new();
    for (part, share) in parts {
        for mut one in part {
            one.contribution *= share;
            match by_column.get_mut(&one.column) {
                Some(sum) => sum.contribution += one.contribution,
                None => {
                    by_column.insert(one.column.clone(), one);
                }
            }
        }
    }
    by_column.into_values().collect()
}

/// `orders of this customer in the last hour: 14 (raises the score)`.
pub(crate) fn sentence(policy: &Policy, event: &Event, one: &Attribution) -> String {
    let (what, kind, unit) = described(policy, &one.column);
    let direction = if one.contribution > 0.0 {
        "raises"
    } else {
        "lowers"
    };
    match shown(kind, one.value, unit, &event.values) {
        Some(value) => format!("{what}: {value} ({direction} the score)"),
        None => format!("{what} ({direction} the score)"),
    }
}

/// What moved a predicted value: `orders of this customer: 14 (raises the value)`.
pub fn driver_in_words(columns: &Columns, one: &Attribution) -> String {
    let (what, kind, unit) = described_in(columns, &one.column);
    let direction = if one.contribution > 0.0 {
        "raises"
    } else {
        "lowers"
    };
    match shown(kind, one.value, unit, &[]) {
        Some(value) => format!("{what}: {value} ({direction} the value)"),
        None => format!("{what} ({direction} the value)"),
    }
}

/// What a column is in words, what its number means, and its unit.
fn described<'a>(policy: &'a Policy, name: &'a str) -> (&'a str, ColumnKind, &'a str) {
    described_in(&policy.spec.columns, name)
}

fn described_in<'a>(columns: &'a Columns, name: &'a str) -> (&'a str, ColumnKind, &'a str) {
    let Some(column) = columns.position(name).map(|at| &columns.list[at]) else {
        return (name, ColumnKind::Number, "");
    };
    let what = if column.help.is_empty() {
        name
    } else {
        &column.help
    };
    (what, column.kind, &column.unit)
}

/// What a column is, and one of its values as people read it.
pub(crate) fn value_in_words<'a>(
    policy: &'a Policy,
    event: &Event,
    column: &'a str,
    value: f64,
) -> (&'a str, String) {
    let (what, kind, unit) = described(policy, column);
    let value = shown(kind, value, unit, &event.values);
    (what, value.unwrap_or_else(|| "another".to_owned()))
}

/// A value as people read it; `None` for a category whose name the values of the event do not tell.
fn shown(kind: ColumnKind, value: f64, unit: &str, told: &[Value]) -> Option<String> {
    if value.is_nan() {
        return Some("unknown".to_owned());
    }
    match kind {
        ColumnKind::Number if unit.is_empty() => Some(decimal(value)),
        ColumnKind::Number => Some(format!("{} {unit}", decimal(value))),
        ColumnKind::Flag => Some(if value == 0.0 { "no" } else { "yes" }.to_owned()),
        ColumnKind::Category => {
            let mut texts = told.iter().filter_map(|v| v.as_text());
            texts
                .find(|text| category_code(text) == value)
                .map(str::to_owned)
        }
    }
}

/// At most two decimals, and none that are zero.
fn decimal(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0" } else { text }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (value, text) in [
            (14.0, "14"),
            (0.5, "0.5"),
            (1.005, "1"),
            (-0.001, "0"),
            (100.0, "100"),
        ] {
            assert_eq!(decimal(value), text);
        }
    }
}
