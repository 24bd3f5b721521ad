//! `acumen quarantine`: what was refused, and why.

use acumen_engine::Quarantined;
use acumen_event::{Log, LogOptions, Quarantine};
use clap::{Args, Subcommand};

use crate::failure::{Failure, Outcome};
use crate::output::{say, say_json};
use crate::place::Place;

/// Bytes of refused records that are kept.
const BYTES_MAX: u64 = acumen_event::QUARANTINE_BYTES_MAX;

/// Show records that were refused, with the reason of each
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen quarantine                the first refusals
  acumen quarantine list --after 100
  acumen quarantine show 17        one of them, with its original text

To send one again, correct it and ingest it; while a server runs: POST /v1/quarantine/{id}/resubmit.")]
pub(crate) struct QuarantineCommand {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Subcommand)]
enum What {
    /// Refused records, oldest first
    List {
        /// Only behind this number
        #[arg(long, default_value_t = 0)]
        after: u64,
        /// How many
        #[arg(long, default_value_t = 20)]
        count: usize,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// One refused record, with its original text
    Show {
        /// Its number
        id: u64,
    },
}

impl QuarantineCommand {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let folder = place.folder();
        if !folder.quarantine().is_dir() {
            return say("nothing was refused");
        }
        // Its owner holds the log's lock, so that nobody writes it meanwhile.
        let _held = Log::open(&folder.log(), LogOptions::default())?;
        let quarantine = Quarantine::open(&folder.quarantine(), BYTES_MAX)?;
        match &self.what {
            None => list(&quarantine, 0, 20, false),
            Some(What::List { after, count, json }) => list(&quarantine, *after, *count, *json),
            Some(What::Show { id }) => match quarantine.get(*id)? {
                Some(entry) => say(format!(
                    "{}\noriginal:\n{}",
                    line(&entry),
                    String::from_utf8_lossy(&entry.original)
                )),
                None => Err(Failure::because(format!(
                    "there is no refused record {id}: it was sent again, or never there"
                ))),
            },
        }
    }
}

fn list(quarantine: &Quarantine, after: u64, count: usize, json: bool) -> Outcome {
    let entries = quarantine.list(after, count)?;
    if json {
        return say_json(&entries);
    }
    if entries.is_empty() {
        return say("nothing was refused");
    }
    for entry in &entries {
        say(line(entry))?;
    }
    let counters = quarantine.counters();
    let last = entries.last().map_or(0, |entry| entry.id);
    let more = if counters.open() > entries.len() as u64 {
        format!("; the next ones: `acumen quarantine list --after {last}`")
    } else {
        String::new()
    };
    say(format!(
        "{} in quarantine, {} sent again{more}",
        counters.open(),
        counters.resolved
    ))
}

fn line(entry: &Quarantined) -> String {
    let problems: Vec<String> = entry
        .problems
        .iter()
        .map(|problem| format!("{}; {}", problem.message, problem.help))
        .collect();
    format!("{}  {}  {}", entry.id, entry.source, problems.join(" | "))
}
