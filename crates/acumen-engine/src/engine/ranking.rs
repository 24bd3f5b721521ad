//! Lists for whoever asks.

use std::sync::mpsc::channel;

use acumen_base::limits::KEYS_PER_REQUEST_MAX;

use super::Engine;
use crate::ranking::{RankAnswer, RankRequest, Ranker, RankingStatus, SimilarAnswer};
use crate::refusal::Refusal;
use crate::sequencer::Command;
use crate::spec::Durability;

impl Engine {
    /// A list; it is on disk before it is answered where the use case says so, or else on its way
    /// to the log, ahead of whatever is said of it.
    ///
    /// # Errors
    /// Where the use case ranks nothing, or the request names what there is not.
    pub fn rank(
        &self,
        use_case: &str,
        request: &RankRequest,
        received_nanos: u64,
    ) -> Result<RankAnswer, Refusal> {
        let (position, ranker) = self.ranker(use_case)?;
        let (answer, listing) = ranker.rank(request, received_nanos)?;
        let serving = &self.plan.use_cases[position].declared.serving;
        let (sender, logged) = channel();
        self.send(Command::List {
            use_case: position,
            listing: Box::new(listing),
            reply: Box::new(move |done| drop(sender.send(done))),
        });
        if serving.durability == Durability::MustLog {
            logged.recv().unwrap_or_else(|_| Err(self.gone()))?;
        }
        self.metrics.listed(use_case, &answer);
        Ok(answer)
    }

    /// Whether a list is made without waiting for anything: every source is quick, and the log is
    /// not waited for.
    pub fn ranks_at_once(&self, use_case: &str) -> bool {
        self.ranker(use_case).is_ok_and(|(position, ranker)| {
            let serving = &self.plan.use_cases[position].declared.serving;
            serving.durability == Durability::BestEffort && ranker.is_quick()
        })
    }

    /// Several lists, each answered by itself.
    ///
    /// # Errors
    /// Where the use case ranks nothing, or too many are asked for.
    pub fn rank_many(
        &self,
        use_case: &str,
        requests: &[RankRequest],
    ) -> Result<Vec<Result<RankAnswer, Refusal>>, Refusal> {
        self.ranker(use_case)?;
        if requests.len() > KEYS_PER_REQUEST_MAX {
            return Err(Refusal::Invalid(format!(
                "a request may ask for {KEYS_PER_REQUEST_MAX} lists, not {}: send it in parts",
                requests.len()
            )));
        }
        let rank = |request| self.rank(use_case, request, self.clock.nanos());
        Ok(requests.iter().map(rank).collect())
    }

    /// Items that are like one.
    ///
    /// # Errors
    /// Where the use case ranks nothing, or there is no such item.
    pub fn similar(&self, use_case: &str, item: &str, n: usize) -> Result<SimilarAnswer, Refusal> {
        let (_, ranker) = self.ranker(use_case)?;
        ranker.similar(item, n)
    }

    /// What a use case that ranks knows and has been told.
    ///
    /// # Errors
    /// Where the use case ranks nothing.
    pub fn ranking(&self, use_case: &str) -> Result<RankingStatus, Refusal> {
        let (_, ranker) = self.ranker(use_case)?;
        Ok(ranker.status())
    }

    fn ranker(&self, use_case: &str) -> Result<(usize, &Ranker), Refusal> {
        let position = self.position(use_case)?;
        let ranker = self.rankers.get(position).and_then(Option::as_ref);
        let none = || {
            Refusal::Invalid(format!(
                "{use_case} ranks nothing: ask /v1/usecases/{use_case}/decide"
            ))
        };
        Ok((position, ranker.ok_or_else(none)?))
    }
}
