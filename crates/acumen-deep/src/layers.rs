//! Layers as the framework trains them, and as the kernels take them.

use acumen_model::network::{Dense, Inputs, Stack};
use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::draws::Draws;

/// Dense layers with a rectifier between two of them.
#[derive(Module, Debug)]
pub(crate) struct Layers {
    layers: Vec<Linear>,
}

/// The tables of category columns.
#[derive(Module, Debug)]
pub(crate) struct Tables {
    tables: Vec<Param<Tensor<2>>>,
}

pub(crate) fn matrix(values: Vec<f32>, shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// The numbers of a tensor, line by line.
pub(crate) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    let data = tensor.into_data();
    data.try_into_vec::<f32>()
        .expect("this crate makes tensors of f32 only")
}

/// Leaves out a share of some numbers and makes the others larger.
pub(crate) fn drop_out(
    values: Tensor<2>,
    share: f64,
    draws: &mut Draws,
    device: &Device,
) -> Tensor<2> {
    if share == 0.0 {
        return values;
    }
    let [lines, width] = values.dims();
    let mask = draws.mask(lines * width, share as f32);
    values * matrix(mask, [lines, width], device)
}

pub(crate) fn parameter<const D: usize>(
    values: Vec<f32>,
    shape: [usize; D],
    device: &Device,
) -> Param<Tensor<D>> {
    Param::from_data(TensorData::new(values, shape), device)
}

/// Some lines of a table.
pub(crate) fn select(table: Tensor<2>, lines: Vec<i32>, device: &Device) -> Tensor<2> {
    let count = lines.len();
    let lines = Tensor::<1, Int>::from_data(TensorData::new(lines, [count]), device);
    table.select(0, lines)
}

/// Tensors side by side; those without columns are left out.
pub(crate) fn join(mut parts: Vec<Tensor<2>>) -> Tensor<2> {
    parts.retain(|part| part.dims()[1] > 0);
    match parts.len() {
        1 => parts.remove(0),
        _ => Tensor::cat(parts, 1),
    }
}

/// A dense layer with weights drawn between `-limit` and `limit`, and a bias.
pub(crate) fn linear(
    (inputs, outputs): (usize, usize),
    limit: f32,
    bias: Vec<f32>,
    draws: &mut Draws,
    device: &Device,
) -> Linear {
    Linear {
        weight: parameter(
            draws.uniform(inputs * outputs, limit),
            [inputs, outputs],
            device,
        ),
        bias: Some(parameter(bias, [outputs], device)),
    }
}

/// A dense layer for a rectifier behind it (He et al. 2015).
pub(crate) fn rectified(shape: (usize, usize), draws: &mut Draws, device: &Device) -> Linear {
    let limit = (6.0 / shape.0.max(1) as f32).sqrt();
    linear(shape, limit, vec![0.0; shape.1], draws, device)
}

/// A layer that was exported.
pub(crate) fn import(layer: &Dense, device: &Device) -> Linear {
    let (inputs, outputs) = (layer.inputs, layer.outputs);
    Linear {
        weight: parameter(layer.weights.clone(), [inputs, outputs], device),
        bias: Some(parameter(layer.bias.clone(), [outputs], device)),
    }
}

/// A trained layer for the kernels.
pub(crate) fn export(layer: &Linear) -> Dense {
    let [inputs, outputs] = layer.weight.val().dims();
    Dense {
        inputs,
        outputs,
        weights: numbers(layer.weight.val()),
        bias: match &layer.bias {
            Some(bias) => numbers(bias.val()),
            None => vec![0.0; outputs],
        },
    }
}

impl Layers {
    /// Layers of these widths, from the inputs to the outputs; the last has a bias.
    pub(crate) fn new(widths: &[usize], bias: f32, draws: &mut Draws, device: &Device) -> Layers {
        let pairs: Vec<(usize, usize)> = widths.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let last = pairs.len() - 1;
        let layer = |(index, shape): (usize, &(usize, usize))| match index == last {
            true => {
                let limit = (3.0 / shape.0.max(1) as f32).sqrt();
                linear(*shape, limit, vec![bias; shape.1], draws, device)
            }
            false => rectified(*shape, draws, device),
        };
        Layers {
            layers: pairs.iter().enumerate().map(layer).collect(),
        }
    }

    /// Layers whose outputs are added to their inputs (He et al. 2016), and which add nothing yet.
    pub(crate) fn beside(widths: &[usize], draws: &mut Draws, device: &Device) -> Layers {
        let pairs: Vec<(usize, usize)> = widths.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let last = pairs.len() - 1;
        let layer = |(index, shape): (usize, &(usize, usize))| match index == last {
            true => linear(*shape, 0.0, vec![0.0; shape.1], draws, device),
            false => rectified(*shape, draws, device),
        };
        Layers {
            layers: pairs.iter().enumerate().map(layer).collect(),
        }
    }

    /// Layers that were exported.
    pub(crate) fn of(stack: &Stack, device: &Device) -> Layers {
        let layers = stack.layers.iter();
        Layers {
            layers: layers.map(|layer| import(layer, device)).collect(),
        }
    }

    pub(crate) fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let mut layers = self.layers.iter();
        let first = layers.next().expect("there is at least one layer");
        layers.fold(first.forward(inputs), |values, layer| {
            layer.forward(relu(values))
        })
    }

    pub(crate) fn export(&self) -> Stack {
        Stack {
            layers: self.layers.iter().map(export).collect(),
        }
    }
}

impl Tables {
    /// One table a category of some inputs, drawn but for the line of the unknown, which is 0.
    pub(crate) fn new(inputs: &Inputs, draws: &mut Draws, device: &Device) -> Tables {
        let table = |table: &acumen_model::network::Table| {
            let (width, count) = (table.width, table.values.len());
            let mut values = draws.uniform(count, 1.0 / (width as f32).sqrt());
            values[..width].fill(0.0);
            parameter(values, [count / width, width], device)
        };
        Tables {
            tables: inputs.categories.iter().map(table).collect(),
        }
    }

    /// The trained tables of some inputs.
    pub(crate) fn of(inputs: &Inputs, device: &Device) -> Tables {
        let table = |table: &acumen_model::network::Table| {
            let shape = [table.values.len() / table.width, table.width];
            parameter(table.values.clone(), shape, device)
        };
        Tables {
            tables: inputs.categories.iter().map(table).collect(),
        }
    }

    /// Numbers with the lines of the categories behind them.
    pub(crate) fn forward(&self, numbers: Tensor<2>, lines: Vec<Tensor<1, Int>>) -> Tensor<2> {
        if self.tables.is_empty() {
            return numbers;
        }
        let tables = self.tables.iter().zip(lines);
        let looked_up = tables.map(|(table, lines)| table.val().select(0, lines));
        join(std::iter::once(numbers).chain(looked_up).collect())
    }

    /// The inputs with the trained tables.
    pub(crate) fn export(&self, inputs: &Inputs) -> Inputs {
        let mut inputs = inputs.clone();
        for (table, trained) in inputs.categories.iter_mut().zip(&self.tables) {
            table.values = numbers(trained.val());
        }
        inputs
    }
}
