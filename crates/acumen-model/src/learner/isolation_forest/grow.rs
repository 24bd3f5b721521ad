//! One tree: rows are parted by chance until each is alone or the tree is deep enough.

use super::views::{Seen, View};
use crate::data::Matrix;
use crate::isolation::{IsolationNode, IsolationTree, Term, is_beneath};
use acumen_base::random::Stream;

/// What a tree is grown from.
pub(super) struct Ground<'a> {
    pub(super) matrix: &'a Matrix,
    /// The columns that it may use.
    pub(super) columns: Vec<u32>,
    /// How many columns besides the first a plane goes through; 0 is no plane.
    pub(super) extension_level: usize,
    pub(super) random: Stream,
}

/// Grows a tree to the depth at which a balanced one has a row a leaf: deeper paths are those of
/// the ordinary rows (section 3 of Liu et al.).
pub(super) fn grow(mut ground: Ground<'_>, mut rows: Vec<u32>) -> IsolationTree {
    let deepest = usize::BITS - rows.len().saturating_sub(1).leading_zeros();
    let mut nodes = Vec::new();
    let mut open = vec![(0..rows.len(), 0)];
    while let Some((range, depth)) = open.pop() {
        let here = &mut rows[range.clone()];
        let split = match here.len() {
            2.. if depth < deepest => ground.split(here),
            _ => None,
        };
        let Some(split) = split else {
            nodes.push(IsolationNode::Leaf(here.len() as u32));
            continue;
        };
        here.sort_by_key(|row| !ground.goes_left(&split, *row));
        let left = here.partition_point(|row| ground.goes_left(&split, *row));
        let middle = range.start + left;
        open.push((middle..range.end, depth + 1));
        open.push((range.start..middle, depth + 1));
        nodes.push(split);
    }
    IsolationTree { nodes }
}

impl Ground<'_> {
    /// A split by chance; `None` where the rows are the same on every column.
    fn split(&mut self, rows: &[u32]) -> Option<IsolationNode> {
        if self.extension_level > 0 {
            return self.plane(rows);
        }
        let mut untried = self.columns.clone();
        while !untried.is_empty() {
            let column = untried.swap_remove(self.random.below(untried.len()));
            let seen = Seen::of(self.matrix, column, rows).filter(Seen::parts);
            if let Some(seen) = seen {
                return Some(self.on_column(column, &seen, rows));
            }
        }
        None
    }

    fn on_column(&mut self, column: u32, seen: &Seen, rows: &[u32]) -> IsolationNode {
        let by_gap = seen.missing > 0 && (!seen.view.varies() || self.random.coin());
        match &seen.view {
            // Known values go left, missing ones right.
            View::Numbers { .. } if by_gap => IsolationNode::Below(column, f32::MAX, false),
            View::Categories(_) if by_gap => IsolationNode::Among(column, [].into(), false),
            View::Numbers { least, most } => self.threshold(column, (*least, *most), rows),
            View::Categories(present) => self.halves(column, present, rows),
        }
    }

    /// A threshold above the least value, and up to the greatest, so that no side is empty.
    fn threshold(&mut self, column: u32, (least, most): (f32, f32), rows: &[u32]) -> IsolationNode {
        let at = f64::from(least) + self.random.unit() * (f64::from(most) - f64::from(least));
        let threshold = if at as f32 > least { at as f32 } else { most };
        let values = &self.matrix.data[column as usize];
        let known = rows.iter().map(|row| values[*row as usize]);
        let (mut below, mut above) = (0, 0);
        known.for_each(|value| {
            below += usize::from(value < threshold);
            above += usize::from(value >= threshold);
        });
        IsolationNode::Below(column, threshold, below > above)
    }

    /// A random part of the categories; those with more rows go right, because an ordinal that is
    /// not named goes left.
    fn halves(&mut self, column: u32, present: &[u32], rows: &[u32]) -> IsolationNode {
        let mut side: Vec<bool> = present.iter().map(|_| self.random.coin()).collect();
        if side.iter().all(|right| *right == side[0]) {
            let other = self.random.below(side.len());
            side[other] = !side[other];
        }
        let of = |right: bool| -> Box<[u32]> {
            let chosen = present
                .iter()
                .zip(&side)
                .filter(|(_, side)| **side == right);
            chosen.map(|(ordinal, _)| *ordinal).collect()
        };
        let values = &self.matrix.data[column as usize];
        let count = |set: &[u32]| {
            let values = rows.iter().map(|row| values[*row as usize]);
            let known = values.filter(|value| !value.is_nan());
            known
                .filter(|value| set.binary_search(&(*value as u32)).is_ok())
                .count()
        };
        let (one, other) = (of(true), of(false));
        let right = if count(&one) >= count(&other) {
            one
        } else {
            other
        };
        IsolationNode::Among(column, right, false)
    }

    /// A plane through a point of the rows' box, in a direction by chance.
    fn plane(&mut self, rows: &[u32]) -> Option<IsolationNode> {
        let mut varied: Vec<(u32, View)> = self
            .columns
            .iter()
            .filter_map(|column| Some((*column, Seen::of(self.matrix, *column, rows)?.view)))
            .filter(|(_, view)| view.varies())
            .collect();
        let wanted = (self.extension_level + 1).min(varied.len());
        for place in 0..wanted {
            let other = place + self.random.below(varied.len() - place);
            varied.swap(place, other);
        }
        varied.truncate(wanted);
        let terms: Vec<Term> = varied
            .iter()
            .map(|(column, view)| self.term(*column, view))
            .collect();
        (!terms.is_empty()).then_some(IsolationNode::Plane(terms))
    }

    fn term(&mut self, column: u32, view: &View) -> Term {
        let (normal, share) = (self.random.normal(), self.random.unit());
        match view {
            View::Numbers { least, most } => {
                let (least, most) = (f64::from(*least), f64::from(*most));
                let weight = (normal / (most - least)) as f32;
                Term {
                    column,
                    weight: weight.clamp(f32::MIN, f32::MAX),
                    center: (least + share * (most - least)) as f32,
                    salt: None,
                }
            }
            View::Categories(_) => Term {
                column,
                weight: normal as f32,
                center: share as f32,
                salt: Some(self.random.bits() as u32),
            },
        }
    }

    fn goes_left(&self, split: &IsolationNode, row: u32) -> bool {
        let value = |column: usize| self.matrix.data[column][row as usize];
        match split {
            IsolationNode::Plane(terms) => is_beneath(terms, value),
            IsolationNode::Below(column, threshold, missing_left) => {
                let value = value(*column as usize);
                value < *threshold || (value.is_nan() && *missing_left)
            }
            IsolationNode::Among(column, right, missing_left) => {
                let value = value(*column as usize);
                match value.is_nan() {
                    true => *missing_left,
                    false => right.binary_search(&(value as u32)).is_err(),
                }
            }
            IsolationNode::Leaf(_) => false,
        }
    }
}
