//! A limit on the threads of a learner, on which its model does not depend.

use acumen_model::{Artifact, Learner, Params};

/// A learner's parameter for how many threads it may use.
const THREADS: &str = "n_threads";

/// The parameters of a learner with a limit on its threads, on which its model does not depend.
pub(crate) struct Limited {
    pub(crate) params: Params,
    /// What the number was, where it was changed.
    before: Option<serde_json::Value>,
}

impl Limited {
    pub(crate) fn new(learner: &dyn Learner, declared: &Params, threads: Option<usize>) -> Limited {
        let mut params = declared.clone();
        let known = learner.params().iter().find(|param| param.name == THREADS);
        let (Some(threads), Some(param)) = (threads, known) else {
            return Limited {
                params,
                before: None,
            };
        };
        let names = || param.aliases.iter().copied().chain([THREADS]);
        let declared = names().find_map(|name| params.remove(name));
        params.insert(THREADS.to_owned(), threads.into());
        let default = || serde_json::from_str(param.default).unwrap_or_default();
        Limited {
            params,
            before: Some(declared.unwrap_or_else(default)),
        }
    }

    /// Lets the same rows give the same version, whatever limit there was.
    pub(crate) fn restore(&self, artifact: &mut Artifact) {
        if let Some(before) = &self.before {
            artifact.parameters[THREADS] = before.clone();
        }
    }
}
