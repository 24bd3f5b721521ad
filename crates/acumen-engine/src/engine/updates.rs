//! What others may ask about models that are trained beside the engine, and about going back.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};

use acumen_base::limits::REFIT_MICROS_MAX;
use acumen_base::{Control, Deadline, Time, Update};

use super::Engine;
use crate::batches::BatchErrand;
use crate::compare::{Comparison, compare};
use crate::evaluate::unseen_from;
use crate::refit::{Refit, RefitOptions, Target, refit};
use crate::refusal::Refusal;
use crate::updates::{Errand, Running, Updates, previous};

impl Engine {
    /// Trains use cases as often as they declare, and scores their keys when they schedule it, from
    /// now on and until the engine closes.
    pub fn follow_schedule(&self) -> Result<(), Refusal> {
        self.send_for_batches(BatchErrand::Follow)?;
        self.send_for(Errand::Follow)
    }

    /// Trains every use case that is due by the engine's clock, and waits: for whoever moves
    /// that clock. What it gives is in the log already.
    pub fn update_due(&self) -> Result<Vec<Update>, Refusal> {
        let (done, received) = channel();
        self.send_for(Errand::Due(done))?;
        received.recv().map_err(|_| self.gone())
    }

    /// Begins to train a use case, beside everything else; [`Engine::updates`] says what becomes
    /// of it.
    ///
    /// # Errors
    /// Where there is nothing to train, or another training is under way: there is one at a time.
    pub fn begin_update(&self, use_case: &str, by: &str) -> Result<(), Refusal> {
        self.begin(use_case, by, None)
    }

    /// Trains a use case now and waits for what becomes of it.
    ///
    /// # Errors
    /// As [`Engine::begin_update`].
    pub fn update_now(&self, use_case: &str, by: &str) -> Result<Update, Refusal> {
        let (done, received) = channel();
        self.begin(use_case, by, Some(done))?;
        received.recv().map_err(|_| self.gone())
    }

    /// What became of the trainings of a use case, what is under way, and when the next is due.
    pub fn updates(&self, use_case: &str) -> Result<Updates, Refusal> {
        let position = self.use_case(use_case)?;
        let opened_at = self.opened_at;
        let mut updates = self.ask(move |core, _| Updates::of(core, position, opened_at))?;
        let running = self.place.running();
        updates.running = running.filter(|running| running.use_case == use_case);
        Ok(updates)
    }

    /// Puts what was live before the last change of models and thresholds back, all of it
    /// together; gives the edits that were made.
    ///
    /// # Errors
    /// Where nothing was deployed before.
    pub fn roll_back(&self, use_case: &str, by: &str) -> Result<Vec<Control>, Refusal> {
        let position = self.use_case(use_case)?;
        let found = self.ask(move |core, _| {
            let plan = &core.plan().use_cases[position];
            previous(plan, &core.controls)
        })?;
        let edits = found.map_err(Refusal::Invalid)?;
        self.controls_now(edits.clone(), &format!("roll back by {by}"))?;
        Ok(edits)
    }

    /// Lets a version of a declared model decide, or answer beside what decides as a challenger;
    /// without a version, the model's challenger is withdrawn. Gives the edit's log position.
    ///
    /// # Errors
    /// Where there is no such model, version or challenger.
    pub fn deploy(
        &self,
        use_case: &str,
        model: &str,
        version: Option<&str>,
        challenger: bool,
        by: &str,
    ) -> Result<u64, Refusal> {
        let position = self.use_case(use_case)?;
        let plan = &self.plan.use_cases[position];
        self.control_now(plan.deployment(model, version, challenger)?, by)
    }

    /// Compares every challenger and shadow of a use case with what it answers beside, over the
    /// decisions in the log.
    pub fn compare(&self, use_case: &str) -> Result<Comparison, Refusal> {
        let position = self.use_case(use_case)?;
        // A question lets the log be flushed: what was decided up to here can be read.
        self.ask(|_, _| ())?;
        compare(&self.sources, position, &mut |_| ())
            .map_err(|error| Refusal::Log(error.to_string()))
    }

    /// Fits the thresholds of a use case to a target on what its models have not seen, or on the
    /// period that is named. With `by` they are put in force, and the log position of that is
    /// given; without, nothing changes. It is like a training: one at a time.
    ///
    /// # Errors
    /// Where the target cannot be reached: what can, then. Nothing changes either where it took
    /// longer than a request may ([`REFIT_MICROS_MAX`]).
    pub fn refit(
        &self,
        use_case: &str,
        (target, action): (Target, Option<String>),
        (from, to): (Option<Time>, Option<Time>),
        by: Option<&str>,
    ) -> Result<(Refit, Option<u64>), Refusal> {
        let position = self.use_case(use_case)?;
        let clock = Arc::clone(&self.clock);
        let begun = clock.nanos();
        let deadline = Deadline::after(clock, begun, REFIT_MICROS_MAX);
        let held = self.place.hold(use_case, self.clock.now());
        let _held = held.map_err(|running| Refusal::Invalid(busy(&running)))?;
        self.place.stage("fitting thresholds".to_owned());
        // A question lets the log be flushed: what was decided up to here can be read.
        self.ask(|_, _| ())?;
        let options = RefitOptions {
            target,
            action,
            from: match from {
                Some(from) => from,
                None => unseen_from(&self.sources, position)?,
            },
            to: to.unwrap_or(Time::LATEST),
        };
        let found = refit(&self.sources, position, &options, &mut |_| ())?;
        if deadline.expired() {
            return Err(Refusal::NotReady(
                "fitting took longer than a request may, and nothing was changed: name a shorter \
                 period, or run `acumen thresholds` while the server is stopped"
                    .to_owned(),
            ));
        }
        let put = |by| self.control_now(found.control.clone(), by);
        let in_force = by.map(put).transpose()?;
        Ok((found, in_force))
    }

    fn begin(&self, use_case: &str, by: &str, done: Option<Sender<Update>>) -> Result<(), Refusal> {
        let position = self.use_case(use_case)?;
        if self.closing.load(Ordering::SeqCst) {
            return Err(Refusal::Closing);
        }
        if self.plan.use_cases[position].declared.training.is_none() {
            return Err(Refusal::Invalid(format!(
                "`{use_case}` declares no `training`: add it to its usecase.yaml"
            )));
        }
        if let Err(running) = self.place.take(use_case, self.clock.now()) {
            return Err(Refusal::Invalid(busy(&running)));
        }
        let by = by.to_owned();
        self.send_for(Errand::Now {
            use_case: position,
            by,
            done,
        })
        .inspect_err(|_| self.place.free())
    }

    fn send_for(&self, errand: Errand) -> Result<(), Refusal> {
        let errands = self.errands.lock().ok().and_then(|held| held.clone());
        let sent = errands.is_some_and(|errands| errands.send(errand).is_ok());
        if sent { Ok(()) } else { Err(self.gone()) }
    }

    pub(super) fn use_case(&self, name: &str) -> Result<usize, Refusal> {
        let position = self.plan.position(name);
        position.ok_or_else(|| Refusal::unknown("use case", name, self.plan.names()))
    }
}

fn busy(running: &Running) -> String {
    format!(
        "`{}` is being trained since {} ({}): one is trained at a time, ask again later",
        running.use_case, running.since, running.stage
    )
}
