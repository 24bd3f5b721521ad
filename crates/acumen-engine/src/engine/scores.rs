//! The latest batch's scores, asked for by key.

use super::Engine;
use crate::origins::Each;
use crate::refusal::Refusal;
use crate::scoring::StoredScore;

impl Engine {
    /// The score of a key in the latest complete batch.
    ///
    /// # Errors
    /// Where there is no such use case, it decides on events, no batch is complete, or the batch
    /// does not have the key.
    pub fn stored_score(&self, use_case: &str, id: &str) -> Result<StoredScore, Refusal> {
        let position = self.use_case(use_case)?;
        let each = Each::of(&self.plan.use_cases[position])?;
        let found = self.online[position].get(id)?;
        found.ok_or_else(|| {
            let declared = &each.plan.declared;
            let next = declared.batch.as_ref();
            let next = next.and_then(|batch| batch.schedule.next(self.clock.now()));
            let next = next.map_or(String::new(), |at| format!(", or wait until {at}"));
            Refusal::NotReady(format!(
                "no batch of `{use_case}` is complete: run `acumen score {use_case} --all`{next}; \
                 `POST …/decide` answers meanwhile"
            ))
        })
    }
}
