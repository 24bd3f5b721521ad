//! One tree: nodes are split until nothing lowers the loss.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

use super::histogram::{Histogram, NodeRows, Pair, Sum, build};
use super::rows::{Route, Rows};
use super::split::{Bounds, Candidate, Direction, Penalty, Rule, Split};
use super::workers::Workers;
use crate::binning::{BinnedColumn, BinnedMatrix, Cuts};
use crate::forest::{Node, Tree};

/// Memory that the histograms of the nodes split at once may take.
const HISTOGRAM_BYTES_MAX: usize = 512 * 1024 * 1024;

/// How a tree grows.
#[derive(Clone, Debug)]
pub(super) struct Growth {
    pub(super) penalty: Penalty,
    pub(super) learning_rate: f64,
    /// 0 is no limit.
    pub(super) max_depth: usize,
    /// 0 is no limit.
    pub(super) max_leaves: usize,
    /// The node of the greatest gain first, instead of level by level.
    pub(super) lossguide: bool,
    /// One a column of the binned matrix.
    pub(super) directions: Vec<Direction>,
}

/// What a tree needs to know of its data.
pub(super) struct Ground<'a> {
    pub(super) bins: &'a BinnedMatrix,
    pub(super) workers: &'a Workers,
    pub(super) growth: &'a Growth,
    /// The gradients of every row.
    pub(super) pairs: &'a [Pair],
    /// Whether each column of the binned matrix may be used.
    pub(super) enabled: &'a [bool],
    /// What the tree adds to the margin of each of its rows (the bits of an `f32`).
    pub(super) added: &'a [AtomicU32],
}

/// A leaf that can be split.
struct Open {
    node: usize,
    depth: usize,
    range: Range<usize>,
    bounds: Bounds,
    histogram: Histogram,
    split: Split,
}

/// A child whose splits are to be weighed.
struct Child {
    node: usize,
    depth: usize,
    range: Range<usize>,
    bounds: Bounds,
    sum: Sum,
}

/// Buffers that one tree leaves to the next.
pub(super) struct Grower {
    pub(super) rows: Rows,
    pool: Vec<Histogram>,
}

impl Grower {
    pub(super) fn new() -> Grower {
        Grower {
            rows: Rows::new(),
            pool: Vec::new(),
        }
    }

    /// Grows a tree over the rows that `rows` was started with.
    pub(super) fn grow(&mut self, ground: &Ground<'_>) -> Tree {
        let everything = 0..self.rows.len();
        let total = self.total(ground);
        let mut tree = Tree { nodes: Vec::new() };
        push_leaf(&mut tree, ground.growth, total, Bounds::default());
        let root = Child {
            node: 0,
            depth: 0,
            range: everything,
            bounds: Bounds::default(),
            sum: total,
        };
        let mut frontier = self.open_root(ground, root);
        let at_once = self.at_once(ground);
        let mut n_leaves = 1;
        while !frontier.is_empty() {
            let mut batch = next(&mut frontier, ground.growth, at_once, n_leaves);
            if batch.is_empty() {
                break;
            }
            n_leaves += batch.len();
            batch.sort_by_key(|open| open.range.start);
            let opened = self.split(ground, &mut tree, batch);
            frontier.extend(opened);
        }
        for open in frontier {
            self.close(ground, &tree, open.node, &open.range);
            self.pool.push(open.histogram);
        }
        tree
    }

    fn at_once(&self, ground: &Ground<'_>) -> usize {
        let bins: usize = ground.bins.columns.iter().map(BinnedColumn::n_bins).sum();
        (HISTOGRAM_BYTES_MAX / (bins.max(1) * size_of::<Sum>())).max(1)
    }

    /// The gradients of all rows, summed in pieces of fixed length.
    fn total(&self, ground: &Ground<'_>) -> Sum {
        const PIECE: usize = 8_192;
        let rows = self.rows.of(&(0..self.rows.len()));
        let pieces = ground.workers.each(rows.chunks(PIECE).collect(), |rows| {
            rows.iter()
                .map(|row| Sum::from(ground.pairs[*row as usize]))
                .fold(Sum::default(), |a, b| a + b)
        });
        pieces.into_iter().fold(Sum::default(), |a, b| a + b)
    }

    fn histogram(&mut self, bins: &BinnedMatrix) -> Histogram {
        self.pool.pop().unwrap_or_else(|| Histogram::new(bins))
    }

    fn open_root(&mut self, ground: &Ground<'_>, root: Child) -> Vec<Open> {
        let mut histogram = self.histogram(ground.bins);
        let rows = if self.rows.len() == ground.bins.n_rows {
            NodeRows::All(ground.pairs)
        } else {
            self.rows.gather(
                ground.workers,
                std::slice::from_ref(&root.range),
                ground.pairs,
            );
            NodeRows::Some(self.rows.of(&root.range), self.rows.pairs_of(&root.range))
        };
        let tasks = histogram.blocks.iter_mut().enumerate().collect();
        let best = ground
            .workers
            .each_with_scratch(tasks, |(block, out), scratch| {
                build(
                    ground.bins,
                    &ground.bins.blocks[block],
                    rows,
                    scratch,
                    out,
                    None,
                );
                ground.best(block, out, &root)
            });
        match best.into_iter().flatten().reduce(better) {
            Some(split) => vec![root.open(histogram, split)],
            None => {
                ground.put(self.rows.of(&root.range), leaf_value(ground, &root));
                self.pool.push(histogram);
                Vec::new()
            }
        }
    }

    /// Splits some nodes (ascending by range); gives their children that can be split further.
    fn split(&mut self, ground: &Ground<'_>, tree: &mut Tree, batch: Vec<Open>) -> Vec<Open> {
        let mut inner = Vec::new();
        for open in batch {
            let children = write_split(tree, ground, &open);
            if children.iter().any(|child| ground.can_split(child)) {
                inner.push((open, children));
            } else {
                let values = children.each_ref().map(|c| tree.nodes[c.node].value);
                let route = Route::new(ground.bins, &open.split);
                ground.put_split(&route, self.rows.of(&open.range), values);
                self.pool.push(open.histogram);
            }
        }
        let parted: Vec<(Range<usize>, Route<'_>)> = inner
            .iter()
            .map(|(open, _)| (open.range.clone(), Route::new(ground.bins, &open.split)))
            .collect();
        let n_left = self.rows.part(ground.workers, &parted);
        drop(parted);
        let mut families = Vec::new();
        for ((open, [mut left, mut right]), n_left) in inner.into_iter().zip(n_left) {
            let middle = open.range.start + n_left;
            left.range = open.range.start..middle;
            right.range = middle..open.range.end;
            let left_is_small = left.range.len() <= right.range.len();
            families.push(Family {
                small_histogram: self.histogram(ground.bins),
                large_histogram: open.histogram,
                small_first: left_is_small,
                children: [left, right],
            });
        }
        self.weigh(ground, tree, families)
    }

    /// Builds the histograms of both children of each family and finds their best splits.
    fn weigh(&mut self, ground: &Ground<'_>, tree: &Tree, mut families: Vec<Family>) -> Vec<Open> {
        let ranges: Vec<Range<usize>> = families.iter().map(|f| f.small().range.clone()).collect();
        self.rows.gather(ground.workers, &ranges, ground.pairs);
        let rows = &self.rows;
        let n_blocks = ground.bins.blocks.len();
        let mut tasks = Vec::with_capacity(families.len() * n_blocks);
        for family in &mut families {
            let Family {
                small_histogram,
                large_histogram,
                children,
                small_first,
            } = family;
            let (small, large) = order(children, *small_first);
            let blocks = small_histogram
                .blocks
                .iter_mut()
                .zip(&mut large_histogram.blocks);
            for (block, (small_sums, large_sums)) in blocks.enumerate() {
                tasks.push((block, small, large, small_sums, large_sums));
            }
        }
        let best = ground.workers.each_with_scratch(
            tasks,
            |(block, small, large, small_sums, large_sums), scratch| {
                let of = NodeRows::Some(rows.of(&small.range), rows.pairs_of(&small.range));
                let columns = &ground.bins.blocks[block];
                build(
                    ground.bins,
                    columns,
                    of,
                    scratch,
                    small_sums,
                    Some(large_sums),
                );
                [
                    ground.best(block, small_sums, small),
                    ground.best(block, large_sums, large),
                ]
            },
        );
        let mut opened = Vec::new();
        let mut best = best.into_iter();
        for family in families {
            let mut splits = [None, None];
            for found in best.by_ref().take(n_blocks) {
                for (best, found) in splits.iter_mut().zip(found) {
                    *best = best.take().into_iter().chain(found).reduce(better);
                }
            }
            for (child, histogram, split) in family.apart(splits) {
                if let Some(split) = split {
                    opened.push(child.open(histogram, split));
                } else {
                    self.close(ground, tree, child.node, &child.range);
                    self.pool.push(histogram);
                }
            }
        }
        opened
    }

    fn close(&self, ground: &Ground<'_>, tree: &Tree, node: usize, range: &Range<usize>) {
        ground.put(self.rows.of(range), tree.nodes[node].value);
    }
}

/// The two children of a node that was split.
struct Family {
    small_histogram: Histogram,
    /// The parent's, until the small child's is taken off.
    large_histogram: Histogram,
    small_first: bool,
    children: [Child; 2],
}

fn order(children: &[Child; 2], small_first: bool) -> (&Child, &Child) {
    let [left, right] = children;
    if small_first {
        (left, right)
    } else {
        (right, left)
    }
}

impl Family {
    fn small(&self) -> &Child {
        order(&self.children, self.small_first).0
    }

    /// Each child with its histogram and its best split; `splits` are small, large.
    fn apart(self, splits: [Option<Split>; 2]) -> [(Child, Histogram, Option<Split>); 2] {
        let [left, right] = self.children;
        let [small_split, large_split] = splits;
        let (small, large) = (self.small_histogram, self.large_histogram);
        if self.small_first {
            [(left, small, small_split), (right, large, large_split)]
        } else {
            [(left, large, large_split), (right, small, small_split)]
        }
    }
}

impl Child {
    fn open(self, histogram: Histogram, split: Split) -> Open {
        Open {
            node: self.node,
            depth: self.depth,
            range: self.range,
            bounds: self.bounds,
            histogram,
            split,
        }
    }
}

impl Ground<'_> {
    fn can_split(&self, child: &Child) -> bool {
        let Growth {
            max_depth, penalty, ..
        } = self.growth;
        (*max_depth == 0 || child.depth < *max_depth)
            && child.sum.hessian >= 2.0 * penalty.min_child_weight
    }

    /// The best split of a node among the columns of one block.
    fn best(&self, block: usize, sums: &[Sum], child: &Child) -> Option<Split> {
        if !self.can_split(child) {
            return None;
        }
        let candidate = Candidate {
            penalty: &self.growth.penalty,
            total: child.sum,
            bounds: child.bounds,
            constrained: self.growth.directions.iter().any(|d| *d != Direction::Free),
        };
        let mut start = 0;
        let mut best = None;
        for &member in &self.bins.blocks[block].members {
            let column = &self.bins.columns[member];
            let end = start + column.n_bins();
            if self.enabled[member] {
                let direction = self.growth.directions[member];
                let found = candidate.best(member, column, &sums[start..end], direction);
                best = best.into_iter().chain(found).reduce(better);
            }
            start = end;
        }
        best
    }

    fn put(&self, rows: &[u32], value: f32) {
        let bits = value.to_bits();
        let pieces = rows.chunks(self.workers.piece(rows.len())).collect();
        self.workers.each(pieces, |rows| {
            for row in rows {
                self.added[*row as usize].store(bits, Ordering::Relaxed);
            }
        });
    }

    fn put_split(&self, route: &Route<'_>, rows: &[u32], [left, right]: [f32; 2]) {
        let pieces = rows.chunks(self.workers.piece(rows.len())).collect();
        self.workers.each(pieces, |rows| {
            route.pick(rows, left, right, |row, value| {
                self.added[row as usize].store(value.to_bits(), Ordering::Relaxed);
            });
        });
    }
}

/// The greater gain; of two equal ones the earlier column.
fn better(a: Split, b: Split) -> Split {
    let b_wins = b.gain > a.gain || (b.gain == a.gain && b.column < a.column);
    if b_wins { b } else { a }
}

/// Takes the nodes to be split next off the frontier.
fn next(frontier: &mut Vec<Open>, growth: &Growth, at_once: usize, n_leaves: usize) -> Vec<Open> {
    let allowed = match growth.max_leaves {
        0 => usize::MAX,
        most => most.saturating_sub(n_leaves),
    };
    if allowed == 0 {
        return Vec::new();
    }
    if growth.lossguide {
        let gain = |open: &Open| open.split.gain;
        let best = (0..frontier.len()).max_by(|&a, &b| {
            let (a, b) = (&frontier[a], &frontier[b]);
            gain(a).total_cmp(&gain(b)).then(b.node.cmp(&a.node))
        });
        return best.map(|i| frontier.swap_remove(i)).into_iter().collect();
    }
    if allowed < frontier.len() {
        // The last leaves go to the nodes that come first.
        return frontier.drain(..allowed.min(at_once)).collect();
    }
    // Nodes from the end when there are too many for the memory: the deepest are done first.
    frontier.split_off(frontier.len().saturating_sub(at_once))
}

fn leaf_value(ground: &Ground<'_>, child: &Child) -> f32 {
    let weight = ground.growth.penalty.weight(child.sum, child.bounds);
    (ground.growth.learning_rate * weight) as f32
}

fn push_leaf(tree: &mut Tree, growth: &Growth, sum: Sum, bounds: Bounds) -> usize {
    tree.nodes.push(Node {
        feature: 0,
        threshold: 0.0,
        categories: None,
        default_left: false,
        left: 0,
        right: 0,
        value: (growth.learning_rate * growth.penalty.weight(sum, bounds)) as f32,
        gain: 0.0,
        cover: sum.hessian as f32,
    });
    tree.nodes.len() - 1
}

/// Turns a leaf into a split with two leaves; their ranges are not known yet.
fn write_split(tree: &mut Tree, ground: &Ground<'_>, open: &Open) -> [Child; 2] {
    let split = &open.split;
    let column = &ground.bins.columns[split.column];
    let bounds = child_bounds(ground.growth, open);
    let sums = [split.left, split.right];
    let nodes = [0, 1].map(|i| push_leaf(tree, ground.growth, sums[i], bounds[i]));
    let node = &mut tree.nodes[open.node];
    node.feature = column.column as u32;
    node.default_left = split.default_left;
    node.gain = split.gain as f32;
    (node.left, node.right) = (nodes[0] as u32, nodes[1] as u32);
    match (&split.rule, &column.cuts) {
        (Rule::UpTo(cut), Cuts::Number(cuts)) => node.threshold = cuts[*cut],
        (Rule::Categories(right), _) => node.categories = Some(right.clone().into()),
        (Rule::UpTo(_), Cuts::Category) => unreachable!("categories are split by sets"),
    }
    [0, 1].map(|i| Child {
        node: nodes[i],
        depth: open.depth + 1,
        range: 0..0,
        bounds: bounds[i],
        sum: sums[i],
    })
}

/// A monotone column's children may not cross the middle of their weights.
fn child_bounds(growth: &Growth, open: &Open) -> [Bounds; 2] {
    let split = &open.split;
    let direction = growth.directions[split.column];
    if direction == Direction::Free {
        return [open.bounds; 2];
    }
    let weights = [split.left, split.right].map(|sum| growth.penalty.weight(sum, open.bounds));
    let middle = (weights[0] + weights[1]) / 2.0;
    let below = Bounds {
        high: middle,
        ..open.bounds
    };
    let above = Bounds {
        low: middle,
        ..open.bounds
    };
    match direction {
        Direction::Up => [below, above],
        _ => [above, below],
    }
}
