//! Use cases that decide on no event, shown beside the one that streams: each of the same customers
//! scored once before the stream begins, or a list for one of them.

use std::net::SocketAddr;

use acumen_base::{Clock, SystemClock, Time};
use acumen_engine::history::Sources;
use acumen_engine::{
    BatchOptions, BatchOutcome, Engine, EngineError, Offline, RankRequest, TrainOptions, score_all,
};

use crate::command::score::report;
use crate::command::train::{summary, train_shown};
use crate::failure::{Failure, Outcome};
use crate::output::say;
use crate::progress::Progress;

/// Keys of a part of the batch.
const BATCH_SIZE: usize = 10_000;

/// Fits the models of a use case and puts the best in production.
pub(crate) fn train(offline: &mut Offline, use_case: usize, at: Time) -> Outcome {
    let trained = train_shown(&offline.sources, use_case, TrainOptions::default())?;
    for control in trained.controls.clone() {
        offline.control(control, "acumen demo", at)?;
    }
    say(summary(&trained))
}

/// Scores every key at a time, and shows what that came to.
pub(crate) fn score(sources: &Sources, use_case: usize, at: Time) -> Outcome {
    let declared = &sources.plan.use_cases[use_case].declared;
    let options = BatchOptions {
        at,
        out: sources.folder.scores(&declared.name),
        batch_size: BATCH_SIZE,
        timeout: None,
    };
    let clock = SystemClock::new();
    let mut progress = Progress::new(format!("scoring at {at}"), "keys");
    let outcome = score_all(
        sources,
        use_case,
        &options,
        &*clock as &dyn Clock,
        &mut |done, all| {
            progress.at(done as u64, Some(all as u64), "");
        },
    )?;
    progress.done();
    say(format!("\n{}: {}", declared.name, declared.question))?;
    match outcome {
        BatchOutcome::Done { coverage, before } => say(report(&coverage, before)),
        BatchOutcome::Left { left, .. } => {
            Err(Failure::because(format!("{left} keys were left unscored")))
        }
    }
}

/// Where one of the scores can be looked at, or lists be tried.
pub(crate) fn look(engine: &Engine, use_case: usize, at: SocketAddr) -> Outcome {
    let declared = &engine.plan().use_cases[use_case].declared;
    if declared.ranking.is_some() {
        return list(engine, &declared.name, at);
    }
    let first = engine.ask(move |core, _| {
        let (features, view) = core.features(use_case);
        features.ids(view).next().cloned()
    })?;
    let name = &engine.plan().use_cases[use_case].declared.name;
    match first {
        Some(id) => say(format!(
            "look     http://{at}/v1/usecases/{name}/scores/{id}"
        )),
        None => Err(EngineError::NotEnough(format!("`{name}` has no keys")).into()),
    }
}

/// A list for somebody of whom nothing is known, and where others can be tried.
fn list(engine: &Engine, name: &str, at: SocketAddr) -> Outcome {
    let request = RankRequest {
        n: Some(5),
        ..RankRequest::default()
    };
    let list = engine.rank(name, &request, engine.clock().nanos())?;
    let items: Vec<&str> = list.items.iter().map(|item| &*item.item).collect();
    let declared = engine.plan().position(name);
    let question = declared.map_or("", |i| &engine.plan().use_cases[i].declared.question);
    say(format!(
        "\n{name}: {question}\nfor somebody new: {}\ntry      http://{at}/try/{name}",
        items.join(", ")
    ))
}
