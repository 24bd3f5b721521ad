//! Sums of gradients by bin: the inner loop of training.
//!
//! A task is one block of columns of one node. It adds up into scratch that stays in the first
//! cache and whose size is a power of two (so that a bin needs no bounds check), then moves only
//! the bins in use into the node's histogram and takes them off its sibling's.

use std::ops::{Add, AddAssign, Sub, SubAssign};

use crate::binning::{BinnedMatrix, Block, NARROW_SLOTS, Packing, WIDE_SLOTS};

/// First and second derivative of the loss of one row.
pub(in crate::learner) type Pair = [f32; 2];

/// A sum of derivatives.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(16))]
pub(super) struct Sum {
    pub(super) gradient: f64,
    pub(super) hessian: f64,
}

impl AddAssign for Sum {
    #[inline]
    fn add_assign(&mut self, other: Sum) {
        self.gradient += other.gradient;
        self.hessian += other.hessian;
    }
}

impl SubAssign for Sum {
    #[inline]
    fn sub_assign(&mut self, other: Sum) {
        self.gradient -= other.gradient;
        self.hessian -= other.hessian;
    }
}

impl Add for Sum {
    type Output = Sum;
    #[inline]
    fn add(mut self, other: Sum) -> Sum {
        self += other;
        self
    }
}

impl Sub for Sum {
    type Output = Sum;
    #[inline]
    fn sub(mut self, other: Sum) -> Sum {
        self -= other;
        self
    }
}

impl From<Pair> for Sum {
    #[inline]
    fn from([gradient, hessian]: Pair) -> Sum {
        Sum {
            gradient: f64::from(gradient),
            hessian: f64::from(hessian),
        }
    }
}

/// The sums of one node: one vector a block, the bins of its members one after another.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    pub(super) blocks: Vec<Vec<Sum>>,
}

impl Histogram {
    pub(super) fn new(bins: &BinnedMatrix) -> Histogram {
        let length = |block: &Block| {
            block
                .members
                .iter()
                .map(|&m| bins.columns[m].n_bins())
                .sum()
        };
        Histogram {
            blocks: bins
                .blocks
                .iter()
                .map(|block| vec![Sum::default(); length(block)])
                .collect(),
        }
    }
}

type NarrowSlots = [[Sum; NARROW_SLOTS]; 8];
type WideSlots = [[Sum; WIDE_SLOTS]; 4];

/// Room for the sums of one block; all zero between tasks.
pub(super) struct Scratch {
    narrow: Box<NarrowSlots>,
    wide: Box<WideSlots>,
}

impl Scratch {
    pub(super) fn new() -> Scratch {
        Scratch {
            narrow: boxed(vec![[Sum::default(); NARROW_SLOTS]; 8]),
            wide: boxed(vec![[Sum::default(); WIDE_SLOTS]; 4]),
        }
    }
}

fn boxed<T, const N: usize>(slots: Vec<T>) -> Box<[T; N]> {
    slots
        .into_boxed_slice()
        .try_into()
        .unwrap_or_else(|_| unreachable!("it was made with that length"))
}

/// The rows of a node, ascending, with their gradients in the same order.
#[derive(Clone, Copy)]
pub(super) enum NodeRows<'a> {
    /// Every row.
    All(&'a [Pair]),
    /// Some rows.
    Some(&'a [u32], &'a [Pair]),
}

/// Writes the sums of a block over some rows into `out`, and takes them off `sibling`, which
/// held those of the parent.
pub(super) fn build(
    bins: &BinnedMatrix,
    block: &Block,
    rows: NodeRows<'_>,
    scratch: &mut Scratch,
    out: &mut [Sum],
    sibling: Option<&mut [Sum]>,
) {
    let lengths = block.members.iter().map(|&m| bins.columns[m].n_bins());
    match block.packing {
        Packing::Narrow => {
            narrow(block, rows, &mut scratch.narrow);
            let slots = scratch
                .narrow
                .iter_mut()
                .map(<[Sum; NARROW_SLOTS]>::as_mut_slice);
            move_out(slots, lengths, out, sibling);
        }
        Packing::Wide => {
            wide(block, rows, &mut scratch.wide);
            let slots = scratch
                .wide
                .iter_mut()
                .map(<[Sum; WIDE_SLOTS]>::as_mut_slice);
            move_out(slots, lengths, out, sibling);
        }
    }
}

fn move_out<'a>(
    slots: impl Iterator<Item = &'a mut [Sum]>,
    lengths: impl Iterator<Item = usize>,
    out: &mut [Sum],
    mut sibling: Option<&mut [Sum]>,
) {
    let mut start = 0;
    for (slots, length) in slots.zip(lengths) {
        let end = start + length;
        let used = &mut slots[..length];
        out[start..end].copy_from_slice(used);
        if let Some(sibling) = &mut sibling {
            for (left, taken) in sibling[start..end].iter_mut().zip(&*used) {
                *left -= *taken;
            }
        }
        used.fill(Sum::default());
        start = end;
    }
}

fn narrow(block: &Block, rows: NodeRows<'_>, slots: &mut NarrowSlots) {
    match block.members.len() {
        1 => add_narrow::<1>(&block.words, rows, slots),
        2 => add_narrow::<2>(&block.words, rows, slots),
        3 => add_narrow::<3>(&block.words, rows, slots),
        4 => add_narrow::<4>(&block.words, rows, slots),
        5 => add_narrow::<5>(&block.words, rows, slots),
        6 => add_narrow::<6>(&block.words, rows, slots),
        7 => add_narrow::<7>(&block.words, rows, slots),
        _ => add_narrow::<8>(&block.words, rows, slots),
    }
}

fn add_narrow<const N: usize>(words: &[u64], rows: NodeRows<'_>, slots: &mut NarrowSlots) {
    let mut add = |word: u64, pair: Pair| {
        let sum = Sum::from(pair);
        for (place, slots) in slots.iter_mut().enumerate().take(N) {
            slots[(word >> (8 * place)) as usize & (NARROW_SLOTS - 1)] += sum;
        }
    };
    match rows {
        NodeRows::All(pairs) => words.iter().zip(pairs).for_each(|(w, p)| add(*w, *p)),
        NodeRows::Some(rows, pairs) => rows
            .iter()
            .zip(pairs)
            .for_each(|(row, pair)| add(words[*row as usize], *pair)),
    }
}

fn wide(block: &Block, rows: NodeRows<'_>, slots: &mut WideSlots) {
    match block.members.len() {
        1 => add_wide::<1>(&block.words, rows, slots),
        2 => add_wide::<2>(&block.words, rows, slots),
        3 => add_wide::<3>(&block.words, rows, slots),
        _ => add_wide::<4>(&block.words, rows, slots),
    }
}

fn add_wide<const N: usize>(words: &[u64], rows: NodeRows<'_>, slots: &mut WideSlots) {
    let mut add = |word: u64, pair: Pair| {
        let sum = Sum::from(pair);
        for (place, slots) in slots.iter_mut().enumerate().take(N) {
            slots[(word >> (16 * place)) as usize & (WIDE_SLOTS - 1)] += sum;
        }
    };
    match rows {
        NodeRows::All(pairs) => words.iter().zip(pairs).for_each(|(w, p)| add(*w, *p)),
        NodeRows::Some(rows, pairs) => rows
            .iter()
            .zip(pairs)
            .for_each(|(row, pair)| add(words[*row as usize], *pair)),
    }
}
