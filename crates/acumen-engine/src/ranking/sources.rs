//! The deployed sources of candidates, and what each weighs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use acumen_model::recommend::content::Content;
use acumen_model::recommend::{History, Open, Proposal, Recommender, Source};

use super::catalogue::{Catalogue, Shelving};
use super::order::LoadedOrder;
use super::visitors::Past;
use crate::spec::RankingDecl;

/// What answers requests from here on; replaced as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deployed {
    /// Changes with every deployment and every new weight: what was made before is stale.
    pub(crate) epoch: u64,
    /// By name.
    pub(crate) sources: BTreeMap<String, Arc<Loaded>>,
    /// What orders candidates in place of their weights, where the declaration says so.
    pub(crate) order: Option<Arc<LoadedOrder>>,
    /// What each weighs, where that was fitted.
    weights: BTreeMap<String, f64>,
}

/// A source that answers.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub(crate) version: String,
    recommender: Arc<Recommender>,
    /// A drill: each answer comes so much later.
    pub(crate) delay: Option<Duration>,
    /// The microseconds that an answer takes lately.
    usual_us: Arc<AtomicU64>,
}

/// A source that takes no longer than this is asked on the thread of the request: to hand it to
/// another and wait costs a good part of that.
const QUICK_US: u64 = 1_000;
/// What a source is taken to need that has not answered yet.
const UNKNOWN_US: u64 = 4 * QUICK_US;

impl Deployed {
    /// Lets a source answer under a name.
    pub(crate) fn deploy(&mut self, name: &str, loaded: Loaded) {
        self.sources.insert(name.to_owned(), Arc::new(loaded));
        self.epoch += 1;
    }

    /// Lets a ranker answer. What sources put forward is not stale by it.
    pub(crate) fn order_by(&mut self, order: Arc<LoadedOrder>) {
        self.order = Some(order);
    }

    /// The ranker that orders a list, where it is declared and live.
    pub(crate) fn ranker(&self, ranking: &RankingDecl) -> Option<&LoadedOrder> {
        let declared = ranking.ranker.as_ref()?;
        self.order
            .as_deref()
            .filter(|order| order.name == *declared)
    }

    /// Takes a source or the ranker out.
    pub(crate) fn withdraw(&mut self, name: &str) {
        self.order = self.order.take().filter(|order| order.name != name);
        self.sources.remove(name);
        self.epoch += 1;
    }

    /// Weighs the sources anew.
    pub(crate) fn weigh(&mut self, weights: &[(String, f64)]) {
        self.weights = weights.iter().cloned().collect();
        self.epoch += 1;
    }

    /// Slows sources down on purpose.
    pub(crate) fn drill(&mut self, delay: impl Fn(&str) -> Option<Duration>) {
        for (name, loaded) in &mut self.sources {
            Arc::make_mut(loaded).delay = delay(name);
        }
    }

    /// Tells sources that know items by what they are like of the items before `until` that came
    /// after their training. Items that were only mentioned have no words, and keep their places.
    pub(crate) fn learn(&mut self, shelving: &Shelving, catalogue: &Catalogue, until: u32) {
        for loaded in self.sources.values_mut() {
            let known = loaded.n_items() as u32;
            if known >= until || !loaded.source().learns_items() {
                continue;
            }
            let numbers: Vec<u32> = (known..until).collect();
            let attributes = catalogue.attributes(shelving, &numbers);
            let recommender = &mut Arc::make_mut(loaded).recommender;
            Arc::make_mut(recommender).source.extend(&attributes);
        }
        self.epoch += 1;
    }

    /// How many items all sources know that know items by what they are like; `None` where there
    /// is no such source.
    pub(crate) fn items_known_by_likeness(&self) -> Option<usize> {
        let loaded = self.sources.values();
        let learning = loaded.filter(|loaded| loaded.source().learns_items());
        learning.map(|loaded| loaded.n_items()).min()
    }

    /// What a source weighs: as it was fitted where weights are, or its share of its group's declared
    /// weight.
    pub(crate) fn weight(&self, ranking: &RankingDecl, name: &str) -> f32 {
        let fitted = self.weights.get(name).copied();
        let fitted = fitted.filter(|_| ranking.dynamic.is_some());
        fitted.unwrap_or_else(|| declared_weight(ranking, name)) as f32
    }

    /// What a source weighs in one of several ensembles.
    pub(crate) fn weight_in(
        &self,
        ranking: &RankingDecl,
        ensemble: Option<usize>,
        name: &str,
    ) -> f32 {
        let fitted = f64::from(self.weight(ranking, name));
        ranking.weight_in(ensemble, name, fitted) as f32
    }

    /// The source that knows items by what they are like, where there is one.
    pub(crate) fn content(&self) -> Option<&Content> {
        let mut loaded = self.sources.values();
        loaded.find_map(|loaded| match loaded.source() {
            Source::Content(content) => Some(content),
            _ => None,
        })
    }
}

/// A source's share of its group's weight.
pub(crate) fn declared_weight(ranking: &RankingDecl, name: &str) -> f64 {
    let mut groups = ranking.groups.iter();
    let group = groups.find(|group| group.run.iter().any(|run| run == name));
    group.map_or(0.0, |group| group.weight / group.run.len() as f64)
}

impl Loaded {
    /// A recommender of items that have the numbers that it gives them.
    ///
    /// # Errors
    /// What to do, where it was trained on another catalogue.
    pub(crate) fn new(
        recommender: Arc<Recommender>,
        version: &str,
        catalogue: &Catalogue,
    ) -> Result<Loaded, String> {
        let same = recommender
            .items
            .iter()
            .eq(catalogue.ids().take(recommender.items.len()));
        if !same || recommender.items.len() > catalogue.len() {
            return Err(
                "it numbers the items as another log does: train it again on this one".to_owned(),
            );
        }
        recommender.source.prepare();
        Ok(Loaded {
            version: version.to_owned(),
            recommender,
            delay: None,
            usual_us: Arc::new(AtomicU64::new(UNKNOWN_US)),
        })
    }

    /// Whether it can be asked on the thread of a request.
    pub(crate) fn is_quick(&self) -> bool {
        self.delay.is_none() && self.usual_us.load(Ordering::Relaxed) <= QUICK_US
    }

    /// Notes how long an answer took. What waited for a busy machine says little of a source, so
    /// long answers count for less than short ones.
    pub(crate) fn took(&self, micros: u64) {
        let usual = self.usual_us.load(Ordering::Relaxed);
        let usual = match micros < usual {
            true => (usual + micros) / 2,
            false => usual + (micros - usual) / 32,
        };
        self.usual_us.store(usual, Ordering::Relaxed);
    }

    /// What it is.
    pub(crate) fn source(&self) -> &Source {
        &self.recommender.source
    }

    /// How many items it knows.
    pub(crate) fn n_items(&self) -> usize {
        self.source().n_items()
    }

    /// What it puts forward for somebody with this past.
    pub(crate) fn propose(&self, past: &Past, open: &Open<'_>, most: usize) -> Proposal {
        let (items, weights) = self.known(past);
        let history = History {
            items: &items,
            weights: &weights,
        };
        self.source().at(&past.said).propose(history, open, most)
    }

    /// What it says of some items, in the unit of what it put forward.
    pub(crate) fn score_some(&self, past: &Past, items: &[u32], unit: &Proposal) -> Vec<f32> {
        let (known, weights) = self.known(past);
        let history = History {
            items: &known,
            weights: &weights,
        };
        let source = self.source().at(&past.said);
        source.score_some(history, items, unit)
    }

    /// The events of a past with items that it knows.
    pub(crate) fn known(&self, past: &Past) -> (Vec<u32>, Vec<f32>) {
        let known = self.n_items() as u32;
        let events = past.items.iter().copied().zip(past.weights.iter().copied());
        events.filter(|(item, _)| *item < known).unzip()
    }
}

impl fmt::Debug for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loaded")
            .field("version", &self.version)
            .field("learner", &self.recommender.learner)
            .finish_non_exhaustive()
    }
}
