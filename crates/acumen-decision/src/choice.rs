//! From what rules and members said to one action.

use acumen_base::{Decision, Seed};

use crate::course::Verdict;
use crate::policy::Policy;

/// What decides whether a decision is explored.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Chance {
    /// A draw that depends on the seed and the event's id alone.
    Draw(Seed),
    /// What a record says was drawn.
    Drawn(bool),
}

/// The chosen action; actions by severity.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Choice {
    pub(crate) action: usize,
    pub(crate) without_exploration: usize,
    pub(crate) propensity: f64,
    /// What the score alone, or the fallback, asked for.
    pub(crate) base: usize,
    /// Whether the fallback stood in for a score.
    pub(crate) fell_back: bool,
}

impl Chance {
    pub(crate) fn of_record(record: &Decision) -> Chance {
        Chance::Drawn(record.action != record.action_without_exploration)
    }

    fn explores(self, event_id: &str, share: f64) -> bool {
        match self {
            Chance::Draw(seed) => seed.derive("explore").unit(event_id) < share,
            Chance::Drawn(drawn) => drawn,
        }
    }
}

/// Chooses the action: a final rule wins outright, else the most severe of the band and the
/// rules' effects, a share of which is explored.
pub(crate) fn choose(
    policy: &Policy,
    verdict: &Verdict,
    score: Option<f64>,
    event_id: &str,
    chance: Chance,
) -> Choice {
    let ended = verdict.final_rule.is_some() || verdict.ended_early;
    let fell_back = score.is_none() && !ended && !policy.models.is_empty();
    let base = match score {
        Some(score) => policy.bands.action_of(score),
        None if fell_back => policy.fallback,
        // Rules alone were asked, by declaration: silence is consent.
        None => 0,
    };
    let effect = |rule: &usize| policy.rules[*rule].effect;
    let decided = match &verdict.final_rule {
        Some(rule) => effect(rule),
        None => verdict.acting.iter().map(effect).fold(base, usize::max),
    };
    let mut choice = Choice {
        action: decided,
        without_exploration: decided,
        propensity: 1.0,
        base,
        fell_back,
    };
    let explore = policy
        .explore
        .filter(|e| e.of == decided && verdict.final_rule.is_none());
    if let Some(explore) = explore {
        if chance.explores(event_id, explore.share) {
            choice.action = explore.action;
            choice.propensity = explore.share;
        } else {
            choice.propensity = 1.0 - explore.share;
        }
    }
    choice
}
