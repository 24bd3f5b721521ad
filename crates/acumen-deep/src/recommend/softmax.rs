//! The cross-entropy over all items, and its gradient, some events at a time.
//!
//! With `p` the softmax of `users · itemsᵀ + bias` and `y` one for the item that came next, the
//! gradient by the logits is `p − y`; from it follow those by users, items and bias. Only one
//! piece of the logits exists at a time.

use burn::tensor::{Device, Tensor, TensorData};
use rayon::prelude::*;

use crate::layers::numbers;

/// Logits of one piece: what stays in the outer caches.
const PIECE: usize = 1 << 20;
/// Partial sums, as many as a vector register holds.
const LANES: usize = 8;

/// The output of a network: vectors and biases of the items.
pub(crate) struct Softmax {
    items: Tensor<2>,
    bias: Vec<f32>,
    device: Device,
}

/// The mean loss over all targets, and its gradients.
pub(crate) struct Gradient {
    pub(crate) loss: f64,
    pub(crate) users: Tensor<2>,
    pub(crate) items: Tensor<2>,
    pub(crate) bias: Tensor<2>,
}

impl Softmax {
    pub(crate) fn new(items: Tensor<2>, bias: Tensor<2>) -> Softmax {
        let device = Device::flex();
        Softmax {
            items: plain(items, &device),
            bias: numbers(bias),
            device,
        }
    }

    /// Of users, each with the item that came next.
    pub(crate) fn of(&self, users: &Tensor<2>, targets: &[Option<u32>]) -> Gradient {
        let [count, width] = self.items.dims();
        let all = plain(users.clone(), &self.device);
        let share = 1.0 / targets.iter().flatten().count().max(1) as f32;
        let mut by_items = Tensor::<2>::zeros([count, width], &self.device);
        let mut by_users = Vec::new();
        let (mut by_bias, mut loss) = (vec![0.0; count], 0.0);
        let piece = (PIECE / count.max(1)).max(1);
        for (at, targets) in targets.chunks(piece).enumerate() {
            let users = all.clone().narrow(0, at * piece, targets.len());
            let logits = users.clone().matmul(self.items.clone().transpose());
            let mut logits = numbers(logits);
            loss += self.turn(&mut logits, targets, share);
            for line in logits.chunks_exact(count) {
                by_bias
                    .iter_mut()
                    .zip(line)
                    .for_each(|(sum, value)| *sum += value);
            }
            let turned = TensorData::new(logits, [targets.len(), count]);
            let turned = Tensor::<2>::from_data(turned, &self.device);
            by_users.push(turned.clone().matmul(self.items.clone()));
            by_items = by_items + turned.transpose().matmul(users);
        }
        let back = crate::architecture::device();
        Gradient {
            loss: loss * f64::from(share),
            users: plain(Tensor::cat(by_users, 0), &back),
            items: plain(by_items, &back),
            bias: crate::layers::matrix(by_bias, [1, count], &back),
        }
    }

    /// Turns logits into the gradient by them; gives the sum of the losses.
    fn turn(&self, logits: &mut [f32], targets: &[Option<u32>], share: f32) -> f64 {
        let lines = logits.par_chunks_exact_mut(self.bias.len()).zip(targets);
        let losses: Vec<f64> = lines
            .map(|(line, target)| {
                let Some(target) = *target else {
                    line.fill(0.0);
                    return 0.0;
                };
                let mut most = f32::MIN;
                for (logit, bias) in line.iter_mut().zip(&self.bias) {
                    *logit += bias;
                    most = most.max(*logit);
                }
                let wanted = f64::from(line[target as usize] - most);
                let sum = exponentials(line, most);
                let scale = share / sum;
                line.iter_mut().for_each(|value| *value *= scale);
                line[target as usize] -= share;
                f64::from(sum).ln() - wanted
            })
            .collect();
        losses.iter().sum()
    }
}

/// A tensor of the same numbers on another device, without its history.
fn plain(tensor: Tensor<2>, device: &Device) -> Tensor<2> {
    Tensor::from_data(tensor.into_data(), device)
}

/// Replaces values by `exp(value − most)`; gives their sum.
fn exponentials(values: &mut [f32], most: f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (lanes, rest) = values.as_chunks_mut::<LANES>();
    for values in lanes {
        for (value, sum) in values.iter_mut().zip(&mut sums) {
            *value = exponential(*value - most);
            *sum += *value;
        }
    }
    let mut sum: f32 = sums.iter().sum();
    for value in rest {
        *value = exponential(*value - most);
        sum += *value;
    }
    sum
}

/// `exp(x)` of an x up to 0 to within 2e-7 of itself, in arithmetic that compilers turn into
/// vectors: `2ᵏ · exp(r)` with `k` the nearest whole number to `x / ln 2`, and the exponential of
/// the rest by its series.
fn exponential(x: f32) -> f32 {
    /// Adding it rounds to a whole number, which is then in the low bits.
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    let x = x.max(-87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN_2_HIGH) - k * LN_2_LOW;
    let mut series = 1.0 / 720.0;
    for term in [1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        series = series * r + term;
    }
    let exponent = shifted
        .to_bits()
        .wrapping_sub(ROUND.to_bits())
        .wrapping_add(127)
        << 23;
    series * f32::from_bits(exponent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::device;
    use crate::layers::matrix;
    use burn::tensor::activation::log_softmax;

    #[test]
    fn exponentials_are_exponentials() {
        for step in 0..8_700 {
            let x = -0.01 * step as f32;
            let (found, wanted) = (exponential(x), f64::from(x).exp());
            let apart = (f64::from(found) - wanted).abs() / wanted;
            assert!(apart < 3e-7, "exp({x}) is {found}, {apart} off");
        }
        assert!(exponential(-1e9) < 1e-37);
    }

    /// What the framework finds by itself.
    #[test]
    fn gradients_are_those_of_the_framework() {
        let value = |at: usize| ((at * 37 % 101) as f32 / 50.0) - 1.0;
        let of = |shape: [usize; 2], from: usize| {
            let values = (0..shape[0] * shape[1])
                .map(|at| value(at + from))
                .collect();
            matrix(values, shape, &device()).require_grad()
        };
        let (users, items, bias) = (of([5, 3], 0), of([11, 3], 7), of([1, 11], 3));
        let targets = [Some(2), None, Some(10), Some(2), Some(0)];
        let found = Softmax::new(items.clone(), bias.clone()).of(&users, &targets);
        let logits = users.clone().matmul(items.clone().transpose()) + bias.clone();
        let mut wanted = vec![0.0; 5 * 11];
        for (line, target) in targets.iter().enumerate() {
            target
                .iter()
                .for_each(|item| wanted[line * 11 + *item as usize] = -0.25);
        }
        let loss = (log_softmax(logits, 1) * matrix(wanted, [5, 11], &device())).sum();
        assert!((loss.clone().into_scalar::<f32>() - found.loss as f32).abs() < 1e-5);
        let gradients = loss.backward();
        for (found, of) in [
            (found.users, users),
            (found.items, items),
            (found.bias, bias),
        ] {
            let wanted = numbers(of.grad(&gradients).expect("it takes part in the loss"));
            for (found, wanted) in numbers(found).iter().zip(wanted) {
                assert!((found - wanted).abs() < 1e-6, "{found} and {wanted}");
            }
        }
    }
}
