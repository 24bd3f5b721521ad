//! The items that a step tells apart: what came next after every event, and others by chance.

use crate::draws::Draws;
use crate::recommend::windows::Batch;

/// What came next after each event of a batch, and items that all of them are compared with.
pub(super) struct Asked {
    /// What came next; any item where a window has ended.
    pub(super) next: Vec<i32>,
    /// What each of these counts in the mean: 0 where a window has ended.
    pub(super) next_shares: Vec<f32>,
    /// The others, drawn evenly.
    pub(super) others: Vec<i32>,
    /// What each of them counts for each event, by event: 0 where the item is in the same window.
    pub(super) other_shares: Vec<f32>,
}

impl Asked {
    /// So many others of some items.
    pub(super) fn new(
        batch: &Batch,
        (among, negatives): (&[u32], usize),
        draws: &mut Draws,
    ) -> Asked {
        let others: Vec<u32> = (0..negatives)
            .map(|_| among[draws.below(among.len())])
            .collect();
        let share = 1.0 / batch.targets.iter().flatten().count().max(1) as f32;
        let windows: Vec<Vec<u32>> = (0..batch.lines).map(|line| window(batch, line)).collect();
        let counts = |event: usize, item: &u32| {
            let inside = windows[event % batch.lines].binary_search(item).is_ok();
            match batch.targets[event].is_some() && !inside {
                true => share,
                false => 0.0,
            }
        };
        let events = 0..batch.targets.len();
        let next = batch.targets.iter();
        Asked {
            next: next.clone().map(|item| item.unwrap_or(0) as i32).collect(),
            next_shares: next.map(|item| item.map_or(0.0, |_| share)).collect(),
            other_shares: events
                .flat_map(|event| others.iter().map(move |item| (event, item)))
                .map(|(event, item)| counts(event, item))
                .collect(),
            others: others.iter().map(|item| *item as i32).collect(),
        }
    }
}

/// The items of a window, sorted.
fn window(batch: &Batch, line: usize) -> Vec<u32> {
    let places = (line..batch.targets.len()).step_by(batch.lines);
    let events = places.filter_map(|at| Some([batch.inputs[at] as u32, batch.targets[at]?]));
    let mut items: Vec<u32> = events.flatten().collect();
    items.sort_unstable();
    items
}
