//! The figures of the page.

use std::collections::BTreeMap;

use acumen_base::Time;

use super::ValueRow;

/// A group of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) rows: usize,
    pub(super) predicted: f64,
    pub(super) actual: f64,
    /// The standard error of the sum of what came less what was predicted.
    pub(super) error: f64,
}

/// The sums of some rows.
pub(super) fn group<'r>(rows: impl IntoIterator<Item = &'r ValueRow>) -> Group {
    let (mut group, mut squares, mut off) = (Group::default(), 0.0, 0.0);
    for row in rows {
        let apart = row.actual - row.predicted;
        group.rows += 1;
        group.predicted += row.predicted;
        group.actual += row.actual;
        off += apart;
        squares += apart * apart;
    }
    let n = group.rows as f64;
    group.error = (squares - off * off / n.max(1.0)).max(0.0).sqrt();
    group
}

/// Rows by rising prediction in so many groups of equal size; fewer where there are fewer rows.
pub(super) fn groups(rows: &[&ValueRow], count: usize) -> Vec<Group> {
    let mut rising = rows.to_vec();
    rising.sort_by(|a, b| a.predicted.total_cmp(&b.predicted).then(a.key.cmp(&b.key)));
    let n = rising.len();
    let part = |i: usize| &rising[i * n / count..(i + 1) * n / count];
    let parts = (0..count).map(part).filter(|part| !part.is_empty());
    parts.map(|part| group(part.iter().copied())).collect()
}

/// The mean distance of group means, by the mean of what came.
pub(super) fn group_error(rows: &[&ValueRow], count: usize) -> f64 {
    let groups = groups(rows, count);
    let all = group(rows.iter().copied());
    let apart = groups
        .iter()
        .map(|g| (g.predicted - g.actual).abs() / g.rows as f64);
    apart.sum::<f64>() / groups.len() as f64 / (all.actual / all.rows as f64)
}

/// The mean absolute error of a row, by the mean of what came.
pub(super) fn row_error(rows: &[&ValueRow]) -> f64 {
    let off = rows.iter().map(|row| (row.predicted - row.actual).abs());
    off.sum::<f64>() / rows.iter().map(|row| row.actual).sum::<f64>()
}

/// The share of rows whose interval held what came; `None` where there are no intervals.
pub(super) fn coverage(rows: &[&ValueRow]) -> Option<f64> {
    let intervals = rows
        .iter()
        .filter_map(|row| Some((row.interval?, row.actual)));
    let (mut all, mut held) = (0.0, 0.0);
    for ((low, high), actual) in intervals {
        all += 1.0;
        held += f64::from(u8::from((low..=high).contains(&actual)));
    }
    (all > 0.0).then(|| held / all)
}

/// Points of the share of all that came, over the share of rows, in an order of falling `by`.
pub(super) fn curve(rows: &[&ValueRow], by: fn(&ValueRow) -> f64) -> Vec<(f64, f64)> {
    let mut falling = rows.to_vec();
    falling.sort_by(|a, b| by(b).total_cmp(&by(a)).then(a.key.cmp(&b.key)));
    let all: f64 = falling.iter().map(|row| row.actual).sum();
    let step = (falling.len() / 200).max(1);
    let (mut brought, mut points) = (0.0, vec![(0.0, 0.0)]);
    for (place, row) in falling.iter().enumerate() {
        brought += row.actual;
        let done = place + 1;
        if done % step == 0 || done == falling.len() {
            points.push((done as f64 / falling.len() as f64, brought / all));
        }
    }
    points
}

/// What the order of predictions is worth against the best order: 1 is as good.
pub(super) fn ordering(rows: &[&ValueRow]) -> f64 {
    let area = |points: &[(f64, f64)]| {
        let pairs = points.windows(2);
        pairs
            .map(|p| (p[1].0 - p[0].0) * (p[0].1 + p[1].1) / 2.0)
            .sum::<f64>()
            - 0.5
    };
    let best = area(&curve(rows, |row| row.actual));
    if best <= 1e-12 {
        0.0
    } else {
        area(&curve(rows, |row| row.predicted)) / best
    }
}

/// Rows by their cohort.
pub(super) fn by_cohort(rows: &[&ValueRow]) -> BTreeMap<String, Group> {
    let mut of: BTreeMap<String, Vec<&ValueRow>> = BTreeMap::new();
    for row in rows {
        of.entry(row.cohort.clone()).or_default().push(row);
    }
    of.into_iter()
        .map(|(name, rows)| (name, group(rows)))
        .collect()
}

/// Rows by their origin.
pub(super) fn by_time(rows: &[ValueRow]) -> BTreeMap<Time, Vec<&ValueRow>> {
    let mut of: BTreeMap<Time, Vec<&ValueRow>> = BTreeMap::new();
    for row in rows {
        of.entry(row.at).or_default().push(row);
    }
    of
}

/// How far, on average, each driver moved predictions: the strongest first.
pub(super) fn drivers(rows: &[&ValueRow]) -> Vec<(String, f64)> {
    let mut of: BTreeMap<&str, f64> = BTreeMap::new();
    for (name, moved) in rows.iter().flat_map(|row| &row.drivers) {
        *of.entry(name).or_default() += moved.abs();
    }
    let mean = |(name, moved): (&str, f64)| (name.to_owned(), moved / rows.len() as f64);
    let mut list: Vec<(String, f64)> = of.into_iter().map(mean).collect();
    list.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    list
}

/// The error of a row, by the mean, that is left to one who knows exactly how many events to
/// expect of every key, each worth `event_value`: the mean absolute deviation of Poisson counts.
pub(super) fn floor(rows: &[&ValueRow], event_value: f64) -> f64 {
    let rates = || rows.iter().map(|row| row.predicted / event_value);
    rates().map(deviation).sum::<f64>() / rates().sum::<f64>()
}

/// The mean absolute deviation of a Poisson count from its mean `rate`:
/// `2 exp(−λ) λ^(⌊λ⌋+1) / ⌊λ⌋!`.
fn deviation(rate: f64) -> f64 {
    if rate <= 0.0 {
        return 0.0;
    }
    let whole = rate.floor();
    let factorial: f64 = (1..=whole as u64).map(|i| (i as f64).ln()).sum();
    2.0 * ((whole + 1.0) * rate.ln() - rate - factorial).exp()
}

/// What comes of paying `cost` for every row predicted to bring more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spending {
    pub(super) cost: f64,
    /// Rows that are paid for.
    pub(super) rows: usize,
    /// What they bring less what they cost.
    pub(super) gain: f64,
    /// What paying for everybody would bring.
    pub(super) of_all: f64,
    /// What paying for those who did bring more would.
    pub(super) at_best: f64,
}

/// What comes of paying this much.
pub(super) fn spending(rows: &[&ValueRow], cost: f64) -> Spending {
    let gain = |chosen: &dyn Fn(&ValueRow) -> bool| {
        let of = rows.iter().filter(|row| chosen(row));
        of.map(|row| row.actual - cost).sum::<f64>()
    };
    Spending {
        cost,
        rows: rows.iter().filter(|row| row.predicted > cost).count(),
        gain: gain(&|row| row.predicted > cost),
        of_all: gain(&|_| true),
        at_best: gain(&|row| row.actual > cost),
    }
}

/// Costs worth looking at: round numbers around the mean.
pub(super) fn costs(mean: f64) -> Vec<f64> {
    let round = |value: f64| {
        let power = 10_f64.powf(value.log10().floor());
        let lead = value / power;
        let nice = [1.0, 2.0, 5.0, 10.0].into_iter().find(|nice| lead <= *nice);
        nice.unwrap_or(10.0) * power
    };
    let mut costs: Vec<f64> = [0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0]
        .map(|share| round(mean * share))
        .to_vec();
    costs.dedup();
    costs
}
