//! A server on a port of its own, over a use case of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use acumen_base::{Clock, ManualClock, Time};
use acumen_engine::spec::Project;
use acumen_engine::{Durability, Engine, Folder, LogOptions, Offline, Options, Plan, train};
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::client::Client;

const USE_CASE: &str = include_str!("../data/orders/usecase.yaml");

/// 2026-01-01T00:00:00Z.
pub(crate) const START: i64 = 1_767_225_600_000;

/// A running server; it stops when it is dropped.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Arc<Engine>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _home: TempDir,
}

impl Running {
    pub(crate) fn new() -> Running {
        Running::with(&[])
    }

    /// The use case with some of its text replaced.
    pub(crate) fn with(changes: &[(&str, &str)]) -> Running {
        let home = tempfile::tempdir().unwrap();
        let engine = engine(&home, changes);
        Running::over(home, engine)
    }

    /// Over an engine, which works in a folder.
    pub(crate) fn over(home: TempDir, engine: Engine) -> Running {
        let engine = Arc::new(engine);
        let (stop, stopped) = oneshot::channel::<()>();
        let (bound, address) = std::sync::mpsc::channel();
        let served = Arc::clone(&engine);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                bound.send(listener.local_addr().unwrap()).unwrap();
                let stop = async move { drop(stopped.await) };
                acumen_server::serve(listener, served, stop).await.unwrap();
            });
        });
        let address = address.recv().unwrap();
        Running {
            address,
            engine,
            stop: Some(stop),
            thread: Some(thread),
            _home: home,
        }
    }

    /// Over a use case with a history, trained on it; it is `now` there.
    pub(crate) fn trained(
        (name, text): (&str, &str),
        history: impl IntoIterator<Item = (Time, Value)>,
        now: Time,
    ) -> Running {
        let home = tempfile::tempdir().unwrap();
        let plan = plan_of(&home, name, text);
        let data = Folder::new(home.path().join("data"));
        let mut offline = Offline::open(Arc::clone(&plan), data.clone(), log()).unwrap();
        for (at, json) in history {
            let (decoder, json) = (&plan.decoder, json.to_string());
            let event = decoder.decode_json(json.as_bytes(), None, at, &Default::default());
            offline.import(&Arc::new(event.unwrap())).unwrap();
        }
        offline.close().unwrap();
        let mut offline = Offline::open(Arc::clone(&plan), data, log()).unwrap();
        let trained = train(&offline.sources, 0, None, &mut |_| ()).unwrap();
        for control in trained.controls {
            offline.control(control, "ann", now).unwrap();
        }
        offline.close().unwrap();
        let engine = opened(&home, plan, now);
        Running::over(home, engine)
    }

    pub(crate) fn client(&self) -> Client {
        Client::to(self.address)
    }

    /// Tells the server to stop, without waiting.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits until it has stopped.
    pub(crate) fn join(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

fn engine(home: &TempDir, changes: &[(&str, &str)]) -> Engine {
    let mut text = USE_CASE.to_owned();
    for (old, new) in changes {
        assert_eq!(text.matches(old).count(), 1, "{old}");
        text = text.replace(old, new);
    }
    let plan = plan_of(home, "orders", &text);
    opened(home, plan, Time(START))
}

fn plan_of(home: &TempDir, name: &str, text: &str) -> Arc<Plan> {
    let folder = home.path().join("usecases").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("usecase.yaml"), text).unwrap();
    let (project, problems) = Project::load(home.path());
    assert!(problems.is_empty(), "{problems:?}");
    let (plan, problems) = Plan::compile(project);
    assert!(problems.is_empty(), "{problems:?}");
    Arc::new(plan)
}

fn log() -> LogOptions {
    LogOptions {
        durability: Durability::Os,
        ..LogOptions::default()
    }
}

fn opened(home: &TempDir, plan: Arc<Plan>, now: Time) -> Engine {
    let clock = ManualClock::at(now) as Arc<dyn Clock>;
    let folder = Folder::new(home.path().join("data"));
    let options = Options {
        log: log(),
        workers: 2,
    };
    Engine::open(plan, folder, options, clock).unwrap()
}

pub(crate) fn order(id: &str, customer: &str, amount: &str) -> String {
    format!(
        r#"{{"type":"order","order_id":"{id}","ordered_at":{START},"customer_id":"{customer}","amount":{amount},"currency":"EUR"}}"#
    )
}

pub(crate) fn complaint(order: &str) -> String {
    format!(
        r#"{{"type":"complaint","complaint_id":"about-{order}","complained_at":{START},"order_id":"{order}"}}"#
    )
}
