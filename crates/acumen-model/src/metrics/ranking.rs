//! How good rankings are, once it is known what each user took next.

/// One user's ranking, and what they took: its place, counted from 0.
///
/// Where items have the same score as the wanted one, they are ahead of it half of the time, so
/// the place may end in a half. `None` where it was not ranked at all.
pub type PlaceOfWanted = Option<f64>;

/// Figures of many rankings with one wanted item each.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct RankingMetrics {
    /// How many rankings.
    pub rankings: usize,
    /// The share whose wanted item is among the first `k`; with one wanted item this is also the
    /// recall.
    pub hit_rate: f64,
    /// The mean of `1 / log₂(place + 2)` where it is among the first `k`: the normalised discounted
    /// cumulative gain (Järvelin and Kekäläinen 2002) of one wanted item.
    pub ndcg: f64,
    /// The mean of `1 / (place + 1)` where it is among the first `k`.
    pub reciprocal_rank: f64,
}

/// How well lists that were shown are ordered, as if every place of them had been looked at.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ListMetrics {
    /// Lists in which more came of one item than of another.
    pub lists: usize,
    /// The normalised discounted cumulative gain at 10 of the order.
    pub ndcg: f64,
    /// The same of the weighed sum of what the sources say, on the same lists.
    pub blend: f64,
    /// The standard error of the difference of the two.
    pub error: f64,
}

impl RankingMetrics {
    /// The figures at the first `k` places; all 0 for no rankings.
    pub fn at(k: usize, places: &[PlaceOfWanted]) -> RankingMetrics {
        let count = places.len().max(1) as f64;
        let hits = || places.iter().flatten().filter(|place| **place < k as f64);
        let mean =
            |gain: &dyn Fn(f64) -> f64| hits().map(|place| gain(*place)).sum::<f64>() / count;
        RankingMetrics {
            rankings: places.len(),
            hit_rate: mean(&|_| 1.0),
            ndcg: mean(&|place| 1.0 / (place + 2.0).log2()),
            reciprocal_rank: mean(&|place| 1.0 / (place + 1.0)),
        }
    }
}

/// The place of a wanted score among others, counted from 0; equal ones count half.
pub fn place_among(wanted: f32, others: impl IntoIterator<Item = f32>) -> f64 {
    let weight = |other: f32| match other.total_cmp(&wanted) {
        std::cmp::Ordering::Greater => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Less => 0.0,
    };
    others.into_iter().map(weight).sum()
}

/// The share of `n_items` items that are in some list.
pub fn coverage(lists: &[Vec<u32>], n_items: usize) -> f64 {
    let mut seen = vec![false; n_items];
    for item in lists.iter().flatten() {
        seen[*item as usize] = true;
    }
    seen.iter().filter(|seen| **seen).count() as f64 / n_items.max(1) as f64
}

/// How new the items of lists are to people: the mean of `−log₂` of the share of users who
/// touched an item (Zhou et al. 2010), in bits. An item that nobody touched counts as one
/// that one user did.
pub fn novelty(lists: &[Vec<u32>], touched_by: &[u32], users: usize) -> f64 {
    let bits = |item: &u32| {
        let share = f64::from(touched_by[*item as usize].max(1)) / users.max(1) as f64;
        -share.log2()
    };
    let all = || lists.iter().flatten();
    all().map(bits).sum::<f64>() / all().count().max(1) as f64
}

/// How unlike each other the items of a list are: the mean of `1 − likeness` over its pairs
/// (Ziegler et al. 2005); 0 for fewer than two items.
pub fn intra_list_diversity(list: &[u32], likeness: impl Fn(u32, u32) -> f64) -> f64 {
    let pairs = || {
        let others =
            |(at, a): (usize, &u32)| list[at + 1..].iter().map(move |b| (*a, *b)).collect();
        list.iter()
            .enumerate()
            .flat_map(move |pair| -> Vec<(u32, u32)> { others(pair) })
    };
    let unlike: f64 = pairs().map(|(a, b)| 1.0 - likeness(a, b)).sum();
    unlike / pairs().count().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_by_hand() {
        // First, third, eleventh and not ranked.
        let found = RankingMetrics::at(10, &[Some(0.0), Some(2.0), Some(10.0), None]);
        assert_eq!(found.hit_rate, 0.5);
        assert_eq!(found.ndcg, (1.0 + 0.5) / 4.0);
        assert_eq!(found.reciprocal_rank, (1.0 + 1.0 / 3.0) / 4.0);
        assert_eq!(RankingMetrics::at(10, &[]).ndcg, 0.0);
        assert_eq!(place_among(2.0, [3.0, 2.0, 1.0, 2.0]), 2.0);
    }

    #[test]
    fn lists_by_hand() {
        assert_eq!(coverage(&[vec![0, 1], vec![1]], 4), 0.5);
        assert_eq!(novelty(&[vec![0, 1]], &[4, 1], 4), 1.0);
        let likeness = |a: u32, b: u32| if a / 2 == b / 2 { 1.0 } else { 0.0 };
        assert_eq!(intra_list_diversity(&[0, 1, 2], likeness), 2.0 / 3.0);
        assert_eq!(intra_list_diversity(&[7], likeness), 0.0);
    }
}
