//! What must hold of a spec beside its expressions: every name means one thing that exists.

use std::collections::BTreeSet;

use acumen_base::{FieldType, Span};

use crate::bands::Bands;
use crate::spec::{LayerSpec, PolicySpec, RuleSpec};
use acumen_base::Problem;

/// All problems of names and numbers; `bands` is absent where the actions are themselves wrong.
pub(crate) fn check(spec: &PolicySpec, bands: Option<&Bands>) -> Vec<Problem> {
    let mut problems = duplicates(spec);
    problems.extend(lists(spec));
    problems.extend(
        spec.rules
            .iter()
            .flat_map(|rule| check_rule(rule, spec, bands)),
    );
    problems.extend(layers(spec));
    problems.extend(shadows(spec));
    problems.extend(ensemble(spec));
    problems.extend(fallback(spec));
    problems.extend(explore(spec, bands));
    problems.extend(amount(spec));
    problems
}

fn duplicates(spec: &PolicySpec) -> Vec<Problem> {
    let rules = spec.rules.iter().map(|r| ("rules", r.id.as_str()));
    let models = spec.models.iter().map(|m| ("models", m.as_str()));
    let groups: [Vec<(&str, &str)>; 4] = [
        rules.chain(models).collect(),
        spec.lists
            .iter()
            .map(|l| ("lists", l.name.as_str()))
            .collect(),
        spec.layers
            .iter()
            .map(|l| ("layers", l.name.as_str()))
            .collect(),
        spec.actions
            .iter()
            .map(|a| ("actions", a.name.as_str()))
            .collect(),
    ];
    let mut problems = Vec::new();
    for group in groups {
        let mut seen = BTreeSet::new();
        for (section, name) in group {
            if !seen.insert(name) {
                problems.push(Problem::new(
                    format!("{section}.{name}"),
                    format!("`{name}` is declared twice"),
                    "give one of them another name; rules and models share theirs",
                ));
            }
        }
    }
    problems
}

fn lists(spec: &PolicySpec) -> Vec<Problem> {
    let texts = || id_fields(spec);
    let wrong = spec
        .lists
        .iter()
        .filter(|list| !texts().any(|name| name == list.field));
    wrong
        .map(|list| {
            let what = format!("an id or text field of `{}`", spec.event.name);
            Problem::unknown(format!("lists.{}", list.name), &list.field, &what, texts())
        })
        .collect()
}

fn id_fields(spec: &PolicySpec) -> impl Iterator<Item = &str> {
    let text = |kind| matches!(kind, FieldType::Id | FieldType::Category | FieldType::Text);
    let fields = spec.event.fields.iter().filter(move |f| text(f.kind));
    fields.map(|f| f.name.as_str())
}

fn action_names(spec: &PolicySpec) -> impl Iterator<Item = &str> {
    spec.actions.iter().map(|a| a.name.as_str())
}

fn one_of(spec: &PolicySpec) -> String {
    let names: Vec<&str> = action_names(spec).collect();
    names.join(", ")
}

fn check_rule(rule: &RuleSpec, spec: &PolicySpec, bands: Option<&Bands>) -> Vec<Problem> {
    let key = |part: &str| format!("rules.{}.{part}", rule.id);
    let mut problems = Vec::new();
    if !action_names(spec).any(|name| name == rule.effect) {
        let names = action_names(spec);
        problems.push(Problem::unknown(
            key("effect"),
            &rule.effect,
            "an action",
            names,
        ));
    } else if bands.and_then(|b| b.severity(&rule.effect)) == Some(0) && !rule.is_final {
        problems.push(Problem::new(
            key("effect"),
            format!(
                "`{}` is the mildest action, so this rule can never change one",
                rule.effect
            ),
            "set `final: true` to let it win outright, as an allow list does",
        ));
    }
    if rule.reason.trim().is_empty() {
        let help = "say in a few words why it acts, such as `Reported stolen`";
        problems.push(Problem::new(
            key("reason"),
            "the rule gives no reason",
            help,
        ));
    }
    let lists = || spec.lists.iter().map(|list| list.name.as_str());
    if let Some(list) = &rule.suppress
        && !lists().any(|name| name == list)
    {
        problems.push(Problem::unknown(key("suppress"), list, "a list", lists()));
    }
    let ids = || id_fields(spec);
    if let Some(field) = &rule.roll_out_by
        && !ids().any(|name| name == field)
    {
        let what = format!("an id or text field of `{}`", spec.event.name);
        problems.push(Problem::unknown(key("mode.by"), field, &what, ids()));
    }
    if rule.when.trim() == "false" {
        let help = "set `mode: off` to switch it off";
        problems.push(Problem::new(key("when"), "the rule can never fire", help));
    }
    problems
}

fn layers(spec: &PolicySpec) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    let mut before: Option<&LayerSpec> = None;
    for layer in &spec.layers {
        problems.extend(runs(layer, spec, &mut used));
        problems.extend(order(layer, before));
        before = Some(layer);
    }
    let rules = spec.rules.iter().map(|r| ("rules", r.id.as_str()));
    let models = spec.models.iter().map(|m| ("models", m.as_str()));
    for (section, name) in rules.chain(models).filter(|(_, name)| !used.contains(name)) {
        problems.push(Problem::new(
            format!("{section}.{name}"),
            format!("`{name}` is run by no layer, so it is never asked"),
            format!("add it to the `run` of a layer: {}", layer_names(spec)),
        ));
    }
    problems
}

fn layer_names(spec: &PolicySpec) -> String {
    let names: Vec<&str> = spec.layers.iter().map(|l| l.name.as_str()).collect();
    names.join(", ")
}

fn runs<'a>(layer: &'a LayerSpec, spec: &PolicySpec, used: &mut BTreeSet<&'a str>) -> Vec<Problem> {
    let key = format!("layers.{}.run", layer.name);
    let known = || {
        let rules = spec.rules.iter().map(|r| r.id.as_str());
        rules.chain(spec.models.iter().map(String::as_str))
    };
    let mut problems = Vec::new();
    for name in &layer.run {
        if !known().any(|one| one == name) {
            problems.push(Problem::unknown(&key, name, "a rule or a model", known()));
        } else if !used.insert(name) {
            let message = format!("`{name}` is run twice");
            problems.push(Problem::new(&key, message, "one layer is enough"));
        }
    }
    problems
}

fn order(layer: &LayerSpec, before: Option<&LayerSpec>) -> Vec<Problem> {
    let key = format!("layers.{}", layer.name);
    let mut problems = Vec::new();
    let earliest = before.map_or(Span::ZERO, |b| b.deadline);
    if layer.deadline <= earliest {
        problems.push(Problem::new(
            format!("{key}.deadline"),
            format!("the deadline {} leaves this layer no time", layer.deadline),
            format!("deadlines count from receipt and rise: more than {earliest}"),
        ));
    }
    if let Some(before) = before.filter(|b| b.final_when.as_deref().map(str::trim) == Some("true"))
    {
        problems.push(Problem::new(
            key,
            format!(
                "`{}` is always final, so this layer never runs",
                before.name
            ),
            format!("change or drop `layers.{}.final_when`", before.name),
        ));
    }
    problems
}

fn shadows(spec: &PolicySpec) -> Vec<Problem> {
    let models = || spec.models.iter().map(String::as_str);
    let unknown = spec
        .shadow
        .iter()
        .filter(|name| !models().any(|model| model == *name));
    unknown
        .map(|name| Problem::unknown(format!("models.{name}"), name, "a model", models()))
        .collect()
}

fn ensemble(spec: &PolicySpec) -> Vec<Problem> {
    let weights = &spec.ensemble.weights;
    if weights.is_empty() {
        return Vec::new();
    }
    let models = || spec.models.iter().map(String::as_str);
    let mut problems = Vec::new();
    for (name, weight) in weights {
        let key = format!("ensemble.{name}");
        if !models().any(|model| model == name) {
            problems.push(Problem::unknown(key, name, "a model", models()));
        } else if !weight.is_finite() || *weight < 0.0 {
            let message = format!("{weight} is not a weight");
            problems.push(Problem::new(key, message, "a weight is a number from 0 up"));
        }
    }
    let weighed = |model: &str| weights.iter().any(|(name, _)| name == model);
    let shadow = |model: &str| spec.shadow.iter().any(|name| name == model);
    let unweighted = models().filter(|model| !weighed(model) && !shadow(model));
    problems.extend(unweighted.map(|model| {
        let message = format!("the model `{model}` has no weight");
        let help = "weigh every model or none; 0 asks it without letting it move anything";
        Problem::new(format!("ensemble.{model}"), message, help)
    }));
    if weights.iter().all(|(_, weight)| *weight == 0.0) {
        let help = "let at least one model weigh more than 0";
        problems.push(Problem::new("ensemble", "no model weighs anything", help));
    }
    problems
}

fn fallback(spec: &PolicySpec) -> Option<Problem> {
    match &spec.fallback {
        Some(name) if !action_names(spec).any(|action| action == name) => Some(Problem::unknown(
            "fallback",
            name,
            "an action",
            action_names(spec),
        )),
        None if !spec.models.is_empty() => Some(Problem::new(
            "fallback",
            "it is not declared what to do where no model answers",
            format!("add `fallback:` with one of {}", one_of(spec)),
        )),
        _ => None,
    }
}

fn explore(spec: &PolicySpec, bands: Option<&Bands>) -> Vec<Problem> {
    let Some(explore) = &spec.explore else {
        return Vec::new();
    };
    let mut problems = Vec::new();
    for name in explore.of.iter().chain([&explore.action]) {
        if !action_names(spec).any(|action| action == name) {
            let names = action_names(spec);
            problems.push(Problem::unknown("explore", name, "an action", names));
        }
    }
    if !(explore.share > 0.0 && explore.share < 1.0) {
        let message = format!("{} is not a share", explore.share);
        problems.push(Problem::new(
            "explore",
            message,
            "a share lies between 0 and 1: `0.01`",
        ));
    }
    if let Some(bands) = bands.filter(|_| problems.is_empty()) {
        let of = explore
            .of
            .as_ref()
            .map_or(bands.actions().len() - 1, |name| {
                bands.severity(name).unwrap_or(usize::MAX)
            });
        if bands.severity(&explore.action) >= Some(of) {
            problems.push(Problem::new(
                "explore",
                format!("`{}` is no milder than what it replaces", explore.action),
                "let a share through to a milder action",
            ));
        }
    }
    problems
}

fn amount(spec: &PolicySpec) -> Option<Problem> {
    let name = spec.amount.as_ref()?;
    let amounts = || {
        let money = spec
            .event
            .fields
            .iter()
            .filter(|f| f.kind == FieldType::Money);
        money.map(|f| f.name.as_str())
    };
    if amounts().any(|field| field == name) {
        return None;
    }
    let what = format!("a money field of `{}`", spec.event.name);
    Some(Problem::unknown("amount", name, &what, amounts()))
}
