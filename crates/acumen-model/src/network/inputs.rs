//! Columns of a row as the inputs of a network.
//!
//! A number is squashed where its training rows had a heavy tail (`sign(x) ln(1 + |x|)`), then
//! standardised by their mean and deviation and held within eight deviations. Missing is 0, the
//! mean, and where training rows had missing values a flag beside it says so. A category is a line
//! of a table; the first line stands for missing, rare and unseen ones.

use serde::{Deserialize, Serialize};

/// How far from its mean a number may be, in deviations: more says nothing more, and nothing
/// infinite comes out.
pub const DEVIATIONS_MAX: f32 = 8.0;

/// How the columns of one kind of thing (a row, a step, a neighbour) become inputs: all numbers
/// with their flags first, then the lines of all tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inputs {
    /// The columns of numbers and flags.
    pub numbers: Vec<Number>,
    /// The columns of categories.
    pub categories: Vec<Table>,
}

/// How one column of numbers is scaled.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Number {
    /// Whether it is squashed first.
    pub squash: bool,
    /// The mean of the training rows, after squashing.
    pub mean: f32,
    /// Their deviation, after squashing; positive.
    pub deviation: f32,
    /// Whether a flag beside it says that it is missing.
    pub flag: bool,
}

/// What a network knows of categories: a line of numbers each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// The line of each ordinal; what lies beyond is unseen.
    pub lines: Vec<u32>,
    /// How many numbers a line has.
    pub width: usize,
    /// The lines, the first for missing, rare and unseen categories.
    pub values: Vec<f32>,
}

/// Where the columns of some inputs stand in a row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// One a number.
    pub numbers: Vec<u32>,
    /// One a category.
    pub categories: Vec<u32>,
}

impl Number {
    /// A value as the network sees it; 0 where it is missing.
    pub fn scale(&self, value: f32) -> f32 {
        if value.is_nan() {
            return 0.0;
        }
        let value = if self.squash { squash(value) } else { value };
        ((value - self.mean) / self.deviation).clamp(-DEVIATIONS_MAX, DEVIATIONS_MAX)
    }

    fn width(&self) -> usize {
        1 + usize::from(self.flag)
    }
}

/// `sign(x) ln(1 + |x|)`: small values stay, large ones come closer.
pub fn squash(value: f32) -> f32 {
    value.abs().ln_1p().copysign(value)
}

impl Table {
    /// The line of an ordinal as rows hold it.
    pub fn line(&self, ordinal: f32) -> usize {
        if ordinal.is_nan() || ordinal < 0.0 {
            return 0;
        }
        let line = self.lines.get(ordinal as usize);
        line.map_or(0, |line| *line as usize)
    }

    fn values_of(&self, line: usize) -> &[f32] {
        &self.values[line * self.width..][..self.width]
    }
}

impl Inputs {
    /// How many inputs there are.
    pub fn width(&self) -> usize {
        self.numbers_width() + self.tables_width()
    }

    /// How many of them are numbers and flags.
    pub fn numbers_width(&self) -> usize {
        self.numbers.iter().map(Number::width).sum()
    }

    fn tables_width(&self) -> usize {
        self.categories.iter().map(|table| table.width).sum()
    }

    /// How many numbers it has.
    pub fn parameters(&self) -> usize {
        self.categories.iter().map(|table| table.values.len()).sum()
    }

    /// Writes numbers and flags, given the value of each column.
    pub fn encode_numbers(&self, places: &Places, value: impl Fn(usize) -> f32, out: &mut [f32]) {
        let mut at = 0;
        for (number, place) in self.numbers.iter().zip(&places.numbers) {
            let value = value(*place as usize);
            out[at] = number.scale(value);
            if number.flag {
                out[at + 1] = f32::from(u8::from(value.is_nan()));
            }
            at += number.width();
        }
    }

    /// Writes all inputs, given the value of each column.
    pub fn encode(&self, places: &Places, value: impl Fn(usize) -> f32, out: &mut [f32]) {
        let (numbers, mut tables) = out.split_at_mut(self.numbers_width());
        self.encode_numbers(places, &value, numbers);
        for (table, place) in self.categories.iter().zip(&places.categories) {
            let line = table.values_of(table.line(value(*place as usize)));
            let (out, rest) = tables.split_at_mut(table.width);
            out.copy_from_slice(line);
            tables = rest;
        }
    }

    /// Writes the inputs of nothing in particular: every number at its mean, no category.
    pub(super) fn encode_nothing(&self, out: &mut [f32]) {
        out.fill(0.0);
        let mut at = self.numbers_width();
        for table in &self.categories {
            out[at..at + table.width].copy_from_slice(table.values_of(0));
            at += table.width;
        }
    }

    /// Adds what each input moved to the column that it comes from.
    pub(super) fn spread(&self, places: &Places, moved: &[f64], columns: &mut [f64]) {
        let widths = self.numbers.iter().map(Number::width);
        let widths = widths.chain(self.categories.iter().map(|table| table.width));
        let mut at = 0;
        for (place, width) in places.all().zip(widths) {
            columns[place] += moved[at..at + width].iter().sum::<f64>();
            at += width;
        }
    }

    /// Whether it is what it says, for rows of so many columns.
    pub(super) fn check(&self, places: &[Places], n_features: usize) -> Result<(), String> {
        for number in &self.numbers {
            let is_finite = number.mean.is_finite() && number.deviation.is_finite();
            if !is_finite || number.deviation <= 0.0 {
                return Err(format!(
                    "a number cannot have the mean {} and the deviation {}",
                    number.mean, number.deviation
                ));
            }
        }
        for table in &self.categories {
            let lines = table.values.len() / table.width.max(1);
            let is_whole = table.width > 0 && lines * table.width == table.values.len();
            let is_there = lines > 0 && table.lines.iter().all(|line| (*line as usize) < lines);
            if !is_whole || !is_there || !table.values.iter().all(|value| value.is_finite()) {
                return Err("a table of categories lacks lines, or holds what is no number".into());
            }
        }
        let shape = (self.numbers.len(), self.categories.len());
        for places in places {
            if (places.numbers.len(), places.categories.len()) != shape {
                return Err("its inputs and their columns are not equally many".into());
            }
            if let Some(place) = places.all().find(|place| *place >= n_features) {
                return Err(format!(
                    "it reads column {place}, but rows have {n_features} columns"
                ));
            }
        }
        Ok(())
    }
}

impl Places {
    /// The columns, numbers first.
    pub fn all(&self) -> impl Iterator<Item = usize> + '_ {
        let places = self.numbers.iter().chain(&self.categories);
        places.map(|place| *place as usize)
    }

    /// Whether a row holds nothing there.
    pub fn is_empty_in(&self, value: impl Fn(usize) -> f32) -> bool {
        self.all().all(|column| value(column).is_nan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_inputs() {
        let number = |squash, flag| Number {
            squash,
            mean: 1.0,
            deviation: 2.0,
            flag,
        };
        let inputs = Inputs {
            numbers: vec![number(false, true), number(true, false)],
            categories: vec![Table {
                lines: vec![1, 0],
                width: 2,
                values: vec![0.25, 0.5, 0.75, 1.0],
            }],
        };
        let places = Places {
            numbers: vec![2, 0],
            categories: vec![1],
        };
        assert!(inputs.check(std::slice::from_ref(&places), 3).is_ok());
        assert!(inputs.check(std::slice::from_ref(&places), 2).is_err());
        let of = |row: [f32; 3]| {
            let mut out = vec![f32::NAN; inputs.width()];
            inputs.encode(&places, |column| row[column], &mut out);
            out
        };
        let e = std::f32::consts::E;
        let seen = of([e - 1.0, 0.0, 4.0]);
        assert!(seen[2].abs() < 1e-6);
        assert_eq!((seen[0], seen[1], &seen[3..]), (1.5, 0.0, &[0.75, 1.0][..]));
        let missing = of([f32::NAN, f32::NAN, f32::NAN]);
        assert_eq!(missing, [0.0, 1.0, 0.0, 0.25, 0.5]);
        let strange = of([f32::NEG_INFINITY, 7.0, f32::INFINITY]);
        assert_eq!(strange, [8.0, 0.0, -8.0, 0.25, 0.5]);
        assert_eq!(of([1.0, 1.0, 1.0])[3..], [0.25, 0.5]);
        let mut columns = [0.0; 3];
        inputs.spread(&places, &[1.0, 2.0, 3.0, 4.0, 5.0], &mut columns);
        assert_eq!(columns, [3.0, 9.0, 3.0]);
        assert!(places.is_empty_in(|_| f32::NAN) && !places.is_empty_in(|_| 0.0));
    }
}
