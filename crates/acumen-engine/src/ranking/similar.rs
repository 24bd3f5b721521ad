//! Items that are like one: what the sources say to somebody who did nothing but look at it.

use std::sync::Arc;

use acumen_model::recommend::History;

use super::ask::{SimilarAnswer, SimilarItem};
use super::serve::{ITEMS_MAX, Ranker, number};
use crate::refusal::Refusal;

impl Ranker {
    /// The items that are most like one, among those that may be shown.
    ///
    /// # Errors
    /// Where there is no such item, or more are asked for than a list has.
    pub(crate) fn similar(&self, id: &str, n: usize) -> Result<SimilarAnswer, Refusal> {
        if !(1..=ITEMS_MAX).contains(&n) {
            let what = format!("a list has 1 to {ITEMS_MAX} items, not {n}");
            return Err(Refusal::Invalid(what));
        }
        let deployed = self.shelf.deployed();
        let (item, mut mask, ids) = {
            let catalogue = self.shelf.catalogue();
            let ids: Vec<Arc<str>> = catalogue.ids().cloned().collect();
            (number(&catalogue, id)?, catalogue.available().to_vec(), ids)
        };
        mask[item as usize] = false;
        let history = History {
            items: &[item],
            weights: &[1.0],
        };
        let mut blended = vec![0.0; mask.len()];
        for name in &self.shelf.names {
            if let Some(loaded) = deployed.sources.get(name) {
                let weight = deployed.weight(&self.shelf.decl, name);
                let scores = loaded.score(history, &mask);
                blended
                    .iter_mut()
                    .zip(scores)
                    .for_each(|(sum, score)| *sum += weight * score);
            }
        }
        let mut items = acumen_model::recommend::candidates::best(&blended, &mask, n);
        items.sort_by(|a, b| blended[*b as usize].total_cmp(&blended[*a as usize]));
        let short = match (deployed.sources.is_empty(), items.len() < n) {
            (true, _) => Some(format!(
                "no source of `{0}` is live: run `acumen train {0}`",
                self.use_case
            )),
            (false, true) => Some("there are no more items that may be shown".to_owned()),
            (false, false) => None,
        };
        let line = |item: u32| SimilarItem {
            item: Arc::clone(&ids[item as usize]),
            score: blended[item as usize],
        };
        let items = match deployed.sources.is_empty() {
            true => Vec::new(),
            false => items.into_iter().map(line).collect(),
        };
        Ok(SimilarAnswer {
            item: Arc::clone(&ids[item as usize]),
            items,
            short_because: short,
        })
    }
}
