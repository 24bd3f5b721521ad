//! Running the layers, by the clock or by a record.

use std::sync::Arc;

use acumen_base::decision::{Firing, LayerReport, LayerStatus, MemberReport, RuleHit, RuleMode};
use acumen_base::{Clock, Deadline, Decision, ManualClock, Member, MemberError, Row, Seed, Value};

use crate::asked::{Answered, predict, predict_in_time};
use crate::beside::{self, Pool, Wanted};
use crate::blend::Blend;
use crate::frame::Facts;
use crate::guard::Guard;
use crate::onlookers;
use crate::policy::{Layer, Policy, Request, Step, Suppress};

/// What decides which layers and members have time: the clock, or what a record says they had.
pub(crate) enum Course<'a> {
    /// By the clock.
    Live {
        clock: &'a Arc<dyn Clock>,
        received_nanos: u64,
        /// Where members run beside each other; without it one after the other.
        pool: Option<&'a Pool>,
        /// How many requests wait behind this one.
        waiting: usize,
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
    pub(crate) policy: &'a Policy,
    pub(crate) row: &'a Row,
    pub(crate) blend: Blend,
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
    pub(crate) fn live(request: &'a Request<'_>) -> Course<'a> {
        Course::Live {
            clock: &request.clock,
            received_nanos: request.received_nanos,
            pool: request.pool.map(|pool| &**pool),
            waiting: request.waiting,
            seed: request.seed,
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

    /// The deadline of a layer, or why it does not start.
    fn start(&self, position: usize, layer: &Layer) -> Result<Deadline, LayerStatus> {
        let deadline = self.deadline(layer);
        match self {
            Course::Live { waiting, .. } => match deadline.expired() {
                true => Err(LayerStatus::OutOfTime),
                false if *waiting >= layer.shed_from => Err(LayerStatus::Shed),
                false => Ok(deadline),
            },
            Course::Recorded { record, .. } => {
                match record.layers.get(position).map(|layer| &layer.status) {
                    Some(kept @ (LayerStatus::OutOfTime | LayerStatus::Shed)) => Err(kept.clone()),
                    _ => Ok(deadline),
                }
            }
        }
    }

    /// Until when the members of a layer may answer; a record has all the time that it needs.
    pub(crate) fn deadline(&self, layer: &Layer) -> Deadline {
        match self {
            Course::Live {
                clock,
                received_nanos,
                ..
            } => Deadline::after(Arc::clone(clock), *received_nanos, layer.deadline_us),
            Course::Recorded { clock, .. } => Deadline::never(Arc::clone(clock)),
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

/// Runs the layers in order.
pub(crate) fn run<'a>(
    policy: &'a Policy,
    facts: Facts<'a>,
    row: &'a Row,
    course: &Course<'_>,
) -> Run<'a> {
    let mut run = Run {
        policy,
        row,
        blend: Blend::default(),
        facts,
        layers: Vec::with_capacity(policy.layers.len()),
        hits: Vec::new(),
        verdict: Verdict::default(),
    };
    for (position, layer) in policy.layers.iter().enumerate() {
        let report = run.layer(position, layer, course);
        run.layers.push(report);
    }
    onlookers::ask(&mut run, course);
    run
}

impl<'a> Run<'a> {
    fn layer(&mut self, position: usize, layer: &Layer, course: &Course<'_>) -> LayerReport {
        let mut report = LayerReport {
            name: self.policy.spec.layers[position].name.clone(),
            status: LayerStatus::Ran,
            members: Vec::new(),
            took_us: 0,
        };
        if self.verdict.final_rule.is_some() || self.verdict.ended_early {
            report.status = LayerStatus::NotNeeded;
            return report;
        }
        let deadline = match course.start(position, layer) {
            Ok(deadline) => deadline,
            Err(status) => {
                report.status = status;
                return report;
            }
        };
        if !self.has_something_to_run(layer) {
            report.status = LayerStatus::NoModel;
            return report;
        }
        let started = course.nanos();
        if layer.beside {
            self.beside(position, layer, (course, &deadline), &mut report.members);
        } else {
            for step in &layer.steps {
                match *step {
                    Step::Rule(rule) => self.rule(rule, course),
                    Step::Model(model) => {
                        if let Some(asked) = self.asked(model, &deadline) {
                            let answers = course.answers(position, &[asked], false);
                            self.note(&[model], answers, &mut report.members);
                        }
                    }
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

    /// The rules in order, then all models at once.
    fn beside(
        &mut self,
        position: usize,
        layer: &Layer,
        (course, deadline): (&Course<'_>, &Deadline),
        members: &mut Vec<MemberReport>,
    ) {
        let (mut models, mut asked) = (Vec::new(), Vec::new());
        for step in &layer.steps {
            match *step {
                Step::Rule(rule) => self.rule(rule, course),
                Step::Model(model) => {
                    if let Some(one) = self.asked(model, deadline) {
                        models.push(model);
                        asked.push(one);
                    }
                }
            }
        }
        let answers = course.answers(position, &asked, true);
        self.note(&models, answers, members);
    }

    /// A model that votes with its deployed member, where it has one.
    fn asked<'b>(&self, model: usize, deadline: &'b Deadline) -> Option<Asked<'b>>
    where
        'a: 'b,
    {
        let policy: &'a Policy = self.policy;
        let model = &policy.models[model];
        if model.shadow {
            return None;
        }
        Some(Asked {
            name: &model.name,
            guard: &model.guard,
            member: self.facts.state.member(&model.name)?,
            row: self.row,
            deadline,
        })
    }

    /// Takes the answers of models down, and what they make of the probability.
    fn note(
        &mut self,
        models: &[usize],
        answers: Vec<MemberReport>,
        members: &mut Vec<MemberReport>,
    ) {
        let patient = Deadline::never(ManualClock::at(self.row.at));
        for (&model, report) in models.iter().zip(answers) {
            if let Ok(prediction) = report.answer
                && self.policy.models[model].weight > 0.0
            {
                self.blend.take(model, prediction);
            }
            members.push(report);
        }
        let (policy, state) = (self.policy, self.facts.state);
        if let Some(probability) = self.blend.probability(policy, state, self.row, &patient) {
            self.facts.probability = Some(probability);
            self.facts.score = Some(state.knots.score(probability));
        }
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
}

/// A deployed member that is asked about a row.
pub(crate) struct Asked<'a> {
    /// Under which it is recorded.
    pub(crate) name: &'a str,
    pub(crate) guard: &'a Guard,
    pub(crate) member: &'a Arc<dyn Member>,
    pub(crate) row: &'a Row,
    pub(crate) deadline: &'a Deadline,
}

impl Course<'_> {
    /// What some members say, in order; beside each other where that is wanted.
    pub(crate) fn answers(
        &self,
        layer: usize,
        asked: &[Asked<'_>],
        beside: bool,
    ) -> Vec<MemberReport> {
        let answers = match self {
            Course::Live { clock, pool, .. } => live(asked, clock, pool.map(|p| (p, beside))),
            Course::Recorded { record, .. } => asked
                .iter()
                .map(|asked| asked.recorded(record, layer))
                .collect(),
        };
        let reports = asked.iter().zip(answers);
        reports
            .map(|(asked, (answer, took_us))| MemberReport {
                name: asked.name.to_owned(),
                version: asked.member.version().to_owned(),
                answer,
                took_us,
            })
            .collect()
    }
}

/// Asks those that may be asked, and remembers who was late.
fn live(asked: &[Asked<'_>], clock: &Arc<dyn Clock>, pool: Option<(&Pool, bool)>) -> Vec<Answered> {
    let mut answers: Vec<Option<Answered>> = asked.iter().map(Asked::refused).collect();
    let open: Vec<usize> = (0..asked.len()).filter(|i| answers[*i].is_none()).collect();
    let apart = |i: &usize| match pool {
        Some((_, beside)) => beside || !asked[*i].member.keeps_deadlines(),
        None => false,
    };
    let (apart, inline): (Vec<usize>, Vec<usize>) = open.into_iter().partition(apart);
    if let (Some((pool, _)), [first, ..]) = (pool, &apart[..]) {
        let wanted: Vec<Wanted<'_>> = apart.iter().map(|i| asked[*i].wanted()).collect();
        let time = (clock, asked[*first].deadline);
        let answered = beside::ask(pool, &wanted, asked[0].row, time);
        for (i, answered) in apart.iter().zip(answered) {
            answers[*i] = Some(answered);
        }
    }
    for i in inline {
        let started = clock.nanos();
        let answer = predict_in_time(asked[i].member, asked[i].row, asked[i].deadline);
        answers[i] = Some((answer, (clock.nanos() - started) / 1_000));
    }
    let answers = answers.into_iter().zip(asked).map(|(answer, asked)| {
        let answer = answer.unwrap_or((Err(MemberError::Late), 0));
        asked.guard.note(&answer.0);
        answer
    });
    answers.collect()
}

impl<'a> Asked<'a> {
    /// Why it may not be asked now.
    fn refused(&self) -> Option<Answered> {
        if self.deadline.expired() {
            return Some((Err(MemberError::Late), 0));
        }
        let admitted = self.guard.breaker.admits();
        (!admitted).then_some((Err(MemberError::Skipped), 0))
    }

    fn wanted(&self) -> Wanted<'a> {
        Wanted {
            member: self.member,
            outstanding: &self.guard.outstanding,
        }
    }

    fn recorded(&self, record: &Decision, layer: usize) -> Answered {
        let members = record.layers.get(layer).map(|layer| &layer.members);
        let reported = members.and_then(|members| members.iter().find(|m| m.name == self.name));
        let answer = match reported.map(|report| &report.answer) {
            Some(Err(error @ (MemberError::Late | MemberError::Skipped | MemberError::Busy))) => {
                Err(error.clone())
            }
            _ => predict(self.member, self.row, self.deadline),
        };
        (answer, reported.map_or(0, |report| report.took_us))
    }
}
