//! What the recommenders of this crate share: events as windows, the softmax over items, and epochs
//! that are judged on what some users did last.

pub(crate) mod epochs;
pub(crate) mod held_out;
pub(crate) mod past;
pub(crate) mod softmax;
pub(crate) mod windows;

#[cfg(test)]
pub(crate) mod tests;

/// How many events each item is in.
pub(crate) fn touches(sequences: &[windows::Sequence], n_items: usize) -> Vec<u32> {
    let mut touches = vec![0; n_items];
    for (item, _) in sequences.iter().flatten() {
        touches[*item as usize] += 1;
    }
    touches
}
