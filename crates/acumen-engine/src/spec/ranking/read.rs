//! Reading what a use case that ranks declares.

use acumen_base::FieldType;
use acumen_decision::ranking::{Bounds, Diversity, Objectives};
use acumen_expr::{Compiled, EventScope, Type};
use acumen_feature::id_fields;

use super::decl::{
    CapDecl, ContextDecl, FeedbackDecl, GroupDecl, ItemsDecl, Outcome, RankingDecl, StagesDecl,
};
use super::ensembles::{self, CHOOSE};
use crate::spec::subject;
use crate::spec::tree::{Key, Kind, Node};
use crate::spec::types::UseCase;
use crate::spec::walk::{Group, Walk};

/// Events of a visitor that are remembered unless declared.
const REMEMBER: usize = 50;
/// Candidates of each source unless declared.
const CANDIDATES: usize = 200;
/// Between what share and what multiple of the declared ones weights are fitted again unless
/// declared. None is 0: what visitors took is known of items that were there, and a source may be
/// there for those that come.
const BOUNDS: Bounds = Bounds {
    least: 0.25,
    most: 3.0,
};
/// Respects in which something may be said of the moment: each makes what bandits learn wider.
const CONTEXT_MAX: usize = 8;
/// The longest list, and so the most candidates that make sense to ask for.
const CANDIDATES_MAX: usize = 10_000;

/// Whether a `decide` names what is ranked.
pub(in crate::spec) fn is_ranking(node: &Node) -> bool {
    matches!(&node.kind, Kind::Map(entries) if entries.iter().any(|(key, _)| key.text == "rank"))
}

/// Reads `decide: {rank: product, for: customer, session: session}`.
pub(in crate::spec) fn decide(walk: &mut Walk, node: &Node, use_case: &mut UseCase) {
    let Some(mut group) = walk.group(node, "`decide`") else {
        return;
    };
    let (rank, visitor) = (group.require("rank"), group.require("for"));
    let session = group.get("session");
    group.finish(walk);
    let item = rank.and_then(|node| entity(walk, node, use_case));
    let of = visitor.and_then(|node| entity(walk, node, use_case));
    let session = session.and_then(|node| entity(walk, node, use_case));
    let (Some((item, item_field)), Some((visitor, visitor_field))) = (item, of) else {
        return;
    };
    subject::of_entity(use_case, &visitor, &visitor_field);
    use_case.ranking = Some(Box::new(RankingDecl {
        item,
        item_field,
        visitor_field,
        session_field: session.map(|(_, field)| field),
        items: ItemsDecl {
            event: String::new(),
            attributes: Vec::new(),
            value: None,
            require: Vec::new(),
        },
        feedback: FeedbackDecl {
            event: String::new(),
            kind: String::new(),
            weights: Vec::new(),
            shown: None,
            seen_within: None,
            list: None,
            outcomes: Vec::new(),
            rewards: Vec::new(),
            remember: REMEMBER,
            context: Vec::new(),
        },
        groups: Vec::new(),
        ranker: None,
        dynamic: None,
        objectives: Objectives::default(),
        ensembles: Vec::new(),
        choose: CHOOSE,
        caps: Vec::new(),
        fallback: None,
        explore: 0.0,
        candidates: CANDIDATES,
        stages: StagesDecl::default(),
    }));
}

/// A declared entity of one id, with its field.
fn entity(walk: &mut Walk, node: &Node, use_case: &UseCase) -> Option<(String, String)> {
    let name = walk.text(node)?;
    let Some((_, field)) = use_case.entities.iter().find(|(known, _)| *known == name) else {
        let names = use_case.entities.iter().map(|(name, _)| name.as_str());
        walk.unknown(node, "entity", &name, names);
        return None;
    };
    if id_fields(field).count() != 1 {
        let message = format!("`{name}` is a combination of several ids");
        walk.problem(node, "bad_subject", message, "name an entity of one id");
        return None;
    }
    Some((name, field.clone()))
}

/// Reads everything else that ranking takes.
pub(in crate::spec) fn read(walk: &mut Walk, group: &mut Group<'_>, use_case: &mut UseCase) {
    let Some(mut ranking) = use_case.ranking.take() else {
        for key in [
            "items",
            "feedback",
            "objectives",
            "ensembles",
            "choose",
            "caps",
            "stages",
            "candidates",
        ] {
            if let Some(node) = group.get(key) {
                let message = format!("`{key}` belongs to lists, and nothing is ranked");
                let help = "leave it out, or let `decide` rank an entity: `decide: {rank: \
                            product, for: customer}`";
                walk.problem(node, "no_ranking", message, help);
            }
        }
        return;
    };
    if let Some(node) = group.require("items") {
        ranking.items = items(walk, node, use_case).unwrap_or(ranking.items);
    }
    if let Some(node) = group.require("feedback") {
        ranking.feedback = feedback(walk, node, use_case).unwrap_or(ranking.feedback);
    }
    if let Some(node) = group.require("ensemble") {
        ensemble(walk, node, &mut ranking);
    }
    if let Some(node) = group.get("objectives") {
        let usual = Objectives::default();
        ranking.objectives = objectives(walk, node, usual).unwrap_or(usual);
    }
    ensembles::read(walk, group, &mut ranking);
    if let Some(node) = group.get("caps") {
        ranking.caps = walk.each(node, |walk, key, value| {
            let wanted = "how many of one kind a list may have, such as 3";
            let most: usize = walk.parsed(value, wanted)?;
            let field = key.text.clone();
            (most > 0).then_some(CapDecl { field, most }).or_else(|| {
                walk.wrong_type(value, wanted);
                None
            })
        });
    }
    ranking.fallback = group.get("fallback").and_then(|node| walk.text(node));
    if let Some(node) = group.get("explore") {
        ranking.explore = explore(walk, node).unwrap_or(0.0);
    }
    if let Some(node) = group.get("candidates") {
        let wanted = "how many each source puts forward, from 1 to 10000";
        let count = walk.parsed(node, wanted);
        match count.filter(|count| (1..=CANDIDATES_MAX).contains(count)) {
            Some(count) => ranking.candidates = count,
            None if count.is_some() => walk.wrong_type(node, wanted),
            None => {}
        }
    }
    if let Some(node) = group.get("stages") {
        ranking.stages = stages(walk, node).unwrap_or_default();
    }
    use_case.ranking = Some(ranking);
}

/// The name of one of the use case's event types.
fn event_name(walk: &mut Walk, node: &Node, use_case: &UseCase) -> Option<String> {
    let name = walk.text(node)?;
    match use_case.event(&name) {
        Some(_) => Some(name),
        None => {
            let names = use_case.events.iter().map(|kind| kind.name.as_str());
            walk.unknown(node, "event", &name, names);
            None
        }
    }
}

/// A field of an event type, which has to exist.
fn field(walk: &mut Walk, node: &Node, use_case: &UseCase, event: &str) -> Option<String> {
    let name = walk.text(node)?;
    let kind = use_case.event(event)?;
    if kind.position(&name).is_none() {
        let names = kind.fields.iter().map(|field| field.name.as_str());
        walk.unknown(node, &format!("field of `{event}`"), &name, names);
        return None;
    }
    Some(name)
}

/// A formula over an event, such as `product.stock > 0`.
fn formula(
    walk: &mut Walk,
    node: &Node,
    (use_case, event): (&UseCase, &str),
    wanted: Type,
) -> Option<Compiled> {
    let text = walk.text(node)?;
    let scope = EventScope::new(use_case.event(event)?);
    match Compiled::compile(&text, scope.scope(), wanted) {
        Ok(compiled) => Some(compiled),
        Err(errors) => {
            for error in errors {
                walk.problem(node, "expression", error.message, error.help);
            }
            None
        }
    }
}

/// `{event: product, attributes: [category, brand, title], value: margin, require: [...]}`.
fn items(walk: &mut Walk, node: &Node, use_case: &UseCase) -> Option<ItemsDecl> {
    let mut group = walk.group(node, "`items`")?;
    let event = group.require("event");
    let (attributes, value) = (group.get("attributes"), group.get("value"));
    let require = group.get("require");
    group.finish(walk);
    let event = event_name(walk, event?, use_case)?;
    let attributes = attributes.map_or(&[][..], |node| walk.items(node));
    let attributes = attributes
        .iter()
        .filter_map(|node| field(walk, node, use_case, &event));
    let attributes: Vec<String> = attributes.collect();
    let value = value.and_then(|node| field(walk, node, use_case, &event));
    let require = require.map_or(&[][..], |node| walk.items(node)).iter();
    let require = require
        .filter_map(|node| formula(walk, node, (use_case, &event), Type::Bool))
        .collect();
    Some(ItemsDecl {
        event,
        attributes,
        value,
        require,
    })
}

/// Reads `feedback`.
fn feedback(walk: &mut Walk, node: &Node, use_case: &UseCase) -> Option<FeedbackDecl> {
    let mut group = walk.group(node, "`feedback`")?;
    let (event, kind) = (group.require("event"), group.require("kind"));
    let weights = group.require("weights");
    let (shown, list) = (group.get("shown"), group.get("list"));
    let seen_within = group.get("seen_within");
    let (hide, had) = (group.get("hidden_after"), group.get("had_after"));
    let (rewards, remember) = (group.get("rewards"), group.get("remember"));
    let context = group.get("context");
    group.finish(walk);
    let event = event_name(walk, event?, use_case)?;
    let kind = field(walk, kind?, use_case, &event)?;
    let list = list.and_then(|node| field(walk, node, use_case, &event));
    let of = (use_case, event.as_str());
    let weights = walk.each(weights?, |walk, key, value| {
        Some((key.text.clone(), formula(walk, value, of, Type::Double)?))
    });
    let number =
        |walk: &mut Walk, key: &Key, value: &Node| Some((key.text.clone(), walk.number(value)?));
    let rewards = rewards.map_or_else(Vec::new, |node| walk.each(node, number));
    let outcomes = [(hide, Outcome::Hidden), (had, Outcome::Had)];
    let outcomes = outcomes.into_iter().flat_map(|(node, outcome)| {
        let kinds = node.map_or_else(Vec::new, |node| walk.texts(node));
        kinds.into_iter().map(move |kind| (kind, outcome))
    });
    let outcomes = outcomes.collect();
    let wanted = "how many events of a visitor are remembered, from 1 to 1000";
    let count = remember.and_then(|node| walk.parsed(node, wanted));
    if let (Some(count), Some(node)) = (count, remember)
        && !(1..=1_000).contains(&count)
    {
        walk.wrong_type(node, wanted);
    }
    let context = context.map_or_else(Vec::new, |node| self::context(walk, node, of));
    Some(FeedbackDecl {
        context,
        event,
        kind,
        weights,
        shown: shown.and_then(|node| walk.text(node)),
        seen_within: seen_within.and_then(|node| walk.span(node)),
        list,
        outcomes,
        rewards,
        remember: count.unwrap_or(REMEMBER),
    })
}

/// `[device, weather]`: fields of feedback that say something of the moment.
fn context(walk: &mut Walk, node: &Node, (use_case, event): (&UseCase, &str)) -> Vec<ContextDecl> {
    let nodes = walk.items(node);
    if nodes.len() > CONTEXT_MAX {
        let message = format!("`context` names {} fields", nodes.len());
        let help = format!("name up to {CONTEXT_MAX}, those that change what people want");
        walk.problem(node, "too_many", message, help);
    }
    let mut read: Vec<ContextDecl> = Vec::new();
    for node in nodes {
        let Some(name) = field(walk, node, use_case, event) else {
            continue;
        };
        let kind = use_case.event(event).and_then(|kind| {
            let place = kind.position(&name)?;
            Some(kind.fields[place].kind)
        });
        let Some(kind) = kind else { continue };
        let usable = [
            FieldType::Category,
            FieldType::Bool,
            FieldType::Int,
            FieldType::Number,
        ];
        let message = match usable.contains(&kind) {
            false => format!("`{name}` is of type `{kind}`"),
            true if read.iter().any(|known| known.name == name) => {
                format!("`{name}` is named twice")
            }
            true => {
                read.push(ContextDecl { name, kind });
                continue;
            }
        };
        let help = "name fields of type category, bool, int or number, each once";
        walk.problem(node, "bad_context", message, help);
    }
    read
}

/// Reads `ensemble`: groups of sources with a weight each, whether training fits them again, and
/// what orders what they put forward.
fn ensemble(walk: &mut Walk, node: &Node, ranking: &mut RankingDecl) {
    let Some(mut group) = walk.group(node, "`ensemble`") else {
        return;
    };
    let (weights, bounds) = (group.get("weights"), group.get("bounds"));
    let (groups, ranker) = (group.require("groups"), group.get("ranker"));
    group.finish(walk);
    ranking.ranker = ranker.and_then(|node| walk.text(node));
    let dynamic = weights.and_then(|node| {
        walk.word(
            node,
            "way of weights",
            &[("fixed", false), ("dynamic", true)],
        )
    });
    let read = bounds.and_then(|node| self::bounds(walk, node));
    match dynamic {
        Some(true) => ranking.dynamic = Some(read.unwrap_or(BOUNDS)),
        _ => {
            if let Some(node) = bounds {
                let message = "`bounds` change nothing where weights are fixed";
                walk.problem(
                    node,
                    "changes_nothing",
                    message,
                    "leave them out, or write `weights: dynamic`",
                );
            }
        }
    }
    if let Some(node) = groups {
        ranking.groups = walk.each(node, |walk, key, value| {
            let mut group = walk.group(value, format!("group `{}`", key.text))?;
            let (run, weight) = (group.require("run"), group.require("weight"));
            group.finish(walk);
            let run = run.map(|node| walk.texts(node))?;
            let node = weight?;
            let weight = walk.number(node)?;
            if weight < 0.0 {
                walk.wrong_type(node, "a weight of 0 or more");
            }
            let name = key.text.clone();
            Some(GroupDecl { name, run, weight })
        });
    }
}

/// `[0.5, 2]`: times the declared weight.
fn bounds(walk: &mut Walk, node: &Node) -> Option<Bounds> {
    let numbers: Vec<f64> = walk
        .items(node)
        .iter()
        .filter_map(|node| walk.number(node))
        .collect();
    match numbers[..] {
        [least, most] if 0.0 <= least && least <= most => Some(Bounds {
            least: least as f32,
            most: most as f32,
        }),
        _ => {
            walk.wrong_type(
                node,
                "the least and the most share of a weight, such as `[0.5, 2]`",
            );
            None
        }
    }
}

/// Reads `objectives`; what is not named is as usual.
pub(super) fn objectives(walk: &mut Walk, node: &Node, usual: Objectives) -> Option<Objectives> {
    let mut group = walk.group(node, "`objectives`")?;
    let names = [
        "relevance",
        "diversity",
        "novelty",
        "business_value",
        "fatigue",
    ];
    let nodes = names.map(|name| group.get(name));
    let by = group.get("by");
    group.finish(walk);
    let [relevance, diversity, novelty, business_value, fatigue] =
        nodes.map(|node| node.and_then(|node| Some((node, walk.number(node)?))));
    if let Some((node, knob)) = diversity
        && !(0.0..1.0).contains(&knob)
    {
        walk.wrong_type(node, "a number from 0 to just below 1");
    }
    if let Some((node, _)) = fatigue.filter(|(_, less)| *less < 0.0) {
        walk.wrong_type(node, "a number of 0 or more");
    }
    let value = |read: Option<(&Node, f64)>, usual: f32| read.map_or(usual, |(_, v)| v as f32);
    let ways = [
        (
            "maximal_marginal_relevance",
            Diversity::MaximalMarginalRelevance,
        ),
        ("determinantal", Diversity::Determinantal),
        ("max_sum", Diversity::MaxSum),
    ];
    Some(Objectives {
        relevance: value(relevance, usual.relevance),
        diversity: value(diversity, usual.diversity),
        novelty: value(novelty, usual.novelty),
        business_value: value(business_value, usual.business_value),
        fatigue: value(fatigue, usual.fatigue),
        by: by
            .and_then(|node| walk.word(node, "way of diversity", &ways))
            .unwrap_or(usual.by),
    })
}

/// `{epsilon: 5%}`.
fn explore(walk: &mut Walk, node: &Node) -> Option<f64> {
    let mut group = walk.group(node, "`explore`")?;
    let epsilon = group.require("epsilon");
    group.finish(walk);
    epsilon.and_then(|node| walk.share(node))
}

/// Reads `stages`.
fn stages(walk: &mut Walk, node: &Node) -> Option<StagesDecl> {
    let mut group = walk.group(node, "`stages`")?;
    let names = ["context", "candidates", "ranking", "post_processing"];
    let nodes = names.map(|name| group.get(name));
    group.finish(walk);
    let [context, candidates, ranking, post_processing] =
        nodes.map(|node| node.and_then(|node| walk.span(node)));
    let usual = StagesDecl::default();
    Some(StagesDecl {
        context: context.unwrap_or(usual.context),
        candidates: candidates.unwrap_or(usual.candidates),
        ranking: ranking.unwrap_or(usual.ranking),
        post_processing: post_processing.unwrap_or(usual.post_processing),
    })
}
