//! `acumen score`: every key of a use case scored at a date, into Parquet.

use std::path::PathBuf;

use acumen_base::{Clock, Span, SystemClock, Time};
use acumen_engine::{BatchOptions, BatchOutcome, Coverage, score_all};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output::{say, say_json, thousands};
use crate::place::{Place, position};
use crate::progress::Progress;
use crate::table::table;

/// Keys of a part where nothing is declared.
const BATCH_SIZE: u64 = 10_000;

/// Score every key of a use case that decides on each, such as every customer
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen score spending --all                       at the beginning of today
  acumen score spending --all --at 2026-03-01T02:00:00Z --out scores
  duckdb -c \"from 'scores/2026-03-01T02-00-00Z/*.parquet'\"

Rows are read as they were known at that date. Each key that was known stands there once: with a
value, its interval, the probability that more is to come and the band, or with the reason why not.
A run that was cut off, or ran out of time, goes on where it was when the same command is given
again; one that is done is not run again. `acumen serve` does this by itself where the use case
declares `batch_inference`.")]
pub(crate) struct Score {
    /// The use case
    name: String,
    /// Every key that is known
    #[arg(long, required = true)]
    all: bool,
    /// The date that is scored; the beginning of today, in UTC, unless said
    #[arg(long, value_name = "TIME")]
    at: Option<Time>,
    /// The folder under which the date's is made; `scores` in the data folder unless said
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Keys of a part; as `batch_inference` says, or 10,000
    #[arg(long, value_name = "N")]
    batch_size: Option<u64>,
    /// Stop between two parts after this long; as `batch_inference` says, or never
    #[arg(long, value_name = "SPAN")]
    timeout: Option<Span>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Score {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let use_case = position(&sources.plan, &self.name)?;
        let declared = sources.plan.use_cases[use_case].declared.batch.as_ref();
        let clock = SystemClock::new();
        let today = Time(clock.now().day() * Span::days(1).0);
        let size = self.batch_size.or(declared.map(|batch| batch.batch_size));
        let options = BatchOptions {
            at: self.at.unwrap_or(today),
            out: (self.out.clone()).unwrap_or_else(|| sources.folder.scores(&self.name)),
            batch_size: usize::try_from(size.unwrap_or(BATCH_SIZE)).unwrap_or(usize::MAX),
            timeout: self.timeout.or(declared.map(|batch| batch.timeout)),
        };
        if options.at > clock.now() {
            return Err(Failure::because(format!(
                "{} is yet to come: what is known then is not known now",
                options.at
            )));
        }
        let mut progress = Progress::new(format!("scoring at {}", options.at), "keys");
        let outcome = score_all(&sources, use_case, &options, &*clock, &mut |done, total| {
            progress.at(done as u64, Some(total as u64), "");
        })?;
        progress.done();
        match outcome {
            BatchOutcome::Done { coverage, .. } if self.json => say_json(&coverage),
            BatchOutcome::Done { coverage, before } => {
                say(report(&coverage, before))?;
                say(format!("written under {}", options.out.display()))
            }
            BatchOutcome::Left { done, left } => Err(Failure::because(format!(
                "the time is over: {} keys are scored, {} are left; the same command goes on where \
                 it stopped",
                thousands(done as u64),
                thousands(left as u64)
            ))),
        }
    }
}

/// What a batch came to, as a page of text.
pub(crate) fn report(found: &Coverage, before: bool) -> String {
    let count = |n: usize| thousands(n as u64);
    let mut text = format!(
        "{} at {}, by {}: {} of {} keys scored, {:.2} in all",
        found.use_case,
        found.at,
        found.version,
        count(found.scored),
        count(found.keys),
        found.value
    );
    if before {
        text.push_str(" (it was done before: nothing was written)");
    }
    for (reason, keys) in &found.not_scored {
        text.push_str(&format!("\n  {} not scored: {reason}", count(*keys)));
    }
    if !found.segments.is_empty() {
        let mut lines = vec![["band", "keys"].map(str::to_owned).to_vec()];
        let bands = found.segments.iter();
        lines.extend(bands.map(|(name, keys)| vec![name.clone(), count(*keys)]));
        text.push_str(&format!("\n\n{}", table(&lines)));
    }
    text
}
