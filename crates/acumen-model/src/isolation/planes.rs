//! Isolation trees whose splits are planes through several columns (Hariri, Carrasco Kind and
//! Brunner 2019, "Extended isolation forest"), laid out flat.
//!
//! A plane is `Σ weight (value − center)`; what is at most 0 goes left. Two things are ours, so
//! that any row can be scored: a missing value adds nothing, as if it lay on the plane, and every
//! split gives each category a number in [0, 1) by chance, because categories have no order.

use acumen_base::Deadline;
use serde::{Deserialize, Serialize};

use super::{IsolationForest, IsolationNode, Place};
use acumen_base::random::{mix, unit};

/// Trees between two looks at the deadline.
const TREES_PER_CHECK: usize = 16;

/// What one column adds to a plane.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    from = "(u32, f32, f32, Option<u32>)",
    into = "(u32, f32, f32, Option<u32>)"
)]
pub struct Term {
    /// Which column.
    pub column: u32,
    /// How steep the plane is along it.
    pub weight: f32,
    /// Where the plane passes.
    pub center: f32,
    /// Of a category column: what its numbers by chance follow from.
    pub salt: Option<u32>,
}

impl From<(u32, f32, f32, Option<u32>)> for Term {
    fn from((column, weight, center, salt): (u32, f32, f32, Option<u32>)) -> Term {
        Term {
            column,
            weight,
            center,
            salt,
        }
    }
}

impl From<Term> for (u32, f32, f32, Option<u32>) {
    fn from(term: Term) -> Self {
        (term.column, term.weight, term.center, term.salt)
    }
}

impl Term {
    pub(super) fn is_finite(&self) -> bool {
        self.weight.is_finite() && self.center.is_finite()
    }

    /// What a value adds.
    #[inline]
    pub(crate) fn of(&self, value: f32) -> f32 {
        if value.is_nan() {
            return 0.0;
        }
        let value = match self.salt {
            Some(salt) => unit(mix(u64::from(salt) ^ mix(value as u64))) as f32,
            None => value,
        };
        self.weight * (value - self.center)
    }
}

/// Whether a row lies on a plane or beneath it.
#[inline]
pub(crate) fn is_beneath(terms: &[Term], value: impl Fn(usize) -> f32) -> bool {
    let height = |sum: f32, term: &Term| sum + term.of(value(term.column as usize));
    terms.iter().fold(0.0, height) <= 0.0
}

/// The trees node by node, ready to answer.
#[derive(Clone, Debug)]
pub(super) struct Planes {
    roots: Vec<u32>,
    nodes: Vec<PlaneNode>,
    terms: Vec<Term>,
}

#[derive(Clone, Copy, Debug)]
struct PlaneNode {
    first: u32,
    /// How many terms; 0 for a leaf.
    count: u32,
    left: u32,
    right: u32,
    length: f64,
}

impl Planes {
    /// Lays out a forest.
    ///
    /// # Panics
    /// If it does not pass [`IsolationForest::check`].
    pub(super) fn new(forest: &IsolationForest) -> Planes {
        let mut planes = Planes {
            roots: Vec::new(),
            nodes: Vec::new(),
            terms: Vec::new(),
        };
        for tree in &forest.trees {
            let root = planes.nodes.len() as u32;
            planes.roots.push(root);
            let places = tree.places().expect("a checked tree");
            for (node, place) in tree.nodes.iter().zip(places) {
                planes.push(root, node, place);
            }
        }
        planes
    }

    fn push(&mut self, root: u32, node: &IsolationNode, place: Place) {
        let first = self.terms.len() as u32;
        if let IsolationNode::Plane(terms) = node {
            self.terms.extend(terms);
        }
        self.nodes.push(PlaneNode {
            first,
            count: self.terms.len() as u32 - first,
            left: root + place.left,
            right: root + place.right,
            length: place.length,
        });
    }

    /// The sum of a row's path lengths; `None` where the deadline expired first.
    pub(super) fn length_before(&self, row: &[f32], deadline: &Deadline) -> Option<f32> {
        let mut sum = 0.0;
        for roots in self.roots.chunks(TREES_PER_CHECK) {
            if deadline.expired() {
                return None;
            }
            sum = self.add(roots, |column| row[column], sum);
        }
        Some(sum)
    }

    /// The same without a deadline.
    pub(super) fn length(&self, value: impl Fn(usize) -> f32) -> f32 {
        self.add(&self.roots, value, 0.0)
    }

    fn add(&self, roots: &[u32], value: impl Fn(usize) -> f32, sum: f32) -> f32 {
        roots.iter().fold(sum, |sum, root| {
            let mut node = &self.nodes[*root as usize];
            while node.count > 0 {
                let beneath = is_beneath(self.terms_of(node), &value);
                node = &self.nodes[if beneath { node.left } else { node.right } as usize];
            }
            sum + node.length as f32
        })
    }

    fn terms_of(&self, node: &PlaneNode) -> &[Term] {
        &self.terms[node.first as usize..][..node.count as usize]
    }

    /// The sum of the mean path lengths, and how much each column moved that of a row from it.
    ///
    /// Every split moves the mean length from its own to that of the child; the move is shared by
    /// its columns in proportion to what each adds to the plane (as [`Term::of`] says), or
    /// equally where none adds anything. The moves along a path add up to its length exactly.
    pub(super) fn explain(&self, row: &[f32]) -> (f64, Vec<f64>) {
        let mut moved = vec![0.0; row.len()];
        let mut expected = 0.0;
        for root in &self.roots {
            let mut node = &self.nodes[*root as usize];
            expected += node.length;
            while node.count > 0 {
                let terms = self.terms_of(node);
                let beneath = is_beneath(terms, |column| row[column]);
                let child = &self.nodes[if beneath { node.left } else { node.right } as usize];
                share(terms, row, child.length - node.length, &mut moved);
                node = child;
            }
        }
        (expected, moved)
    }
}

fn share(terms: &[Term], row: &[f32], moved_by: f64, moved: &mut [f64]) {
    let of = |term: &Term| f64::from(term.of(row[term.column as usize]).abs());
    let total: f64 = terms.iter().map(of).sum();
    for term in terms {
        let share = match total.is_finite() && total > 0.0 {
            true => of(term) / total,
            false => 1.0 / terms.len() as f64,
        };
        moved[term.column as usize] += share * moved_by;
    }
}
