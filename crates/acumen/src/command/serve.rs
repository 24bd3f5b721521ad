//! `acumen serve`: decisions over HTTP until it is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;

use acumen_base::SystemClock;
use acumen_engine::{Drill, Durability, Engine, LogOptions, Options};
use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use crate::failure::{Failure, Outcome};
use crate::output::{say, thousands};
use crate::place::Place;

/// Answer over HTTP: events in, decisions out
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen serve                             on loopback: only this machine reaches it
  acumen serve --listen 0.0.0.0:7070       everyone does; put a proxy with TLS in front
  acumen serve --listen 127.0.0.1:0        any free port; the address is printed
  acumen serve --drill-slow lstm=2s        a drill: what are decisions like while a model hangs?

Ctrl-C or SIGTERM: requests under way are answered, the log is closed, and the exit code is 0.")]
pub(crate) struct Serve {
    /// The address to listen on
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:7070")]
    listen: SocketAddr,
    /// What an answer promises
    #[arg(long, value_enum, default_value = "fsync")]
    durability: Promise,
    /// Threads that run models; one for each core unless said
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// Make a model's answers come late on purpose, to see what comes of it; may be repeated
    #[arg(long, value_name = "MODEL=SPAN")]
    drill_slow: Vec<Drill>,
}

/// What an answer promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Promise {
    /// It is on the disk: it outlives a loss of power
    Fsync,
    /// The system has it: it outlives a crash of this program, not of the machine
    Os,
}

impl Serve {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let plan = place.plan()?;
        let runtime = runtime()?;
        // The port first: whoever cannot listen need not recover gigabytes.
        let listener = listen(&runtime, self.listen)?;
        let durability = match self.durability {
            Promise::Fsync => Durability::Fsync,
            Promise::Os => Durability::Os,
        };
        let options = Options {
            log: LogOptions {
                durability,
                ..LogOptions::default()
            },
            workers: self.workers.unwrap_or_else(cores),
        };
        let folder = place.folder();
        let engine = Arc::new(Engine::open(
            plan,
            folder.clone(),
            options,
            SystemClock::new(),
        )?);
        engine.drill(self.drill_slow.clone())?;
        // Whoever reads the address below may stop the server at once.
        let asked = {
            let _within = runtime.enter();
            asked_to_stop()
        };
        let asked = asked
            .map_err(|error| Failure::because(format!("cannot listen for signals: {error}")))?;
        say(format!(
            "data: {}, {}",
            folder.root().display(),
            recovered(&engine)
        ))?;
        for line in facts(&engine, &address(&listener)?)? {
            say(line)?;
        }
        engine.follow_schedule()?;
        let told = folder.server();
        std::fs::write(&told, reachable(address(&listener)?).to_string())
            .map_err(|error| Failure::file("write", &told, &error))?;
        let stop = async {
            let signal = asked.await;
            eprintln!("{signal}: answering what is under way, then closing the log");
        };
        let served = runtime.block_on(acumen_server::serve(listener, Arc::clone(&engine), stop));
        // Who finds it after a crash finds nobody there either.
        let _gone = std::fs::remove_file(&told);
        engine.close()?;
        served.map_err(|error| Failure::because(format!("the server has stopped: {error}")))?;
        say("closed: everything that was acknowledged is in the log")
    }
}

/// The threads that requests are read and answered on.
pub(crate) fn runtime() -> Outcome<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    built.map_err(|error| Failure::because(format!("cannot start threads: {error}")))
}

/// How many cores there are.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, Into::into)
}

/// Listens on an address.
pub(crate) fn listen(runtime: &tokio::runtime::Runtime, at: SocketAddr) -> Outcome<TcpListener> {
    runtime.block_on(TcpListener::bind(at)).map_err(|error| {
        Failure::because(match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "{at} is in use by another program: stop it, or choose another port with --listen \
                 {}:0 (any free one)",
                at.ip()
            ),
            std::io::ErrorKind::PermissionDenied => {
                format!(
                    "may not listen on {at}: ports below 1024 need privileges; choose a higher one"
                )
            }
            _ => format!("cannot listen on {at}: {error}"),
        })
    })
}

/// Where a listener can be reached.
pub(crate) fn address(listener: &TcpListener) -> Outcome<SocketAddr> {
    listener
        .local_addr()
        .map_err(|error| Failure::because(format!("no address: {error}")))
}

/// Where programs of this machine reach an address.
fn reachable(at: SocketAddr) -> SocketAddr {
    match at.ip().is_unspecified() {
        true => SocketAddr::new(std::net::Ipv4Addr::LOCALHOST.into(), at.port()),
        false => at,
    }
}

/// Listens, from this call on, for being asked to stop; what it gives completes then and says how.
/// Within a runtime only.
fn asked_to_stop() -> std::io::Result<impl Future<Output = &'static str>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "interrupted",
            _ = terminate.recv() => "told to stop",
        }
    })
}

fn recovered(engine: &Engine) -> String {
    let found = engine.recovery();
    let mut text = format!("{} records recovered", thousands(found.records));
    for note in &found.notes {
        text.push_str(&format!("; {note}"));
    }
    text
}

/// One line a fact: use cases, readiness, where to look, what to try.
fn facts(engine: &Engine, at: &SocketAddr) -> Outcome<Vec<String>> {
    let mut lines = Vec::new();
    for plan in &engine.plan().use_cases {
        let declared = &plan.declared;
        lines.push(format!("use case {}: {}", declared.name, declared.question));
        if let Some(next) = engine.updates(&declared.name)?.next_at {
            lines.push(format!("{}: trained anew at {next}", declared.name));
        }
    }
    let readiness = engine.readiness()?;
    lines.extend(
        readiness
            .missing
            .iter()
            .map(|missing| format!("not ready: {missing}")),
    );
    lines.extend(engine.status()?.drills.iter().map(ToString::to_string));
    if readiness.ready {
        lines.push("ready: every declared model is loaded".to_owned());
    }
    lines.push(format!(
        "listening on http://{at}  (docs: http://{at}/docs)"
    ));
    if !at.ip().is_loopback() {
        lines.push(
            "anyone who reaches this address may ask and edit: put a proxy in front".to_owned(),
        );
    }
    for plan in &engine.plan().use_cases {
        let declared = &plan.declared;
        if declared.batch.is_some()
            && let Some(next) = engine.batches(&declared.name)?.next_at
        {
            lines.push(format!("{}: every key is scored at {next}", declared.name));
        }
    }
    let now = engine.clock().now();
    for plan in &engine.plan().use_cases {
        let name = &plan.declared.name;
        if let Some(ranking) = &plan.declared.ranking {
            let example = format!(
                "{{\"{}\": \"…\", \"explain\": true}}",
                ranking.visitor_field
            );
            lines.push(format!(
                "try: curl -s http://{at}/v1/usecases/{name}/rank -d '{example}'"
            ));
            continue;
        }
        let example = match &plan.declared.subject {
            Some(subject) => Some(format!("{{\"{}\": \"…\"}}", subject.kind.fields[0].name)),
            None => {
                let kind = engine.plan().event_type(&plan.declared.decide_event);
                kind.map(|kind| crate::client::example(kind, now).to_string())
            }
        };
        lines.extend(example.map(|example| {
            format!("try: curl -s http://{at}/v1/usecases/{name}/decide -d '{example}'")
        }));
    }
    Ok(lines)
}
