//! The whole state as bytes, so that a start need not read the whole log.

use acumen_base::{Control, Key, Time};
use acumen_event::{Seen, Snapshot};
use acumen_feature::{Pipeline, StateError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::cases::Cases;
use crate::core::{Core, Live};
use crate::error::EngineError;
use crate::ranking::{SavedChoices, SavedShelf, SavedSights, Shelf};
use crate::rules::FiringsByRule;

/// The version of the layout of a picture.
const FORMAT: u32 = 5;

/// Everything that the log before a position gave.
#[derive(Serialize, Deserialize)]
struct Picture {
    next: u64,
    newest: Time,
    seen: Vec<u8>,
    controls: Vec<(u64, Control)>,
    pipelines: Vec<Vec<u8>>,
    live: Vec<LivePicture>,
}

#[derive(Serialize, Deserialize)]
struct LivePicture {
    use_case: String,
    ledger: Option<Vec<u8>>,
    decided: Vec<(Key, u64, Time)>,
    actions: BTreeMap<String, u64>,
    firings: FiringsByRule,
    cases: Cases,
    shelf: Option<SavedShelf>,
}

/// What stands behind a picture, by use case: builds that knew of no ensembles wrote none of it, and
/// leave it unread.
type Choices = Vec<(String, SavedChoices)>;

/// What stands behind that, in the same way: what visitors were shown, by use case.
type Shown = Vec<(String, SavedSights)>;

/// The state as bytes.
pub(crate) fn save(core: &Core) -> Vec<u8> {
    let plan = core.plan();
    let live = core.live.iter().zip(&plan.use_cases).map(|(live, plan)| {
        let mut decided: Vec<(Key, u64, Time)> = live
            .decided
            .iter()
            .map(|(key, (position, at))| (*key, *position, *at))
            .collect();
        decided.sort_unstable();
        LivePicture {
            use_case: plan.declared.name.clone(),
            ledger: live.ledger.as_ref().map(acumen_value::Ledger::save),
            decided,
            actions: live.actions.clone(),
            firings: live.firings.clone(),
            cases: live.cases.clone(),
            shelf: live.shelf.as_ref().map(|shelf| shelf.save()),
        }
    });
    let picture = Picture {
        next: core.next,
        newest: core.newest,
        seen: core.seen.save(),
        controls: core.controls.clone(),
        pipelines: core.pipelines.iter().map(Pipeline::save).collect(),
        live: live.collect(),
    };
    let choices: Choices = by_shelf(core, Shelf::save_choices);
    let shown: Shown = by_shelf(core, Shelf::save_sights);
    postcard::to_stdvec(&(picture, choices, shown)).expect("a picture consists of plain values")
}

/// Something of every use case that ranks, by its name.
fn by_shelf<T>(core: &Core, of: impl Fn(&Shelf) -> T) -> Vec<(String, T)> {
    let live = core.live.iter().zip(&core.plan().use_cases);
    let shelves = live.filter_map(|(live, plan)| {
        let shelf = live.shelf.as_ref()?;
        Some((plan.declared.name.clone(), of(shelf)))
    });
    shelves.collect()
}

/// Gives every use case that ranks what was kept of it.
fn to_shelves<T>(core: &Core, kept: Vec<(String, T)>, give: impl Fn(&Shelf, T)) {
    for (use_case, kept) in kept {
        let position = core.plan().position(&use_case);
        if let Some(shelf) = position.and_then(|i| core.live[i].shelf.as_ref()) {
            give(shelf, kept);
        }
    }
}

/// The next part of a picture; nothing where an earlier build ended it.
fn part<'a, T: Deserialize<'a> + Default>(bytes: &mut &'a [u8]) -> postcard::Result<T> {
    if bytes.is_empty() {
        return Ok(T::default());
    }
    let (part, rest) = postcard::take_from_bytes(bytes)?;
    *bytes = rest;
    Ok(part)
}

/// What is done with features whose definition is another one since the snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Changed {
    /// The snapshot is refused: the log has what they need.
    Refused,
    /// They begin anew at the snapshot's position: what was before it is trimmed.
    BeginAnew,
}

/// Puts a snapshot's state into a core that has applied nothing.
pub(crate) fn load(
    mut core: Core,
    snapshot: &Snapshot,
    changed: Changed,
) -> Result<Core, EngineError> {
    let unusable = |why: &str| {
        EngineError::NotEnough(format!("snapshot at position {}: {why}", snapshot.position))
    };
    if changed == Changed::Refused && snapshot.fingerprint != fingerprint(&core) {
        return Err(unusable("features are defined differently since"));
    }
    let damaged = |error: postcard::Error| unusable(&error.to_string());
    let read = postcard::take_from_bytes::<Picture>(&snapshot.bytes);
    let (picture, mut rest) = read.map_err(damaged)?;
    let choices: Choices = part(&mut rest).map_err(damaged)?;
    let shown: Shown = part(&mut rest).map_err(damaged)?;

    core.seen = Seen::load(&picture.seen).map_err(|error| unusable(&error.to_string()))?;
    let mut live = picture.live;
    // Sources are of items: they come before the edits that deploy them.
    for saved in &mut live {
        let position = core.plan().position(&saved.use_case);
        let shelf = position.and_then(|i| core.live[i].shelf.as_ref());
        if let (Some(shelf), Some(saved)) = (shelf, saved.shelf.take()) {
            shelf.load(saved);
        }
    }
    to_shelves(&core, choices, Shelf::load_choices);
    to_shelves(&core, shown, Shelf::load_sights);
    for (position, control) in &picture.controls {
        core.control_again(control, *position);
    }
    match changed {
        Changed::Refused => same(&mut core.pipelines, &picture.pipelines),
        Changed::BeginAnew => unchanged(&mut core.pipelines, &picture.pipelines),
    }
    .map_err(|error| unusable(&error.to_string()))?;
    for saved in live {
        let Some(i) = core.plan().position(&saved.use_case) else {
            continue;
        };
        let loaded = core.live[i].load(saved);
        if changed == Changed::Refused {
            loaded.map_err(|error| unusable(&error))?;
        }
    }
    core.next = picture.next;
    core.newest = picture.newest;
    Ok(core)
}

/// Takes over the features of a snapshot, which are defined as they are now.
fn same(pipelines: &mut [Pipeline], saved: &[Vec<u8>]) -> Result<(), StateError> {
    let mut pairs = pipelines.iter_mut().zip(saved);
    pairs.try_for_each(|(pipeline, bytes)| pipeline.load(bytes))
}

/// Takes over those that are defined now as they were; the others begin anew.
fn unchanged(pipelines: &mut [Pipeline], saved: &[Vec<u8>]) -> Result<(), StateError> {
    for bytes in saved {
        let saved = Pipeline::restore(bytes)?;
        for pipeline in &mut *pipelines {
            match pipeline.fingerprint() == saved.fingerprint() {
                true => pipeline.load(bytes)?,
                false => pipeline.adopt(&saved),
            }
        }
    }
    Ok(())
}

impl Live {
    /// What cannot be taken over stays empty, and is said.
    fn load(&mut self, saved: LivePicture) -> Result<(), String> {
        self.actions = saved.actions;
        self.firings = saved.firings;
        self.cases = saved.cases.indexed();
        self.decided = saved
            .decided
            .into_iter()
            .map(|(key, p, at)| (key, (p, at)))
            .collect();
        match (&mut self.ledger, &saved.ledger) {
            (Some(ledger), Some(bytes)) => ledger.load(bytes).map_err(|error| error.to_string()),
            (Some(_), None) => Err("it says nothing of money".to_owned()),
            (None, _) => Ok(()),
        }
    }
}

/// A number that differs when the use cases or the definitions of their features differ.
pub(crate) fn fingerprint(core: &Core) -> u64 {
    let mut prints = FORMAT.to_le_bytes().to_vec();
    for plan in &core.plan().use_cases {
        prints.extend_from_slice(plan.declared.name.as_bytes());
        if let Some(ranking) = &plan.declared.ranking {
            prints.extend_from_slice(ranking.what_is_remembered(&plan.declared).as_bytes());
        }
    }
    for pipeline in &core.pipelines {
        prints.extend_from_slice(&pipeline.fingerprint().to_le_bytes());
    }
    acumen_base::key::hash64(&prints)
}
