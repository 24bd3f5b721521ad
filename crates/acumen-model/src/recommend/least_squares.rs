//! Weighted least squares with a ridge over all items and extra weight on a few: one user of
//! implicit matrix factorisation, or one item.
//!
//! The vector minimises `Σ_k c_k (x·y_k − p_k)² + a Σ_i (x·y_i)² + λ|x|²`, over the few
//! observations `k` and all items `i`. With the Gram matrix `G = YᵀY` that is the solution of
//! `(aG + Σ c_k y_k y_kᵀ + λI) x = Σ c_k p_k y_k`, found by conjugate gradients (Hestenes and
//! Stiefel 1952), which never makes the matrix (Takács, Pilászy and Tikk 2011).

use serde::{Deserialize, Serialize};

use super::wide::{add_scaled, dot, wide};

/// Vectors by line, padded with zeros to whole registers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Vectors {
    /// How many numbers a line takes.
    pub(crate) stride: usize,
    pub(crate) numbers: Vec<f32>,
}

/// Numbers that a register holds.
const REGISTER: usize = 8;
/// Lines whose sums are added together.
const TOGETHER: usize = 4;
/// Lines of a Gram matrix that are added before the sums of the parts are.
const PART: usize = 512;
/// A residual that is so small a share of the right side is none.
const CONVERGED: f32 = 1e-6;

impl Vectors {
    pub(crate) fn new(lines: usize, factors: usize) -> Vectors {
        let stride = factors.next_multiple_of(REGISTER);
        Vectors {
            stride,
            numbers: vec![0.0; lines * stride],
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len() / self.stride.max(1)
    }

    pub(crate) fn line(&self, line: usize) -> &[f32] {
        &self.numbers[line * self.stride..][..self.stride]
    }

    /// `YᵀY` by line; its bits do not depend on the number of threads.
    pub(crate) fn gram(&self) -> Vec<f32> {
        use rayon::prelude::*;
        let width = self.stride;
        let parts = self.numbers.par_chunks(PART * width);
        let parts: Vec<Vec<f32>> = parts
            .map(|lines| {
                let mut sums = vec![0.0; width * width];
                wide(
                    #[inline(always)]
                    || {
                        for line in lines.chunks_exact(width) {
                            for (sums, value) in sums.chunks_exact_mut(width).zip(line) {
                                add_scaled(sums, *value, line);
                            }
                        }
                    },
                );
                sums
            })
            .collect();
        let mut gram = vec![0.0; width * width];
        for part in parts {
            add_scaled(&mut gram, 1.0, &part);
        }
        gram
    }
}

/// What is the same for all users, or for all items.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ground<'a> {
    /// The vectors of the other side.
    pub(crate) vectors: &'a Vectors,
    /// Their Gram matrix.
    pub(crate) gram: &'a [f32],
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
    lines: Vec<f32>,
    sure: Vec<f32>,
    residual: Vec<f32>,
    direction: Vec<f32>,
    image: Vec<f32>,
}

impl Ground<'_> {
    /// Improves `x` by at most so many steps.
    pub(crate) fn solve(
        &self,
        (observations, ridge): (&[Observation], f32),
        steps: usize,
        x: &mut [f32],
        room: &mut Room,
    ) {
        self.gather(observations, room);
        let mut right = vec![0.0; x.len()];
        wide(
            #[inline(always)]
            || {
                let lines = room.lines.chunks_exact(x.len());
                for (line, seen) in lines.zip(observations) {
                    add_scaled(&mut right, seen.sure * seen.says, line);
                }
            },
        );
        self.descend(&right, ridge, steps, x, room);
    }

    /// `M⁻¹ right`, where `M` is the matrix of these observations.
    pub(crate) fn inverse_times(
        &self,
        (observations, ridge): (&[Observation], f32),
        right: &[f32],
    ) -> Vec<f32> {
        let mut room = Room::default();
        self.gather(observations, &mut room);
        let mut x = vec![0.0; right.len()];
        self.descend(right, ridge, right.len(), &mut x, &mut room);
        x
    }

    /// Brings the lines of the observations together.
    fn gather(&self, observations: &[Observation], room: &mut Room) {
        room.lines.clear();
        room.sure.clear();
        for seen in observations {
            let line = self.vectors.line(seen.of as usize);
            room.lines.extend_from_slice(line);
            room.sure.push(seen.sure);
        }
    }

    fn descend(&self, right: &[f32], ridge: f32, steps: usize, x: &mut [f32], room: &mut Room) {
        let Room {
            lines,
            sure,
            residual,
            direction,
            image,
        } = room;
        let few = (lines.as_slice(), sure.as_slice());
        let matrix = (self.gram, self.everywhere, ridge);
        wide(
            #[inline(always)]
            || {
                image.resize(x.len(), 0.0);
                residual.clear();
                residual.extend_from_slice(right);
                if x.iter().any(|value| *value != 0.0) {
                    times(matrix, few, x, image);
                    add_scaled(residual, -1.0, image);
                }
                direction.clone_from(residual);
                let enough = CONVERGED * CONVERGED * dot(right, right);
                let mut left = dot(residual, residual);
                for _ in 0..steps {
                    if left <= enough {
                        break;
                    }
                    times(matrix, few, direction, image);
                    let step = left / dot(direction, image);
                    add_scaled(x, step, direction);
                    add_scaled(residual, -step, image);
                    let after = dot(residual, residual);
                    let turn = after / left;
                    for (direction, residual) in direction.iter_mut().zip(residual.iter()) {
                        *direction = residual + turn * *direction;
                    }
                    left = after;
                }
            },
        );
    }
}

/// The matrix times a vector.
#[inline(always)]
fn times(
    (gram, everywhere, ridge): (&[f32], f32, f32),
    (lines, sure): (&[f32], &[f32]),
    vector: &[f32],
    image: &mut [f32],
) {
    let width = vector.len();
    image.fill(0.0);
    products(gram.chunks_exact(TOGETHER * width), vector, image);
    for (image, value) in image.iter_mut().zip(vector) {
        *image = everywhere * *image + ridge * value;
    }
    let (four, rest) = lines.split_at(lines.len() - lines.len() % (TOGETHER * width));
    let (four_sure, rest_sure) = sure.split_at(four.len() / width.max(1));
    let blocks = four.chunks_exact(TOGETHER * width);
    for (block, sure) in blocks.zip(four_sure.chunks_exact(TOGETHER)) {
        let factor = |k: usize| sure[k] * dot(&block[k * width..][..width], vector);
        add_four(image, std::array::from_fn(factor), block);
    }
    for (line, sure) in rest.chunks_exact(width).zip(rest_sure) {
        add_scaled(image, sure * dot(line, vector), line);
    }
}

/// `image += G v` of a symmetric matrix, whose lines are its columns; as many as a register holds
/// divide its width.
#[inline(always)]
fn products<'a>(blocks: impl Iterator<Item = &'a [f32]>, vector: &[f32], image: &mut [f32]) {
    for (block, values) in blocks.zip(vector.chunks_exact(TOGETHER)) {
        add_four(image, std::array::from_fn(|k| values[k]), block);
    }
}

/// Adds four lines at once, so that sums are loaded and stored once.
#[inline(always)]
fn add_four(image: &mut [f32], factors: [f32; TOGETHER], block: &[f32]) {
    let width = image.len();
    let (first, rest) = block.split_at(width);
    let (second, rest) = rest.split_at(width);
    let (third, fourth) = rest.split_at(width);
    let [a, b, c, d] = factors;
    let pairs = first.iter().zip(second).zip(third.iter().zip(fourth));
    for (sum, ((w, x), (y, z))) in image.iter_mut().zip(pairs) {
        *sum += (a * w + b * x) + (c * y + d * z);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acumen_base::Seed;
    use acumen_base::random::Stream;

    /// The residual of the normal equations, computed in doubles from their definition.
    fn residual(vectors: &Vectors, seen: &[Observation], (a, ridge): (f32, f32), x: &[f32]) -> f64 {
        let product = |y: &[f32]| -> f64 {
            let pairs = y.iter().zip(x);
            pairs.map(|(y, x)| f64::from(*y) * f64::from(*x)).sum()
        };
        let mut sums: Vec<f64> = x.iter().map(|x| f64::from(ridge * x)).collect();
        let mut add = |line: &[f32], by: f64| {
            for (sum, y) in sums.iter_mut().zip(line) {
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
        for line in vectors.numbers.chunks_exact_mut(16) {
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
        let mut x = vec![0.0; 16];
        let start = residual(&vectors, &seen, (0.1, 3.0), &x);
        ground.solve((&seen, 3.0), 16, &mut x, &mut Room::default());
        let end = residual(&vectors, &seen, (0.1, 3.0), &x);
        assert!(end < 1e-4 * start, "{start} to {end}");
        // A step from the solution goes nowhere; what is padded stays 0.
        let before = x.clone();
        ground.solve((&seen, 3.0), 3, &mut x, &mut Room::default());
        let moved = before.iter().zip(&x).map(|(a, b)| (a - b).abs());
        assert!(moved.fold(0.0, f32::max) < 1e-4);
        assert!(x[11..].iter().all(|value| *value == 0.0));
        // Without any observation nothing is wanted.
        let mut nothing = vec![0.0; 16];
        ground.solve((&[], 3.0), 16, &mut nothing, &mut Room::default());
        assert!(nothing.iter().all(|value| *value == 0.0));
    }
}
