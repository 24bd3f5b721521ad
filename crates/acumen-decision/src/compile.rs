//! A spec into a policy.

use acumen_base::limits::{EXPRESSION_BYTES_MAX, WAITING_BEFORE_SHEDDING};
use acumen_expr::{Compiled, Scope, Type};

use crate::bands::{Bands, Knots};
use crate::checks;
use crate::frame::Vocabulary;
use crate::guard::Guard;
use crate::policy::{Explore, Layer, Model, Policy, Rule, Step, Suppress};
use crate::spec::{LayerSpec, PolicySpec, RuleSpec};
use acumen_base::Problem;

/// Checks everything, and compiles where nothing was wrong.
pub(crate) fn compile(spec: PolicySpec) -> Result<Policy, Vec<Problem>> {
    let mut problems = Vec::new();
    let bands = keep(&mut problems, Bands::new(&spec.actions));
    let knots = keep(
        &mut problems,
        Knots::new(spec.knots.clone()).map_err(bad_knots),
    );
    problems.extend(checks::check(&spec, bands.as_ref()));
    let mut vocabulary = Vocabulary::of(&spec);
    problems.append(&mut vocabulary.problems);
    let conditions = conditions(&spec, &vocabulary.scope, &mut problems);
    let finals = finals(&spec, &vocabulary.scope, &mut problems);
    let (Some(bands), Some(knots), true) = (bands, knots, problems.is_empty()) else {
        return Err(problems);
    };
    let severity = |name: &String| bands.severity(name).unwrap_or(bands.actions().len() - 1);
    let field = |name: &Option<String>| spec.event.position(name.as_ref()?);
    let rule = |(declared, when): (&RuleSpec, Option<Compiled>)| {
        Some(Rule {
            terms: compiled_terms(&declared.when, &vocabulary.scope),
            effect: severity(&declared.effect),
            roll_out_by: field(&declared.roll_out_by),
            suppress: suppress(declared, &spec),
            when: when?,
        })
    };
    let depth = spec
        .layers
        .iter()
        .filter(|layer| has_model(layer, &spec))
        .count();
    let mut above = 0;
    let layer = |(declared, final_when): (&LayerSpec, Option<Compiled>)| {
        let mut layer = compile_layer(declared, final_when, &spec);
        if has_model(declared, &spec) {
            above += 1;
            layer.shed_from = shed_from(depth - above);
        }
        layer
    };
    let explore = spec.explore.as_ref().map(|explore| Explore {
        of: explore
            .of
            .as_ref()
            .map_or(bands.actions().len() - 1, severity),
        action: severity(&explore.action),
        share: explore.share,
    });
    let amount = spec.amount.as_ref();
    Ok(Policy {
        rules: spec.rules.iter().zip(conditions).filter_map(rule).collect(),
        models: spec.models.iter().map(|name| model(name, &spec)).collect(),
        layers: spec.layers.iter().zip(finals).map(layer).collect(),
        fallback: spec.fallback.as_ref().map_or(0, severity),
        amount: amount.and_then(|name| spec.event.position(name)),
        scope: vocabulary.scope,
        sources: vocabulary.sources,
        explore,
        knots,
        bands,
        spec,
    })
}

fn suppress(rule: &RuleSpec, spec: &PolicySpec) -> Option<Suppress> {
    let name = rule.suppress.as_ref()?;
    let list = spec.lists.iter().position(|list| list.name == *name)?;
    let field = spec.event.position(&spec.lists[list].field)?;
    Some(Suppress { list, field })
}

/// The conditions of the rules.
fn conditions(
    spec: &PolicySpec,
    scope: &Scope,
    problems: &mut Vec<Problem>,
) -> Vec<Option<Compiled>> {
    let compile = |rule: &RuleSpec| {
        let key = format!("rules.{}.when", rule.id);
        keep(problems, condition(&key, &rule.when, scope))
    };
    spec.rules.iter().map(compile).collect()
}

/// The conditions under which layers are final.
fn finals(spec: &PolicySpec, scope: &Scope, problems: &mut Vec<Problem>) -> Vec<Option<Compiled>> {
    let compile = |layer: &LayerSpec| {
        let key = format!("layers.{}.final_when", layer.name);
        let text = layer.final_when.as_ref()?;
        keep(problems, condition(&key, text, scope))
    };
    spec.layers.iter().map(compile).collect()
}

/// The value, or nothing after its problems were taken down.
fn keep<T>(problems: &mut Vec<Problem>, result: Result<T, Vec<Problem>>) -> Option<T> {
    result.map_err(|more| problems.extend(more)).ok()
}

fn bad_knots(message: String) -> Vec<Problem> {
    let help = "knots are rising pairs such as `[[0, 0], [0.2, 70], [1, 100]]`";
    vec![Problem::new("score.knots", message, help)]
}

pub(crate) fn condition(key: &str, text: &str, scope: &Scope) -> Result<Compiled, Vec<Problem>> {
    if text.len() > EXPRESSION_BYTES_MAX {
        let message = format!("the expression has {} bytes", text.len());
        let help =
            format!("at most {EXPRESSION_BYTES_MAX} are read: make a feature of a part of it");
        return Err(vec![Problem::new(key, message, help)]);
    }
    Compiled::compile(text, scope, Type::Bool).map_err(|errors| {
        let problem = |error: acumen_expr::ExprError| Problem {
            key: key.to_owned(),
            offset: error.offset,
            message: error.message,
            help: error.help,
        };
        errors.into_iter().map(problem).collect()
    })
}

fn compile_layer(declared: &LayerSpec, final_when: Option<Compiled>, spec: &PolicySpec) -> Layer {
    let step = |name: &String| {
        let rule = spec.rules.iter().position(|rule| rule.id == *name);
        let model = || spec.models.iter().position(|model| model == name);
        rule.map(Step::Rule).or_else(|| model().map(Step::Model))
    };
    Layer {
        deadline_us: u64::try_from(declared.deadline.0).map_or(0, |ms| ms.saturating_mul(1_000)),
        steps: declared.run.iter().filter_map(step).collect(),
        beside: declared.beside,
        shed_from: usize::MAX,
        final_when,
    }
}

fn has_model(layer: &LayerSpec, spec: &PolicySpec) -> bool {
    layer.run.iter().any(|name| spec.models.contains(name))
}

/// How many requests may wait before a layer of models is left out, by how many of them lie below
/// it: the deepest goes first, and each one above holds out four times as long.
fn shed_from(below: usize) -> usize {
    let times = u32::try_from(below).map_or(usize::MAX, |below| 4_usize.saturating_pow(below));
    WAITING_BEFORE_SHEDDING.saturating_mul(times)
}

fn model(name: &str, spec: &PolicySpec) -> Model {
    let weights = &spec.ensemble.weights;
    let declared = weights.iter().find(|(model, _)| model == name);
    let shadow = spec.shadow.iter().any(|model| model == name);
    Model {
        name: name.to_owned(),
        weight: match (shadow, declared) {
            (true, _) => 0.0,
            (false, declared) => declared.map_or(1.0, |(_, weight)| *weight),
        },
        shadow,
        guard: Guard::default(),
        challengers: Guard::default(),
    }
}

/// The terms of a condition; where they cannot stand alone, the whole of it is the only one.
fn compiled_terms(text: &str, scope: &Scope) -> Vec<(String, Compiled)> {
    let compile = |term: &str| {
        let compiled = Compiled::compile(term, scope, Type::Bool).ok()?;
        Some((term.to_owned(), compiled))
    };
    let parts: Option<Vec<_>> = terms(text).into_iter().map(compile).collect();
    parts.unwrap_or_else(|| compile(text).into_iter().collect())
}

/// Splits a condition at its outermost `&&`; one with an outermost `||` or `?` is a single term.
fn terms(text: &str) -> Vec<&str> {
    let bytes = text.as_bytes();
    let (mut parts, mut start, mut depth, mut quote, mut at) = (Vec::new(), 0, 0_i32, None, 0);
    while at < bytes.len() {
        let two = bytes.get(at..at + 2);
        match (quote, bytes[at]) {
            (Some(_), b'\\') => at += 1,
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, byte @ (b'\'' | b'"')) => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => depth -= 1,
            (None, b'?') if depth == 0 => return vec![text.trim()],
            (None, b'|') if depth == 0 => return vec![text.trim()],
            (None, b'&') if depth == 0 && two == Some(b"&&") => {
                parts.push(text[start..at].trim());
                at += 1;
                start = at + 1;
            }
            (None, _) => {}
        }
        at += 1;
    }
    parts.push(text[start..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_split_at_their_outermost_ands() {
        let cases: [(&str, &[&str]); 6] = [
            ("a", &["a"]),
            ("a && b > 1 &&c", &["a", "b > 1", "c"]),
            ("(a && b) && c", &["(a && b)", "c"]),
            ("a || b && c", &["a || b && c"]),
            ("a == 'x && y' && b", &["a == 'x && y'", "b"]),
            (r#"a == "x\" && y" && b"#, &[r#"a == "x\" && y""#, "b"]),
        ];
        for (text, expected) in cases {
            assert_eq!(terms(text), expected, "{text}");
        }
    }
}
