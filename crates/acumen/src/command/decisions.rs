//! `acumen decisions`: every decision, as a file.

use std::path::PathBuf;
use std::sync::Arc;

use acumen_base::{Body, Decision};
use acumen_event::LogReader;
use acumen_table::write_decisions;
use clap::Args;

use crate::failure::Outcome;
use crate::output::{say, thousands};
use crate::place::Place;

/// Write every decision of the log as Parquet
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen decisions --out decisions.parquet")]
pub(crate) struct Decisions {
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Decisions {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let reader = LogReader::open(&sources.folder.log())?;
        let mut decisions: Vec<Arc<Decision>> = Vec::new();
        for record in reader.read(reader.first_position()?) {
            if let Body::Decision(decision) = record?.body {
                decisions.push(decision);
            }
        }
        write_decisions(&self.out, decisions.iter().map(|decision| &**decision))?;
        let count = thousands(decisions.len() as u64);
        say(format!(
            "{count} decisions written to {}",
            self.out.display()
        ))
    }
}
