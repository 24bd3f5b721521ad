//! A checked project, compiled: what every event, row and decision is computed by.

use std::path::PathBuf;
use std::sync::Arc;

use acumen_base::control::CHALLENGER;
use acumen_base::{
    Columns, Control, Currency, Diagnostic, Event, EventType, ModelVersion, Seed, Value,
};
use acumen_decision::{Policy, State};
use acumen_event::Decoder;
use acumen_feature::{Pipeline, PipelineSpec};
use acumen_table::SourceDecl;
use acumen_value::{Valuation, ValueSpec};

use crate::refusal::Refusal;
use crate::spec::{Project, UseCase, compile};

/// The use cases of a project with everything that was compiled from them.
#[derive(Debug)]
pub struct Plan {
    /// The project's folder.
    pub root: PathBuf,
    /// The use cases in the order of their names.
    pub use_cases: Vec<UseCasePlan>,
    /// What their rows are computed by, once for all that are declared together: only use cases
    /// that mean different things by a word stand apart.
    pub pipelines: Vec<Vec<PipelineSpec>>,
    /// Every event type that a use case or the catalogue declares, by name.
    pub types: Vec<Arc<EventType>>,
    /// Where events are read from.
    pub sources: Vec<SourceDecl>,
    /// Bytes into events of these types.
    pub decoder: Decoder,
}

/// One use case, compiled.
#[derive(Debug)]
pub struct UseCasePlan {
    /// What its file declares.
    pub declared: UseCase,
    /// How its events become rows.
    pub pipeline: PipelineSpec,
    /// Which of [`Plan::pipelines`] computes them.
    pub shared: usize,
    /// Which of its views they are.
    pub view: usize,
    /// The columns of its rows.
    pub columns: Arc<Columns>,
    /// How its rows become decisions.
    pub policy: Arc<Policy>,
    /// What its decisions are worth, where it says.
    pub value: Option<Arc<Valuation>>,
    /// By what its decisions meet their truth, where it declares an outcome; worth nothing where
    /// it does not say what they are worth.
    pub(crate) truths: Option<Arc<Valuation>>,
}

impl Plan {
    /// Compiles every use case of a project; those with problems are left out and reported.
    pub fn compile(project: Project) -> (Plan, Vec<Diagnostic>) {
        let mut problems = Vec::new();
        let mut use_cases = Vec::new();
        let mut types: Vec<Arc<EventType>> = Vec::new();
        for declared in project.use_cases {
            match UseCasePlan::compile(declared) {
                Ok(plan) => {
                    problems.extend(merge_types(&mut types, &plan.declared));
                    use_cases.push(plan);
                }
                Err(found) => problems.extend(found),
            }
        }
        for kind in &project.catalogue.events {
            if !types.iter().any(|known| known.name == kind.name) {
                types.push(Arc::clone(kind));
            }
        }
        types.sort_by(|a, b| a.name.cmp(&b.name));
        let sources = project.catalogue.sources;
        if problems.is_empty() {
            problems.extend(sources.iter().flat_map(|source| source.check(&types)));
        }
        let decoder = Decoder::new(types.clone());
        let pipelines = unite(&mut use_cases);
        (
            Plan {
                root: project.root,
                use_cases,
                pipelines,
                types,
                sources,
                decoder,
            },
            problems,
        )
    }

    /// Pipelines of all use cases that have observed nothing.
    pub fn fresh_pipelines(&self) -> Vec<Pipeline> {
        let fresh = |specs: &Vec<PipelineSpec>| {
            Pipeline::compile_all(specs.clone())
                .expect("the same specs were compiled when the plan was made")
        };
        self.pipelines.iter().map(fresh).collect()
    }

    /// The place of a use case among [`Plan::use_cases`].
    pub fn position(&self, use_case: &str) -> Option<usize> {
        self.use_cases
            .iter()
            .position(|plan| plan.declared.name == use_case)
    }

    /// The names of the use cases.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.use_cases
            .iter()
            .map(|plan| plan.declared.name.as_str())
    }

    /// The current declaration of an event type.
    pub fn event_type(&self, name: &str) -> Option<&Arc<EventType>> {
        self.types.iter().find(|kind| kind.name == name)
    }
}

impl UseCasePlan {
    fn compile(declared: UseCase) -> Result<UseCasePlan, Vec<Diagnostic>> {
        let pipeline = compile::pipeline_spec(&declared)?;
        let compiled = compile::pipeline(&declared, pipeline.clone())?;
        let columns = Arc::clone(compiled.columns(0));
        let policy = Arc::new(compile::policy(&declared, Arc::clone(&columns))?);
        let truths = compile::value_spec(&declared)?.map(compiled_value);
        let value = truths.clone().filter(|_| !declared.value.is_empty());
        Ok(UseCasePlan {
            truths,
            declared,
            pipeline,
            shared: 0,
            view: 0,
            columns,
            policy,
            value,
        })
    }

    /// A pipeline of this use case alone that has observed nothing.
    pub fn fresh_pipeline(&self) -> Pipeline {
        Pipeline::compile(self.pipeline.clone())
            .expect("the same spec was compiled when the plan was made")
    }

    /// What its exploration draws from.
    pub fn seed(&self) -> Seed {
        let seed = self
            .declared
            .training
            .as_ref()
            .map_or(0, |training| training.seed);
        Seed(seed).derive(&self.declared.name)
    }

    /// The currency and the rate that an event quotes, if it is one that does.
    pub(crate) fn rate(&self, event: &Event) -> Option<(Currency, f64)> {
        let rates = self
            .declared
            .rates
            .as_ref()
            .filter(|rates| rates.event == event.kind.name)?;
        let currency = event.value(&rates.currency).as_text()?.parse().ok()?;
        match event.value(&rates.rate) {
            Value::Number(rate) => Some((currency, *rate)),
            _ => None,
        }
    }

    /// The edit that lets a version of a declared model decide, or answer beside what decides as
    /// its challenger; without a version, the one that withdraws the challenger.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] where there is no such model.
    pub fn deployment(
        &self,
        model: &str,
        version: Option<&str>,
        challenger: bool,
    ) -> Result<Control, Refusal> {
        let models = self.declared.member_names();
        if !models.clone().any(|declared| declared == model) {
            return Err(Refusal::unknown("model", model, models));
        }
        let use_case = self.declared.name.clone();
        Ok(match version {
            None => Control::Withdraw {
                use_case,
                member: format!("{model}{CHALLENGER}"),
            },
            Some(version) => Control::Deploy {
                use_case,
                member: match challenger {
                    true => format!("{model}{CHALLENGER}"),
                    false => model.to_owned(),
                },
                version: version.to_owned(),
            },
        })
    }

    /// The versions of the declared models that a state deploys, in declared order.
    pub fn deployed(&self, state: &State) -> Vec<ModelVersion> {
        let member = |name: &str| state.members().find(|member| member.name() == name);
        let live = self.declared.member_names().filter_map(member);
        live.map(|member| ModelVersion {
            member: member.name().to_owned(),
            version: member.version().to_owned(),
        })
        .collect()
    }

    /// Whether events of a type say what people found about a decision.
    pub(crate) fn disposes(&self, kind: &str) -> bool {
        let review = self.declared.review.as_ref();
        review.is_some_and(|review| review.event.name == kind)
    }

    /// Whether an event type is the one that is decided on.
    pub fn decides(&self, kind: &str) -> bool {
        self.declared.decide_event == kind
    }
}

/// Puts use cases into one pipeline each time that this can be: they share currency, rates and
/// entities, and stay within what one pipeline may hold.
fn unite(use_cases: &mut [UseCasePlan]) -> Vec<Vec<PipelineSpec>> {
    let mut pipelines: Vec<Vec<PipelineSpec>> = Vec::new();
    for plan in use_cases {
        let with = |specs: &Vec<PipelineSpec>| {
            let specs = specs.iter().chain([&plan.pipeline]).cloned();
            specs.collect::<Vec<PipelineSpec>>()
        };
        let fits = |specs: &Vec<PipelineSpec>| Pipeline::compile_all(with(specs)).is_ok();
        let found = pipelines.iter().position(fits);
        plan.shared = found.unwrap_or(pipelines.len());
        match pipelines.get_mut(plan.shared) {
            Some(specs) => *specs = with(specs),
            None => pipelines.push(vec![plan.pipeline.clone()]),
        }
        // Each has one view.
        plan.view = pipelines[plan.shared].len() - 1;
    }
    pipelines
}

/// A value spec that `value_spec` has compiled once to check it.
fn compiled_value(spec: ValueSpec) -> Arc<Valuation> {
    Arc::new(Valuation::compile(spec).expect("the same spec was compiled when it was read"))
}

/// Two use cases that read events of one name must mean the same by it.
fn merge_types(types: &mut Vec<Arc<EventType>>, use_case: &UseCase) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for kind in &use_case.events {
        match types.iter().find(|known| known.name == kind.name) {
            None => types.push(Arc::clone(kind)),
            Some(known) if known == kind => {}
            Some(_) => {
                let mut problem = Diagnostic::new(
                    "event_declared_twice",
                    format!(
                        "`{}` is declared differently by another use case",
                        kind.name
                    ),
                    "declare it once in catalogue/events and let both read it",
                );
                problem.place = use_case.place(&format!("events.{}", kind.name));
                problems.push(problem);
            }
        }
    }
    problems
}
