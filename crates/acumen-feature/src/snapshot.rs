//! State as bytes, and the union of the states of two parts of one log.

use std::sync::Arc;

use acumen_base::Key;
use serde::{Deserialize, Serialize};

use crate::entity::{EntityIndex, Seen};
use crate::outcome::{OutcomeIndex, SavedOutcome};
use crate::pipeline::{Counters, Pipeline};
use crate::rates::RateTable;
use crate::spec::PipelineSpec;

/// The version of the layout of saved state.
pub const STATE_VERSION: u32 = 5;

/// Why saved state cannot be used; the log gives it back.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The bytes are not saved state.
    #[error("the saved feature state cannot be read; delete it and replay the log: {0}")]
    Damaged(#[from] postcard::Error),
    /// It was saved by a build with another layout.
    #[error(
        "the saved feature state has layout {found}, this build reads {wanted}; replay the log"
    )]
    Version {
        /// The layout found.
        found: u32,
        /// The layout of this build.
        wanted: u32,
    },
    /// It belongs to other definitions.
    #[error(
        "the saved feature state is of other definitions ({found:016x}, now {wanted:016x}); replay the log"
    )]
    Definition {
        /// The fingerprint found.
        found: u64,
        /// The fingerprint of this pipeline.
        wanted: u64,
    },
}

/// The keys of an entity by slot, and their ids where they are kept.
type SavedKeys = (Vec<Key>, Option<Vec<Arc<str>>>);

#[derive(Serialize, Deserialize)]
struct Saved {
    entities: Vec<SavedKeys>,
    seen: Vec<Seen>,
    rates: RateTable,
    outcomes: Vec<SavedOutcome>,
    units: Vec<Vec<u8>>,
    counters: Counters,
}

impl Pipeline {
    /// The fingerprint of everything that was declared.
    pub fn fingerprint(&self) -> u64 {
        self.plan.fingerprint
    }

    /// All state as bytes: the same state gives the same bytes.
    pub fn save(&self) -> Vec<u8> {
        let units = self.units.iter().map(|unit| unit.save());
        let outcomes = self.outcomes.iter().zip(&self.plan.outcomes);
        let saved = Saved {
            entities: self
                .entities
                .iter()
                .map(|index| (index.keys().to_vec(), index.ids().map(<[_]>::to_vec)))
                .collect(),
            seen: self.seen.clone(),
            rates: self.rates.clone(),
            outcomes: outcomes.map(|(index, plan)| index.save(plan)).collect(),
            units: units
                .collect::<Result<_, _>>()
                .expect("writing plain values to memory cannot fail"),
            counters: self.counters.clone(),
        };
        let about = (STATE_VERSION, self.plan.fingerprint, &self.plan.specs);
        postcard::to_stdvec(&(about, saved)).expect("writing plain values to memory cannot fail")
    }

    /// Takes over saved state in place of its own, which stays as it is on an error.
    ///
    /// # Errors
    /// If the bytes are damaged, or of another layout or definition.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (found, rest) = fingerprint(bytes)?;
        let wanted = self.plan.fingerprint;
        if found != wanted {
            return Err(StateError::Definition { found, wanted });
        }
        let (_, rest): (Vec<PipelineSpec>, _) = postcard::take_from_bytes(rest)?;
        *self = taken_over(self.plan.specs.clone(), rest)?;
        Ok(())
    }

    /// The pipeline that was saved, of the definitions that it had then.
    ///
    /// # Errors
    /// If the bytes are damaged, or of another layout.
    pub fn restore(bytes: &[u8]) -> Result<Pipeline, StateError> {
        let (_, rest) = fingerprint(bytes)?;
        let (specs, rest) = postcard::take_from_bytes(rest)?;
        taken_over(specs, rest)
    }

    /// Unites the state of another part of the same log: rows read afterwards are those of one
    /// pipeline that saw the events of both. Every part must have seen the exchange rates.
    ///
    /// # Panics
    /// If the other is of another definition.
    pub fn merge(&mut self, other: &Pipeline) {
        assert_eq!(
            self.plan.fingerprint, other.plan.fingerprint,
            "only parts of one definition can be merged"
        );
        let slots: Vec<Vec<u32>> = self
            .entities
            .iter_mut()
            .zip(&other.entities)
            .map(|(mine, there)| mine.unite(there))
            .collect();
        let views = self.plan.views.iter().zip(&mut self.seen);
        for ((view, mine), there) in views.zip(&other.seen) {
            let slots = view.each.map_or(&[][..], |entity| &slots[entity]);
            let there = there.slots().iter();
            there.for_each(|slot| mine.note(slots[*slot as usize]));
        }
        self.rates.merge(&other.rates);
        for (unit, there) in self.units.iter_mut().zip(&other.units) {
            unit.merge(there.as_ref(), &slots);
        }
        for (index, plan) in self.plan.outcomes.iter().enumerate() {
            let found = self.outcomes[index].merge(plan, index, &other.outcomes[index], &slots);
            for mark in &found {
                for unit in &mut self.units {
                    unit.mark(mark);
                }
            }
        }
        self.counters.add(&other.counters);
    }
}

/// The fingerprint of saved state, and what follows it.
fn fingerprint(bytes: &[u8]) -> Result<(u64, &[u8]), StateError> {
    let (found, rest): (u32, _) = postcard::take_from_bytes(bytes)?;
    match found {
        STATE_VERSION => Ok(postcard::take_from_bytes(rest)?),
        found => Err(StateError::Version {
            found,
            wanted: STATE_VERSION,
        }),
    }
}

/// A pipeline of these specs with saved state.
fn taken_over(specs: Vec<PipelineSpec>, bytes: &[u8]) -> Result<Pipeline, StateError> {
    let damaged = || StateError::Damaged(postcard::Error::SerdeDeCustom);
    let saved: Saved = postcard::from_bytes(bytes)?;
    let mut fresh = Pipeline::compile_all(specs).map_err(|_| damaged())?;
    if saved.units.len() != fresh.units.len()
        || saved.entities.len() != fresh.entities.len()
        || saved.seen.len() != fresh.seen.len()
        || saved.outcomes.len() != fresh.outcomes.len()
    {
        return Err(damaged());
    }
    for (unit, bytes) in fresh.units.iter_mut().zip(&saved.units) {
        unit.load(bytes)?;
    }
    let index = |(keys, ids)| EntityIndex::of(keys, ids);
    fresh.entities = saved.entities.into_iter().map(index).collect();
    fresh.seen = saved.seen;
    fresh.outcomes = saved.outcomes.into_iter().map(OutcomeIndex::load).collect();
    fresh.rates = saved.rates;
    fresh.counters = saved.counters;
    Ok(fresh)
}

impl Counters {
    fn add(&mut self, other: &Counters) {
        self.applied += other.applied;
        self.too_late += other.too_late;
        self.unknown_type += other.unknown_type;
        self.missing_operands += other.missing_operands;
        for (mine, there) in self.rows.iter_mut().zip(&other.rows) {
            *mine += there;
        }
        for (mine, there) in self.missing.iter_mut().zip(&other.missing) {
            for (mine, there) in mine.iter_mut().zip(there) {
                *mine += there;
            }
        }
    }
}
