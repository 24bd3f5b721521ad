//! The part of a row that the events of one key alone decide.
//!
//! Where events are spread over machines by the id of an entity, each part sees every event of its
//! keys and none of the others'. The columns of that entity come out the same there; a row is then
//! put together by its event's id from one pass an entity, and one for what each event says by
//! itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use acumen_base::Columns;

use crate::builder::{At, ColumnDraft};
use crate::condition::Where;
use crate::entity::id_fields;
use crate::pipeline::Pipeline;
use crate::plan::{Plan, needed, read_from};
use crate::problem::{Problem, suggest};
use crate::spec::PipelineSpec;
use crate::state::{Facts, State};
use crate::stateless::{FromEvent, Stateless};

/// The pass over events by themselves, whatever part they are in.
pub const EVENTS: &str = "events";

/// One pass of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The entity by whose id events are spread, or [`EVENTS`].
    pub name: String,
    /// The fields that carry that id; none for [`EVENTS`].
    pub fields: Vec<String>,
    /// The columns of the row that it gives.
    pub columns: Vec<String>,
}

/// Which events decide a column.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reach {
    /// That of the row.
    Event,
    /// Those of the row's key of this entity.
    Entity(usize),
    /// More than those of one key, and why.
    Beyond(&'static str),
}

impl Reach {
    fn and(self, other: Reach) -> Reach {
        match (self, other) {
            (Reach::Event, other) | (other, Reach::Event) => other,
            (Reach::Beyond(why), _) | (_, Reach::Beyond(why)) => Reach::Beyond(why),
            (Reach::Entity(a), Reach::Entity(b)) if a == b => Reach::Entity(a),
            _ => Reach::Beyond("is made of columns of several entities"),
        }
    }
}

impl Plan {
    fn reach(&self, units: &[Box<dyn State>], at: At) -> Reach {
        let of_columns = |columns: &mut dyn Iterator<Item = At>| {
            let reaches = columns.map(|column| self.reach(units, column));
            reaches.fold(Reach::Event, Reach::and)
        };
        let Some(unit) = units.get(at.0) else {
            let derived = &self.derived[at.0 - units.len()];
            return of_columns(&mut derived.expression.columns());
        };
        let own = match unit.entities().as_slice() {
            _ if unit.outcome().is_some() => {
                Reach::Beyond("reads outcomes, whose events do not carry the entity's id")
            }
            [] => Reach::Event,
            [entity] => Reach::Entity(*entity),
            _ => Reach::Beyond("meets the keys of several entities"),
        };
        match unit.when() {
            Some(Where(condition)) => {
                let condition = &self.conditions[condition].expression;
                own.and(of_columns(&mut condition.columns()))
            }
            None => own,
        }
    }

    /// The columns of a view, of these features (of all, where none is named).
    fn drafts(&self, view: usize, features: &[String]) -> Result<Vec<ColumnDraft>, Vec<Problem>> {
        let view = &self.views[view];
        let unknown = features.iter().filter(|name| !view.features.contains(name));
        let problems = unknown.map(|name| {
            let help = suggest(name, view.features.iter().map(String::as_str));
            problem(name, "is not a feature of the row".to_owned(), help)
        });
        let problems: Vec<Problem> = problems.collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        let wanted = |name: &&String| features.is_empty() || features.contains(name);
        let wanted = view.features.iter().filter(wanted);
        let features = &self.features[view.spec];
        let drafts = wanted.filter_map(|name| features.iter().find(|(f, _)| f == name));
        Ok(drafts.flat_map(|(_, drafts)| drafts).cloned().collect())
    }

    /// The same with what decides each.
    fn reaches(
        &self,
        units: &[Box<dyn State>],
        view: usize,
        features: &[String],
    ) -> Result<Vec<(ColumnDraft, Reach)>, Vec<Problem>> {
        let drafts = self.drafts(view, features)?;
        let reaches = drafts.into_iter().map(|draft| {
            let reach = self.reach(units, draft.at);
            (draft, reach)
        });
        let reaches: Vec<(ColumnDraft, Reach)> = reaches.collect();
        let beyond = reaches.iter().filter_map(|(draft, reach)| match reach {
            Reach::Beyond(why) => Some(problem(
                &draft.column.name,
                format!("{why}: no single pass gives it"),
                "leave its feature out by naming the others, or compute the rows in one process"
                    .to_owned(),
            )),
            _ => None,
        });
        let problems: Vec<Problem> = beyond.collect();
        match problems.is_empty() {
            true => Ok(reaches),
            false => Err(problems),
        }
    }
}

fn problem(feature: &str, message: String, help: String) -> Problem {
    Problem {
        feature: feature.to_owned(),
        key: "pass".to_owned(),
        message,
        help,
        offset: None,
    }
}

/// The passes that give a view's row, of these features (of all, where none is named).
///
/// # Errors
/// Every problem of the spec, every unknown feature, and every column that no single pass gives.
pub fn passes(
    spec: PipelineSpec,
    view: usize,
    features: &[String],
) -> Result<Vec<Pass>, Vec<Problem>> {
    let (plan, units) = Plan::compile(vec![spec])?;
    let reaches = plan.reaches(&units, view, features)?;
    let columns = |wanted: &Reach| -> Vec<String> {
        let of = reaches.iter().filter(|(_, reach)| reach == wanted);
        of.map(|(draft, _)| draft.column.name.clone()).collect()
    };
    let mut all = vec![Pass {
        name: EVENTS.to_owned(),
        fields: Vec::new(),
        columns: columns(&Reach::Event),
    }];
    for (index, entity) in plan.united.entities.iter().enumerate() {
        all.push(Pass {
            name: entity.name.clone(),
            fields: id_fields(&entity.field).map(str::to_owned).collect(),
            columns: columns(&Reach::Entity(index)),
        });
    }
    all.retain(|pass| pass.name == EVENTS || !pass.columns.is_empty());
    Ok(all)
}

impl Pipeline {
    /// A pipeline that gives the columns of these features (of all, where none is named) in its
    /// view and keeps the state of nothing else.
    ///
    /// # Errors
    /// Every problem of the spec, and every unknown feature.
    pub fn compile_only(
        spec: PipelineSpec,
        view: usize,
        features: &[String],
    ) -> Result<Pipeline, Vec<Problem>> {
        let (mut plan, mut units) = Plan::compile(vec![spec])?;
        if !features.is_empty() {
            let drafts = plan.drafts(view, features)?;
            plan.restrict(&mut units, view, drafts);
        }
        Ok(Pipeline::of((plan, units)))
    }

    /// A pipeline that gives the columns of one pass (an entity's name, or [`EVENTS`]) in its view
    /// and keeps the state of nothing else.
    ///
    /// # Errors
    /// As [`passes`], and where there is no such pass.
    pub fn compile_pass(
        spec: PipelineSpec,
        view: usize,
        pass: &str,
        features: &[String],
    ) -> Result<Pipeline, Vec<Problem>> {
        let (mut plan, mut units) = Plan::compile(vec![spec])?;
        let entities = &plan.united.entities;
        let entity = entities.iter().position(|e| e.name == pass);
        let wanted = match entity {
            Some(entity) => Reach::Entity(entity),
            None if pass == EVENTS => Reach::Event,
            None => {
                let names = entities.iter().map(|entity| entity.name.as_str());
                let help = suggest(pass, names.chain([EVENTS]));
                return Err(vec![problem(pass, "is not a pass".to_owned(), help)]);
            }
        };
        let reaches = plan.reaches(&units, view, features)?;
        let drafts = reaches.into_iter().filter(|(_, reach)| *reach == wanted);
        let drafts: Vec<ColumnDraft> = drafts.map(|(draft, _)| draft).collect();
        plan.restrict(&mut units, view, drafts);
        Ok(Pipeline::of((plan, units)))
    }
}

impl Plan {
    /// Leaves these columns in a view, and idle what they are not read from.
    fn restrict(&mut self, units: &mut [Box<dyn State>], view: usize, drafts: Vec<ColumnDraft>) {
        let needed = needed(&drafts, &self.derived, units.len());
        let view = &mut self.views[view];
        (view.wanted, view.globals) = read_from(&drafts, &needed, &self.offsets);
        let definition = format!("{:016x}", view.columns.fingerprint);
        let list = drafts.into_iter().map(|draft| draft.column).collect();
        view.columns = Arc::new(Columns::new(list, &definition));
        let whens = needed.iter().filter_map(|at| units.get(at.0)?.when());
        let read = whens.flat_map(|Where(at)| self.conditions[at].expression.columns());
        let mut kept: BTreeSet<usize> = read.chain(needed.iter().copied()).map(|at| at.0).collect();
        self.gathers.retain(|gather| kept.contains(&gather.unit));
        kept.extend(
            self.gathers
                .iter()
                .flat_map(|g| &g.sources)
                .map(|source| source.unit),
        );
        for (index, unit) in units.iter_mut().enumerate() {
            if !kept.contains(&index) {
                *unit = Box::new(Stateless(Idle(unit.width())));
            }
        }
        for (index, outcome) in self.outcomes.iter_mut().enumerate() {
            outcome.used = units.iter().any(|unit| unit.outcome() == Some(index));
        }
        self.forget_entities_of_no_unit(units);
    }
}

/// The columns of a unit that nobody reads.
struct Idle(usize);

impl FromEvent for Idle {
    fn width(&self) -> usize {
        self.0
    }

    fn read(&self, _facts: &Facts<'_>, out: &mut [f64]) {
        out.fill(f64::NAN);
    }
}
