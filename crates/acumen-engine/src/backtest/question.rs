//! A query, checked against the use case that it is about.

use std::sync::Arc;

use acumen_base::{EventType, Problem};
use acumen_decision::{Condition, Reads};

use super::BacktestQuery;
use crate::error::EngineError;
use crate::plan::UseCasePlan;

/// A checked query.
pub(super) struct Question<'a> {
    pub(super) plan: &'a UseCasePlan,
    pub(super) rule: Condition,
    pub(super) effect: usize,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) reads: Reads,
    /// Whether the new rule itself reads a score.
    pub(super) scored: bool,
    pub(super) kind: Arc<EventType>,
    /// The field with what is at stake.
    pub(super) amount: Option<usize>,
}

impl<'a> Question<'a> {
    /// Checks a query.
    pub(super) fn new(
        plan: &'a UseCasePlan,
        query: &BacktestQuery,
    ) -> Result<Question<'a>, EngineError> {
        let policy = &plan.policy;
        let mut problems = Vec::new();
        if query.from >= query.to {
            let message = format!("there is no time from {} to {}", query.from, query.to);
            problems.push(Problem::new("from", message, "let `from` come before `to`"));
        }
        let last = policy.actions().count() - 1;
        let effect = match &query.effect {
            None => Some(last.min(1)),
            Some(name) => policy.severity(name).or_else(|| {
                let what = "an action";
                problems.push(Problem::unknown("effect", name, what, policy.actions()));
                None
            }),
        };
        let rule = policy.condition(&query.rule);
        let rule = rule.map_err(|more| problems.extend(more)).ok();
        let (Some(rule), Some(effect), true) = (rule, effect, problems.is_empty()) else {
            return Err(EngineError::Rule(problems));
        };
        let mut reads = policy.reads(&rule);
        let scored = reads.score;
        for rule in 0..policy.spec().rules.len() {
            let more = policy.rule_reads(rule);
            reads.columns.extend(more.columns);
            reads.fields.extend(more.fields);
            reads.event_id |= more.event_id;
            reads.score |= more.score;
        }
        let spec = policy.spec();
        let kind = Arc::clone(&spec.event);
        let amount = spec.amount.as_ref().and_then(|name| kind.position(name));
        reads.fields.extend(amount);
        if let Some(valuation) = &plan.value {
            reads.fields.extend(valuation.reads());
        }
        Ok(Question {
            plan,
            rule,
            effect,
            from: query.from.0,
            to: query.to.0,
            reads,
            scored,
            kind,
            amount,
        })
    }
}
