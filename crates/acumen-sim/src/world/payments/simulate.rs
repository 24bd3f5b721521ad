//! The world written out as a client would send it, and its truth beside it.

use std::io::Write;

use acumen_base::Seed;

use super::{Parameters, World};
use crate::wire;
use crate::world::error::SimulateError;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events of every type.
    pub events: u64,
    /// Payments among them.
    pub payments: u64,
    /// Payments that are fraud.
    pub frauds: u64,
}

/// Events between two calls of `progress`.
const PROGRESS_EVERY: u64 = 4_096;

/// Writes a world: events as NDJSON to `out`, and to `truth` a CSV with the header
/// `payment_id,is_fraud,scenario,oracle`, both in `known_at` order.
///
/// `progress` is told the payments so far and the payments expected (roughly).
///
/// # Errors
/// Parameters that make no world, all problems at once; a writer that fails.
pub fn simulate(
    parameters: Parameters,
    seed: Seed,
    out: &mut dyn Write,
    truth: &mut dyn Write,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Summary, SimulateError> {
    let world = World::new(parameters, seed).map_err(SimulateError::Parameters)?;
    let expected = world.payments_expected();
    let mut summary = Summary::default();
    let mut line = Vec::with_capacity(1_024);
    writeln!(truth, "payment_id,is_fraud,scenario,oracle").map_err(SimulateError::Truth)?;
    for happening in world {
        line.clear();
        wire::write_line(&happening.event, &mut line);
        out.write_all(&line).map_err(SimulateError::Events)?;
        if let Some(known) = &happening.truth {
            let (id, fraud) = (&happening.event.id, u8::from(known.fraud));
            writeln!(truth, "{id},{fraud},{},{:.6}", known.scenario, known.oracle)
                .map_err(SimulateError::Truth)?;
            summary.payments += 1;
            summary.frauds += u64::from(known.fraud);
        }
        summary.events += 1;
        if summary.events % PROGRESS_EVERY == 0 {
            progress(summary.payments, expected);
        }
    }
    out.flush().map_err(SimulateError::Events)?;
    truth.flush().map_err(SimulateError::Truth)?;
    progress(summary.payments, summary.payments);
    Ok(summary)
}
