//! `acumen ingest`: files into the log.

use std::path::{Path, PathBuf};

use acumen_base::{Clock, SystemClock};
use acumen_engine::{ImportProgress, ImportReport, import_files};
use acumen_table::{EventSource, Mapping};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output::{say, say_json, thousands};
use crate::place::{Place, read};
use crate::progress::Progress;

/// Events that a dry run shows.
const SHOWN: usize = 5;

/// Take Parquet, CSV or NDJSON files into the event log
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen ingest --mapping map.yaml orders.csv complaints.ndjson
  acumen ingest --mapping map.yaml --dry-run orders.parquet

The mapping says which columns become which fields:

  events:
    order:
      id: \"o-{order_no}\"
      time: {column: placed, timezone: UTC}
      fields:
        customer_id: customer
        amount: {column: total, currency: GBP}

All files of one history belong into one command: their events are sorted by when they became
known. A record that is refused goes to quarantine; the good ones beside it are taken. Taking the
same file in again changes nothing.")]
pub(crate) struct Ingest {
    /// How columns become events
    #[arg(long, value_name = "FILE")]
    mapping: PathBuf,
    /// The files
    #[arg(required = true, value_name = "FILES")]
    files: Vec<PathBuf>,
    /// Show the first events and what would be refused; write nothing
    #[arg(long)]
    dry_run: bool,
    /// The summary as JSON
    #[arg(long)]
    json: bool,
}

impl Ingest {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let mapping = mapping(&self.mapping)?;
        if self.dry_run {
            return self.show(place, &mapping);
        }
        let mut offline = place.offline()?;
        let clock = SystemClock::new();
        let mut reading = Progress::new("reading", "records or bytes");
        let mut writing = None;
        let report = import_files(
            &mut offline,
            &self.files,
            &mapping,
            &*clock,
            &mut |at| match at {
                ImportProgress::Reading(file, done, total) => {
                    reading.at(done, total, &format!("in {}", file.display()));
                }
                ImportProgress::Writing(done, total) => writing
                    .get_or_insert_with(|| Progress::new("writing", "events"))
                    .at(done, Some(total), ""),
            },
        )?;
        reading.done();
        if let Some(writing) = writing {
            writing.done();
        }
        offline.close()?;
        if self.json {
            say_json(&report)
        } else {
            say(summary(&report, place))
        }
    }

    fn show(&self, place: &Place, mapping: &Mapping) -> Outcome {
        let plan = place.plan()?;
        let now = SystemClock::new().now();
        let (mut sources, mut problems) = (Vec::new(), Vec::new());
        for file in &self.files {
            match EventSource::open(file, mapping, &plan.types, now) {
                Ok(source) => sources.push((file, source)),
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(Failure::problems(&problems));
        }
        for (file, mut source) in sources {
            let (mut events, mut refused, mut shown) = (0_u64, 0_u64, 0);
            say(format!("{}, as it would be taken in:", file.display()))?;
            while let Some(batch) = source.next_batch()? {
                for event in batch.events.iter().take(SHOWN.saturating_sub(shown)) {
                    shown += 1;
                    let mut line = Vec::new();
                    acumen_sim::wire::write_line(event, &mut line);
                    let line = String::from_utf8_lossy(&line);
                    say(format!(
                        "  {}  (known at {})",
                        line.trim_end(),
                        event.known_at
                    ))?;
                }
                let room = (SHOWN as u64).saturating_sub(refused) as usize;
                for record in batch.rejected.iter().take(room) {
                    say(format!(
                        "  refused, line {}: {}; {}",
                        record.place.line, record.message, record.help
                    ))?;
                }
                events += batch.events.len() as u64;
                refused += batch.rejected.len() as u64;
            }
            let (events, refused) = (thousands(events), thousands(refused));
            say(format!(
                "  {events} events would be taken, {refused} records refused; nothing was written"
            ))?;
        }
        Ok(())
    }
}

fn summary(report: &ImportReport, place: &Place) -> String {
    let folder = place.folder();
    let mut text = format!(
        "{} events taken into {}",
        thousands(report.logged),
        folder.root().display()
    );
    if report.repeated > 0 {
        text.push_str(&format!(
            "\n{} were there already",
            thousands(report.repeated)
        ));
    }
    if report.refused > 0 {
        text.push_str(&format!(
            "\n{} records refused; they are kept: `acumen quarantine list`",
            thousands(report.refused)
        ));
        for problem in report.problems.iter().take(SHOWN) {
            text.push_str(&format!("\n  {problem}"));
        }
        let more = report.refused.saturating_sub(SHOWN as u64);
        if more > 0 {
            text.push_str(&format!("\n  … and {} more", thousands(more)));
        }
    }
    text
}

/// Reads a mapping.
fn mapping(path: &Path) -> Outcome<Mapping> {
    let text = read(path)?;
    serde_saphyr::from_str(&text).map_err(|error| {
        let place = error
            .location()
            .map(|at| format!(":{}:{}", at.line(), at.column()));
        let message = error.without_snippet().render();
        let message = message.lines().next().unwrap_or_default();
        Failure::because(format!(
            "{}{}: {message}\n  help: `acumen ingest --help` shows what a mapping looks like",
            path.display(),
            place.unwrap_or_default()
        ))
    })
}
