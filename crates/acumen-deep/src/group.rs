//! Columns of one kind of thing (a row, a step, a neighbour): how they are scaled, learnt from
//! the training rows, and many of them as tensors.

use acumen_base::ColumnKind;
use acumen_model::layout::Field;
use acumen_model::network::{Inputs, Number, Places, Table, squash};
use acumen_model::{FitError, Matrix};
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::layers::matrix;

mod learn;

pub(crate) use learn::Categories;

/// Some inputs and the columns of each of their places.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) inputs: Inputs,
    pub(crate) places: Vec<Places>,
    /// Whether a place of which a row holds nothing is no input at all.
    pub(crate) masked: bool,
}

/// Many rows of a group; lines are ordered by place and then by row.
pub(crate) struct Encoded {
    /// `places · rows × numbers and flags`.
    pub(crate) numbers: Tensor<2>,
    /// One a table: `places · rows` lines of it.
    pub(crate) lines: Vec<Tensor<1, Int>>,
    /// `places · rows × 1`: 1 where a row holds something at that place, else 0.
    pub(crate) gates: Tensor<2>,
    /// The places of which any row holds something.
    pub(crate) used: Vec<usize>,
}

impl Group {
    /// Learns how the columns of a row are scaled and which categories there are; the fields have
    /// one place each.
    pub(crate) fn of_rows(
        train: &Matrix,
        fields: &[Field],
        categories: Categories,
    ) -> Result<Group, FitError> {
        Ok(Group {
            inputs: learn::inputs(train, fields, &places_of(fields, 1), categories)?,
            places: places_of(fields, 1),
            masked: false,
        })
    }

    /// The same for fields of many places, which may be empty.
    pub(crate) fn of_places(
        train: &Matrix,
        fields: &[Field],
        categories: Categories,
    ) -> Result<Group, FitError> {
        let count = fields.iter().map(|field| field.places.len()).min();
        let places = places_of(fields, count.unwrap_or(0));
        Ok(Group {
            inputs: learn::inputs(train, fields, &places, categories)?,
            places,
            masked: true,
        })
    }

    /// As a network has them that was trained before.
    pub(crate) fn trained(inputs: &Inputs, places: &[Places], masked: bool) -> Group {
        Group {
            inputs: inputs.clone(),
            places: places.to_vec(),
            masked,
        }
    }

    /// Some rows as tensors, the lines of tables apart.
    pub(crate) fn encode(&self, rows: &Matrix, chosen: &[usize], device: &Device) -> Encoded {
        let (width, count) = (
            self.inputs.numbers_width(),
            chosen.len() * self.places.len(),
        );
        let mut numbers = vec![0.0; width * count];
        let mut lines = vec![Vec::with_capacity(count); self.inputs.categories.len()];
        let mut gates = Vec::with_capacity(count);
        let mut used = Vec::new();
        for (index, places) in self.places.iter().enumerate() {
            let mut is_used = false;
            for (at, row) in chosen.iter().enumerate() {
                let value = |column: usize| rows.data[column][*row];
                let is_there = !places.is_empty_in(value);
                is_used |= is_there;
                gates.push(f32::from(u8::from(is_there)));
                let begin = (index * chosen.len() + at) * width;
                if is_there || !self.masked {
                    let out = &mut numbers[begin..begin + width];
                    self.inputs.encode_numbers(places, value, out);
                }
                let tables = self.inputs.categories.iter().zip(&places.categories);
                for (lines, (table, column)) in lines.iter_mut().zip(tables) {
                    lines.push(table.line(value(*column as usize)) as i64);
                }
            }
            if is_used {
                used.push(index);
            }
        }
        let lines = lines.into_iter();
        Encoded {
            numbers: matrix(numbers, [count, width], device),
            lines: lines
                .map(|lines| Tensor::from_data(TensorData::new(lines, [count]), device))
                .collect(),
            gates: matrix(gates, [count, 1], device),
            used,
        }
    }
}

/// Whether tables are as wide as they would be made for as many lines.
pub(crate) fn are_as_wide(inputs: &Inputs, width_max: usize) -> bool {
    let mut tables = inputs.categories.iter();
    tables.all(|table| {
        let lines = table.values.len() / table.width.max(1);
        table.width == learn::width(lines, width_max)
    })
}

/// The columns that are of no field: each a field of one place.
pub(crate) fn other_columns(matrix: &acumen_base::Columns, fields: &[Field]) -> Vec<Field> {
    let taken = |column: &usize| fields.iter().any(|field| field.places.contains(column));
    let others = (0..matrix.len()).filter(|column| !taken(column));
    others
        .map(|column| Field {
            name: matrix.list[column].name.clone(),
            kind: matrix.list[column].kind,
            places: vec![column],
        })
        .collect()
}

/// Where the fields stand at each of so many places.
fn places_of(fields: &[Field], count: usize) -> Vec<Places> {
    let of = |place: usize, wanted: bool| {
        let fields = fields.iter();
        fields
            .filter(|field| (field.kind == ColumnKind::Category) == wanted)
            .map(|field| field.places[place] as u32)
            .collect()
    };
    (0..count)
        .map(|place| Places {
            numbers: of(place, false),
            categories: of(place, true),
        })
        .collect()
}
