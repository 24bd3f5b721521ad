//! The world written out as a client would send it, and its truth beside it.

use std::fmt;
use std::io::Write;

use acumen_base::Seed;

use super::{Expected, Moment, Outcome, Parameters, World};
use crate::wire;
use crate::world::error::SimulateError;

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Events of every type.
    pub events: u64,
    /// Lists that were shown.
    pub lists: u64,
    /// What came of them.
    pub clicks: u64,
    /// Purchases from lists.
    pub purchases: u64,
    /// What came of them on average, beyond chance.
    pub expected: Expected,
    /// What the lists with the most clicks would have had, for the same visits.
    pub best: Expected,
}

/// Lists between two calls of `progress`.
const PROGRESS_EVERY: u64 = 256;

/// Writes a world whose lists are dressed: events as NDJSON to `out` in `known_at` order, and to
/// `truth` a CSV with the header `decision_id,session_id,at,clicks,purchases,pence,expected_clicks,
/// expected_purchases,expected_pence,best_clicks,best_purchases,best_pence`, a line each list. The
/// best are three lists, each with the most of its own.
///
/// `progress` is told the lists so far and the lists expected (roughly).
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
    let expected = world.lists_expected();
    let mut summary = Summary::default();
    let mut line = Vec::with_capacity(512);
    writeln!(
        truth,
        "decision_id,session_id,at,clicks,purchases,pence,expected_clicks,expected_purchases,\
         expected_pence,best_clicks,best_purchases,best_pence"
    )
    .map_err(SimulateError::Truth)?;
    while let Some(moment) = world.next_moment() {
        match moment {
            Moment::Event(event) => {
                line.clear();
                wire::write_line(&event, &mut line);
                out.write_all(&line).map_err(SimulateError::Events)?;
                summary.events += 1;
            }
            Moment::Visit(visit) => {
                let (name, list) = (world.list_name(), world.dressed());
                let list: Vec<&str> = list.iter().map(|id| &**id).collect();
                let (told, best) = (world.expected(&list), world.most());
                let came = world.show(&world.dressed_numbers(), &name);
                summary.add(came, told, best);
                writeln!(
                    truth,
                    "{name},{},{},{},{},{},{},{}",
                    visit.session, visit.at, came.clicks, came.purchases, came.pence, told, best
                )
                .map_err(SimulateError::Truth)?;
                if summary.lists % PROGRESS_EVERY == 0 {
                    progress(summary.lists, expected.max(summary.lists));
                }
            }
        }
    }
    out.flush().map_err(SimulateError::Events)?;
    truth.flush().map_err(SimulateError::Truth)?;
    progress(summary.lists, summary.lists);
    Ok(summary)
}

impl Summary {
    fn add(&mut self, came: Outcome, told: Expected, best: Expected) {
        self.lists += 1;
        self.clicks += u64::from(came.clicks);
        self.purchases += u64::from(came.purchases);
        self.expected += told;
        self.best += best;
    }
}

impl std::ops::AddAssign for Expected {
    fn add_assign(&mut self, other: Expected) {
        self.clicks += other.clicks;
        self.purchases += other.purchases;
        self.pence += other.pence;
    }
}

/// As three columns of a CSV.
impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:.4},{:.5},{:.2}",
            self.clicks, self.purchases, self.pence
        )
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = (self.lists as f64).max(1.0);
        let a_list = |found: Expected| {
            format!(
                "{:.3} clicks, {:.4} purchases and {:.2} GBP",
                found.clicks / lists,
                found.purchases / lists,
                found.pence / 100.0 / lists
            )
        };
        write!(
            f,
            "{} lists, {} clicks and {} purchases from them; on average a list had {}, and the \
             best ones for the same visits would have had {}",
            self.lists,
            self.clicks,
            self.purchases,
            a_list(self.expected),
            a_list(self.best)
        )
    }
}
