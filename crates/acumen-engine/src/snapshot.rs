//! The whole state as bytes, so that a start need not read the whole log.

use acumen_base::{Control, Key, Time};
use acumen_event::{Seen, Snapshot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::core::Core;
use crate::error::EngineError;

/// Everything that the log before a position gave.
#[derive(Serialize, Deserialize)]
struct Picture {
    next: u64,
    newest: Time,
    seen: Vec<u8>,
    controls: Vec<(u64, Control)>,
    live: Vec<LivePicture>,
}

#[derive(Serialize, Deserialize)]
struct LivePicture {
    use_case: String,
    pipeline: Vec<u8>,
    ledger: Option<Vec<u8>>,
    decided: Vec<(Key, u64)>,
    actions: BTreeMap<String, u64>,
}

/// The state as bytes.
pub(crate) fn save(core: &Core) -> Vec<u8> {
    let plan = core.plan();
    let live = core.live.iter().zip(&plan.use_cases).map(|(live, plan)| {
        let mut decided: Vec<(Key, u64)> = live.decided.iter().map(|(k, p)| (*k, *p)).collect();
        decided.sort_unstable();
        LivePicture {
            use_case: plan.declared.name.clone(),
            pipeline: live.pipeline.save(),
            ledger: live.ledger.as_ref().map(acumen_value::Ledger::save),
            decided,
            actions: live.actions.clone(),
        }
    });
    let picture = Picture {
        next: core.next,
        newest: core.newest,
        seen: core.seen.save(),
        controls: core.controls.clone(),
        live: live.collect(),
    };
    postcard::to_stdvec(&picture).expect("a picture consists of plain values")
}

/// Puts a snapshot's state into a core that has applied nothing.
///
/// A use case whose definition has changed since, or that is new, is refused: its state has to
/// be read from the log.
pub(crate) fn load(core: &mut Core, snapshot: &Snapshot) -> Result<(), EngineError> {
    let unusable = |why: &str| {
        EngineError::Closed(format!("snapshot at position {}: {why}", snapshot.position))
    };
    let picture: Picture =
        postcard::from_bytes(&snapshot.bytes).map_err(|error| unusable(&error.to_string()))?;
    let names: Vec<&str> = picture
        .live
        .iter()
        .map(|live| live.use_case.as_str())
        .collect();
    if !core.plan().names().eq(names.iter().copied()) {
        return Err(unusable("it was taken with other use cases"));
    }
    core.seen = Seen::load(&picture.seen).map_err(|error| unusable(&error.to_string()))?;
    for (position, control) in &picture.controls {
        core.control(control, *position)?;
    }
    for (i, saved) in picture.live.iter().enumerate() {
        let live = &mut core.live[i];
        live.pipeline
            .load(&saved.pipeline)
            .map_err(|error| unusable(&error.to_string()))?;
        if let (Some(ledger), Some(bytes)) = (&mut live.ledger, &saved.ledger) {
            ledger
                .load(bytes)
                .map_err(|error| unusable(&error.to_string()))?;
        }
        live.actions = saved.actions.clone();
        live.decided = saved.decided.iter().copied().collect();
    }
    core.next = picture.next;
    core.newest = picture.newest;
    Ok(())
}

/// A number that differs when the definitions of the plan's features differ.
pub(crate) fn fingerprint(core: &Core) -> u64 {
    let plan = Arc::clone(core.plan());
    let prints: Vec<u8> = plan
        .use_cases
        .iter()
        .flat_map(|plan| plan.columns.fingerprint.to_le_bytes())
        .collect();
    acumen_base::key::hash64(&prints)
}
