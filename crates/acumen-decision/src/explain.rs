//! Explaining a decision from its record.

use std::sync::Arc;

use acumen_base::decision::{Firing, LayerReport, LayerStatus, MemberReport, RuleMode};
use acumen_base::{Deadline, Decision, Event, ManualClock, Row};
use acumen_expr::Val;

use crate::asked::predict;
use crate::explanation::{
    Additivity, AttributionLine, BandLine, Explanation, ModelLine, NearRule, RuleLine, RuleOutcome,
};
use crate::frame::Facts;
use crate::policy::{Policy, Rule, Step};
use crate::reasons::{Said, answered, of_member, sentence, sort};
use crate::state::State;

/// How far the two bases of an additivity check may lie apart, relative to the margin.
const ADDITIVITY_TOLERANCE: f64 = 1e-6;

/// Explains a decision.
pub(crate) fn explain(
    policy: &Policy,
    record: &Decision,
    event: &Event,
    state: &State,
) -> Explanation {
    let row = row_of(policy, record);
    let mut facts = policy.facts(event, &row, state);
    facts.probability = record.probability;
    facts.score = record.score;
    Explanation {
        decision: record.id.clone(),
        action: record.action.clone(),
        action_without_exploration: record.action_without_exploration.clone(),
        propensity: record.propensity,
        probability: record.probability,
        score: record.score,
        bands: bands(policy, record),
        steps: steps(policy, record),
        reasons: record.reasons.clone(),
        layers: record.layers.clone(),
        skipped: skipped(policy, record),
        rules: (0..policy.rules.len())
            .map(|rule| rule_line(policy, record, &facts, rule))
            .collect(),
        nearest_rule: nearest_rule(policy, record, &facts),
        models: answered(policy, state, &Said::of(record))
            .into_iter()
            .filter_map(|(report, weight)| model_line(policy, &facts, &row, report, weight))
            .collect(),
    }
}

/// The row that stands in the record.
pub(crate) fn row_of(policy: &Policy, record: &Decision) -> Row {
    let mut columns = Arc::clone(&policy.spec.columns);
    if columns.fingerprint != record.columns {
        let mut other = (*columns).clone();
        other.fingerprint = record.columns;
        columns = Arc::new(other);
    }
    Row {
        columns,
        values: record.row.clone().into(),
        at: record.event_time,
        position: record.position,
    }
}

fn bands(policy: &Policy, record: &Decision) -> Vec<BandLine> {
    let holding = record.score.map(|score| policy.bands.action_of(score));
    let line = |(severity, action): (usize, &crate::spec::ActionSpec)| BandLine {
        action: action.name.clone(),
        from: action.from,
        to: action.to,
        holds_score: holding == Some(severity),
    };
    policy
        .bands
        .actions()
        .iter()
        .enumerate()
        .map(line)
        .collect()
}

/// How the decision came to its action, one sentence a step.
fn steps(policy: &Policy, record: &Decision) -> Vec<String> {
    let mut steps = vec![of_score(policy, record)];
    let acted = record
        .rules
        .iter()
        .filter(|hit| hit.firing == Firing::Acted);
    let declared = |id: &str| policy.spec.rules.iter().find(|rule| rule.id == id);
    let mut last = None;
    for hit in acted {
        let reason = declared(&hit.id).map_or("", |rule| &rule.reason);
        steps.push(format!(
            "rule `{}` asks for `{}`: {reason}",
            hit.id, hit.effect
        ));
        let is_final = declared(&hit.id).is_some_and(|rule| rule.is_final);
        last = last.or_else(|| is_final.then_some(&hit.id));
    }
    let action = &record.action_without_exploration;
    steps.push(match last {
        Some(rule) => format!("rule `{rule}` is final and wins outright: `{action}`"),
        None => format!("the most severe of these is taken: `{action}`"),
    });
    if record.action != *action {
        steps.push(format!(
            "it was drawn, with a probability of {}, to do `{}` instead and see what comes of it",
            record.propensity, record.action
        ));
    }
    steps
}

fn of_score(policy: &Policy, record: &Decision) -> String {
    let name = |severity: usize| &policy.bands.actions()[severity].name;
    let ended = record
        .layers
        .iter()
        .any(|l| l.status == LayerStatus::NotNeeded);
    match (record.probability, record.score) {
        (Some(probability), Some(score)) => format!(
            "the models gave a probability of {probability:.4}, which is a score of {score} and \
             falls to `{}`",
            name(policy.bands.action_of(score))
        ),
        _ if ended => "the decision ended before a model was needed".to_owned(),
        _ if policy.models.is_empty() => format!("without a rule it is `{}`", name(0)),
        _ => format!(
            "no model answered: the fallback is `{}`",
            name(policy.fallback)
        ),
    }
}

fn skipped(policy: &Policy, record: &Decision) -> Vec<String> {
    let mut skipped = Vec::new();
    for layer in &record.layers {
        let declared = policy.spec.layers.iter().find(|l| l.name == layer.name);
        let members = declared.map_or(String::new(), |l| format!(" ({})", l.run.join(", ")));
        let why = match layer.status {
            LayerStatus::Ran => None,
            LayerStatus::OutOfTime => Some("had no time left to start"),
            LayerStatus::NotNeeded => Some("was not needed: an earlier layer was final"),
            LayerStatus::NoModel => Some("has no deployed model"),
            LayerStatus::Shed => Some("was left out: too many requests were waiting"),
        };
        skipped.extend(why.map(|why| format!("layer `{}`{members} {why}", layer.name)));
        for member in &layer.members {
            if let Err(error) = &member.answer {
                skipped.push(format!("model `{}` {error}", member.name));
            }
        }
    }
    skipped
}

/// What the layer of a rule did, by the record.
fn layer_of<'a>(policy: &Policy, record: &'a Decision, rule: usize) -> Option<&'a LayerReport> {
    let runs = |step: &Step| matches!(step, Step::Rule(one) if *one == rule);
    let position = policy
        .layers
        .iter()
        .position(|layer| layer.steps.iter().any(runs))?;
    record.layers.get(position)
}

fn rule_line(policy: &Policy, record: &Decision, facts: &Facts<'_>, position: usize) -> RuleLine {
    let declared = &policy.spec.rules[position];
    let hit = record.rules.iter().find(|hit| hit.id == declared.id);
    let mode = facts.state.modes[position];
    let ran = layer_of(policy, record, position).is_some_and(|l| l.status == LayerStatus::Ran);
    let outcome = if let Some(hit) = hit {
        match hit.firing {
            Firing::Acted => RuleOutcome::Fired,
            Firing::Shadow => RuleOutcome::Shadow,
            Firing::Suppressed => RuleOutcome::Suppressed,
        }
    } else if mode == RuleMode::Off {
        RuleOutcome::Off
    } else if !ran {
        RuleOutcome::NotReached
    } else if policy.rules[position].when.eval(facts).is_none() {
        RuleOutcome::Missing
    } else {
        RuleOutcome::DidNotFire
    };
    RuleLine {
        id: declared.id.clone(),
        when: declared.when.clone(),
        effect: declared.effect.clone(),
        reason: declared.reason.clone(),
        mode,
        is_final: declared.is_final,
        outcome,
    }
}

/// The rule of which the largest share of terms held, the most severe of equals; none where not
/// one term of any rule held.
fn nearest_rule(policy: &Policy, record: &Decision, facts: &Facts<'_>) -> Option<NearRule> {
    let fired = |id: &str| record.rules.iter().any(|hit| hit.id == id);
    let mut nearest: Option<(NearRule, usize)> = None;
    for (rule, declared) in policy.rules.iter().zip(&policy.spec.rules) {
        if fired(&declared.id) {
            continue;
        }
        let near = nearness(&declared.id, rule, facts);
        let nearer = nearest.as_ref().is_none_or(|(best, effect)| {
            // Shares compared as fractions, so that no rounding decides.
            let (ours, theirs) = (near.held * best.terms, best.held * near.terms);
            ours > theirs || (ours == theirs && rule.effect > *effect)
        });
        if near.held > 0 && nearer {
            nearest = Some((near, rule.effect));
        }
    }
    nearest.map(|(near, _)| near)
}

fn nearness(id: &str, rule: &Rule, facts: &Facts<'_>) -> NearRule {
    let failed = rule.terms.iter().filter(|(_, term)| !term.is_true(facts));
    let failed: Vec<String> = failed
        .map(|(text, term)| match term.eval(facts) {
            None | Some(Val::Bool(true)) => format!("{text} (missing)"),
            Some(_) => text.clone(),
        })
        .collect();
    NearRule {
        id: id.to_owned(),
        held: rule.terms.len() - failed.len(),
        terms: rule.terms.len(),
        failed,
    }
}

fn model_line(
    policy: &Policy,
    facts: &Facts<'_>,
    row: &Row,
    report: &MemberReport,
    weight: f64,
) -> Option<ModelLine> {
    let prediction = *report.answer.as_ref().ok()?;
    let deployed = facts.state.member(&report.name);
    let same_version = deployed.is_some_and(|member| member.version() == report.version);
    let mut attributions = if same_version {
        of_member(facts, row, report)
    } else {
        Vec::new()
    };
    let sum: f64 = attributions.iter().map(|one| one.contribution).sum();
    let additivity = (!attributions.is_empty())
        .then(|| additivity(facts, row, report, prediction.raw, sum))
        .flatten();
    sort(&mut attributions);
    let line = |one: &acumen_base::Attribution| AttributionLine {
        column: one.column.clone(),
        value: (!one.value.is_nan()).then_some(one.value),
        contribution: one.contribution,
        text: sentence(policy, facts.event, one),
    };
    Some(ModelLine {
        name: report.name.clone(),
        version: report.version.clone(),
        value: prediction.value,
        raw: prediction.raw,
        weight,
        attributions: attributions.iter().map(line).collect(),
        additivity,
    })
}

/// Checks that what is left of the margin without the contributions is the same base for this row
/// and for one in which everything is missing. A raw answer is taken as the margin or, where that
/// does not add up and it may be one, as a probability whose log-odds are the margin.
fn additivity(
    facts: &Facts<'_>,
    row: &Row,
    report: &MemberReport,
    raw: f64,
    sum: f64,
) -> Option<Additivity> {
    let empty = Row {
        values: vec![f64::NAN; row.values.len()].into(),
        ..row.clone()
    };
    let member = facts.state.member(&report.name)?;
    let never = Deadline::never(ManualClock::at(row.at));
    let reference = predict(member, &empty, &never).ok()?.raw;
    let reference_sum: f64 = of_member(facts, &empty, report)
        .iter()
        .map(|one| one.contribution)
        .sum();
    let check = |margin: fn(f64) -> f64| {
        let base = margin(raw) - sum;
        let residual = (base - (margin(reference) - reference_sum)).abs();
        let scale = 1.0 + margin(raw).abs();
        Additivity {
            sum,
            base,
            residual,
            holds: residual <= ADDITIVITY_TOLERANCE * scale,
        }
    };
    let plain = check(|raw| raw);
    let open = |p: f64| p > 0.0 && p < 1.0;
    if plain.holds || !open(raw) || !open(reference) {
        return Some(plain);
    }
    let log_odds = check(|p| (p / (1.0 - p)).ln());
    Some(if log_odds.holds { log_odds } else { plain })
}
