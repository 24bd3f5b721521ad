//! Threads, and the scratch that each of them keeps.

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use super::histogram::Scratch;

/// A fixed number of threads; tasks give their results in order, whoever ran them.
pub(super) struct Workers {
    pool: ThreadPool,
    scratch: Vec<Mutex<Scratch>>,
}

impl Workers {
    /// Threads of their own; 0 is one a core.
    pub(super) fn new(n_threads: usize) -> Result<Workers, ThreadPoolBuildError> {
        let pool = ThreadPoolBuilder::new().num_threads(n_threads).build()?;
        let scratch = (0..pool.current_num_threads())
            .map(|_| Mutex::new(Scratch::new()))
            .collect();
        Ok(Workers { pool, scratch })
    }

    pub(super) fn count(&self) -> usize {
        self.scratch.len()
    }

    /// Runs something on these threads.
    pub(super) fn run<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        self.pool.install(work)
    }

    /// Runs one function over all tasks (call it within [`Workers::run`]).
    pub(super) fn each<T, R>(&self, tasks: Vec<T>, work: impl Fn(T) -> R + Sync + Send) -> Vec<R>
    where
        T: Send,
        R: Send,
    {
        if self.count() == 1 {
            tasks.into_iter().map(work).collect()
        } else {
            tasks.into_par_iter().with_max_len(1).map(work).collect()
        }
    }

    /// The same, with scratch.
    pub(super) fn each_with_scratch<T, R>(
        &self,
        tasks: Vec<T>,
        work: impl Fn(T, &mut Scratch) -> R + Sync + Send,
    ) -> Vec<R>
    where
        T: Send,
        R: Send,
    {
        self.each(tasks, |task| {
            let thread = rayon::current_thread_index().unwrap_or(0);
            let mut scratch = self.scratch[thread]
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            work(task, &mut scratch)
        })
    }

    /// How long a piece of `length` items is, so that every thread has one but none is tiny.
    pub(super) fn piece(&self, length: usize) -> usize {
        const PIECE_MIN: usize = 4_096;
        length.div_ceil(self.count()).max(PIECE_MIN)
    }
}
