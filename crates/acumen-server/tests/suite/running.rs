//! A server on a port of its own, over a use case of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use acumen_base::{Clock, ManualClock, Time};
use acumen_engine::spec::Project;
use acumen_engine::{Durability, Engine, Folder, LogOptions, Options, Plan};
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
    let folder = home.path().join("usecases/orders");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("usecase.yaml"), text).unwrap();
    let (project, problems) = Project::load(home.path());
    assert!(problems.is_empty(), "{problems:?}");
    let (plan, problems) = Plan::compile(project);
    assert!(problems.is_empty(), "{problems:?}");
    let log = LogOptions {
        durability: Durability::Os,
        ..LogOptions::default()
    };
    let clock = ManualClock::at(Time(START)) as Arc<dyn Clock>;
    let folder = Folder::new(home.path().join("data"));
    Engine::open(Arc::new(plan), folder, Options { log, workers: 2 }, clock).unwrap()
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
