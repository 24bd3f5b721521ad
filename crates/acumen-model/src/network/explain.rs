//! Integrated gradients: what each column moved, from the row of which nothing is known.
//!
//! The integral is taken piece by piece. What the inputs moved within a piece must be what the
//! margin moved there, so the error of every piece is known, and a piece that is not good enough
//! is halved: smooth stretches take few gradients, the kinks of rectifiers get narrow pieces.

use super::Kernel;
use crate::shap::Explanation;

/// The nodes of Gauss–Legendre quadrature with two points, on [0, 1].
const NODES: [f32; 2] = [0.211_324_87, 0.788_675_13];
/// The error that is aimed at, relative to what is explained…
const TOLERANCE: f32 = 2e-4;
/// …or to this margin, where less is to be explained.
const MOVED_MIN: f32 = 0.05;
/// No piece has to be better than one of this length would have to be.
const LENGTH_MIN: f32 = 1.0 / 64.0;
/// How often a piece is halved at most.
const HALVINGS_MAX: u32 = 12;

/// A piece of the line from nothing (0) to the row (1), and the margins at its ends.
struct Piece {
    begin: f32,
    length: f32,
    margins: [f32; 2],
    halvings: u32,
}

pub(super) fn integrated_gradients(kernel: &dyn Kernel, row: &[f32]) -> Explanation {
    let (nothing, inputs) = (kernel.encode_nothing(), kernel.encode(row));
    let way: Vec<f32> = inputs.iter().zip(&nothing).map(|(a, b)| a - b).collect();
    let at = |share: f32| -> Vec<f32> {
        let pairs = nothing.iter().zip(&way);
        pairs.map(|(from, way)| from + share * way).collect()
    };
    let margin = |inputs: &[f32]| {
        let margin = kernel.margin(inputs, &mut || true);
        margin.expect("nothing stops it")
    };
    let margins = [margin(&nothing), margin(&inputs)];
    let allowed = TOLERANCE * (margins[1] - margins[0]).abs().max(MOVED_MIN);
    let mut moved = vec![0.0_f64; way.len()];
    let mut open = vec![Piece {
        begin: 0.0,
        length: 1.0,
        margins,
        halvings: 0,
    }];
    while let Some(piece) = open.pop() {
        let [first, second] =
            NODES.map(|node| kernel.gradient(&at(piece.begin + node * piece.length)));
        let slopes = first.iter().zip(&second).zip(&way);
        let part: Vec<f64> = slopes
            .map(|((a, b), way)| 0.5 * f64::from(piece.length) * f64::from((a + b) * way))
            .collect();
        let wanted = f64::from(piece.margins[1] - piece.margins[0]);
        let error = (part.iter().sum::<f64>() - wanted).abs();
        let is_good = error <= f64::from(allowed * piece.length.max(LENGTH_MIN));
        if is_good || piece.halvings == HALVINGS_MAX {
            moved
                .iter_mut()
                .zip(part)
                .for_each(|(sum, part)| *sum += part);
            continue;
        }
        let middle = margin(&at(piece.begin + 0.5 * piece.length));
        open.extend(piece.halve(middle));
    }
    let mut contributions = vec![0.0; row.len()];
    kernel.spread(row, &moved, &mut contributions);
    Explanation {
        expected: f64::from(margins[0]),
        contributions,
    }
}

impl Piece {
    fn halve(&self, middle: f32) -> [Piece; 2] {
        let half = |begin, margins| Piece {
            begin,
            length: 0.5 * self.length,
            margins,
            halvings: self.halvings + 1,
        };
        let [first, last] = self.margins;
        [
            half(self.begin, [first, middle]),
            half(self.begin + 0.5 * self.length, [middle, last]),
        ]
    }
}
