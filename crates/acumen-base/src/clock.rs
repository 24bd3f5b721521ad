//! Time as it is passed in: only the edge of the program owns a real clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::time::Time;

/// What the time is, for people and for stopwatches.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The wall-clock time.
    fn now(&self) -> Time;
    /// Nanoseconds since some fixed instant; never goes back.
    fn nanos(&self) -> u64;
}

/// The machine's clock.
#[derive(Debug)]
pub struct SystemClock {
    started: std::time::Instant,
}

impl SystemClock {
    /// A clock whose stopwatch starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where real time enters"
    )]
    pub fn new() -> Arc<SystemClock> {
        Arc::new(SystemClock {
            started: std::time::Instant::now(),
        })
    }
}

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where real time enters"
    )]
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Time(since.map_or(0, |d| d.as_millis() as i64))
    }

    fn nanos(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }
}

/// A clock that stands still until it is moved: for tests, simulations and replays.
#[derive(Debug, Default)]
pub struct ManualClock {
    now: AtomicI64,
    nanos: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `now`.
    pub fn at(now: Time) -> Arc<ManualClock> {
        Arc::new(ManualClock {
            now: AtomicI64::new(now.0),
            nanos: AtomicU64::new(0),
        })
    }

    /// Sets the wall-clock time.
    pub fn set(&self, now: Time) {
        self.now.store(now.0, Ordering::SeqCst);
    }

    /// Moves the stopwatch.
    pub fn advance_nanos(&self, nanos: u64) {
        self.nanos.fetch_add(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Time {
        Time(self.now.load(Ordering::SeqCst))
    }

    fn nanos(&self) -> u64 {
        self.nanos.load(Ordering::SeqCst)
    }
}

/// Until when an answer is wanted. A thread cannot be cut off: work checks this between units.
#[derive(Clone, Debug)]
pub struct Deadline {
    clock: Arc<dyn Clock>,
    at_nanos: u64,
}

impl Deadline {
    /// The deadline `micros` microseconds after the stopwatch read `start_nanos`.
    pub fn after(clock: Arc<dyn Clock>, start_nanos: u64, micros: u64) -> Deadline {
        Deadline {
            clock,
            at_nanos: start_nanos.saturating_add(micros.saturating_mul(1_000)),
        }
    }

    /// No deadline: for training, replays and tests.
    pub fn never(clock: Arc<dyn Clock>) -> Deadline {
        Deadline {
            clock,
            at_nanos: u64::MAX,
        }
    }

    /// Whether it has passed.
    pub fn expired(&self) -> bool {
        self.clock.nanos() >= self.at_nanos
    }

    /// Nanoseconds that are left.
    pub fn remaining_nanos(&self) -> u64 {
        self.at_nanos.saturating_sub(self.clock.nanos())
    }
}
