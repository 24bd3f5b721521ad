//! Which arm a unit is in.

use acumen_base::Seed;
use acumen_base::key::hash64;
use serde::Serialize;

/// Arms of an experiment. An arm takes a stretch of the numbers from 0 to 1, of which the first
/// part is in use: a ramp makes that part longer, so that nobody who is in an arm ever leaves it
/// for another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assignment {
    salt: u64,
    /// For each arm, where it begins and where the part in use ends.
    ranges: Vec<(f64, f64)>,
}

/// Why arms are none.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum AssignmentError {
    /// Weights that are no shares.
    #[error("the weights of the arms are {0:?}, and must be 0 or more and add up to 1")]
    Weights(Vec<f64>),
    /// A coverage that is no share.
    #[error("the coverage is {0}, and must be from 0 to 1")]
    Coverage(f64),
}

/// Weights add up to 1 to within this.
const ROUNDING: f64 = 1e-9;

impl Assignment {
    /// Arms with these weights, of which a share takes part. The salt is the experiment's own, and
    /// not its name, so that experiments do not depend on each other.
    ///
    /// # Errors
    /// Where weights do not add up to 1, or the coverage is no share.
    pub fn new(salt: Seed, weights: &[f64], coverage: f64) -> Result<Assignment, AssignmentError> {
        let sum: f64 = weights.iter().sum();
        if weights
            .iter()
            .any(|weight| weight.is_nan() || *weight < 0.0)
            || (sum - 1.0).abs() > ROUNDING
        {
            return Err(AssignmentError::Weights(weights.to_vec()));
        }
        if !(0.0..=1.0).contains(&coverage) {
            return Err(AssignmentError::Coverage(coverage));
        }
        let mut begin = 0.0;
        let range = |weight: &f64| {
            let range = (begin, begin + coverage * weight);
            begin += weight;
            range
        };
        Ok(Assignment {
            salt: salt.0,
            ranges: weights.iter().map(range).collect(),
        })
    }

    /// For each arm, where it begins and where the part in use ends.
    pub fn ranges(&self) -> &[(f64, f64)] {
        &self.ranges
    }

    /// The arm of a unit; nothing where it does not take part.
    pub fn arm(&self, unit: &str) -> Option<usize> {
        let at = self.place(unit);
        self.ranges
            .iter()
            .position(|(from, to)| (*from..*to).contains(&at))
    }

    /// Where a unit stands, from 0 to 1.
    fn place(&self, unit: &str) -> f64 {
        let salted = [&self.salt.to_le_bytes()[..], &[0], unit.as_bytes()].concat();
        (hash64(&salted) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// Where the SDKs of GrowthBook put a unit, for experiments that go on here: version 2, and
/// version 1, which is biased. Nothing for a version that there is not.
pub fn growthbook_hash(seed: &str, unit: &str, version: u32) -> Option<f64> {
    match version {
        1 => Some(f64::from(fnv_1a(&format!("{unit}{seed}")) % 1_000) / 1_000.0),
        2 => {
            let inner = fnv_1a(&format!("{seed}{unit}"));
            Some(f64::from(fnv_1a(&inner.to_string()) % 10_000) / 10_000.0)
        }
        _ => None,
    }
}

/// FNV-1a of 32 bits (Fowler, Noll and Vo).
fn fnv_1a(text: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    text.bytes().fold(0x811c_9dc5, step)
}
