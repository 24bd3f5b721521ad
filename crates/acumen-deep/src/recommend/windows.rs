//! The events of users as windows, and windows of about one length as batches.

use acumen_model::recommend::Interactions;

use crate::draws::Draws;

/// What a user did: items with the weights of the events, the oldest first.
pub(crate) type Sequence = Vec<(u32, f32)>;

/// The events of interest of all users.
pub(crate) struct Windows {
    sequences: Vec<Sequence>,
    length: usize,
}

/// Windows side by side, padded to the longest; ordered by step and then by window.
pub(crate) struct Batch {
    /// How many windows.
    pub(crate) lines: usize,
    /// The item of each event; 0 where a window has ended.
    pub(crate) inputs: Vec<i32>,
    /// The weight of each event; 0 where a window has ended.
    pub(crate) weights: Vec<f32>,
    /// The item that comes next; nothing where a window has ended.
    pub(crate) targets: Vec<Option<u32>>,
}

/// The events of interest of each user.
pub(crate) fn liked(interactions: &Interactions) -> Vec<Sequence> {
    let liked = |user: usize| -> Sequence {
        let history = interactions.history(user);
        let events = history.items.iter().zip(history.weights);
        let liked = events.filter(|(_, weight)| **weight > 0.0);
        liked.map(|(item, weight)| (*item, *weight)).collect()
    };
    (0..interactions.n_users()).map(liked).collect()
}

impl Windows {
    /// Of at most so many events each.
    pub(crate) fn new(mut sequences: Vec<Sequence>, length: usize) -> Windows {
        sequences.retain(|events| events.len() > 1);
        Windows { sequences, length }
    }

    /// Whether nothing comes after anything.
    pub(crate) fn is_empty(&self) -> bool {
        self.sequences.is_empty()
    }

    /// All events once, cut at places by chance, in batches of about `size` events, in an order by
    /// chance.
    pub(crate) fn batches(&self, size: usize, draws: &mut Draws) -> Vec<Batch> {
        let mut windows: Vec<&[(u32, f32)]> = Vec::new();
        for events in &self.sequences {
            // A window of n events gives n − 1 targets, so the last event of one begins the next.
            let targets = events.len() - 1;
            let mut from = 0;
            if targets > self.length {
                let first = 1 + draws.below(self.length);
                windows.push(&events[..=first]);
                from = first;
            }
            while from < targets {
                let to = (from + self.length).min(targets);
                windows.push(&events[from..=to]);
                from = to;
            }
        }
        let mut order: Vec<usize> = (0..windows.len()).collect();
        draws.shuffle(&mut order, windows.len());
        order.sort_by_key(|&at| windows[at].len());
        let mut groups: Vec<Vec<&[(u32, f32)]>> = Vec::new();
        let mut group: Vec<&[(u32, f32)]> = Vec::new();
        for window in order.into_iter().map(|at| windows[at]) {
            let longest = window.len() - 1;
            if !group.is_empty() && (group.len() + 1) * longest > size {
                groups.push(std::mem::take(&mut group));
            }
            group.push(window);
        }
        groups.push(group);
        let mut order: Vec<usize> = (0..groups.len()).collect();
        draws.shuffle(&mut order, groups.len());
        order
            .into_iter()
            .map(|at| Batch::new(&groups[at]))
            .collect()
    }
}

impl Batch {
    /// How many events a window has at most.
    pub(crate) fn steps(&self) -> usize {
        self.inputs.len() / self.lines.max(1)
    }

    fn new(windows: &[&[(u32, f32)]]) -> Batch {
        let steps = windows.iter().map(|window| window.len() - 1).max();
        let mut batch = Batch {
            lines: windows.len(),
            inputs: Vec::new(),
            weights: Vec::new(),
            targets: Vec::new(),
        };
        for step in 0..steps.unwrap_or(0) {
            for window in windows {
                let next = window.get(step + 1).map(|(item, _)| *item);
                let (item, weight) = next.map_or((0, 0.0), |_| window[step]);
                batch.inputs.push(item as i32);
                batch.weights.push(weight);
                batch.targets.push(next);
            }
        }
        batch
    }
}
