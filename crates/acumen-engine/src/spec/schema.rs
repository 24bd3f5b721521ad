//! The JSON Schema of `usecase.yaml`: what gives editors completion and help while typing.
//!
//! Operators and learners describe themselves; what is written here is the rest.

mod ranking;
mod sources;

use acumen_base::FieldType;
use acumen_feature::OPERATORS;
use acumen_feature::operator::{Need, Operator, ParamKind};
use acumen_model::{ParamDoc, SearchMetric};
use serde_json::{Map, Value, json};

use super::types::GateMetric;
use crate::learners::learners;

pub use sources::{mapping_schema, source_schema};

/// The schema, draft 2020-12.
pub fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A use case of Acumen",
        "type": "object",
        "additionalProperties": false,
        "required": ["usecase", "question", "events", "decide"],
        "oneOf": [
            {"required": ["layers", "actions"]},
            {"required": ["target"]},
            {"required": ["items", "feedback", "ensemble"]},
        ],
        "properties": merge(vec![what(), learning(), deciding(), ranking::ranking(), serving()]),
        "$defs": definitions(),
    })
}

fn merge(parts: Vec<Value>) -> Value {
    let mut all = Map::new();
    for part in parts {
        if let Value::Object(part) = part {
            all.extend(part);
        }
    }
    Value::Object(all)
}

fn what() -> Value {
    json!({
        "usecase": text("The name, which is the folder's."),
        "question": text("The question that it answers."),
        "uses": texts("Feature sets of `catalogue/features` that it reads."),
        "currency": text("The currency that money is converted to and valued in, such as GBP."),
        "entities": names_to_text("What features are kept for, each with the field of its id: `card: card_id`; fields joined by `+` make an entity of a combination: `own_device: customer_id + device_id`."),
        "events": {
            "description": "The event types that it reads: names of `catalogue/events`, or declarations.",
            "anyOf": [
                {"type": "array", "items": {"type": "string"}},
                {"type": "object", "additionalProperties": {
                    "anyOf": [{"const": "catalogue"}, {"$ref": "#/$defs/event"}]
                }},
            ],
        },
        "rates": group("Which event says what a currency is worth.", &["event", "currency", "rate"], json!({
            "event": text("The event type."),
            "currency": text("Its field that names the currency."),
            "rate": text("Its field with the worth of one unit of it."),
        })),
        "decide": {"anyOf": [
            group("An event that is decided on.", &["event"], json!({
                "event": text("The event type."),
                "amount": text("Its money field that is at stake."),
            })),
            group("An entity each of whose keys is decided on, at any time.", &["each"], json!({
                "each": text("The entity, such as customer."),
                "base": text("The column that is above 0 for the keys that are scored; all are unless given."),
            })),
            ranking::decide(),
        ]},
        "target": group("The sum that is predicted of each key.", &["sum", "over"], json!({
            "sum": text("What adds to it: a field of an event with the key, such as order.amount."),
            "less": text("What is taken off it, such as refund.amount."),
            "over": calendar("Over which time from the origin on."),
            "floor": {"type": "number", "description": "It is never less than this."},
        })),
        "segments": {
            "description": "Bands of the predicted sum, each with its least amount in the currency of the use case, rising from the lowest.",
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": "number"}, {"type": "string"}]},
        },
        "outcome": group("How the truth is learnt.", &["of", "positive", "by", "negative_after"], json!({
            "of": text("The event type that it is about."),
            "positive": text("The event type whose arrival makes it positive."),
            "by": text("The field of that event with the id of the one that it is about."),
            "negative_after": span("Without a positive event for this long, it counts as negative."),
            "closes": span("After this long nothing changes any more."),
            "hidden_by": texts("The actions after which the truth cannot be seen."),
        })),
        "features": {
            "description": "What is computed from events, each a group of columns.",
            "type": "object",
            "additionalProperties": {"$ref": "#/$defs/feature"},
        },
    })
}

fn learning() -> Value {
    json!({
        "training": group("How models are trained.", &[], json!({
            "target": words("What is learnt: the outcome of an event, or the target of a key.", &["outcome", "target"]),
            "origins": {
                "description": "Of keys: the times of the past at which rows are read.",
                "anyOf": [
                    {"type": "array", "items": {"type": "string"}},
                    group("So far apart, back from the latest whose target is known.", &["every"], json!({
                        "every": calendar("How far apart."),
                        "season": {"anyOf": [{"const": "any"}, calendar("How far from the time of the year that is scored next.")]},
                    })),
                ],
            },
            "training_data": {
                "description": "Which decided events are rows: `last_90_days`, `90d`, or from and to.",
                "anyOf": [{"type": "string"}, group("From, included, to, excluded.", &["from", "to"], json!({
                    "from": text("The first instant."),
                    "to": text("The instant after the last."),
                }))],
            },
            "negative_share": share("The share of the rows without a positive outcome that are kept, above 0, each counting for those that are not; 1 unless given."),
            "validation": share("The share of the rows that stops training early."),
            "calibration_share": share("The share of the rows, the latest, that calibrates."),
            "calibration": words("How probabilities are calibrated.", &["auto", "isotonic", "platt"]),
            "refit": {"type": "boolean", "description": "Whether models are fitted again to all rows once they are judged."},
            "seed": whole("What every random choice follows from."),
            "exclude": texts("Columns that no model sees."),
            "search": {"$ref": "#/$defs/search"},
        })),
        "update_frequency": text("How often it is trained anew: hourly, daily, weekly, or a span."),
        "gates": group("What a model that was trained anew has to pass before it goes live.", &[], json!({
            "metric": words("What it must not be worse in, on the newest rows whose truth is known; average_precision unless given.",
                &GateMetric::ALL.map(GateMetric::name)),
            "tolerance": share("How much worse it may be all the same; 0.01 unless given."),
            "min_positives": whole("Positives that it has to be judged on; 30 unless given."),
            "ece_max": share("Its largest expected calibration error; 0.05 unless given."),
            "latency_us_max": whole("Microseconds that its models may take for a row, in 99 of 100; 5000 unless given."),
        })),
        "explain": group("What explanations may say, and what a person can change.", &[], json!({
            "actionable": texts("Features or columns that the person concerned can change: only they are searched for what would have led to a milder action."),
            "says": names_to_text("What the person concerned is told of a feature or column, without numbers."),
        })),
        "models": {
            "description": "The models.",
            "type": "object",
            "additionalProperties": {"anyOf": learners().into_iter().map(model).chain(ranking::models()).collect::<Vec<_>>()},
        },
        "ensemble": {
            "description": "How several models become one probability, or one list.",
            "anyOf": [ranking::ensemble(), combination(), group("An algorithm and weights.", &["algorithm"], json!({
                "algorithm": combination(),
                "when_missing": {"enum": ["marginalise"]},
                "weights": {"type": "object", "additionalProperties": {"type": "number"}},
            }))],
        },
    })
}

fn deciding() -> Value {
    let layer = group(
        "Rules and models that share a deadline.",
        &["deadline", "run"],
        json!({
            "deadline": span("When it must have ended, counted from the receipt of the request."),
            "run": texts("The rules and models that run in it, in order."),
            "beside": {"type": "boolean", "description": "Whether its models run beside each other."},
            "final_when": text("A condition (CEL) under which later layers are not needed."),
        }),
    );
    let rule = group(
        "A rule.",
        &["when", "effect", "reason"],
        json!({
            "when": text("The condition, a CEL expression over the event, the row and the lists."),
            "effect": text("The action that it asks for."),
            "reason": text("Why, in words that a person reads."),
            "mode": {"anyOf": [
                words("Whether it acts.", &["on", "shadow", "off"]),
                group("Acts for a share, and is a shadow for the rest.", &["roll_out"], json!({
                    "roll_out": share("The share."),
                    "by": text("The entity that is always in or always out; each event unless given."),
                })),
            ]},
            "suppress": text("A list whose ids it never fires for."),
            "final": {"type": "boolean", "description": "Whether it wins outright."},
        }),
    );
    let band = json!({"type": "array", "minItems": 2, "maxItems": 2,
        "items": {"type": "integer", "minimum": 0, "maximum": 100}});
    let worth = group(
        "What the action is worth, as CEL that gives money.",
        &[],
        json!({
            "positive": text("When the outcome is positive."),
            "negative": text("When the outcome is negative."),
            "any": text("Always, added to the other two."),
        }),
    );
    json!({
        "layers": of_names("The layers in order.", layer),
        "lists": names_to_text("Lists of ids that people edit, each with the field of the id."),
        "rules": of_names("The rules.", rule),
        "score": group("How a probability becomes a score of 0 to 100.", &["knots"], json!({
            "knots": {"anyOf": [
                {"enum": ["expected_cost", "probability"]},
                {"type": "array", "items": {"type": "array", "items": {"type": "number"}}},
            ]},
        })),
        "actions": of_names("The actions with the first and the last score of each.", band),
        "fallback": text("What is done when no model answered; of lists, the source that answers then."),
        "explore": {"anyOf": [ranking::explore(), group("A share is let through so that the truth stays observable.", &["action", "share"], json!({
            "of": text("The action that would have been taken; the most severe unless given."),
            "action": text("The milder action that is taken in its place."),
            "share": share("How many of them."),
        }))]},
        "review": group("Which decisions people look at.", &["actions"], json!({
            "actions": texts("The actions whose decisions become cases."),
        })),
        "value": of_names("What each action is worth.", worth),
    })
}

fn serving() -> Value {
    json!({
        "serving": group("How it is served.", &[], json!({
            "max_latency": span("The longest that a request may take."),
            "throughput": whole("Requests a second that it is sized for."),
            "durability": words("Whether a decision is on disk before it is answered.", &["must_log", "best_effort"]),
            "when_log_fails": words("What is done when it cannot be written.", &["refuse", "answer"]),
            "replicas": whole("Processes."),
            "autoscaling": group("How their number follows the load.", &["min_replicas", "max_replicas"], json!({
                "min_replicas": whole("At least so many."),
                "max_replicas": whole("At most so many."),
                "target_cpu": share("The share of a processor at which another is started."),
            })),
            "cache_ttl": span("How long a cached entry may be used."),
        })),
        "batch_inference": group("How it is scored in batches.", &["schedule"], json!({
            "schedule": text("When, as five cron fields, such as `0 2 * * *`."),
            "time_zone": text("The time zone of the schedule, such as Europe/London; UTC unless given."),
            "batch_size": whole("Rows at a time."),
            "timeout": span("The longest that a run may take."),
        })),
        "retention": span("How long the log is kept."),
    })
}

fn definitions() -> Value {
    let kinds = FieldType::ALL.map(FieldType::name);
    json!({
        "event": group("An event type.", &["id", "time", "fields"], json!({
            "id": text("The field that holds its id."),
            "time": text("The field that holds its time."),
            "lateness": span("How late an event may be known and still be counted."),
            "fields": {
                "description": "The fields and what they hold; a group of fields is a group of keys.",
                "type": "object",
                "additionalProperties": {"anyOf": [
                    {"enum": kinds},
                    {"type": "object", "additionalProperties": {"enum": kinds}},
                ]},
            },
            "optional": texts("Fields that may be left out."),
            "personal": texts("Fields that say something about a person."),
            "signed": texts("Numbers and amounts that may be negative."),
        })),
        "search": search(),
        "feature": {"anyOf": OPERATORS.iter().map(|operator| feature(*operator)).collect::<Vec<_>>()},
    })
}

/// A feature by one operator; `aggregate` and `derived` need not be named.
fn feature(operator: &dyn Operator) -> Value {
    let accepts = operator.accepts();
    let mut keys = Map::new();
    let mut required = Vec::new();
    let named = json!({"const": operator.name(), "description": operator.doc()});
    keys.insert("operator".to_owned(), named);
    keys.insert(
        "of".to_owned(),
        text("An event type, a field of one (`order.amount`), or `outcome`."),
    );
    if accepts.by != Need::Never {
        keys.insert("by".to_owned(), texts("The entities that it is kept for."));
    }
    if accepts.by == Need::Must {
        required.push("by");
    }
    if accepts.windows {
        keys.insert(
            "window".to_owned(),
            texts("Windows `(t − w, t]`, such as `[1h, 24h]` or `all`."),
        );
        required.push("window");
    }
    if accepts.aggregations {
        keys.insert(
            "aggregations".to_owned(),
            texts("What is computed over each window."),
        );
        required.push("aggregations");
    }
    let params = operator.params();
    if !accepts.aggregations && !params.iter().any(|param| param.name == "cel") {
        required.push("operator");
    }
    for param in params {
        let doc = match param.default {
            "" => param.doc.to_owned(),
            default => format!("{} Default: {default}.", param.doc),
        };
        if param.default.is_empty() {
            required.push(param.name);
        }
        keys.insert(
            param.name.to_owned(),
            match param.kind {
                ParamKind::Text => text(&doc),
                ParamKind::Texts => texts(&doc),
                ParamKind::Int => whole(&doc),
                ParamKind::Number => json!({"type": "number", "description": doc}),
                ParamKind::Bool => json!({"type": "boolean", "description": doc}),
                ParamKind::Span => span(&doc),
            },
        );
    }
    group(operator.doc(), &required, Value::Object(keys))
}

/// How better parameters are searched for.
fn search() -> Value {
    let metrics = SearchMetric::ALL.map(|(name, _)| name);
    group(
        "How better parameters are searched for, on the training rows alone.",
        &[],
        json!({
            "trials": whole("How many sets of parameters are tried; 0 is no search. Default: 30."),
            "method": words("How they share the work. Default: random.", &["random", "halving"]),
            "of": {
                "description": "What is searched: `[least, most]` (on a logarithmic scale where that spans more than a factor of 10) or a list of choices a parameter; what the algorithm suggests unless given.",
                "type": "object",
                "additionalProperties": {"type": "array", "minItems": 1},
            },
            "folds": whole("How often the rows are cut into past and future. Default: 3."),
            "metric": words("What trials are judged by. Default: average_precision.", &metrics),
        }),
    )
}

fn model(learner: &dyn acumen_model::Learner) -> Value {
    let names: Vec<&str> = learner
        .aliases()
        .iter()
        .copied()
        .chain([learner.name()])
        .collect();
    let others = json!({
        "features": texts("The features that it sees; all unless given."),
        "search": {"$ref": "#/$defs/search"},
        "shadow": {"type": "boolean", "description": "Whether it answers without a vote."},
        "informed_by": text("Of a value: the model of purchases (bg_nbd, pareto_nbd) whose answers it sees as columns."),
    });
    of_params(&names, learner.doc(), learner.params(), others)
}

/// A model of some algorithm, by the parameters that it describes, and some other keys.
fn of_params(names: &[&str], doc: &str, params: &[ParamDoc], others: Value) -> Value {
    let mut keys = Map::new();
    keys.insert("algorithm".to_owned(), words(doc, names));
    for param in params {
        let doc = format!(
            "{} ({}; default {})",
            param.doc,
            param.range.describe(),
            param.default
        );
        for name in param.aliases.iter().copied().chain([param.name]) {
            keys.insert(name.to_owned(), json!({"description": doc}));
        }
    }
    group(
        doc,
        &["algorithm"],
        merge(vec![Value::Object(keys), others]),
    )
}

fn group(doc: &str, required: &[&str], properties: Value) -> Value {
    let mut group = json!({
        "description": doc,
        "type": "object",
        "additionalProperties": false,
        "required": required,
    });
    group["properties"] = properties;
    group
}

fn of_names(doc: &str, value: Value) -> Value {
    let mut group = json!({"description": doc, "type": "object"});
    group["additionalProperties"] = value;
    group
}

fn names_to_text(doc: &str) -> Value {
    of_names(doc, json!({"type": "string"}))
}

fn text(doc: &str) -> Value {
    json!({"type": "string", "description": doc})
}

/// One text, or a list of them.
fn texts(doc: &str) -> Value {
    json!({"description": doc, "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}},
    ]})
}

fn words(doc: &str, words: &[&str]) -> Value {
    json!({"enum": words, "description": doc})
}

fn whole(doc: &str) -> Value {
    json!({"type": "integer", "description": doc})
}

fn span(doc: &str) -> Value {
    let doc = format!("{doc} A span such as 250ms, 30s, 15m, 24h, 30d.");
    json!({"type": "string", "pattern": "^([0-9]+(ms|s|m|h|d|w)|all)$", "description": doc})
}

fn calendar(doc: &str) -> Value {
    let doc = format!("{doc} A length such as 30d, 6mo, 1y.");
    json!({"type": "string", "pattern": "^[0-9]+(ms|s|m|h|d|w|mo|y)$", "description": doc})
}

fn share(doc: &str) -> Value {
    json!({"description": doc, "anyOf": [
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "string", "pattern": "^[0-9.]+ *%$"},
    ]})
}

fn combination() -> Value {
    json!({
        "enum": ["mean", "stacking"],
        "description": "The mean of their probabilities by weight, or weights that training fits.",
    })
}
