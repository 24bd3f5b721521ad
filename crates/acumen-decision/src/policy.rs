//! A checked policy, and what it can be asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::{Clock, Decision, Event, Row, Seed, Time, Value};
use acumen_expr::{Compiled, Scope};

use crate::bands::{Bands, Knots};
use crate::beside::Pool;
use crate::choice::{self, Chance};
use crate::compile;
use crate::course::{self, Course, Run};
use crate::explain;
use crate::explanation::Explanation;
use crate::frame::{Facts, Source};
use crate::guard::Guard;
use crate::reasons::{self, Said};
use crate::spec::PolicySpec;
use crate::state::State;
use crate::what_if::{self, Lever, WhatIf};
use acumen_base::Problem;

/// A checked and compiled policy: shared by all threads that decide for its use case.
///
/// It changes nothing while it decides but its circuit breakers, whose verdicts are recorded.
#[derive(Debug)]
pub struct Policy {
    pub(crate) spec: PolicySpec,
    pub(crate) bands: Bands,
    pub(crate) knots: Knots,
    /// What expressions may read.
    pub(crate) scope: Scope,
    /// Where the value of each of its slots comes from.
    pub(crate) sources: Vec<Source>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) models: Vec<Model>,
    pub(crate) layers: Vec<Layer>,
    /// What to do where models were asked and none answered, by severity.
    pub(crate) fallback: usize,
    pub(crate) explore: Option<Explore>,
    /// Where the amount stands among the event's fields.
    pub(crate) amount: Option<usize>,
}

/// A compiled rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) when: Compiled,
    /// The terms joined by `&&`, with their text.
    pub(crate) terms: Vec<(String, Compiled)>,
    /// The action that it asks for, by severity.
    pub(crate) effect: usize,
    /// The field by whose ids it is rolled out.
    pub(crate) roll_out_by: Option<usize>,
    /// The list whose ids it never fires for, and the field that holds them.
    pub(crate) suppress: Option<Suppress>,
}

/// A list that keeps a rule from firing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suppress {
    pub(crate) list: usize,
    pub(crate) field: usize,
}

impl Suppress {
    /// Whether it keeps a rule from firing for an event.
    pub(crate) fn holds(self, event: &Event, state: &State) -> bool {
        let id = event.values.get(self.field).and_then(Value::as_text);
        id.is_some_and(|id| state.holds(self.list, id, event.event_time))
    }
}

/// A declared model.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) weight: f64,
    /// Whether it answers without a vote.
    pub(crate) shadow: bool,
    pub(crate) guard: Guard,
    /// Of whatever challenges it.
    pub(crate) challengers: Guard,
}

/// A compiled layer.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) deadline_us: u64,
    pub(crate) steps: Vec<Step>,
    /// Whether its models run beside each other.
    pub(crate) beside: bool,
    /// It is left out where so many requests wait.
    pub(crate) shed_from: usize,
    pub(crate) final_when: Option<Compiled>,
}

/// One step of a layer, by the position of its rule or model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Evaluate a rule.
    Rule(usize),
    /// Ask a model.
    Model(usize),
}

/// A share of one action is replaced by another; both by severity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Explore {
    pub(crate) of: usize,
    pub(crate) action: usize,
    pub(crate) share: f64,
}

/// One event that waits for its decision.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The id that the decision gets.
    pub id: String,
    /// The event.
    pub event: &'a Event,
    /// The row that was read at it.
    pub row: &'a Row,
    /// What the clock's stopwatch read on receipt: deadlines count from here.
    pub received_nanos: u64,
    /// The time that the decision carries.
    pub decided_at: Time,
    /// The clock by which deadlines are kept.
    pub clock: Arc<dyn Clock>,
    /// The seed of exploration; the draw depends on it and on the event's id alone.
    pub seed: Seed,
    /// The build that decides.
    pub build: &'a str,
    /// Threads for members that run beside each other; `None`: one after the other.
    pub pool: Option<&'a Arc<Pool>>,
    /// How many requests wait behind this one: under load the deepest layers are left out.
    pub waiting: usize,
}

impl Policy {
    /// Checks a spec and compiles it; reports all problems at once.
    pub fn compile(spec: PolicySpec) -> Result<Policy, Vec<Problem>> {
        compile::compile(spec)
    }

    /// What was declared.
    pub fn spec(&self) -> &PolicySpec {
        &self.spec
    }

    /// The names of the actions, mildest first.
    pub fn actions(&self) -> impl Iterator<Item = &str> {
        self.bands.actions().iter().map(|a| a.name.as_str())
    }

    /// The state before the first control record: empty lists, declared modes and knots, no
    /// deployed member.
    pub fn initial_state(&self) -> State {
        let spec = &self.spec;
        State {
            use_case: spec.use_case.as_str().into(),
            list_names: spec.lists.iter().map(|l| l.name.clone()).collect(),
            lists: spec.lists.iter().map(|_| Arc::default()).collect(),
            rule_names: spec.rules.iter().map(|r| r.id.clone()).collect(),
            modes: spec.rules.iter().map(|r| r.mode).collect(),
            knots: Arc::new(self.knots.clone()),
            members: Arc::new(BTreeMap::new()),
            ensemble: None,
            ensemble_challenger: None,
            control: 0,
        }
    }

    /// Whether a decision takes only the time of its own work: no layer's members run beside each
    /// other, and none of those that are deployed can overrun its deadline.
    pub fn is_prompt(&self, state: &State) -> bool {
        let is_beside = self.layers.iter().any(|layer| layer.beside);
        !is_beside && state.members().all(|member| member.keeps_deadlines())
    }

    /// Decides. Always answers with one of the declared actions, from what finished in time; a
    /// member that is late, fails or panics is named in the record.
    pub fn decide(&self, request: &Request<'_>, state: &State) -> Decision {
        let course = Course::live(request);
        let chance = Chance::Draw(request.seed);
        let mut decision = self.assemble(request.event, request.row, state, &course, chance);
        decision.id.clone_from(&request.id);
        decision.decided_at = request.decided_at;
        request.build.clone_into(&mut decision.build);
        decision.took_us = request.clock.nanos().saturating_sub(request.received_nanos) / 1_000;
        decision
    }

    /// Makes a decision again. What clock, chance and concurrency decided (which layers had time,
    /// which members were late or left out, what each took, whether it was explored, the time,
    /// the build) is taken from the record; everything else is computed anew from the event, the
    /// row and the state at the record's control position. Compare with
    /// [`differences`](crate::differences).
    pub fn replay(&self, record: &Decision, event: &Event, row: &Row, state: &State) -> Decision {
        let course = Course::recorded(record);
        let chance = Chance::of_record(record);
        let mut decision = self.assemble(event, row, state, &course, chance);
        decision.id.clone_from(&record.id);
        decision.decided_at = record.decided_at;
        decision.build.clone_from(&record.build);
        decision.took_us = record.took_us;
        decision
    }

    /// Explains a decision from its record; attributions are computed anew by the deployed
    /// members of the record's versions.
    pub fn explain(&self, record: &Decision, event: &Event, state: &State) -> Explanation {
        explain::explain(self, record, event, state)
    }

    /// The smallest change of what a person can change that would have led to a milder action;
    /// it asks models [`EVALUATIONS_MAX`](crate::EVALUATIONS_MAX) times at most. What is found has
    /// been decided again, on the changed row and with the time that the record's members had; a
    /// rule that reads the event itself sees the event as it was.
    pub fn what_if(
        &self,
        record: &Decision,
        event: &Event,
        state: &State,
        levers: &[Lever],
    ) -> WhatIf {
        what_if::what_if(self, record, event, state, levers)
    }

    /// What expressions may read of an event and a row, before any model has answered.
    pub(crate) fn facts<'a>(
        &'a self,
        event: &'a Event,
        row: &'a Row,
        state: &'a State,
    ) -> Facts<'a> {
        let same_columns = row.columns.fingerprint == self.spec.columns.fingerprint;
        Facts {
            sources: &self.sources,
            event,
            values: if same_columns { &row.values } else { &[] },
            state,
            probability: None,
            score: None,
        }
    }

    fn assemble(
        &self,
        event: &Event,
        row: &Row,
        state: &State,
        course: &Course<'_>,
        chance: Chance,
    ) -> Decision {
        let Run {
            facts,
            layers,
            hits,
            verdict,
            blend,
            ..
        } = course::run(self, self.facts(event, row, state), row, course);
        let choice = choice::choose(self, &verdict, facts.score, &event.id, chance);
        let said = Said {
            layers: &layers,
            ensemble: blend.ensemble.as_ref(),
        };
        let reasons = reasons::reasons(self, &facts, row, &said, &verdict, &choice);
        let name = |severity: usize| self.bands.actions()[severity].name.clone();
        Decision {
            id: String::new(),
            use_case: self.spec.use_case.clone(),
            event_id: event.id.to_string(),
            event_time: event.event_time,
            position: row.position,
            decided_at: Time(0),
            row: row.values.to_vec(),
            columns: row.columns.fingerprint,
            probability: facts.probability,
            score: facts.score,
            layers,
            ensemble: blend.ensemble,
            rules: hits,
            action: name(choice.action),
            action_without_exploration: name(choice.without_exploration),
            propensity: choice.propensity,
            reasons,
            amount: self
                .amount
                .and_then(|field| event.values.get(field)?.as_money()),
            control: state.control(),
            build: String::new(),
            took_us: 0,
        }
    }
}
