//! The running engine: the threads, and what others may ask of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use acumen_base::limits::{EVENTS_PER_REQUEST_MAX, SEQUENCER_QUEUE_MAX};
use acumen_base::{Clock, Control, Decision};
use acumen_decision::Explanation;
use acumen_event::{DecodeLimits, Log, LogOptions, Quarantine, Quarantined, Recovery};
use acumen_feature::EntityValue;

use crate::committer;
use crate::core::Core;
use crate::error::EngineError;
use crate::folder::Folder;
use crate::history::{Replayed, Sources, replay_one};
use crate::import::QUARANTINE_BYTES_MAX;
use crate::metrics::Metrics;
use crate::offline::Offline;
use crate::plan::Plan;
use crate::refusal::{Refusal, Reply};
use crate::sequencer::{Answer, Command, Observed, Sequencer, read_decision};
use crate::status::Status;
use crate::worker::Worker;

/// How an engine is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the log writes.
    pub log: LogOptions,
    /// Threads that run policies and models.
    pub workers: usize,
}

/// A running engine over one data folder.
#[derive(Debug)]
pub struct Engine {
    plan: Arc<Plan>,
    sources: Sources,
    recovery: Recovery,
    clock: Arc<dyn Clock>,
    commands: Sender<Command>,
    admitted: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
    quarantine: Mutex<Quarantine>,
    limits: DecodeLimits,
    sequencer: Mutex<Option<JoinHandle<(Core, Log)>>>,
    others: Mutex<Vec<JoinHandle<()>>>,
}

/// Whether the engine can decide, and what is missing.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Readiness {
    /// Whether every declared model is loaded and warm.
    pub ready: bool,
    /// What is missing, in words.
    pub missing: Vec<String>,
}

/// What became of the events of one request.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Ingested {
    /// Newly logged.
    pub logged: u64,
    /// Logged before, with the same body.
    pub repeated: u64,
    /// Logged, but too late for features.
    pub too_late: u64,
    /// Refused: kept in quarantine.
    pub refused: Vec<RefusedEvent>,
}

/// One refused event of a request.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RefusedEvent {
    /// Which line of the request, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub problem: String,
    /// Under which id it lies in quarantine; `None` where its id is in the log already.
    pub quarantine: Option<u64>,
}

impl Engine {
    /// Recovers the state of a data folder and starts the threads.
    pub fn open(
        plan: Arc<Plan>,
        folder: Folder,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<Engine, EngineError> {
        let offline = Offline::open(plan, folder, options.log.clone())?;
        let quarantine =
            Quarantine::open(&offline.sources.folder.quarantine(), QUARANTINE_BYTES_MAX)?;
        let sources = offline.sources.clone();
        let (commands, received) = channel();
        let (jobs, taken) = channel();
        let (commits, committed) = channel();
        let names: Vec<String> = sources.plan.names().map(str::to_owned).collect();
        let metrics = Arc::new(Metrics::new(&names));
        let disk = offline.log.sync_handle();
        let sequencer = Sequencer {
            core: offline.core,
            log: offline.log,
            clock: Arc::clone(&clock),
            jobs,
            commits,
            metrics: Arc::clone(&metrics),
            waiting: BTreeMap::new(),
            answers: Vec::new(),
            dirty: false,
            closing: false,
        };
        let worker = Worker {
            sources: sources.clone(),
            clock: Arc::clone(&clock),
            sequencer: commands.clone(),
        };
        let taken = Arc::new(Mutex::new(taken));
        let mut others = vec![spawn("committer", move || {
            committer::run(&committed, &disk)
        })?];
        for number in 0..options.workers.max(1) {
            let (worker, taken) = (worker.clone(), Arc::clone(&taken));
            others.push(spawn(&format!("worker-{number}"), move || {
                worker.run(&taken)
            })?);
        }
        let sequencer = spawn("sequencer", move || sequencer.run(&received))?;
        Ok(Engine {
            plan: Arc::clone(&sources.plan),
            sources,
            recovery: offline.recovery,
            clock,
            commands,
            admitted: Arc::new(AtomicUsize::new(0)),
            metrics,
            quarantine: Mutex::new(quarantine),
            limits: DecodeLimits::default(),
            sequencer: Mutex::new(Some(sequencer)),
            others: Mutex::new(others),
        })
    }

    /// The compiled project.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// What opening the log found and did.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Counters and latencies.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The clock that requests are timed by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Logs and observes the events of a body: one JSON object, an array of them, or a line each.
    /// What is malformed goes to quarantine; the good ones beside it are taken.
    pub fn ingest(&self, body: &[u8], reply: Reply<Ingested>) {
        let mut ingested = Ingested::default();
        let (mut events, mut lines) = (Vec::new(), Vec::new());
        for item in self
            .plan
            .decoder
            .decode_many(body, None, self.clock.now(), &self.limits)
        {
            if events.len() == EVENTS_PER_REQUEST_MAX {
                let most = EVENTS_PER_REQUEST_MAX;
                let message = format!("a request may hold {most} events: send it in parts");
                return reply(Err(Refusal::Invalid(message)));
            }
            match item.result {
                Ok(event) => {
                    events.push(event);
                    lines.push(item.line);
                }
                Err(rejected) => match self.refuse(&rejected) {
                    Ok(kept) => ingested.refused.push(RefusedEvent {
                        line: item.line,
                        problem: rejected.to_string(),
                        quarantine: Some(kept),
                    }),
                    Err(refusal) => return reply(Err(refusal)),
                },
            }
        }
        let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
        let reply = self.admit(reply);
        let Some(reply) = reply else { return };
        let answer = move |observed: Result<Vec<Observed>, Refusal>| {
            reply(observed.map(|observed| ingested.with(&lines, &ids, &observed)));
        };
        self.send(Command::Observe {
            events,
            reply: Box::new(answer),
        });
    }

    /// Logs, observes and decides one event; `received_nanos` is the stopwatch at its receipt.
    pub fn decide(&self, use_case: &str, body: &[u8], received_nanos: u64, reply: Reply<Answer>) {
        let Some(position) = self.plan.position(use_case) else {
            return reply(Err(Refusal::unknown(
                "use case",
                use_case,
                self.plan.names(),
            )));
        };
        let kind = &self.plan.use_cases[position].declared.decide_event;
        let now = self.clock.now();
        let event = match self
            .plan
            .decoder
            .decode_json(body, Some(kind), now, &self.limits)
        {
            Ok(event) => event,
            Err(rejected) => {
                let kept = self.refuse(&rejected);
                return reply(Err(kept
                    .err()
                    .unwrap_or(Refusal::Rejected(Box::new(rejected)))));
            }
        };
        if event.kind.name != *kind {
            let sent = &event.kind.name;
            return reply(Err(Refusal::Invalid(format!(
                "{use_case} decides on `{kind}`, not on `{sent}`: send other events to /v1/events"
            ))));
        }
        let Some(reply) = self.admit(reply) else {
            return;
        };
        self.send(Command::Decide {
            use_case: position,
            event: Box::new(event),
            received_nanos,
            reply,
        });
    }

    /// A decision by its id (`use case:event id`).
    pub fn decision(&self, id: &str) -> Result<Arc<Decision>, Refusal> {
        let (use_case, event_id) = id.split_once(':').ok_or_else(|| Refusal::NotFound {
            what: format!("`{id}` is not the id of a decision, such as `use-case:event-id`"),
        })?;
        let Some(position) = self.plan.position(use_case) else {
            return Err(Refusal::unknown("use case", use_case, self.plan.names()));
        };
        let event_id = event_id.to_owned();
        let missing = Refusal::NotFound {
            what: format!("there is no decision `{id}`"),
        };
        self.ask(move |core, log| match core.decided(position, &event_id) {
            Some(at) => read_decision(log, at),
            None => Err(missing),
        })?
    }

    /// Why a decision is what it is.
    pub fn explain(&self, id: &str) -> Result<Explanation, Refusal> {
        let decision = self.decision(id)?;
        let from = self.made_from(&decision)?;
        let use_case = self.plan.position(&decision.use_case).unwrap_or_default();
        let policy = &self.plan.use_cases[use_case].policy;
        Ok(policy.explain(&decision, &from.event, &from.state))
    }

    /// Makes a decision again from the log and compares it bit for bit.
    pub fn replay(&self, id: &str) -> Result<Replayed, Refusal> {
        let decision = self.decision(id)?;
        replay_one(&self.sources, &decision).map_err(|error| Refusal::Log(error.to_string()))
    }

    /// The features of one entity now, with their ages.
    pub fn entity(
        &self,
        use_case: &str,
        entity: &str,
        key: &str,
    ) -> Result<Vec<EntityValue>, Refusal> {
        let Some(position) = self.plan.position(use_case) else {
            return Err(Refusal::unknown("use case", use_case, self.plan.names()));
        };
        let entities = &self.plan.use_cases[position].declared.entities;
        if !entities.iter().any(|(name, _)| name == entity) {
            let names = entities.iter().map(|(name, _)| name.as_str());
            return Err(Refusal::unknown("entity", entity, names));
        }
        let (entity, key, now) = (entity.to_owned(), key.to_owned(), self.clock.now());
        self.ask(move |core, _| core.live[position].pipeline.read_entity(&entity, &key, now))
    }

    /// Applies an edit; the answer is its log position.
    pub fn control(&self, control: Control, by: &str, reply: Reply<u64>) {
        let Some(reply) = self.admit(reply) else {
            return;
        };
        self.send(Command::Control {
            control,
            by: by.to_owned(),
            reply,
        });
    }

    /// The same, waiting for the answer.
    pub fn control_now(&self, control: Control, by: &str) -> Result<u64, Refusal> {
        let (sender, receiver) = channel();
        let reply: Reply<u64> = Box::new(move |answer| drop(sender.send(answer)));
        self.control(control, by, reply);
        receiver.recv().unwrap_or(Err(Refusal::Closing))
    }

    /// Whether every declared model is loaded.
    pub fn readiness(&self) -> Result<Readiness, Refusal> {
        let plan = Arc::clone(&self.plan);
        self.ask(move |core, _| {
            let mut missing = Vec::new();
            for (plan, live) in plan.use_cases.iter().zip(&core.live) {
                for model in &plan.declared.models {
                    if live.state.member(&model.name).is_none() {
                        let name = &plan.declared.name;
                        missing.push(format!(
                            "{name}: model `{}` is not deployed: run `acumen train {name}`",
                            model.name
                        ));
                    }
                }
            }
            Readiness {
                ready: missing.is_empty(),
                missing,
            }
        })
    }

    /// Looks at the state between two records.
    pub fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Core, &mut Log) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (sender, receiver) = channel();
        self.send(Command::Ask(Box::new(move |core, log| {
            drop(sender.send(question(core, log)))
        })));
        receiver.recv().map_err(|_| Refusal::Closing)
    }

    /// Refused events that nobody has sent again since: up to `count` after an id.
    pub fn quarantined(&self, after: u64, count: usize) -> Result<Vec<Quarantined>, Refusal> {
        self.with_quarantine(|quarantine| quarantine.list(after, count))
    }

    /// One refused event.
    pub fn quarantined_one(&self, id: u64) -> Result<Quarantined, Refusal> {
        let entry = self.with_quarantine(|quarantine| quarantine.get(id))?;
        let what = format!("there is no refused event {id}: it was sent again, or never there");
        entry.ok_or(Refusal::NotFound { what })
    }

    /// Marks a refused event as sent again.
    pub fn resolve_quarantined(&self, id: u64) -> Result<(), Refusal> {
        self.with_quarantine(|quarantine| quarantine.take(id))
            .map(drop)
    }

    fn with_quarantine<T>(
        &self,
        use_it: impl FnOnce(&mut Quarantine) -> Result<T, acumen_event::LogError>,
    ) -> Result<T, Refusal> {
        let failed = |_| Refusal::Log("the quarantine has failed: restart the server".into());
        let mut quarantine = self.quarantine.lock().map_err(failed)?;
        use_it(&mut quarantine).map_err(|error| Refusal::Log(error.to_string()))
    }

    /// The lists of all use cases with their ids.
    pub fn lists(&self) -> Result<BTreeMap<String, Vec<String>>, Refusal> {
        let plan = Arc::clone(&self.plan);
        self.ask(move |core, _| {
            let mut lists = BTreeMap::new();
            for (plan, live) in plan.use_cases.iter().zip(&core.live) {
                for (name, _) in &plan.declared.lists {
                    let ids = live.state.list(name).unwrap_or_default();
                    lists.insert(name.clone(), ids.into_iter().map(str::to_owned).collect());
                }
            }
            lists
        })
    }

    /// What happens now.
    pub fn status(&self) -> Result<Status, Refusal> {
        self.ask(|core, _| Status::of(core))
    }

    /// Finishes what is under way, writes a snapshot and stops the threads.
    pub fn close(&self) -> Result<(), EngineError> {
        self.send(Command::Close);
        let handle = self
            .sequencer
            .lock()
            .ok()
            .and_then(|mut handle| handle.take());
        let Some(handle) = handle else { return Ok(()) };
        let stopped = handle.join();
        let (core, mut log) =
            stopped.map_err(|_| EngineError::Closed("the sequencer has failed".to_owned()))?;
        log.commit()?;
        crate::offline::write_snapshot(&self.sources, &core)?;
        if let Ok(mut others) = self.others.lock() {
            others.clear();
        }
        Ok(())
    }

    fn made_from(&self, decision: &Decision) -> Result<crate::core::Undecided, Refusal> {
        let use_case = self.plan.position(&decision.use_case).unwrap_or_default();
        crate::history::row_at(&self.sources, use_case, decision.position)
            .map_err(|error| Refusal::Log(error.to_string()))
    }

    fn refuse(&self, rejected: &acumen_event::Rejected) -> Result<u64, Refusal> {
        self.metrics.refused(rejected.code());
        let now = self.clock.now();
        self.with_quarantine(|quarantine| quarantine.put(rejected, "http", now))
    }

    /// Counts a request in, and out again when it is answered; full is answered at once.
    fn admit<T: 'static>(&self, reply: Reply<T>) -> Option<Reply<T>> {
        if self.admitted.fetch_add(1, Ordering::SeqCst) >= SEQUENCER_QUEUE_MAX {
            self.admitted.fetch_sub(1, Ordering::SeqCst);
            self.metrics.refused("overloaded");
            reply(Err(Refusal::Overloaded));
            return None;
        }
        let admitted = Arc::clone(&self.admitted);
        Some(Box::new(move |answer| {
            admitted.fetch_sub(1, Ordering::SeqCst);
            reply(answer);
        }))
    }

    fn send(&self, command: Command) {
        // A send fails only after the sequencer has ended: dropping the command drops its reply,
        // and whoever waits for it is told that the engine is closing.
        drop(self.commands.send(command));
    }
}

impl Ingested {
    fn with(mut self, lines: &[usize], ids: &[String], observed: &[Observed]) -> Ingested {
        for ((line, id), observed) in lines.iter().zip(ids).zip(observed) {
            match observed {
                Observed::Logged { .. } => self.logged += 1,
                Observed::Repeated { .. } => self.repeated += 1,
                Observed::TooLate { .. } => self.too_late += 1,
                Observed::Conflict { position } => {
                    let refusal = Refusal::Conflict {
                        id: id.clone(),
                        position: *position,
                    };
                    let problem = refusal.to_string();
                    self.refused.push(RefusedEvent {
                        line: *line,
                        problem,
                        quarantine: None,
                    });
                }
            }
        }
        self
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, EngineError> {
    let builder = std::thread::Builder::new().name(format!("acumen-{name}"));
    builder
        .spawn(body)
        .map_err(|error| EngineError::Closed(format!("cannot start a thread: {error}")))
}
