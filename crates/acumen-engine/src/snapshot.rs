//! The whole state as bytes, so that a start need not read the whole log.

use acumen_base::{Control, Key, Time};
use acumen_event::{Seen, Snapshot};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::cases::Cases;
use crate::core::{Core, Live};
use crate::error::EngineError;
use crate::rules::FiringsByRule;

/// The version of the layout of a picture.
const FORMAT: u32 = 2;

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
    decided: Vec<(Key, u64, Time)>,
    actions: BTreeMap<String, u64>,
    firings: FiringsByRule,
    cases: Cases,
}

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
            pipeline: live.pipeline.save(),
            ledger: live.ledger.as_ref().map(acumen_value::Ledger::save),
            decided,
            actions: live.actions.clone(),
            firings: live.firings.clone(),
            cases: live.cases.clone(),
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
    let picture: Picture =
        postcard::from_bytes(&snapshot.bytes).map_err(|error| unusable(&error.to_string()))?;

    core.seen = Seen::load(&picture.seen).map_err(|error| unusable(&error.to_string()))?;
    for (position, control) in &picture.controls {
        core.control_again(control, *position);
    }
    for saved in picture.live {
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
        self.pipeline
            .load(&saved.pipeline)
            .map_err(|error| error.to_string())?;
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
    for (plan, live) in core.plan().use_cases.iter().zip(&core.live) {
        prints.extend_from_slice(plan.declared.name.as_bytes());
        prints.extend_from_slice(&live.pipeline.fingerprint().to_le_bytes());
    }
    acumen_base::key::hash64(&prints)
}
