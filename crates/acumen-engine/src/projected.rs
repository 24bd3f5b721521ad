//! A model that sees some of a row's columns, as a layer wants it: one that takes the whole row.

use std::sync::Arc;

use acumen_base::{Attribution, Columns, Deadline, ENSEMBLE, Member, MemberError, Prediction, Row};
use acumen_model::{Answered, Artifact, ArtifactMember, Says};

use crate::error::EngineError;
use crate::spec::{ModelDecl, TrainingDecl};

/// A loaded model with the places of its columns in the rows of its use case.
#[derive(Debug)]
pub(crate) struct Projected {
    member: ArtifactMember,
    /// Under which it answers: its model's, or that of the model's challenger.
    name: String,
    /// The fingerprint of the whole rows.
    rows: Arc<Columns>,
    /// The columns that the model sees.
    seen: Arc<Columns>,
    places: Vec<usize>,
}

/// Some columns of a row; the fingerprint keeps how the whole row is computed.
pub(crate) fn select(rows: &Columns, keep: impl Fn(&str) -> bool) -> Columns {
    let list = rows
        .list
        .iter()
        .filter(|column| keep(&column.name))
        .cloned()
        .collect();
    Columns::new(list, &format!("of {:016x}", rows.fingerprint))
}

/// The columns that a model is trained on: those of its features, without what training excludes.
pub(crate) fn seen_by(
    training: Option<&TrainingDecl>,
    model: &ModelDecl,
    rows: &Columns,
) -> Columns {
    let excluded = training.map_or(&[][..], |training| &training.exclude);
    select(rows, |column| {
        let excluded = excluded.iter().any(|name| is_of(column, name));
        let wanted = model.features.as_ref();
        !excluded && wanted.is_none_or(|names| names.iter().any(|name| is_of(column, name)))
    })
}

/// Whether a column is of a feature, or is the one of that name.
pub(crate) fn is_of(column: &str, name: &str) -> bool {
    column
        .strip_prefix(name)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// A loaded version as a layer runs it on the rows of a use case, under the name that it is deployed
/// as; an ensemble reads the members' answers and no row.
pub(crate) fn in_rows_of(
    member: ArtifactMember,
    rows: &Arc<Columns>,
    name: &str,
) -> Result<Arc<dyn Member>, EngineError> {
    if member.name() == ENSEMBLE {
        return Ok(Arc::new(member.named(name)));
    }
    Ok(Arc::new(Projected::new(member, rows)?.named(name)))
}

impl Projected {
    /// Refuses a model that was trained on rows of another definition.
    pub(crate) fn new(
        member: ArtifactMember,
        rows: &Arc<Columns>,
    ) -> Result<Projected, EngineError> {
        let wanted = member.columns();
        let columns = select(rows, |name| wanted.position(name).is_some());
        if columns.fingerprint != wanted.fingerprint {
            return Err(EngineError::NotEnough(format!(
                "version {} of `{}` was trained on rows of another definition: train it again, or \
                 go back to the features that it was trained on",
                member.version(),
                member.name()
            )));
        }
        let places = columns
            .list
            .iter()
            .filter_map(|c| rows.position(&c.name))
            .collect();
        Ok(Projected {
            name: member.name().to_owned(),
            member,
            rows: Arc::clone(rows),
            seen: Arc::new(columns),
            places,
        })
    }

    /// The same, answering under another name.
    pub(crate) fn named(self, name: &str) -> Projected {
        Projected {
            name: name.to_owned(),
            ..self
        }
    }

    pub(crate) fn artifact(&self) -> &Artifact {
        self.member.artifact()
    }

    /// The answers for many whole rows, given column by column.
    pub(crate) fn predict_many(&self, data: &[Vec<f64>]) -> Vec<f64> {
        let seen: Vec<Vec<f64>> = self
            .places
            .iter()
            .map(|&place| data[place].clone())
            .collect();
        self.member.predict_many(&seen)
    }

    /// The columns that the model sees, and what a model of purchases says.
    pub(crate) fn seen(&self) -> &Columns {
        self.member.seen()
    }

    /// Everything about many whole rows, with so many drivers each.
    pub(crate) fn answer_many<'a>(
        &self,
        rows: impl Iterator<Item = &'a [f64]>,
        drivers: usize,
    ) -> Vec<Answered> {
        self.member.answer_many(&self.projected(rows), drivers)
    }

    /// What a model of purchases says of many whole rows.
    pub(crate) fn says_many<'a>(&self, rows: impl Iterator<Item = &'a [f64]>) -> Vec<Option<Says>> {
        self.member.says_many(&self.projected(rows))
    }

    fn projected<'a>(&self, rows: impl Iterator<Item = &'a [f64]>) -> Vec<Vec<f64>> {
        let row = |row: &[f64]| self.places.iter().map(|&place| row[place]).collect();
        rows.map(row).collect()
    }

    fn project(&self, row: &Row) -> Row {
        Row {
            columns: Arc::clone(&self.seen),
            values: self.places.iter().map(|&place| row.values[place]).collect(),
            at: row.at,
            position: row.position,
        }
    }
}

/// A deployed version that cannot answer, in its place: decisions name it and say why.
#[derive(Debug)]
pub(crate) struct Unusable {
    name: String,
    version: String,
    rows: Arc<Columns>,
    why: String,
}

impl Unusable {
    pub(crate) fn new(name: &str, version: &str, rows: Arc<Columns>, why: &str) -> Unusable {
        Unusable {
            name: name.to_owned(),
            version: version.to_owned(),
            rows,
            why: why.to_owned(),
        }
    }
}

impl Member for Unusable {
    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn columns(&self) -> &Columns {
        &self.rows
    }

    fn predict(&self, _: &Row, _: &Deadline) -> Result<Prediction, MemberError> {
        Err(MemberError::WrongRow(self.why.clone()))
    }

    fn attributions(&self, _: &Row) -> Vec<Attribution> {
        Vec::new()
    }
}

impl Member for Projected {
    fn name(&self) -> &str {
        &self.name
    }

    fn version(&self) -> &str {
        self.member.version()
    }

    fn columns(&self) -> &Columns {
        &self.rows
    }

    fn predict(&self, row: &Row, deadline: &Deadline) -> Result<Prediction, MemberError> {
        if row.columns.fingerprint != self.rows.fingerprint {
            return Err(MemberError::WrongRow(
                "the row is of another definition".to_owned(),
            ));
        }
        self.member.predict(&self.project(row), deadline)
    }

    fn attributions(&self, row: &Row) -> Vec<Attribution> {
        self.member.attributions(&self.project(row))
    }

    fn explains_at_once(&self) -> bool {
        self.member.explains_at_once()
    }
}
