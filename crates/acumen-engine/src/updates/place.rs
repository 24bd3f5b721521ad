//! One training at a time: who has the place, and how far it is.

use std::sync::{Arc, Mutex, PoisonError};

use acumen_base::Time;

use super::Running;

/// The one place for a training that is under way, and who has it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place(Arc<Mutex<Option<Running>>>);

impl Place {
    /// Takes the place, or says who has it.
    pub(crate) fn take(&self, use_case: &str, since: Time) -> Result<(), Running> {
        let mut place = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*place {
            Some(running) => Err(running.clone()),
            None => {
                *place = Some(Running {
                    use_case: use_case.to_owned(),
                    since,
                    stage: "waiting".to_owned(),
                });
                Ok(())
            }
        }
    }

    /// Takes the place until what is given is dropped, or says who has it.
    pub(crate) fn hold(&self, use_case: &str, since: Time) -> Result<Held, Running> {
        self.take(use_case, since)?;
        Ok(Held(self.clone()))
    }

    /// Who has it.
    pub(crate) fn running(&self) -> Option<Running> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn stage(&self, stage: String) {
        if let Some(running) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            running.stage = stage;
        }
    }

    pub(crate) fn free(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The place, free again when it is dropped.
#[derive(Debug)]
pub(crate) struct Held(Place);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.free();
    }
}
