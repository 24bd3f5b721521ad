//! The gamma function and its relatives, for positive arguments.

/// The logarithm of the gamma function.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    libm::lgamma(x)
}

/// The logarithm of the beta function.
pub(crate) fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}

/// The derivative of [`ln_gamma`], by recurrence up to where the asymptotic series holds
/// (Abramowitz and Stegun 1964, 6.3.5 and 6.3.18).
pub(crate) fn digamma(x: f64) -> f64 {
    /// From here on the first term left out is below 1e-17.
    const SERIES_FROM: f64 = 12.0;
    let (mut x, mut shift) = (x, 0.0);
    while x < SERIES_FROM {
        shift -= 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let mut series = 0.0;
    for coefficient in [
        1.0 / 12.0,
        -691.0 / 32_760.0,
        1.0 / 132.0,
        -1.0 / 240.0,
        1.0 / 252.0,
        -1.0 / 120.0,
        1.0 / 12.0,
    ] {
        series = (series + coefficient) * square;
    }
    shift + x.ln() - 0.5 / x - series
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_values() {
        const EULER: f64 = 0.577_215_664_901_532_9;
        assert!((ln_gamma(0.5) - std::f64::consts::PI.sqrt().ln()).abs() < 1e-15);
        assert!((digamma(1.0) + EULER).abs() < 1e-14);
        assert!((digamma(0.5) + EULER + 2.0 * std::f64::consts::LN_2).abs() < 1e-14);
        assert!((ln_beta(3.0, 4.0) - (1.0_f64 / 60.0).ln()).abs() < 1e-14);
    }

    proptest! {
        /// Γ(x + 1) = x Γ(x), and the derivative is that of the function.
        #[test]
        fn recurrence_and_derivative(exponent in -6.0_f64..12.0) {
            let x = exponent.exp();
            let gamma = ln_gamma(x + 1.0) - ln_gamma(x) - x.ln();
            prop_assert!(gamma.abs() < 1e-12 * (1.0 + ln_gamma(x).abs()));
            let step = 1e-4 * x;
            let slope = (ln_gamma(x + step) - ln_gamma(x - step)) / (2.0 * step);
            prop_assert!((slope - digamma(x)).abs() < 1e-5 * (1.0 + digamma(x).abs() + 1.0 / x));
        }
    }
}
