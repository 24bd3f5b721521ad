//! Templates: a text with the values of columns in it.

use std::str::FromStr;

/// One piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands as it is.
    Text(String),
    /// The value of a column.
    Column(String),
}

/// A text over columns, such as `tx-{transaction_id}`; a text without braces is the name of a
/// column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// The pieces in order; at least one is a column.
    pub pieces: Vec<Piece>,
}

/// A text that is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a column or a template: write `column`, or `text-{{column}}`")]
pub struct TemplateError(String);

impl Template {
    /// The name of the column, where the template is nothing else.
    pub fn single_column(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [Piece::Column(name)] => Some(name),
            _ => None,
        }
    }
}

impl Template {
    /// The columns in it.
    pub fn columns(&self) -> Vec<String> {
        let columns = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Column(name) => Some(name.clone()),
            Piece::Text(_) => None,
        });
        columns.collect()
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || TemplateError(text.to_owned());
        if text.is_empty() {
            return Err(error());
        }
        if !text.contains(['{', '}']) {
            let pieces = vec![Piece::Column(text.to_owned())];
            return Ok(Template { pieces });
        }
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            let (name, after) = after[1..].split_once('}').ok_or_else(error)?;
            if name.is_empty() || name.contains('{') || before.contains('}') {
                return Err(error());
            }
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Column(name.to_owned()));
            rest = after;
        }
        if rest.contains('}') || pieces.is_empty() {
            return Err(error());
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Template { pieces })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_text_and_columns() {
        let template: Template = "o-{a}/{b}!".parse().unwrap();
        let expected = [
            Piece::Text("o-".into()),
            Piece::Column("a".into()),
            Piece::Text("/".into()),
            Piece::Column("b".into()),
            Piece::Text("!".into()),
        ];
        assert_eq!(template.pieces, expected);
        let column: Template = "order_id".parse().unwrap();
        assert_eq!(column.single_column(), Some("order_id"));
        for wrong in ["", "o-{", "o-}", "{}", "{a{b}}", "a}b{c}"] {
            assert!(wrong.parse::<Template>().is_err(), "{wrong}");
        }
    }
}
