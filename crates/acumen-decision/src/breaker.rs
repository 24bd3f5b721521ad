//! A circuit breaker: a member that keeps overrunning is left out for a while.

use std::sync::atomic::{AtomicU64, Ordering};

/// How many of the last answers are remembered.
const REMEMBERED: u32 = 20;
/// How many late ones among them open the breaker.
const LATE_MAX: u32 = 10;
/// For how many requests the member is then left out.
const SKIPPED: u64 = 100;

/// One member's breaker: whether its last answers were late, and for how many requests it is
/// still left out.
///
/// Low 32 bits: the last [`REMEMBERED`] answers, one bit each, 1 for late. High 32 bits: how many
/// requests it is still left out for. It decides by concurrency, so its verdict is recorded as
/// the member's answer and a replay needs none of this.
#[derive(Debug, Default)]
pub(crate) struct Breaker(AtomicU64);

impl Breaker {
    /// Whether the member may be asked; a refusal is counted.
    pub(crate) fn admits(&self) -> bool {
        let left_out = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |state| {
                (state >> 32 > 0).then(|| state - (1 << 32))
            });
        left_out.is_err()
    }

    /// Takes note of whether an answer was late.
    pub(crate) fn note(&self, late: bool) {
        let remembered = (1_u64 << REMEMBERED) - 1;
        let next = |state: u64| {
            let history = ((state << 1) | u64::from(late)) & remembered;
            if history.count_ones() >= LATE_MAX {
                SKIPPED << 32
            } else {
                (state >> 32 << 32) | history
            }
        };
        // Nothing to remember about a member that was never late: spare the shared cache line.
        if !late && self.0.load(Ordering::Relaxed) == 0 {
            return;
        }
        let noted = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |s| Some(next(s)));
        debug_assert!(noted.is_ok());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_half_were_late_and_closes_again() {
        let breaker = Breaker::default();
        for _ in 0..9 {
            assert!(breaker.admits());
            breaker.note(true);
            assert!(breaker.admits());
            breaker.note(false);
        }
        assert!(breaker.admits());
        breaker.note(true);
        let refused = (0..200).filter(|_| !breaker.admits()).count();
        assert_eq!(refused, 100);
        assert!(breaker.admits());
    }

    #[test]
    fn rare_overruns_are_forgiven() {
        let breaker = Breaker::default();
        for i in 0..1_000 {
            assert!(breaker.admits());
            breaker.note(i % 3 == 0);
        }
    }
}
