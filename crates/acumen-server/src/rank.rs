//! `POST /v1/usecases/{name}/rank` and `GET /v1/usecases/{name}/similar/{item}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_engine::{Engine, RankAnswer, RankRequest, RankedItem, Refusal, SimilarAnswer};
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::answer::blocking;
use crate::refused::{Problem, Refused};

/// Items that are like one, unless asked for.
const SIMILAR: usize = 10;

/// A list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListAnswer {
    /// By which feedback names the list.
    decision_id: String,
    /// When it was made: RFC 3339.
    at: String,
    /// The items, the first first.
    items: Vec<ItemLine>,
    /// How much the list has of what it is made for.
    objectives: Objectives,
    /// Which ensemble made it, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    ensemble: Option<Ensemble>,
    /// What each source did.
    sources: Vec<Source>,
    /// What each stage took.
    stages: Vec<Stage>,
    /// Whether the candidates had been kept from an earlier request; lists never are.
    cached: bool,
    /// Whether no source but the fallback answered.
    fallback: bool,
    /// Why the list is shorter than asked for, where it is.
    short_because: Option<String>,
}

/// An item of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItemLine {
    /// Its id.
    item: String,
    /// Its place, from 1.
    place: usize,
    /// The weighed sum of all objectives but diversity.
    score: f32,
    /// The probability with which it stands there, given those before it.
    propensity: f64,
    /// Whether chance put it there.
    explored: bool,
    /// What it is like, where `explain` was asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<String, String>,
    /// Why it is there, where `explain` was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<WhyLine>,
}

/// Why an item is in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhyLine {
    /// In words.
    words: String,
    /// What each source added to its relevance, the most first.
    sources: Vec<Part>,
    /// The past events that speak for it most.
    because: Vec<Event>,
    /// What of all that is known of it moved the ranker most, where one orders the list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moved_by: Vec<MovedBy>,
    /// What novelty added.
    novelty: f32,
    /// What business value added.
    business_value: f32,
    /// What it lost because the visitor was shown it lately: 0 or less.
    fatigue: f32,
    /// How many places diversity and caps moved it up (above 0) or down.
    moved: i64,
}

/// What a source added.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Part {
    source: String,
    added: f32,
}

/// What is known of an item, and by how much that moved it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MovedBy {
    /// The name of what is known.
    name: String,
    /// Its value, where it has one.
    value: Option<f32>,
    /// By how much it moved the ranker's score.
    by: f32,
}

/// A past event that speaks for an item.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Event {
    /// The item of the event.
    item: String,
    /// The source that says so.
    source: String,
    /// Its share of what that source says.
    share: f32,
}

/// How much a list has of what it is made for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Objectives {
    /// The mean blended score, in deviations.
    relevance: f32,
    /// The mean of 1 less the likeness of two items.
    diversity: f32,
    /// The mean bits of surprise in an item.
    novelty: f32,
    /// The mean value of an item.
    business_value: f32,
    /// How often the visitor was shown an item of it lately, on average.
    repetition: f32,
}

/// The ensemble that made a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ensemble {
    name: String,
    /// The probability with which it was chosen.
    propensity: f64,
    /// All of them, where `explain` was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arms: Vec<EnsembleArm>,
}

/// An ensemble that may make a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnsembleArm {
    name: String,
    /// The probability with which it is chosen.
    probability: f64,
    /// What a list of it is expected to bring, in the unit of `feedback.rewards`.
    expected: f64,
}

/// What a source did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Source {
    name: String,
    version: Option<String>,
    /// What it weighed in the blend.
    weight: f32,
    /// `answered`, `cached`, `late`, `failed` or `not deployed`.
    status: String,
    took_us: u64,
}

/// What a stage took.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stage {
    name: String,
    took_us: u64,
    budget_us: u64,
}

/// One list, or several.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum Lists {
    /// Of one request.
    One(Box<ListAnswer>),
    /// Of several, in their order; one that could not be made is a problem.
    Many(Vec<ListOrProblem>),
}

/// A list, or why there is none.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum ListOrProblem {
    /// The list.
    List(Box<ListAnswer>),
    /// Why there is none.
    Problem(Problem),
}

/// A list of items for whoever asks.
#[utoipa::path(
    post, path = "/v1/usecases/{name}/rank", tag = "decisions",
    params(("name" = String, Path, description = "the use case")),
    request_body(content = serde_json::Value, description = "whoever asks and what they want, by the names that the use case declares or by these: `{\"visitor\": \"c1\", \"session\": \"s1\", \"n\": 10, \"events\": [{\"item\": \"p1\", \"kind\": \"click\"}], \"exclude\": [\"p2\"], \"filters\": {\"category\": [\"shoes\"]}, \"diversity\": 0.3, \"context\": {\"device\": \"phone\"}, \"explain\": true}`, all of it optional; or an array of them"),
    responses(
        (status = 200, body = Lists),
        (status = 400, body = Problem, description = "the request asks for what cannot be, or says of the moment what is not declared"),
        (status = 404, body = Problem, description = "no such use case, item, kind or attribute"),
        (status = 503, body = Problem, description = "the log cannot be written, or the server is closing"),
    )
)]
pub(crate) async fn rank(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Lists>, Refused> {
    let received = engine.clock().nanos();
    let wanted = wanted(&engine, &name, &body?)?;
    // To wake another thread takes as long as a list that waits for nothing.
    if let Wanted::One(request) = &wanted
        && engine.ranks_at_once(&name)
    {
        let answer = engine.rank(&name, request, received)?;
        return Ok(Json(Lists::One(Box::new(list(&answer)))));
    }
    let lists = blocking(engine, move |engine| match wanted {
        Wanted::One(request) => {
            let answer = engine.rank(&name, &request, received)?;
            Ok(Lists::One(Box::new(list(&answer))))
        }
        Wanted::Many(requests) => {
            let answers = engine.rank_many(&name, &requests)?.into_iter();
            let line = |answer: Result<RankAnswer, Refusal>| match answer {
                Ok(answer) => ListOrProblem::List(Box::new(list(&answer))),
                Err(refusal) => ListOrProblem::Problem(Refused::from(refusal).into_problem()),
            };
            Ok(Lists::Many(answers.map(line).collect()))
        }
    });
    Ok(Json(lists.await?))
}

/// What is asked for.
enum Wanted {
    One(Box<RankRequest>),
    Many(Vec<RankRequest>),
}

/// Reads a request, in which things may have the names that the use case gives them.
fn wanted(engine: &Engine, name: &str, body: &[u8]) -> Result<Wanted, Refusal> {
    let invalid = |error: serde_json::Error| {
        let what = format!("this is no request for a list: {error}; /docs says what one may hold");
        Refusal::Invalid(what)
    };
    let plan = engine.plan();
    let found = plan.position(name).map(|at| &plan.use_cases[at].declared);
    let declared = found.ok_or_else(|| Refusal::unknown("use case", name, plan.names()))?;
    let mut names: Vec<(&str, &str)> = Vec::new();
    if let Some(ranking) = &declared.ranking {
        names.push((ranking.visitor_field.as_str(), "visitor"));
        names.push((ranking.item_field.as_str(), "item"));
        names.extend(
            ranking
                .session_field
                .as_deref()
                .map(|field| (field, "session")),
        );
    }
    let mut parsed: Value = serde_json::from_slice(body).map_err(invalid)?;
    rename(&mut parsed, &names);
    match parsed {
        Value::Array(requests) => {
            let read = |request| serde_json::from_value(request).map_err(invalid);
            Ok(Wanted::Many(
                requests.into_iter().map(read).collect::<Result<_, _>>()?,
            ))
        }
        request => Ok(Wanted::One(
            serde_json::from_value(request).map_err(invalid)?,
        )),
    }
}

/// Gives keys of requests and of their events the names that all use cases have.
fn rename(value: &mut Value, names: &[(&str, &str)]) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, names)),
        Value::Object(fields) => {
            let renamed = std::mem::take(fields).into_iter().map(|(key, mut value)| {
                if key == "events" {
                    rename(&mut value, names);
                }
                let known = names.iter().find(|(name, _)| *name == key);
                (
                    known.map_or(key.clone(), |(_, name)| (*name).to_owned()),
                    value,
                )
            });
            *fields = renamed.collect::<Map<String, Value>>();
        }
        _ => {}
    }
}

fn list(answer: &RankAnswer) -> ListAnswer {
    ListAnswer {
        decision_id: answer.id.clone(),
        at: answer.at.to_string(),
        items: answer.items.iter().map(item).collect(),
        objectives: Objectives {
            relevance: answer.objectives.relevance,
            diversity: answer.objectives.diversity,
            novelty: answer.objectives.novelty,
            business_value: answer.objectives.business_value,
            repetition: answer.objectives.repetition,
        },
        ensemble: answer.ensemble.as_ref().map(|line| Ensemble {
            name: line.name.clone(),
            propensity: line.propensity,
            arms: line
                .arms
                .iter()
                .map(|arm| EnsembleArm {
                    name: arm.name.clone(),
                    probability: arm.probability,
                    expected: arm.expected,
                })
                .collect(),
        }),
        sources: answer
            .sources
            .iter()
            .map(|line| Source {
                name: line.name.clone(),
                version: line.version.clone(),
                weight: line.weight,
                status: line.status.to_owned(),
                took_us: line.took_us,
            })
            .collect(),
        stages: answer
            .stages
            .iter()
            .map(|line| Stage {
                name: line.name.to_owned(),
                took_us: line.took_us,
                budget_us: line.budget_us,
            })
            .collect(),
        cached: answer.cached,
        fallback: answer.fallback,
        short_because: answer.short_because.clone(),
    }
}

fn item(ranked: &RankedItem) -> ItemLine {
    let why = ranked.why.as_ref().map(|why| WhyLine {
        words: why.words.clone(),
        sources: why
            .sources
            .iter()
            .map(|(source, added)| Part {
                source: source.clone(),
                added: *added,
            })
            .collect(),
        because: why
            .because
            .iter()
            .map(|because| Event {
                item: because.item.to_string(),
                source: because.source.clone(),
                share: because.share,
            })
            .collect(),
        moved_by: why
            .moved_by
            .iter()
            .map(|moved| MovedBy {
                name: moved.name.clone(),
                value: moved.value.is_finite().then_some(moved.value),
                by: moved.by,
            })
            .collect(),
        novelty: why.novelty,
        business_value: why.business_value,
        fatigue: why.fatigue,
        moved: why.moved,
    });
    ItemLine {
        item: ranked.item.to_string(),
        place: ranked.place,
        score: ranked.score,
        propensity: ranked.propensity,
        explored: ranked.explored,
        attributes: ranked
            .attributes
            .iter()
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect(),
        why,
    }
}

/// Items that are like one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimilarLines {
    /// The item.
    item: String,
    /// Those that are like it, the most alike first.
    items: Vec<SimilarLine>,
    /// Why there are fewer than asked for, where there are.
    short_because: Option<String>,
}

/// An item that is like another.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimilarLine {
    item: String,
    score: f32,
}

/// How many.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HowMany {
    /// How many items, 1 to 100; 10 unless given.
    n: Option<usize>,
}

/// What somebody may want who does nothing but look at an item.
#[utoipa::path(
    get, path = "/v1/usecases/{name}/similar/{item}", tag = "decisions",
    params(
        ("name" = String, Path, description = "the use case"),
        ("item" = String, Path, description = "the id of the item"),
        ("n" = Option<usize>, Query, description = "how many items, 1 to 100; 10 unless given"),
    ),
    responses(
        (status = 200, body = SimilarLines),
        (status = 400, body = Problem, description = "the use case ranks nothing, or more is asked for than a list has"),
        (status = 404, body = Problem, description = "no such use case, or no such item"),
    )
)]
pub(crate) async fn similar(
    State(engine): State<Arc<Engine>>,
    path: Result<Path<(String, String)>, PathRejection>,
    query: Result<Query<HowMany>, QueryRejection>,
) -> Result<Json<SimilarLines>, Refused> {
    let Path((name, item)) = path?;
    let n = query?.0.n.unwrap_or(SIMILAR);
    let similar = blocking(engine, move |engine| engine.similar(&name, &item, n)).await?;
    Ok(Json(lines(&similar)))
}

fn lines(similar: &SimilarAnswer) -> SimilarLines {
    let line = |item: &acumen_engine::SimilarItem| SimilarLine {
        item: item.item.to_string(),
        score: item.score,
    };
    SimilarLines {
        item: similar.item.to_string(),
        items: similar.items.iter().map(line).collect(),
        short_because: similar.short_because.clone(),
    }
}
