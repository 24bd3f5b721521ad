//! The weights of blocks of self-attention, and how a batch goes through them.

use acumen_model::recommend::self_attention::{Block as Kernel, Norm};
use burn::module::{Module, Param};
use burn::nn::{LayerNorm, LayerNormConfig, Linear};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

use super::AttentionParams;
use crate::draws::Draws;
use crate::layers::{Layers, export, linear, numbers, parameter};
use crate::recommend::popularity;

/// A logit that no exponential is left of.
const NEVER: f32 = -1e9;

/// Lines of a batch: windows side by side, ordered by step and then by window.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    pub(super) steps: usize,
    pub(super) windows: usize,
}

/// All that is learnt.
#[derive(Module, Debug)]
pub(super) struct Weights {
    pub(super) items: Param<Tensor<2>>,
    /// One line an item.
    pub(super) bias: Param<Tensor<2>>,
    pub(super) positions: Param<Tensor<2>>,
    blocks: Vec<Block>,
    pub(super) norm: LayerNorm,
}

/// One block of attention.
#[derive(Module, Debug)]
struct Block {
    heads: usize,
    norm: LayerNorm,
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    inner_norm: LayerNorm,
    inner: Layers,
}

impl Weights {
    pub(super) fn new(
        params: &AttentionParams,
        touches: &[u32],
        draws: &mut Draws,
        device: &Device,
    ) -> Weights {
        let (width, items) = (params.width, touches.len());
        let limit = 1.0 / (width as f32).sqrt();
        let mut lines = |count: usize| {
            let drawn = draws.uniform(count * width, limit);
            parameter(drawn, [count, width], device)
        };
        Weights {
            items: lines(items),
            bias: parameter(popularity(touches), [items, 1], device),
            positions: lines(params.window),
            blocks: (0..params.blocks)
                .map(|_| Block::new(width, params.heads, draws, device))
                .collect(),
            norm: norm(width, device),
        }
    }

    /// What the lines of all events become, each from itself and those before it in its window.
    pub(super) fn through(
        &self,
        mut lines: Tensor<2>,
        shape: Shape,
        drop: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        // What pads a window stands behind it, and so is nothing to its events either.
        let later = later(shape.steps, &lines.device());
        for block in &self.blocks {
            lines = block.forward(lines, shape, &later, drop);
        }
        self.norm.forward(lines)
    }

    pub(super) fn export_blocks(&self) -> Vec<Kernel> {
        self.blocks.iter().map(Block::export).collect()
    }
}

impl Block {
    /// One that adds nothing yet.
    fn new(width: usize, heads: usize, draws: &mut Draws, device: &Device) -> Block {
        let limit = (3.0 / width as f32).sqrt();
        let mut layer = |limit| linear((width, width), limit, vec![0.0; width], draws, device);
        Block {
            heads,
            norm: norm(width, device),
            query: layer(limit),
            key: layer(limit),
            value: layer(limit),
            output: layer(0.0),
            inner_norm: norm(width, device),
            inner: Layers::beside(&[width; 3], draws, device),
        }
    }

    fn forward(
        &self,
        lines: Tensor<2>,
        shape: Shape,
        later: &Tensor<4>,
        drop: &mut dyn FnMut(Tensor<2>) -> Tensor<2>,
    ) -> Tensor<2> {
        let told = self.attend(&self.norm.forward(lines.clone()), shape, later);
        let lines = lines + drop(self.output.forward(told));
        let inner = self.inner.forward(self.inner_norm.forward(lines.clone()));
        lines + drop(inner)
    }

    /// What each event is told by those before it and itself.
    fn attend(&self, lines: &Tensor<2>, shape: Shape, later: &Tensor<4>) -> Tensor<2> {
        let [events, width] = lines.dims();
        let part = width / self.heads;
        // Windows × heads × steps × numbers of a head.
        let of = |layer: &Linear| -> Tensor<4> {
            let lines = layer.forward(lines.clone());
            let lines = lines.reshape([shape.steps, shape.windows, self.heads, part]);
            lines.permute([1, 2, 0, 3])
        };
        let queries = of(&self.query).div_scalar((part as f32).sqrt());
        let logits = queries.matmul(of(&self.key).swap_dims(2, 3)) + later.clone();
        let told = softmax(logits, 3).matmul(of(&self.value));
        told.permute([2, 0, 1, 3]).reshape([events, width])
    }

    fn export(&self) -> Kernel {
        Kernel {
            heads: self.heads,
            norm: export_norm(&self.norm),
            query: export(&self.query),
            key: export(&self.key),
            value: export(&self.value),
            output: export(&self.output),
            inner_norm: export_norm(&self.inner_norm),
            inner: self.inner.export(),
        }
    }
}

/// What is added to the logits of each step, one line each, so that it sees no later one.
fn later(steps: usize, device: &Device) -> Tensor<4> {
    let all = (0..steps * steps).map(|at| match at % steps > at / steps {
        true => NEVER,
        false => 0.0,
    });
    let data = TensorData::new(all.collect::<Vec<f32>>(), [1, 1, steps, steps]);
    Tensor::from_data(data, device)
}

fn norm(width: usize, device: &Device) -> LayerNorm {
    let config = LayerNormConfig::new(width).with_epsilon(f64::from(Norm::EPSILON));
    config.init(device)
}

pub(super) fn export_norm(norm: &LayerNorm) -> Norm {
    let scale = numbers(norm.gamma.val());
    let nothing = || vec![0.0; scale.len()];
    Norm {
        shift: norm
            .beta
            .as_ref()
            .map_or_else(nothing, |shift| numbers(shift.val())),
        scale,
    }
}
