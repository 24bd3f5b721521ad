//! What happens now, for the live page and the demo.

use std::sync::Arc;

use acumen_base::{Decision, Money};

use crate::core::{Core, Live};
use crate::drill::Drill;
use crate::plan::UseCasePlan;
use crate::ranking::RankingStatus;

/// What happens now.
#[derive(Clone, Debug)]
pub struct Status {
    /// Records in the log.
    pub records: u64,
    /// Models that are slowed down on purpose.
    pub drills: Vec<Drill>,
    /// Each use case.
    pub use_cases: Vec<UseCaseStatus>,
}

/// What happens in one use case.
#[derive(Clone, Debug)]
pub struct UseCaseStatus {
    /// Its name.
    pub name: String,
    /// The question that it answers.
    pub question: String,
    /// How often each action was taken, mildest first.
    pub actions: Vec<(String, u64)>,
    /// What its decisions are worth, where it says.
    pub money: Option<MoneyStatus>,
    /// The latest decisions, newest first.
    pub latest: Vec<Arc<Decision>>,
    /// What is known and was told, where items are ranked.
    pub ranking: Option<RankingStatus>,
}

/// What the decisions of a use case are worth so far.
#[derive(Clone, Debug)]
pub struct MoneyStatus {
    /// Against always choosing the baseline.
    pub saved: Money,
    /// That baseline.
    pub baseline: String,
    /// Of interventions whose truth is known, the share that was right.
    pub precision: Option<f64>,
    /// Of the positives that are known, the share that met an intervention.
    pub recall: Option<f64>,
    /// Decisions whose truth is not known yet.
    pub open: u64,
}

impl Status {
    pub(crate) fn of(core: &Core) -> Status {
        let plans = &core.plan().use_cases;
        let use_cases = plans
            .iter()
            .zip(&core.live)
            .map(|(p, l)| UseCaseStatus::of(p, l));
        Status {
            records: core.next,
            drills: core.drills.clone(),
            use_cases: use_cases.collect(),
        }
    }
}

impl UseCaseStatus {
    fn of(plan: &UseCasePlan, live: &Live) -> UseCaseStatus {
        let taken = |name: &str| live.actions.get(name).copied().unwrap_or(0);
        let actions = plan
            .policy
            .actions()
            .map(|name| (name.to_owned(), taken(name)));
        let valued = live.ledger.as_ref().filter(|_| plan.value.is_some());
        let money = valued.map(|ledger| {
            let totals = ledger.totals();
            MoneyStatus {
                saved: totals.saved(),
                baseline: plan.policy.actions().next().unwrap_or_default().to_owned(),
                precision: totals.precision(),
                recall: totals.recall(),
                open: totals.open,
            }
        });
        UseCaseStatus {
            name: plan.declared.name.clone(),
            question: plan.declared.question.clone(),
            actions: actions.collect(),
            money,
            latest: live.latest.iter().rev().cloned().collect(),
            ranking: live.shelf.as_ref().map(|shelf| shelf.status()),
        }
    }
}
