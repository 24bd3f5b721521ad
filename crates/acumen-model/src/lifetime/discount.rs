//! What comes later counts less.

use std::sync::LazyLock;

use crate::quadrature::gauss_legendre;

/// Nodes of the quadrature: with them a horizon of `rate · horizon = 5` is exact to 1e-6.
const NODES: usize = 12;

static RULE: LazyLock<(Vec<f64>, Vec<f64>)> = LazyLock::new(|| gauss_legendre(NODES));

/// `∫ exp(−rate · t) d count(t)` from 0 to `horizon`, by parts:
/// `exp(−rate · horizon) count(horizon) + rate ∫ exp(−rate · t) count(t) dt`.
pub(super) fn discounted(count: impl Fn(f64) -> f64, horizon: f64, rate: f64) -> f64 {
    if rate == 0.0 {
        return count(horizon);
    }
    let (at, weights) = &*RULE;
    let waited: f64 = at
        .iter()
        .zip(weights)
        .map(|(at, weight)| {
            let time = at * horizon;
            weight * (-rate * time).exp() * count(time)
        })
        .sum();
    (-rate * horizon).exp() * count(horizon) + rate * horizon * waited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_is_an_annuity() {
        for rate in [1e-9, 0.01, 0.1, 0.5] {
            let found = discounted(|t| 3.0 * t, 10.0, rate);
            let exact = 3.0 * -(-10.0 * rate).exp_m1() / rate;
            assert!((found - exact).abs() < 1e-6 * exact, "{found} {exact}");
        }
        assert_eq!(discounted(|t| 3.0 * t, 10.0, 0.0), 30.0);
    }
}
