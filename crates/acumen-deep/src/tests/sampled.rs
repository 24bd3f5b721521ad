//! Rows with a table, a sequence and neighbours, and an outcome that each of them says part of.

use std::sync::Arc;

use acumen_base::{Column, ColumnKind, Columns, Seed, Time};
use acumen_model::{Dataset, Matrix};

pub(super) const STEPS: usize = 4;
pub(super) const FIRST: usize = 3;
pub(super) const SECOND: usize = 2;

/// A number in [0, 1) for each `i`, the same in every run.
fn noise(i: usize, salt: &str) -> f32 {
    Seed(5).unit(&format!("{salt} {i}")) as f32
}

fn names() -> Vec<(String, ColumnKind)> {
    use ColumnKind::{Category, Flag, Number};
    let mut names = vec![
        ("raw.amount".to_owned(), Number),
        ("raw.channel".to_owned(), Category),
        ("raw.flag".to_owned(), Flag),
    ];
    for step in 1..=STEPS {
        names.push((format!("recent.amount_{step}"), Number));
        names.push((format!("recent.channel_{step}"), Category));
        names.push((format!("recent.age_{step}"), Number));
    }
    for place in 1..=FIRST {
        names.push((format!("around.hop1_{place}.shared.distinct_30d"), Number));
    }
    for place in 1..=SECOND {
        names.push((format!("around.hop2_{place}.pause.seconds"), Number));
        names.push((format!("around.hop2_{place}.risk.share"), Number));
    }
    names
}

pub(super) fn columns() -> Columns {
    let column = |(name, kind)| Column {
        name,
        kind,
        unit: String::new(),
        help: String::new(),
    };
    Columns::new(names().into_iter().map(column).collect(), "a sample")
}

/// Some rows; another salt gives others of the same kind.
pub(super) fn sampled(n_rows: usize, salt: &str) -> Dataset {
    let columns = Arc::new(columns());
    let mut data = vec![Vec::with_capacity(n_rows); columns.len()];
    let mut outcome = Vec::with_capacity(n_rows);
    for i in 0..n_rows {
        let of = |part: &str| noise(i, &format!("{salt} {part}"));
        let mut row = Vec::with_capacity(columns.len());
        let amount = (4.0 * of("amount")).exp();
        row.push(if of("known") < 0.2 { f32::NAN } else { amount });
        let channel = (of("channel") * 6.0).floor();
        row.push(channel);
        row.push(f32::from(u8::from(of("flag") < 0.3)));
        let known = (of("steps") * (STEPS + 1) as f32) as usize;
        let mut falls = 0.0;
        for step in 0..STEPS {
            if step < known {
                let earlier = of(&format!("amount {step}"));
                falls += if step == 0 {
                    earlier
                } else {
                    -earlier / known as f32
                };
                row.push(earlier * 50.0);
                row.push((of(&format!("channel {step}")) * 6.0).floor());
                row.push(step as f32 * 3_600.0 * of("pace"));
            } else {
                row.extend([f32::NAN; 3]);
            }
        }
        let met = (of("met") * (FIRST + 1) as f32) as usize;
        let mut shared = 0.0_f32;
        for place in 0..FIRST {
            let value = (of(&format!("shared {place}")) * 5.0).floor();
            row.push(if place < met { value } else { f32::NAN });
            shared = shared.max(if place < met { value } else { 0.0 });
        }
        for place in 0..SECOND {
            let there = place < met;
            let value = |part: &str, scale: f32| match there {
                true => of(&format!("{part} {place}")) * scale,
                false => f32::NAN,
            };
            row.extend([value("pause", 900.0), value("risk", 0.2)]);
        }
        let score = 2.0 * falls + 1.2 * (shared - 2.0) + f32::from(u8::from(channel == 3.0));
        outcome.push(f32::from(u8::from(score + 2.0 * of("luck") > 3.2)));
        for (column, value) in data.iter_mut().zip(row) {
            column.push(value);
        }
    }
    Dataset {
        matrix: Matrix {
            columns,
            n_rows,
            data,
        },
        weight: None,
        time: (0..n_rows as i64).map(Time).collect(),
        outcome,
    }
}
