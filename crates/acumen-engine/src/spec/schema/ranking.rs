//! The keys of use cases that rank.

use acumen_model::learner::lambda_mart::{LAMBDA_MART, LAMBDA_MART_DOC, LambdaMart};
use acumen_model::recommend::RecommendLearner;
use serde_json::{Value, json};

use super::{group, of_names, of_params, share, span, text, texts, whole, words};
use crate::learners::recommenders;
use crate::spec::ranking::{BANDIT_DOCS, EDITORIAL_DOCS};

/// Keys that only use cases that rank have.
pub(super) fn ranking() -> Value {
    json!({
        "items": group("What is known of items, and which may be shown.", &["event"], json!({
            "event": text("The event type by which items are added and change; the newest of each counts."),
            "attributes": texts("Fields that say what an item is like; amounts by the power of two that they lie in."),
            "value": text("The field of what selling one is worth."),
            "require": texts("Conditions (CEL) on the event; an item for which one is false is not shown, and what is missing keeps nothing out."),
        })),
        "feedback": group("What people do with items, and how much that tells.", &["event", "kind", "weights"], json!({
            "event": text("The event type."),
            "kind": text("Its field that says what was done."),
            "weights": {
                "description": "How much each kind tells: a number or a formula (CEL), above 0 of interest, below 0 of the lack of it.",
                "type": "object",
                "additionalProperties": {"anyOf": [{"type": "number"}, {"type": "string"}]},
            },
            "shown": text("The kind that says that an item was seen: lists then learn from what was seen alone."),
            "seen_within": span("For how long it is remembered who was shown what, such as 1h: by events of the kind `shown`, or by the lists themselves where none is declared. The objective `fatigue` and the ranker go by it; unless given, it is forgotten."),
            "list": text("The field with the id of the list in which it was seen."),
            "hidden_after": texts("Kinds after which an item is not shown to the visitor again: they do not want it."),
            "had_after": texts("Kinds after which an item is not shown to the visitor again: they have it."),
            "rewards": {
                "description": "What each kind is worth to whoever learns from lists.",
                "type": "object",
                "additionalProperties": {"type": "number"},
            },
            "context": texts("Fields that say something of the moment, such as the device or the weather: categories, flags and numbers. A request may say the same (`context`), which `popular` with `context`, the bandit and the ranker go by."),
            "remember": whole("How many events of a visitor are remembered, 1 to 1000; 50 unless given."),
        })),
        "objectives": objectives(),
        "ensembles": of_names("Ensembles of which one is chosen for every list, by what is known of the visitor and the moment, and by what came of earlier lists.", group(
            "How it differs from `ensemble` and `objectives`.",
            &[],
            json!({
                "weights": of_names("What groups weigh in it; the others as declared.", json!({"type": "number", "minimum": 0})),
                "objectives": objectives(),
            }),
        )),
        "choose": group("How an ensemble is chosen.", &[], json!({
            "policy": words("By models that are drawn, by the upper bound of what each is expected to bring, or by what it is expected to bring; linear_thompson unless given.", &["linear_thompson", "lin_ucb", "greedy"]),
            "scale": {"type": "number", "minimum": 0, "description": "How wide models are drawn (linear_thompson), in units of a list's reward; 0.5 unless given."},
            "draws": whole("How many models are drawn for a list (linear_thompson), 1 to 10000; 100 unless given. The probability of an ensemble is its share of them."),
            "alpha": {"type": "number", "minimum": 0, "description": "How many deviations the upper bound lies above what is expected (lin_ucb); 0.5 unless given."},
            "epsilon": share("The share of lists for which all ensembles are equally likely; 5% unless given."),
            "ridge": {"type": "number", "exclusiveMinimum": 0, "description": "The ridge of the models; 1 unless given."},
        })),
        "caps": of_names("How many items that agree in a field of the item a list may have.", whole("How many.")),
        "candidates": whole("How many items each source puts forward, 1 to 10000; 200 unless given."),
        "stages": group("How long each stage may take.", &[], json!({
            "context": span("Reading what is known of the visitor."),
            "candidates": span("Asking the sources: what is late is left out."),
            "ranking": span("Blending and ranking."),
            "post_processing": span("Exploring, a last look, and writing down."),
        })),
    })
}

fn objectives() -> Value {
    group(
        "What a list is made for.",
        &[],
        json!({
            "relevance": {"type": "number", "description": "What the sources say; 1 unless given."},
            "diversity": {"type": "number", "description": "How much items should differ, from 0 to just below 1."},
            "novelty": {"type": "number", "description": "What few have touched."},
            "business_value": {"type": "number", "description": "What is worth much."},
            "fatigue": {"type": "number", "minimum": 0, "description": "What an item loses each time that the visitor was shown it within `feedback.seen_within`, in deviations of relevance."},
            "by": words("How unlikeness is traded against merit.", &["maximal_marginal_relevance", "determinantal", "max_sum"]),
        }),
    )
}

/// `decide`, where items are ranked.
pub(super) fn decide() -> Value {
    group(
        "Items that are ranked for whoever asks.",
        &["rank", "for"],
        json!({
            "rank": text("The entity that lists consist of, such as product."),
            "for": text("The entity that asks, such as customer."),
            "session": text("The entity of a visit, where people come without saying who they are."),
        }),
    )
}

/// `ensemble`, where items are ranked.
pub(super) fn ensemble() -> Value {
    let of = group(
        "Sources that share a weight.",
        &["run", "weight"],
        json!({
            "run": texts("The sources."),
            "weight": {"type": "number", "minimum": 0, "description": "What they weigh together."},
        }),
    );
    group(
        "Sources in groups, each with its weight in the blend.",
        &["groups"],
        json!({
            "weights": words("Whether training fits the weights again.", &["fixed", "dynamic"]),
            "bounds": {
                "description": "Between what share and what multiple of its declared weight each is fitted; [0.25, 3] unless given.",
                "type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"},
            },
            "groups": of_names("The groups.", of),
            "ranker": text("The model that orders what the sources put forward, by what came of earlier lists, in place of their weights; until it is live, and where it is not better, the weights do."),
        }),
    )
}

/// `explore`, where items are ranked.
pub(super) fn explore() -> Value {
    group(
        "A place goes to any candidate now and then, so that other lists can be judged.",
        &["epsilon"],
        json!({
            "epsilon": share("How likely that is, for each place."),
        }),
    )
}

/// The sources of candidates as models.
pub(super) fn models() -> Vec<Value> {
    let source = |learner: &'static dyn RecommendLearner| {
        let names: Vec<&str> = std::iter::once(learner.name())
            .chain(learner.aliases().iter().copied())
            .collect();
        of_params(&names, learner.doc(), learner.params(), json!({}))
    };
    let bandit = "Learns from every outcome of a list what a candidate is worth, by what the other \
                  sources say of it.";
    let bandit = of_params(&["contextual_bandit"], bandit, BANDIT_DOCS, json!({}));
    let editorial = "Puts forward a list that people edit, the newest first, in force from the very \
                     next request on.";
    let editorial = of_params(&["editorial"], editorial, EDITORIAL_DOCS, json!({}));
    let ranker = of_params(
        &[LAMBDA_MART],
        LAMBDA_MART_DOC,
        LambdaMart::params(),
        json!({}),
    );
    recommenders()
        .into_iter()
        .map(source)
        .chain([bandit, editorial, ranker])
        .collect()
}
