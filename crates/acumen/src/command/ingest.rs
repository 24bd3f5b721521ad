//! `acumen ingest`: files and declared sources into the log.

mod preview;
mod server;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::SystemClock;
use acumen_engine::{
    EngineError, ImportProgress, ImportReport, IngestOptions, LogOptions, Offline, import_files,
    import_files_into, ingest_sources, ingest_sources_into,
};
use acumen_event::LogError;
use acumen_table::{Environment, Mapping};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output::{say, say_json, thousands};
use crate::place::{Place, read};
use crate::progress::Progress;
use server::ServerSink;

/// Take what is new in the declared sources, or files, into the event log
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen ingest                                   what is new in every declared source
  acumen ingest orders_db --dry-run               what would be taken of one, and what refused
  acumen ingest --mapping map.yaml orders.csv complaints.ndjson
  acumen ingest --server http://10.0.0.5:7070     into a server that runs elsewhere

While `acumen serve` holds the data folder, events are sent to it: they count as known from when
they arrive there.

A source is a file of catalogue/sources, read again and again, each time only what is new:

  read: postgres://reader:${SHOP_PASSWORD}@db.example/shop    # or sqlite:shop.db, s3://…, a folder
  table: orders
  watermark: updated_at
  events:
    order:
      id: \"o-{order_no}\"
      time: {column: placed, timezone: UTC}
      fields:
        customer_id: customer
        amount: {column: total, currency: GBP}

A mapping is a file with the part under `events` alone. All files of one history belong into one
command: their events are sorted by when they became known. A record that is refused goes to
quarantine; the good ones beside it are taken. Taking the same in again changes nothing.
docs/sources.md says everything.")]
pub(crate) struct Ingest {
    /// Declared sources; all of them unless named. With --mapping, files
    #[arg(value_name = "SOURCES")]
    names: Vec<String>,
    /// How the columns of files become events
    #[arg(long, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Show the first events and what would be refused; write nothing
    #[arg(long)]
    dry_run: bool,
    /// Read a source although its columns are of other types than last time
    #[arg(long, conflicts_with = "mapping")]
    accept_changes: bool,
    /// Send events to the server at this address
    #[arg(long, value_name = "URL", conflicts_with = "dry_run")]
    server: Option<String>,
    /// The summary as JSON
    #[arg(long, conflicts_with = "dry_run")]
    json: bool,
}

impl Ingest {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let environment = Environment::of_process();
        let options = IngestOptions {
            environment: &environment,
            accept_changes: self.accept_changes,
        };
        let files = self.files()?;
        match (&files, self.dry_run) {
            (Some((mapping, files)), true) => preview::files(place, mapping, files),
            (None, true) => preview::sources(place, &self.names, options),
            (files, false) => self.take(place, files.as_ref(), options),
        }
    }

    /// The mapping and the files, where it is files that are taken in.
    fn files(&self) -> Outcome<Option<(Mapping, Vec<PathBuf>)>> {
        let names: Vec<PathBuf> = self.names.iter().map(PathBuf::from).collect();
        let Some(path) = &self.mapping else {
            return match names.iter().find(|name| name.is_file()) {
                None => Ok(None),
                Some(file) => Err(Failure::because(format!(
                    "`{}` is a file: add `--mapping FILE`, which says how its columns become \
                     events",
                    file.display()
                ))),
            };
        };
        if names.is_empty() {
            return Err(Failure::because("name the files that `--mapping` is for"));
        }
        Ok(Some((mapping(path)?, names)))
    }

    /// The server that is named, or the folder; the server that holds it, where one does.
    fn destination(&self, place: &Place) -> Outcome<Destination> {
        let (plan, folder) = (place.plan()?, place.folder());
        if let Some(url) = &self.server {
            return Ok(Destination::Server(ServerSink::at(url, plan)?));
        }
        match Offline::open(Arc::clone(&plan), folder.clone(), LogOptions::default()) {
            Ok(offline) => Ok(Destination::Folder(Box::new(offline))),
            Err(EngineError::Log(LogError::Locked { .. })) => {
                Ok(Destination::Server(ServerSink::holding(&folder, plan)?))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn take(
        &self,
        place: &Place,
        files: Option<&(Mapping, Vec<PathBuf>)>,
        options: IngestOptions<'_>,
    ) -> Outcome {
        let clock = SystemClock::new();
        let mut reading = Progress::new("reading", "records or bytes");
        let mut writing = None;
        let mut progress = |at| match at {
            ImportProgress::Reading(file, done, total) => {
                reading.at(done, total, &format!("in {}", file.display()));
            }
            ImportProgress::Writing(done, total) => writing
                .get_or_insert_with(|| Progress::new("writing", "events"))
                .at(done, Some(total), ""),
        };
        let names = &self.names;
        let (report, into) = match self.destination(place)? {
            Destination::Folder(mut offline) => {
                let offline_ref = &mut *offline;
                let report = match files {
                    Some((mapping, files)) => {
                        import_files(offline_ref, files, mapping, &*clock, &mut progress)?
                    }
                    None => ingest_sources(offline_ref, names, options, &*clock, &mut progress)?,
                };
                offline.close()?;
                (report, place.folder().root().display().to_string())
            }
            Destination::Server(mut sink) => {
                let report = match files {
                    Some((mapping, files)) => {
                        import_files_into(&mut sink, files, mapping, &*clock, &mut progress)?
                    }
                    None => ingest_sources_into(&mut sink, names, options, &*clock, &mut progress)?,
                };
                (report, sink.to_string())
            }
        };
        reading.done();
        if let Some(writing) = writing {
            writing.done();
        }
        match self.json {
            true => say_json(&report)?,
            false => say(summary(&report, &into))?,
        }
        match report.failed.is_empty() {
            true => Ok(()),
            false => Err(Failure::because(report.failed.join("\n"))),
        }
    }
}

/// Where events are taken to.
enum Destination {
    /// A folder that this process holds.
    Folder(Box<Offline>),
    /// A server.
    Server(ServerSink),
}

fn summary(report: &ImportReport, into: &str) -> String {
    let mut lines = vec![format!(
        "{} events taken into {into}",
        thousands(report.logged)
    )];
    let counts = [
        (report.repeated, "were there already"),
        (
            report.too_late,
            "of them came later than their type's `lateness`: logged, and counted by no feature",
        ),
        (report.guests, "records of guests, without an id: left out"),
        (
            report.unmatched,
            "records of which no `when` holds: left out",
        ),
        (
            report.unmarked,
            "rows without a value in the watermark column: not read",
        ),
        (
            report.refused,
            "records refused; they are kept: `acumen quarantine list`",
        ),
    ];
    for (count, what) in counts.into_iter().filter(|(count, _)| *count > 0) {
        lines.push(format!("{} {what}", thousands(count)));
    }
    for problem in &report.problems {
        let like = match problem.records {
            1 => String::new(),
            records => format!("\n    and {} more like it", thousands(records - 1)),
        };
        lines.push(format!("  {}{like}", problem.first));
    }
    lines.join("\n")
}

/// Reads a mapping.
pub(super) fn mapping(path: &Path) -> Outcome<Mapping> {
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
