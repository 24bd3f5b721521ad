//! Thresholds fitted to a target again, without training: the deployed models stay, and where the
//! score bands begin moves.

use acumen_base::outcome::Truth;
use acumen_base::{Control, Decision, Time};
use serde::Serialize;

use crate::error::EngineError;
use crate::evaluate::{Evaluation, judge, seen_in_training, state_at_the_end};
use crate::history::Sources;
use crate::judged::decide_all;
use crate::plan::UseCasePlan;
use crate::refusal::Refusal;
use crate::rows::{Rows, Wanted, rows};
use crate::thresholds::{self, Judged, cuts_of, knots_at};

mod cut;
mod target;

use cut::{Cut, Scored};
pub use target::Target;

/// Below so many rows a figure that was reached is mostly luck.
const ROWS_ENOUGH: usize = 30;

/// Pairs of (probability, score).
type Knots = Vec<(f64, f64)>;

/// Which thresholds are wanted.
#[derive(Clone, Debug)]
pub struct RefitOptions {
    /// What they are to reach.
    pub target: Target,
    /// The action whose band begins where the target is reached; the most severe unless named.
    pub action: Option<String>,
    /// Rows from this time on.
    pub from: Time,
    /// Rows before this time.
    pub to: Time,
}

/// Thresholds that reach a target, and what they change.
#[derive(Clone, Debug, Serialize)]
pub struct Refit {
    /// The use case.
    pub use_case: String,
    /// What was to be reached, as it is written.
    pub target: String,
    /// The action whose band was fitted; empty where all were.
    pub action: String,
    /// The probability at which each action but the mildest begins, before and after.
    pub begins: Vec<Begins>,
    /// What the probability alone reaches on these rows: the precision or the share.
    pub reached: Option<f64>,
    /// Rows above the threshold.
    pub rows_above: Option<usize>,
    /// What to keep in mind; empty where there is nothing.
    pub warning: String,
    /// The period decided on with the thresholds in force.
    pub before: Evaluation,
    /// The same with the new ones.
    pub after: Evaluation,
    /// The edit that puts them in force.
    #[serde(skip)]
    pub control: Control,
}

/// Where an action begins.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Begins {
    /// The action.
    pub action: String,
    /// At this probability now.
    pub before: f64,
    /// At this one with the new thresholds.
    pub after: f64,
}

/// Fits the thresholds of a use case to a target on the rows of a period, with the models, lists
/// and rules at the end of the log. Nothing is changed: that is what the control is for.
///
/// # Errors
/// Where the target cannot be reached: what can, then.
pub fn refit(
    sources: &Sources,
    use_case: usize,
    options: &RefitOptions,
    progress: &mut dyn FnMut(u64),
) -> Result<Refit, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let place = place_of(plan, options)?;
    let wanted = Wanted {
        from: options.from,
        to: options.to,
        as_of: None,
        sample: None,
    };
    let rows = rows(sources, use_case, wanted, progress)?;
    let state = state_at_the_end(sources, use_case)?;
    let all: Vec<usize> = (0..rows.len()).collect();
    let decided = decide_all(plan, &plan.policy, &state, &rows, &all);
    let ground = Ground::new(plan, &rows, &decided, options)?;
    let old = cuts_of(&plan.declared.actions, state.knots());
    let (knots, cut) = ground.knots(place, &old)?;
    let control = Control::Thresholds {
        use_case: plan.declared.name.clone(),
        knots,
    };
    let mut moved = (*state).clone();
    let edited = moved.apply(state.control(), &control);
    edited.map_err(EngineError::Control)?;
    let again = decide_all(plan, &plan.policy, &moved, &rows, &all);
    let mut before = judge(sources, use_case, &rows, &state, &decided);
    let mut after = judge(sources, use_case, &rows, &moved, &again);
    for evaluation in [&mut before, &mut after] {
        (evaluation.from, evaluation.to) = (options.from, options.to);
    }
    let mut warning = seen_in_training(sources, use_case, &state, options.from)?;
    if let Some(cut) = cut.filter(|cut| cut.rows < ROWS_ENOUGH) {
        let few = format!("only {} rows lie above the threshold", cut.rows);
        warning = [warning, few]
            .iter()
            .filter(|w| !w.is_empty())
            .cloned()
            .collect::<Vec<_>>()
            .join("; ");
    }
    let action = |(name, _, _): &(String, u8, u8)| name.clone();
    Ok(Refit {
        use_case: plan.declared.name.clone(),
        target: options.target.to_string(),
        action: cut.map_or_else(String::new, |_| action(&plan.declared.actions[place])),
        begins: begins(plan, &old, moved.knots()),
        reached: cut.map(|cut| cut.reached),
        rows_above: cut.map(|cut| cut.rows),
        warning,
        before,
        after,
        control,
    })
}

/// The place of the wanted action among the actions.
fn place_of(plan: &UseCasePlan, options: &RefitOptions) -> Result<usize, EngineError> {
    let name = &plan.declared.name;
    let actions = &plan.declared.actions;
    if actions.len() < 2 {
        let message = format!("`{name}` has one action: there is no threshold to move");
        return Err(EngineError::NotEnough(message));
    }
    let Some(wanted) = &options.action else {
        return Ok(actions.len() - 1);
    };
    match actions.iter().position(|(action, _, _)| action == wanted) {
        Some(0) => Err(EngineError::NotEnough(format!(
            "`{wanted}` is the mildest action and begins at 0: name a stricter one, such as `{}`",
            actions[1].0
        ))),
        Some(place) => Ok(place),
        None => {
            let refusal = Refusal::unknown("action", wanted, actions.iter().map(|a| a.0.as_str()));
            Err(EngineError::NotFound(refusal.to_string()))
        }
    }
}

fn begins(plan: &UseCasePlan, before: &[f64], knots: &[(f64, f64)]) -> Vec<Begins> {
    let actions = &plan.declared.actions;
    let after = cuts_of(actions, knots);
    let cuts = before.iter().zip(after);
    let named = actions.iter().skip(1).zip(cuts);
    named
        .map(|((action, _, _), (before, after))| Begins {
            action: action.clone(),
            before: *before,
            after,
        })
        .collect()
}

/// Rows with the probabilities that the deployed models give them.
struct Ground<'a> {
    plan: &'a UseCasePlan,
    rows: &'a Rows,
    /// The place of each row that has a probability.
    scored: Vec<(usize, f64)>,
    options: &'a RefitOptions,
}

impl<'a> Ground<'a> {
    fn new(
        plan: &'a UseCasePlan,
        rows: &'a Rows,
        decided: &[Decision],
        options: &'a RefitOptions,
    ) -> Result<Ground<'a>, EngineError> {
        let probability = |(i, decision): (usize, &Decision)| Some((i, decision.probability?));
        let scored: Vec<(usize, f64)> =
            decided.iter().enumerate().filter_map(probability).collect();
        let name = &plan.declared.name;
        let period = format!("from {} to {}", options.from, options.to);
        if rows.is_empty() {
            let message = format!("no event of `{name}` lies in the period {period}: name another");
            return Err(EngineError::NotEnough(message));
        }
        if scored.is_empty() {
            return Err(EngineError::NotEnough(format!(
                "no model answers on the {} rows {period}: deploy one with `acumen train {name}`",
                rows.len()
            )));
        }
        Ok(Ground {
            plan,
            rows,
            scored,
            options,
        })
    }

    /// The new knots, and where one action begins, if one was fitted.
    fn knots(&self, place: usize, old: &[f64]) -> Result<(Knots, Option<Cut>), EngineError> {
        let actions = &self.plan.declared.actions;
        let cut = match self.options.target {
            Target::ExpectedCost => return Ok((self.worth_most()?, None)),
            Target::Precision(precision) => cut::at_precision(self.known()?, precision),
            Target::BlockRate(share) => cut::at_share(self.every(), share),
        };
        let action = &actions[place].0;
        let cut = cut.map_err(|best| {
            EngineError::NotEnough(format!(
                "`{}` cannot be reached by `{action}` on these rows: {best}",
                self.options.target
            ))
        })?;
        // What is milder begins no later, and what is stricter no earlier.
        let moved = |(i, old): (usize, &f64)| match (i + 1).cmp(&place) {
            std::cmp::Ordering::Less => old.min(cut.at),
            std::cmp::Ordering::Equal => cut.at,
            std::cmp::Ordering::Greater => old.max(cut.at),
        };
        let cuts: Vec<f64> = old.iter().enumerate().map(moved).collect();
        Ok((knots_at(actions, &cuts), Some(cut)))
    }

    /// The rows whose truth is known and was not hidden.
    fn known(&self) -> Result<Vec<Scored>, EngineError> {
        let rows = self.rows;
        let mature =
            |&&(i, _): &&(usize, f64)| rows.truth[i] != Truth::Open && rows.weight[i] > 0.0;
        let scored = |&(i, probability): &(usize, f64)| Scored {
            probability,
            weight: f64::from(rows.weight[i]),
            positive: rows.truth[i] == Truth::Positive,
        };
        let known: Vec<Scored> = self.scored.iter().filter(mature).map(scored).collect();
        match known.is_empty() {
            true => Err(self.unknown()),
            false => Ok(known),
        }
    }

    fn unknown(&self) -> EngineError {
        EngineError::NotEnough(format!(
            "no outcome of the {} rows from {} to {} is known yet, as of {}: name an earlier period",
            self.rows.len(),
            self.options.from,
            self.options.to,
            self.rows.as_of
        ))
    }

    /// Every row: a share needs no truth.
    fn every(&self) -> Vec<Scored> {
        let scored = |&(_, probability): &(usize, f64)| Scored {
            probability,
            weight: 1.0,
            positive: false,
        };
        self.scored.iter().map(scored).collect()
    }

    /// The bands that are worth most.
    fn worth_most(&self) -> Result<Vec<(f64, f64)>, EngineError> {
        let Some(valuation) = &self.plan.value else {
            return Err(EngineError::NotEnough(format!(
                "`{}` does not say what actions are worth: add `value` to its usecase.yaml, or \
                 name another target",
                self.plan.declared.name
            )));
        };
        let rows = self.rows;
        let mature =
            |&&(i, _): &&(usize, f64)| rows.truth[i] != Truth::Open && rows.weight[i] > 0.0;
        let judged = |&(i, probability): &(usize, f64)| Judged {
            probability,
            truth: rows.truth[i],
            event: &rows.events[i],
            weight: rows.weight[i],
        };
        let judged = self.scored.iter().filter(mature).map(judged).collect();
        let actions = &self.plan.declared.actions;
        let fitted = thresholds::fit(actions, valuation, &rows.rates, judged);
        fitted.ok_or_else(|| self.unknown())
    }
}
