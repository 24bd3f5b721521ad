//! Lists by the sources and the ranking of the library.

use std::sync::Arc;

use acumen_base::{Event, Seed};
use acumen_decision::ranking::{Caps, Objectives, Slate, rank};
use acumen_model::Params;
use acumen_model::recommend::{
    Candidates, History, RecommendData, Source, candidates, recommender,
};
use acumen_sim::world::storefront::Visit;
use serde_json::Value;

use super::shelf::Shelf;
use crate::report::{Failure, all};

/// Candidates of each source.
const CANDIDATES: usize = 100;

/// Whoever makes lists in a world: told everything that happens, asked at every visit.
pub(super) trait Lists {
    /// Takes an event in.
    fn observe(&mut self, event: &Event);
    /// The ids of up to `n` products, the first first.
    fn list(&mut self, visit: &Visit, n: usize) -> Result<Vec<Arc<str>>, Failure>;
}

/// What lists are made of.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Learners by name, each with its parameters.
    pub(super) sources: Vec<(&'static str, Value)>,
    /// What each weighs, where nothing was done in the session yet, and where something was.
    pub(super) weights: [Vec<f32>; 2],
    /// What is traded against relevance; business value is the logarithm of the price.
    pub(super) objectives: Objectives,
}

/// Lists by a plan, learnt anew every day from everything up to then.
#[derive(Clone)]
pub(super) struct Shop {
    shelf: Shelf,
    plan: Plan,
    fitted: Vec<Source>,
    day: i64,
}

impl Shop {
    pub(super) fn new(plan: Plan) -> Shop {
        Shop {
            shelf: Shelf::default(),
            plan,
            fitted: Vec::new(),
            day: i64::MIN,
        }
    }

    /// The same knowledge, with another plan.
    pub(super) fn with(&self, plan: Plan) -> Shop {
        Shop {
            shelf: self.shelf.clone(),
            ..Shop::new(plan)
        }
    }

    fn fit(&mut self, day: i64) -> Result<(), Failure> {
        let interactions = self.shelf.interactions()?;
        let attributes = self.shelf.attributes();
        let data = RecommendData {
            interactions: &interactions,
            attributes: Some(&attributes),
        };
        self.fitted.clear();
        for (name, parameters) in &self.plan.sources {
            let learner = recommender(name);
            let learner = learner.map_err(|_| Failure::new(format!("no recommender `{name}`")))?;
            let params: Params = serde_json::from_value(parameters.clone())?;
            let checked = learner.check(&params).map_err(all)?;
            let source = checked.fit(&data, Seed(day as u64), &mut |_| {})?;
            self.fitted.push(source);
        }
        self.day = day;
        Ok(())
    }

    /// What the sources say for a visit, and whether something was done in the session already.
    fn said(&mut self, visit: &Visit) -> Result<(Candidates, bool), Failure> {
        if visit.at.day() > self.day {
            self.fit(visit.at.day())?;
        }
        let known = self.fitted.first().map_or(0, Source::n_items);
        let user = visit.customer.as_ref().unwrap_or(&visit.session);
        let visitor = self.shelf.visitor(user);
        let may = self.shelf.may_be_shown(known, visitor, visit.at);
        let (mut items, mut weights) = (Vec::new(), Vec::new());
        if let Some(visitor) = visitor {
            // What is new today is known tomorrow.
            let did = visitor.items.iter().zip(&visitor.weights);
            let did = did.filter(|(item, _)| (**item as usize) < known);
            (items, weights) = did.map(|(item, weight)| (*item, *weight)).unzip();
        }
        let history = History {
            items: &items,
            weights: &weights,
        };
        let sources: Vec<&Source> = self.fitted.iter().collect();
        let found = candidates(&sources, history, &may, CANDIDATES);
        let begun = visitor.is_some_and(|visitor| visitor.is_in(&visit.session));
        Ok((found, begun))
    }
}

impl Lists for Shop {
    fn observe(&mut self, event: &Event) {
        self.shelf.observe(event);
    }

    fn list(&mut self, visit: &Visit, n: usize) -> Result<Vec<Arc<str>>, Failure> {
        let (found, begun) = self.said(visit)?;
        let products = &self.shelf.products;
        let value = |item: &u32| products[*item as usize].price.max(0.01).ln() as f32;
        let value: Vec<f32> = found.items.iter().map(value).collect();
        let content = self.fitted.iter().find_map(|source| match source {
            Source::Content(content) => Some(content),
            _ => None,
        });
        let likeness = |a: usize, b: usize| {
            content.map_or(0.0, |content| {
                content.likeness(found.items[a], found.items[b])
            })
        };
        let slate = Slate {
            sources: found.scores.iter().map(|s| Some(s.as_slice())).collect(),
            novelty: &[],
            value: &value,
            likeness: &likeness,
        };
        let weights = &self.plan.weights[usize::from(begun)];
        let ranking = rank(&slate, weights, &self.plan.objectives, Caps::default(), n);
        let places = ranking
            .list
            .iter()
            .map(|place| found.items[place.candidate]);
        Ok(places
            .map(|item| Arc::clone(&products[item as usize].id))
            .collect())
    }
}
