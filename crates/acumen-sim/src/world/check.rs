//! What is wrong with the file of a world, all of it at once.

use acumen_base::{Diagnostic, Place, nearest};
use serde::de::DeserializeOwned;

/// What was found so far.
pub(crate) struct Found<'a> {
    file: &'a str,
    pub(crate) problems: Vec<Diagnostic>,
}

impl<'a> Found<'a> {
    pub(crate) fn new(file: &'a str) -> Found<'a> {
        Found {
            file,
            problems: Vec::new(),
        }
    }

    pub(crate) fn add(&mut self, key: &str, value: &str, help: &str) {
        let message = format!("`{key}` cannot be `{value}`");
        let mut problem = Diagnostic::new("world_value", message, help);
        problem.place.file = self.file.into();
        self.problems.push(problem);
    }

    pub(crate) fn share(&mut self, key: &str, value: f64) {
        if !(0.0..=1.0).contains(&value) {
            self.add(key, &value.to_string(), "write a share from 0 to 1");
        }
    }

    pub(crate) fn positive(&mut self, key: &str, value: f64) {
        if !(value.is_finite() && value > 0.0) {
            self.add(key, &value.to_string(), "write numbers above 0, in order");
        }
    }

    pub(crate) fn not_negative(&mut self, key: &str, value: f64) {
        if !(value.is_finite() && value >= 0.0) {
            self.add(key, &value.to_string(), "it is too small, or not a number");
        }
    }

    pub(crate) fn weights<'w>(&mut self, key: &str, weights: impl Iterator<Item = &'w f64>) {
        let weights: Vec<f64> = weights.copied().collect();
        let sound = weights.iter().all(|w| w.is_finite() && *w >= 0.0);
        if !sound || weights.iter().sum::<f64>() <= 0.0 {
            let help = "write weights of 0 or more, at least one above 0";
            self.add(key, &format!("{weights:?}"), help);
        }
    }
}

/// Reads the parameters of a world: an unknown key or a wrong type ends it, and all values that
/// `problems` finds fault with are reported at once.
pub(crate) fn parse<T: DeserializeOwned>(
    text: &str,
    file: &str,
    problems: impl Fn(&T, &str) -> Vec<Diagnostic>,
) -> Result<T, Vec<Diagnostic>> {
    let parameters: T =
        serde_saphyr::from_str(text).map_err(|error| vec![unreadable(&error, file)])?;
    let problems = problems(&parameters, file);
    match problems.is_empty() {
        true => Ok(parameters),
        false => Err(problems),
    }
}

/// The file does not read.
pub(crate) fn unreadable(error: &serde_saphyr::Error, file: &str) -> Diagnostic {
    let bare = error.without_snippet();
    let (code, message, help) = match bare {
        serde_saphyr::Error::SerdeUnknownField {
            field, expected, ..
        } => {
            let near = nearest(field, expected.iter().copied());
            let help = near.map_or_else(
                || format!("the keys here are {}", expected.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            ("unknown_key", format!("unknown key `{field}`"), help)
        }
        other => (
            "world_file",
            other.render().lines().next().unwrap_or_default().to_owned(),
            "compare with the world of the use case it was copied from".to_owned(),
        ),
    };
    let mut problem = Diagnostic::new(code, message, help);
    let location = error.location();
    problem.place = Place {
        file: file.into(),
        line: location.map_or(0, |l| l.line() as u32),
        column: location.map_or(0, |l| l.column() as u32),
    };
    problem
}
