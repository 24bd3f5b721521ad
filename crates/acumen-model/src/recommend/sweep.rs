//! The inverse of a symmetric positive definite matrix, in tiles, on all cores.
//!
//! The sweep operator (Goodnight 1979) on one block of columns after the other: of
//! `(A, Bᵀ; B, C)` it makes `(−A⁻¹, (BA⁻¹)ᵀ; BA⁻¹, C − BA⁻¹Bᵀ)`, and after all blocks what stands
//! there is `−M⁻¹`. Only the lower half is kept, so it takes n³ operations, as an inverse by
//! Cholesky's factors does. Each tile is computed by one thread in one order: the same bits at
//! any number of threads.

use rayon::prelude::*;

use super::wide::wide;

/// Lines and columns of a tile: three tiles fit in the second cache.
const TILE: usize = 64;
/// Lines and columns whose sums are held in registers.
const LINES: usize = 4;
const COLUMNS: usize = 8;

type Tile = Vec<f64>;

/// The lower half of a symmetric matrix.
#[derive(Debug)]
pub(super) struct Symmetric {
    tiles: usize,
    lower: Vec<Tile>,
}

impl Symmetric {
    /// From the lower half by line, the diagonal included.
    pub(super) fn new(lower: &[Vec<f64>]) -> Symmetric {
        let tiles = lower.len().div_ceil(TILE);
        let tile = |(line, column): (usize, usize)| {
            let mut tile = vec![0.0; TILE * TILE];
            for (place, value) in tile.iter_mut().enumerate() {
                let (i, j) = (line * TILE + place / TILE, column * TILE + place % TILE);
                let (i, j) = (i.max(j), i.min(j));
                // Beyond the end stands the identity, which is its own inverse.
                let beyond = if i == j { 1.0 } else { 0.0 };
                *value = lower.get(i).map_or(beyond, |line| line[j]);
            }
            tile
        };
        let places: Vec<(usize, usize)> = places(tiles).collect();
        Symmetric {
            tiles,
            lower: places.into_par_iter().map(tile).collect(),
        }
    }

    /// The entry of a line and a column.
    pub(super) fn at(&self, line: usize, column: usize) -> f64 {
        let (i, j) = (line.max(column), line.min(column));
        self.lower[place(i / TILE, j / TILE)][i % TILE * TILE + j % TILE]
    }

    /// The inverse; nothing where the matrix is not positive definite.
    pub(super) fn inverse(mut self) -> Option<Symmetric> {
        for pivot in 0..self.tiles {
            self.sweep(pivot)?;
        }
        for value in self.lower.iter_mut().flatten() {
            *value = -*value;
        }
        Some(self)
    }

    fn sweep(&mut self, pivot: usize) -> Option<()> {
        let inverse = inverse_of_tile(&self.lower[place(pivot, pivot)])?;
        // The block column, B, by tile; with B A⁻¹, and Bᵀ.
        let others = (0..self.tiles).into_par_iter();
        let panel: Vec<(Tile, Tile)> = others
            .map(|line| {
                let (b, turned) = match line >= pivot {
                    true => {
                        let b = self.lower[place(line, pivot)].clone();
                        let turned = transposed(&b);
                        (b, turned)
                    }
                    false => {
                        let turned = self.lower[place(pivot, line)].clone();
                        (transposed(&turned), turned)
                    }
                };
                let mut product = vec![0.0; TILE * TILE];
                subtract_product(&mut product, &b, &inverse);
                product.iter_mut().for_each(|value| *value = -*value);
                (product, turned)
            })
            .collect();
        let tiles: Vec<(usize, usize)> = places(self.tiles).collect();
        let work = self.lower.par_iter_mut().zip(tiles);
        work.for_each(|(tile, (line, column))| match (line, column) {
            (i, j) if i == pivot && j == pivot => {
                for (value, inverse) in tile.iter_mut().zip(&inverse) {
                    *value = -inverse;
                }
            }
            (i, j) if j == pivot => tile.copy_from_slice(&panel[i].0),
            (i, j) if i == pivot => *tile = transposed(&panel[j].0),
            (i, j) => subtract_product(tile, &panel[i].0, &panel[j].1),
        });
        Some(())
    }
}

/// Lines and columns of the tiles of the lower half, in the order in which they are kept.
fn places(tiles: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..tiles).flat_map(|line| (0..=line).map(move |column| (line, column)))
}

fn place(line: usize, column: usize) -> usize {
    line * (line + 1) / 2 + column
}

fn transposed(tile: &[f64]) -> Tile {
    let value = |place: usize| tile[place % TILE * TILE + place / TILE];
    (0..TILE * TILE).map(value).collect()
}

/// The inverse of one symmetric tile, entry by entry.
fn inverse_of_tile(tile: &[f64]) -> Option<Tile> {
    let mut swept = tile.to_vec();
    for pivot in 0..TILE {
        let by = swept[pivot * TILE + pivot];
        if by.is_nan() || by <= 0.0 {
            return None;
        }
        let column: Vec<f64> = (0..TILE).map(|line| swept[line * TILE + pivot]).collect();
        for (line, of_line) in swept.chunks_exact_mut(TILE).enumerate() {
            let factor = column[line] / by;
            for (value, other) in of_line.iter_mut().zip(&column) {
                *value -= factor * other;
            }
            of_line[pivot] = factor;
        }
        for (value, entry) in swept[pivot * TILE..][..TILE].iter_mut().zip(&column) {
            *value = entry / by;
        }
        swept[pivot * TILE + pivot] = -1.0 / by;
    }
    swept.iter_mut().for_each(|value| *value = -*value);
    Some(swept)
}

/// `c −= a · b`, of tiles by line.
fn subtract_product(c: &mut [f64], a: &[f64], b: &[f64]) {
    wide(
        #[inline(always)]
        || {
            let mut line = 0;
            while line < TILE {
                let mut column = 0;
                while column < TILE {
                    block(c, (a, b), (line, column));
                    column += COLUMNS;
                }
                line += LINES;
            }
        },
    );
}

/// The entries of a few lines and columns; it counts places as the loops of `wide` do.
#[inline(always)]
fn block(c: &mut [f64], (a, b): (&[f64], &[f64]), (line, column): (usize, usize)) {
    let mut sums = [[0.0; COLUMNS]; LINES];
    let (a, b) = (&a[line * TILE..(line + LINES) * TILE], &b[..TILE * TILE]);
    let mut k = 0;
    while k < TILE {
        let row = &b[k * TILE + column..k * TILE + column + COLUMNS];
        let mut i = 0;
        while i < LINES {
            let value = a[i * TILE + k];
            let mut j = 0;
            while j < COLUMNS {
                sums[i][j] += value * row[j];
                j += 1;
            }
            i += 1;
        }
        k += 1;
    }
    let mut i = 0;
    while i < LINES {
        let from = (line + i) * TILE + column;
        let target = &mut c[from..from + COLUMNS];
        let mut j = 0;
        while j < COLUMNS {
            target[j] -= sums[i][j];
            j += 1;
        }
        i += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acumen_base::Seed;
    use acumen_base::random::Stream;

    #[test]
    fn a_matrix_times_its_inverse_is_the_identity() {
        for n in [1, 63, 64, 150] {
            let mut draws = Stream::new(Seed(n as u64));
            let factor: Vec<Vec<f64>> = (0..n)
                .map(|_| (0..n).map(|_| draws.normal()).collect())
                .collect();
            let entry = |i: usize, j: usize| -> f64 {
                let ridge = if i == j { 1.0 } else { 0.0 };
                ridge
                    + factor[i]
                        .iter()
                        .zip(&factor[j])
                        .map(|(a, b)| a * b)
                        .sum::<f64>()
            };
            let lower: Vec<Vec<f64>> = (0..n)
                .map(|i| (0..=i).map(|j| entry(i, j)).collect())
                .collect();
            let inverse = Symmetric::new(&lower).inverse().unwrap();
            for i in 0..n {
                for j in 0..n {
                    let found: f64 = (0..n).map(|k| entry(i, k) * inverse.at(k, j)).sum();
                    let wanted = if i == j { 1.0 } else { 0.0 };
                    assert!((found - wanted).abs() < 1e-8, "{n}: {i}, {j}: {found}");
                }
            }
        }
        assert!(
            Symmetric::new(&[vec![1.0], vec![2.0, 1.0]])
                .inverse()
                .is_none()
        );
    }
}
