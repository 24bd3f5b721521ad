//! The one thread that appends, observes and reads, in log order.
//!
//! Requests reach it as [`Command`]s. Models run beside it, on the workers, but for a decision that
//! nothing else waits behind, which it makes itself; what must be on disk before it is answered
//! goes through the committer, which syncs once for many.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Duration;

use acumen_base::{Body, Clock, Control, Decision, Event, Listing};
use acumen_event::{Freshness, Log, LogError};

use crate::cases::Finding;
use crate::committer::{Answering, Commit};
use crate::core::{Core, Version};
use crate::engine::Disposed;
use crate::metrics::Metrics;
use crate::refusal::{Refusal, Reply};
use crate::spec::{Durability, WhenLogFails};
use crate::upkeep::{SNAPSHOT_EVERY, Wanted};
use crate::worker::{Job, Work, Worker};

/// Commands that are handled before what they wrote is handed to the committer.
const BATCH_MAX: usize = 256;

/// How long something that nobody waits for may be written and not on disk.
const SYNC_WITHIN: Duration = Duration::from_millis(20);

/// A look at the state and the log between two records.
pub(crate) type Question = Box<dyn FnOnce(&mut Core, &mut Log) + Send>;

/// An edit, with the model that it deploys: loaded by whoever asks, so that no event waits for it.
pub(crate) struct Edit {
    pub(crate) control: Control,
    pub(crate) version: Option<Version>,
}

/// What the sequencer is asked to do.
pub(crate) enum Command {
    /// Log and observe events; each is answered for itself.
    Observe {
        events: Vec<Event>,
        reply: Reply<Vec<Observed>>,
    },
    /// Log, observe and decide.
    Decide {
        use_case: usize,
        event: Box<Event>,
        received_nanos: u64,
        reply: Reply<Answer>,
    },
    /// A worker made a decision.
    Decided {
        use_case: usize,
        decision: Box<Decision>,
        event: Arc<Event>,
    },
    /// A worker could not make one.
    Undecidable {
        use_case: usize,
        event_id: String,
        why: Refusal,
    },
    /// Put on record that a list was shown.
    List {
        use_case: usize,
        listing: Box<Listing>,
        reply: Reply<()>,
    },
    /// Put on record what someone found about a decision.
    Dispose {
        use_case: usize,
        event_id: String,
        finding: Finding,
        reply: Reply<Disposed>,
    },
    /// Apply edits, all of them behind one another or none.
    Control {
        edits: Vec<Edit>,
        by: String,
        reply: Reply<u64>,
    },
    /// Look at the state between two records.
    Ask(Question),
    /// Finish what is under way and stop.
    Close,
}

impl Command {
    /// Answers a request that will not be handled.
    pub(crate) fn refuse(self, why: &Refusal) {
        match self {
            Command::Observe { reply, .. } => reply(Err(why.clone())),
            Command::Decide { reply, .. } => reply(Err(why.clone())),
            Command::List { reply, .. } => reply(Err(why.clone())),
            Command::Dispose { reply, .. } => reply(Err(why.clone())),
            Command::Control { reply, .. } => reply(Err(why.clone())),
            // Whoever asked sees that the question is gone.
            Command::Decided { .. }
            | Command::Undecidable { .. }
            | Command::Ask(_)
            | Command::Close => {}
        }
    }
}

/// What became of an event that was sent to be observed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    /// It is in the log.
    Logged {
        /// Where.
        position: u64,
    },
    /// It was there already, with the same body.
    Repeated {
        /// Where.
        position: u64,
    },
    /// It is in the log, and came too late to be applied to features.
    TooLate {
        /// Where.
        position: u64,
    },
    /// Another body is in the log under its id.
    Conflict {
        /// Where.
        position: u64,
    },
}

/// A decision and how it came about.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The decision.
    pub decision: Arc<Decision>,
    /// Whether it had been made before this request.
    pub repeated: bool,
    /// Whether it is on disk.
    pub durable: bool,
}

/// The sequencer's own things.
pub(crate) struct Sequencer {
    pub(crate) core: Core,
    pub(crate) log: Log,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) jobs: crossbeam_channel::Sender<Job>,
    /// For a decision that nothing else waits behind: two changes of thread fewer.
    pub(crate) worker: Worker,
    /// Decisions to be made that the batch brought.
    pub(crate) wanted: Vec<Job>,
    pub(crate) commits: Sender<Commit>,
    pub(crate) snapshots: Sender<Wanted>,
    pub(crate) metrics: Arc<Metrics>,
    /// Who waits for the decision on an event, by use case and event id.
    pub(crate) waiting: BTreeMap<(usize, String), Vec<Reply<Answer>>>,
    /// What to answer once everything appended so far is on disk.
    pub(crate) answers: Vec<Answering>,
    pub(crate) dirty: bool,
    /// Since when, in nanoseconds, something is written and not on disk that nobody waits for.
    pub(crate) unsynced: Option<u64>,
    /// Where the newest snapshot stands that was taken or asked for.
    pub(crate) pictured: u64,
    pub(crate) closing: bool,
}

impl Sequencer {
    /// Handles commands until it is told to close and nothing is under way.
    pub(crate) fn run(mut self, commands: &Receiver<Command>) -> (Core, Log) {
        while let Some(command) = self.next(commands) {
            self.handle(command);
            for command in commands.try_iter().take(BATCH_MAX) {
                self.handle(command);
            }
            self.hand_out();
            self.end_batch();
            if self.closing && self.waiting.is_empty() {
                break;
            }
        }
        commands
            .try_iter()
            .for_each(|command| command.refuse(&Refusal::Closing));
        (self.core, self.log)
    }

    /// The next command; `None` when there will be none.
    fn next(&mut self, commands: &Receiver<Command>) -> Option<Command> {
        if self.unsynced.is_some() {
            match commands.recv_timeout(SYNC_WITHIN) {
                Ok(command) => return Some(command),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.sync(Vec::new()),
            }
        }
        commands.recv().ok()
    }

    fn handle(&mut self, command: Command) {
        match command {
            Command::Observe { events, reply } => self.observe(events, reply),
            Command::Decide {
                use_case,
                event,
                received_nanos,
                reply,
            } => {
                self.decide(use_case, *event, received_nanos, reply);
            }
            Command::Decided {
                use_case,
                decision,
                event,
            } => {
                self.decided(use_case, *decision, &event);
            }
            Command::Undecidable {
                use_case,
                event_id,
                why,
            } => {
                for reply in self
                    .waiting
                    .remove(&(use_case, event_id))
                    .into_iter()
                    .flatten()
                {
                    reply(Err(why.clone()));
                }
            }
            Command::List {
                use_case,
                listing,
                reply,
            } => self.list(use_case, *listing, reply),
            Command::Dispose {
                use_case,
                event_id,
                finding,
                reply,
            } => self.dispose(use_case, &event_id, &finding, reply),
            Command::Control { edits, by, reply } => self.control(edits, &by, reply),
            Command::Ask(question) => {
                // A question may read the log, so what was appended must be there to be read.
                self.flush();
                question(&mut self.core, &mut self.log);
            }
            Command::Close => self.closing = true,
        }
    }

    fn observe(&mut self, events: Vec<Event>, reply: Reply<Vec<Observed>>) {
        if self.closing {
            return reply(Err(Refusal::Closing));
        }
        let mut observed = Vec::with_capacity(events.len());
        for event in events {
            match self.core.seen.check(&event) {
                Freshness::Same(position) => observed.push(Observed::Repeated { position }),
                Freshness::Conflict(position) => observed.push(Observed::Conflict { position }),
                Freshness::New => match self.append_event(event) {
                    Ok((event, position)) => {
                        // Its row is kept for a while: a request to decide on it may follow.
                        self.core.event(&event, position, true);
                        self.metrics.observed(&event);
                        observed.push(match event.is_too_late() {
                            true => Observed::TooLate { position },
                            false => Observed::Logged { position },
                        });
                    }
                    Err(error) => return reply(Err(Refusal::Log(error.to_string()))),
                },
            }
        }
        self.answer_when_durable(move |written| reply(written.map(|()| observed)));
    }

    fn decide(&mut self, use_case: usize, event: Event, received: u64, reply: Reply<Answer>) {
        if self.closing {
            return reply(Err(Refusal::Closing));
        }
        let id = event.id.to_string();
        match self.core.seen.check(&event) {
            Freshness::Conflict(position) => reply(Err(Refusal::Conflict { id, position })),
            Freshness::Same(position) => self.decide_again(use_case, id, position, received, reply),
            Freshness::New => match self.append_event(event) {
                Ok((event, position)) => {
                    let rows = self.core.event(&event, position, true);
                    self.metrics.observed(&event);
                    for (i, undecided) in rows {
                        if i == use_case {
                            self.want(use_case, Work::Row(undecided), received);
                        }
                    }
                    self.waiting.entry((use_case, id)).or_default().push(reply);
                }
                Err(error) => self.decide_unlogged(use_case, &error, reply),
            },
        }
    }

    /// The same event again: the same decision.
    fn decide_again(
        &mut self,
        use_case: usize,
        id: String,
        position: u64,
        received: u64,
        reply: Reply<Answer>,
    ) {
        if let Some(waiting) = self.waiting.get_mut(&(use_case, id.clone())) {
            return waiting.push(reply);
        }
        if let Some(at) = self.core.decided(use_case, &id) {
            self.flush();
            let answer = read_decision(&self.log, at).map(|decision| Answer {
                decision,
                repeated: true,
                durable: true,
            });
            // The first answer may still wait for its sync: this one must not overtake it.
            return self.answer_when_durable(move |written| reply(written.and(answer)));
        }
        let work = match self.core.live[use_case].undecided.get(&position) {
            Some(undecided) => Work::Row(undecided.clone()),
            None => {
                self.flush();
                Work::Position {
                    position,
                    event_id: id.clone(),
                }
            }
        };
        self.want(use_case, work, received);
        self.waiting.entry((use_case, id)).or_default().push(reply);
    }

    fn want(&mut self, use_case: usize, work: Work, received_nanos: u64) {
        self.wanted.push(Job {
            use_case,
            work,
            received_nanos,
        });
    }

    /// Hands the batch's decisions to the workers; one that is alone is made here.
    fn hand_out(&mut self) {
        if let [job] = &self.wanted[..]
            && self.worker.is_prompt(job)
            && let Some(job) = self.wanted.pop()
        {
            let command = self.worker.answer(job, self.jobs.len());
            return self.handle(command);
        }
        for job in self.wanted.drain(..) {
            // The workers outlive the sequencer: it is lost only while the process ends.
            let _ended = self.jobs.send(job);
        }
    }

    fn decided(&mut self, use_case: usize, decision: Decision, event: &Arc<Event>) {
        let id = event.id.to_string();
        let decision = Arc::new(decision);
        let position = match self.log.append(&Body::Decision(Arc::clone(&decision))) {
            Ok(position) => position,
            Err(error) => return self.cannot_log(use_case, &id, &decision, &error),
        };
        self.dirty = true;
        self.core.decision(&decision, position, Some(event));
        self.metrics.decided(use_case, &decision);
        let waiting = self.waiting.remove(&(use_case, id)).unwrap_or_default();
        let serving = &self.core.plan().use_cases[use_case].declared.serving;
        if serving.durability == Durability::BestEffort {
            answer_all(waiting, &decision, false);
        } else {
            let metrics = Arc::clone(&self.metrics);
            let when_log_fails = serving.when_log_fails;
            self.answer_when_durable(move |written| match written {
                Ok(()) => answer_all(waiting, &decision, true),
                Err(why) => answer_unlogged(&metrics, when_log_fails, waiting, &decision, &why),
            });
        }
    }

    /// Logs a list; it is answered at once where it need not be on disk.
    fn list(&mut self, use_case: usize, listing: Listing, reply: Reply<()>) {
        let listing = Arc::new(listing);
        let position = match self.log.append(&Body::Listing(Arc::clone(&listing))) {
            Ok(position) => position,
            Err(error) => {
                self.metrics.unlogged();
                return reply(Err(Refusal::Log(error.to_string())));
            }
        };
        self.dirty = true;
        self.core.listing(&listing, position);
        let serving = &self.core.plan().use_cases[use_case].declared.serving;
        match serving.durability {
            Durability::BestEffort => reply(Ok(())),
            Durability::MustLog => self.answer_when_durable(reply),
        }
    }

    fn dispose(
        &mut self,
        use_case: usize,
        event_id: &str,
        finding: &Finding,
        reply: Reply<Disposed>,
    ) {
        if self.closing {
            return reply(Err(Refusal::Closing));
        }
        let now = self.clock.now();
        let disposed = match self.core.finding(use_case, event_id, finding, now) {
            Err(error) => return reply(Err(error.into())),
            Ok(Err(position)) => Disposed {
                position,
                repeated: true,
            },
            Ok(Ok(event)) => match self.append_event(event) {
                Err(error) => return reply(Err(Refusal::Log(error.to_string()))),
                Ok((event, position)) => {
                    self.core.event(&event, position, true);
                    self.metrics.observed(&event);
                    Disposed {
                        position,
                        repeated: false,
                    }
                }
            },
        };
        self.answer_when_durable(move |written| reply(written.map(|()| disposed)));
    }

    fn control(&mut self, edits: Vec<Edit>, by: &str, reply: Reply<u64>) {
        // What is refused must not be in the log, and what is not in the log must not govern.
        for edit in &edits {
            if let Err(error) = self.core.check_loaded(&edit.control) {
                return reply(Err(Refusal::Invalid(error.to_string())));
            }
        }
        let at = self.clock.now();
        let mut last = 0;
        for Edit { control, version } in edits {
            match self.log.append(&Body::Control {
                control: control.clone(),
                by: by.to_owned(),
                at,
            }) {
                Ok(position) => last = position,
                Err(error) => return reply(Err(Refusal::Log(error.to_string()))),
            }
            self.dirty = true;
            self.core.edit(control, last, version.as_ref());
        }
        self.answer_when_durable(move |written| reply(written.map(|()| last)));
    }

    /// Stamps the times of arrival in log order and appends.
    fn append_event(&mut self, mut event: Event) -> Result<(Arc<Event>, u64), LogError> {
        event.received_at = self.clock.now().max(self.core.newest);
        event.known_at = event.received_at;
        let event = Arc::new(event);
        let position = self.log.append(&Body::Event(Arc::clone(&event)))?;
        self.dirty = true;
        Ok((event, position))
    }

    /// The event could not be logged: the use case says whether an answer is worth more than
    /// its record. Without a record there is no row at a log position, so there is no answer.
    fn decide_unlogged(&mut self, use_case: usize, error: &LogError, reply: Reply<Answer>) {
        self.metrics.unlogged();
        let name = &self.core.plan().use_cases[use_case].declared.name;
        reply(Err(Refusal::Log(format!(
            "{name}: the event cannot be logged: {error}"
        ))));
    }

    fn cannot_log(
        &mut self,
        use_case: usize,
        id: &str,
        decision: &Arc<Decision>,
        error: &LogError,
    ) {
        let waiting = self
            .waiting
            .remove(&(use_case, id.to_owned()))
            .unwrap_or_default();
        let when_log_fails = self.core.plan().use_cases[use_case]
            .declared
            .serving
            .when_log_fails;
        let why = Refusal::Log(format!("the decision cannot be logged: {error}"));
        answer_unlogged(&self.metrics, when_log_fails, waiting, decision, &why);
    }

    fn answer_when_durable(&mut self, answer: impl FnOnce(Result<(), Refusal>) + Send + 'static) {
        self.answers.push(Box::new(answer));
    }

    /// Asks for a snapshot when the log has grown enough since the last.
    fn want_snapshot(&mut self) {
        let position = self.core.next;
        if position - self.pictured >= SNAPSHOT_EVERY {
            self.flush();
            self.pictured = position;
            let _ended = self.snapshots.send(Wanted {
                position,
                done: None,
            });
        }
    }

    fn flush(&mut self) {
        // A failure is remembered by the log and met again when the batch ends.
        let _remembered = self.log.flush();
    }

    fn end_batch(&mut self) {
        // An event whose decision is under way is made durable with it: one sync for both.
        let decision_follows = self.answers.is_empty() && !self.waiting.is_empty();
        if decision_follows || (!self.dirty && self.answers.is_empty()) {
            return;
        }
        self.dirty = false;
        self.want_snapshot();
        let answers = std::mem::take(&mut self.answers);
        match self.log.flush() {
            Ok(()) if answers.is_empty() && !self.closing && self.may_wait() => {}
            Ok(()) => self.sync(answers),
            Err(error) => {
                let why = Refusal::Log(error.to_string());
                answers
                    .into_iter()
                    .for_each(|answer| answer(Err(why.clone())));
            }
        }
    }
}

impl Sequencer {
    /// Whether what nobody waits for may wait for the disk a little longer: the next sync is of
    /// all that was written before it.
    fn may_wait(&mut self) -> bool {
        let now = self.clock.nanos();
        let since = *self.unsynced.get_or_insert(now);
        now - since < SYNC_WITHIN.as_nanos() as u64
    }

    /// Has everything that was written put on disk, and then answered.
    fn sync(&mut self, answers: Vec<Answering>) {
        self.unsynced = None;
        let _closing = self.commits.send(Commit { answers });
    }
}

/// Answers with a decision that is not in the log, or refuses, as the use case declares.
fn answer_unlogged(
    metrics: &Metrics,
    when_log_fails: WhenLogFails,
    waiting: Vec<Reply<Answer>>,
    decision: &Arc<Decision>,
    why: &Refusal,
) {
    metrics.unlogged();
    match when_log_fails {
        WhenLogFails::Answer => answer_all(waiting, decision, false),
        WhenLogFails::Refuse => waiting
            .into_iter()
            .for_each(|reply| reply(Err(why.clone()))),
    }
}

/// Gives one decision to everyone who waits for it; only the first was not asked before.
fn answer_all(waiting: Vec<Reply<Answer>>, decision: &Arc<Decision>, durable: bool) {
    for (i, reply) in waiting.into_iter().enumerate() {
        reply(Ok(Answer {
            decision: Arc::clone(decision),
            repeated: i > 0,
            durable,
        }));
    }
}

/// The decision at a log position.
pub(crate) fn read_decision(log: &Log, position: u64) -> Result<Arc<Decision>, Refusal> {
    match log.get(position).map(|record| record.body) {
        Ok(Body::Decision(decision)) => Ok(decision),
        Ok(_) => Err(Refusal::NotFound {
            what: format!("position {position} holds no decision"),
        }),
        Err(error) => Err(Refusal::Log(error.to_string())),
    }
}
