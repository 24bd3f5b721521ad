//! Which rows are in which node: one list of row numbers, parted in place.

use std::ops::Range;

use super::histogram::Pair;
use super::split::{Rule, Split};
use super::workers::Workers;
use crate::binning::{BinnedMatrix, Block, NARROW_SLOTS, WIDE_SLOTS};

/// The rows of the tree that grows: those of a node are one range, ascending.
pub(super) struct Rows {
    list: Vec<u32>,
    scratch: Vec<u32>,
    pairs: Vec<Pair>,
}

/// Where the bins of one split go.
pub(super) struct Route<'a> {
    words: &'a [u64],
    shift: u32,
    goes_left: Vec<bool>,
}

impl<'a> Route<'a> {
    pub(super) fn new(bins: &'a BinnedMatrix, split: &Split) -> Route<'a> {
        let column = &bins.columns[split.column];
        let (block, place) = bins.places[split.column];
        let block: &Block = &bins.blocks[block];
        let slots = match block.packing {
            crate::binning::Packing::Narrow => NARROW_SLOTS,
            crate::binning::Packing::Wide => WIDE_SLOTS,
        };
        let mut goes_left = vec![false; slots];
        match &split.rule {
            Rule::UpTo(cut) => goes_left[..=*cut].fill(true),
            Rule::Categories(right) => {
                goes_left[..column.n_values].fill(true);
                right
                    .iter()
                    .for_each(|bin| goes_left[*bin as usize] = false);
            }
        }
        if column.has_missing {
            goes_left[column.n_values] = split.default_left;
        }
        Route {
            words: &block.words,
            shift: block.shift(place),
            goes_left,
        }
    }

    #[inline]
    fn is_left(&self, row: u32) -> bool {
        let slot = (self.words[row as usize] >> self.shift) as usize;
        // The number of slots is a power of two, so the mask cuts off the neighbours' bits.
        self.goes_left[slot & (self.goes_left.len() - 1)]
    }

    /// Which of two values each row gets.
    pub(super) fn pick(&self, rows: &[u32], left: f32, right: f32, put: impl Fn(u32, f32)) {
        for &row in rows {
            put(row, if self.is_left(row) { left } else { right });
        }
    }

    /// Moves the rows that go left to the front, both parts in order; gives how many do.
    fn part(&self, rows: &mut [u32], scratch: &mut [u32]) -> usize {
        let mut n_left = 0;
        for i in 0..rows.len() {
            let row = rows[i];
            rows[n_left] = row;
            scratch[i - n_left] = row;
            n_left += usize::from(self.is_left(row));
        }
        let n_right = rows.len() - n_left;
        rows[n_left..].copy_from_slice(&scratch[..n_right]);
        n_left
    }
}

impl Rows {
    pub(super) fn new() -> Rows {
        Rows {
            list: Vec::new(),
            scratch: Vec::new(),
            pairs: Vec::new(),
        }
    }

    /// Starts a tree with these rows.
    pub(super) fn start(&mut self, rows: impl Iterator<Item = u32>) {
        self.list.clear();
        self.list.extend(rows);
        self.scratch.resize(self.list.len(), 0);
        self.pairs.resize(self.list.len(), [0.0; 2]);
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn of(&self, range: &Range<usize>) -> &[u32] {
        &self.list[range.clone()]
    }

    /// The gradients of a range that was gathered.
    pub(super) fn pairs_of(&self, range: &Range<usize>) -> &[Pair] {
        &self.pairs[range.clone()]
    }

    /// Parts the rows of some nodes (ascending, apart); gives how many of each go left.
    pub(super) fn part(
        &mut self,
        workers: &Workers,
        nodes: &[(Range<usize>, Route<'_>)],
    ) -> Vec<usize> {
        let mut tasks = Vec::new();
        let mut rest = (self.list.as_mut_slice(), self.scratch.as_mut_slice());
        let mut done = 0;
        for (node, (range, route)) in nodes.iter().enumerate() {
            let piece = workers.piece(range.len());
            let mut start = range.start;
            while start < range.end {
                let end = (start + piece).min(range.end);
                let rows = take(&mut rest.0, start - done, end - start);
                let scratch = take(&mut rest.1, start - done, end - start);
                tasks.push((node, route, rows, scratch));
                (start, done) = (end, end);
            }
        }
        let parted = workers.each(tasks, |(node, route, rows, scratch)| {
            (node, rows.len(), route.part(rows, scratch))
        });
        let mut n_left = vec![0; nodes.len()];
        let mut pieces: Vec<Vec<(usize, usize)>> = vec![Vec::new(); nodes.len()];
        for (node, length, left) in parted {
            n_left[node] += left;
            pieces[node].push((length, left));
        }
        for ((range, _), pieces) in nodes.iter().zip(&pieces) {
            join(&mut self.list[range.clone()], &mut self.scratch, pieces);
        }
        n_left
    }

    /// Gathers the gradients of some ranges (ascending, apart) into the order of their rows.
    pub(super) fn gather(&mut self, workers: &Workers, ranges: &[Range<usize>], pairs: &[Pair]) {
        let mut tasks = Vec::new();
        let mut rest = self.pairs.as_mut_slice();
        let mut done = 0;
        for range in ranges {
            let piece = workers.piece(range.len());
            let mut start = range.start;
            while start < range.end {
                let end = (start + piece).min(range.end);
                let out = take(&mut rest, start - done, end - start);
                tasks.push((&self.list[start..end], out));
                (start, done) = (end, end);
            }
        }
        workers.each(tasks, |(rows, out)| {
            for (out, row) in out.iter_mut().zip(rows) {
                *out = pairs[*row as usize];
            }
        });
    }
}

/// Cuts `length` items off the front of a slice, after skipping some.
fn take<'a, T>(rest: &mut &'a mut [T], skip: usize, length: usize) -> &'a mut [T] {
    let (_, after) = std::mem::take(rest).split_at_mut(skip);
    let (taken, after) = after.split_at_mut(length);
    *rest = after;
    taken
}

/// Makes one parted list of pieces that were each parted: (length, how many go left) a piece.
fn join(rows: &mut [u32], scratch: &mut [u32], pieces: &[(usize, usize)]) {
    if pieces.len() < 2 {
        return;
    }
    let (mut start, mut n_left, mut n_right) = (0, 0, 0);
    for (length, left) in pieces {
        let right = length - left;
        scratch[n_right..n_right + right].copy_from_slice(&rows[start + left..start + length]);
        rows.copy_within(start..start + left, n_left);
        (start, n_left, n_right) = (start + length, n_left + left, n_right + right);
    }
    rows[n_left..].copy_from_slice(&scratch[..n_right]);
}
