//! `crash`: kill −9 under load at random moments, restart, compare with what was acknowledged.
//!
//! Clients send payments for decision and for logging alone; what is not acknowledged when the
//! server dies is sent again to its successor, as a careful client does. In the end everything
//! that was acknowledged must be in the log with the decision that was told, and the features of
//! every customer must count each payment once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use acumen_base::{Body, Clock, Seed, Span, Time};
use acumen_engine::{Folder, LogOptions, Offline};
use acumen_event::LogReader;
use serde_json::json;

use crate::child::Server;
use crate::client::Client;
use crate::load::{Acknowledged, Ended, Told, decide};
use crate::report::{Failure, Outcome, row, table};
use crate::settings::Settings;
use crate::stage::{self, Size, Stage, USE_CASE};

const CLIENTS: usize = 6;

/// Every so many requests, one only logs its event.
const LOG_ONLY_EVERY: usize = 5;

/// How long the server lives, in milliseconds, at random between these.
const LIFE_MS: (f64, f64) = (20.0, 400.0);

/// What the world is like.
const SIZE: Size = Size {
    customers: 500,
    days: 60,
    versions: 1,
    deep: false,
};

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let stage = Stage::build(settings.seed, SIZE)?;
    let crash = Crash {
        stage: &stage,
        next: AtomicUsize::new(0),
        clients: Default::default(),
    };
    for kill in 0..settings.kills {
        let server = Server::start(&stage.root, &stage.data)?;
        let share = Seed(settings.seed).unit(&format!("kill {kill}"));
        let life = LIFE_MS.0 + share * (LIFE_MS.1 - LIFE_MS.0);
        crash.life(server, Duration::from_micros((life * 1e3) as u64))?;
        if (kill + 1) % 20 == 0 {
            println!("{} kills, {} acknowledged", kill + 1, crash.acknowledged()?);
        }
    }
    let noted = crash.noted()?;
    verify(&stage, &noted, settings.kills)
}

/// One client over all lives of the server.
#[derive(Default)]
struct Sender {
    noted: Acknowledged,
    /// What was not acknowledged when the server died.
    again: Option<(usize, Time)>,
}

struct Crash<'a> {
    stage: &'a Stage,
    next: AtomicUsize,
    clients: [Mutex<Sender>; CLIENTS],
}

impl Crash<'_> {
    fn life(&self, server: Server, life: Duration) -> Result<(), Failure> {
        let address = server.address.clone();
        std::thread::scope(|scope| {
            let senders: Vec<_> = self
                .clients
                .iter()
                .map(|client| scope.spawn(|| self.send(client, &address)))
                .collect();
            std::thread::sleep(life);
            server.kill()?;
            for sender in senders {
                sender
                    .join()
                    .map_err(|_| Failure::new("a client has failed"))??;
            }
            Ok(())
        })
    }

    /// Sends until the server is gone.
    fn send(&self, client: &Mutex<Sender>, address: &str) -> Result<(), Failure> {
        let mut sender = client
            .lock()
            .map_err(|_| Failure::new("a client has failed"))?;
        let Ok(mut connection) = Client::connect(address) else {
            return Ok(());
        };
        let path = format!("/v1/usecases/{USE_CASE}/decide");
        let mut body = Vec::new();
        loop {
            let (number, at) = sender.again.unwrap_or_else(|| {
                (
                    self.next.fetch_add(1, Ordering::SeqCst),
                    stage::clock().now(),
                )
            });
            sender.again = Some((number, at));
            let id = self.stage.body(number, at, &mut body);
            if number % LOG_ONLY_EVERY == 0 {
                match connection.post("/v1/events", &body) {
                    Ok((200, _)) => sender.noted.events.push(id),
                    Ok((status, _)) => {
                        return Err(Failure::new(format!("{id} was answered {status}")));
                    }
                    Err(_gone) => return Ok(()),
                }
            } else {
                match decide(&mut connection, &path, &id, &body, &mut sender.noted)? {
                    Ended::Told => {}
                    Ended::Busy => continue,
                    Ended::Gone => return Ok(()),
                }
            }
            sender.again = None;
        }
    }

    fn acknowledged(&self) -> Result<usize, Failure> {
        let mut all = 0;
        for client in &self.clients {
            let sender = client
                .lock()
                .map_err(|_| Failure::new("a client has failed"))?;
            all += sender.noted.decisions.len() + sender.noted.events.len();
        }
        Ok(all)
    }

    fn noted(self) -> Result<Acknowledged, Failure> {
        let mut all = Acknowledged::default();
        for client in self.clients {
            let sender = client.into_inner();
            all.add(
                sender
                    .map_err(|_| Failure::new("a client has failed"))?
                    .noted,
            );
        }
        Ok(all)
    }
}

/// What the log holds of the payments that were sent.
#[derive(Default)]
struct Logged {
    events: BTreeSet<String>,
    decisions: BTreeMap<String, Told>,
    /// Ids that are in the log twice.
    twice: u64,
    /// By customer: the payments of the last day and their times.
    payments: BTreeMap<String, Vec<Time>>,
}

fn logged(stage: &Stage) -> Result<Logged, Failure> {
    let reader = LogReader::open(&Folder::new(&stage.data).log())?;
    let mut logged = Logged::default();
    for record in reader.read(reader.first_position()?) {
        match record?.body {
            Body::Event(event) if event.id.starts_with("live-") => {
                logged.twice += u64::from(!logged.events.insert(event.id.to_string()));
                if let Some(customer) = event.value("customer_id").as_text() {
                    let times = logged.payments.entry(customer.to_owned()).or_default();
                    times.push(event.event_time);
                }
            }
            Body::Decision(decision) => {
                let told = Told::of(&decision);
                let before = logged.decisions.insert(decision.event_id.clone(), told);
                logged.twice += u64::from(before.is_some());
            }
            _ => {}
        }
    }
    Ok(logged)
}

fn verify(stage: &Stage, noted: &Acknowledged, kills: usize) -> Outcome {
    // What recovers here recovers as the server would.
    let folder = Folder::new(&stage.data);
    let plan = stage.sources()?.plan;
    let mut offline = Offline::open(plan, folder, LogOptions::default())?;
    let position = stage::use_case(&offline.sources.plan)?;
    let logged = logged(stage)?;
    let mut lost = noted.contradictions;
    for (id, told) in &noted.decisions {
        let kept = logged.events.contains(id) && logged.decisions.get(id) == Some(told);
        lost += u64::from(!kept);
    }
    lost += noted
        .events
        .iter()
        .filter(|id| !logged.events.contains(*id))
        .count() as u64;

    let now = stage::clock().now();
    let day = Span::days(1);
    let mut double = logged.twice;
    for (customer, times) in &logged.payments {
        let inside = times
            .iter()
            .filter(|time| now - **time < day && **time <= now)
            .count();
        let (pipeline, view) = offline.core.features(position);
        let values = pipeline.read_entity(view, "customer", customer, now);
        let counted = values
            .iter()
            .find(|value| value.column == "velocity_checks.customer.count_24h");
        let counted = counted.map_or(0.0, |value| value.value);
        double += u64::from(counted != inside as f64);
    }
    let acknowledged = noted.decisions.len() + noted.events.len();
    table(&[
        row(["what", "count"]),
        row(["kills", &kills.to_string()]),
        row(["acknowledged", &acknowledged.to_string()]),
        row(["in the log", &logged.events.len().to_string()]),
        row(["lost, or decided otherwise than told", &lost.to_string()]),
        row([
            "customers whose count was compared",
            &logged.payments.len().to_string(),
        ]),
        row(["counted twice or not at all", &double.to_string()]),
    ]);
    Ok(json!({
        "kills": kills,
        "acknowledged": acknowledged,
        "lost": lost,
        "double_counted": double,
    }))
}
