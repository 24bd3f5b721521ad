//! Checked formulas: what an action is worth under a truth.

use std::collections::{BTreeMap, BTreeSet};

use acumen_base::outcome::Truth;
use acumen_base::problem::did_you_mean;
use acumen_base::{Currency, Event, Money, Problem};
use acumen_expr::{Compiled, EventScope, EventSource, Scope, Type, Val};

use crate::spec::{CellSpec, ValueSpec, When};

/// A checked [`ValueSpec`] with its formulas compiled.
#[derive(Clone, Debug)]
pub struct Valuation {
    pub(crate) spec: ValueSpec,
    pub(crate) baseline: usize,
    /// By action: whether it hides the truth.
    pub(crate) hides: Vec<bool>,
    formulas: Vec<Formulas>,
    scope: EventScope,
}

/// The formulas of one action.
#[derive(Clone, Debug, Default)]
struct Formulas {
    positive: Option<Compiled>,
    negative: Option<Compiled>,
    any: Option<Compiled>,
}

/// Minor units of the ledger's currency under each truth; `None` where a formula has no value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Worth {
    pub(crate) positive: Option<i64>,
    pub(crate) negative: Option<i64>,
}

/// Major units of the ledger's currency for one major unit of another.
pub type Rates = BTreeMap<Currency, f64>;

impl Valuation {
    /// Checks a spec and compiles its formulas; reports all problems at once.
    pub fn compile(spec: ValueSpec) -> Result<Valuation, Vec<Problem>> {
        let mut problems = names(&spec);
        let scope = EventScope::new(&spec.event);
        let mut formulas: Vec<Formulas> = vec![Formulas::default(); spec.actions.len()];
        for cell in &spec.cells {
            let compiled = match formula(cell, scope.scope()) {
                Ok(compiled) => compiled,
                Err(more) => {
                    problems.extend(more);
                    continue;
                }
            };
            let Some(action) = position(&spec, &cell.action) else {
                continue;
            };
            let slot = match cell.when {
                When::Positive => &mut formulas[action].positive,
                When::Negative => &mut formulas[action].negative,
                When::Any => &mut formulas[action].any,
            };
            if slot.replace(compiled).is_some() {
                let help = "keep one of them";
                problems.push(Problem::new(
                    key(cell),
                    "the formula is declared twice",
                    help,
                ));
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let baseline = spec
            .baseline
            .as_ref()
            .and_then(|name| position(&spec, name));
        Ok(Valuation {
            baseline: baseline.unwrap_or(0),
            hides: spec
                .actions
                .iter()
                .map(|name| spec.hides_truth.contains(name))
                .collect(),
            formulas,
            scope,
            spec,
        })
    }

    /// What was declared.
    pub fn spec(&self) -> &ValueSpec {
        &self.spec
    }

    /// What an action on an event is worth under either truth, the `any` formula included.
    pub(crate) fn worth(&self, action: usize, event: &Event, rates: &Rates) -> Worth {
        let facts = self.scope.over(event);
        let minor = |formula: &Option<Compiled>| match formula {
            None => Some(0),
            Some(formula) => match formula.eval(&facts)? {
                Val::Money(money) => self.converted(money, rates),
                _ => None,
            },
        };
        let Some(formulas) = self.formulas.get(action) else {
            return Worth::default();
        };
        let any = minor(&formulas.any);
        let with_any = |formula| any?.checked_add(minor(formula)?);
        Worth {
            positive: with_any(&formulas.positive),
            negative: with_any(&formulas.negative),
        }
    }

    /// The fields of the event that its formulas read, by position.
    pub fn reads(&self) -> BTreeSet<usize> {
        let formulas = self
            .formulas
            .iter()
            .flat_map(|of| [&of.positive, &of.negative, &of.any]);
        let slots = formulas.flatten().flat_map(Compiled::slots);
        slots
            .filter_map(|slot| match self.scope.source(*slot)? {
                EventSource::Field(field) => Some(field),
                EventSource::Id | EventSource::Time => None,
            })
            .collect()
    }

    /// What an action on an event is worth under a truth, in the declared currency; `None` while
    /// the truth is open, and where a formula has no value (a missing field, no rate).
    pub fn value(&self, action: &str, truth: Truth, event: &Event, rates: &Rates) -> Option<Money> {
        let worth = self.worth(position(&self.spec, action)?, event, rates);
        let minor = match truth {
            Truth::Open => None,
            Truth::Positive => worth.positive,
            Truth::Negative => worth.negative,
        };
        minor.map(|minor| Money::new(minor, self.spec.currency))
    }

    fn converted(&self, money: Money, rates: &Rates) -> Option<i64> {
        let to = self.spec.currency;
        // Zero is zero in every currency.
        if money.currency == to || money.minor == 0 {
            return Some(money.minor);
        }
        Some(money.convert(*rates.get(&money.currency)?, to).minor)
    }
}

fn position(spec: &ValueSpec, action: &str) -> Option<usize> {
    spec.actions.iter().position(|name| name == action)
}

fn key(cell: &CellSpec) -> String {
    let when = match cell.when {
        When::Positive => "positive",
        When::Negative => "negative",
        When::Any => "any",
    };
    format!("value.{}.{when}", cell.action)
}

fn formula(cell: &CellSpec, scope: &Scope) -> Result<Compiled, Vec<Problem>> {
    Compiled::compile(&cell.formula, scope, Type::Money).map_err(|errors| {
        let problem = |error: acumen_expr::ExprError| Problem {
            key: key(cell),
            offset: error.offset,
            message: error.message,
            help: error.help,
        };
        errors.into_iter().map(problem).collect()
    })
}

fn names(spec: &ValueSpec) -> Vec<Problem> {
    let mut problems = Vec::new();
    let cells = spec
        .cells
        .iter()
        .map(|cell| (format!("value.{}", cell.action), &cell.action));
    let baseline = spec
        .baseline
        .iter()
        .map(|name| ("value.baseline".to_owned(), name));
    let hiding = spec
        .hides_truth
        .iter()
        .map(|name| ("value.hides_truth".to_owned(), name));
    for (key, name) in cells.chain(baseline).chain(hiding) {
        if position(spec, name).is_none() {
            let message = format!("`{name}` is not an action");
            let help = did_you_mean(name, spec.actions.iter().map(String::as_str));
            problems.push(Problem::new(key, message, help));
        }
    }
    problems.dedup();
    if spec.actions.is_empty() {
        let help = "declare at least one, mildest first";
        problems.push(Problem::new("actions", "there is no action", help));
    }
    if spec.negative_after.0 < 0 || spec.closes < spec.negative_after {
        problems.push(Problem::new(
            "outcome.closes",
            format!(
                "an outcome cannot close after {} and count as negative after {}",
                spec.closes, spec.negative_after
            ),
            "let `closes` be at least `negative_after`",
        ));
    }
    problems
}
