//! What is drawn for each tree: a function of seed and round alone, so threads cannot matter.

use acumen_base::Seed;

use acumen_base::random::mix;

/// Whether a row is drawn, each on its own.
pub(super) fn rows(seed: Seed, round: usize, share: f64) -> impl Fn(u32) -> bool {
    let seed = seed.derive(&format!("rows of round {round}")).0;
    let limit = (share * 2_f64.powi(64)) as u64;
    move |row| mix(seed ^ mix(u64::from(row))) <= limit
}

/// Which columns are drawn: the share of them, rounded down, and at least one.
pub(super) fn columns(seed: Seed, round: usize, count: usize, share: f64) -> Vec<bool> {
    if share >= 1.0 {
        return vec![true; count];
    }
    let seed = seed.derive(&format!("columns of round {round}")).0;
    let wanted = ((share * count as f64) as usize).max(1);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&column| mix(seed ^ mix(column as u64)));
    let mut drawn = vec![false; count];
    order.iter().take(wanted).for_each(|&c| drawn[c] = true);
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_met_and_differ_by_round() {
        let drawn: Vec<bool> = (0..10_000).map(rows(Seed(1), 0, 0.7)).collect();
        let other: Vec<bool> = (0..10_000).map(rows(Seed(1), 1, 0.7)).collect();
        let count = drawn.iter().filter(|d| **d).count();
        assert!((6_800..7_200).contains(&count), "{count}");
        assert_ne!(drawn, other);
        let columns = columns(Seed(1), 0, 10, 0.35);
        assert_eq!(columns.iter().filter(|d| **d).count(), 3);
    }
}
