//! `skew`: live decisions under everything that goes wrong, then all of them made again.
//!
//! Eight clients ask at once. One event in twenty is late, one in fifty is sent twice. Meanwhile
//! a list is edited, the model is swapped, the process is stopped for longer than the models'
//! deadline (so that members run out of time), killed, and started again. Then every decision is
//! replayed from the log, and every row is rebuilt as training reads it: no bit may differ.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use acumen_base::decision::LayerStatus;
use acumen_base::{Body, Clock, Decision, MemberError, Seed, Time};
use acumen_engine::history::replay_all;
use acumen_engine::{Wanted, rows};
use acumen_event::LogReader;
use serde_json::json;

use crate::child::Server;
use crate::client::Client;
use crate::load::{Acknowledged, Ended, Told, decide};
use crate::report::{Failure, Outcome, row, table};
use crate::settings::Settings;
use crate::stage::{self, Size, Stage, USE_CASE};

const CLIENTS: usize = 8;
const LATE_SHARE: f64 = 0.05;
const LATE_MS_MAX: f64 = 3_600_000.0;
const TWICE_SHARE: f64 = 0.02;

/// How often the process is stopped, and for how long: longer than the models' deadline.
const FREEZES: usize = 40;
const FREEZE: Duration = Duration::from_millis(60);

/// What the world is like.
const SIZE: Size = Size {
    customers: 1_000,
    days: 90,
    versions: 2,
    deep: true,
};

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let stage = Stage::build(settings.seed, SIZE)?;
    let run = Run {
        stage: &stage,
        seed: Seed(settings.seed),
        total: settings.decisions,
        next: AtomicUsize::new(0),
        done: AtomicUsize::new(0),
        noted: Mutex::new(Acknowledged::default()),
    };
    let path = format!("/v1/usecases/{USE_CASE}/decide");
    let mut server = Server::start(&stage.root, &stage.data)?;
    run.until(
        &mut server,
        &path,
        settings.decisions / 2,
        |server, number| {
            // An edit of a list and a model swap under way, each at its turn.
            match number {
                10 => edit_list(server),
                20 => stage.deployments[0]
                    .iter()
                    .try_for_each(|control| server.control(control)),
                _ => Ok(()),
            }
        },
    )?;
    run.kill(server, &path)?;
    let mut server = Server::start(&stage.root, &stage.data)?;
    run.until(
        &mut server,
        &path,
        settings.decisions,
        |server, number| match number {
            10 => stage.deployments[1]
                .iter()
                .try_for_each(|control| server.control(control)),
            _ => Ok(()),
        },
    )?;
    server.stop()?;
    let noted = run
        .noted
        .into_inner()
        .map_err(|_| Failure::new("a client has failed"))?;
    report(&stage, &noted)
}

fn edit_list(server: &mut Server) -> Result<(), Failure> {
    let mut client = Client::connect(&server.address)?;
    let edit = json!({"add": ["k1", "k2", "k3"], "by": "prove"}).to_string();
    let (status, answer) = client.post("/v1/lists/stolen_cards", edit.as_bytes())?;
    match status {
        200 => Ok(()),
        _ => {
            let said = String::from_utf8_lossy(answer);
            Err(Failure::new(format!(
                "the edit was answered {status}: {said}"
            )))
        }
    }
}

/// Clients that share the numbers of the payments.
struct Run<'a> {
    stage: &'a Stage,
    seed: Seed,
    total: usize,
    next: AtomicUsize,
    done: AtomicUsize,
    noted: Mutex<Acknowledged>,
}

impl Run<'_> {
    /// Sends until so many payments are decided, and meanwhile stops the process now and then.
    fn until(
        &self,
        server: &mut Server,
        path: &str,
        end: usize,
        mut meanwhile: impl FnMut(&mut Server, usize) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let address = server.address.clone();
        let begin = self.done.load(Ordering::SeqCst);
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS)
                .map(|_| scope.spawn(|| self.client(&address, path, end)))
                .collect();
            let mut frozen = 0;
            while clients.iter().any(|client| !client.is_finished()) {
                let share = (self.done.load(Ordering::SeqCst) - begin) * FREEZES / 2;
                if frozen < share / (end - begin).max(1) {
                    frozen += 1;
                    server.signal("STOP")?;
                    std::thread::sleep(FREEZE);
                    server.signal("CONT")?;
                    meanwhile(server, frozen)?;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            for client in clients {
                client
                    .join()
                    .map_err(|_| Failure::new("a client has failed"))??;
            }
            Ok(())
        })
    }

    /// One client, until the numbers are used up.
    fn client(&self, address: &str, path: &str, end: usize) -> Result<(), Failure> {
        let mut client = Client::connect(address)?;
        let mut noted = Acknowledged::default();
        let mut body = Vec::new();
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            if number >= end {
                self.next.fetch_min(end, Ordering::SeqCst);
                break;
            }
            let id = self.stage.body(number, self.at(number), &mut body);
            let twice = self.seed.unit(&format!("twice {number}")) < TWICE_SHARE;
            for _ in 0..1 + usize::from(twice) {
                loop {
                    match decide(&mut client, path, &id, &body, &mut noted)? {
                        Ended::Told => break,
                        Ended::Busy => {}
                        Ended::Gone => return Err(Failure::new("the server is gone")),
                    }
                }
            }
            self.done.fetch_add(1, Ordering::SeqCst);
        }
        self.note(noted)
    }

    /// Kills the server while requests are under way.
    fn kill(&self, server: Server, path: &str) -> Result<(), Failure> {
        let address = server.address.clone();
        std::thread::scope(|scope| {
            for client in 0..CLIENTS {
                let address = &address;
                scope.spawn(move || -> Result<(), Failure> {
                    let mut connection = Client::connect(address)?;
                    let (mut noted, mut body) = (Acknowledged::default(), Vec::new());
                    // Until the server is gone. The numbers lie behind those that are still to
                    // be asked for.
                    let numbers = self.total + client..;
                    for number in numbers.step_by(CLIENTS) {
                        let id = self.stage.body(number, self.at(number), &mut body);
                        if decide(&mut connection, path, &id, &body, &mut noted)? == Ended::Gone {
                            break;
                        }
                    }
                    self.note(noted)
                });
            }
            std::thread::sleep(Duration::from_millis(300));
            server.kill()
        })
    }

    fn at(&self, number: usize) -> Time {
        let late = self.seed.unit(&format!("late {number}"));
        let now = stage::clock().now();
        match late < LATE_SHARE {
            true => Time(now.0 - (late / LATE_SHARE * LATE_MS_MAX) as i64),
            false => now,
        }
    }

    fn note(&self, noted: Acknowledged) -> Result<(), Failure> {
        let all = self.noted.lock();
        all.map_err(|_| Failure::new("a client has failed"))?
            .add(noted);
        Ok(())
    }
}

/// Reads everything again.
fn report(stage: &Stage, noted: &Acknowledged) -> Outcome {
    let sources = stage.sources()?;
    let replayed = replay_all(&sources, &mut |_| {})?;
    let decisions = logged(stage)?;
    let position = stage::use_case(&sources.plan)?;
    let everything = Wanted {
        from: Time(i64::MIN),
        to: Time(i64::MAX),
        as_of: None,
        sample: None,
    };
    let rebuilt = rows(&sources, position, everything, &mut |_| {})?;
    let mut row_mismatches = 0;
    let mut compared = 0;
    for (place, event) in rebuilt.events.iter().enumerate() {
        if let Some(decision) = decisions.get(&*event.id) {
            let row: Vec<f64> = rebuilt.data.iter().map(|column| column[place]).collect();
            row_mismatches += u64::from(!acumen_base::row::same_bits(&row, &decision.row));
            compared += 1;
        }
    }
    let told = |(id, told): (&String, &Told)| {
        decisions
            .get(id)
            .is_none_or(|decision| Told::of(decision) != *told)
    };
    let untrue = noted.decisions.iter().filter(|entry| told(*entry)).count() as u64;
    let timed_out = decisions
        .values()
        .filter(|decision| ran_out(decision))
        .count();
    let late = rebuilt
        .events
        .iter()
        .filter(|event| event.delay().0 > 60_000);
    let late = late.filter(|event| event.id.starts_with("live-")).count();
    for difference in &replayed.differences {
        println!("  {difference}");
    }
    let mismatches = replayed.mismatches + row_mismatches + untrue + noted.contradictions;
    let lines = [
        ("decisions made again", replayed.decisions),
        ("of them different in any bit", replayed.mismatches),
        ("rows rebuilt as training reads them", compared),
        ("of them different in any bit", row_mismatches),
        (
            "answers that the log contradicts",
            untrue + noted.contradictions,
        ),
        (
            "decisions in which a member ran out of time",
            timed_out as u64,
        ),
        ("events more than a minute late", late as u64),
    ];
    let mut printed = vec![row(["what", "count"])];
    printed.extend(
        lines
            .iter()
            .map(|(what, count)| row([what, &count.to_string()])),
    );
    table(&printed);
    Ok(json!({
        "decisions": replayed.decisions,
        "rows": compared,
        "bit_mismatches": mismatches,
        "other_builds": replayed.other_builds,
        "timed_out": timed_out,
        "late": late,
        "refused": noted.refused,
    }))
}

/// Whether a layer or a member had no time.
fn ran_out(decision: &Decision) -> bool {
    let late = |answer: &Result<_, MemberError>| {
        matches!(answer, Err(MemberError::Late | MemberError::Skipped))
    };
    decision.layers.iter().any(|layer| {
        layer.status == LayerStatus::OutOfTime || layer.members.iter().any(|m| late(&m.answer))
    })
}

/// The decisions of the log, by the id of the event.
fn logged(stage: &Stage) -> Result<std::collections::BTreeMap<String, Decision>, Failure> {
    let sources = stage.sources()?;
    let reader = LogReader::open(&sources.folder.log())?;
    let mut decisions = std::collections::BTreeMap::new();
    for record in reader.read(reader.first_position()?) {
        if let Body::Decision(decision) = record?.body {
            decisions.insert(decision.event_id.clone(), (*decision).clone());
        }
    }
    Ok(decisions)
}
