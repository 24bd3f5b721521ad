//! Several specs over one log: what they declare alike is one, and what is computed alike is
//! computed once.

use std::sync::Arc;

use acumen_base::{Currency, EventType};

use crate::builder::{At, Builder, ColumnDraft};
use crate::condition::Where;
use crate::operator::WHERE;
use crate::problem::Problem;
use crate::spec::{Entity, FeatureSpec, Operand, Param, PipelineSpec, Rates};

/// What all specs of a pipeline declare together.
pub(crate) struct United {
    pub(crate) currency: Currency,
    pub(crate) events: Vec<Arc<EventType>>,
    pub(crate) entities: Vec<Entity>,
    pub(crate) rates: Option<Rates>,
    /// Which of the event types each spec declares, in its own order.
    pub(crate) kinds: Vec<Vec<usize>>,
}

impl United {
    /// # Errors
    /// What two of the specs mean differently.
    pub(crate) fn of(specs: &[PipelineSpec]) -> Result<United, Vec<Problem>> {
        let mut united = United {
            currency: specs.first().map_or(Currency::GBP, |spec| spec.currency),
            events: Vec::new(),
            entities: Vec::new(),
            rates: specs.first().and_then(|spec| spec.rates.clone()),
            kinds: Vec::new(),
        };
        let mut problems = Vec::new();
        for spec in specs {
            if spec.currency != united.currency || spec.rates != united.rates {
                problems.push(differs("rates", "money is converted"));
            }
            for entity in &spec.entities {
                match united.entities.iter().find(|e| e.name == entity.name) {
                    Some(known) if known.field != entity.field => {
                        problems.push(differs(&entity.name, "its keys are made"));
                    }
                    Some(_) => {}
                    None => united.entities.push(entity.clone()),
                }
            }
            let mut kinds = Vec::new();
            for kind in &spec.events {
                let known = united.events.iter().position(|k| k.name == kind.name);
                kinds.push(known.unwrap_or(united.events.len()));
                match known {
                    Some(at) if united.events[at] != *kind => {
                        problems.push(differs(&kind.name, "its events are declared"));
                    }
                    Some(_) => {}
                    None => united.events.push(Arc::clone(kind)),
                }
            }
            united.kinds.push(kinds);
        }
        match problems.is_empty() {
            true => Ok(united),
            false => Err(problems),
        }
    }
}

fn differs(name: &str, what: &str) -> Problem {
    Problem {
        feature: name.to_owned(),
        key: "united".to_owned(),
        message: format!("{what} differently by two of the specs"),
        help: "compile them apart".to_owned(),
        offset: None,
    }
}

/// A feature that was compiled, and what its names lead to: a declaration of the same words means
/// the same where they lead to the same.
pub(crate) struct Known<'a> {
    feature: &'a FeatureSpec,
    leads_to: LeadsTo,
    columns: Vec<ColumnDraft>,
}

#[derive(PartialEq, Eq)]
struct LeadsTo {
    outcome: Option<usize>,
    columns: Vec<At>,
    when: Option<Where>,
}

impl<'a> Builder<'a> {
    /// The columns of a feature where another spec declares the same.
    pub(crate) fn computed(&mut self, feature: &'a FeatureSpec) -> Option<Vec<ColumnDraft>> {
        if self.known.iter().all(|known| known.feature != feature) || !self.problems.is_empty() {
            return None;
        }
        let leads_to = self.leads_to(feature);
        let same = |known: &&Known<'_>| known.feature == feature && known.leads_to == leads_to;
        self.known
            .iter()
            .find(same)
            .map(|known| known.columns.clone())
    }

    /// Notes the columns of a feature for other specs. One that is derived holds no state, and
    /// costs nothing where no row has it.
    pub(crate) fn note(&mut self, feature: &'a FeatureSpec, columns: &[ColumnDraft]) {
        if self.specs.len() > 1 && !feature.params.contains_key("cel") {
            let leads_to = self.leads_to(feature);
            self.known.push(Known {
                feature,
                leads_to,
                columns: columns.to_vec(),
            });
        }
    }

    fn leads_to(&mut self, feature: &'a FeatureSpec) -> LeadsTo {
        let outcome = match &feature.of {
            Operand::Outcome(name) => self.outcome(name),
            _ => None,
        };
        let mut named: Vec<&str> = Vec::new();
        if let Operand::Feature(name) = &feature.of {
            named.push(name);
        }
        match feature.params.get("gather") {
            Some(Param::Texts(names)) => named.extend(names.iter().map(String::as_str)),
            Some(Param::Text(name)) => named.push(name),
            _ => {}
        }
        let columns_of = |name: &&str| self.features().iter().find(|(known, _)| known == name);
        let columns = named.iter().filter_map(columns_of);
        let columns = columns.flat_map(|(_, drafts)| drafts.iter().map(|draft| draft.at));
        let columns = columns.collect();
        LeadsTo {
            outcome,
            columns,
            when: self.when(feature),
        }
    }

    /// The condition of a feature on events of one type.
    fn when(&mut self, feature: &FeatureSpec) -> Option<Where> {
        let Some(Param::Text(text)) = feature.params.get(WHERE.name) else {
            return None;
        };
        let event = match &feature.of {
            Operand::Event { event, .. } => event,
            Operand::Outcome(name) => {
                let mut outcomes = self.spec().outcomes.iter();
                &outcomes.find(|outcome| outcome.name == *name)?.of
            }
            _ => return None,
        };
        let kind = self.find_kind(event)?;
        self.condition(kind, text).ok()
    }
}
