//! What chance decides in several worlds.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Weights of the hours at which people are about.
const HOURS: [f64; 24] = [
    1.2, 0.6, 0.3, 0.2, 0.2, 0.4, 1.0, 2.2, 3.4, 4.2, 4.8, 5.2, 5.6, 5.2, 4.8, 4.8, 5.0, 5.4, 6.0,
    7.0, 7.6, 7.0, 5.0, 2.6,
];

/// An index by weights.
pub(crate) fn pick(weights: impl Iterator<Item = f64> + Clone, random: &mut ChaCha8Rng) -> usize {
    let mut at = random.random::<f64>() * weights.clone().sum::<f64>();
    let mut last = 0;
    for (index, weight) in weights.enumerate() {
        at -= weight;
        last = index;
        if at < 0.0 {
            break;
        }
    }
    last
}

/// A millisecond of a day at which people are about.
pub(crate) fn moment(random: &mut ChaCha8Rng) -> u32 {
    let hour = pick(HOURS.into_iter(), random) as u32;
    hour * 3_600_000 + random.random_range(0..3_600_000)
}
