//! When a use case is trained next, and what became of the trainings before.

use acumen_base::{Control, ModelVersion, Time, Update};
use serde::Serialize;

use crate::core::Core;

/// A training that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Running {
    /// The use case.
    pub use_case: String,
    /// Since when.
    pub since: Time,
    /// What it does, such as `fitting boosted, 40 of 200`.
    pub stage: String,
}

/// What there is to know of the trainings of a use case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Updates {
    /// When the next is due; `None` where no `update_frequency` is declared.
    pub next_at: Option<Time>,
    /// The one that is under way.
    pub running: Option<Running>,
    /// The latest that ended, newest first.
    pub latest: Vec<Update>,
}

/// The trainings of a use case that are at hand, newest first.
pub(super) fn latest<'a>(core: &'a Core, use_case: usize) -> impl Iterator<Item = &'a Update> {
    let name = &core.plan().use_cases[use_case].declared.name;
    let of = move |(_, control): &'a (u64, Control)| match control {
        Control::Update(update) if update.use_case == *name => Some(&**update),
        _ => None,
    };
    core.controls.iter().rev().filter_map(of)
}

/// Whether what was promoted last is gone again, and what it replaced is live.
pub(super) fn rolled_back(core: &Core, use_case: usize, live: &[ModelVersion]) -> bool {
    let promoted = latest(core, use_case).find(|update| update.promoted);
    promoted.is_some_and(|update| update.champion == live && update.candidate != live)
}

/// When a use case is due: so long after its last training began, or after the engine opened.
pub(super) fn next_at(core: &Core, use_case: usize, opened_at: Time) -> Option<Time> {
    let declared = &core.plan().use_cases[use_case].declared;
    let frequency = declared
        .update_frequency
        .filter(|_| declared.training.is_some())?;
    let last = latest(core, use_case).next();
    Some(last.map_or(opened_at, |update| update.started_at) + frequency)
}

impl Updates {
    pub(crate) fn of(core: &Core, use_case: usize, opened_at: Time) -> Updates {
        Updates {
            next_at: next_at(core, use_case, opened_at),
            running: None,
            latest: latest(core, use_case).cloned().collect(),
        }
    }
}
