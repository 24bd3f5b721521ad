//! A learnt order that answers: it ranks candidates in place of the weights of their sources.

use std::sync::Arc;

use acumen_base::Columns;
use acumen_model::{Artifact, CompiledForest, Explainer};

use super::ask::Moved;

/// What an explanation names.
const NAMED: usize = 5;

/// A version of a ranker, ready to answer.
#[derive(Debug)]
pub(crate) struct LoadedOrder {
    pub(crate) name: String,
    pub(crate) version: String,
    columns: Arc<Columns>,
    forest: CompiledForest,
    explainer: Explainer,
}

impl LoadedOrder {
    /// From a version, for candidates of these columns.
    ///
    /// # Errors
    /// Where it was trained on other columns.
    pub(crate) fn new(
        artifact: Artifact,
        (name, version): (&str, &str),
        columns: &Arc<Columns>,
    ) -> Result<LoadedOrder, String> {
        let same = artifact.columns.fingerprint == columns.fingerprint;
        let forest = artifact.model.into_forest().filter(|_| same);
        let forest = forest.ok_or_else(|| {
            format!(
                "version {version} of `{name}` was trained on lists of other sources or \
                 attributes: train it again"
            )
        })?;
        Ok(LoadedOrder {
            name: name.to_owned(),
            version: version.to_owned(),
            columns: Arc::clone(columns),
            forest: CompiledForest::new(&forest),
            explainer: Explainer::new(&forest),
        })
    }

    /// How far up each candidate belongs, by what is known of it.
    pub(super) fn scores(&self, known: &[Vec<f32>]) -> Vec<f32> {
        let width = self.columns.len();
        known
            .iter()
            .map(|row| self.forest.margin(&row[..width]))
            .collect()
    }

    /// What moved a candidate most, the most first.
    pub(super) fn why(&self, known: &[f32]) -> Vec<Moved> {
        let known = &known[..self.columns.len()];
        let by = self.explainer.explain(known).contributions;
        let mut moved: Vec<Moved> = self
            .columns
            .list
            .iter()
            .zip(known)
            .zip(by)
            .filter(|(_, by)| *by != 0.0)
            .map(|((column, value), by)| Moved {
                name: column.name.clone(),
                value: *value,
                by: by as f32,
            })
            .collect();
        moved.sort_by(|a, b| b.by.abs().total_cmp(&a.by.abs()));
        moved
    }
}

/// What is worth naming of what moved a candidate.
pub(super) fn foremost(moved: &[Moved]) -> &[Moved] {
    &moved[..moved.len().min(NAMED)]
}
