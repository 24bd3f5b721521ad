//! EASEᴿ: each item as a linear model of all others, in closed form.

use rayon::prelude::*;

use super::RecommendError;
use super::interactions::Pairs;
use super::item_similarity::common;
use super::sweep::Symmetric;

/// Items that a dense matrix is made for: 12,288² doubles, of which half are kept, are 0.6 GB.
const ITEMS_MAX: usize = 12_288;

/// What each item says of every other.
pub(super) fn lines(by_user: &Pairs, ridge: f64) -> Result<Vec<Vec<(u32, f32)>>, RecommendError> {
    let items = by_user.n_columns();
    if items > ITEMS_MAX {
        let most = ITEMS_MAX;
        return Err(RecommendError::TooManyItems { items, most });
    }
    let by_item = by_user.transposed();
    let line = |sums: &mut Vec<f32>, item: usize| {
        common(item, (by_user, &by_item), sums);
        let mut line: Vec<f64> = sums[..=item].iter().map(|sum| f64::from(*sum)).collect();
        sums.fill(0.0);
        line[item] += ridge;
        line
    };
    let lower = (0..items).into_par_iter();
    let lower: Vec<Vec<f64>> = lower.map_init(|| vec![0.0; items], line).collect();
    let inverse = Symmetric::new(&lower).inverse();
    let inverse = inverse.ok_or(RecommendError::Singular(ridge))?;
    let of = |item: usize| {
        let others = (0..items).filter(|&other| other != item);
        let weight = |other: usize| -inverse.at(item, other) / inverse.at(other, other);
        others
            .map(|other| (other as u32, weight(other) as f32))
            .collect()
    };
    Ok((0..items).into_par_iter().map(of).collect())
}
