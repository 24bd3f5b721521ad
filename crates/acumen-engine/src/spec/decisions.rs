//! Rules, layers, bands, exploration and value.

use acumen_base::decision::RuleMode;

use super::tree::{Key, Kind, Node};
use super::types::{ExploreDecl, LayerDecl, RuleDecl, ScoreDecl, ValueDecl, When};
use super::walk::{Group, Walk, suggestion};

/// The key of the bands.
pub(super) const ACTIONS: &str = "actions";
/// The highest score.
const SCORE_MAX: u8 = 100;

/// Reads `rules`.
pub(super) fn rules(walk: &mut Walk, node: &Node) -> Vec<RuleDecl> {
    walk.each(node, rule)
}

fn rule(walk: &mut Walk, key: &Key, node: &Node) -> Option<RuleDecl> {
    let mut group = walk.group(node, format!("rule `{}`", key.text))?;
    let when = group.require("when");
    let effect = group.require("effect");
    let reason = group.require("reason");
    let mode = group.get("mode");
    let is_final = group.get("final");
    let suppress = group.get("suppress");
    group.finish(walk);
    let (mode, roll_out_by) = mode.map_or((None, None), |node| rule_mode(walk, node));
    Some(RuleDecl {
        id: key.text.clone(),
        when: when.and_then(|node| walk.text(node))?,
        effect: effect.and_then(|node| walk.text(node))?,
        reason: reason.and_then(|node| walk.text(node))?,
        mode: mode.unwrap_or_default(),
        roll_out_by,
        suppress: suppress.and_then(|node| walk.text(node)),
        is_final: is_final.and_then(|node| walk.flag(node)).unwrap_or(false),
    })
}

/// A word, or `{roll_out: 0.1, by: customer}`.
fn rule_mode(walk: &mut Walk, node: &Node) -> (Option<RuleMode>, Option<String>) {
    if !matches!(node.kind, Kind::Map(_)) {
        // `on` and `off` are flags in older YAML and stay words here.
        let modes = [
            ("on", RuleMode::On),
            ("shadow", RuleMode::Shadow),
            ("off", RuleMode::Off),
        ];
        return (walk.word(node, "mode", &modes), None);
    }
    let Some(mut group) = walk.group(node, "`mode`") else {
        return (None, None);
    };
    let share = group.require("roll_out");
    let by = group.get("by");
    group.finish(walk);
    let by = by.and_then(|node| walk.text(node));
    let Some((node, share)) = share.and_then(|node| Some((node, walk.share(node)?))) else {
        return (None, by);
    };
    let mode = RuleMode::roll_out(share);
    if mode.is_none() {
        let message = format!("{share} is not a share to roll out to");
        let help = "write one between 0 and 1, such as 0.1, or `on` for all and `off` for none";
        walk.problem(node, "bad_share", message, help);
    }
    (mode, by)
}

/// Reads `layers`.
pub(super) fn layers(walk: &mut Walk, node: &Node) -> Vec<LayerDecl> {
    walk.each(node, layer)
}

fn layer(walk: &mut Walk, key: &Key, node: &Node) -> Option<LayerDecl> {
    let mut group = walk.group(node, format!("layer `{}`", key.text))?;
    let deadline = group.require("deadline");
    let run = group.require("run");
    let beside = group.get("beside");
    let final_when = group.get("final_when");
    group.finish(walk);
    let deadline = deadline.and_then(|node| walk.span(node));
    Some(LayerDecl {
        name: key.text.clone(),
        run: run.map(|node| walk.texts(node)).unwrap_or_default(),
        beside: beside.and_then(|node| walk.flag(node)).unwrap_or(false),
        final_when: final_when.and_then(|node| walk.text(node)),
        deadline: deadline?,
    })
}

/// Reads `actions`: bands of scores that rise from 0 to 100 without a gap.
pub(super) fn actions(walk: &mut Walk, node: &Node) -> Vec<(String, u8, u8)> {
    let mut actions: Vec<(String, u8, u8)> = Vec::new();
    let mut next = 0;
    let mut whole = true;
    let before = walk.found.len();
    for (key, value) in walk.declared(node) {
        let Some((from, to)) = band(walk, value) else {
            // A band that could not be read leaves no gap that is worth a second report.
            actions.push((key.text.clone(), 0, 0));
            whole = false;
            continue;
        };
        if whole && from != next {
            let help = "bands rise from 0 to 100, each beginning one after the one before";
            let message = format!("this band begins at {from}, and {next} is the next free score");
            walk.problem(value, "bad_band", message, help);
        }
        if from > to {
            let message = format!("this band ends at {to} before it begins at {from}");
            walk.problem(value, "bad_band", message, "write the lower score first");
        }
        next = to.max(from).saturating_add(1);
        actions.push((key.text.clone(), from, to));
    }
    if whole && !actions.is_empty() && next != SCORE_MAX + 1 {
        let message = format!("no action is declared for the scores from {next} to 100");
        walk.problem(node, "bad_band", message, "let the last band end at 100");
    }
    if walk.found.len() > before {
        walk.broken.push(ACTIONS.to_owned());
    }
    actions
}

fn band(walk: &mut Walk, node: &Node) -> Option<(u8, u8)> {
    let wanted = "a band of scores such as `[31, 70]`";
    let Kind::List(items) = &node.kind else {
        walk.wrong_type(node, wanted);
        return None;
    };
    let [from, to] = items.as_slice() else {
        walk.wrong_type(node, wanted);
        return None;
    };
    let score = "a whole score from 0 to 100";
    let (from, to) = (walk.parsed::<u8>(from, score), walk.parsed::<u8>(to, score));
    let (from, to) = (from?, to?);
    if from.max(to) > SCORE_MAX {
        walk.wrong_type(node, "a band of scores from 0 to 100");
        return None;
    }
    Some((from, to))
}

/// Reads `score`.
pub(super) fn score(walk: &mut Walk, node: &Node) -> Option<ScoreDecl> {
    let mut group = walk.group(node, "`score`")?;
    let knots = group.require("knots");
    group.finish(walk);
    let knots = knots?;
    let Kind::List(items) = &knots.kind else {
        let words = [("expected_cost", true), ("probability", false)];
        let fitted = walk.word(knots, "kind of knots", &words)?;
        return Some(match fitted {
            true => ScoreDecl::ExpectedCost,
            false => ScoreDecl::Probability,
        });
    };
    let mut pairs: Vec<(f64, f64)> = Vec::new();
    for item in items {
        let Some((probability, score)) = knot(walk, item) else {
            continue;
        };
        if pairs
            .last()
            .is_some_and(|(p, s)| *p >= probability || *s >= score)
        {
            let message = "this knot does not lie above the one before";
            let help = "let probabilities and scores rise";
            walk.problem(item, "bad_knots", message, help);
        }
        pairs.push((probability, score));
    }
    Some(ScoreDecl::Knots(pairs))
}

fn knot(walk: &mut Walk, node: &Node) -> Option<(f64, f64)> {
    let wanted = "a knot `[probability, score]`";
    let Kind::List(items) = &node.kind else {
        walk.wrong_type(node, wanted);
        return None;
    };
    let [probability, score] = items.as_slice() else {
        walk.wrong_type(node, wanted);
        return None;
    };
    let (probability, score) = (walk.share(probability), walk.number(score));
    Some((probability?, score?))
}

/// Reads `explore`.
pub(super) fn explore(walk: &mut Walk, node: &Node) -> Option<ExploreDecl> {
    let mut group = walk.group(node, "`explore`")?;
    let of = group.get("of");
    let action = group.require("action");
    let share = group.require("share");
    group.finish(walk);
    let action = action.and_then(|node| walk.text(node));
    let share = share.and_then(|node| walk.share(node));
    Some(ExploreDecl {
        of: of.and_then(|node| walk.text(node)),
        action: action?,
        share: share?,
    })
}

/// Reads `value`: for each action, what it is worth when the truth is `positive` or `negative`,
/// and what it costs in `any` case.
pub(super) fn value(walk: &mut Walk, node: &Node, actions: &[(String, u8, u8)]) -> Vec<ValueDecl> {
    let mut values = Vec::new();
    for (key, value) in walk.declared(node) {
        if !actions.iter().any(|(name, _, _)| *name == key.text) {
            let names: Vec<&str> = actions.iter().map(|(name, _, _)| name.as_str()).collect();
            let message = format!("there is no action `{}`", key.text);
            walk.problem_at_key(key, "unknown_name", message, suggestion(&key.text, &names));
        }
        let Some(mut group) = walk.group(value, format!("the value of `{}`", key.text)) else {
            continue;
        };
        for (name, when) in [
            ("positive", When::Positive),
            ("negative", When::Negative),
            ("any", When::Any),
        ] {
            let formula = group.get(name).and_then(|node| walk.text(node));
            values.extend(formula.map(|formula| ValueDecl {
                action: key.text.clone(),
                when,
                formula,
            }));
        }
        group.finish(walk);
    }
    values
}

/// The text of a required key, with its place.
pub(super) fn required<'n>(
    walk: &mut Walk,
    group: &mut Group<'n>,
    key: &'static str,
) -> Option<(&'n Node, String)> {
    let node = group.require(key)?;
    Some((node, walk.text(node)?))
}
