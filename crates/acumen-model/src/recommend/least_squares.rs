//! Weighted least squares with a ridge over all items and extra weight on a few: one user of
//! implicit matrix factorisation, or one item.
//!
//! The vector minimises `Σ_k c_k (x·y_k − p_k)² + a Σ_i (x·y_i)² + λ|x|²`, over the few
//! observations `k` and all items `i`. With the Gram matrix `G = YᵀY` that is the solution of
//! `(aG + Σ c_k y_k y_kᵀ + λI) x = Σ c_k p_k y_k`, found by conjugate gradients (Hestenes and
//! Stiefel 1952), which never makes the matrix (Takács, Pilászy and Tikk 2011).

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::wide::{LANES, Lane, TOGETHER, add_four, add_scaled, dot, dot_four, wide};

/// Vectors by line, padded with zeros to whole registers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Vectors {
    /// How many registers a line takes.
    pub(crate) width: usize,
    pub(crate) lanes: Vec<Lane>,
}

/// Lines of a Gram matrix that are added before the sums of the parts are.
const PART: usize = 512;
/// A residual that is so small a share of the one at the start is none.
const CONVERGED: f32 = 1e-6;

impl Vectors {
    pub(crate) fn new(lines: usize, factors: usize) -> Vectors {
        let width = factors.div_ceil(LANES);
        Vectors {
            width,
            lanes: vec![[0.0; LANES]; lines * width],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.lanes.len() / self.width.max(1)
    }

    pub(crate) fn line(&self, line: usize) -> &[Lane] {
        &self.lanes[line * self.width..][..self.width]
    }

    /// All lines, the zeros behind them included.
    pub(crate) fn lines(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        (0..self.len()).map(|line| self.line(line).as_flattened())
    }

    /// The mean of the lines, the zeros behind them included.
    pub(crate) fn mean(&self) -> Vec<f32> {
        let mut sums = vec![0.0_f64; self.width * LANES];
        for line in self.lines() {
            let sums = sums.iter_mut().zip(line);
            sums.for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let count = self.len().max(1) as f64;
        sums.into_iter().map(|sum| (sum / count) as f32).collect()
    }

    /// `YᵀY` by line; its bits do not depend on the number of threads.
    pub(crate) fn gram(&self) -> Vec<Lane> {
        let width = self.width;
        let entries = width * LANES * width;
        let parts = self.lanes.par_chunks(PART * width);
        let parts: Vec<Vec<Lane>> = parts
            .map(|lines| {
                let mut sums = vec![[0.0; LANES]; entries];
                wide(
                    #[inline(always)]
                    || add_squares(&mut sums, lines, width),
                );
                sums
            })
            .collect();
        let mut gram = vec![[0.0; LANES]; entries];
        parts
            .iter()
            .for_each(|part| add_scaled(&mut gram, 1.0, part));
        gram
    }
}

/// Adds `y yᵀ` of some lines.
#[inline(always)]
fn add_squares(sums: &mut [Lane], lines: &[Lane], width: usize) {
    let mut at = 0;
    while at < lines.len() {
        let line = &lines[at..at + width];
        let mut row = 0;
        while row < width * LANES {
            let sums = &mut sums[row * width..(row + 1) * width];
            add_scaled(sums, line[row / LANES][row % LANES], line);
            row += 1;
        }
        at += width;
    }
}

/// What is the same for all users, or for all items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    /// The vectors of the other side.
    pub(crate) vectors: &'a Vectors,
    /// Their Gram matrix.
    pub(crate) gram: &'a [Lane],
    /// Its weight `a`.
    pub(crate) everywhere: f32,
}

/// One of the few: how sure it is, and what it says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Observation {
    pub(crate) of: u32,
    pub(crate) sure: f32,
    pub(crate) says: f32,
}

/// Room for the vectors of one solution after the other.
#[derive(Default)]
pub(crate) struct Room {
    lines: Vec<Lane>,
    sure: Vec<f32>,
    says: Vec<f32>,
    residual: Vec<Lane>,
    direction: Vec<Lane>,
    image: Vec<Lane>,
}

/// The matrix of some equations, which is never made.
#[derive(Clone, Copy)]
struct Matrix<'a> {
    gram: &'a [Lane],
    everywhere: f32,
    ridge: f32,
    /// The vectors of the observations, by line, and how sure each is.
    lines: &'a [Lane],
    sure: &'a [f32],
}

impl Ground<'_> {
    /// Improves `x` by at most so many steps.
    pub(crate) fn solve(
        &self,
        (observations, ridge): (&[Observation], f32),
        steps: usize,
        x: &mut [Lane],
        room: &mut Room,
    ) {
        self.gather(observations, room);
        room.residual.resize(x.len(), [0.0; LANES]);
        let matrix = self.matrix(ridge, &room.lines, &room.sure);
        let (residual, says) = (&mut room.residual, &room.says);
        wide(
            #[inline(always)]
            || matrix.left(says, x, residual),
        );
        self.descend(ridge, steps, x, room);
    }

    /// `M⁻¹ right`, where `M` is the matrix of these observations.
    pub(crate) fn inverse_times(
        &self,
        (observations, ridge): (&[Observation], f32),
        right: &[Lane],
    ) -> Vec<Lane> {
        let mut room = Room::default();
        self.gather(observations, &mut room);
        room.residual.extend_from_slice(right);
        let mut x = vec![[0.0; LANES]; right.len()];
        self.descend(ridge, right.len() * LANES, &mut x, &mut room);
        x
    }

    /// Brings the lines of the observations together.
    fn gather(&self, observations: &[Observation], room: &mut Room) {
        room.lines.clear();
        room.sure.clear();
        room.says.clear();
        for seen in observations {
            let line = self.vectors.line(seen.of as usize);
            room.lines.extend_from_slice(line);
            room.sure.push(seen.sure);
            room.says.push(seen.says);
        }
    }

    fn matrix<'a>(&'a self, ridge: f32, lines: &'a [Lane], sure: &'a [f32]) -> Matrix<'a> {
        Matrix {
            gram: self.gram,
            everywhere: self.everywhere,
            ridge,
            lines,
            sure,
        }
    }

    /// Goes from `x`, of which the residual is known, by at most so many steps.
    fn descend(&self, ridge: f32, steps: usize, x: &mut [Lane], room: &mut Room) {
        let Room {
            lines,
            sure,
            residual,
            direction,
            image,
            ..
        } = room;
        let matrix = self.matrix(ridge, lines, sure);
        image.resize(x.len(), [0.0; LANES]);
        direction.clone_from(residual);
        wide(
            #[inline(always)]
            || {
                let mut left = dot(residual, residual);
                let enough = CONVERGED * CONVERGED * left;
                let mut step = 0;
                while step < steps && left > enough {
                    matrix.times(direction, image);
                    let far = left / dot(direction, image);
                    add_scaled(x, far, direction);
                    add_scaled(residual, -far, image);
                    let after = dot(residual, residual);
                    turn(direction, after / left, residual);
                    left = after;
                    step += 1;
                }
            },
        );
    }
}

impl Matrix<'_> {
    /// The matrix times a vector.
    #[inline(always)]
    fn times(&self, vector: &[Lane], image: &mut [Lane]) {
        self.ground_times(1.0, vector, image);
        self.add_observed(
            vector,
            image,
            #[inline(always)]
            |at, product| self.sure[at] * product,
        );
    }

    /// What is left of what the observations say when a vector has said its part.
    #[inline(always)]
    fn left(&self, says: &[f32], vector: &[Lane], left: &mut [Lane]) {
        self.ground_times(-1.0, vector, left);
        self.add_observed(
            vector,
            left,
            #[inline(always)]
            |at, product| self.sure[at] * (says[at] - product),
        );
    }

    /// `image = sign (a G + λ) vector`.
    #[inline(always)]
    fn ground_times(&self, sign: f32, vector: &[Lane], image: &mut [Lane]) {
        let width = vector.len();
        let mut at = 0;
        while at < width {
            image[at] = [0.0; LANES];
            at += 1;
        }
        // The Gram matrix is symmetric: its lines are its columns.
        let mut row = 0;
        while row < width * LANES {
            let values = &vector[row / LANES];
            let from = row % LANES;
            let factors = [
                values[from],
                values[from + 1],
                values[from + 2],
                values[from + 3],
            ];
            add_four(image, &factors, &self.gram[row * width..]);
            row += TOGETHER;
        }
        scale_and_add(image, sign * self.everywhere, sign * self.ridge, vector);
    }

    /// Adds the line of each observation as often as `weigh` says of its product with a vector.
    #[inline(always)]
    fn add_observed(&self, vector: &[Lane], image: &mut [Lane], weigh: impl Fn(usize, f32) -> f32) {
        let width = vector.len();
        let mut at = 0;
        while at + TOGETHER <= self.sure.len() {
            let lines = &self.lines[at * width..];
            let [a, b, c, d] = dot_four(lines, vector);
            let factors = [
                weigh(at, a),
                weigh(at + 1, b),
                weigh(at + 2, c),
                weigh(at + 3, d),
            ];
            add_four(image, &factors, lines);
            at += TOGETHER;
        }
        while at < self.sure.len() {
            let line = &self.lines[at * width..(at + 1) * width];
            add_scaled(image, weigh(at, dot(line, vector)), line);
            at += 1;
        }
    }
}

/// `image = scale · image + factor · vector`.
#[inline(always)]
fn scale_and_add(image: &mut [Lane], scale: f32, factor: f32, vector: &[Lane]) {
    let mut at = 0;
    while at < image.len() {
        let mut lane = 0;
        while lane < LANES {
            image[at][lane] = scale * image[at][lane] + factor * vector[at][lane];
            lane += 1;
        }
        at += 1;
    }
}

/// `direction = residual + share · direction`.
#[inline(always)]
fn turn(direction: &mut [Lane], share: f32, residual: &[Lane]) {
    scale_and_add(direction, share, 1.0, residual);
}

#[cfg(test)]
mod tests {
    use super::*;
    use acumen_base::Seed;
    use acumen_base::random::Stream;

    /// The residual of the normal equations, computed in doubles from their definition.
    fn residual(vectors: &Vectors, seen: &[Observation], (a, ridge): (f32, f32), x: &[f32]) -> f64 {
        let product = |y: &[Lane]| -> f64 {
            let pairs = y.as_flattened().iter().zip(x);
            pairs.map(|(y, x)| f64::from(*y) * f64::from(*x)).sum()
        };
        let mut sums: Vec<f64> = x.iter().map(|x| f64::from(ridge * x)).collect();
        let mut add = |line: &[Lane], by: f64| {
            for (sum, y) in sums.iter_mut().zip(line.as_flattened()) {
                *sum += by * f64::from(*y);
            }
        };
        for line in 0..vectors.len() {
            let line = vectors.line(line);
            add(line, f64::from(a) * product(line));
        }
        for one in seen {
            let line = vectors.line(one.of as usize);
            let error = product(line) - f64::from(one.says);
            add(line, f64::from(one.sure) * error);
        }
        sums.iter().map(|sum| sum * sum).sum::<f64>().sqrt()
    }

    #[test]
    fn the_solution_fulfils_the_normal_equations() {
        let mut draws = Stream::new(Seed(5));
        let mut vectors = Vectors::new(700, 11);
        for line in vectors.lanes.as_flattened_mut().chunks_exact_mut(16) {
            line[..11].fill_with(|| draws.normal() as f32);
        }
        let gram = vectors.gram();
        let ground = Ground {
            vectors: &vectors,
            gram: &gram,
            everywhere: 0.1,
        };
        let seen: Vec<Observation> = (0..30)
            .map(|k| Observation {
                of: k * 20,
                sure: 1.0 + k as f32,
                says: if k % 7 == 0 { 0.0 } else { 1.0 },
            })
            .collect();
        let mut x = vec![[0.0; LANES]; 2];
        let start = residual(&vectors, &seen, (0.1, 3.0), x.as_flattened());
        ground.solve((&seen, 3.0), 16, &mut x, &mut Room::default());
        let end = residual(&vectors, &seen, (0.1, 3.0), x.as_flattened());
        assert!(end < 1e-4 * start, "{start} to {end}");
        // A step from the solution goes nowhere; what is padded stays 0.
        let before = x.clone();
        ground.solve((&seen, 3.0), 3, &mut x, &mut Room::default());
        let pairs = before.as_flattened().iter().zip(x.as_flattened());
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-4);
        assert!(x.as_flattened()[11..].iter().all(|value| *value == 0.0));
        // Without any observation nothing is wanted.
        let mut nothing = vec![[0.0; LANES]; 2];
        ground.solve((&[], 3.0), 16, &mut nothing, &mut Room::default());
        assert!(nothing.as_flattened().iter().all(|value| *value == 0.0));
    }
}
