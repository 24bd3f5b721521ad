//! A project with one use case, its data folder, and the clock of its engines.

use std::path::Path;
use std::sync::Arc;

use acumen_base::{Clock, ManualClock, Time};
use acumen_engine::history::Sources;
use acumen_engine::{
    Durability, Engine, Folder, LogOptions, Offline, Options, Plan, TrainOptions, Trained,
    train_with,
};
use acumen_event::DecodeLimits;
use acumen_model::ModelStore;
use tempfile::TempDir;

use super::shop::plan_of;

pub(crate) struct Home {
    name: &'static str,
    text: &'static str,
    dir: TempDir,
    pub(crate) plan: Arc<Plan>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Home {
    /// A use case with some of its text replaced; it is `now` there.
    pub(crate) fn new(
        (name, text): (&'static str, &'static str),
        changes: &[(&str, &str)],
        now: Time,
    ) -> Home {
        let mut home = Home {
            name,
            text,
            dir: tempfile::tempdir().unwrap(),
            plan: Arc::new(Plan::compile(Default::default()).0),
            clock: ManualClock::at(now),
        };
        home.redefine(changes);
        home
    }

    /// The same data folder under another definition.
    pub(crate) fn redefine(&mut self, changes: &[(&str, &str)]) {
        let mut text = self.text.to_owned();
        for (old, new) in changes {
            assert_eq!(text.matches(old).count(), 1, "{old}");
            text = text.replace(old, new);
        }
        let folder = self.path().join("usecases").join(self.name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("usecase.yaml"), text).unwrap();
        self.plan = plan_of(self.path());
    }

    /// Takes a history in, each line known at its time.
    pub(crate) fn take_in(&self, mut lines: Vec<(Time, String)>) {
        lines.sort_by_key(|(known_at, _)| *known_at);
        let mut offline = self.offline();
        for (known_at, json) in &lines {
            let (decoder, limits) = (&self.plan.decoder, DecodeLimits::default());
            let event = decoder.decode_json(json.as_bytes(), None, *known_at, &limits);
            offline.import(&Arc::new(event.unwrap())).unwrap();
        }
        offline.close().unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn folder(&self) -> Folder {
        Folder::new(self.path().join("data"))
    }

    fn log() -> LogOptions {
        LogOptions {
            durability: Durability::Os,
            ..LogOptions::default()
        }
    }

    pub(crate) fn offline(&self) -> Offline {
        Offline::open(Arc::clone(&self.plan), self.folder(), Home::log()).unwrap()
    }

    pub(crate) fn open(&self) -> Engine {
        let options = Options {
            log: Home::log(),
            workers: 2,
        };
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Engine::open(Arc::clone(&self.plan), self.folder(), options, clock).unwrap()
    }

    pub(crate) fn sources(&self) -> Sources {
        let folder = self.folder();
        Sources {
            plan: Arc::clone(&self.plan),
            store: Arc::new(ModelStore::open(&folder.models()).unwrap()),
            folder,
        }
    }

    /// Trains, and puts what was trained in production.
    pub(crate) fn train(&self) -> Trained {
        let mut offline = self.offline();
        let options = TrainOptions::default();
        let trained = train_with(&offline.sources, 0, options, &mut |_| ()).unwrap();
        for control in trained.controls.clone() {
            offline.control(control, "ann", self.clock.now()).unwrap();
        }
        offline.close().unwrap();
        trained
    }
}
