//! Values into bins: where a column may be cut, and the bins of all rows packed for a learner.
//!
//! Invariants: bins are ordered as their values are, bin `i` holds what is below `cuts[i]` and
//! not below `cuts[i - 1]`, every cut is finite, and a missing value has the bin after the last.
//! A column with no more distinct values than bins loses nothing; others are cut at quantiles
//! and, much finer, in both tails, because a rule such as «above 220» may concern one row in two
//! thousand, which equal shares of rows cannot see.

use acumen_base::{ColumnKind, Columns};
use rayon::prelude::*;

use crate::data::Matrix;

mod cuts;

pub use cuts::quantile_cuts;

/// The most bins that a column may have.
pub const BINS_MAX: usize = 4_096;
/// Slots that any wide bin index fits in, missing values included.
pub(crate) const WIDE_SLOTS: usize = 2 * BINS_MAX;
/// Slots that any narrow bin index fits in, missing values included.
pub(crate) const NARROW_SLOTS: usize = 256;

/// How the values of a column become bins.
#[derive(Clone, Debug, PartialEq)]
pub enum Cuts {
    /// Ascending thresholds: a value below `cuts[i]` is in bin `i` or before.
    Number(Vec<f32>),
    /// One bin an ordinal.
    Category,
}

/// One column that can be split on.
#[derive(Clone, Debug, PartialEq)]
pub struct BinnedColumn {
    /// Which column of the matrix.
    pub column: usize,
    /// How its values become bins.
    pub cuts: Cuts,
    /// How many bins hold values; a missing value has this index.
    pub n_values: usize,
    /// Whether a value is missing in the training rows.
    pub has_missing: bool,
}

/// How many bins of one row are packed in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// Up to eight bins of eight bits.
    Narrow,
    /// Up to four bins of sixteen bits.
    Wide,
}

/// A few columns whose bins stand side by side: one word a row.
#[derive(Debug)]
pub(crate) struct Block {
    /// How the word is packed.
    pub(crate) packing: Packing,
    /// The columns, lowest bits first, as positions in [`BinnedMatrix::columns`].
    pub(crate) members: Vec<usize>,
    /// The bins.
    pub(crate) words: Vec<u64>,
}

/// The bins of all rows; constant columns are left out.
#[derive(Debug)]
pub struct BinnedMatrix {
    /// The columns that vary.
    pub columns: Vec<BinnedColumn>,
    /// Their bins.
    pub(crate) blocks: Vec<Block>,
    /// Where each column of `columns` stands: block and place within it.
    pub(crate) places: Vec<(usize, usize)>,
    /// How many rows.
    pub n_rows: usize,
}

/// A category column whose ordinals do not fit in the bins.
#[derive(Clone, Debug, PartialEq)]
pub struct BadOrdinal {
    /// Which column of the matrix.
    pub column: usize,
    /// The value that is not an ordinal below [`BINS_MAX`].
    pub value: f32,
}

impl BinnedColumn {
    /// How many bins, that of missing values included.
    pub fn n_bins(&self) -> usize {
        self.n_values + usize::from(self.has_missing)
    }

    /// The bin of a value of the training rows.
    fn bin(&self, value: f32) -> usize {
        match &self.cuts {
            _ if value.is_nan() => self.n_values,
            Cuts::Number(cuts) => cuts.partition_point(|cut| *cut <= value),
            Cuts::Category => value as usize,
        }
    }
}

impl BinnedMatrix {
    /// Cuts every column into at most `max_bin` bins of values and packs the bins of all rows.
    /// `weight` counts rows for the quantiles. More `blocks_wanted` give more threads work; the
    /// bins do not depend on it.
    ///
    /// # Errors
    /// Every category column with a value that is no ordinal below [`BINS_MAX`].
    pub fn new(
        matrix: &Matrix,
        weight: Option<&[f32]>,
        max_bin: usize,
        blocks_wanted: usize,
    ) -> Result<BinnedMatrix, Vec<BadOrdinal>> {
        let cut: Vec<Result<Option<BinnedColumn>, BadOrdinal>> = (0..matrix.data.len())
            .into_par_iter()
            .map(|column| {
                let values = &matrix.data[column];
                match kind(&matrix.columns, column) {
                    ColumnKind::Category => categories(column, values),
                    ColumnKind::Number | ColumnKind::Flag => {
                        Ok(number(column, values, weight, max_bin))
                    }
                }
            })
            .collect();
        let mut columns = Vec::new();
        let mut bad = Vec::new();
        for result in cut {
            match result {
                Ok(column) => columns.extend(column),
                Err(ordinal) => bad.push(ordinal),
            }
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        Ok(pack(matrix, columns, blocks_wanted))
    }
}

impl Block {
    /// The bin of a row in the member at `place`.
    #[inline]
    pub(crate) fn shift(&self, place: usize) -> u32 {
        match self.packing {
            Packing::Narrow => 8 * place as u32,
            Packing::Wide => 16 * place as u32,
        }
    }
}

fn kind(columns: &Columns, column: usize) -> ColumnKind {
    columns
        .list
        .get(column)
        .map_or(ColumnKind::Number, |c| c.kind)
}

fn number(
    column: usize,
    values: &[f32],
    weight: Option<&[f32]>,
    max_bin: usize,
) -> Option<BinnedColumn> {
    let has_missing = values.iter().any(|value| value.is_nan());
    let cuts = quantile_cuts(values, weight, max_bin, has_missing);
    let n_values = cuts.len() + usize::from(!has_missing);
    (n_values + usize::from(has_missing) > 1).then_some(BinnedColumn {
        column,
        cuts: Cuts::Number(cuts),
        n_values,
        has_missing,
    })
}

fn categories(column: usize, values: &[f32]) -> Result<Option<BinnedColumn>, BadOrdinal> {
    let mut n_values = 0;
    let mut has_missing = false;
    for &value in values {
        if value.is_nan() {
            has_missing = true;
        } else if value >= 0.0 && value.fract() == 0.0 && value < BINS_MAX as f32 {
            n_values = n_values.max(value as usize + 1);
        } else {
            return Err(BadOrdinal { column, value });
        }
    }
    Ok(
        (n_values + usize::from(has_missing) > 1).then_some(BinnedColumn {
            column,
            cuts: Cuts::Category,
            n_values,
            has_missing,
        }),
    )
}

fn pack(matrix: &Matrix, columns: Vec<BinnedColumn>, blocks_wanted: usize) -> BinnedMatrix {
    let (narrow, wide): (Vec<usize>, Vec<usize>) =
        (0..columns.len()).partition(|&i| columns[i].n_bins() <= NARROW_SLOTS);
    let enough = narrow.len().div_ceil(8) + wide.len().div_ceil(4) >= blocks_wanted;
    let (narrow_width, wide_width) = if enough { (8, 4) } else { (4, 2) };
    let plan: Vec<(Packing, Vec<usize>)> = narrow
        .chunks(narrow_width)
        .map(|members| (Packing::Narrow, members.to_vec()))
        .chain(
            wide.chunks(wide_width)
                .map(|members| (Packing::Wide, members.to_vec())),
        )
        .collect();
    let mut places = vec![(0, 0); columns.len()];
    for (block, (_, members)) in plan.iter().enumerate() {
        for (place, &member) in members.iter().enumerate() {
            places[member] = (block, place);
        }
    }
    let blocks = plan
        .into_par_iter()
        .map(|(packing, members)| {
            let mut block = Block {
                packing,
                members,
                words: vec![0; matrix.n_rows],
            };
            for place in 0..block.members.len() {
                let column = &columns[block.members[place]];
                let shift = block.shift(place);
                let values = &matrix.data[column.column];
                for (word, &value) in block.words.iter_mut().zip(values) {
                    *word |= (column.bin(value) as u64) << shift;
                }
            }
            block
        })
        .collect();
    BinnedMatrix {
        columns,
        blocks,
        places,
        n_rows: matrix.n_rows,
    }
}
