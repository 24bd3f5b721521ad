//! Files of a folder, or objects under a prefix of a bucket: each is read once, and again when it
//! has changed.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use acumen_base::SourceMark;
use futures_util::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig};
use tempfile::NamedTempFile;
use tokio::runtime::{Builder, Runtime};

use crate::address::{Address, Environment};
use crate::file::is_known;
use crate::mapping::Format;

/// Objects that one source may hold.
const OBJECTS_MAX: usize = 100_000;
/// How often, and for how long, a store is asked again that does not answer.
const RETRIES_MAX: usize = 4;
const RETRY_FOR: Duration = Duration::from_secs(30);

/// The objects of a source that have not been read.
pub(crate) struct Objects {
    runtime: Runtime,
    store: Box<dyn ObjectStore>,
    /// What keys are shown behind: `s3://bucket`, or nothing for files.
    shown: String,
    /// The newest last.
    pending: Vec<ObjectMeta>,
}

/// An object on this machine.
pub(crate) struct Fetched {
    /// As a person would name it.
    pub(crate) name: String,
    /// By which it is known among the objects of the source.
    pub(crate) key: String,
    /// What changes when it does.
    pub(crate) version: String,
    pub(crate) path: PathBuf,
    /// Keeps what was fetched until it has been read.
    _copy: Option<NamedTempFile>,
}

impl Objects {
    /// Lists what is new.
    pub(crate) fn list(
        address: &Address,
        environment: &Environment,
        root: &Path,
        format: Option<Format>,
        since: Option<&SourceMark>,
    ) -> Result<Objects, String> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let (store, prefix, shown) = open(&address.full, environment, root)?;
        let mut pending: Vec<ObjectMeta> = runtime
            .block_on(async {
                match store.head(&prefix).await {
                    Ok(one) => Ok(vec![one]),
                    Err(_) => store.list(Some(&prefix)).try_collect().await,
                }
            })
            .map_err(|error| error.to_string())?;
        if pending.len() > OBJECTS_MAX {
            return Err(format!(
                "{} objects lie there, more than {OBJECTS_MAX}: name a longer prefix",
                pending.len()
            ));
        }
        let known = since.map(|since| &since.objects);
        pending.retain(|object| {
            let readable = format.is_some() || is_known(Path::new(object.location.as_ref()));
            readable && is_new(object, known)
        });
        pending.sort_by(|a, b| {
            let order = |object: &ObjectMeta| (object.last_modified, object.location.clone());
            order(b).cmp(&order(a))
        });
        Ok(Objects {
            runtime,
            store,
            shown,
            pending,
        })
    }

    /// Brings the next object here; `None` when there is none.
    pub(crate) fn fetch(&mut self) -> Option<Result<Fetched, (String, String)>> {
        let object = self.pending.pop()?;
        let name = format!("{}/{}", self.shown, object.location);
        let copied = match self.shown.is_empty() {
            true => Ok(None),
            false => self.copy(&object).map(Some),
        };
        Some(match copied {
            Err(error) => Err((name, error)),
            Ok(copy) => Ok(Fetched {
                path: match &copy {
                    Some(copy) => copy.path().to_owned(),
                    None => PathBuf::from(&name),
                },
                name,
                key: object.location.to_string(),
                version: version(&object),
                _copy: copy,
            }),
        })
    }

    fn copy(&self, object: &ObjectMeta) -> Result<NamedTempFile, String> {
        let mut file = NamedTempFile::new().map_err(|error| error.to_string())?;
        let copied = self.runtime.block_on(async {
            let got = self.store.get(&object.location).await;
            let mut chunks = got.map_err(|error| error.to_string())?.into_stream();
            while let Some(chunk) = chunks.try_next().await.map_err(|e| e.to_string())? {
                file.write_all(&chunk).map_err(|error| error.to_string())?;
            }
            file.flush().map_err(|error| error.to_string())
        });
        copied.map(|()| file)
    }
}

fn is_new(object: &ObjectMeta, known: Option<&BTreeMap<String, String>>) -> bool {
    let read = known.and_then(|known| known.get(object.location.as_ref()));
    read != Some(&version(object))
}

/// The entity tag, or else when it was written and how long it is.
fn version(object: &ObjectMeta) -> String {
    let written = object.last_modified.timestamp_micros();
    let otherwise = || format!("{written}-{}", object.size);
    object.e_tag.clone().unwrap_or_else(otherwise)
}

type Opened = (Box<dyn ObjectStore>, Key, String);

fn open(address: &str, environment: &Environment, root: &Path) -> Result<Opened, String> {
    let Some(rest) = address.strip_prefix("s3://") else {
        let path = root.join(address.strip_prefix("file://").unwrap_or(address));
        let path = std::path::absolute(path).map_err(|error| error.to_string())?;
        if !path.exists() {
            return Err(format!("there is no file or folder {}", path.display()));
        }
        let key = Key::from_absolute_path(&path).map_err(|error| error.to_string())?;
        return Ok((Box::new(LocalFileSystem::new()), key, String::new()));
    };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    // Only the first to ask installs it: all ask for the same.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    let retry = RetryConfig {
        max_retries: RETRIES_MAX,
        retry_timeout: RETRY_FOR,
        ..RetryConfig::default()
    };
    let mut builder = AmazonS3Builder::new().with_bucket_name(bucket);
    builder = builder.with_retry(retry);
    for (name, value) in environment.iter() {
        let key = name
            .starts_with("AWS_")
            .then(|| name.to_lowercase().parse());
        if let Some(Ok(key)) = key {
            builder = builder.with_config(key, value);
        }
    }
    let store = builder.build().map_err(|error| error.to_string())?;
    let prefix = Key::parse(prefix.trim_end_matches('/')).map_err(|error| error.to_string())?;
    Ok((Box::new(store), prefix, format!("s3://{bucket}")))
}
