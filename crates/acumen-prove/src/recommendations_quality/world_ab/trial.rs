//! A trial of several ways to make lists among the visitors of one world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use acumen_base::{Event, Seed, Time, Value};
use acumen_sim::world::storefront::{Aim, Expected, Moment, Parameters, Visit, World};
use acumen_value::experiment::{Assignment, Moments, RatioMoments};

use super::shop::Lists;
use crate::report::{Failure, all};

/// Who makes the lists of an arm.
pub(super) enum Maker<'a> {
    /// The world's own window dressing, while these learn.
    Dressed(Vec<&'a mut dyn Lists>),
    /// One who knows every chance.
    Best(Aim),
    /// One who learns from events.
    Learnt(&'a mut dyn Lists),
}

/// A world at a moment; where a visitor waits, they wait for the first list.
#[derive(Clone)]
pub(super) struct Stage {
    world: World,
    waiting: Option<Visit>,
}

/// What is seen of an arm, over its units: customers, and sessions of those who are not signed in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Arm {
    /// Clicks a product shown.
    pub(super) click_through: RatioMoments,
    /// Sessions with a purchase, whether from a list or not, of all sessions.
    pub(super) conversion: RatioMoments,
    /// Pounds that a unit paid, whether from lists or not.
    pub(super) revenue: Moments,
    /// Lists shown.
    pub(super) lists: f64,
    /// What came of them on average, beyond chance.
    pub(super) expected: Expected,
    /// What the best lists for the same visits would have had, each for its own aim.
    pub(super) best: Expected,
}

/// What one unit did since it first saw a list.
#[derive(Clone, Debug, Default)]
struct Unit {
    arm: usize,
    shown: f64,
    clicks: f64,
    sessions: BTreeSet<Arc<str>>,
    converted: BTreeSet<Arc<str>>,
    pence: i64,
}

/// What units did.
struct Tally {
    units: BTreeMap<Arc<str>, Unit>,
    arms: Vec<Arm>,
}

impl Stage {
    /// A world at its beginning.
    pub(super) fn new(parameters: &Parameters, seed: Seed) -> Result<Stage, Failure> {
        let world = World::new(parameters.clone(), seed).map_err(all)?;
        let waiting = None;
        Ok(Stage { world, waiting })
    }

    /// Lets the world go on until the first visit at or after an instant, or its end. Units are
    /// assigned to makers by `salt`, with equal weights.
    pub(super) fn play(
        &mut self,
        until: Time,
        salt: Seed,
        makers: &mut [Maker<'_>],
    ) -> Result<Vec<Arm>, Failure> {
        let weights = vec![1.0 / makers.len() as f64; makers.len()];
        let assignment = Assignment::new(salt, &weights, 1.0)?;
        let mut tally = Tally::new(makers.len());
        let first = self.waiting.take().map(Moment::Visit);
        let mut next = first.or_else(|| self.world.next_moment());
        while let Some(moment) = next {
            match moment {
                Moment::Event(event) => {
                    tally.observe(&event);
                    makers.iter_mut().for_each(|maker| maker.observe(&event));
                }
                Moment::Visit(visit) if visit.at >= until => {
                    self.waiting = Some(visit);
                    break;
                }
                Moment::Visit(visit) => {
                    let arm = assignment.arm(unit(&visit)).unwrap_or(0);
                    let list = makers[arm].list(&self.world, &visit)?;
                    tally.expose(arm, &visit);
                    let list: Vec<&str> = list.iter().map(|id| &**id).collect();
                    tally.judge(arm, &self.world, &list);
                    let name = format!("{}-{}", visit.session, visit.number);
                    self.world.answer(&list, &name)?;
                }
            }
            next = self.world.next_moment();
        }
        Ok(tally.arms())
    }
}

impl Maker<'_> {
    fn observe(&mut self, event: &Event) {
        match self {
            Maker::Dressed(learners) => learners.iter_mut().for_each(|one| one.observe(event)),
            Maker::Best(_) => {}
            Maker::Learnt(lists) => lists.observe(event),
        }
    }

    fn list(&mut self, world: &World, visit: &Visit) -> Result<Vec<Arc<str>>, Failure> {
        match self {
            Maker::Dressed(_) => Ok(world.dressed()),
            Maker::Best(aim) => Ok(world.best(*aim)),
            Maker::Learnt(lists) => lists.list(visit, visit.places),
        }
    }
}

impl Tally {
    fn new(arms: usize) -> Tally {
        Tally {
            units: BTreeMap::new(),
            arms: vec![Arm::default(); arms],
        }
    }

    fn expose(&mut self, arm: usize, visit: &Visit) {
        let unit = self.units.entry(unit(visit).clone()).or_default();
        unit.arm = arm;
        unit.sessions.insert(Arc::clone(&visit.session));
    }

    fn judge(&mut self, arm: usize, world: &World, list: &[&str]) {
        let arm = &mut self.arms[arm];
        arm.lists += 1.0;
        arm.expected += world.expected(list);
        arm.best += world.most();
    }

    /// Counts what a unit does from its first list on.
    fn observe(&mut self, event: &Event) {
        let text = |field: &str| match event.value(field) {
            Value::Text(text) => Some(text),
            _ => None,
        };
        let session = text("session_id");
        let unit = text("customer_id").or(session);
        let Some((session, unit)) = session.zip(unit.and_then(|id| self.units.get_mut(id))) else {
            return;
        };
        match text("kind").map(|kind| &**kind) {
            Some("impression") => unit.shown += 1.0,
            Some("click") => unit.clicks += 1.0,
            Some("view") => drop(unit.sessions.insert(Arc::clone(session))),
            Some("purchase") => {
                unit.converted.insert(Arc::clone(session));
                let paid = event.value("amount").as_money();
                unit.pence += paid.map_or(0, |paid| paid.minor);
            }
            _ => {}
        }
    }

    fn arms(mut self) -> Vec<Arm> {
        for unit in self.units.values() {
            let arm = &mut self.arms[unit.arm];
            let sessions = unit.sessions.len() as f64;
            arm.click_through.add(unit.clicks, unit.shown);
            arm.conversion.add(unit.converted.len() as f64, sessions);
            arm.revenue.add(unit.pence as f64 / 100.0);
        }
        self.arms
    }
}

impl Arm {
    /// Takes what was seen in another world.
    pub(super) fn merge(&mut self, other: &Arm) {
        self.click_through.merge(&other.click_through);
        self.conversion.merge(&other.conversion);
        self.revenue.merge(&other.revenue);
        self.lists += other.lists;
        self.expected += other.expected;
        self.best += other.best;
    }
}

/// Who is assigned: a customer, or the session of a visitor who is not signed in.
fn unit(visit: &Visit) -> &Arc<str> {
    visit.customer.as_ref().unwrap_or(&visit.session)
}
