//! Loops over numbers, by the widest registers of the machine.
//!
//! Sums are kept in lanes of a fixed number, and products are rounded before they are added, so
//! that every machine gives the same bits. The loops count places themselves: what they would call
//! is compiled for the least of machines, and where it is not inlined, so is the loop.

/// Numbers that a register holds.
pub(crate) const LANES: usize = 8;

/// Numbers side by side.
pub(crate) type Lane = [f32; LANES];

/// Lines whose products are taken together, so that sums are loaded and stored once.
pub(super) const TOGETHER: usize = 4;

/// Runs a loop, compiled for the instructions that the machine has. What it calls is part of that
/// only where it is inlined.
#[inline(always)]
pub(super) fn wide<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(work);
    }
    work()
}

/// `Σ aᵢ bᵢ`.
#[inline(always)]
pub(super) fn dot(a: &[Lane], b: &[Lane]) -> f32 {
    let b = &b[..a.len()];
    let mut sums = [0.0; LANES];
    let mut at = 0;
    while at < a.len() {
        let mut lane = 0;
        while lane < LANES {
            sums[lane] += a[at][lane] * b[at][lane];
            lane += 1;
        }
        at += 1;
    }
    total(&sums)
}

/// The products of four lines, one behind the other, with a vector.
#[inline(always)]
pub(super) fn dot_four(lines: &[Lane], vector: &[Lane]) -> [f32; TOGETHER] {
    let width = vector.len();
    let lines = &lines[..TOGETHER * width];
    let mut sums = [[0.0; LANES]; TOGETHER];
    let mut at = 0;
    while at < width {
        let mut line = 0;
        while line < TOGETHER {
            let mut lane = 0;
            while lane < LANES {
                sums[line][lane] += lines[line * width + at][lane] * vector[at][lane];
                lane += 1;
            }
            line += 1;
        }
        at += 1;
    }
    [
        total(&sums[0]),
        total(&sums[1]),
        total(&sums[2]),
        total(&sums[3]),
    ]
}

#[inline(always)]
fn total(sums: &Lane) -> f32 {
    let [a, b, c, d, e, f, g, h] = *sums;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

/// `sums += factor · values`.
#[inline(always)]
pub(super) fn add_scaled(sums: &mut [Lane], factor: f32, values: &[Lane]) {
    let values = &values[..sums.len()];
    let mut at = 0;
    while at < sums.len() {
        let mut lane = 0;
        while lane < LANES {
            sums[at][lane] += factor * values[at][lane];
            lane += 1;
        }
        at += 1;
    }
}

/// `sums += Σ factorₖ · lineₖ`, of four lines one behind the other.
#[inline(always)]
pub(super) fn add_four(sums: &mut [Lane], factors: &[f32; TOGETHER], lines: &[Lane]) {
    let width = sums.len();
    let lines = &lines[..TOGETHER * width];
    let [a, b, c, d] = *factors;
    let mut at = 0;
    while at < width {
        let mut lane = 0;
        while lane < LANES {
            let first = a * lines[at][lane] + b * lines[width + at][lane];
            let second = c * lines[2 * width + at][lane] + d * lines[3 * width + at][lane];
            sums[at][lane] += first + second;
            lane += 1;
        }
        at += 1;
    }
}
