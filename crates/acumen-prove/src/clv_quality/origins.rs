//! Rows at an origin: the events of a time in a log of their own, replayed by the engine.

use std::sync::Arc;

use acumen_base::{Event, Time};
use acumen_engine::{Folder, LogOptions, Offline, OriginRows, Plan, origin_rows};
use acumen_model::Dataset;

use crate::report::Failure;

/// When the log begins, and the origin.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    pub(super) from: &'static str,
    pub(super) origin: &'static str,
}

/// A midnight.
pub(super) fn date(text: &str) -> Result<Time, Failure> {
    let time = format!("{text}T00:00:00Z").parse();
    time.map_err(|_| Failure::new(format!("`{text}` is no date")))
}

/// The rows of a use case at some origins, each in a log that begins where it says.
pub(super) fn rows(
    plan: &Arc<Plan>,
    use_case: &str,
    events: &[Arc<Event>],
    at: At,
) -> Result<OriginRows, Failure> {
    let position = plan
        .position(use_case)
        .ok_or_else(|| Failure::new(format!("there is no use case `{use_case}`")))?;
    let folder = tempfile::tempdir()?;
    let (from, origin) = (date(at.from)?, date(at.origin)?);
    let data = Folder::new(folder.path());
    let mut offline = Offline::open(Arc::clone(plan), data, LogOptions::default())?;
    for event in events.iter().filter(|event| event.event_time >= from) {
        offline.import(event)?;
    }
    offline.log.commit()?;
    Ok(origin_rows(
        &offline.sources,
        position,
        &[origin],
        &mut |_| (),
    )?)
}

/// Rows of several origins as one set, with the keys that they are of.
pub(super) fn dataset(parts: &[OriginRows]) -> Result<(Dataset, Vec<Arc<str>>), Failure> {
    let first = parts
        .first()
        .ok_or_else(|| Failure::new("no origins are given"))?;
    let mut data = vec![Vec::new(); first.data.len()];
    for (column, all) in data.iter_mut().enumerate() {
        parts
            .iter()
            .for_each(|part| all.extend_from_slice(&part.data[column]));
    }
    let outcome = parts.iter().flat_map(|part| &part.target);
    let time = parts.iter().flat_map(|part| part.at.iter().copied());
    let (dataset, _) = Dataset::from_columns(
        Arc::clone(&first.columns),
        &data,
        outcome.map(|sum| *sum as f32).collect(),
        time.collect(),
    )?;
    let ids = parts.iter().flat_map(|part| part.ids.iter().cloned());
    Ok((dataset, ids.collect()))
}
