//! A project: every use case under one root.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::{Diagnostic, EventType};

use super::catalogue::Catalogue;
use super::files;
use super::types::UseCase;
use super::use_case::at_folder;

/// All use cases of a root folder, with the catalogue that they share.
#[derive(Clone, Debug, Default)]
pub struct Project {
    /// The root.
    pub root: PathBuf,
    /// What they share.
    pub catalogue: Catalogue,
    /// The use cases without a mistake, in order of name.
    pub use_cases: Vec<UseCase>,
}

impl Project {
    /// Reads `catalogue/` and every folder of `usecases/`: what is sound, and all that is not.
    ///
    /// A use case with a mistake is left out, and the others stand.
    pub fn load(root: &Path) -> (Project, Vec<Diagnostic>) {
        let (catalogue, mut found) = Catalogue::load(root);
        let mut project = Project {
            root: root.to_owned(),
            catalogue,
            use_cases: Vec::new(),
        };
        let folder = root.join("usecases");
        let folders = files::folders(&folder, &mut found);
        if folders.is_empty() {
            let message = "there is no use case here".to_owned();
            let help =
                "make one with `acumen new NAME`, or name the project's folder with `--root`";
            found.push(at_folder(&folder, "no_use_case", message, help));
        }
        for folder in folders {
            match UseCase::load(&folder, &project.catalogue) {
                Ok(use_case) => project.add(use_case, &mut found),
                Err(mut problems) => found.append(&mut problems),
            }
        }
        (project, found)
    }

    /// One log has one meaning for an event type: two use cases must agree on it.
    fn add(&mut self, use_case: UseCase, found: &mut Vec<Diagnostic>) {
        for event in &use_case.events {
            let other = self.use_cases.iter().find_map(|other| {
                let declared = other.event(&event.name)?;
                (declared != event).then_some(&other.name)
            });
            if let Some(other) = other {
                let message = format!("`{other}` declares the event `{}` differently", event.name);
                let help = "declare it once in `catalogue/events`";
                let mut diagnostic = Diagnostic::new("conflicting_event", message, help);
                diagnostic.place = use_case.place(&format!("events.{}", event.name));
                found.push(diagnostic);
                return;
            }
        }
        self.use_cases.push(use_case);
    }

    /// A use case by name.
    pub fn use_case(&self, name: &str) -> Option<&UseCase> {
        self.use_cases.iter().find(|use_case| use_case.name == name)
    }

    /// The event types of all use cases, each once.
    pub fn events(&self) -> Vec<Arc<EventType>> {
        let mut events: Vec<Arc<EventType>> = Vec::new();
        for event in self.use_cases.iter().flat_map(|use_case| &use_case.events) {
            if !events.iter().any(|known| known.name == event.name) {
                events.push(Arc::clone(event));
            }
        }
        events
    }
}
