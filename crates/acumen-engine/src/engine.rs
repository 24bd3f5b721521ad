//! The running engine: the threads, and what others may ask of them.

mod batches;
mod ranking;
mod rules_and_cases;
mod scores;
mod sources;
mod updates;
mod values;

pub use values::Asked;

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use acumen_base::limits::{EVENTS_PER_REQUEST_MAX, SEQUENCER_QUEUE_MAX};
use acumen_base::{Body, Clock, Control, Decision, Time};
use acumen_decision::Pool;
use acumen_event::{DecodeLimits, Log, LogOptions, Quarantine, Quarantined, Recovery};
use acumen_feature::EntityValue;

use crate::background::Background;
use crate::batches::{BatchErrand, Batches, Board};
use crate::committer;
use crate::core::{Core, Live, as_declared};
use crate::drill::Drill;
use crate::error::EngineError;
use crate::folder::Folder;
use crate::history::{Replayed, Sources, replay_one};
use crate::import::QUARANTINE_BYTES_MAX;
use crate::metrics::Metrics;
use crate::offline::Offline;
use crate::plan::{Plan, UseCasePlan};
use crate::ranking::Ranker;
use crate::refusal::{Refusal, Reply};
use crate::scoring::{LiveModel, OnlineScores, ScoreCache};
use crate::sequencer::{Answer, Command, Observed, Sequencer, read_decision};
use crate::spec::{ModelDecl, UseCase};
use crate::status::Status;
use crate::updates::{Errand, Place, Updater, load};
use crate::upkeep::{Upkeep, Wanted};
use crate::why::{REPLAYED_MAX, Reread, Why, why};
use crate::worker::Worker;

/// How an engine is opened.
#[derive(Clone, Copy, Debug)]
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
    /// `None` once it is closing: the thread behind it ends when nobody can ask it any more.
    snapshots: Mutex<Option<Sender<Wanted>>>,
    /// Likewise, of the thread that trains.
    errands: Mutex<Option<Sender<Errand>>>,
    place: Place,
    opened_at: Time,
    closing: Arc<AtomicBool>,
    admitted: Arc<AtomicUsize>,
    metrics: Arc<Metrics>,
    quarantine: Mutex<Quarantine>,
    limits: DecodeLimits,
    /// What became of batches.
    board: Board,
    batch_errands: Mutex<Option<Sender<BatchErrand>>>,
    /// Kept answers for keys, a place a use case.
    caches: Vec<Option<Arc<ScoreCache>>>,
    /// The loaded models that answer for keys.
    live_models: Mutex<HashMap<usize, Arc<LiveModel>>>,
    /// The scores of the latest batches, one for each use case.
    online: Vec<OnlineScores>,
    /// What makes lists, where items are ranked, a place a use case.
    rankers: Vec<Option<Ranker>>,
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

/// The ids on a list, each with the time of the events from which on it is on it no more.
pub type Listed = Vec<(String, Option<Time>)>;

/// What became of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposed {
    /// Where it stands in the log.
    pub position: u64,
    /// Whether it was there already: nothing was written.
    pub repeated: bool,
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
    /// A stable code, such as `unknown_field`.
    pub code: String,
    /// What is wrong and what to do.
    pub problem: String,
    /// Under which id it lies in quarantine; `None` where its id is in the log already.
    pub quarantine: Option<u64>,
}

/// How many members may be asked apart from a request: every model and its challenger.
fn members(plan: &Plan) -> usize {
    let models = plan.use_cases.iter().map(|plan| plan.declared.models.len());
    2 * models.sum::<usize>()
}

/// Begins to keep answers for keys, where it is declared for how long.
fn caches(core: &mut Core) -> Vec<Option<Arc<ScoreCache>>> {
    let plan = Arc::clone(core.plan());
    let declared = plan.use_cases.iter().map(|plan| &plan.declared);
    let cache = |(declared, live): (&UseCase, &mut Live)| {
        declared.target.as_ref()?;
        let ttl = declared.serving.cache_ttl?;
        live.scores = Some(Arc::new(ScoreCache::new(ttl)));
        live.scores.clone()
    };
    declared.zip(&mut core.live).map(cache).collect()
}

/// What makes lists, of every use case that ranks.
fn rankers(core: &Core, threads: usize, clock: &Arc<dyn Clock>) -> Vec<Option<Ranker>> {
    let plans = core.plan().use_cases.iter();
    let ranker = |(plan, live): (&UseCasePlan, &Live)| {
        let shelf = live.shelf.clone()?;
        let by = (Arc::clone(clock), plan.seed());
        Some(Ranker::new(&plan.declared, shelf, threads, by))
    };
    plans.zip(&core.live).map(ranker).collect()
}

impl Engine {
    /// Recovers the state of a data folder and starts the threads.
    pub fn open(
        plan: Arc<Plan>,
        folder: Folder,
        options: Options,
        clock: Arc<dyn Clock>,
    ) -> Result<Engine, EngineError> {
        let mut offline = Offline::open(plan, folder, options.log)?;
        let caches = caches(&mut offline.core);
        let quarantine =
            Quarantine::open(&offline.sources.folder.quarantine(), QUARANTINE_BYTES_MAX)?;
        let sources = offline.sources.clone();
        let rankers = rankers(&offline.core, options.workers, &clock);
        let (commands, received) = channel();
        let (jobs, taken) = crossbeam_channel::unbounded();
        let (commits, committed) = channel();
        let (snapshots, wanted) = channel();
        let (errands, sent_for) = channel();
        let (batch_errands, batches_sent_for) = channel();
        let names: Vec<String> = sources.plan.names().map(str::to_owned).collect();
        let online = |name: &String| OnlineScores::new(&sources.folder, name);
        let online = names.iter().map(online).collect();
        let metrics = Arc::new(Metrics::new(&names));
        let disk = offline.log.sync_handle();
        let pictured = offline.core.next;
        let upkeep = Upkeep {
            sources: sources.clone(),
            disk: disk.clone(),
            sequencer: commands.clone(),
            metrics: Arc::clone(&metrics),
        };
        let (place, closing) = (Place::default(), Arc::new(AtomicBool::new(false)));
        let opened_at = clock.now();
        let updater = Updater {
            sources: sources.clone(),
            clock: Arc::clone(&clock),
            sequencer: commands.clone(),
            place: place.clone(),
            stopping: Arc::clone(&closing),
            opened_at,
            background: Background::new("updates", Background::half())?,
        };
        let board = Board::default();
        let batches = Batches {
            sources: sources.clone(),
            clock: Arc::clone(&clock),
            stopping: Arc::clone(&closing),
            board: Arc::clone(&board),
            background: Background::new("batches", 0)?,
        };
        let worker = Worker {
            sources: sources.clone(),
            clock: Arc::clone(&clock),
            sequencer: commands.clone(),
            pool: Pool::new(options.workers, members(&sources.plan)),
        };
        let sequencer = Sequencer {
            core: offline.core,
            log: offline.log,
            clock: Arc::clone(&clock),
            jobs,
            worker: worker.clone(),
            wanted: Vec::new(),
            commits,
            snapshots: snapshots.clone(),
            metrics: Arc::clone(&metrics),
            waiting: BTreeMap::new(),
            answers: Vec::new(),
            dirty: false,
            unsynced: None,
            pictured,
            closing: false,
        };
        let mut others = vec![
            spawn("committer", move || committer::run(&committed, &disk))?,
            spawn("upkeep", move || upkeep.run(&wanted))?,
            spawn("updates", move || updater.run(&sent_for))?,
            spawn("batches", move || batches.run(&batches_sent_for))?,
        ];
        for number in 0..options.workers.max(1) {
            let (worker, taken) = (worker.clone(), taken.clone());
            others.push(spawn(&format!("worker-{number}"), move || {
                worker.run(&taken);
            })?);
        }
        let sequencer = spawn("sequencer", move || sequencer.run(&received))?;
        Ok(Engine {
            plan: Arc::clone(&sources.plan),
            sources,
            recovery: offline.recovery,
            clock,
            commands,
            snapshots: Mutex::new(Some(snapshots)),
            errands: Mutex::new(Some(errands)),
            place,
            opened_at,
            closing,
            admitted: Arc::new(AtomicUsize::new(0)),
            metrics,
            quarantine: Mutex::new(quarantine),
            limits: DecodeLimits::default(),
            board,
            batch_errands: Mutex::new(Some(batch_errands)),
            caches,
            live_models: Mutex::default(),
            online,
            rankers,
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

    /// Requests that were admitted and are not answered yet.
    pub fn waiting(&self) -> usize {
        self.admitted.load(Ordering::SeqCst)
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
        let (mut events, mut lines, mut refused) = (Vec::new(), Vec::new(), Vec::new());
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
                Err(rejected) => refused.push((item.line, rejected)),
            }
        }
        // Only what is admitted goes to quarantine: what is not will be sent again.
        let Some(reply) = self.admit(reply) else {
            return;
        };
        for (line, rejected) in refused {
            match self.refuse(&rejected) {
                Ok(kept) => ingested.refused.push(RefusedEvent {
                    line,
                    code: rejected.code().to_owned(),
                    problem: rejected.to_string(),
                    quarantine: Some(kept),
                }),
                Err(refusal) => return reply(Err(refusal)),
            }
        }
        let ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
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
        let declared = &self.plan.use_cases[position].declared;
        if declared.ranking.is_some() {
            return reply(Err(Refusal::Invalid(format!(
                "{use_case} answers with lists: ask /v1/usecases/{use_case}/rank"
            ))));
        }
        if let Some(subject) = &declared.subject {
            return reply(Err(Refusal::Invalid(format!(
                "{use_case} decides on each {}: name it by its `{}`",
                subject.each, subject.kind.fields[0].name
            ))));
        }
        let kind = &declared.decide_event;
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
        let (position, event_id) = self.decision_id(id)?;
        let missing = Refusal::NotFound {
            what: format!("there is no decision `{id}`"),
        };
        self.ask(move |core, log| match core.decided(position, &event_id) {
            Some(at) => read_decision(log, at),
            None => Err(missing),
        })?
    }

    /// Why a decision is what it is: from its record, its models, and the state as it was where
    /// reading that again takes no more than [`REPLAYED_MAX`] records.
    pub fn explain(&self, id: &str) -> Result<Why, Refusal> {
        let decision = self.decision(id)?;
        let use_case = self.plan.position(&decision.use_case).unwrap_or_default();
        let (position, control) = (decision.position, decision.control);
        let (event, now, edits) = self.ask(move |core, log| {
            let now = Arc::clone(&core.live[use_case].state);
            let edits = match now.control() == control {
                true => Vec::new(),
                false => core.controls_until(control),
            };
            (log.get(position), now, edits)
        })?;
        let Body::Event(event) = event.map_err(|error| Refusal::Log(error.to_string()))?.body
        else {
            return Err(Refusal::Log(format!("position {position} holds no event")));
        };
        let event = match self.plan.event_type(&event.kind.name) {
            Some(kind) => as_declared(&event, kind),
            None => event,
        };
        let state = match now.control() == control {
            true => now,
            false => self.sources.state_after(use_case, &edits),
        };
        let most = Reread::AtMost(REPLAYED_MAX);
        why(&self.sources, use_case, &decision, (&event, &state), most)
            .map_err(|error| Refusal::Log(error.to_string()))
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
        self.ask(move |core, _| {
            let (pipeline, view) = core.features(position);
            pipeline.read_entity(view, &entity, &key, now)
        })
    }

    /// Applies an edit; the answer is its log position.
    pub fn control(&self, control: Control, by: &str, reply: Reply<u64>) {
        self.controls(vec![control], by, reply);
    }

    /// Applies edits between two events, all of them or none; the answer is the last one's log
    /// position. Models are loaded here, by whoever calls: no event waits for them.
    pub fn controls(&self, controls: Vec<Control>, by: &str, reply: Reply<u64>) {
        let Some(reply) = self.admit(reply) else {
            return;
        };
        match load(&self.sources, controls) {
            Ok(edits) => self.send(Command::Control {
                edits,
                by: by.to_owned(),
                reply,
            }),
            Err(error) => reply(Err(Refusal::Invalid(error.to_string()))),
        }
    }

    /// The same, waiting for the answer.
    pub fn control_now(&self, control: Control, by: &str) -> Result<u64, Refusal> {
        self.controls_now(vec![control], by)
    }

    /// Applies edits between two events, all of them or none, and waits for the answer.
    pub fn controls_now(&self, controls: Vec<Control>, by: &str) -> Result<u64, Refusal> {
        let (sender, receiver) = channel();
        let reply: Reply<u64> = Box::new(move |answer| drop(sender.send(answer)));
        self.controls(controls, by, reply);
        receiver.recv().unwrap_or_else(|_| Err(self.gone()))
    }

    fn position(&self, use_case: &str) -> Result<usize, Refusal> {
        let position = self.plan.position(use_case);
        position.ok_or_else(|| Refusal::unknown("use case", use_case, self.plan.names()))
    }

    /// The use case and the event of a decision's id.
    fn decision_id(&self, id: &str) -> Result<(usize, String), Refusal> {
        let (use_case, event_id) = id.split_once(':').ok_or_else(|| Refusal::NotFound {
            what: format!("`{id}` is not the id of a decision, such as `use-case:event-id`"),
        })?;
        Ok((self.position(use_case)?, event_id.to_owned()))
    }

    /// Whether every declared model is loaded.
    pub fn readiness(&self) -> Result<Readiness, Refusal> {
        let plan = Arc::clone(&self.plan);
        self.ask(move |core, _| {
            let mut missing = Vec::new();
            for (plan, live) in plan.use_cases.iter().zip(&core.live) {
                let is_live = |model: &str| live.state.members().any(|m| m.name() == model);
                let answers = |model: &str| is_live(model) && !live.unusable.contains_key(model);
                // Of models that were compared, the best answers alone.
                if plan.declared.predicts_sums() && plan.declared.member_names().any(answers) {
                    continue;
                }
                // A bandit learns as it goes, people edit their lists, and without a ranker the
                // weights of sources order.
                let answers_anyway = |model: &ModelDecl| {
                    plan.declared.ranking.is_some() && !model.is_trained_source()
                };
                let learns = |name: &&str| {
                    let mut models = plan.declared.models.iter();
                    models.any(|model| model.name == *name && answers_anyway(model))
                };
                for model in plan.declared.member_names().filter(|name| !learns(name)) {
                    let name = &plan.declared.name;
                    let deployed = is_live(model);
                    let why = match live.unusable.get(model) {
                        Some(why) => why.as_str(),
                        None if !deployed => "it is not deployed",
                        None => continue,
                    };
                    missing.push(format!(
                        "{name}: model `{model}`: {why}: run `acumen train {name}`"
                    ));
                }
            }
            Readiness {
                ready: missing.is_empty(),
                missing,
            }
        })
    }

    /// Slows models down on purpose until the engine closes, so that people can see what comes of
    /// it; once in an engine's life. Decisions say who was late, and [`Status`] that it is a drill.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where no use case has such a model.
    pub fn drill(&self, drills: Vec<Drill>) -> Result<(), Refusal> {
        drills
            .iter()
            .try_for_each(|drill| drill.check(&self.plan))?;
        self.ask(move |core, _| core.drill(drills))
    }

    /// Looks at the state between two records.
    pub fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Core, &mut Log) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (sender, receiver) = channel();
        self.send(Command::Ask(Box::new(move |core, log| {
            // A question that panics is one request's: the sequencer goes on.
            let answer = catch_unwind(AssertUnwindSafe(|| question(core, log)));
            let failed = |_| Refusal::Failed("the question could not be answered".to_owned());
            drop(sender.send(answer.map_err(failed)));
        })));
        receiver.recv().unwrap_or_else(|_| Err(self.gone()))
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

    /// The lists of all use cases with their ids, each with the time from which on events do not
    /// find it any more.
    pub fn lists(&self) -> Result<BTreeMap<String, Listed>, Refusal> {
        let plan = Arc::clone(&self.plan);
        self.ask(move |core, _| {
            let mut lists = BTreeMap::new();
            for (plan, live) in plan.use_cases.iter().zip(&core.live) {
                for (name, _) in &plan.declared.lists {
                    let ids = live.state.listed(name).unwrap_or_default().into_iter();
                    let ids = ids.map(|(id, until)| (id.to_owned(), until));
                    lists.insert(name.clone(), ids.collect());
                }
            }
            lists
        })
    }

    /// What happens now.
    pub fn status(&self) -> Result<Status, Refusal> {
        self.ask(|core, _| Status::of(core))
    }

    /// Writes a snapshot of what is logged now and trims what is older than the declared
    /// retention, beside what is running.
    pub fn snapshot(&self) -> Result<(), EngineError> {
        let closed = |why: String| EngineError::Closed(why);
        let position = self
            .ask(|core, _| core.next)
            .map_err(|why| closed(why.to_string()))?;
        let (done, received) = channel();
        let wanted = Wanted {
            position,
            done: Some(done),
        };
        let gone = || closed(self.gone().to_string());
        let snapshots = self.snapshots.lock().ok().and_then(|held| held.clone());
        let snapshots = snapshots.ok_or_else(gone)?;
        snapshots.send(wanted).map_err(|_| gone())?;
        received.recv().map_err(|_| gone())?
    }

    /// Finishes what is under way, answers it, stops the threads, writes a snapshot and trims
    /// what is older than the declared retention. Closing again does nothing.
    pub fn close(&self) -> Result<(), EngineError> {
        let Some((core, mut log)) = self.stop()? else {
            return Ok(());
        };
        log.commit()?;
        crate::offline::write_snapshot(&self.sources, &core)?;
        crate::retention::trim(&self.sources, &mut log, core.newest)?;
        self.with_quarantine(|quarantine| quarantine.commit())
            .map_err(|why| EngineError::Closed(why.to_string()))
    }

    /// Ends all threads, once what is under way is answered.
    fn stop(&self) -> Result<Option<(Core, Log)>, EngineError> {
        self.closing.store(true, Ordering::SeqCst);
        self.send(Command::Close);
        let handle = self
            .sequencer
            .lock()
            .ok()
            .and_then(|mut handle| handle.take());
        let Some(handle) = handle else {
            return Ok(None);
        };
        let stopped = handle.join();
        drop(self.snapshots.lock().map(|mut held| held.take()));
        drop(self.errands.lock().map(|mut held| held.take()));
        drop(self.batch_errands.lock().map(|mut held| held.take()));
        // They end by themselves now that nobody sends them anything.
        let others = self
            .others
            .lock()
            .map(|mut others| std::mem::take(&mut *others));
        for other in others.into_iter().flatten() {
            let _panicked = other.join();
        }
        let failed = |_| EngineError::Closed("the sequencer has failed".to_owned());
        stopped.map(Some).map_err(failed)
    }

    /// Why nobody answers: the sequencer ends when the engine is closed, or because it failed.
    fn gone(&self) -> Refusal {
        if self.closing.load(Ordering::SeqCst) {
            return Refusal::Closing;
        }
        let what = "the engine has failed: restart the server; nothing acknowledged is lost";
        Refusal::Failed(what.to_owned())
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
        let place = Admitted(Arc::clone(&self.admitted));
        Some(Box::new(move |answer| {
            drop(place);
            reply(answer);
        }))
    }

    fn send(&self, command: Command) {
        if let Err(unsent) = self.commands.send(command) {
            unsent.0.refuse(&self.gone());
        }
    }
}

/// Dropped without [`Engine::close`], an engine ends like a process that is killed: what was
/// acknowledged is in the log, and no snapshot is written.
impl Drop for Engine {
    fn drop(&mut self) {
        let _failed_before = self.stop();
    }
}

/// The place of an admitted request among those that may wait; free again when it is dropped.
struct Admitted(Arc<AtomicUsize>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
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
                        code: "conflict".to_owned(),
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
