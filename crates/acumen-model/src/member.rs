//! A model version as a layer runs it.

use std::sync::Arc;

use acumen_base::{
    Attribution, Columns, Deadline, ManualClock, Member, MemberError, Prediction, Row, Time,
};
use rayon::prelude::*;

use crate::artifact::Artifact;
use crate::data::Matrix;
use crate::fitted::{FittedModel, Scorer};
use crate::forest::Objective;
use crate::lifetime::Says;

/// An artifact that is ready to answer.
#[derive(Debug)]
pub struct ArtifactMember {
    artifact: Arc<Artifact>,
    /// Under which it answers.
    name: String,
    version: String,
    objective: Objective,
    scorer: Box<dyn Scorer>,
    /// The columns that its model sees.
    seen: Columns,
}

/// What is said of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The answer.
    pub value: f64,
    /// What a model of purchases says of it, where the version has one.
    pub says: Option<Says>,
    /// What moved the answer most, the strongest first.
    pub drivers: Vec<Attribution>,
}

impl ArtifactMember {
    /// Compiles an artifact.
    ///
    /// # Panics
    /// If its model does not pass [`crate::FittedModel::check`]; that of a loaded one does.
    pub fn new(artifact: Arc<Artifact>) -> ArtifactMember {
        ArtifactMember {
            name: artifact.member.clone(),
            version: artifact.version(),
            objective: artifact.model.objective(),
            scorer: artifact.model.scorer(),
            seen: artifact.seen(),
            artifact,
        }
    }

    /// The same, answering under another name than the one that it was trained as.
    #[must_use]
    pub fn named(self, name: &str) -> ArtifactMember {
        ArtifactMember {
            name: name.to_owned(),
            ..self
        }
    }

    /// What it was made from.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// A margin as an answer.
    fn prediction(&self, margin: f32) -> Prediction {
        Prediction {
            value: self.artifact.calibration.apply(f64::from(margin)),
            raw: self.objective.transform(margin),
        }
    }

    fn encode(&self, row: &Row) -> Result<Vec<f32>, MemberError> {
        let (wanted, given) = (&self.artifact.columns, &row.columns);
        if wanted.fingerprint != given.fingerprint || row.values.len() != wanted.len() {
            return Err(MemberError::WrongRow(mismatch(self.name(), wanted, given)));
        }
        Ok(self.artifact.encoding.encode_row(&row.values))
    }

    /// The values of many rows, given column by column, on all cores.
    pub fn predict_many(&self, columns: &[Vec<f64>]) -> Vec<f64> {
        let encoding = &self.artifact.encoding;
        let data = columns.iter().enumerate();
        let rows = Matrix {
            columns: Arc::new(self.artifact.columns.clone()),
            n_rows: columns.first().map_or(0, Vec::len),
            data: data
                .map(|(at, values)| encoding.encode_column(at, values))
                .collect(),
        };
        let margins = self.scorer.margins_many(&self.artifact.inputs(rows));
        let value = |margin: f32| self.artifact.calibration.apply(f64::from(margin));
        margins.into_iter().map(value).collect()
    }

    /// The columns that its model sees: those of its rows, and what a model of purchases says.
    pub fn seen(&self) -> &Columns {
        &self.seen
    }

    /// Everything about many rows, with so many of the columns that moved the answer most; on all
    /// cores, but for a single row, for which no other thread is woken.
    pub fn answer_many(&self, rows: &[Vec<f64>], drivers: usize) -> Vec<Answered> {
        match rows {
            [one] => vec![self.answer(one, drivers)],
            rows => {
                let rows = rows.par_iter();
                rows.map(|row| self.answer(row, drivers)).collect()
            }
        }
    }

    fn answer(&self, row: &[f64], drivers: usize) -> Answered {
        let never = Deadline::never(ManualClock::at(Time(0)));
        let encoded = self.artifact.encoding.encode_row(row);
        let says = self.said(&encoded);
        let input = self.input(encoded, says);
        let margin = self.scorer.margin_before(&input, &never);
        Answered {
            value: margin.map_or(f64::NAN, |margin| self.prediction(margin).value),
            says,
            drivers: match drivers {
                0 => Vec::new(),
                most => self.drivers(row, &input, most),
            },
        }
    }

    /// What a model of purchases says of many rows, where the version has one; on all cores.
    pub fn says_many(&self, rows: &[Vec<f64>]) -> Vec<Option<Says>> {
        let encoding = &self.artifact.encoding;
        let rows = rows.par_iter();
        rows.map(|row| self.said(&encoding.encode_row(row)))
            .collect()
    }

    fn said(&self, encoded: &[f32]) -> Option<Says> {
        let model = match &self.artifact.model {
            FittedModel::Lifetime(model) => model,
            _ => self.artifact.purchases.as_ref()?,
        };
        Some(model.says(|column| f64::from(encoded[column])))
    }

    /// An encoded row as the model sees it.
    fn input(&self, mut encoded: Vec<f32>, says: Option<Says>) -> Vec<f32> {
        if self.seen.len() > encoded.len() {
            encoded.extend(says.iter().flat_map(Says::columns));
        }
        encoded
    }

    /// The columns that moved the answer for a row most.
    fn drivers(&self, row: &[f64], input: &[f32], most: usize) -> Vec<Attribution> {
        let moved = self.scorer.explain(input).contributions;
        let name = |column: usize| &self.seen.list[column].name;
        let mut order: Vec<usize> = (0..moved.len())
            .filter(|&column| moved[column].is_finite() && moved[column] != 0.0)
            .collect();
        order.sort_by(|&a, &b| {
            let size = moved[b].abs().total_cmp(&moved[a].abs());
            size.then_with(|| name(a).cmp(name(b)))
        });
        order.truncate(most);
        let driver = |&column: &usize| Attribution {
            column: name(column).clone(),
            // As the row has them, and behind them what was said of it.
            value: row.get(column).copied().unwrap_or(f64::from(input[column])),
            contribution: moved[column],
        };
        order.iter().map(driver).collect()
    }
}

impl Member for ArtifactMember {
    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn columns(&self) -> &Columns {
        &self.artifact.columns
    }

    fn predict(&self, row: &Row, deadline: &Deadline) -> Result<Prediction, MemberError> {
        let encoded = self.encode(row)?;
        let input = self.artifact.input(encoded);
        let margin = self.scorer.margin_before(&input, deadline);
        margin
            .map(|margin| self.prediction(margin))
            .ok_or(MemberError::Late)
    }

    fn weights(&self) -> Option<&[f64]> {
        match &self.artifact.model {
            FittedModel::Stacking(stacking) => Some(&stacking.weights),
            _ => None,
        }
    }

    fn explains_at_once(&self) -> bool {
        // Gradients along a path, and Shapley values of deep isolation trees, take milliseconds.
        !matches!(
            self.artifact.model,
            FittedModel::Network(_) | FittedModel::IsolationForest(_)
        )
    }

    fn attributions(&self, row: &Row) -> Vec<Attribution> {
        let Ok(encoded) = self.encode(row) else {
            return Vec::new();
        };
        let input = self.artifact.input(encoded);
        // As the row has them, and behind them what was said of it.
        let said = input.iter().skip(row.values.len()).copied().map(f64::from);
        let values = row.values.iter().copied().chain(said);
        let columns = self.seen.list.iter();
        columns
            .zip(values)
            .zip(self.scorer.explain(&input).contributions)
            .map(|((column, value), contribution)| Attribution {
                column: column.name.clone(),
                value,
                contribution,
            })
            .collect()
    }
}

/// Says which columns differ, so that a user knows what to retrain or restore.
fn mismatch(member: &str, wanted: &Columns, given: &Columns) -> String {
    let missing = wanted
        .list
        .iter()
        .find(|column| given.position(&column.name).is_none());
    let extra = given
        .list
        .iter()
        .find(|column| wanted.position(&column.name).is_none());
    let difference = match (missing, extra) {
        (Some(missing), _) => format!("the row has no column `{}`", missing.name),
        (None, Some(extra)) => format!("it does not know the column `{}`", extra.name),
        (None, None) => "the columns have the same names but are computed another way".into(),
    };
    format!(
        "`{member}` was trained on other columns (fingerprint {:016x}, the row has {:016x}): \
         {difference}; train it again on the features as they are now",
        wanted.fingerprint, given.fingerprint
    )
}

#[cfg(test)]
mod tests {
    use acumen_base::key::category_code;
    use acumen_base::{ManualClock, Time};

    use super::*;
    use crate::sample::{artifact_of, columns, stump};

    fn row(columns: Columns, values: [f64; 3]) -> Row {
        Row {
            columns: Arc::new(columns),
            values: values.into(),
            at: Time(0),
            position: 0,
        }
    }

    #[test]
    fn it_answers_explains_and_refuses() {
        let member = ArtifactMember::new(Arc::new(artifact_of(stump())));
        let clock = ManualClock::at(Time(0));
        let never = Deadline::never(clock.clone());
        let right = row(columns(), [0.7, f64::NAN, category_code("unseen")]);
        let prediction = member.predict(&right, &never).unwrap();
        let margin = (1.0_f64 / 3.0).ln() + 2.0;
        assert!((prediction.raw - 1.0 / (1.0 + (-margin).exp())).abs() < 1e-6);
        assert_eq!(prediction.raw, prediction.value);
        let moved: f64 = member
            .attributions(&right)
            .iter()
            .map(|a| a.contribution)
            .sum();
        let expected = member.scorer.explain(&[0.7, f32::NAN, f32::NAN]).expected;
        assert!((expected + moved - margin).abs() < 1e-6);

        let late = Deadline::after(clock, 0, 0);
        assert_eq!(member.predict(&right, &late), Err(MemberError::Late));
        let other = Columns::new(columns().list, "computed another way");
        let wrong = row(other, [0.0; 3]);
        let error = member.predict(&wrong, &never).unwrap_err().to_string();
        assert!(
            error.contains("another way") && error.contains("boosted"),
            "{error}"
        );
        assert!(member.attributions(&wrong).is_empty());
    }
}
