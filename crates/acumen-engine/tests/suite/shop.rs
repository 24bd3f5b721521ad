//! A small use case with its data folder, and short ways to ask it things.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;

use acumen_base::{Clock, Decision, ManualClock, Seed, Span, Time};
use acumen_engine::history::{Replayed, Sources, replay_all};
use acumen_engine::spec::Project;
use acumen_engine::{
    Answer, Durability, Engine, Folder, Ingested, LogOptions, Offline, Options, Plan, Refusal,
};
use acumen_event::DecodeLimits;
use acumen_model::ModelStore;
use tempfile::TempDir;

const USE_CASE: &str = include_str!("../data/orders/usecase.yaml");

/// 2026-01-01T00:00:00Z.
pub(crate) const START: Time = Time(1_767_225_600_000);
pub(crate) const HOUR: Span = Span(3_600_000);
pub(crate) const DAY: Span = Span(24 * 3_600_000);

/// A project with one use case, its data folder, and the clock of its engines.
pub(crate) struct Shop {
    home: TempDir,
    pub(crate) plan: Arc<Plan>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) log: LogOptions,
}

impl Shop {
    pub(crate) fn new() -> Shop {
        Shop::with(&[])
    }

    /// The use case with some of its text replaced.
    pub(crate) fn with(changes: &[(&str, &str)]) -> Shop {
        let home = tempfile::tempdir().unwrap();
        let plan = compiled(home.path(), changes);
        let log = LogOptions {
            durability: Durability::Os,
            ..LogOptions::default()
        };
        Shop {
            home,
            plan,
            clock: ManualClock::at(START),
            log,
        }
    }

    /// The same data folder under another definition.
    pub(crate) fn redefine(&mut self, changes: &[(&str, &str)]) {
        self.plan = compiled(self.home.path(), changes);
    }

    /// A path within the project.
    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn folder(&self) -> Folder {
        Folder::new(self.home.path().join("data"))
    }

    pub(crate) fn open(&self) -> Engine {
        self.open_at(self.folder())
    }

    pub(crate) fn open_at(&self, folder: Folder) -> Engine {
        self.try_open_at(folder).unwrap()
    }

    pub(crate) fn try_open_at(&self, folder: Folder) -> Result<Engine, acumen_engine::EngineError> {
        let options = Options {
            log: self.log,
            workers: 2,
        };
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Engine::open(Arc::clone(&self.plan), folder, options, clock)
    }

    pub(crate) fn offline(&self) -> Offline {
        Offline::open(Arc::clone(&self.plan), self.folder(), self.log).unwrap()
    }

    pub(crate) fn sources(&self) -> Sources {
        self.sources_at(self.folder())
    }

    pub(crate) fn sources_at(&self, folder: Folder) -> Sources {
        let store = Arc::new(ModelStore::open(&folder.models()).unwrap());
        Sources {
            plan: Arc::clone(&self.plan),
            store,
            folder,
        }
    }

    /// A copy of the data folder as it is on the disk now: what a killed process leaves.
    pub(crate) fn killed(&self) -> (TempDir, Folder) {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(self.folder().root(), copy.path());
        let folder = Folder::new(copy.path());
        (copy, folder)
    }

    /// Sixty days of orders, half an hour apart, and complaints a day after most dear ones.
    pub(crate) fn import_history(&self) {
        let mut events = Vec::new();
        for i in 0..2_880_i64 {
            let chance = |what: &str| Seed(7).derive(what).unit(&i.to_string());
            let at = Time(START.0 + i * HOUR.0 / 2);
            let amount = 5.0 + (chance("amount") * 200.0).floor();
            let customer = format!("c{}", (chance("customer") * 40.0) as u32);
            events.push((at, order(&format!("past-{i}"), &customer, amount, at)));
            if chance("complaint") < if amount > 150.0 { 0.8 } else { 0.004 } {
                let later = at + DAY;
                events.push((later, complaint(&format!("past-{i}"), later)));
            }
        }
        events.sort_by_key(|(known_at, _)| *known_at);
        let mut offline = self.offline();
        for (known_at, json) in &events {
            let (decoder, limits) = (&self.plan.decoder, DecodeLimits::default());
            let event = decoder
                .decode_json(json.as_bytes(), None, *known_at, &limits)
                .unwrap();
            offline.import(&Arc::new(event)).unwrap();
        }
        offline.close().unwrap();
        self.clock.set(START + days(61));
    }
}

/// A number of days.
pub(crate) fn days(count: i64) -> Span {
    Span(count * DAY.0)
}

fn compiled(home: &Path, changes: &[(&str, &str)]) -> Arc<Plan> {
    let mut text = USE_CASE.to_owned();
    for (old, new) in changes {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, new);
    }
    let folder = home.join("usecases/orders");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("usecase.yaml"), text).unwrap();
    plan_of(home)
}

/// The use cases of a folder, which must be sound.
pub(crate) fn plan_of(home: &Path) -> Arc<Plan> {
    let (project, problems) = Project::load(home);
    assert!(problems.is_empty(), "{problems:?}");
    let (plan, problems) = Plan::compile(project);
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(plan)
}

fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy_folder(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

pub(crate) fn order(id: &str, customer: &str, amount: f64, at: Time) -> String {
    format!(
        r#"{{"type":"order","order_id":"{id}","ordered_at":{},"customer_id":"{customer}","amount":{{"amount":"{amount:.2}","currency":"EUR"}},"channel":"web"}}"#,
        at.0
    )
}

pub(crate) fn complaint(order: &str, at: Time) -> String {
    let at = at.0;
    format!(
        r#"{{"type":"complaint","complaint_id":"about-{order}","complained_at":{at},"order_id":"{order}"}}"#
    )
}

pub(crate) fn decide(engine: &Engine, body: &str) -> Result<Answer, Refusal> {
    let (sender, receiver) = channel();
    let reply = Box::new(move |answer| drop(sender.send(answer)));
    engine.decide("orders", body.as_bytes(), engine.clock().nanos(), reply);
    receiver.recv().expect("every request is answered")
}

pub(crate) fn ingest(engine: &Engine, body: &str) -> Result<Ingested, Refusal> {
    let (sender, receiver) = channel();
    engine.ingest(
        body.as_bytes(),
        Box::new(move |answer| drop(sender.send(answer))),
    );
    receiver.recv().expect("every request is answered")
}

/// A decision as bytes: its missing values are equal to themselves there.
pub(crate) fn bits(decision: &Decision) -> Vec<u8> {
    postcard::to_stdvec(decision).unwrap()
}

/// The value of a column in the row that was decided on.
pub(crate) fn column(shop: &Shop, decision: &Decision, name: &str) -> f64 {
    let columns = &shop.plan.use_cases[0].columns;
    let position = columns
        .position(name)
        .unwrap_or_else(|| panic!("no column {name}"));
    decision.row[position]
}

/// Every decision of a folder's log made again: none may differ in a bit.
pub(crate) fn assert_replays(sources: &Sources, decisions: u64) {
    let replayed: Replayed = replay_all(sources, &mut |_| ()).unwrap();
    assert_eq!(replayed.differences, Vec::<String>::new());
    assert_eq!((replayed.decisions, replayed.mismatches), (decisions, 0));
    assert_eq!((replayed.other_builds, replayed.unknown), (0, 0));
}
