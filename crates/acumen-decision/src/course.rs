//! Running the layers, by the clock or by a record.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use acumen_base::decision::{Firing, LayerReport, LayerStatus, MemberReport, RuleHit, RuleMode};
use acumen_base::{
    Clock, Deadline, Decision, ManualClock, Member, MemberError, Prediction, Row, Seed, Value,
};

use crate::frame::Facts;
use crate::policy::{Layer, Policy, Step, Suppress};

/// What decides which layers and members have time: the clock, or what a record says they had.
pub(crate) enum Course<'a> {
    /// By the clock.
    Live {
        clock: &'a Arc<dyn Clock>,
        received_nanos: u64,
        /// What decides for which events a rule acts that is rolled out to a share.
        seed: Seed,
    },
    /// By a record.
    Recorded {
        record: &'a Decision,
        /// Stands still: members that are asked again have all the time that they need.
        clock: Arc<dyn Clock>,
    },
}

/// What running the layers gave.
pub(crate) struct Run<'a> {
    policy: &'a Policy,
    blend: Blend,
    /// What was known, with the probability and score of all members that answered.
    pub(crate) facts: Facts<'a>,
    pub(crate) layers: Vec<LayerReport>,
    pub(crate) hits: Vec<RuleHit>,
    pub(crate) verdict: Verdict,
}

/// What rules and layers say of the action.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    /// The rules that fired and act, in order, by position.
    pub(crate) acting: Vec<usize>,
    /// The first final rule that fired, by position.
    pub(crate) final_rule: Option<usize>,
    /// Whether a layer's `final_when` held.
    pub(crate) ended_early: bool,
}

impl<'a> Course<'a> {
    pub(crate) fn live(clock: &'a Arc<dyn Clock>, received_nanos: u64, seed: Seed) -> Course<'a> {
        Course::Live {
            clock,
            received_nanos,
            seed,
        }
    }

    pub(crate) fn recorded(record: &'a Decision) -> Course<'a> {
        Course::Recorded {
            record,
            clock: ManualClock::at(record.decided_at),
        }
    }

    fn nanos(&self) -> u64 {
        match self {
            Course::Live { clock, .. } => clock.nanos(),
            Course::Recorded { .. } => 0,
        }
    }

    /// The deadline of a layer, or nothing where it has no time to start.
    fn start(&self, position: usize, layer: &Layer) -> Option<Deadline> {
        match self {
            Course::Live {
                clock,
                received_nanos,
                ..
            } => {
                let deadline =
                    Deadline::after(Arc::clone(clock), *received_nanos, layer.deadline_us);
                (!deadline.expired()).then_some(deadline)
            }
            Course::Recorded { record, clock } => {
                let status = record.layers.get(position).map(|layer| &layer.status);
                let had_time = status != Some(&LayerStatus::OutOfTime);
                had_time.then(|| Deadline::never(Arc::clone(clock)))
            }
        }
    }

    /// Whether a rule that is rolled out to a share acts for the event of an id: always the same
    /// for the same id, and for all the same where the share grows.
    fn rolls_out(&self, rule: &str, id: &str, per_million: u32) -> bool {
        match self {
            Course::Live { seed, .. } => {
                let draw = seed.derive("roll_out").derive(rule).unit(id);
                draw < f64::from(per_million) / 1e6
            }
            Course::Recorded { record, .. } => {
                let hit = record.rules.iter().find(|hit| hit.id == rule);
                hit.is_some_and(|hit| hit.firing == Firing::Acted)
            }
        }
    }

    /// Microseconds that a layer took.
    fn layer_took(&self, position: usize, started_nanos: u64) -> u64 {
        match self {
            Course::Live { .. } => (self.nanos() - started_nanos) / 1_000,
            Course::Recorded { record, .. } => record.layers.get(position).map_or(0, |l| l.took_us),
        }
    }
}

/// The members' values so far.
#[derive(Default)]
struct Blend {
    sum: f64,
    weight: f64,
}

/// Runs the layers in order.
pub(crate) fn run<'a>(
    policy: &'a Policy,
    facts: Facts<'a>,
    row: &Row,
    course: &Course<'_>,
) -> Run<'a> {
    let mut run = Run {
        policy,
        blend: Blend::default(),
        facts,
        layers: Vec::with_capacity(policy.layers.len()),
        hits: Vec::new(),
        verdict: Verdict::default(),
    };
    for (position, layer) in policy.layers.iter().enumerate() {
        let report = run.layer(position, layer, row, course);
        run.layers.push(report);
    }
    run
}

impl Run<'_> {
    fn layer(
        &mut self,
        position: usize,
        layer: &Layer,
        row: &Row,
        course: &Course<'_>,
    ) -> LayerReport {
        let policy = self.policy;
        let mut report = LayerReport {
            name: policy.spec.layers[position].name.clone(),
            status: LayerStatus::Ran,
            members: Vec::new(),
            took_us: 0,
        };
        if self.verdict.final_rule.is_some() || self.verdict.ended_early {
            report.status = LayerStatus::NotNeeded;
            return report;
        }
        let Some(deadline) = course.start(position, layer) else {
            report.status = LayerStatus::OutOfTime;
            return report;
        };
        if !self.has_something_to_run(layer) {
            report.status = LayerStatus::NoModel;
            return report;
        }
        let started = course.nanos();
        for step in &layer.steps {
            match *step {
                Step::Rule(rule) => self.rule(rule, course),
                Step::Model(model) => {
                    let member = self.facts.state.member(&policy.models[model].name);
                    let Some(member) = member else { continue };
                    let asked = Asked {
                        policy,
                        model,
                        member,
                        row,
                        deadline: &deadline,
                    };
                    let answered = asked.answer(course, position);
                    self.blend(model, &answered.answer);
                    report.members.push(answered);
                }
            }
        }
        let ends = layer
            .final_when
            .as_ref()
            .is_some_and(|when| when.is_true(&self.facts));
        self.verdict.ended_early = ends;
        report.took_us = course.layer_took(position, started);
        report
    }

    fn has_something_to_run(&self, layer: &Layer) -> bool {
        let runs = |step: &Step| match *step {
            Step::Rule(_) => true,
            Step::Model(model) => self
                .facts
                .state
                .member(&self.policy.models[model].name)
                .is_some(),
        };
        layer.steps.is_empty() || layer.steps.iter().any(runs)
    }

    fn rule(&mut self, position: usize, course: &Course<'_>) {
        let policy = self.policy;
        let mode = self.facts.state.modes[position];
        if mode == RuleMode::Off || !policy.rules[position].when.is_true(&self.facts) {
            return;
        }
        let declared = &policy.spec.rules[position];
        let firing = self.firing(position, mode, course);
        self.hits.push(RuleHit {
            id: declared.id.clone(),
            effect: declared.effect.clone(),
            firing,
        });
        if firing == Firing::Acted {
            self.verdict.acting.push(position);
            if declared.is_final && self.verdict.final_rule.is_none() {
                self.verdict.final_rule = Some(position);
            }
        }
    }

    /// What comes of a rule whose condition holds.
    fn firing(&self, position: usize, mode: RuleMode, course: &Course<'_>) -> Firing {
        let rule = &self.policy.rules[position];
        let event = self.facts.event;
        let suppressed = |by: Suppress| by.holds(event, self.facts.state);
        if rule.suppress.is_some_and(suppressed) {
            return Firing::Suppressed;
        }
        let acts = match mode {
            RuleMode::On => true,
            RuleMode::Shadow | RuleMode::Off => false,
            RuleMode::RollOut { per_million } => {
                let by = rule.roll_out_by.and_then(|field| event.values.get(field));
                let id = by.and_then(Value::as_text).unwrap_or(&event.id);
                let name = &self.policy.spec.rules[position].id;
                course.rolls_out(name, id, per_million)
            }
        };
        if acts { Firing::Acted } else { Firing::Shadow }
    }

    /// Takes an answer into the mean. Members that did not answer are marginalised: the mean is
    /// over the weights of those that did.
    fn blend(&mut self, model: usize, answer: &Result<Prediction, MemberError>) {
        let weight = self.policy.models[model].weight;
        let Ok(prediction) = answer else { return };
        if weight == 0.0 {
            return;
        }
        self.blend.sum += weight * prediction.value;
        self.blend.weight += weight;
        let probability = (self.blend.sum / self.blend.weight).clamp(0.0, 1.0);
        self.facts.probability = Some(probability);
        self.facts.score = Some(self.facts.state.knots.score(probability));
    }
}

/// A deployed member that is asked about a row.
struct Asked<'a> {
    policy: &'a Policy,
    model: usize,
    member: &'a Arc<dyn Member>,
    row: &'a Row,
    deadline: &'a Deadline,
}

impl Asked<'_> {
    fn answer(&self, course: &Course<'_>, layer: usize) -> MemberReport {
        let (answer, took_us) = match course {
            Course::Live { .. } => self.live(course),
            Course::Recorded { record, .. } => self.recorded(record, layer),
        };
        MemberReport {
            name: self.policy.models[self.model].name.clone(),
            version: self.member.version().to_owned(),
            answer,
            took_us,
        }
    }

    fn live(&self, course: &Course<'_>) -> (Result<Prediction, MemberError>, u64) {
        let breaker = &self.policy.models[self.model].breaker;
        let started = course.nanos();
        if self.deadline.expired() {
            return (Err(MemberError::Late), 0);
        }
        if !breaker.admits() {
            return (Err(MemberError::Skipped), 0);
        }
        let mut answer = predict(self.member, self.row, self.deadline);
        if self.deadline.expired() {
            answer = Err(MemberError::Late);
        }
        breaker.note(answer == Err(MemberError::Late));
        (answer, (course.nanos() - started) / 1_000)
    }

    fn recorded(&self, record: &Decision, layer: usize) -> (Result<Prediction, MemberError>, u64) {
        let name = &self.policy.models[self.model].name;
        let members = record.layers.get(layer).map(|layer| &layer.members);
        let reported = members.and_then(|members| members.iter().find(|m| m.name == *name));
        let answer = match reported.map(|report| &report.answer) {
            Some(Err(error @ (MemberError::Late | MemberError::Skipped))) => Err(error.clone()),
            _ => predict(self.member, self.row, self.deadline),
        };
        (answer, reported.map_or(0, |report| report.took_us))
    }
}

/// Asks a member; a panic or an answer that is no probability is a failure of its own.
pub(crate) fn predict(
    member: &Arc<dyn Member>,
    row: &Row,
    deadline: &Deadline,
) -> Result<Prediction, MemberError> {
    let answer = catch_unwind(AssertUnwindSafe(|| member.predict(row, deadline)));
    let prediction = answer.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(MemberError::Failed(format!(
            "panicked: {}",
            text.unwrap_or("without a message")
        )))
    })?;
    if (0.0..=1.0).contains(&prediction.value) {
        return Ok(prediction);
    }
    Err(MemberError::Failed(format!(
        "answered {}, which is not a probability",
        prediction.value
    )))
}
