//! Where a threshold on a probability reaches a target.

/// A row with its probability.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scored {
    pub(super) probability: f64,
    /// How many rows it stands for.
    pub(super) weight: f64,
    pub(super) positive: bool,
}

/// A threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    /// The probability at which it lies.
    pub(super) at: f64,
    /// The precision or share above it.
    pub(super) reached: f64,
    /// Rows above it.
    pub(super) rows: usize,
}

/// The lowest threshold above which the precision is at least so high.
///
/// # Errors
/// The best that can be reached, in words.
pub(super) fn at_precision(rows: Vec<Scored>, precision: f64) -> Result<Cut, String> {
    let cuts = cuts(rows, |above, _| above.positive / above.weight);
    let met = cuts.iter().rev().find(|cut| cut.reached >= precision);
    met.copied().ok_or_else(|| {
        let best = cuts.iter().max_by(|a, b| a.reached.total_cmp(&b.reached));
        match best.filter(|best| best.reached > 0.0) {
            Some(best) => format!(
                "the best precision is {:.4}, of the {} rows with a probability above {:.4}",
                best.reached, best.rows, best.at
            ),
            None => "none of them is positive; name a longer period".to_owned(),
        }
    })
}

/// The lowest threshold above which there is at most this share of the rows.
///
/// # Errors
/// The least that can be reached, in words.
pub(super) fn at_share(rows: Vec<Scored>, share: f64) -> Result<Cut, String> {
    let cuts = cuts(rows, |above, all| above.weight / all);
    let met = cuts.iter().rev().find(|cut| cut.reached <= share);
    met.copied().ok_or_else(|| match cuts.first() {
        Some(least) => format!(
            "the {} rows of the greatest probability have the same one, and are {:.4} of all: \
             that is the least share above 0",
            least.rows, least.reached
        ),
        None => "there are none".to_owned(),
    })
}

/// What lies above a threshold.
#[derive(Clone, Copy, Default)]
struct Above {
    weight: f64,
    positive: f64,
    rows: usize,
}

/// Every threshold that parts rows, from the highest: rows of one probability stay together.
fn cuts(mut rows: Vec<Scored>, figure: impl Fn(&Above, f64) -> f64) -> Vec<Cut> {
    rows.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    let all: f64 = rows.iter().map(|row| row.weight).sum();
    let groups: Vec<&[Scored]> = rows
        .chunk_by(|a, b| a.probability == b.probability)
        .collect();
    let mut above = Above::default();
    let mut cuts = Vec::with_capacity(groups.len());
    for (i, group) in groups.iter().enumerate() {
        for row in *group {
            above.weight += row.weight;
            above.positive += if row.positive { row.weight } else { 0.0 };
            above.rows += 1;
        }
        let next = groups.get(i + 1).map(|group| group[0].probability);
        cuts.push(Cut {
            at: next.map_or(0.0, |next| f64::midpoint(group[0].probability, next)),
            reached: figure(&above, all),
            rows: above.rows,
        });
    }
    cuts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(given: &[(f64, bool)]) -> Vec<Scored> {
        let row = |&(probability, positive): &(f64, bool)| Scored {
            probability,
            weight: 1.0,
            positive,
        };
        given.iter().map(row).collect()
    }

    #[test]
    fn the_best_that_can_be_reached_is_named() {
        let given = rows(&[(0.9, true), (0.9, false), (0.5, true), (0.1, false)]);
        let found = at_precision(given.clone(), 0.6).unwrap();
        assert_eq!((found.at, found.rows), (0.3, 3));
        let best = at_precision(given.clone(), 0.9).unwrap_err();
        assert!(best.contains("0.6667, of the 3 rows"), "{best}");
        assert_eq!(at_share(given.clone(), 0.5).unwrap().at, 0.7);
        let least = at_share(given, 0.4).unwrap_err();
        assert!(
            least.contains("2 rows") && least.contains("0.5000"),
            "{least}"
        );
        let none = at_precision(rows(&[(0.9, false)]), 0.5).unwrap_err();
        assert!(none.contains("longer period"), "{none}");
    }

    proptest! {
        /// The threshold meets the target, and none that has more rows above it does.
        #[test]
        fn no_lower_threshold_would_do(
            given in prop::collection::vec((0_u8..20, any::<bool>()), 1..60),
            target in 0.05_f64..0.95,
        ) {
            let given: Vec<(f64, bool)> =
                given.iter().map(|(p, y)| (f64::from(*p) / 20.0, *y)).collect();
            let above = |at: f64| given.iter().filter(move |(p, _)| *p >= at).collect::<Vec<_>>();
            let precision = |at: f64| {
                let above = above(at);
                above.iter().filter(|(_, y)| *y).count() as f64 / above.len() as f64
            };
            let share = |at: f64| above(at).len() as f64 / given.len() as f64;
            if let Ok(cut) = at_precision(rows(&given), target) {
                prop_assert!(precision(cut.at) >= target && cut.rows == above(cut.at).len());
                let lower = given.iter().filter(|(p, _)| *p < cut.at);
                prop_assert!(lower.into_iter().all(|(p, _)| precision(*p) < target));
            }
            if let Ok(cut) = at_share(rows(&given), target) {
                prop_assert!(share(cut.at) <= target);
                let lower = given.iter().filter(|(p, _)| *p < cut.at);
                prop_assert!(lower.into_iter().all(|(p, _)| share(*p) > target));
            }
        }
    }
}
