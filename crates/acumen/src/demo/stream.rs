//! Events over HTTP, as they are due, whatever the answers do.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use acumen_base::{Clock, Event, Seed};
use acumen_sim::load::Arrivals;
use acumen_sim::world::Told;

use crate::client::Client;
use crate::demo::clock::StreamClock;
use crate::demo::tally::Tally;
use crate::demo::world::Future;

/// Connections that send at once.
const CONNECTIONS: usize = 8;

/// Events that are due and wait for a connection; more are counted as not sent.
const WAITING_MAX: usize = 10_000;

/// Where events go, and who keeps count.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) use_case: String,
    /// The type of the events that are decided on.
    pub(crate) decide_event: String,
    /// The action that is no intervention.
    pub(crate) mildest: String,
    pub(crate) clock: Arc<StreamClock>,
    pub(crate) tally: Arc<Mutex<Tally>>,
    /// The latest decided event, for people to send another one like it.
    pub(crate) sample: Arc<Mutex<Option<Arc<Event>>>>,
}

/// A stream that is running.
pub(crate) struct Stream {
    stop: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

/// An event that is due.
struct Job {
    due_nanos: u64,
    told: Told,
}

impl Stream {
    /// Starts to send what happens, so many events a second.
    pub(crate) fn start(future: Future, rate: f64, seed: Seed, target: &Target) -> Stream {
        let (stop, over) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        let (jobs, taken) = sync_channel(WAITING_MAX);
        let taken = Arc::new(Mutex::new(taken));
        let mut threads = Vec::new();
        for _ in 0..CONNECTIONS {
            let (target, taken) = (target.clone(), Arc::clone(&taken));
            threads.push(std::thread::spawn(move || send_all(&target, &taken)));
        }
        let (target, stopping, ended) = (target.clone(), Arc::clone(&stop), Arc::clone(&over));
        threads.push(std::thread::spawn(move || {
            dispatch(future, rate, seed, &target, &jobs, &stopping);
            ended.store(true, Ordering::SeqCst);
        }));
        Stream {
            stop,
            over,
            threads,
        }
    }

    /// Whether everything was sent.
    pub(crate) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Sends nothing more, and waits for the answers.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        for thread in self.threads {
            // A thread that failed has said so itself.
            let _said_so = thread.join();
        }
    }
}

/// Hands each event out when it is due.
fn dispatch(
    future: Future,
    rate: f64,
    seed: Seed,
    target: &Target,
    jobs: &SyncSender<Job>,
    stop: &AtomicBool,
) {
    let start = target.clock.nanos();
    for (at, told) in Arrivals::new(rate, seed).zip(future) {
        let due_nanos = start + at;
        loop {
            if stop.load(Ordering::SeqCst) {
                return;
            }
            let left = due_nanos.saturating_sub(target.clock.nanos());
            if left == 0 {
                break;
            }
            std::thread::park_timeout(Duration::from_nanos(left.min(50_000_000)));
        }
        target.clock.advance(told.event.known_at);
        match jobs.try_send(Job { due_nanos, told }) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                lock(&target.tally).refuse("not sent: too far behind".to_owned());
            }
            Err(TrySendError::Disconnected(_)) => return,
        }
    }
}

/// Sends events over one connection until there are no more.
fn send_all(target: &Target, jobs: &Mutex<Receiver<Job>>) {
    let mut client = Client::new(target.address);
    loop {
        let job = lock(jobs).recv();
        let Ok(job) = job else { return };
        send(target, &mut client, job);
    }
}

fn send(target: &Target, client: &mut Client, Job { due_nanos, told }: Job) {
    let event = Arc::new(told.event);
    let decides = event.kind.name == target.decide_event;
    let path = if decides {
        format!("/v1/usecases/{}/decide", target.use_case)
    } else {
        "/v1/events".to_owned()
    };
    let mut body = Vec::with_capacity(1_024);
    acumen_sim::wire::write_line(&event, &mut body);
    let answer = client.post(&path, &body);
    let micros = target.clock.nanos().saturating_sub(due_nanos) as f64 / 1_000.0;
    let mut tally = lock(&target.tally);
    match answer {
        Ok((200, answer)) => {
            tally.answered(micros);
            if let (true, Ok(answer)) = (decides, serde_json::from_slice(&answer)) {
                tally.decided(
                    &event,
                    told.positive == Some(true),
                    &target.mildest,
                    &answer,
                );
                drop(tally);
                *lock(&target.sample) = Some(event);
            }
        }
        Ok((status, _)) => tally.refuse(format!("answered {status}")),
        Err(error) => tally.refuse(format!("no answer: {error}")),
    }
}

/// Counts stay right when a thread that held them has failed: each is one addition.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
