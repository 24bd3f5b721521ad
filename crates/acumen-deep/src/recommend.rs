//! What the recommenders of this crate share: events as windows, the softmax over items, and epochs
//! that are judged on what some users did last.

pub(crate) mod compared;
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

/// What is popular, to start from: the logarithm of how often each item was touched, less that of
/// a usual one; 0 where nobody did. A bias would take thousands of steps to get there.
pub(crate) fn popularity(touches: &[u32]) -> Vec<f32> {
    let logarithms = || touches.iter().map(|count| f64::from(*count).ln());
    let finite = || logarithms().filter(|by| by.is_finite());
    let mean = finite().sum::<f64>() / finite().count().max(1) as f64;
    let bias = |by: f64| if by.is_finite() { by - mean } else { 0.0 };
    logarithms().map(|by| bias(by) as f32).collect()
}
