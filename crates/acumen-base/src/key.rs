//! Keys of entities, hashes of text, and seeds.

use std::fmt;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed, xxh3_128};

/// Which customer, card, device: a 128-bit hash of the id's text.
///
/// At a billion entities two of them share a key with a probability of about 1e-21.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub u128);

impl Key {
    /// The key of an id.
    pub fn of(text: &str) -> Key {
        Key::of_bytes(text.as_bytes())
    }

    /// The key of an id, as the bytes of its text.
    pub fn of_bytes(text: &[u8]) -> Key {
        Key(xxh3_128(text))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:032x})", self.0)
    }
}

/// The number that stands for a category in a row: 52 bits of a hash of its text, so that it is
/// the same in every log and every process, and exact in an `f64`.
pub fn category_code(text: &str) -> f64 {
    (xxh3_64(text.as_bytes()) >> 12) as f64
}

/// A stable 64-bit hash of bytes.
pub fn hash64(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// Where every random number comes from: the same seed and name give the same numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of a named part, independent of the order in which parts ask.
    pub fn derive(self, name: &str) -> Seed {
        Seed(xxh3_64_with_seed(name.as_bytes(), self.0))
    }

    /// A number in [0, 1) for a named event, such as an exploration draw.
    pub fn unit(self, name: &str) -> f64 {
        (self.derive(name).0 >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_seeds_are_stable() {
        assert_eq!(category_code("groceries"), category_code("groceries"));
        assert_ne!(category_code("groceries"), category_code("travel"));
        assert_eq!(category_code("groceries").fract(), 0.0);
        let draws: Vec<f64> = (0..1000)
            .map(|i| Seed(7).unit(&format!("event-{i}")))
            .collect();
        let mean = draws.iter().sum::<f64>() / 1000.0;
        assert!(draws.iter().all(|x| (0.0..1.0).contains(x)) && (0.45..0.55).contains(&mean));
    }
}
