//! One immutable version of a model, with everything that is needed to trust and to serve it.
//!
//! On disk it is a folder: `artifact.json`, its `sha256`, and `card.md` for people. The version
//! is a hash of the content, so that another content is another version.

use std::path::{Path, PathBuf};
use std::{fs, io};

use acumen_base::{Columns, Time};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::calibration::Calibration;
use crate::card::render_card;
use crate::data::Matrix;
use crate::encoding::Encoding;
use crate::fitted::{BrokenModel, FittedModel};
use crate::informed::{INFORMED, informed_columns, informed_matrix, informed_row};
use crate::intervals::Intervals;
use crate::lifetime::LifetimeModel;
use crate::metrics::{Metrics, RegressionMetrics};
use crate::search::SearchTable;
use crate::split::Split;
use crate::xgboost_json::XgboostModel;

/// The format that this build writes and reads.
pub const FORMAT: u32 = 1;
/// How many hexadecimal digits of the hash name a version.
const VERSION_DIGITS: usize = 12;

const CONTENT_FILE: &str = "artifact.json";
const HASH_FILE: &str = "sha256";
const CARD_FILE: &str = "card.md";

/// One version of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Artifact {
    /// The format of the file.
    pub format: u32,
    /// The use case that it belongs to.
    pub use_case: String,
    /// The member's name in the spec, such as `boosted`.
    pub member: String,
    /// The learner that fitted it.
    pub learner: String,
    /// All parameters of the learner, defaults included.
    pub parameters: serde_json::Value,
    /// The columns of its rows, with their fingerprint.
    pub columns: Columns,
    /// The categories that it knows.
    pub encoding: Encoding,
    /// What was fitted.
    pub model: FittedModel,
    /// How a margin becomes a probability.
    pub calibration: Calibration,
    /// Intervals around its values, of a regression with enough rows to tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intervals: Option<Intervals>,
    /// How good it was on rows that it had not seen.
    pub test_metrics: Metrics,
    /// The rows that it was fitted to.
    pub window: TrainingWindow,
    /// Which times were for training, validation, calibration and test.
    pub split: Split,
    /// What each column contributed, the most important first.
    pub importances: Vec<ColumnImportance>,
    /// For each column, the values of the training rows at equal steps of their order, rising, and
    /// none where all were missing: what the column really takes. Empty where they were not kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quantiles: Vec<Vec<f64>>,
    /// The seed of everything random in training.
    pub seed: u64,
    /// The version of the code that trained it.
    pub code: String,
    /// The version that training went on from; `None` where it began anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub continues: Option<String>,
    /// The version that was fitted to the earlier rows only: the calibration and the figures are of
    /// that one, which is this one but for the rows. `None` where the two are one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refit_of: Option<String>,
    /// The search that gave its parameters, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchTable>,
    /// A model of purchases over the same columns: what it says stands beside each answer and, if
    /// the model has more features than there are columns, behind them in each row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purchases: Option<LifetimeModel>,
    /// The models that it was chosen from, of values at origins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidates: Option<CandidateTable>,
}

/// Models of values that were compared, on rows that none of them was fitted to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateTable {
    /// The times at which rows were read to fit them.
    pub fitted_at: Vec<Time>,
    /// The times at which the rows were read that they are compared on.
    pub judged_at: Vec<Time>,
    /// Whose rows these are, in words.
    pub judged_on: String,
    /// The figure that decided, and of which less is better.
    pub by: String,
    /// The models, the best first.
    pub list: Vec<Candidate>,
    /// All times at which rows were read to fit the chosen one again, with what it had been judged
    /// on.
    pub refitted_at: Vec<Time>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The model's name in the spec.
    pub member: String,
    /// Its learner.
    pub learner: String,
    /// The figure that decided; `None` where it could not be fitted.
    pub value: Option<f64>,
    /// All its figures.
    pub metrics: Option<RegressionMetrics>,
    /// Why there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// The rows that a model was fitted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingWindow {
    /// The time of the first row.
    pub from: Time,
    /// The time of the last row.
    pub to: Time,
    /// How many rows.
    pub rows: usize,
    /// How many of them had a positive outcome.
    pub positives: usize,
    /// How many rows they stand for by their weights, where they have any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<usize>,
}

/// What a column contributed in training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnImportance {
    /// The column's name.
    pub column: String,
    /// The sum of the gains of its splits, or the mean size of its contributions.
    pub total_gain: f64,
}

/// Why an artifact was not saved or loaded.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// Writing failed.
    #[error("the model cannot be written to {path}: {source}")]
    Write {
        /// Where to.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Reading failed.
    #[error("the model cannot be read from {path}: {source}")]
    Read {
        /// Where from.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The bytes are not those that were written.
    #[error(
        "{path} was changed or damaged since it was written (its SHA-256 is {found}, not \
         {expected}); restore it or train again"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The hash of the file.
        found: String,
        /// The hash that was noted.
        expected: String,
    },
    /// The content cannot be understood.
    #[error("{path} is not a model that this build can read: {source}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Written by another format.
    #[error(
        "{path} has format {found}, and this build reads {FORMAT}; use the build that wrote it"
    )]
    Format {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
    },
    /// The model is not what it says.
    #[error("{path} is broken: {source}")]
    Broken {
        /// The file.
        path: PathBuf,
        /// Where.
        source: BrokenModel,
    },
    /// The columns and the model do not fit.
    #[error(
        "{path} is broken: {columns} columns, {dictionaries} dictionaries, {model} in the model"
    )]
    Columns {
        /// The file.
        path: PathBuf,
        /// Columns.
        columns: usize,
        /// Dictionaries.
        dictionaries: usize,
        /// Columns of the model.
        model: usize,
    },
}

impl Artifact {
    /// The version: the first digits of the SHA-256 of its content.
    pub fn version(&self) -> String {
        let mut version = sha256(&self.content());
        version.truncate(VERSION_DIGITS);
        version
    }

    /// The first instant after all rows that it was fitted to or calibrated on: figures of rows
    /// before it flatter it.
    pub fn seen_until(&self) -> Time {
        match self.refit_of {
            Some(_) => self.split.test.to,
            None => self.split.calibration.to,
        }
    }

    /// Saves it as the folder `dir`, which appears whole or not at all. Saving the same content
    /// again changes nothing. Returns the version.
    ///
    /// # Errors
    /// Where the folder cannot be written, or holds something else.
    pub fn save(&self, dir: &Path) -> Result<String, ArtifactError> {
        let content = self.content();
        let hash = sha256(&content);
        let version = hash[..VERSION_DIGITS].to_owned();
        if dir.join(HASH_FILE).exists() {
            let found = read_text(&dir.join(HASH_FILE))?;
            if found.trim() == hash {
                return Ok(version);
            }
            let path = dir.to_owned();
            let source = io::Error::other("another version lies there, and versions never change");
            return Err(ArtifactError::Write { path, source });
        }
        let partial = dir.with_extension("partial");
        let write = || -> io::Result<()> {
            if partial.exists() {
                fs::remove_dir_all(&partial)?; // of a save that was cut off
            }
            fs::create_dir_all(&partial)?;
            write_durably(&partial.join(CONTENT_FILE), &content)?;
            write_durably(&partial.join(HASH_FILE), format!("{hash}\n").as_bytes())?;
            write_durably(&partial.join(CARD_FILE), render_card(self).as_bytes())?;
            fs::rename(&partial, dir)?;
            dir.parent().map_or(Ok(()), sync_folder)
        };
        write().map_err(|source| ArtifactError::Write {
            path: dir.to_owned(),
            source,
        })?;
        Ok(version)
    }

    /// Loads and verifies the artifact in the folder `dir`.
    ///
    /// # Errors
    /// Where it cannot be read, was damaged, or is of another format.
    pub fn load(dir: &Path) -> Result<Artifact, ArtifactError> {
        let path = dir.join(CONTENT_FILE);
        let content = fs::read(&path).map_err(|source| ArtifactError::Read {
            path: path.clone(),
            source,
        })?;
        let (found, expected) = (sha256(&content), read_text(&dir.join(HASH_FILE))?);
        if found != expected.trim() {
            let expected = expected.trim().to_owned();
            return Err(ArtifactError::Damaged {
                path,
                found,
                expected,
            });
        }
        Artifact::parse(path, &content)
    }

    fn parse(path: PathBuf, content: &[u8]) -> Result<Artifact, ArtifactError> {
        #[derive(Deserialize)]
        struct Head {
            format: u64,
        }
        match serde_json::from_slice(content) {
            Ok(Head { format }) if format == u64::from(FORMAT) => {}
            Ok(Head { format }) => {
                return Err(ArtifactError::Format {
                    path,
                    found: format,
                });
            }
            Err(source) => return Err(ArtifactError::Parse { path, source }),
        }
        let artifact: Artifact = match serde_json::from_slice(content) {
            Ok(artifact) => artifact,
            Err(source) => return Err(ArtifactError::Parse { path, source }),
        };
        let purchases = artifact.purchases.as_ref();
        let beside = purchases.map_or(Ok(()), |model| Ok(model.check()?));
        if let Err(source) = artifact.model.check().and(beside) {
            return Err(ArtifactError::Broken { path, source });
        }
        let columns = artifact.columns.len();
        let (dictionaries, model) = (artifact.encoding.len(), artifact.model.n_features());
        let purchases = artifact.purchases.as_ref();
        let beside = purchases.is_none_or(|model| model.n_features == columns);
        let wide = purchases.map_or(columns, |_| columns + INFORMED);
        if dictionaries != columns || !beside || (model != columns && model != wide) {
            return Err(ArtifactError::Columns {
                path,
                columns,
                dictionaries,
                model,
            });
        }
        Ok(artifact)
    }

    /// The columns that its model sees: those of its rows, and what a model of purchases says.
    pub fn seen(&self) -> Columns {
        match self.model.n_features() > self.columns.len() {
            true => informed_columns(&self.columns),
            false => self.columns.clone(),
        }
    }

    /// An encoded row as its model sees it.
    pub(crate) fn input(&self, row: Vec<f32>) -> Vec<f32> {
        match &self.purchases {
            Some(model) if self.model.n_features() > row.len() => informed_row(model, row),
            _ => row,
        }
    }

    /// Encoded rows as its model sees them.
    pub(crate) fn inputs(&self, rows: Matrix) -> Matrix {
        match &self.purchases {
            Some(model) if self.model.n_features() > rows.data.len() => {
                informed_matrix(model, &rows)
            }
            _ => rows,
        }
    }

    /// The forest for XGBoost, with the names and types of the columns, where the model is one.
    /// XGBoost gives the uncalibrated probability, and category columns take the ordinals of the
    /// dictionaries.
    pub fn to_xgboost(&self) -> Option<XgboostModel> {
        let kind = |column| match self.encoding.dictionary(column) {
            Some(_) => "c".to_owned(),
            None => "float".to_owned(),
        };
        Some(XgboostModel {
            forest: self.model.clone().into_forest()?,
            feature_names: self
                .seen()
                .list
                .iter()
                .map(|column| column.name.clone())
                .collect(),
            feature_types: (0..self.seen().len()).map(kind).collect(),
        })
    }

    fn content(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("an artifact holds only text and numbers")
    }
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_text(path: &Path) -> Result<String, ArtifactError> {
    fs::read_to_string(path).map_err(|source| ArtifactError::Read {
        path: path.to_owned(),
        source,
    })
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = fs::File::create(path)?;
    io::Write::write_all(&mut file, bytes)?;
    file.sync_all()
}

/// A renamed folder is durable once its parent is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    fs::File::open(if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    })?
    .sync_all()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample::{artifact_of, forest_and_rows, matrix_of, stump};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        /// Save, load, predict is bit-equal.
        #[test]
        fn a_loaded_artifact_predicts_the_same_bits((forest, rows) in forest_and_rows(6)) {
            let folder = tempfile::tempdir().unwrap();
            let artifact = artifact_of(forest);
            let version = artifact.save(&folder.path().join("model")).unwrap();
            let loaded = Artifact::load(&folder.path().join("model")).unwrap();
            prop_assert_eq!(&loaded, &artifact);
            prop_assert_eq!(loaded.version(), version);
            let rows = matrix_of(&rows);
            let (before, after) = (artifact.model.margins(&rows), loaded.model.margins(&rows));
            for (before, after) in before.iter().zip(&after) {
                prop_assert_eq!(before.to_bits(), after.to_bits());
            }
        }
    }

    #[test]
    fn versions_never_change_and_damage_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("model");
        let artifact = artifact_of(stump());
        let version = artifact.save(&dir).unwrap();
        assert_eq!(artifact.save(&dir).unwrap(), version);
        let other = Artifact {
            seed: 8,
            ..artifact
        };
        assert_ne!(other.version(), version);
        assert!(
            other
                .save(&dir)
                .unwrap_err()
                .to_string()
                .contains("never change")
        );
        assert!(
            fs::read_to_string(dir.join(CARD_FILE))
                .unwrap()
                .contains("boosted")
        );

        let path = dir.join(CONTENT_FILE);
        let content = fs::read_to_string(&path).unwrap();
        fs::write(&path, content.replace("\"seed\":7", "\"seed\":9")).unwrap();
        assert!(matches!(
            Artifact::load(&dir),
            Err(ArtifactError::Damaged { .. })
        ));
        let forge = |from: &str, to: &str| {
            assert!(content.contains(from), "{from} in {content}");
            let forged = content.replace(from, to);
            fs::write(&path, &forged).unwrap();
            fs::write(dir.join(HASH_FILE), sha256(forged.as_bytes())).unwrap();
            Artifact::load(&dir).unwrap_err()
        };
        assert!(matches!(
            forge("\"format\":1", "\"format\":2"),
            ArtifactError::Format { found: 2, .. }
        ));
        assert!(matches!(
            forge("\"left\":1", "\"left\":77"),
            ArtifactError::Broken { .. }
        ));
        assert!(matches!(
            forge("\"n_features\":3", "\"n_features\":4"),
            ArtifactError::Columns { .. }
        ));
        assert!(matches!(
            forge("\"trees\"", "\"shrubs\""),
            ArtifactError::Parse { .. }
        ));
    }
}
