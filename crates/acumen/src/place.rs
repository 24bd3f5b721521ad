//! Where a command works: the project and the data folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::Diagnostic;
use acumen_engine::history::Sources;
use acumen_engine::spec::Project;
use acumen_engine::{EngineError, Folder, LogOptions, Offline, Plan};
use acumen_model::ModelStore;
use clap::Args;

use crate::failure::{Failure, Outcome};

/// Where a command works.
#[derive(Args, Clone, Debug)]
pub(crate) struct Place {
    /// The project: the folder with `usecases/` and `catalogue/`
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    pub(crate) root: PathBuf,
    /// The data folder (log, snapshots, models); `.acumen` in the project unless named
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
}

impl Place {
    /// The data folder.
    pub(crate) fn folder(&self) -> Folder {
        let data = self.data.clone();
        Folder::new(data.unwrap_or_else(|| self.root.join(".acumen")))
    }

    /// What is sound of the project, and every problem of the rest.
    pub(crate) fn load(&self) -> (Plan, Vec<Diagnostic>) {
        let (project, mut problems) = Project::load(&self.root);
        let (plan, more) = Plan::compile(project);
        problems.extend(more);
        (plan, problems)
    }

    /// The project, which has to be without a mistake.
    pub(crate) fn plan(&self) -> Outcome<Arc<Plan>> {
        let (plan, problems) = self.load();
        if problems.is_empty() {
            Ok(Arc::new(plan))
        } else {
            Err(Failure::problems(&problems))
        }
    }

    /// What is already there, for reading: a server may be running on it.
    pub(crate) fn sources(&self) -> Outcome<Sources> {
        let plan = self.plan()?;
        let folder = self.folder();
        if !folder.log().is_dir() {
            return Err(Failure::because(format!(
                "there is no data in {}: take some in with `acumen ingest`, or name another \
                 folder with --data",
                folder.root().display()
            )));
        }
        let store = Arc::new(ModelStore::open(&folder.models())?);
        Ok(Sources {
            plan,
            store,
            folder,
        })
    }

    /// The data folder, held by this process alone.
    pub(crate) fn offline(&self) -> Outcome<Offline> {
        let plan = self.plan()?;
        Ok(Offline::open(plan, self.folder(), LogOptions::default())?)
    }
}

/// Where a use case stands in a plan.
pub(crate) fn position(plan: &Plan, name: &str) -> Outcome<usize> {
    let position = plan.position(name);
    position.ok_or_else(|| EngineError::unknown_use_case(name, plan).into())
}

/// Reads a text file.
pub(crate) fn read(path: &Path) -> Outcome<String> {
    std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}
