//! Networks of random weights, one of each body, and rows for them.

use std::sync::Arc;

use acumen_base::{Column, ColumnKind, Columns, Seed};
use proptest::prelude::*;

use super::super::*;
use crate::data::Matrix;

/// Columns: a category, a number with a flag, a heavy-tailed number, then four places of two.
pub(super) const COLUMNS: usize = 3 + 2 * PLACES;
pub(super) const CATEGORY: usize = 0;
pub(super) const FLAGGED: usize = 1;
const PLACES: usize = 4;

pub(super) const BODIES: [&str; 5] = [
    "feed_forward",
    "recurrent_lstm",
    "recurrent_gru",
    "autoencoder",
    "graph",
];

/// Numbers in order, the same for a seed.
struct Draws(Seed, usize);

impl Draws {
    fn next(&mut self) -> f32 {
        self.1 += 1;
        2.0 * self.0.unit(&self.1.to_string()) as f32 - 1.0
    }

    fn many(&mut self, count: usize, scale: f32) -> Vec<f32> {
        (0..count).map(|_| scale * self.next()).collect()
    }

    fn dense(&mut self, inputs: usize, outputs: usize) -> Dense {
        Dense {
            inputs,
            outputs,
            weights: self.many(inputs * outputs, 1.5 / (inputs as f32).sqrt()),
            bias: self.many(outputs, 0.3),
        }
    }

    fn stack(&mut self, widths: &[usize]) -> Stack {
        let pairs = widths.windows(2);
        Stack {
            layers: pairs.map(|pair| self.dense(pair[0], pair[1])).collect(),
        }
    }

    fn table(&mut self) -> Table {
        Table {
            lines: vec![1, 2, 0, 3],
            width: 3,
            values: self.many(12, 1.0),
        }
    }

    fn number(&mut self, squash: bool, flag: bool) -> Number {
        Number {
            squash,
            mean: self.next(),
            deviation: 1.0 + 0.5 * self.next(),
            flag,
        }
    }

    fn own(&mut self) -> (Inputs, Places) {
        let inputs = Inputs {
            numbers: vec![self.number(false, true), self.number(true, false)],
            categories: vec![self.table()],
        };
        let places = Places {
            numbers: vec![FLAGGED as u32, 2],
            categories: vec![CATEGORY as u32],
        };
        (inputs, places)
    }

    fn fields(&mut self) -> (Inputs, Vec<Places>) {
        let inputs = Inputs {
            numbers: vec![self.number(false, true)],
            categories: vec![self.table()],
        };
        let places = |place: usize| Places {
            numbers: vec![(3 + 2 * place) as u32],
            categories: vec![(4 + 2 * place) as u32],
        };
        (inputs, (0..PLACES).map(places).collect())
    }
}

/// A network of this body.
pub(super) fn network(body: &str, seed: Seed) -> Network {
    let mut draws = Draws(seed, 0);
    let body = match body {
        "feed_forward" => Body::FeedForward(feed_forward(&mut draws)),
        "recurrent_lstm" => Body::Recurrent(recurrent(&mut draws, CellKind::Lstm)),
        "recurrent_gru" => Body::Recurrent(recurrent(&mut draws, CellKind::Gru)),
        "autoencoder" => Body::Autoencoder(autoencoder(&mut draws)),
        _ => Body::Graph(graph(&mut draws)),
    };
    Network {
        n_features: COLUMNS,
        body: Box::new(body),
    }
}

fn feed_forward(draws: &mut Draws) -> FeedForward {
    let (inputs, places) = draws.own();
    FeedForward {
        layers: draws.stack(&[inputs.width(), 9, 5, 1]),
        inputs,
        places,
    }
}

fn recurrent(draws: &mut Draws, kind: CellKind) -> Recurrent {
    let ((fields, steps), (fixed, places)) = (draws.fields(), draws.own());
    let units = 5;
    Recurrent {
        cell: Cell {
            kind,
            input: draws.dense(fields.width(), kind.gates() * units),
            recurrent: draws.dense(units, kind.gates() * units),
        },
        head: draws.stack(&[fixed.width() + units, 6, 1]),
        fields,
        steps,
        fixed,
        places,
    }
}

fn autoencoder(draws: &mut Draws) -> Autoencoder {
    let (inputs, places) = draws.own();
    let width = inputs.width();
    Autoencoder {
        layers: draws.stack(&[width, 7, 2, 7, width]),
        inputs,
        places,
        mean: -1.0,
        deviation: 0.7,
    }
}

fn graph(draws: &mut Draws) -> Graph {
    let ((fields, neighbours), (own, places)) = (draws.fields(), draws.own());
    let (first, second) = neighbours.split_at(1);
    let hops: Vec<Neighbourhood> = [("around.hop1", first), ("around.hop2", second)]
        .map(|(name, neighbours)| Neighbourhood {
            name: name.into(),
            layer: draws.dense(fields.width(), 4),
            fields: fields.clone(),
            neighbours: neighbours.to_vec(),
        })
        .into();
    Graph {
        head: draws.stack(&[own.width() + 2 * 9, 6, 1]),
        own,
        places,
        hops,
    }
}

/// A network over the columns of [`crate::sample`].
pub(super) fn small(seed: Seed) -> Network {
    let mut draws = Draws(seed, 0);
    let inputs = Inputs {
        numbers: vec![draws.number(false, true), draws.number(true, false)],
        categories: vec![draws.table()],
    };
    let body = FeedForward {
        layers: draws.stack(&[inputs.width(), 8, 1]),
        places: Places {
            numbers: vec![0, 1],
            categories: vec![2],
        },
        inputs,
    };
    Network {
        n_features: crate::sample::COLUMNS,
        body: Box::new(Body::FeedForward(body)),
    }
}

/// A row of any values: usual ones, missing ones, and some that no column should hold.
pub(super) fn wide_row() -> impl Strategy<Value = Vec<f32>> {
    let value = prop_oneof![
        6 => -3.0_f32..3.0,
        3 => (0_u8..5).prop_map(f32::from),
        3 => Just(f32::NAN),
        1 => prop::sample::select(vec![f32::INFINITY, f32::NEG_INFINITY, 1e30, -1e30]),
    ];
    prop::collection::vec(value, COLUMNS)
}

pub(super) fn matrix(rows: &[Vec<f32>]) -> Matrix {
    let column = |index: usize| Column {
        name: format!("column.{index}"),
        kind: ColumnKind::Number,
        unit: String::new(),
        help: String::new(),
    };
    Matrix {
        columns: Arc::new(Columns::new((0..COLUMNS).map(column).collect(), "")),
        n_rows: rows.len(),
        data: (0..COLUMNS)
            .map(|column| rows.iter().map(|row| row[column]).collect())
            .collect(),
    }
}
