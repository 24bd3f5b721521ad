//! The figures of predicted values, defined exactly as the peer's script defines them.

/// How good predictions are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Figures {
    /// The mean absolute error of a customer, by the mean.
    pub(super) nmae: f64,
    /// The error of the total, by the total.
    pub(super) total: f64,
    /// The mean error of the tenths of the customers by rising prediction, by the mean.
    pub(super) decile: f64,
    /// The mean error of cohorts of 200, by the mean.
    pub(super) cohort200: f64,
    /// The Gini coefficient of the ranking, as a share of the best one.
    pub(super) ngini: f64,
}

/// Customers of a random cohort.
const COHORT: usize = 200;

/// The figures of one set of predictions; `shuffled` says which customers make up the cohorts.
pub(super) fn figures(predicted: &[f64], actual: &[f64], shuffled: &[usize]) -> Figures {
    let sum: f64 = actual.iter().sum();
    let mean = sum / actual.len() as f64;
    let pairs = || predicted.iter().zip(actual);
    let cohorts: Vec<f64> = shuffled
        .chunks_exact(COHORT)
        .map(|cohort| {
            let off: f64 = cohort.iter().map(|&i| actual[i] - predicted[i]).sum();
            off.abs() / (mean * COHORT as f64)
        })
        .collect();
    Figures {
        nmae: pairs().map(|(p, y)| (p - y).abs()).sum::<f64>() / sum,
        total: predicted.iter().sum::<f64>() / sum - 1.0,
        decile: decile(predicted, actual),
        cohort200: mean_of(&cohorts),
        ngini: gini(predicted, actual) / gini(actual, actual),
    }
}

/// The mean over tenths of the distance between the mean actual and the mean predicted value.
pub(super) fn decile(predicted: &[f64], actual: &[f64]) -> f64 {
    let order = by_rising(predicted);
    let n = order.len();
    let mean = actual.iter().sum::<f64>() / n as f64;
    let end = |tenth: usize| (1.0 + (n - 1) as f64 * tenth as f64 / 10.0).floor() as usize;
    let mut from = 0;
    let mut off = 0.0;
    for tenth in 1..=10 {
        let to = end(tenth);
        let group = &order[from..to];
        let apart: f64 = group.iter().map(|&i| actual[i] - predicted[i]).sum();
        off += (apart / group.len() as f64).abs();
        from = to;
    }
    off / 10.0 / mean
}

fn gini(order_by: &[f64], actual: &[f64]) -> f64 {
    let total: f64 = actual.iter().sum();
    let mut brought = 0.0;
    let shares = by_rising(order_by).into_iter().rev().map(|i| {
        brought += actual[i];
        brought / total
    });
    2.0 * shares.sum::<f64>() / actual.len() as f64 - 1.0
}

fn by_rising(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    order
}

/// The mean of some numbers.
pub(super) fn mean_of(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The mean figures of several seeds.
pub(super) fn mean(of: &[Figures]) -> Figures {
    let over = |what: fn(&Figures) -> f64| mean_of(&of.iter().map(what).collect::<Vec<f64>>());
    Figures {
        nmae: over(|f| f.nmae),
        total: over(|f| f.total),
        decile: over(|f| f.decile),
        cohort200: over(|f| f.cohort200),
        ngini: over(|f| f.ngini),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_equal_those_of_the_peers_script() {
        // By hand, and by `metrics` of the peer's script, for 20 customers.
        let actual: Vec<f64> = (0..20).map(|i| f64::from(i * i % 7) + 1.0).collect();
        let predicted: Vec<f64> = (0..20).map(|i| f64::from(i % 5) + 1.0).collect();
        let found = figures(&predicted, &actual, &[]);
        let sum: f64 = actual.iter().sum();
        let off: f64 = (0..20).map(|i| (predicted[i] - actual[i]).abs()).sum();
        assert!((found.nmae - off / sum).abs() < 1e-12);
        assert!((found.total - (predicted.iter().sum::<f64>() / sum - 1.0)).abs() < 1e-12);
        // Tenths are pairs; the first holds customers 0 and 5, predicted 1 each.
        assert_eq!(by_rising(&predicted)[..4], [0, 5, 10, 15]);
        assert!((figures(&actual, &actual, &[]).ngini - 1.0).abs() < 1e-12);
        assert_eq!(figures(&actual, &actual, &[]).decile, 0.0);
    }

    #[test]
    fn a_cohort_is_off_by_its_sum() {
        let actual = vec![2.0; 400];
        let predicted: Vec<f64> = (0..400).map(|i| if i < 200 { 1.0 } else { 3.0 }).collect();
        let straight: Vec<usize> = (0..400).collect();
        assert!((figures(&predicted, &actual, &straight).cohort200 - 0.5).abs() < 1e-12);
        let mixed: Vec<usize> = (0..200).flat_map(|i| [i, 200 + i]).collect();
        assert!(figures(&predicted, &actual, &mixed).cohort200 < 1e-12);
    }
}
