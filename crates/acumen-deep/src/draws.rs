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

    /// Brings the first `count` of a shuffled list to its front (Fisher and Yates).
    pub(crate) fn shuffle(&mut self, list: &mut [usize], count: usize) {
        for at in 0..count.min(list.len()) {
            let other = self.0.random_range(at..list.len());
            list.swap(at, other);
        }
    }
}
