//! Many rows decided on as they would have been live, on all cores.

use std::sync::Arc;

use acumen_base::{Clock, Decision, ManualClock};
use acumen_decision::{Policy, Request, State};

use crate::plan::UseCasePlan;
use crate::rows::Rows;

/// What a policy decides on some of the rows under one state, with all the time that it takes; in
/// their order.
pub(crate) fn decide_all(
    plan: &UseCasePlan,
    policy: &Policy,
    state: &State,
    rows: &Rows,
    which: &[usize],
) -> Vec<Decision> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let share = which.len().div_ceil(threads).max(1);
    let decide = |which: &[usize]| -> Vec<Decision> {
        let decide = |&i: &usize| decide(plan, policy, state, (rows, i));
        which.iter().map(decide).collect()
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = which
            .chunks(share)
            .map(|part| scope.spawn(move || decide(part)))
            .collect();
        let parts = parts.into_iter().map(|part| {
            let part = part.join();
            part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        parts.flatten().collect()
    })
}

fn decide(
    plan: &UseCasePlan,
    policy: &Policy,
    state: &State,
    (rows, i): (&Rows, usize),
) -> Decision {
    let row = rows.row(i);
    let clock: Arc<dyn Clock> = ManualClock::at(rows.as_of);
    let request = Request {
        id: String::new(),
        event: &rows.events[i],
        row: &row,
        received_nanos: 0,
        decided_at: rows.as_of,
        clock,
        seed: plan.seed(),
        build: crate::BUILD,
        pool: None,
        waiting: 0,
    };
    policy.decide(&request, state)
}
