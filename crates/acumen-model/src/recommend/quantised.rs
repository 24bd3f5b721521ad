//! Vectors in bytes: a first look at all of them, so that only a few are compared in full.
//!
//! Each vector is scaled so that its largest number is 127, and rounded; the one that it is
//! compared with so that its largest is 63, for then no sum of a machine's instructions overflows.
//! The products of both are whole numbers, the same on every machine.

use super::least_squares::Vectors;
use super::open::Open;
use super::top::Top;
use super::wide::LANES;

/// Numbers of a vector that stand side by side.
const STEP: usize = 4;
/// Bytes of a register: so many numbers of each of eight vectors.
const REGISTER: usize = STEP * LANES;
/// What is added to each number of a vector, so that it is a byte without a sign.
const SHIFT: u8 = 128;
/// Blocks that are multiplied before their products are looked at.
const TOGETHER: usize = 64;
const LARGEST: f32 = 127.0;
const LARGEST_OF_USER: f32 = 63.0;

type Register = [u8; REGISTER];
type UserRegister = [i8; REGISTER];

/// Vectors by blocks of eight.
#[derive(Clone, Debug)]
pub(super) struct Quantised {
    len: usize,
    /// Registers of a block.
    width: usize,
    registers: Vec<Register>,
    /// What 1 stands for in each vector, by block.
    units: Vec<[f32; LANES]>,
}

/// What all vectors are compared with.
struct User {
    registers: Vec<UserRegister>,
    /// What the shift adds to every product.
    shift: i32,
}

impl Quantised {
    pub(super) fn new(vectors: &Vectors) -> Quantised {
        let len = vectors.len();
        let width = (vectors.width * LANES).div_ceil(STEP);
        let blocks = len.div_ceil(LANES);
        let mut registers = vec![[SHIFT; REGISTER]; blocks * width];
        let mut units = vec![[0.0; LANES]; blocks];
        for item in 0..len {
            let (block, lane) = (item / LANES, item % LANES);
            let line = vectors.line(item).as_flattened();
            let (unit, numbers) = rounded(line, LARGEST);
            units[block][lane] = unit;
            for (at, number) in numbers.enumerate() {
                let register = &mut registers[block * width + at / STEP];
                register[lane * STEP + at % STEP] = SHIFT.wrapping_add_signed(number);
            }
        }
        Quantised {
            len,
            width,
            registers,
            units,
        }
    }

    /// The items of the largest products with a vector among those that may be shown, in no order.
    pub(super) fn search(&self, user: &[f32], open: &Open<'_>, most: usize) -> Vec<u32> {
        let user = User::new(user, self.width);
        let mut top = Top::new(most);
        let mut products = [[0; LANES]; TOGETHER];
        let parts = self.registers.chunks(TOGETHER * self.width.max(1));
        for (part, (registers, units)) in parts.zip(self.units.chunks(TOGETHER)).enumerate() {
            multiply(registers, &user.registers, &mut products);
            for (block, (units, products)) in units.iter().zip(&products).enumerate() {
                let mut scores = [0.0; LANES];
                for lane in 0..LANES {
                    scores[lane] = (products[lane] - user.shift) as f32 * units[lane];
                }
                if scores.iter().all(|score| *score <= top.above()) {
                    continue;
                }
                let first = (part * TOGETHER + block) * LANES;
                for (item, score) in (first..self.len).zip(scores) {
                    if score > top.above() && open.has(item as u32) {
                        top.offer(item as u32, score);
                    }
                }
            }
        }
        top.items()
    }
}

impl User {
    /// A vector in so many registers.
    fn new(vector: &[f32], width: usize) -> User {
        let (_, numbers) = rounded(vector, LARGEST_OF_USER);
        let mut numbers: Vec<i8> = numbers.collect();
        numbers.resize(width * STEP, 0);
        let sum: i32 = numbers.iter().map(|number| i32::from(*number)).sum();
        let register = |part: &[i8]| {
            let mut register = [0; REGISTER];
            for (at, byte) in register.iter_mut().enumerate() {
                *byte = part[at % STEP];
            }
            register
        };
        User {
            registers: numbers.chunks(STEP).map(register).collect(),
            shift: i32::from(SHIFT) * sum,
        }
    }
}

/// Numbers as multiples of a unit, the largest of which is `largest`.
fn rounded(line: &[f32], largest: f32) -> (f32, impl Iterator<Item = i8> + '_) {
    let most = line
        .iter()
        .fold(0.0_f32, |most, number| most.max(number.abs()));
    let unit = most / largest;
    let scale = if most > 0.0 { largest / most } else { 0.0 };
    let numbers = line.iter();
    (
        unit,
        numbers.map(move |number| (number * scale).round() as i8),
    )
}

/// The products of the vectors of some blocks with one.
fn multiply(blocks: &[Register], user: &[UserRegister], products: &mut [[i32; LANES]]) {
    #[cfg(target_arch = "x86_64")]
    if let Some(simd) = pulp::x86::V3::try_new() {
        return simd.vectorize(
            #[inline(always)]
            || multiply_in_registers(simd, blocks, user, products),
        );
    }
    multiply_one_by_one(blocks, user, products);
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn multiply_in_registers(
    simd: pulp::x86::V3,
    blocks: &[Register],
    user: &[UserRegister],
    products: &mut [[i32; LANES]],
) {
    let ones = simd.avx._mm256_set1_epi16(1);
    let (width, mut block) = (user.len(), 0);
    while block * width < blocks.len() {
        let lines = &blocks[block * width..(block + 1) * width];
        let mut sums = simd.avx._mm256_setzero_si256();
        let mut at = 0;
        while at < width {
            let (bytes, numbers) = (pulp::cast(lines[at]), pulp::cast(user[at]));
            let pairs = simd.avx2._mm256_maddubs_epi16(bytes, numbers);
            let fours = simd.avx2._mm256_madd_epi16(pairs, ones);
            sums = simd.avx2._mm256_add_epi32(sums, fours);
            at += 1;
        }
        products[block] = pulp::cast(sums);
        block += 1;
    }
}

fn multiply_one_by_one(blocks: &[Register], user: &[UserRegister], products: &mut [[i32; LANES]]) {
    for (lines, products) in blocks.chunks(user.len()).zip(products) {
        *products = [0; LANES];
        for (bytes, numbers) in lines.iter().zip(user) {
            for (at, (byte, number)) in bytes.iter().zip(numbers).enumerate() {
                products[at / STEP] += i32::from(*byte) * i32::from(*number);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acumen_base::Seed;
    use acumen_base::random::Stream;

    const ITEMS: usize = 5_003;
    const FACTORS: usize = 50;

    fn vectors(draws: &mut Stream) -> Vectors {
        let mut vectors = Vectors::new(ITEMS, FACTORS);
        let width = vectors.width * LANES;
        for line in vectors.lanes.as_flattened_mut().chunks_exact_mut(width) {
            // Items of very different length, as familiar and rare ones are.
            let length = draws.unit() * draws.unit();
            line[..FACTORS].fill_with(|| (length * draws.normal()) as f32);
        }
        vectors
    }

    #[test]
    fn every_machine_finds_the_same_products() {
        let mut draws = Stream::new(Seed(3));
        let register = |draws: &mut Stream| {
            let mut bytes = [0_u8; REGISTER];
            bytes.fill_with(|| draws.below(256) as u8);
            bytes
        };
        let lines: Vec<Register> = (0..9).map(|_| register(&mut draws)).collect();
        let user: Vec<f32> = (0..3 * STEP).map(|_| draws.normal() as f32).collect();
        let user = User::new(&user, 3);
        let (mut found, mut wanted) = ([[0; LANES]; 3], [[0; LANES]; 3]);
        multiply(&lines, &user.registers, &mut found);
        multiply_one_by_one(&lines, &user.registers, &mut wanted);
        assert_eq!(found, wanted);
        // The largest sums that there can be.
        multiply(&[[u8::MAX; REGISTER]], &[[-63; REGISTER]], &mut found);
        assert_eq!(found[0], [-4 * 255 * 63; LANES]);
    }

    #[test]
    fn nearly_all_of_the_best_are_among_those_that_are_looked_at() {
        let mut draws = Stream::new(Seed(4));
        let vectors = vectors(&mut draws);
        let quantised = Quantised::new(&vectors);
        let shown: Vec<bool> = (0..ITEMS).map(|item| item % 7 != 0).collect();
        let but = [5, 6];
        let open = Open::new(&shown).but(&but);
        let (mut found, mut wanted) = (0, 0);
        for _ in 0..20 {
            let user: Vec<f32> = (0..FACTORS).map(|_| draws.normal() as f32).collect();
            let mut exact = Top::new(100);
            for item in (0..ITEMS as u32).filter(|item| open.has(*item)) {
                let line = vectors.line(item as usize).as_flattened();
                exact.offer(item, line.iter().zip(&user).map(|(a, b)| a * b).sum());
            }
            let exact = exact.items();
            let near = quantised.search(&user, &open, 200);
            assert_eq!(near.len(), 200);
            assert!(near.iter().all(|item| open.has(*item)));
            wanted += exact.len();
            found += exact.iter().filter(|item| near.contains(item)).count();
        }
        assert!(found as f64 >= 0.999 * wanted as f64, "{found} of {wanted}");
    }
}
