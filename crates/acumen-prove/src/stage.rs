//! What live measurements play on: the fraud use case in a folder of its own, a history of the
//! payments world in its log, a model that was trained on it, and payments that are still to come.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::{Control, Event, Seed, SystemClock, Time};
use acumen_engine::history::Sources;
use acumen_engine::{Folder, LogOptions, Offline, Plan, train};
use acumen_model::ModelStore;
use acumen_sim::wire;
use acumen_sim::world::payments::{Parameters, World};
use tempfile::TempDir;

use crate::child;
use crate::level::Target;
use crate::report::{Failure, all};
use crate::settings::workspace;

/// The use case that is served.
pub(crate) const USE_CASE: &str = "fraud";

/// How large the world is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    /// Customers.
    pub(crate) customers: u32,
    /// Days of history; as many payments again as come in a third of it are still to come.
    pub(crate) days: u32,
    /// Model versions that are trained, each on a longer history.
    pub(crate) versions: usize,
    /// Whether the networks and the third layer are there, or rules and boosting alone.
    pub(crate) deep: bool,
}

/// A project and a data folder, gone when it is dropped.
pub(crate) struct Stage {
    _folder: TempDir,
    /// The project.
    pub(crate) root: PathBuf,
    /// The data.
    pub(crate) data: PathBuf,
    /// Payments that have not happened yet, as bodies that want an id and a time.
    pub(crate) payments: Vec<Event>,
    /// The edits that deploy each version, oldest first; the last one is in force.
    pub(crate) deployments: Vec<Vec<Control>>,
}

impl Stage {
    /// Makes the world, imports its history and trains on it.
    pub(crate) fn build(seed: u64, size: Size) -> Result<Stage, Failure> {
        let folder = tempfile::tempdir()?;
        let (root, data) = (folder.path().join("project"), folder.path().join("data"));
        copy(&workspace("catalogue"), &root.join("catalogue"))?;
        let use_case = Path::new("usecases").join(USE_CASE);
        copy(&workspace("").join(&use_case), &root.join(&use_case))?;
        if !size.deep {
            let path = root.join(&use_case).join("usecase.yaml");
            let spec = std::fs::read_to_string(&path)?;
            std::fs::write(&path, without_networks(&spec))?;
        }
        let plan = child::plan(&root)?;
        let text = std::fs::read_to_string(root.join(&use_case).join("world.yaml"))?;
        let mut parameters = Parameters::parse(&text, "world.yaml").map_err(all)?;
        parameters.customers = size.customers;
        parameters.days = size.days + size.days / 3;
        let until = Time(parameters.start().0 + i64::from(size.days) * 86_400_000);
        println!(
            "making a world of {} customers and {} days of history, and training on it",
            size.customers, size.days
        );
        let mut stage = Stage {
            _folder: folder,
            root,
            data,
            payments: Vec::new(),
            deployments: Vec::new(),
        };
        let mut offline = Offline::open(plan, Folder::new(&stage.data), LogOptions::default())?;
        let mut history = 0;
        for happening in World::new(parameters, Seed(seed)).map_err(all)? {
            let event = happening.event;
            if event.known_at < until {
                let kind = offline.sources.plan.event_type(&event.kind.name).cloned();
                if let Some(kind) = kind {
                    offline.import(&Arc::new(told(event, &kind)))?;
                    history += 1;
                }
            } else if happening.truth.is_some() {
                stage.payments.push(event);
            }
        }
        stage.deploy(&mut offline, until, size)?;
        offline.close()?;
        println!(
            "{history} events of history, {} payments to come",
            stage.payments.len()
        );
        Ok(stage)
    }

    fn deploy(&mut self, offline: &mut Offline, until: Time, size: Size) -> Result<(), Failure> {
        offline.log.commit()?;
        let position = offline.sources.plan.position(USE_CASE).unwrap_or_default();
        for version in (0..size.versions).rev() {
            let as_of = Time(until.0 - version as i64 * 3 * 86_400_000);
            let trained = train(&offline.sources, position, Some(as_of), &mut |_| {})?;
            for control in &trained.controls {
                offline.control(control.clone(), "prove", until)?;
            }
            self.deployments.push(trained.controls);
        }
        Ok(())
    }

    /// What replays read from.
    pub(crate) fn sources(&self) -> Result<Sources, Failure> {
        let folder = Folder::new(&self.data);
        Ok(Sources {
            plan: child::plan(&self.root)?,
            store: Arc::new(ModelStore::open(&folder.models())?),
            folder,
        })
    }

    /// Decisions about its payments, asked of a server that listens there.
    pub(crate) fn target<'a>(&'a self, address: &'a str) -> Target<'a> {
        Target {
            address,
            path: format!("/v1/usecases/{USE_CASE}/decide"),
            body: Box::new(|number, at, body| drop(self.body(number, at, body))),
        }
    }

    /// The body of the `number`-th payment, happening at `at`.
    pub(crate) fn body(&self, number: usize, at: Time, body: &mut Vec<u8>) -> String {
        let mut event = self.payments[number % self.payments.len()].clone();
        let id = format!("live-{number}");
        event.id = id.as_str().into();
        event.event_time = at;
        body.clear();
        wire::write_line(&event, body);
        id
    }
}

/// Leaves rules and boosting of a use case: no third layer, no other model, no ensemble. Line by
/// line, because the order of the rest means something.
fn without_networks(spec: &str) -> String {
    let (mut part, mut entry, mut kept) = ("", "", String::new());
    for line in spec.lines() {
        let key = line.trim_start().split(':').next().unwrap_or_default();
        match line.len() - line.trim_start().len() {
            0 if !key.is_empty() && !key.starts_with('#') => (part, entry) = (key, ""),
            2 => entry = key,
            _ => {}
        }
        let line = match (part, entry, key) {
            ("ensemble", _, _) | ("layers", "deep", _) => continue,
            ("models", model, _) if !["", "boosted"].contains(&model) => continue,
            ("layers", "models", "run") => "    run: [boosted]",
            _ => line,
        };
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

/// The event in the type that the use case declares.
fn told(event: Event, kind: &Arc<acumen_base::EventType>) -> Event {
    let values = kind
        .fields
        .iter()
        .map(|field| event.value(&field.name).clone());
    let values = values.collect();
    Event {
        kind: Arc::clone(kind),
        values,
        ..event
    }
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// The machine's clock.
pub(crate) fn clock() -> Arc<SystemClock> {
    SystemClock::new()
}

/// Whether a plan has the use case.
pub(crate) fn use_case(plan: &Plan) -> Result<usize, Failure> {
    let position = plan.position(USE_CASE);
    position.ok_or_else(|| Failure::new(format!("there is no use case `{USE_CASE}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_networks_rules_and_boosting_are_left() {
        let folder = tempfile::tempdir().unwrap();
        let use_case = Path::new("usecases").join(USE_CASE);
        let copied = folder.path().join(&use_case);
        copy(&workspace("catalogue"), &folder.path().join("catalogue")).unwrap();
        copy(&workspace("").join(&use_case), &copied).unwrap();
        let path = copied.join("usecase.yaml");
        let spec = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, without_networks(&spec)).unwrap();

        let plan = child::plan(folder.path()).unwrap();
        let whole = child::plan(&workspace("")).unwrap();
        let [left, whole] = [&plan, &whole].map(|plan| {
            let position = plan.position(USE_CASE).unwrap();
            &plan.use_cases[position].declared
        });
        assert_eq!(left.member_names().collect::<Vec<_>>(), ["boosted"]);
        let runs = |at: usize| &left.layers[at].run;
        assert_eq!(left.layers.len(), 2);
        assert_eq!(*runs(0), whole.layers[0].run);
        assert_eq!(*runs(1), ["boosted"]);
        assert_eq!(left.rules.len(), whole.rules.len());
    }
}
