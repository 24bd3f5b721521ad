//! A forest laid out for speed: a few microseconds a row, without allocation for usual widths.
//!
//! Eight consecutive trees are walked in lockstep, so that the loads of one hide the latency of
//! the others. Trees are padded to complete ones, so that a step is `at = 2·at + right` without
//! a branch. A row is first turned into *slots*: floats become integers of the same order, and
//! each column gets two slots, one where missing sorts last (goes right) and one where it sorts
//! first (goes left), so that a missing value costs nothing at a node.
//!
//! The margin is the base margin plus the leaves in tree order, in `f32`, as XGBoost adds them.

use acumen_base::Deadline;
use rayon::prelude::*;

use crate::data::Matrix;
use crate::forest::{CATEGORY_ORDINAL_MAX, Forest, Node, Objective, Tree};

mod layout;

use layout::{Block, DEPTH_PADDED_MAX, DeepNode, LANES, PackedNode};

/// Rows that are walked through one block of trees before the next block is loaded.
const ROWS_TOGETHER: usize = 64;
/// Rows of one unit of parallel work.
const ROWS_PER_TASK: usize = 2_048;
/// Slots that fit on the stack: rows of up to 170 columns.
const SLOTS_ON_STACK: usize = 512;
/// Blocks of trees between two looks at the deadline.
const BLOCKS_PER_CHECK: usize = 8;
/// The slot that always goes left, by which shallow trees are padded.
const SLOT_LEFT: u32 = 0;
/// Marks the slot of a category split.
const CATEGORY_BIT: u32 = 1 << 31;

/// A forest that answers fast; see the module for how.
#[derive(Clone, Debug)]
pub struct CompiledForest {
    objective: Objective,
    base_margin: f32,
    n_features: usize,
    blocks: Vec<Block>,
    nodes: Vec<PackedNode>,
    leaves: Vec<f32>,
    deep: Vec<DeepNode>,
    sets: Vec<CategorySet>,
}

/// The ordinals of one category split that go right, as bits.
#[derive(Clone, Debug)]
struct CategorySet {
    right: Box<[u64]>,
    default_left: bool,
}

impl CompiledForest {
    /// Lays out a forest.
    ///
    /// # Panics
    /// If the forest does not pass [`Forest::check`].
    pub fn new(forest: &Forest) -> CompiledForest {
        let mut compiled = CompiledForest {
            objective: forest.objective,
            base_margin: forest.base_margin(),
            n_features: forest.n_features,
            blocks: Vec::new(),
            nodes: Vec::new(),
            leaves: Vec::new(),
            deep: Vec::new(),
            sets: Vec::new(),
        };
        for trees in forest.trees.chunks(LANES) {
            let depth = trees.iter().map(Tree::depth).max().unwrap_or(0).max(1);
            if depth <= DEPTH_PADDED_MAX {
                compiled.push_padded(trees, depth);
            } else {
                compiled.push_deep(trees);
            }
        }
        compiled
    }

    /// How many columns a row has.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// The margin of one row; a missing value is NaN.
    ///
    /// # Panics
    /// If the row does not have [`CompiledForest::n_features`] values.
    pub fn margin(&self, row: &[f32]) -> f32 {
        self.margin_while(row, || true)
            .expect("nothing stops the walk")
    }

    /// The margin of one row, or `None` where the deadline passed first.
    ///
    /// # Panics
    /// If the row does not have [`CompiledForest::n_features`] values.
    pub fn margin_before(&self, row: &[f32], deadline: &Deadline) -> Option<f32> {
        self.margin_while(row, || !deadline.expired())
    }

    /// The probability or value of one row.
    ///
    /// # Panics
    /// If the row does not have [`CompiledForest::n_features`] values.
    pub fn predict(&self, row: &[f32]) -> f64 {
        self.objective.transform(self.margin(row))
    }

    /// The margins of many rows, on all cores; bit-equal to one by one.
    ///
    /// # Panics
    /// If the matrix does not have [`CompiledForest::n_features`] columns.
    pub fn margins_many(&self, rows: &Matrix) -> Vec<f32> {
        assert_eq!(rows.data.len(), self.n_features, "columns of the matrix");
        let mut margins = vec![self.base_margin; rows.n_rows];
        margins
            .par_chunks_mut(ROWS_PER_TASK)
            .enumerate()
            .for_each(|(task, margins)| {
                let width = self.slot_count();
                let mut slots = vec![0_i32; ROWS_TOGETHER * width];
                for (part, margins) in margins.chunks_mut(ROWS_TOGETHER).enumerate() {
                    let first = task * ROWS_PER_TASK + part * ROWS_TOGETHER;
                    for (index, slots) in slots.chunks_mut(width).take(margins.len()).enumerate() {
                        self.fill_slots(|column| rows.data[column][first + index], slots);
                    }
                    for block in &self.blocks {
                        for (margin, slots) in margins.iter_mut().zip(slots.chunks(width)) {
                            *margin = self.add_block(block, slots, *margin);
                        }
                    }
                }
            });
        margins
    }

    /// The probabilities or values of many rows, on all cores; bit-equal to one by one.
    ///
    /// # Panics
    /// If the matrix does not have [`CompiledForest::n_features`] columns.
    pub fn predict_many(&self, rows: &Matrix) -> Vec<f64> {
        let margins = self.margins_many(rows);
        margins
            .into_iter()
            .map(|margin| self.objective.transform(margin))
            .collect()
    }

    fn margin_while(&self, row: &[f32], go_on: impl Fn() -> bool) -> Option<f32> {
        assert_eq!(row.len(), self.n_features, "values of the row");
        let width = self.slot_count();
        if width <= SLOTS_ON_STACK {
            let mut slots = [0_i32; SLOTS_ON_STACK];
            self.margin_in(row, &mut slots[..width], go_on)
        } else {
            self.margin_in(row, &mut vec![0_i32; width], go_on)
        }
    }

    fn margin_in(&self, row: &[f32], slots: &mut [i32], go_on: impl Fn() -> bool) -> Option<f32> {
        self.fill_slots(|column| row[column], slots);
        let mut margin = self.base_margin;
        for blocks in self.blocks.chunks(BLOCKS_PER_CHECK) {
            if !go_on() {
                return None;
            }
            for block in blocks {
                margin = self.add_block(block, slots, margin);
            }
        }
        Some(margin)
    }

    /// One slot that goes left, two a column, and where there are categories one more a column.
    fn slot_count(&self) -> usize {
        1 + self.n_features * if self.sets.is_empty() { 2 } else { 3 }
    }

    fn fill_slots(&self, value: impl Fn(usize) -> f32, slots: &mut [i32]) {
        slots[SLOT_LEFT as usize] = i32::MIN;
        let (numbers, categories) = slots[1..].split_at_mut(2 * self.n_features);
        for (column, pair) in numbers.chunks_exact_mut(2).enumerate() {
            let value = value(column);
            let missing = value.is_nan();
            let key = order_key(value);
            pair[0] = if missing { i32::MAX } else { key };
            pair[1] = if missing { i32::MIN } else { key };
        }
        for (column, slot) in categories.iter_mut().enumerate() {
            *slot = category_slot(value(column));
        }
    }

    fn add_block(&self, block: &Block, slots: &[i32], margin: f32) -> f32 {
        match (block.depth, self.sets.is_empty()) {
            (0, _) => self.add_deep(block, slots, margin),
            (_, false) => self.add_padded_mixed(block, slots, margin),
            (1, true) => self.add_padded::<1>(block, slots, margin),
            (2, true) => self.add_padded::<2>(block, slots, margin),
            (3, true) => self.add_padded::<3>(block, slots, margin),
            (4, true) => self.add_padded::<4>(block, slots, margin),
            (5, true) => self.add_padded::<5>(block, slots, margin),
            (6, true) => self.add_padded::<6>(block, slots, margin),
            (7, true) => self.add_padded::<7>(block, slots, margin),
            (_, true) => self.add_padded::<DEPTH_PADDED_MAX>(block, slots, margin),
        }
    }

    /// The hot loop. The depth is a constant and indices are masked, so that no check is left
    /// but that of the slot.
    fn add_padded<const DEPTH: usize>(&self, block: &Block, slots: &[i32], margin: f32) -> f32 {
        let size = 1_usize << DEPTH;
        let nodes = &self.nodes[block.first..][..size * LANES];
        let mut at = [1_usize; LANES];
        for _ in 0..DEPTH {
            for lane in 0..LANES {
                let node = nodes[lane * size + (at[lane] & (size - 1))];
                let right = slots[node.slot as usize] >= node.key;
                at[lane] = 2 * at[lane] + usize::from(right);
            }
        }
        let leaves = &self.leaves[block.first..][..size * LANES];
        (0..block.trees).fold(margin, |margin, lane| {
            margin + leaves[lane * size + (at[lane] & (size - 1))]
        })
    }

    fn add_padded_mixed(&self, block: &Block, slots: &[i32], margin: f32) -> f32 {
        let size = 1_usize << block.depth;
        let nodes = &self.nodes[block.first..][..size * LANES];
        let mut at = [1_usize; LANES];
        for _ in 0..block.depth {
            for lane in 0..LANES {
                let node = nodes[lane * size + at[lane]];
                at[lane] = 2 * at[lane] + usize::from(self.goes_right(node, slots));
            }
        }
        let leaves = &self.leaves[block.first..][..size * LANES];
        (0..block.trees).fold(margin, |margin, lane| {
            margin + leaves[lane * size + at[lane] - size]
        })
    }

    fn add_deep(&self, block: &Block, slots: &[i32], margin: f32) -> f32 {
        let roots = &self.deep[block.first..][..block.trees];
        roots.iter().fold(margin, |margin, root| {
            let mut node = root;
            while node.left != 0 {
                let right = u32::from(self.goes_right(node.split, slots));
                node = &self.deep[(node.left + right) as usize];
            }
            margin + node.value
        })
    }

    fn goes_right(&self, node: PackedNode, slots: &[i32]) -> bool {
        if node.slot & CATEGORY_BIT == 0 {
            return slots[node.slot as usize] >= node.key;
        }
        let set = &self.sets[node.key as usize];
        match slots[(node.slot & !CATEGORY_BIT) as usize] {
            CATEGORY_MISSING => !set.default_left,
            // A negative ordinal becomes a word that no set has.
            ordinal => {
                let word = set.right.get(ordinal as u32 as usize / 64);
                word.is_some_and(|word| word >> (ordinal as u32 % 64) & 1 == 1)
            }
        }
    }

    fn pack(&mut self, node: &Node) -> PackedNode {
        let column = node.feature;
        let Some(right) = &node.categories else {
            return PackedNode {
                slot: 1 + 2 * column + u32::from(node.default_left),
                key: order_key(node.threshold),
            };
        };
        let mut bits = vec![0_u64; right.last().map_or(0, |last| *last as usize / 64 + 1)];
        for ordinal in right {
            bits[*ordinal as usize / 64] |= 1 << (ordinal % 64);
        }
        self.sets.push(CategorySet {
            right: bits.into(),
            default_left: node.default_left,
        });
        PackedNode {
            slot: CATEGORY_BIT | (1 + 2 * self.n_features as u32 + column),
            key: self.sets.len() as i32 - 1,
        }
    }
}

const CATEGORY_MISSING: i32 = i32::MIN;
const CATEGORY_INVALID: i32 = -1;

fn category_slot(value: f32) -> i32 {
    if value.is_nan() {
        CATEGORY_MISSING
    } else if (0.0..CATEGORY_ORDINAL_MAX).contains(&value) {
        value as i32
    } else {
        CATEGORY_INVALID
    }
}

/// An integer that orders as the float does; both zeros are one.
fn order_key(value: f32) -> i32 {
    let bits = (value + 0.0).to_bits() as i32;
    bits ^ ((bits >> 31) as u32 >> 1) as i32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{forest_and_rows, matrix_of};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        /// The compiled forest is the forest, for any shape, missing values and categories.
        #[test]
        fn compiled_equals_the_plain_walk((forest, rows) in forest_and_rows(11)) {
            forest.check().unwrap();
            let compiled = CompiledForest::new(&forest);
            for row in &rows {
                let plain = forest.trees.iter().fold(forest.base_margin(), |m, t| m + t.value(row));
                prop_assert_eq!(compiled.margin(row).to_bits(), plain.to_bits());
            }
        }

        /// Many = fold(one), bit for bit.
        #[test]
        fn many_is_one_by_one((forest, rows) in forest_and_rows(5), copies in 1_usize..60) {
            let compiled = CompiledForest::new(&forest);
            let rows: Vec<_> = rows.iter().cycle().take(rows.len() * copies).cloned().collect();
            let many = compiled.margins_many(&matrix_of(&rows));
            for (row, many) in rows.iter().zip(many) {
                prop_assert_eq!(compiled.margin(row).to_bits(), many.to_bits());
            }
        }

        #[test]
        fn keys_order_as_floats_do(a in any::<f32>(), b in any::<f32>()) {
            prop_assume!(!a.is_nan() && !b.is_nan());
            prop_assert_eq!(order_key(a) < order_key(b), a < b);
        }
    }

    #[test]
    fn a_passed_deadline_stops_the_walk() {
        use acumen_base::{ManualClock, Time};
        let clock = ManualClock::at(Time(0));
        let deadline = Deadline::after(clock.clone(), 0, 1);
        let compiled = CompiledForest::new(&crate::sample::stump());
        assert!(
            compiled
                .margin_before(&[1.0, 0.0, 0.0], &deadline)
                .is_some()
        );
        clock.advance_nanos(1_000);
        assert_eq!(compiled.margin_before(&[1.0, 0.0, 0.0], &deadline), None);
    }
}
