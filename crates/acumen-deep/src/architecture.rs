//! What training needs to know of a network.

use acumen_model::Matrix;
use acumen_model::network::Body;
use burn::module::Module;
use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Tensor};

use crate::draws::Draws;

/// A network that can be trained and handed to the kernels.
pub(crate) trait Architecture {
    /// Its weights.
    type Weights: Module;

    /// Weights to start from; `bias` is the margin of a row that says nothing.
    fn start(&self, bias: f32, draws: &mut Draws, device: &Device) -> Self::Weights;

    /// The weights of a network of this very layout; `None` where it is of another kind.
    fn resume(&self, body: &Body, device: &Device) -> Option<Self::Weights>;

    /// What comes out for some rows, `rows × 1`.
    fn output(&self, weights: &Self::Weights, rows: &Matrix, chosen: &[usize]) -> Tensor<2>;

    /// The loss of each row, `rows × 1`: of a margin, the negative log likelihood in nats.
    fn losses(&self, output: Tensor<2>, outcome: Tensor<2>) -> Tensor<2> {
        // −ln σ(m) of a positive row and −ln σ(−m) of a negative one, which is m more.
        let negative = outcome.neg().add_scalar(1.0);
        log_sigmoid(output.clone()).neg() + negative * output
    }

    /// The network that serves.
    fn export(&self, weights: &Self::Weights) -> Body;
}

/// Where everything is trained.
pub(crate) fn device() -> Device {
    Device::flex().autodiff()
}
