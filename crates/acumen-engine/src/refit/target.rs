//! What thresholds are fitted to.

use std::fmt;
use std::str::FromStr;

/// What thresholds are to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// At least this share of the rows above the threshold is positive; as many as possible lie
    /// above it.
    Precision(f64),
    /// At most this share of all rows lies above the threshold, and as many as possible.
    BlockRate(f64),
    /// Every band begins where what is done is worth most.
    ExpectedCost,
}

/// Every target as it is written.
const WRITTEN: &str = "`precision=0.95`, `block_rate=0.01` or `expected_cost`";

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Precision(share) => write!(f, "precision={share}"),
            Target::BlockRate(share) => write!(f, "block_rate={share}"),
            Target::ExpectedCost => f.write_str("expected_cost"),
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Target, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        let make = match (name, value) {
            ("expected_cost", None) => return Ok(Target::ExpectedCost),
            ("precision", Some(_)) => Target::Precision,
            ("block_rate", Some(_)) => Target::BlockRate,
            _ => return Err(format!("`{text}` is not a target: write {WRITTEN}")),
        };
        let value = value.unwrap_or_default();
        match share(value) {
            Some(share) => Ok(make(share)),
            None => Err(format!(
                "`{value}` is not a share above 0 and below 1: write {WRITTEN}"
            )),
        }
    }
}

/// A share above 0 and below 1; `5%` is 0.05.
fn share(text: &str) -> Option<f64> {
    let value = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (value > 0.0 && value < 1.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_read_as_they_are_written() {
        for text in ["precision=0.95", "block_rate=0.01", "expected_cost"] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), text);
        }
        assert_eq!("block_rate = 2%".parse(), Ok(Target::BlockRate(0.02)));
        for wrong in [
            "recall=0.9",
            "precision",
            "precision=1.5",
            "block_rate=NaN",
            "expected_cost=1",
        ] {
            let error = wrong.parse::<Target>().unwrap_err();
            assert!(error.contains("block_rate=0.01"), "{error}");
        }
    }
}
