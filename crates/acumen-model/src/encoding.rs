//! Values of a row as a model reads them: `f32`, and categories as ordinals.

use std::collections::HashMap;

use acumen_base::{ColumnKind, Columns};
use serde::{Deserialize, Serialize};

use crate::layout::sequence_fields;

/// One dictionary a category column; the other columns are numbers. The steps of one field of a
/// sequence have the same dictionary: a category is one ordinal at every step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Encoding {
    dictionaries: Vec<Option<Dictionary>>,
}

/// The categories that training saw; their place is their ordinal.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Category>", into = "Vec<Category>")]
pub struct Dictionary {
    categories: Vec<Category>,
    ordinals: HashMap<u64, u32>,
}

/// One category.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// What a row holds: [`acumen_base::key::category_code`] of the text.
    pub code: f64,
    /// The text, where it is known.
    pub text: Option<String>,
}

impl Encoding {
    /// Builds the dictionaries of columns, in the order in which codes first appear.
    ///
    /// # Panics
    /// If there are fewer columns of values than columns.
    pub fn of(columns: &Columns, values: &[Vec<f64>]) -> Encoding {
        let dictionary = |(index, column): (usize, &acumen_base::Column)| {
            (column.kind == ColumnKind::Category).then(|| Dictionary::of(&values[index..=index]))
        };
        let mut dictionaries: Vec<Option<Dictionary>> =
            columns.list.iter().enumerate().map(dictionary).collect();
        for field in sequence_fields(columns) {
            if field.kind == ColumnKind::Category {
                let steps: Vec<&Vec<f64>> = field.places.iter().map(|at| &values[*at]).collect();
                let shared = Dictionary::of(&steps);
                for step in field.places {
                    dictionaries[step] = Some(shared.clone());
                }
            }
        }
        Encoding { dictionaries }
    }

    /// How many columns.
    pub fn len(&self) -> usize {
        self.dictionaries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.dictionaries.is_empty()
    }

    /// The dictionary of a category column.
    pub fn dictionary(&self, column: usize) -> Option<&Dictionary> {
        self.dictionaries.get(column)?.as_ref()
    }

    /// Tells the texts of codes, for people to read.
    pub fn name(&mut self, text_of: impl Fn(f64) -> Option<String>) {
        for dictionary in self.dictionaries.iter_mut().flatten() {
            for category in &mut dictionary.categories {
                category.text = text_of(category.code);
            }
        }
    }

    /// One value as the model reads it; a category that training did not see is missing.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn encode(&self, column: usize, value: f64) -> f32 {
        match &self.dictionaries[column] {
            None => value as f32,
            Some(dictionary) => match dictionary.ordinal(value) {
                Some(ordinal) => ordinal as f32,
                None => f32::NAN,
            },
        }
    }

    /// A row as the model reads it.
    ///
    /// # Panics
    /// If the row has more values than there are columns.
    pub fn encode_row(&self, values: &[f64]) -> Vec<f32> {
        let values = values.iter().enumerate();
        values
            .map(|(column, value)| self.encode(column, *value))
            .collect()
    }

    /// A column as the model reads it.
    ///
    /// # Panics
    /// If there is no such column.
    pub fn encode_column(&self, column: usize, values: &[f64]) -> Vec<f32> {
        values
            .iter()
            .map(|value| self.encode(column, *value))
            .collect()
    }
}

impl Dictionary {
    /// The categories of some columns, in the order in which they first appear.
    fn of(columns: &[impl AsRef<[f64]>]) -> Dictionary {
        let mut dictionary = Dictionary::default();
        let codes = columns.iter().flat_map(AsRef::as_ref);
        for code in codes.filter(|code| !code.is_nan()) {
            if dictionary.ordinal(*code).is_none() {
                dictionary.push(Category {
                    code: *code,
                    text: None,
                });
            }
        }
        dictionary
    }

    fn push(&mut self, category: Category) {
        self.ordinals
            .insert(key(category.code), self.categories.len() as u32);
        self.categories.push(category);
    }

    /// The place of a code; `None` for a code that is not in it, and for a missing one.
    pub fn ordinal(&self, code: f64) -> Option<u32> {
        self.ordinals.get(&key(code)).copied()
    }

    /// The categories in order.
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }
}

/// Both zeros are one code.
fn key(code: f64) -> u64 {
    (code + 0.0).to_bits()
}

impl From<Vec<Category>> for Dictionary {
    fn from(categories: Vec<Category>) -> Dictionary {
        let mut dictionary = Dictionary::default();
        categories
            .into_iter()
            .for_each(|category| dictionary.push(category));
        dictionary
    }
}

impl From<Dictionary> for Vec<Category> {
    fn from(dictionary: Dictionary) -> Vec<Category> {
        dictionary.categories
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acumen_base::Column;
    use acumen_base::key::category_code;

    #[test]
    fn categories_become_ordinals_and_unseen_ones_missing() {
        let columns = crate::sample::columns();
        let codes = ["shop", "web", "shop"].map(category_code);
        let mut encoding = Encoding::of(&columns, &[vec![], vec![], codes.to_vec()]);
        let web = category_code("web");
        assert_eq!(encoding.encode_row(&[0.5, 2.0, web]), [0.5, 2.0, 1.0]);
        assert!(encoding.encode(2, category_code("phone")).is_nan());
        assert!(encoding.encode(2, f64::NAN).is_nan());
        encoding.name(|code| (code == web).then(|| "web".into()));
        let text = serde_json::to_string(&encoding).unwrap();
        let back: Encoding = serde_json::from_str(&text).unwrap();
        assert_eq!(back, encoding);
        assert_eq!(
            back.dictionary(2).unwrap().categories()[1].text.as_deref(),
            Some("web")
        );
        assert_eq!(back.encode(2, web), 1.0);
    }

    #[test]
    fn steps_of_a_sequence_have_one_dictionary() {
        let step = |name: &str| Column {
            name: name.into(),
            kind: ColumnKind::Category,
            unit: String::new(),
            help: String::new(),
        };
        let names = ["recent.channel_1", "raw.channel", "recent.channel_2"];
        let columns = Columns::new(names.map(step).to_vec(), "");
        let [shop, web, phone] = ["shop", "web", "phone"].map(category_code);
        let values = [vec![shop, web], vec![web, shop], vec![phone, shop]];
        let encoding = Encoding::of(&columns, &values);
        assert_eq!(encoding.encode_row(&[web, web, web]), [1.0, 0.0, 1.0]);
        assert_eq!(encoding.encode(0, phone), 2.0);
        assert!(encoding.encode(1, phone).is_nan());
    }
}
