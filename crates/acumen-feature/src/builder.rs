//! What grows while a plan is compiled: units, columns, operands, problems.

use std::collections::HashMap;

use acumen_base::{Column, FieldType};

use crate::condition::{Condition, Where};
use crate::derive::Derived;
use crate::gather::GatherPlan;
use crate::operand::OperandPlan;
use crate::outcome::OutcomePlan;
use crate::problem::{Problem, suggest};
use crate::spec::PipelineSpec;
use crate::state::{Keyed, State};
use crate::windows::{Source, Windows};

/// Where a column is computed: a unit, and its place in it. Derived columns stand behind all
/// units: theirs is [`DERIVED`] and their number, until the number of units is known.
pub(crate) type At = (usize, usize);

/// The unit from which derived columns are counted while units still grow.
pub(crate) const DERIVED: usize = 1 << 32;

/// A column of a feature.
#[derive(Clone, Debug)]
pub(crate) struct ColumnDraft {
    pub(crate) column: Column,
    pub(crate) entity: Option<usize>,
    pub(crate) at: At,
}

/// A unit that is being put together.
pub(crate) enum Draft {
    /// A ring that later features may still add windows to.
    Windows(Box<Keyed<Windows>>),
    Ready(Box<dyn State>),
}

impl Draft {
    pub(crate) fn finish(self) -> Box<dyn State> {
        match self {
            Draft::Windows(windows) => windows,
            Draft::Ready(state) => state,
        }
    }
}

/// What rings are shared by: source, event type, condition, delay, entity.
type RingKey = (Source, usize, Option<Where>, i64, usize);

/// Everything that grows while features are compiled.
pub(crate) struct Builder<'a> {
    pub(crate) spec: &'a PipelineSpec,
    /// How long an event that rows are read at may be late: older state is not read any more.
    pub(crate) lateness: i64,
    pub(crate) operands: Vec<OperandPlan>,
    pub(crate) conditions: Vec<Condition>,
    /// The first unit with a condition: conditions may read the units before it.
    pub(crate) staged: Option<usize>,
    pub(crate) outcomes: Vec<OutcomePlan>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) derived: Vec<Derived>,
    pub(crate) gathers: Vec<GatherPlan>,
    pub(crate) rings:
        HashMap<RingKey, usize, std::hash::BuildHasherDefault<std::hash::DefaultHasher>>,
    /// The columns of each feature compiled so far.
    pub(crate) features: Vec<(String, Vec<ColumnDraft>)>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(spec: &'a PipelineSpec) -> Builder<'a> {
        Builder {
            spec,
            lateness: lateness(spec, |name| {
                spec.views.iter().any(|view| view.event == name)
            }),
            operands: Vec::new(),
            conditions: Vec::new(),
            staged: None,
            outcomes: Vec::new(),
            drafts: Vec::new(),
            derived: Vec::new(),
            gathers: Vec::new(),
            rings: HashMap::default(),
            features: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn problem(&mut self, feature: &str, key: &str, message: String, help: String) {
        self.problems.push(Problem {
            feature: feature.to_owned(),
            key: key.to_owned(),
            message,
            help,
            offset: None,
        });
    }

    pub(crate) fn kind(&mut self, feature: &str, key: &str, name: &str) -> Option<usize> {
        let found = self.spec.events.iter().position(|kind| kind.name == name);
        if found.is_none() {
            let names = self.spec.events.iter().map(|kind| kind.name.as_str());
            let help = suggest(name, names);
            self.problem(feature, key, format!("there is no event `{name}`"), help);
        }
        found
    }

    pub(crate) fn field(
        &mut self,
        feature: &str,
        key: &str,
        kind: usize,
        name: &str,
    ) -> Option<(usize, FieldType)> {
        let kind = &self.spec.events[kind];
        let found = kind.position(name).map(|at| (at, kind.fields[at].kind));
        if found.is_none() {
            let help = suggest(name, kind.fields.iter().map(|field| field.name.as_str()));
            let message = format!("`{}` has no field `{name}`", kind.name);
            self.problem(feature, key, message, help);
        }
        found
    }

    pub(crate) fn intern(&mut self, operand: OperandPlan) -> usize {
        match self.operands.iter().position(|known| *known == operand) {
            Some(at) => at,
            None => {
                self.operands.push(operand);
                self.operands.len() - 1
            }
        }
    }
}

/// The longest lateness of the event types of these names.
pub(crate) fn lateness(spec: &PipelineSpec, named: impl Fn(&str) -> bool) -> i64 {
    let kinds = spec.events.iter().filter(|kind| named(&kind.name));
    kinds.map(|kind| kind.lateness.0).max().unwrap_or(0).max(0)
}
