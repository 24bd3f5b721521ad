//! Threads of low priority for work that no decision waits for.
//!
//! A thread inherits the priority of the one that starts it, and `rayon` starts its global pool on
//! first use: were that a thread that stepped back, live answers that use the pool would step back
//! with it, for good. So what runs here has a pool of its own.

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::EngineError;

/// By how much these threads step back behind those that answer.
const NICE: i32 = 19;

/// A pool of its own for one kind of work.
pub(crate) struct Background {
    pool: ThreadPool,
}

impl Background {
    /// So many threads, named after the work; 0 is one a core.
    ///
    /// # Errors
    /// Where the system does not start them.
    pub(crate) fn new(name: &str, threads: usize) -> Result<Background, EngineError> {
        let named = format!("acumen-{name}");
        let pool = ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(move |number| format!("{named}-{number}"))
            // The system may not allow it; the work then merely competes on equal terms.
            .start_handler(|_| {
                let _equal = rustix::process::nice(NICE);
            })
            .build();
        let closed = |error| EngineError::Closed(format!("cannot start threads: {error}"));
        Ok(Background {
            pool: pool.map_err(closed)?,
        })
    }

    /// Half of all cores, so that decisions keep theirs.
    pub(crate) fn half() -> usize {
        let cores = std::thread::available_parallelism().map_or(1, Into::into);
        (cores / 2).max(1)
    }

    /// Does the work on these threads: whatever it does in parallel, and every thread that it
    /// starts, is of low priority.
    pub(crate) fn run<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        self.pool.install(work)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn niceness() -> i32 {
        rustix::process::getpriority_process(None).unwrap_or(i32::MIN)
    }

    #[test]
    fn only_its_own_threads_and_those_they_start_step_back() {
        let here = niceness();
        let background = Background::new("test", 2).expect("threads");
        let (pool, started) = background.run(|| {
            let started = std::thread::scope(|scope| scope.spawn(niceness).join());
            (rayon::broadcast(|_| niceness()), started.expect("a thread"))
        });
        assert_eq!(pool, [NICE; 2]);
        assert_eq!(started, NICE);
        assert_eq!(niceness(), here);
        let global = rayon::broadcast(|_| niceness());
        assert!(global.iter().all(|nice| *nice == here), "{global:?}");
    }
}
