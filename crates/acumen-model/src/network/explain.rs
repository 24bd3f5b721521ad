//! Integrated gradients: what each column moved, from the row of which nothing is known.
//!
//! The integral is taken piece by piece. What the inputs moved within a piece must be what the
//! margin moved there, so the error of every piece is known, and the piece with the largest is
//! halved until all of them add up: few gradients for a smooth body, narrow pieces around the
//! kinks of rectifiers that matter.

use super::Kernel;
use crate::shap::Explanation;

/// The nodes of Gauss–Legendre quadrature with two points, on [0, 1].
const NODES: [f32; 2] = [0.211_324_87, 0.788_675_1];
/// By how much the sum may be off, relative to what is explained…
const TOLERANCE: f64 = 5e-4;
/// …or to this margin, where less is to be explained.
const MOVED_MIN: f64 = 0.1;
/// Pieces to start with.
const PIECES_MIN: usize = 8;
/// Pieces at most.
const PIECES_MAX: usize = 512;

/// A piece of the line from nothing (0) to the row (1).
struct Piece {
    begin: f32,
    length: f32,
    /// The margins at its ends.
    margins: [f32; 2],
    /// What each input moved.
    moved: Vec<f64>,
    /// By how much that is too much.
    error: f64,
}

struct Line<'a> {
    kernel: &'a dyn Kernel,
    from: Vec<f32>,
    way: Vec<f32>,
}

pub(super) fn integrated_gradients(kernel: &dyn Kernel, row: &[f32]) -> Explanation {
    let line = Line::new(kernel, row);
    let ends = [line.margin(0.0), line.margin(1.0)];
    let allowed = TOLERANCE * f64::from(ends[1] - ends[0]).abs().max(MOVED_MIN);
    let mut pieces = line.start(ends);
    while pieces.len() < PIECES_MAX {
        let error: f64 = pieces.iter().map(|piece| piece.error).sum();
        if error.abs() <= allowed {
            break;
        }
        let sizes = pieces.iter().map(|piece| piece.error.abs()).enumerate();
        let Some((worst, _)) = sizes.max_by(|a, b| a.1.total_cmp(&b.1)) else {
            break;
        };
        let halves = line.halve(&pieces.swap_remove(worst));
        pieces.extend(halves);
    }
    let mut moved = vec![0.0; line.way.len()];
    for piece in &pieces {
        for (sum, part) in moved.iter_mut().zip(&piece.moved) {
            *sum += part;
        }
    }
    let mut contributions = vec![0.0; row.len()];
    kernel.spread(row, &moved, &mut contributions);
    Explanation {
        expected: f64::from(ends[0]),
        contributions,
    }
}

impl<'a> Line<'a> {
    fn new(kernel: &'a dyn Kernel, row: &[f32]) -> Line<'a> {
        let from = kernel.encode_nothing();
        let inputs = kernel.encode(row);
        Line {
            way: inputs.iter().zip(&from).map(|(a, b)| a - b).collect(),
            kernel,
            from,
        }
    }

    fn at(&self, share: f32) -> Vec<f32> {
        let pairs = self.from.iter().zip(&self.way);
        pairs.map(|(from, way)| from + share * way).collect()
    }

    fn margin(&self, share: f32) -> f32 {
        let margin = self.kernel.margin(&self.at(share), &mut || true);
        margin.expect("nothing stops it")
    }

    fn start(&self, ends: [f32; 2]) -> Vec<Piece> {
        let length = 1.0 / PIECES_MIN as f32;
        let mut before = ends[0];
        let mut piece = |index: usize| {
            let end = match index + 1 == PIECES_MIN {
                true => ends[1],
                false => self.margin((index + 1) as f32 * length),
            };
            let margins = [std::mem::replace(&mut before, end), end];
            self.piece(index as f32 * length, length, margins)
        };
        (0..PIECES_MIN).map(&mut piece).collect()
    }

    fn piece(&self, begin: f32, length: f32, margins: [f32; 2]) -> Piece {
        let slopes = NODES.map(|node| self.kernel.gradient(&self.at(begin + node * length)));
        let pairs = slopes[0].iter().zip(&slopes[1]).zip(&self.way);
        let moved: Vec<f64> = pairs
            .map(|((a, b), way)| 0.5 * f64::from(length) * f64::from((a + b) * way))
            .collect();
        Piece {
            error: moved.iter().sum::<f64>() - f64::from(margins[1] - margins[0]),
            begin,
            length,
            margins,
            moved,
        }
    }

    fn halve(&self, piece: &Piece) -> [Piece; 2] {
        let length = 0.5 * piece.length;
        let between = piece.begin + length;
        let (margin, [first, last]) = (self.margin(between), piece.margins);
        [
            self.piece(piece.begin, length, [first, margin]),
            self.piece(between, length, [margin, last]),
        ]
    }
}
