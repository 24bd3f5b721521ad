//! What is kept of an arm.

use serde::{Deserialize, Serialize};

/// Sums of a metric over the units of an arm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Units.
    pub count: f64,
    /// Σ x.
    pub sum: f64,
    /// Σ x².
    pub squares: f64,
}

/// Sums of two metrics whose quotient counts, such as clicks a page shown, over units that are not
/// pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RatioMoments {
    /// Of the numerator.
    pub above: Moments,
    /// Of the denominator.
    pub below: Moments,
    /// Σ of their products.
    pub products: f64,
}

impl Moments {
    /// Takes a unit.
    pub fn add(&mut self, value: f64) {
        self.merge(&Moments {
            count: 1.0,
            sum: value,
            squares: value * value,
        });
    }

    /// Takes what another part has seen.
    pub fn merge(&mut self, other: &Moments) {
        self.count += other.count;
        self.sum += other.sum;
        self.squares += other.squares;
    }

    /// The mean; NaN for no units.
    pub fn mean(&self) -> f64 {
        self.sum / self.count
    }

    /// The variance of a unit, of a sample; nothing for fewer than two units.
    pub fn variance(&self) -> Option<f64> {
        let spread = self.squares - self.sum * self.sum / self.count;
        (self.count >= 2.0).then(|| spread.max(0.0) / (self.count - 1.0))
    }

    /// The variance of the mean.
    pub fn variance_of_mean(&self) -> Option<f64> {
        Some(self.variance()? / self.count)
    }
}

impl RatioMoments {
    /// Takes a unit.
    pub fn add(&mut self, above: f64, below: f64) {
        self.above.add(above);
        self.below.add(below);
        self.products += above * below;
    }

    /// Takes what another part has seen.
    pub fn merge(&mut self, other: &RatioMoments) {
        self.above.merge(&other.above);
        self.below.merge(&other.below);
        self.products += other.products;
    }

    /// The quotient of the means.
    pub fn ratio(&self) -> f64 {
        self.above.sum / self.below.sum
    }

    /// The variance of the quotient, by the delta method; nothing for fewer than two units.
    pub fn variance_of_ratio(&self) -> Option<f64> {
        let count = self.above.count;
        let (above, below) = (self.above.mean(), self.below.mean());
        let both = (self.products - count * above * below) / (count - 1.0);
        let sum = self.above.variance()? / (below * below)
            + self.below.variance()? * above * above / below.powi(4)
            - 2.0 * both * above / below.powi(3);
        Some(sum / count)
    }
}
