//! Open-loop load: when requests arrive, whatever the answers do.
//!
//! A closed loop (send, wait, send) slows down with the server and hides its queues; an open loop
//! does not. The schedule is Poisson: independent exponential gaps of mean 1 / rate.

use acumen_base::Seed;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Exp1};

/// An endless schedule of arrivals, in nanoseconds since its start, never going back.
///
/// The caller sends; a latency is measured from the scheduled instant, not from the sending.
///
/// ```
/// use acumen_base::Seed;
/// use acumen_sim::load::Arrivals;
///
/// let second = Arrivals::new(1_000.0, Seed(7)).take_while(|&at| at < 1_000_000_000).count();
/// assert!((850..1_150).contains(&second));
/// ```
#[derive(Clone, Debug)]
pub struct Arrivals {
    random: ChaCha8Rng,
    mean_gap_nanos: f64,
    at_nanos: f64,
}

impl Arrivals {
    /// Arrivals at `per_second` on average. A rate that is not positive has no arrivals.
    pub fn new(per_second: f64, seed: Seed) -> Arrivals {
        Arrivals {
            random: ChaCha8Rng::seed_from_u64(seed.derive("arrivals").0),
            mean_gap_nanos: 1e9 / per_second,
            at_nanos: 0.0,
        }
    }
}

impl Iterator for Arrivals {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        if !(self.mean_gap_nanos.is_finite() && self.mean_gap_nanos > 0.0) {
            return None;
        }
        let gap: f64 = Exp1.sample(&mut self.random);
        self.at_nanos += gap * self.mean_gap_nanos;
        Some(self.at_nanos as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_are_those_of_a_poisson_process() {
        let at: Vec<u64> = Arrivals::new(2_000.0, Seed(3)).take(40_000).collect();
        let gaps: Vec<f64> = at.windows(2).map(|w| (w[1] - w[0]) as f64).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let deviation =
            (gaps.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
        assert!((mean / 500_000.0 - 1.0).abs() < 0.03, "{mean}");
        assert!((deviation / mean - 1.0).abs() < 0.05, "{deviation}");
        let again: Vec<u64> = Arrivals::new(2_000.0, Seed(3)).take(40_000).collect();
        assert_eq!(at, again);
    }

    #[test]
    fn no_rate_no_arrivals() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Arrivals::new(rate, Seed(1)).next(), None, "{rate}");
        }
    }
}
