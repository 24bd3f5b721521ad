//! Room for one score an item, used again by the next request of the same thread: with many items
//! the machine takes longer to hand out fresh memory than to fill it.

use std::cell::RefCell;

thread_local! {
    static SCORES: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
    static ZEROS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// Works on so many numbers, whose values are those of whatever was there before.
pub(super) fn with_scores<R>(items: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    // Taken out, so that work that asks for room itself gets other room.
    let mut scores = SCORES.take();
    if scores.len() < items {
        scores.resize(items, 0.0);
    }
    let done = work(&mut scores[..items]);
    SCORES.set(scores);
    done
}

/// Works on so many zeros, of which work leaves zeros.
pub(super) fn with_zeros<R>(count: usize, work: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut zeros = ZEROS.take();
    if zeros.len() < count {
        zeros.resize(count, 0.0);
    }
    let done = work(&mut zeros[..count]);
    ZEROS.set(zeros);
    done
}
