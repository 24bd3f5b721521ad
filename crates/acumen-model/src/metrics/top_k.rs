//! What a team sees that looks at the k most suspicious entities of each day.

use std::collections::{BTreeMap, BTreeSet};

use super::is_positive;

/// The mean over days of the share of positive entities among the `k` of the highest score.
///
/// Each day an entity is as suspicious as its highest row, and positive if any of its rows is.
/// A positive entity that was among the `k` leaves the pool for the days after. This is card
/// precision top-k of the Fraud Detection Handbook (Le Borgne et al. 2022, section 4.4). Among
/// equal scores the smaller entity comes first. 0 for no rows.
///
/// # Panics
/// If the lengths differ, `k` is 0, or a score is NaN.
pub fn top_k_precision_by_day<E: Ord + Copy>(
    day: &[i64],
    entity: &[E],
    score: &[f64],
    outcome: &[f32],
    k: usize,
) -> f64 {
    let rows = day.len();
    assert!(k > 0, "at least one entity a day");
    assert!(
        [entity.len(), score.len(), outcome.len()] == [rows; 3],
        "one day, entity, score and outcome a row"
    );
    let mut days: BTreeMap<i64, BTreeMap<E, (f64, bool)>> = BTreeMap::new();
    for row in 0..rows {
        let seen = (score[row], is_positive(outcome[row]));
        let entities = days.entry(day[row]).or_default();
        entities
            .entry(entity[row])
            .and_modify(|(top, positive)| (*top, *positive) = (top.max(seen.0), *positive | seen.1))
            .or_insert(seen);
    }
    let mut found = BTreeSet::new();
    let mut hits = 0;
    for entities in days.values() {
        let pool = entities
            .iter()
            .filter(|(entity, _)| !found.contains(*entity));
        let mut pool: Vec<(E, f64, bool)> = pool.map(|(e, (s, y))| (*e, *s, *y)).collect();
        // Stable, and the entities come in order: ties go to the smaller one.
        pool.sort_by(|a, b| b.1.partial_cmp(&a.1).expect("a score is a number"));
        let caught = pool.iter().take(k).filter(|(_, _, positive)| *positive);
        let caught: Vec<E> = caught.map(|(entity, _, _)| *entity).collect();
        hits += caught.len();
        found.extend(caught);
    }
    hits as f64 / (k * days.len().max(1)) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_entities_leave_the_pool() {
        // Day 1, two looked at: 7 (0.9, positive by its other row) and 8. Day 2: 7 is gone, so
        // 9 and 8 are looked at, and 9 is positive. One hit of two on each day.
        let day = [1, 1, 1, 1, 2, 2, 2, 2];
        let entity = [7, 7, 8, 9, 7, 8, 9, 6];
        let score = [0.9, 0.1, 0.8, 0.2, 0.9, 0.5, 0.6, 0.4];
        let outcome = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];
        assert_eq!(
            top_k_precision_by_day(&day, &entity, &score, &outcome, 2),
            0.5
        );
        assert_eq!(
            top_k_precision_by_day(&day, &entity, &score, &outcome, 4),
            3.0 / 8.0
        );
        assert_eq!(top_k_precision_by_day::<u32>(&[], &[], &[], &[], 2), 0.0);
    }
}
