//! The past of every event of a batch as one vector: the mean of the lines of the items before it
//! and its own, each older one less, as `acumen_model::recommend::Recency` gives it to who asks.

use acumen_model::recommend::Recency;
use acumen_model::{ParamDoc, ParamRange, Reader};
use burn::tensor::{Device, Tensor};

use super::windows::Batch;
use crate::layers::matrix;

/// How many of the newest events are read.
pub(crate) const LAST: ParamDoc = ParamDoc {
    name: "last",
    aliases: &["window"],
    range: ParamRange::Whole(2, 1_000),
    default: "50",
    doc: "how many of the newest events of interest are read",
};

/// How fast they fade.
pub(crate) const HISTORY_DECAY: ParamDoc = ParamDoc {
    name: "history_decay",
    aliases: &[],
    range: ParamRange::Share(0.0, 1.0),
    default: "0.8",
    doc: "what an event counts for, as a share of the next newer one",
};

/// How a past is read.
pub(crate) fn recency(reader: &Reader<'_>) -> Recency {
    Recency {
        last: reader.whole("last", 50) as u32,
        decay: reader.number("history_decay", 0.8) as f32,
    }
}

/// The means of the lines of a batch's events, one line an event each.
pub(crate) fn means(lines: Tensor<2>, batch: &Batch, decay: f32, device: &Device) -> Tensor<2> {
    let [events, width] = lines.dims();
    let (steps, windows) = (batch.steps(), batch.lines);
    let weights = matrix(batch.weights.clone(), [events, 1], device);
    // Windows lie side by side, so one product fades them all.
    let weighted = (lines * weights).reshape([steps, windows * width]);
    let sums = fading(steps, decay, device).matmul(weighted);
    let sums = sums.reshape([events, width]);
    sums * matrix(shares(batch, decay), [events, 1], device)
}

/// What the event of each column counts for at the step of each line.
fn fading(steps: usize, decay: f32, device: &Device) -> Tensor<2> {
    let mut shares = vec![0.0; steps * steps];
    for step in 0..steps {
        let mut share = 1.0;
        for before in (0..=step).rev() {
            shares[step * steps + before] = share;
            share *= decay;
        }
    }
    matrix(shares, [steps, steps], device)
}

/// One by the sum of what the events up to each count for; 0 where nothing has happened.
fn shares(batch: &Batch, decay: f32) -> Vec<f32> {
    let mut totals = vec![0.0_f32; batch.lines];
    let mut shares = Vec::with_capacity(batch.weights.len());
    for weights in batch.weights.chunks(batch.lines.max(1)) {
        for (total, weight) in totals.iter_mut().zip(weights) {
            *total = *total * decay + weight;
            shares.push(if *total > 0.0 { 1.0 / *total } else { 0.0 });
        }
    }
    shares
}
