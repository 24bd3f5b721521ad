//! `acumen replay`: decisions made again, and compared bit for bit.

use acumen_engine::history::{replay_all, replay_one};
use clap::Args;

use crate::command::explain::find;
use crate::failure::{Failure, Outcome};
use crate::output::{say, say_json, thousands};
use crate::place::Place;
use crate::progress::Progress;

/// Make decisions again from the log, and compare them bit for bit
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen replay orders:o-1042      one decision
  acumen replay --all              every decision of the log

The exit code is 1 if any bit differs. Decisions of another build are reported, not counted.")]
pub(crate) struct Replay {
    /// The decision, such as `orders:o-1042`
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<String>,
    /// Every decision of the log
    #[arg(long)]
    all: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let replayed = match &self.id {
            Some(id) => replay_one(&sources, &*find(&sources, id)?)?,
            None => {
                let mut progress = Progress::new("replaying", "records");
                let replayed = replay_all(&sources, &mut |at| progress.at(at, None, ""))?;
                progress.done();
                replayed
            }
        };
        if self.json {
            say_json(&replayed)?;
        } else {
            say(format!(
                "{} decisions made again, {} differ",
                thousands(replayed.decisions),
                thousands(replayed.mismatches)
            ))?;
            if replayed.other_builds > 0 {
                say(format!(
                    "{} were made by another build",
                    thousands(replayed.other_builds)
                ))?;
            }
            // Where the columns are others, so is every number behind them.
            match replayed
                .differences
                .iter()
                .find(|text| text.contains(": columns: "))
            {
                Some(_) => say(
                    "  the features have changed since: replay with the project as it was then, or \
                     see --json for every difference",
                )?,
                None => {
                    for difference in &replayed.differences {
                        say(format!("  {difference}"))?;
                    }
                }
            }
        }
        if replayed.mismatches == 0 {
            Ok(())
        } else {
            Err(Failure::Reported)
        }
    }
}
