//! State as bytes, and the union of the states of two parts of one log.

use std::sync::Arc;

use acumen_base::Key;
use serde::{Deserialize, Serialize};

use crate::entity::EntityIndex;
use crate::outcome::{OutcomeIndex, SavedOutcome};
use crate::pipeline::{Counters, Pipeline};
use crate::rates::RateTable;

/// The version of the layout of saved state.
pub const STATE_VERSION: u32 = 4;

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
            rates: self.rates.clone(),
            outcomes: outcomes.map(|(index, plan)| index.save(plan)).collect(),
            units: units
                .collect::<Result<_, _>>()
                .expect("writing plain values to memory cannot fail"),
            counters: self.counters.clone(),
        };
        postcard::to_stdvec(&(STATE_VERSION, self.plan.fingerprint, saved))
            .expect("writing plain values to memory cannot fail")
    }

    /// Takes over saved state in place of its own, which stays as it is on an error.
    ///
    /// # Errors
    /// If the bytes are damaged, or of another layout or definition.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), StateError> {
        let (found, rest): (u32, _) = postcard::take_from_bytes(bytes)?;
        if found != STATE_VERSION {
            return Err(StateError::Version {
                found,
                wanted: STATE_VERSION,
            });
        }
        let (found, rest): (u64, _) = postcard::take_from_bytes(rest)?;
        let wanted = self.plan.fingerprint;
        if found != wanted {
            return Err(StateError::Definition { found, wanted });
        }
        let saved: Saved = postcard::from_bytes(rest)?;
        let mut fresh = Pipeline::compile(self.plan.spec.clone())
            .expect("a spec that compiled once compiles again");
        if saved.units.len() != fresh.units.len()
            || saved.entities.len() != fresh.entities.len()
            || saved.outcomes.len() != fresh.outcomes.len()
        {
            return Err(StateError::Damaged(postcard::Error::SerdeDeCustom));
        }
        for (unit, bytes) in fresh.units.iter_mut().zip(&saved.units) {
            unit.load(bytes)?;
        }
        let index = |(keys, ids)| EntityIndex::of(keys, ids);
        fresh.entities = saved.entities.into_iter().map(index).collect();
        fresh.outcomes = saved.outcomes.into_iter().map(OutcomeIndex::load).collect();
        fresh.rates = saved.rates;
        fresh.counters = saved.counters;
        *self = fresh;
        Ok(())
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
