//! State of a pipeline of other specs, as far as they are the same.

use crate::condition::{Holds, Where};
use crate::entity::NO_SLOT;
use crate::outcome::Slots;
use crate::pipeline::Pipeline;

/// A spec here and its double there.
type Pair = (usize, usize);

impl Pipeline {
    /// Takes over, having observed nothing itself, the state behind those of its specs that
    /// another pipeline over the same log was compiled from, too: rows of their views are then the
    /// same, bit for bit. Features of its other specs begin anew, except that they share what they
    /// declare alike.
    pub fn adopt(&mut self, other: &Pipeline) {
        let specs = self.plan.specs.iter().enumerate();
        let pairs: Vec<Pair> = specs
            .filter_map(|(here, spec)| {
                let there = other.plan.specs.iter().position(|known| known == spec)?;
                Some((here, there))
            })
            .collect();
        let slots = self.adopt_keys(other, &pairs);
        if !pairs.is_empty() {
            self.rates.merge(&other.rates);
        }
        let conditions = self.adopt_units(other, &pairs, &slots);
        for (here, there) in pairs {
            self.adopt_outcomes(other, (here, there), &slots, &conditions);
            let of = |pipeline: &Pipeline, spec: usize| {
                let views = pipeline.plan.views.iter().enumerate();
                let of_spec = views.filter(|(_, view)| view.spec == spec);
                of_spec.map(|(view, _)| view).collect::<Vec<_>>()
            };
            for (mine, theirs) in of(self, here).into_iter().zip(of(other, there)) {
                let Some(entity) = self.plan.views[mine].each else {
                    continue;
                };
                for slot in other.seen[theirs].slots() {
                    self.seen[mine].note(slots[entity][*slot as usize]);
                }
            }
        }
    }

    /// Takes over the keys of the entities of some specs; gives the slots here of slots there, by
    /// the entities here: none of an entity of other specs.
    fn adopt_keys(&mut self, other: &Pipeline, pairs: &[Pair]) -> Vec<Vec<u32>> {
        let mut slots = vec![Vec::new(); self.entities.len()];
        for (here, entity) in self.plan.united.entities.iter().enumerate() {
            let declares = |(spec, _): &Pair| self.plan.specs[*spec].entities.contains(entity);
            let mut theirs = other.plan.united.entities.iter();
            if let Some(there) = theirs.position(|known| known == entity)
                && pairs.iter().any(declares)
            {
                slots[here] = self.entities[here].unite(&other.entities[there]);
            }
        }
        slots
    }

    /// Takes over the units of some specs; gives the conditions there and here.
    fn adopt_units(
        &mut self,
        other: &Pipeline,
        pairs: &[Pair],
        slots: &[Vec<u32>],
    ) -> Vec<(Where, Where)> {
        let (mut done, mut conditions) = (vec![false; self.units.len()], Vec::new());
        for (here, there) in pairs {
            let mine = self.plan.features[*here].iter();
            for ((_, mine), (_, theirs)) in mine.zip(&other.plan.features[*there]) {
                for (mine, theirs) in mine.iter().zip(theirs) {
                    let (mine, theirs) = (mine.at.0, theirs.at.0);
                    // Derived columns hold no state.
                    if mine >= done.len() || std::mem::replace(&mut done[mine], true) {
                        continue;
                    }
                    let (unit, known) = (&mut self.units[mine], &other.units[theirs]);
                    conditions.extend(known.when().zip(unit.when()));
                    unit.merge(known.as_ref(), slots);
                }
            }
        }
        conditions
    }

    fn adopt_outcomes(
        &mut self,
        other: &Pipeline,
        (here, there): Pair,
        slots: &[Vec<u32>],
        conditions: &[(Where, Where)],
    ) {
        let (entities, theirs) = (&self.plan.united.entities, &other.plan.united.entities);
        let place = |entity| theirs.iter().position(|known| known == entity);
        let places: Vec<Option<usize>> = entities.iter().map(place).collect();
        let renumber = |old: &Slots| {
            let slot = |(entity, place): (usize, &Option<usize>)| {
                let slot = place.map_or(NO_SLOT, |place| old[place]);
                slots[entity].get(slot as usize).copied().unwrap_or(NO_SLOT)
            };
            places.iter().enumerate().map(slot).collect()
        };
        let mine = self.plan.outcomes_of[here].iter();
        for (mine, theirs) in mine.zip(&other.plan.outcomes_of[there]) {
            let plan = &other.plan.outcomes[*theirs];
            let holds = |old: Holds| old.renumbered(conditions);
            self.outcomes[*mine] = other.outcomes[*theirs].renumbered(plan, renumber, holds);
        }
    }
}
