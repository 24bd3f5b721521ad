//! A clock that the stream drives, so that a day may pass in seconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use acumen_base::{Clock, SystemClock, Time};

/// Shows the time of the newest event that was sent; its stopwatch is the real one.
#[derive(Debug)]
pub(crate) struct StreamClock {
    real: Arc<SystemClock>,
    now: AtomicI64,
}

impl StreamClock {
    /// A clock that shows `now` until an event moves it.
    pub(crate) fn at(now: Time) -> Arc<StreamClock> {
        Arc::new(StreamClock {
            real: SystemClock::new(),
            now: AtomicI64::new(now.0),
        })
    }

    /// Moves on to a later time; never back.
    pub(crate) fn advance(&self, to: Time) {
        self.now.fetch_max(to.0, Ordering::SeqCst);
    }
}

impl Clock for StreamClock {
    fn now(&self) -> Time {
        Time(self.now.load(Ordering::SeqCst))
    }

    fn nanos(&self) -> u64 {
        self.real.nanos()
    }
}
