//! What other lists would have been worth, from the log of those that were shown.
//!
//! The log is replayed. Before each list that was shown, the shelf is as it was then, and the other
//! declaration orders the same candidates. A place is a row: its reward is what feedback that names
//! the list said of its item; its propensity is the product of those of all places up to it, since
//! each is given those before it, and the target the same product under the other declaration
//! (reward interaction, McInerney et al. 2020, "Counterfactual Evaluation of Slate Recommendations
//! with Sequential Reward Interactions"). Where a bandit chooses among ensembles, both are sums over
//! all ensembles that might have made the list: what comes of a list is what it shows, whoever made
//! it. A model of the reward by place makes the doubly robust
//! estimate.

use std::collections::HashMap;
use std::sync::Arc;

use acumen_base::{Body, Clock, EnsembleChoice, Event, Listing};
use acumen_event::LogReader;
use acumen_value::off_policy::{Estimates, Logged, Modelled, cell_means};
use serde::Serialize;

use super::ask::RankRequest;
use super::serve::{Might, Ranker};
use super::shelf::Shelf;
use crate::core::{Core, as_declared};
use crate::error::EngineError;
use crate::history::Sources;
use crate::spec::{BanditDecl, RankingDecl, UseCase};

/// Weights above this are cut: one list must not stand for all.
const WEIGHT_MAX: f64 = 50.0;
/// Rows of the mean that stand behind the mean of each place.
const PRIOR: f64 = 10.0;

/// What other lists would have been worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PolicyEvaluation {
    /// Lists that were shown.
    pub lists: usize,
    /// Lists that could be ordered again: the others name visitors or items that are gone, or were not
    /// made by one of the ensembles that are declared now.
    pub judged: usize,
    /// Places of them.
    pub places: usize,
    /// The share of places at which the declaration that is in force would put the item that was
    /// shown first, where chance did not choose it: near 1 where the log can be made again.
    pub agrees: f64,
    /// What a place is worth.
    pub by_place: Estimates,
    /// Places of a list, on average: what a list is worth is so many times what a place is.
    pub places_a_list: f64,
}

/// One place of a list that was shown.
struct Row {
    list: usize,
    place: usize,
    propensity: f64,
    target: f64,
}

/// Evaluates another declaration of a use case that ranks.
///
/// # Errors
/// Where the other declaration remembers something else, so that it cannot be judged by this log,
/// or nothing was shown.
pub fn evaluate_policy(
    sources: &Sources,
    use_case: usize,
    other: &UseCase,
    clock: &Arc<dyn Clock>,
    progress: &mut dyn FnMut(u64),
) -> Result<PolicyEvaluation, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let name = &plan.declared.name;
    let none = || EngineError::NotFound(format!("`{name}` ranks nothing"));
    let declared = plan.declared.ranking.as_deref().ok_or_else(none)?;
    let changed = other.ranking.as_deref().ok_or_else(none)?;
    if declared.what_is_read(&plan.declared) != changed.what_is_read(other) {
        return Err(EngineError::NotEnough(format!(
            "the other `{name}` reads other events, items or sources, so this log cannot judge it: \
             weights, objectives, `ensembles`, `choose`, `caps`, `candidates`, `explore` and \
             `fallback` may differ"
        )));
    }
    let core = sources.oldest()?;
    let shelf = core.live[use_case].shelf.clone().ok_or_else(none)?;
    let ranker = |decl: &RankingDecl, use_case: &UseCase| {
        let by = (Arc::clone(clock), plan.seed());
        let ranker = Ranker::new(&plan.declared, Arc::clone(&shelf), 1, by);
        ranker.judging(decl.clone(), BanditDecl::of(use_case))
    };
    let mut replay = Replay {
        judges: [ranker(declared, &plan.declared), ranker(changed, other)],
        core,
        lists: 0,
        rows: Vec::new(),
        items: HashMap::new(),
        rewards: HashMap::new(),
        agreed: (0, 0),
    };
    for record in LogReader::open(&sources.folder.log())?.read(replay.core.next) {
        let record = record?;
        match &record.body {
            Body::Listing(listing) if listing.use_case == *name => replay.listing(listing),
            Body::Event(event) => {
                if let Some(kind) = sources.plan.event_type(&event.kind.name) {
                    replay.feedback(&as_declared(event, kind));
                }
            }
            _ => {}
        }
        replay.core.apply(&record, false);
        progress(record.position);
    }
    replay.finish(name)
}

/// The state of one replay.
struct Replay {
    core: Core,
    /// The declaration in force, and the other one.
    judges: [Ranker; 2],
    lists: usize,
    rows: Vec<Row>,
    /// Which row an item of a list is.
    items: HashMap<(Arc<str>, Arc<str>), usize>,
    rewards: HashMap<usize, f64>,
    /// Places that the declaration in force fills in the same way, and all that chance did not.
    agreed: (usize, usize),
}

impl Replay {
    fn listing(&mut self, listing: &Listing) {
        self.lists += 1;
        let request = RankRequest {
            visitor: listing.visitor.clone(),
            session: listing.session.clone(),
            n: Some(listing.places.len().max(1)),
            context: self.shelf().moments.again(&listing.circumstances.context),
            ..RankRequest::default()
        };
        let items: Vec<&str> = listing.places.iter().map(|place| &*place.item).collect();
        let of = (listing.at, listing.id.as_str());
        let might = [&self.judges[0], &self.judges[1]];
        let might = might.map(|judge| judge.might(&request, of, &items));
        let [Ok(own), Ok(other)] = might else {
            return;
        };
        let choice = listing.circumstances.choice.as_ref();
        let (mut own, mut other) = (Ways::new(own).chosen(choice), Ways::new(other));
        if own.chosen.is_none() {
            return;
        }
        for (place, shown) in listing.places.iter().enumerate() {
            if let Some(agrees) = own.likeliest(place).filter(|_| shown.propensity > 0.5) {
                self.agreed = (self.agreed.0 + usize::from(agrees), self.agreed.1 + 1);
            }
            let propensity = own.until(place, Some(shown.propensity));
            let target = other.until(place, None);
            let key = (
                Arc::from(listing.id.as_str()),
                Arc::from(shown.item.as_str()),
            );
            self.items.insert(key, self.rows.len());
            self.rows.push(Row {
                list: self.lists,
                place,
                propensity,
                target,
            });
        }
    }

    fn shelf(&self) -> &Shelf {
        &self.judges[0].shelf
    }

    /// Adds what feedback says of a place.
    fn feedback(&mut self, event: &Event) {
        let Some(heard) = self.shelf().hearing.hear(event) else {
            return;
        };
        if let (Some(list), Some(reward)) = (heard.list, heard.reward)
            && let Some(row) = self.items.get(&(Arc::clone(list), Arc::clone(heard.item)))
        {
            *self.rewards.entry(*row).or_default() += reward;
        }
    }

    fn finish(self, name: &str) -> Result<PolicyEvaluation, EngineError> {
        let reward: Vec<f64> = (0..self.rows.len())
            .map(|row| self.rewards.get(&row).copied().unwrap_or(0.0))
            .collect();
        let cells: Vec<usize> = self.rows.iter().map(|row| row.place).collect();
        let places = cells.iter().max().map_or(1, |most| most + 1);
        let means = cell_means(&cells, &reward, places, PRIOR);
        let said: Vec<f64> = cells.iter().map(|cell| means.of(*cell)).collect();
        let logged = Logged {
            reward: &reward,
            propensity: &self
                .rows
                .iter()
                .map(|row| row.propensity)
                .collect::<Vec<f64>>(),
            target: &self.rows.iter().map(|row| row.target).collect::<Vec<f64>>(),
            model: Some(Modelled {
                taken: &said,
                target: &said,
            }),
        };
        let by_place = logged.evaluate(Some(WEIGHT_MAX)).map_err(|error| {
            EngineError::NotEnough(format!("`{name}` cannot be judged by its log: {error}"))
        })?;
        let mut lists: Vec<usize> = self.rows.iter().map(|row| row.list).collect();
        lists.dedup();
        Ok(PolicyEvaluation {
            lists: self.lists,
            judged: lists.len(),
            places: self.rows.len(),
            agrees: self.agreed.0 as f64 / self.agreed.1.max(1) as f64,
            places_a_list: self.rows.len() as f64 / lists.len().max(1) as f64,
            by_place,
        })
    }
}

/// All ways in which a list may have come about: by each ensemble, with the probability of that and
/// of the places so far.
struct Ways {
    ways: Vec<(f64, Might)>,
    /// Which of them it was.
    chosen: Option<usize>,
}

impl Ways {
    fn new(might: Vec<Might>) -> Ways {
        let ways = might.into_iter().map(|might| (might.chance, might));
        let ways: Vec<(f64, Might)> = ways.collect();
        Ways {
            chosen: (ways.len() == 1).then_some(0),
            ways,
        }
    }

    /// As it was: with the probabilities of the record.
    fn chosen(mut self, choice: Option<&EnsembleChoice>) -> Ways {
        let Some(choice) = choice else { return self };
        for (chance, might) in &mut self.ways {
            let logged = choice.probabilities.iter();
            let mut logged = logged.filter(|(name, _)| might.ensemble.as_ref() == Some(name));
            *chance = logged.next().map_or(0.0, |(_, logged)| *logged);
        }
        let is_it = |(_, might): &(f64, Might)| might.ensemble.as_ref() == Some(&choice.ensemble);
        self.chosen = self.ways.iter().position(is_it);
        self
    }

    /// Whether no other item was likelier at a place, for the ensemble that made the list; `None`
    /// where that is not declared any more.
    fn likeliest(&self, place: usize) -> Option<bool> {
        let (_, might) = &self.ways[self.chosen?];
        Some(might.places[place].1)
    }

    /// The probability of the places up to this one, by whichever ensemble; to be asked of one place
    /// after the other. For the one that made the list, `logged` says how likely this place was.
    fn until(&mut self, place: usize, logged: Option<f64>) -> f64 {
        for (at, (sofar, might)) in self.ways.iter_mut().enumerate() {
            let (computed, _) = might.places[place];
            let known = logged.filter(|_| self.chosen == Some(at));
            *sofar *= known.unwrap_or(computed);
        }
        self.ways.iter().map(|(sofar, _)| sofar).sum()
    }
}
