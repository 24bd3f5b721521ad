//! Items that are like one: what the sources say to somebody who did nothing but look at it.

use std::collections::BTreeSet;
use std::sync::Arc;

use acumen_model::recommend::Open;

use super::ask::{SimilarAnswer, SimilarItem};
use super::serve::Ranker;
use super::visitors::Past;
use super::wish::{check_count, number};
use crate::refusal::Refusal;

impl Ranker {
    /// The items that are most like one, among those that may be shown.
    ///
    /// # Errors
    /// Where there is no such item, or more are asked for than a list has.
    pub(crate) fn similar(&self, id: &str, n: usize) -> Result<SimilarAnswer, Refusal> {
        check_count(n)?;
        let deployed = self.shelf.deployed();
        let (item, shown, ids) = {
            let catalogue = self.shelf.catalogue();
            let ids: Vec<Arc<str>> = catalogue.ids().cloned().collect();
            (number(&catalogue, id)?, catalogue.shown(), ids)
        };
        let but = [item];
        let open = Open::new(&shown).but(&but);
        let looked = Past {
            items: vec![item],
            weights: vec![1.0],
            ..Past::default()
        };
        let answering = self.shelf.names.iter().filter_map(|name| {
            let loaded = deployed.sources.get(name)?;
            let proposal = loaded.propose(&looked, &open, n);
            Some((loaded, proposal, deployed.weight(&self.decl, name)))
        });
        let answering: Vec<_> = answering.collect();
        let proposed = answering
            .iter()
            .flat_map(|(_, proposal, _)| &proposal.items);
        let items: BTreeSet<u32> = proposed.copied().collect();
        let items: Vec<u32> = items.into_iter().collect();
        let mut blended = vec![0.0; items.len()];
        for (loaded, proposal, weight) in &answering {
            let said = loaded.score_some(&looked, &items, proposal);
            let sums = blended.iter_mut().zip(said);
            sums.for_each(|(sum, score)| *sum += weight * score);
        }
        let mut items: Vec<(u32, f32)> = items.into_iter().zip(blended).collect();
        items.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        items.truncate(n);
        let short = match (deployed.sources.is_empty(), items.len() < n) {
            (true, _) => Some(format!(
                "no source of `{0}` is live: run `acumen train {0}`",
                self.use_case
            )),
            (false, true) => Some("there are no more items that may be shown".to_owned()),
            (false, false) => None,
        };
        let line = |(item, score): (u32, f32)| SimilarItem {
            item: Arc::clone(&ids[item as usize]),
            score,
        };
        let items = items.into_iter().map(line).collect();
        Ok(SimilarAnswer {
            item: Arc::clone(&ids[item as usize]),
            items,
            short_because: short,
        })
    }
}
