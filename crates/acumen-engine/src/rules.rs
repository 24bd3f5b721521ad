//! How the rules of a use case fare, from what the log says.

use std::collections::BTreeMap;

use acumen_base::decision::{Firing, RuleMode};
use acumen_base::{Decision, Money};
use serde::{Deserialize, Serialize};

use crate::core::Live;
use crate::plan::UseCasePlan;

/// How often a rule's condition held, by what came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firings {
    /// It acted.
    pub acted: u64,
    /// It was recorded and did not act.
    pub shadow: u64,
    /// A list kept it from firing.
    pub suppressed: u64,
}

/// The firings of all rules, those that are gone among them.
pub(crate) type FiringsByRule = BTreeMap<String, Firings>;

/// A rule and how it fares.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleStatus {
    /// Its id.
    pub id: String,
    /// Its condition.
    pub when: String,
    /// The action that it asks for.
    pub effect: String,
    /// Its reason in words.
    pub reason: String,
    /// Whether it acts.
    pub mode: RuleMode,
    /// Whether it wins outright.
    pub is_final: bool,
    /// The list whose ids it never fires for.
    pub suppress: Option<String>,
    /// How often it fired.
    pub firings: Firings,
    /// Of the firings, acting or not, those that turned out positive.
    pub positive: u64,
    /// Those that turned out negative.
    pub negative: u64,
    /// The share of the known ones that was positive.
    pub precision: Option<f64>,
    /// Negatives for each positive.
    pub false_positive_ratio: Option<f64>,
    /// What its action is worth more than the mildest one, over the known ones; `None` where the
    /// use case does not say what actions are worth.
    pub saved: Option<Money>,
}

impl Firings {
    /// How often it fired, acting or not.
    pub fn fired(&self) -> u64 {
        self.acted + self.shadow
    }
}

/// Counts the rules that fired in a decision.
pub(crate) fn count(firings: &mut FiringsByRule, decision: &Decision) {
    for hit in &decision.rules {
        let of_rule = firings.entry(hit.id.clone()).or_default();
        match hit.firing {
            Firing::Acted => of_rule.acted += 1,
            Firing::Shadow => of_rule.shadow += 1,
            Firing::Suppressed => of_rule.suppressed += 1,
        }
    }
}

impl RuleStatus {
    /// The declared rules of a use case in order.
    pub fn all(plan: &UseCasePlan, live: &Live) -> Vec<RuleStatus> {
        let rules = plan.policy.spec().rules.iter();
        rules
            .map(|rule| {
                let ledger = live.ledger.as_ref();
                let totals = ledger.and_then(|ledger| ledger.totals().rules.get(&rule.id));
                let nothing = || Money::new(0, plan.declared.currency);
                let saved = || totals.map_or_else(nothing, acumen_value::RuleTotals::saved);
                RuleStatus {
                    id: rule.id.clone(),
                    when: rule.when.clone(),
                    effect: rule.effect.clone(),
                    reason: rule.reason.clone(),
                    mode: live.state.rule_mode(&rule.id).unwrap_or(rule.mode),
                    is_final: rule.is_final,
                    suppress: rule.suppress.clone(),
                    firings: live.firings.get(&rule.id).copied().unwrap_or_default(),
                    positive: totals.map_or(0, |totals| totals.positive.count),
                    negative: totals.map_or(0, |totals| totals.negative.count),
                    precision: totals.and_then(acumen_value::RuleTotals::precision),
                    false_positive_ratio: totals
                        .and_then(acumen_value::RuleTotals::false_positive_ratio),
                    saved: plan.value.is_some().then(saved),
                }
            })
            .collect()
    }
}
