//! Where model versions lie: `<root>/<use case>/<member>/<version>/`. What is live is not decided
//! here; versions are only added.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::artifact::{Artifact, ArtifactError};
use crate::recommend::{Recommender, RecommenderError};

/// A folder of immutable model versions.
#[derive(Clone, Debug)]
pub struct ModelStore {
    root: PathBuf,
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be made or listed.
    #[error("the model store at {path} cannot be used: {source}")]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A name that is not one.
    #[error(
        "`{0}` cannot name a use case, member or version: letters, digits, `_`, `-` and inner \
         dots are allowed"
    )]
    Name(String),
    /// There is no such version.
    #[error(
        "there is no version `{version}` of `{member}` in `{use_case}`; there {}",
        match .known.as_slice() {
            [] => "is none yet: train one".to_owned(),
            known => format!("are {}", known.join(", ")),
        }
    )]
    Unknown {
        /// The use case.
        use_case: String,
        /// The member.
        member: String,
        /// What was asked for.
        version: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The folder holds a model of another version.
    #[error("{path} holds version {found}; restore it or train again")]
    Misplaced {
        /// The folder.
        path: PathBuf,
        /// The version of its content.
        found: String,
    },
    /// The version cannot be written or read.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The source of candidates cannot be written or read.
    #[error(transparent)]
    Recommender(#[from] RecommenderError),
}

impl ModelStore {
    /// Opens the store in a folder, which is made where it does not exist.
    ///
    /// # Errors
    /// Where the folder cannot be made.
    pub fn open(root: &Path) -> Result<ModelStore, StoreError> {
        fs::create_dir_all(root).map_err(|source| StoreError::Folder {
            path: root.to_owned(),
            source,
        })?;
        Ok(ModelStore {
            root: root.to_owned(),
        })
    }

    /// Adds a version and returns its id; adding it again changes nothing.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn put(&self, artifact: &Artifact) -> Result<String, StoreError> {
        let folder = self.folder(&artifact.use_case, &artifact.member)?;
        fs::create_dir_all(&folder).map_err(|source| StoreError::Folder {
            path: folder.clone(),
            source,
        })?;
        let version = artifact.version();
        Ok(artifact.save(&folder.join(version))?)
    }

    /// Loads and verifies a version.
    ///
    /// # Errors
    /// Where there is none of that id, or it was damaged.
    pub fn get(&self, use_case: &str, member: &str, version: &str) -> Result<Artifact, StoreError> {
        let path = self.folder(use_case, member)?.join(checked(version)?);
        if !path.is_dir() {
            return Err(StoreError::Unknown {
                use_case: use_case.into(),
                member: member.into(),
                version: version.into(),
                known: self.list(use_case, member)?,
            });
        }
        let artifact = Artifact::load(&path)?;
        let found = artifact.version();
        if found != version {
            return Err(StoreError::Misplaced { path, found });
        }
        Ok(artifact)
    }

    /// Adds a version of a source of candidates and returns its id; adding it again changes
    /// nothing.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn put_recommender(
        &self,
        use_case: &str,
        member: &str,
        recommender: &Recommender,
    ) -> Result<String, StoreError> {
        let folder = self.folder(use_case, member)?;
        fs::create_dir_all(&folder).map_err(|source| StoreError::Folder {
            path: folder.clone(),
            source,
        })?;
        Ok(recommender.save(&folder.join(recommender.version()))?)
    }

    /// Loads and verifies a version of a source of candidates.
    ///
    /// # Errors
    /// Where there is none of that id, or it was damaged.
    pub fn get_recommender(
        &self,
        use_case: &str,
        member: &str,
        version: &str,
    ) -> Result<Recommender, StoreError> {
        let path = self.folder(use_case, member)?.join(checked(version)?);
        if !path.is_file() {
            return Err(StoreError::Unknown {
                use_case: use_case.into(),
                member: member.into(),
                version: version.into(),
                known: self.list(use_case, member)?,
            });
        }
        let recommender = Recommender::load(&path)?;
        let found = recommender.version();
        if found != version {
            return Err(StoreError::Misplaced { path, found });
        }
        Ok(recommender)
    }

    /// The ids of all versions of a member, sorted by name.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn list(&self, use_case: &str, member: &str) -> Result<Vec<String>, StoreError> {
        let folder = self.folder(use_case, member)?;
        let failed = |source| StoreError::Folder {
            path: folder.clone(),
            source,
        };
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(failed(source)),
        };
        let mut versions = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            let name = name.to_string_lossy();
            // A save that was cut off is not a version.
            if name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                versions.push(name.into_owned());
            }
        }
        versions.sort_unstable();
        Ok(versions)
    }

    fn folder(&self, use_case: &str, member: &str) -> Result<PathBuf, StoreError> {
        Ok(self.root.join(checked(use_case)?).join(checked(member)?))
    }
}

/// A name that stays inside its folder.
fn checked(name: &str) -> Result<&str, StoreError> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.starts_with('.') || !name.chars().all(plain) {
        return Err(StoreError::Name(name.into()));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{artifact_of, stump};

    #[test]
    fn versions_are_added_listed_and_found() {
        let folder = tempfile::tempdir().unwrap();
        let store = ModelStore::open(&folder.path().join("models")).unwrap();
        let artifact = artifact_of(stump());
        assert!(store.list("orders", "boosted").unwrap().is_empty());
        let version = store.put(&artifact).unwrap();
        assert_eq!(store.put(&artifact).unwrap(), version);
        let other = Artifact {
            seed: 8,
            ..artifact.clone()
        };
        let second = store.put(&other).unwrap();
        let mut both = vec![version.clone(), second.clone()];
        both.sort_unstable();
        assert_eq!(store.list("orders", "boosted").unwrap(), both);
        assert_eq!(store.get("orders", "boosted", &version).unwrap(), artifact);
        let missing = store.get("orders", "boosted", "0").unwrap_err().to_string();
        assert!(missing.contains(&version), "{missing}");
        assert!(matches!(
            store.get("..", "boosted", "0"),
            Err(StoreError::Name(_))
        ));

        let dir = folder.path().join("models/orders/boosted");
        fs::remove_dir_all(dir.join(&second)).unwrap();
        fs::rename(dir.join(&version), dir.join(&second)).unwrap();
        let moved = store.get("orders", "boosted", &second).unwrap_err();
        assert!(matches!(moved, StoreError::Misplaced { .. }), "{moved}");
    }
}
