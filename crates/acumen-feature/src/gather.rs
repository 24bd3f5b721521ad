//! Columns of other keys: the latest counterparties' own features, read where the row is read.
//!
//! What is gathered stands in the log before the row's event: that event is added to the row's
//! own keys only, never to those that it is gathered from.

use smallvec::SmallVec;

use crate::state::{Facts, State};

/// The slots that a row reaches, hop by hop, the latest first.
pub(crate) type Hops = [SmallVec<[u32; 16]>; 2];

/// A key that was reached: when it was met last, by the event at which position, its slot.
pub(crate) type Met = (i64, u64, u32);

/// What one unit gathers from others.
#[derive(Clone, Debug)]
pub(crate) struct GatherPlan {
    /// The unit whose columns it fills.
    pub(crate) unit: usize,
    /// Where they begin in the unit.
    pub(crate) begin: usize,
    pub(crate) sources: Vec<GatherSource>,
    /// Of how many of the latest keys each value is shown, too.
    pub(crate) each: usize,
}

/// A column that is gathered as mean and largest value, and where wanted key by key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GatherSource {
    pub(crate) unit: usize,
    pub(crate) local: usize,
    /// Which of the hops its keys are.
    pub(crate) hop: usize,
}

/// Units by their place in the plan.
pub(crate) trait Pool {
    fn unit(&mut self, index: usize) -> &mut dyn State;
}

impl Pool for Vec<Box<dyn State>> {
    fn unit(&mut self, index: usize) -> &mut dyn State {
        self[index].as_mut()
    }
}

impl GatherPlan {
    /// How many columns are gathered.
    pub(crate) fn width(&self) -> usize {
        self.sources.len() * (2 + self.each)
    }

    /// The gathered columns: mean and largest value of each source, over the keys that have one;
    /// then the values themselves, source by source, the latest key first.
    pub(crate) fn read(
        &self,
        pool: &mut (impl Pool + ?Sized),
        facts: &Facts<'_>,
    ) -> SmallVec<[f64; 16]> {
        let hops = pool.unit(self.unit).hops(facts);
        let mut columns = SmallVec::from_elem(f64::NAN, self.width());
        let mut values: SmallVec<[f64; 32]> = SmallVec::new();
        for (index, source) in self.sources.iter().enumerate() {
            let each = 2 * self.sources.len() + index * self.each;
            let unit = pool.unit(source.unit);
            values.resize(unit.width(), f64::NAN);
            let (mut count, mut sum, mut largest) = (0_u32, 0.0, f64::NAN);
            for (place, slot) in hops[source.hop].iter().enumerate() {
                unit.read_key(*slot, facts.time, &mut values);
                let value = values[source.local];
                if place < self.each {
                    columns[each + place] = value;
                }
                if !value.is_nan() {
                    count += 1;
                    sum += value;
                    largest = value.max(largest);
                }
            }
            let mean = if count == 0 {
                f64::NAN
            } else {
                sum / f64::from(count)
            };
            (columns[2 * index], columns[2 * index + 1]) = (mean, largest);
        }
        columns
    }
}
