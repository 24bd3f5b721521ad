//! What grows while a plan is compiled: units, columns, operands, problems.

use std::collections::HashMap;

use acumen_base::{Column, FieldType};
use acumen_expr::{Compiled, ExprError, Type};

use crate::condition::{Condition, Where};
use crate::derive::{Derived, Expression, scope};
use crate::gather::GatherPlan;
use crate::operand::OperandPlan;
use crate::outcome::OutcomePlan;
use crate::problem::{Problem, suggest};
use crate::spec::{FeatureSpec, PipelineSpec};
use crate::state::{Keyed, State};
use crate::unite::{Known, United};
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
    pub(crate) specs: &'a [PipelineSpec],
    pub(crate) united: &'a United,
    /// The spec whose names are meant.
    pub(crate) now: usize,
    pub(crate) operands: Vec<OperandPlan>,
    pub(crate) conditions: Vec<Condition>,
    /// The first unit with a condition: conditions may read the units before it.
    pub(crate) staged: Option<usize>,
    pub(crate) outcomes: Vec<OutcomePlan>,
    /// Which of them each spec declares, in its own order.
    pub(crate) outcomes_of: Vec<Vec<usize>>,
    pub(crate) drafts: Vec<Draft>,
    pub(crate) derived: Vec<Derived>,
    pub(crate) gathers: Vec<GatherPlan>,
    pub(crate) rings:
        HashMap<RingKey, usize, std::hash::BuildHasherDefault<std::hash::DefaultHasher>>,
    /// The columns of each feature compiled so far, spec by spec.
    pub(crate) features: Vec<Vec<(String, Vec<ColumnDraft>)>>,
    /// What other specs may read as well.
    pub(crate) known: Vec<Known<'a>>,
    pub(crate) problems: Vec<Problem>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(specs: &'a [PipelineSpec], united: &'a United) -> Builder<'a> {
        Builder {
            specs,
            united,
            now: 0,
            operands: Vec::new(),
            conditions: Vec::new(),
            staged: None,
            outcomes: Vec::new(),
            outcomes_of: vec![Vec::new(); specs.len()],
            drafts: Vec::new(),
            derived: Vec::new(),
            gathers: Vec::new(),
            rings: HashMap::default(),
            features: vec![Vec::new(); specs.len()],
            known: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// The spec whose names are meant.
    pub(crate) fn spec(&self) -> &'a PipelineSpec {
        &self.specs[self.now]
    }

    /// Its features compiled so far.
    pub(crate) fn features(&self) -> &[(String, Vec<ColumnDraft>)] {
        &self.features[self.now]
    }

    /// How long an event that rows with this feature are read at may be late: older state is not
    /// read any more.
    pub(crate) fn lateness(&self, feature: &FeatureSpec) -> i64 {
        let readers = self.specs.iter().filter(|s| s.features.contains(feature));
        let of_views = readers.map(|spec| {
            lateness(spec, |name| {
                spec.views.iter().any(|view| view.event == name)
            })
        });
        of_views.max().unwrap_or(0)
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
        let found = self.find_kind(name);
        if found.is_none() {
            let names = self.spec().events.iter().map(|kind| kind.name.as_str());
            let help = suggest(name, names);
            self.problem(feature, key, format!("there is no event `{name}`"), help);
        }
        found
    }

    /// The number of an event type.
    pub(crate) fn find_kind(&self, name: &str) -> Option<usize> {
        let mut events = self.spec().events.iter();
        let found = events.position(|kind| kind.name == name)?;
        Some(self.united.kinds[self.now][found])
    }

    /// The number of an outcome.
    pub(crate) fn outcome(&self, name: &str) -> Option<usize> {
        let mut outcomes = self.spec().outcomes.iter();
        let found = outcomes.position(|outcome| outcome.name == name)?;
        self.outcomes_of[self.now].get(found).copied()
    }

    /// The condition on events of a type that a text says.
    pub(crate) fn condition(&mut self, kind: usize, text: &str) -> Result<Where, Vec<ExprError>> {
        let units = self.drafts.len();
        let staged = *self.staged.get_or_insert(units);
        let (scope, reads) = scope(self, &[kind], 0..staged);
        let compiled = Compiled::compile(text, &scope, Type::Bool)?;
        let condition = Condition::new(kind, Expression { compiled, reads });
        let known = self
            .conditions
            .iter()
            .position(|known| known.same(&condition));
        Ok(Where(known.unwrap_or_else(|| {
            self.conditions.push(condition);
            self.conditions.len() - 1
        })))
    }

    pub(crate) fn field(
        &mut self,
        feature: &str,
        key: &str,
        kind: usize,
        name: &str,
    ) -> Option<(usize, FieldType)> {
        let kind = &self.united.events[kind];
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
