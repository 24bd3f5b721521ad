//! A use case in the terms of the stages, and their problems in the terms of its files.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::{Columns, Diagnostic};
use acumen_decision::{
    ActionSpec, EnsembleSpec, ExploreSpec, LayerSpec, ListSpec, Policy, PolicySpec, RuleSpec,
    linear_knots,
};
use acumen_feature::{
    Entity, FeatureSpec, Operand, OutcomeSpec, Param, Pipeline, PipelineSpec, Rates, Verdicts,
    ViewSpec,
};
use acumen_value::{CellSpec, TruthSource, Valuation, ValueSpec};
use serde_json::Value;

use super::types::{FeatureDecl, ScoreDecl, UseCase, When};
use super::{review, subject};

/// What features and rules call the outcome of a use case.
pub const OUTCOME: &str = "outcome";

/// The use case's features with one view, named as the use case.
///
/// A parameter of a shape that no operator takes, such as a group of keys, is a problem.
pub fn pipeline_spec(use_case: &UseCase) -> Result<PipelineSpec, Vec<Diagnostic>> {
    let mut found = Vec::new();
    let features: Vec<FeatureSpec> = use_case
        .features
        .iter()
        .map(|feature| feature_spec(use_case, feature, &mut found))
        .collect();
    if !found.is_empty() {
        return Err(found);
    }
    let entities = use_case.entities.iter();
    let view = ViewSpec {
        name: use_case.name.clone(),
        event: use_case.decide_event.clone(),
        each: use_case
            .subject
            .as_ref()
            .map(|subject| subject.each.clone()),
        features: features
            .iter()
            .map(|feature| feature.name.clone())
            .collect(),
    };
    Ok(PipelineSpec {
        currency: use_case.currency,
        events: (use_case.events.iter())
            .chain(use_case.subject.iter().map(|subject| &subject.kind))
            .cloned()
            .collect(),
        entities: entities
            .map(|(name, field)| Entity {
                name: name.clone(),
                field: field.clone(),
            })
            .collect(),
        rates: use_case.rates.as_ref().map(|rates| Rates {
            event: rates.event.clone(),
            currency: rates.currency.clone(),
            rate: rates.rate.clone(),
        }),
        outcomes: outcomes(use_case),
        features,
        views: vec![view],
    })
}

fn outcomes(use_case: &UseCase) -> Vec<OutcomeSpec> {
    let spec = use_case.outcome.as_ref().map(|outcome| OutcomeSpec {
        name: OUTCOME.to_owned(),
        of: outcome.of.clone(),
        positive: outcome.positive.clone(),
        by: outcome.by.clone(),
        negative_after: outcome.negative_after,
        closes: outcome.closes,
        verdicts: use_case.review.as_ref().map(|review| Verdicts {
            event: review.event.name.clone(),
            by: review::OF.to_owned(),
            positive: review::POSITIVE.to_owned(),
        }),
    });
    spec.into_iter().collect()
}

fn feature_spec(
    use_case: &UseCase,
    feature: &FeatureDecl,
    found: &mut Vec<Diagnostic>,
) -> FeatureSpec {
    let mut params = BTreeMap::new();
    for (name, value) in &feature.params {
        match param(value) {
            Some(value) => {
                params.insert(name.clone(), value);
            }
            None => {
                let message = format!("`{name}` is neither a word, a number nor a list of words");
                let help = "write one of these";
                let mut diagnostic = Diagnostic::new("wrong_type", message, help);
                diagnostic.place = use_case.place(&format!("features.{}.{name}", feature.name));
                found.push(diagnostic);
            }
        }
    }
    FeatureSpec {
        name: feature.name.clone(),
        operator: feature.operator.clone(),
        of: operand(use_case, feature.of.as_deref()),
        by: feature.by.clone(),
        windows: feature.windows.clone(),
        aggregations: feature.aggregations.clone(),
        params,
    }
}

fn param(value: &Value) -> Option<Param> {
    Some(match value {
        Value::String(text) => Param::Text(text.clone()),
        Value::Bool(flag) => Param::Bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Param::Int(whole),
            None => Param::Number(number.as_f64()?),
        },
        Value::Array(items) => {
            let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
            Param::Texts(texts.collect::<Option<_>>()?)
        }
        Value::Null | Value::Object(_) => return None,
    })
}

/// What `of` names: an event or a field of one first, then the outcome, then a feature.
fn operand(use_case: &UseCase, of: Option<&str>) -> Operand {
    let Some(of) = of else {
        return Operand::None;
    };
    let (event, field) = match of.split_once('.') {
        Some((event, field)) => (event, Some(field)),
        None => (of, None),
    };
    if use_case.event(event).is_none() {
        if of == OUTCOME {
            return Operand::Outcome(of.to_owned());
        }
        if use_case.features.iter().any(|feature| feature.name == of) {
            return Operand::Feature(of.to_owned());
        }
    }
    Operand::Event {
        event: event.to_owned(),
        field: field.map(str::to_owned),
    }
}

/// The pipeline of a spec of this use case.
pub fn pipeline(use_case: &UseCase, spec: PipelineSpec) -> Result<Pipeline, Vec<Diagnostic>> {
    Pipeline::compile(spec).map_err(|problems| {
        let place = |problem: &acumen_feature::Problem| pipeline_problem(use_case, problem);
        problems.iter().map(place).collect()
    })
}

/// A problem of a pipeline at its place.
pub(super) fn pipeline_problem(
    use_case: &UseCase,
    problem: &acumen_feature::Problem,
) -> Diagnostic {
    let (name, key) = (&problem.feature, &problem.key);
    let paths = [
        format!("features.{name}.{key}"),
        format!("features.{name}"),
        format!("{name}.{key}"),
        format!("entities.{name}"),
        format!("events.{name}"),
        name.clone(),
    ];
    let path = paths.iter().find(|path| use_case.places.has(path));
    let path = match path {
        _ if *name == use_case.name && key == "event" => "decide.event",
        _ if *name == use_case.name && key == "each" => "decide.each",
        Some(path) => path,
        None => "",
    };
    let mut diagnostic = Diagnostic::new("feature", problem.message.clone(), problem.help.clone());
    diagnostic.place = match problem.offset {
        Some(offset) => use_case.places.within(path, offset),
        None => use_case.places.mentioned(path, &problem.message),
    };
    diagnostic
}

/// The policy of this use case over the columns of its rows.
pub fn policy(use_case: &UseCase, columns: Arc<Columns>) -> Result<Policy, Vec<Diagnostic>> {
    let Some(spec) = policy_spec(use_case, columns) else {
        let message = format!("there is no event type `{}`", use_case.decide_event);
        let mut diagnostic = Diagnostic::new("unknown_name", message, "declare it in `events`");
        diagnostic.place = use_case.place("decide.event");
        return Err(vec![diagnostic]);
    };
    Policy::compile(spec).map_err(|problems| {
        let place = |problem: &acumen_decision::Problem| policy_problem(use_case, problem);
        problems.iter().map(place).collect()
    })
}

fn policy_spec(use_case: &UseCase, columns: Arc<Columns>) -> Option<PolicySpec> {
    let event = use_case.event(&use_case.decide_event)?;
    if use_case.subject.is_some() {
        return Some(subject::policy_spec(use_case, event, columns));
    }
    let rule = |rule: &super::types::RuleDecl| RuleSpec {
        id: rule.id.clone(),
        when: rule.when.clone(),
        effect: rule.effect.clone(),
        reason: rule.reason.clone(),
        mode: rule.mode,
        roll_out_by: rule.roll_out_by.as_ref().map(|entity| {
            let declared = use_case.entities.iter().find(|(name, _)| name == entity);
            declared.map_or(entity, |(_, field)| field).clone()
        }),
        suppress: rule.suppress.clone(),
        is_final: rule.is_final,
    };
    let layer = |layer: &super::types::LayerDecl| LayerSpec {
        name: layer.name.clone(),
        deadline: layer.deadline,
        run: layer.run.clone(),
        beside: layer.beside,
        final_when: layer.final_when.clone(),
    };
    let list = |(name, field): &(String, String)| ListSpec {
        name: name.clone(),
        field: field.clone(),
    };
    let action = |(name, from, to): &(String, u8, u8)| ActionSpec {
        name: name.clone(),
        from: f64::from(*from),
        to: f64::from(*to),
    };
    Some(PolicySpec {
        use_case: use_case.name.clone(),
        event: Arc::clone(event),
        columns,
        lists: use_case.lists.iter().map(list).collect(),
        models: use_case
            .models
            .iter()
            .map(|model| model.name.clone())
            .collect(),
        shadow: use_case
            .models
            .iter()
            .filter(|model| model.shadow)
            .map(|model| model.name.clone())
            .collect(),
        rules: use_case.rules.iter().map(rule).collect(),
        layers: use_case.layers.iter().map(layer).collect(),
        ensemble: EnsembleSpec {
            weights: use_case
                .ensemble
                .as_ref()
                .map(|ensemble| ensemble.weights.clone())
                .unwrap_or_default(),
        },
        knots: match &use_case.score {
            ScoreDecl::Knots(knots) => knots.clone(),
            ScoreDecl::Probability | ScoreDecl::ExpectedCost => linear_knots(),
        },
        actions: use_case.actions.iter().map(action).collect(),
        fallback: use_case.fallback.clone(),
        explore: use_case.explore.as_ref().map(|explore| ExploreSpec {
            of: explore.of.clone(),
            action: explore.action.clone(),
            share: explore.share,
        }),
        amount: use_case.amount.clone(),
    })
}

/// A problem of a policy at its place.
pub(super) fn policy_problem(use_case: &UseCase, problem: &acumen_decision::Problem) -> Diagnostic {
    let path = match problem.key.as_str() {
        "amount" => "decide.amount",
        path => path,
    };
    placed(
        use_case,
        "decision",
        path,
        problem.offset,
        &problem.message,
        &problem.help,
    )
}

/// What the decisions of this use case are worth; `None` where it does not say, or cannot know.
pub fn value_spec(use_case: &UseCase) -> Result<Option<ValueSpec>, Vec<Diagnostic>> {
    let event = use_case.event(&use_case.decide_event);
    let (Some(outcome), Some(event)) = (&use_case.outcome, event) else {
        return Ok(None);
    };
    let cell = |value: &super::types::ValueDecl| CellSpec {
        action: value.action.clone(),
        when: match value.when {
            When::Positive => acumen_value::When::Positive,
            When::Negative => acumen_value::When::Negative,
            When::Any => acumen_value::When::Any,
        },
        formula: value.formula.clone(),
    };
    let spec = ValueSpec {
        use_case: use_case.name.clone(),
        currency: use_case.currency,
        event: Arc::clone(event),
        actions: use_case.action_names().map(str::to_owned).collect(),
        cells: use_case.value.iter().map(cell).collect(),
        baseline: None,
        hides_truth: outcome.hidden_by.clone(),
        truth: TruthSource::Observed,
        negative_after: outcome.negative_after,
        closes: outcome.closes,
    };
    match Valuation::compile(spec.clone()) {
        Ok(_) => Ok(Some(spec)),
        Err(problems) => {
            let place = |problem: &acumen_value::Problem| {
                let path = match problem.key.as_str() {
                    key if key.contains("hides_truth") => "outcome.hidden_by",
                    key => key,
                };
                placed(
                    use_case,
                    "value",
                    path,
                    problem.offset,
                    &problem.message,
                    &problem.help,
                )
            };
            Err(problems.iter().map(place).collect())
        }
    }
}

fn placed(
    use_case: &UseCase,
    code: &'static str,
    path: &str,
    offset: usize,
    message: &str,
    help: &str,
) -> Diagnostic {
    let mut diagnostic = Diagnostic::new(code, message, help);
    diagnostic.place = match offset {
        0 => use_case.places.mentioned(path, message),
        offset => use_case.places.within(path, offset),
    };
    diagnostic
}
