//! What the columns of a model really take: kept with it, for explanations.

use acumen_base::{Column, Columns};

/// Steps between the quantiles that a model keeps of each of its columns.
const QUANTILE_STEPS: usize = 32;

/// The values of some rows at equal steps of their order, column by column.
pub(crate) fn quantiles(
    all: &Columns,
    data: &[Vec<f64>],
    rows: &[usize],
    columns: &Columns,
) -> Vec<Vec<f64>> {
    let of = |column: &Column| {
        let place = all.position(&column.name);
        let data = place.map_or(&[][..], |place| &data[place]);
        let mut values: Vec<f64> = rows.iter().filter_map(|&i| data.get(i).copied()).collect();
        values.retain(|value| value.is_finite());
        values.sort_unstable_by(f64::total_cmp);
        let Some(last) = values.len().checked_sub(1) else {
            return Vec::new();
        };
        let step = |step: usize| values[step * last / QUANTILE_STEPS];
        (0..=QUANTILE_STEPS).map(step).collect()
    };
    columns.list.iter().map(of).collect()
}
