//! Models trained anew beside the running engine, on a schedule or on request.
//!
//! ```text
//! due ──▶ rows of the log ──▶ candidate ──gates──▶ deployed between two events, or held
//!                                                   └── either way a record of the log
//! ```
//!
//! One thread does this, one use case after the other; it reads the log by a reader of its own and
//! trains on a few [`Background`] threads, so that no decision waits for it. Nothing to
//! learn from means hold, never success.

mod judge;
mod lists;
mod place;
mod roll_back;
mod schedule;
mod values;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use acumen_base::{Clock, Control, ModelVersion, Time, Update};

use crate::background::Background;
use crate::core::{Core, load_member};
use crate::error::EngineError;
use crate::history::Sources;
use crate::refusal::Refusal;
use crate::rows::{Rows, rows};
use crate::sequencer::{Command, Edit};
use crate::train::{TrainOptions, TrainProgress, Trained, declared, train_on, train_with, wanted};

pub(crate) use place::Place;
pub(crate) use roll_back::previous;
pub use schedule::{Running, Updates};

/// How often the schedule is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// Who asked where nobody did.
const SCHEDULE: &str = "schedule";

/// What the thread is sent for.
pub(crate) enum Errand {
    /// Look at the schedule from now on.
    Follow,
    /// Do what is due now, and tell.
    Due(Sender<Vec<Update>>),
    /// Train a use case whose place has been taken by [`Place::take`], and tell who waits.
    Now {
        use_case: usize,
        by: String,
        done: Option<Sender<Update>>,
    },
}

/// What the thread holds.
pub(crate) struct Updater {
    pub(crate) sources: Sources,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sequencer: Sender<Command>,
    pub(crate) place: Place,
    /// Set when the engine closes: a training under way ends at its next step.
    pub(crate) stopping: Arc<AtomicBool>,
    pub(crate) opened_at: Time,
    pub(crate) background: Background,
}

/// The payload of the unwinding that ends a training when the engine closes.
struct Stopped;

impl Updater {
    /// Does what it is sent for until the engine closes.
    pub(crate) fn run(&self, errands: &Receiver<Errand>) {
        let mut follows = false;
        while !self.stopping.load(Ordering::SeqCst) {
            match errands.recv_timeout(LOOK_EVERY) {
                Ok(Errand::Follow) => follows = true,
                Ok(Errand::Due(done)) => {
                    let _gone = done.send(self.due());
                }
                Ok(Errand::Now { use_case, by, done }) => {
                    let update = self.update(use_case, &by);
                    if let (Some(update), Some(done)) = (update, done) {
                        let _gone = done.send(update);
                    }
                }
                Err(RecvTimeoutError::Timeout) if follows => drop(self.due()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Trains every use case whose time has come.
    fn due(&self) -> Vec<Update> {
        let mut updates = Vec::new();
        for (i, plan) in self.sources.plan.use_cases.iter().enumerate() {
            let opened_at = self.opened_at;
            let next = self.ask(move |core| schedule::next_at(core, i, opened_at));
            let now = self.clock.now();
            let is_due = next.flatten().is_some_and(|next| next <= now);
            if is_due && self.place.take(&plan.declared.name, now).is_ok() {
                updates.extend(self.update(i, SCHEDULE));
            }
        }
        updates
    }

    /// Trains, judges and promotes or holds; frees the place. `None` where the engine closes
    /// meanwhile.
    fn update(&self, use_case: usize, by: &str) -> Option<Update> {
        let attempt = || self.background.run(|| self.attempt(use_case, by));
        let outcome = catch_unwind(AssertUnwindSafe(attempt));
        self.place.free();
        match outcome {
            Ok(update) => update,
            Err(payload) if payload.is::<Stopped>() => None,
            Err(_) => {
                let why = "training failed: its learner panicked; the champion stays";
                let update = self.begun(use_case, by, Vec::new(), why);
                self.record(update, Vec::new())
            }
        }
    }

    fn attempt(&self, use_case: usize, by: &str) -> Option<Update> {
        let champion = self.ask(move |core| Arc::clone(&core.live[use_case].state))?;
        let live = self.sources.plan.use_cases[use_case].deployed(&champion);
        let mut update = self.begun(use_case, by, live, "");
        if self.sources.plan.use_cases[use_case]
            .declared
            .subject
            .is_some()
        {
            return self.attempt_at_once(use_case, update);
        }
        let found = self
            .rows(use_case)
            .and_then(|rows| Ok((self.train(use_case, &rows)?, rows)));
        let (trained, rows) = match found {
            Ok(found) => found,
            Err(error) => {
                update.why = format!("held: there is nothing to promote: {error}");
                return self.record(update, Vec::new());
            }
        };
        update.candidate = trained.versions();
        if update.candidate == update.champion {
            update.why = "held: training gave the versions that are live".to_owned();
            return self.record(update, Vec::new());
        }
        self.place.stage("judging".to_owned());
        let judged = judge::judge(self, use_case, &rows, &trained, &champion);
        self.conclude(use_case, update, judged, trained.controls)
    }

    /// Promotes a candidate that passed its gates, or says why it is held.
    fn conclude(
        &self,
        use_case: usize,
        mut update: Update,
        judged: Result<judge::Judged, EngineError>,
        controls: Vec<Control>,
    ) -> Option<Update> {
        match judged {
            Ok(judged) => {
                update.judged = judged.period;
                update.promoted = judged.gates.iter().all(|gate| gate.passed);
                update.why = judge::verdict(&judged.gates);
                update.gates = judged.gates;
                self.respect_roll_back(use_case, &mut update)?;
            }
            Err(error) => update.why = format!("held: the candidate cannot be judged: {error}"),
        }
        let controls = match update.promoted {
            true => controls,
            false => Vec::new(),
        };
        self.record(update, controls)
    }

    /// What a person has rolled back, the schedule does not bring back by a new version of it:
    /// the next one goes live when a person asks.
    fn respect_roll_back(&self, use_case: usize, update: &mut Update) -> Option<()> {
        let live = update.champion.clone();
        let rolled_back = self.ask(move |core| schedule::rolled_back(core, use_case, &live))?;
        if update.promoted && rolled_back && update.asked_by == SCHEDULE {
            update.promoted = false;
            update.why = "held: it passed every gate, but what was promoted before it was rolled \
                          back: the next one goes live when a person asks for it"
                .to_owned();
        }
        Some(())
    }

    /// A record to be filled in.
    fn begun(&self, use_case: usize, by: &str, champion: Vec<ModelVersion>, why: &str) -> Update {
        let running = self.place.running();
        let now = self.clock.now();
        Update {
            use_case: self.sources.plan.use_cases[use_case].declared.name.clone(),
            asked_by: by.to_owned(),
            started_at: running.map_or(now, |running| running.since),
            ended_at: now,
            candidate: Vec::new(),
            champion,
            judged: None,
            gates: Vec::new(),
            promoted: false,
            why: why.to_owned(),
        }
    }

    fn rows(&self, use_case: usize) -> Result<Rows, EngineError> {
        let training = declared(&self.sources.plan.use_cases[use_case])?;
        let wanted = wanted(training, None);
        rows(&self.sources, use_case, wanted, &mut |at| {
            self.step(&TrainProgress::Reading(at));
        })
    }

    /// The same where training itself judges what it fits: values and lists.
    fn attempt_at_once(&self, use_case: usize, mut update: Update) -> Option<Update> {
        let options = TrainOptions {
            threads: Some(Background::half()),
            ..TrainOptions::default()
        };
        let trained = train_with(&self.sources, use_case, options, &mut |at| self.step(&at));
        let trained = match trained {
            Ok(trained) => trained,
            Err(error) => {
                update.why = format!("held: there is nothing to promote: {error}");
                return self.record(update, Vec::new());
            }
        };
        update.candidate = trained.versions();
        if update.candidate == update.champion {
            update.why = "held: training gave the versions that are live".to_owned();
            return self.record(update, Vec::new());
        }
        let declared = &self.sources.plan.use_cases[use_case].declared;
        let judged = match &trained.ranking {
            Some(table) => Ok(lists::gates_of_lists(table, declared.gates.tolerance)),
            None => self.gates_of_values(use_case, &trained, &update.champion),
        };
        self.conclude(use_case, update, judged, trained.controls)
    }

    fn train(&self, use_case: usize, rows: &Rows) -> Result<Trained, EngineError> {
        let options = TrainOptions {
            go_on: true,
            threads: Some(Background::half()),
            ..TrainOptions::default()
        };
        train_on(&self.sources, use_case, rows, options, &mut |at| {
            self.step(&at);
        })
    }

    /// Says where it stands, and ends here if the engine closes.
    fn step(&self, at: &TrainProgress) {
        if self.stopping.load(Ordering::SeqCst) {
            resume_unwind(Box::new(Stopped));
        }
        self.place.stage(match at {
            TrainProgress::Reading(position) => format!("reading the log, at {position}"),
            TrainProgress::Searching(model, trial) => {
                format!(
                    "searching parameters of {model}, {} of {}",
                    trial.done, trial.total
                )
            }
            TrainProgress::Fitting(model, round) => {
                format!("fitting {model}, {} of {}", round.round, round.rounds)
            }
        });
    }

    /// Deploys, and writes down what was done and why: all of it or none.
    fn record(&self, mut update: Update, controls: Vec<Control>) -> Option<Update> {
        update.ended_at = self.clock.now();
        let by = format!("update by {}", update.asked_by);
        let edits = load(&self.sources, controls);
        let mut edits = match edits {
            Ok(edits) => edits,
            Err(error) => {
                update.promoted = false;
                update.why = format!("held: what was trained cannot be loaded: {error}");
                Vec::new()
            }
        };
        edits.push(Edit {
            control: Control::Update(Box::new(update.clone())),
            version: None,
        });
        let (sender, receiver) = channel();
        let reply = Box::new(move |answer: Result<u64, Refusal>| drop(sender.send(answer)));
        let command = Command::Control { edits, by, reply };
        self.sequencer.send(command).ok()?;
        match receiver.recv().ok()? {
            Ok(_) => Some(update),
            Err(Refusal::Closing) => None,
            Err(refusal) => {
                update.promoted = false;
                update.why = format!("held: it could not be logged: {refusal}");
                Some(update)
            }
        }
    }

    /// `None` where the engine closes meanwhile.
    fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut Core) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = channel();
        let question = move |core: &mut Core, _: &mut _| drop(sender.send(question(core)));
        self.sequencer.send(Command::Ask(Box::new(question))).ok()?;
        receiver.recv().ok()
    }
}

/// Edits with the models that they deploy.
pub(crate) fn load(sources: &Sources, controls: Vec<Control>) -> Result<Vec<Edit>, EngineError> {
    let load = |control: Control| {
        let version = load_member(&sources.plan, &sources.store, &control)?;
        Ok(Edit { control, version })
    };
    controls.into_iter().map(load).collect()
}
