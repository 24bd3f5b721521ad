//! A small use case that ranks, with two months of visits.

use std::path::Path;
use std::sync::Arc;

use acumen_base::{Clock, Key, ManualClock, Seed, Time};
use acumen_engine::history::Sources;
use acumen_engine::{
    Durability, Engine, Folder, LogOptions, Offline, Options, Plan, RankAnswer, RankRequest,
    Refusal, TrainOptions, Trained, train_with,
};
use acumen_event::DecodeLimits;
use acumen_model::ModelStore;
use tempfile::TempDir;

use super::shop::{HOUR, START, days, plan_of};

const USE_CASE: &str = include_str!("../data/wares/usecase.yaml");

/// Wares, in kinds of ten.
pub(crate) const WARES: u32 = 60;
pub(crate) const CUSTOMERS: u32 = 120;

pub(crate) struct Wares {
    home: TempDir,
    pub(crate) plan: Arc<Plan>,
    pub(crate) clock: Arc<ManualClock>,
}

impl Wares {
    /// The use case with some of its text replaced.
    pub(crate) fn with(changes: &[(&str, &str)]) -> Wares {
        let home = tempfile::tempdir().unwrap();
        let plan = compiled(home.path(), changes);
        Wares {
            home,
            plan,
            clock: ManualClock::at(START),
        }
    }

    /// Wares and two months of visits: who clicks on a ware of a kind clicks on the next of it.
    pub(crate) fn grown(changes: &[(&str, &str)]) -> Wares {
        let wares = Wares::with(changes);
        let mut lines: Vec<(Time, String)> = Vec::new();
        for number in 0..WARES {
            lines.push((
                START,
                ware(&format!("w{number}"), number / 10, number % 7, 5, START),
            ));
        }
        for customer in 0..CUSTOMERS {
            let draw = |what: &str, n: u32| Seed(5).derive(what).unit(&format!("{customer} {n}"));
            let kind = (draw("kind", 0) * 6.0) as u32;
            for visit in 0..12 {
                let at = START + days(1 + 5 * i64::from(visit)) + HOUR;
                let first = (draw("first", visit) * 10.0) as u32;
                for step in 0..3_u32 {
                    let kind = match draw("strays", 3 * visit + step) < 0.15 {
                        true => (kind + 1) % 6,
                        false => kind,
                    };
                    let number = 10 * kind + (first + step) % 10;
                    let at = at + acumen_base::Span(i64::from(customer) * 1_000 + i64::from(step));
                    let id = format!("f{customer}-{visit}-{step}");
                    let (who, session) = (format!("c{customer}"), format!("v{customer}-{visit}"));
                    let what = if step == 2 && draw("buys", visit) < 0.2 {
                        "buy"
                    } else {
                        "click"
                    };
                    let by = (Some(who.as_str()), session.as_str());
                    lines.push((
                        at,
                        feedback(&id, by, (&format!("w{number}"), what), None, at),
                    ));
                }
            }
        }
        lines.sort_by_key(|(at, _)| *at);
        let mut offline = wares.offline();
        for (at, line) in &lines {
            let (decoder, limits) = (&wares.plan.decoder, DecodeLimits::default());
            let event = decoder
                .decode_json(line.as_bytes(), None, *at, &limits)
                .unwrap();
            offline.import(&Arc::new(event)).unwrap();
        }
        offline.close().unwrap();
        wares.clock.set(START + days(70));
        wares
    }

    pub(crate) fn folder(&self) -> Folder {
        Folder::new(self.home.path().join("data"))
    }

    fn log() -> LogOptions {
        LogOptions {
            durability: Durability::Os,
            ..LogOptions::default()
        }
    }

    pub(crate) fn offline(&self) -> Offline {
        Offline::open(Arc::clone(&self.plan), self.folder(), Wares::log()).unwrap()
    }

    pub(crate) fn open(&self) -> Engine {
        let options = Options {
            log: Wares::log(),
            workers: 2,
        };
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Engine::open(Arc::clone(&self.plan), self.folder(), options, clock).unwrap()
    }

    pub(crate) fn sources(&self) -> Sources {
        Sources {
            plan: Arc::clone(&self.plan),
            store: Arc::new(ModelStore::open(&self.folder().models()).unwrap()),
            folder: self.folder(),
        }
    }

    /// Trains all sources and deploys them.
    pub(crate) fn train(&self) -> Trained {
        let trained = train_with(&self.sources(), 0, TrainOptions::default(), &mut |_| ()).unwrap();
        let mut offline = self.offline();
        for control in trained.controls.iter().cloned() {
            offline.control(control, "test", self.clock.now()).unwrap();
        }
        offline.close().unwrap();
        trained
    }
}

fn compiled(home: &Path, changes: &[(&str, &str)]) -> Arc<Plan> {
    let mut text = USE_CASE.to_owned();
    for (old, new) in changes {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, new);
    }
    let folder = home.join("usecases/wares");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("usecase.yaml"), text).unwrap();
    plan_of(home)
}

/// A ware that is added or changes.
pub(crate) fn ware(id: &str, kind: u32, maker: u32, stock: u32, at: Time) -> String {
    let profit = 1 + Key::of(id).0 % 9;
    format!(
        r#"{{"type":"ware","change_id":"{id} at {0} of {stock}","changed_at":{0},"ware_id":"{id}","kind":"kind {kind}","maker":"maker {maker}","title":"A thing of kind{kind}","profit":{{"amount":"{profit}.00","currency":"EUR"}},"stock":{stock}}}"#,
        at.0
    )
}

/// What somebody did with a ware.
pub(crate) fn feedback(
    id: &str,
    (customer, visit): (Option<&str>, &str),
    (ware, what): (&str, &str),
    list: Option<&str>,
    at: Time,
) -> String {
    let customer = customer.map(|id| format!(r#""customer_id":"{id}","#));
    let list = list.map(|id| format!(r#""list_id":"{id}","#));
    format!(
        r#"{{"type":"feedback","feedback_id":"{id}","at":{},{}{}"visit_id":"{visit}","ware_id":"{ware}","what":"{what}"}}"#,
        at.0,
        customer.unwrap_or_default(),
        list.unwrap_or_default(),
    )
}

pub(crate) fn asks(customer: &str) -> RankRequest {
    RankRequest {
        visitor: Some(customer.to_owned()),
        ..RankRequest::default()
    }
}

pub(crate) fn rank(engine: &Engine, request: &RankRequest) -> Result<RankAnswer, Refusal> {
    engine.rank("wares", request, engine.clock().nanos())
}

/// The ids of a list.
pub(crate) fn ids(answer: &RankAnswer) -> Vec<String> {
    answer
        .items
        .iter()
        .map(|item| item.item.to_string())
        .collect()
}
