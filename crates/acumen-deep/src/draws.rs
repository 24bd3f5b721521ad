//! Everything random in training, from one seed.

use acumen_base::Seed;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Random numbers of one part of training, in the order in which they are asked for.
pub(crate) struct Draws(ChaCha8Rng);

impl Draws {
    pub(crate) fn new(seed: Seed, part: &str) -> Draws {
        Draws(ChaCha8Rng::seed_from_u64(seed.derive(part).0))
    }

    /// Numbers between `-limit` and `limit`.
    pub(crate) fn uniform(&mut self, count: usize, limit: f32) -> Vec<f32> {
        let draw = |_| limit * (2.0 * self.0.random::<f32>() - 1.0);
        (0..count).map(draw).collect()
    }

    /// A whole number below a limit above 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0.random_range(0..limit)
    }

    /// 0 for a share of places, and for the others what keeps the mean at 1.
    pub(crate) fn mask(&mut self, count: usize, share: f32) -> Vec<f32> {
        let kept = 1.0 / (1.0 - share);
        let draw = |_| {
            if self.0.random::<f32>() < share {
                0.0
            } else {
                kept
            }
        };
        (0..count).map(draw).collect()
    }

    /// Brings the first `count` of a shuffled list to its front (Fisher and Yates).
    pub(crate) fn shuffle(&mut self, list: &mut [usize], count: usize) {
        for at in 0..count.min(list.len()) {
            let other = self.0.random_range(at..list.len());
            list.swap(at, other);
        }
    }
}
