//! Threads of a fit.

use rayon::{ThreadPool, ThreadPoolBuilder};

use super::FitError;

/// So many threads; 0 is one a core.
pub(crate) fn threads(count: usize) -> Result<ThreadPool, FitError> {
    let pool = ThreadPoolBuilder::new().num_threads(count).build();
    pool.map_err(|source| FitError::Threads { count, source })
}
