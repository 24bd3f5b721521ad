//! The items that a step asks for: what came next after every event, and others by chance.

use crate::draws::Draws;
use crate::recommend::windows::Batch;

/// How often a negative is drawn again that is no negative.
const TRIES: usize = 8;

/// Items to be told apart, as many for each event of a batch.
pub(super) struct Asked {
    /// How many for each event: first what came next.
    pub(super) each: usize,
    /// The items.
    pub(super) items: Vec<i32>,
    /// 1 where an item came next, 0 where not.
    pub(super) came: Vec<f32>,
    /// What each counts in the mean; 0 for what is not asked.
    pub(super) shares: Vec<f32>,
}

impl Asked {
    /// What came next, and so many others of some items: none that is in the same window.
    pub(super) fn new(
        batch: &Batch,
        (among, negatives): (&[u32], usize),
        draws: &mut Draws,
    ) -> Asked {
        let windows: Vec<Vec<u32>> = (0..batch.lines).map(|line| window(batch, line)).collect();
        let mut asked = Asked {
            each: 1 + negatives,
            items: Vec::new(),
            came: Vec::new(),
            shares: Vec::new(),
        };
        for (event, target) in batch.targets.iter().enumerate() {
            asked.push(*target, 1.0);
            let inside = &windows[event % batch.lines];
            for _ in 0..negatives {
                let mut drawn = (0..TRIES).map(|_| among[draws.below(among.len())]);
                let drawn =
                    target.and_then(|_| drawn.find(|item| inside.binary_search(item).is_err()));
                asked.push(drawn, 0.0);
            }
        }
        let total: f32 = asked.shares.iter().sum();
        asked
            .shares
            .iter_mut()
            .for_each(|share| *share /= total.max(1.0));
        asked
    }

    fn push(&mut self, item: Option<u32>, came: f32) {
        self.items.push(item.unwrap_or(0) as i32);
        self.came.push(came);
        self.shares.push(f32::from(u8::from(item.is_some())));
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
