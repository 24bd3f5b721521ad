//! The world written out as a client would send it, and its truth beside it.

use std::io::Write;

use acumen_base::Seed;

use super::{Kind, Oracle, Parameters, World};
use crate::wire;
use crate::world::account;
use crate::world::error::SimulateError;

/// What was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Events of every type.
    pub events: u64,
    /// Orders among them, those of guests included.
    pub orders: u64,
    /// How near an oracle comes, for each origin.
    pub oracle: Vec<Oracle>,
}

/// Events between two calls of `progress`.
const PROGRESS_EVERY: u64 = 4_096;

/// Writes a world: events as NDJSON to `out` in `known_at` order, and to `truth` a CSV with the
/// header `customer_id,origin,expected,actual` (pounds), by origin and customer.
///
/// `progress` is told the orders so far and the orders expected (roughly).
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
    let mut world = World::new(parameters, seed).map_err(SimulateError::Parameters)?;
    let expected = world.orders_expected();
    let mut summary = Summary::default();
    let mut line = Vec::with_capacity(512);
    for event in world.by_ref() {
        line.clear();
        wire::write_line(&event, &mut line);
        out.write_all(&line).map_err(SimulateError::Events)?;
        summary.orders += u64::from(event.kind.name == super::KINDS[Kind::Order as usize].0);
        summary.events += 1;
        if summary.events % PROGRESS_EVERY == 0 {
            progress(summary.orders, expected.max(summary.orders));
        }
    }
    out.flush().map_err(SimulateError::Events)?;
    writeln!(truth, "customer_id,origin,expected,actual").map_err(SimulateError::Truth)?;
    for known in world.truth() {
        let (id, origin) = (account::id(known.customer), known.origin);
        writeln!(
            truth,
            "{id},{origin},{:.2},{:.2}",
            known.expected, known.actual
        )
        .map_err(SimulateError::Truth)?;
    }
    truth.flush().map_err(SimulateError::Truth)?;
    progress(summary.orders, summary.orders);
    summary.oracle = world.oracle();
    Ok(summary)
}
