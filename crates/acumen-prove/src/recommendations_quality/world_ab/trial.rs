//! A trial of several ways to make lists among the visitors of one world.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use acumen_base::{Event, EventType, Seed, Time, Value};
use acumen_sim::world::EventTypes;
use acumen_sim::world::storefront::{Aim, Expected, Moment, Parameters, Visit, World};
use acumen_value::experiment::{Assignment, Moments, RatioMoments};

use super::shop::{Listed, Past, Shop};
use crate::report::{Failure, all};

/// Who makes the lists of all arms, and learns from what happens.
pub(super) enum Maker<'a> {
    /// The world's own window dressing, while a shop that is not open yet looks on.
    Dressed(&'a mut Past),
    /// One who knows every chance.
    Best(Aim),
    /// A shop, whose use cases are the arms.
    Shop(&'a mut Shop, &'a [&'a str]),
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
    /// A world at its beginning, told in some event types.
    pub(super) fn new<'a>(
        parameters: &Parameters,
        seed: Seed,
        types: impl Iterator<Item = &'a Arc<EventType>>,
    ) -> Result<Stage, Failure> {
        let types = types.map(|kind| (kind.name.clone(), Arc::clone(kind)));
        let types: EventTypes = types.collect();
        let world = World::with_types(parameters.clone(), seed, &types).map_err(all)?;
        let waiting = None;
        Ok(Stage { world, waiting })
    }

    /// Lets the world go on until the first visit at or after an instant, or its end. Units are
    /// assigned to the arms of the maker by `salt`, with equal weights.
    pub(super) fn play(
        &mut self,
        until: Time,
        salt: Seed,
        mut maker: Maker<'_>,
    ) -> Result<Vec<Arm>, Failure> {
        let arms = maker.arms();
        let assignment = Assignment::new(salt, &vec![1.0 / arms as f64; arms], 1.0)?;
        let mut tally = Tally::new(arms);
        let first = self.waiting.take().map(Moment::Visit);
        let mut next = first.or_else(|| self.world.next_moment());
        while let Some(moment) = next {
            match moment {
                Moment::Event(event) => {
                    tally.observe(&event);
                    maker.observe(&event)?;
                }
                Moment::Visit(visit) if visit.at >= until => {
                    self.waiting = Some(visit);
                    break;
                }
                Moment::Visit(visit) => {
                    let arm = assignment.arm(unit(&visit)).unwrap_or(0);
                    let list = maker.list(arm, &self.world, &visit)?;
                    let items: Vec<&str> = list.items.iter().map(|id| &**id).collect();
                    tally.expose(arm, &visit);
                    tally.judge(arm, &self.world, &items);
                    self.world.answer(&items, &list.id)?;
                }
            }
            next = self.world.next_moment();
        }
        Ok(tally.arms())
    }
}

impl Maker<'_> {
    fn arms(&self) -> usize {
        match self {
            Maker::Dressed(_) | Maker::Best(_) => 1,
            Maker::Shop(_, use_cases) => use_cases.len(),
        }
    }

    fn observe(&mut self, event: &Event) -> Result<(), Failure> {
        match self {
            Maker::Dressed(past) => past.observe(event),
            Maker::Best(_) => Ok(()),
            Maker::Shop(shop, _) => shop.observe(event),
        }
    }

    fn list(&mut self, arm: usize, world: &World, visit: &Visit) -> Result<Listed, Failure> {
        let named = |items| Listed {
            id: format!("{}-{}", visit.session, visit.number),
            items,
        };
        match self {
            Maker::Dressed(_) => Ok(named(world.dressed())),
            Maker::Best(aim) => Ok(named(world.best(*aim))),
            Maker::Shop(shop, use_cases) => shop.list(use_cases[arm], visit),
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
