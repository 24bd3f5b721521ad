//! What the columns of a model really take: kept with it, for explanations.

use acumen_base::{Column, Columns};

/// Steps between the quantiles that a model keeps of each of its columns.
const QUANTILE_STEPS: usize = 32;

/// The values of some rows at equal steps of their order, column by column; a row takes as many
/// places as its weight says, 1 where there is none.
pub(crate) fn quantiles(
    all: &Columns,
    data: &[Vec<f64>],
    (rows, weight): (&[usize], Option<&[f32]>),
    columns: &Columns,
) -> Vec<Vec<f64>> {
    let weight = |i: usize| weight.map_or(1.0, |weight| f64::from(weight[i]));
    let of = |column: &Column| {
        let place = all.position(&column.name);
        let data = place.map_or(&[][..], |place| &data[place]);
        let values = rows
            .iter()
            .filter_map(|&i| Some((*data.get(i)?, weight(i))));
        let mut values: Vec<(f64, f64)> = values.filter(|(value, _)| value.is_finite()).collect();
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut upto = 0.0;
        for (_, weight) in &mut values {
            upto += *weight;
            *weight = upto;
        }
        let last = (upto - 1.0).max(0.0);
        let step = |step: usize| {
            let place = step as f64 * last / QUANTILE_STEPS as f64;
            values[values.partition_point(|(_, upto)| *upto <= place)].0
        };
        match values.is_empty() {
            true => Vec::new(),
            false => (0..=QUANTILE_STEPS).map(step).collect(),
        }
    };
    columns.list.iter().map(of).collect()
}
