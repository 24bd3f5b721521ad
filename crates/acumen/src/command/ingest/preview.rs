//! What an ingest would take and what it would refuse, without writing anything.

use std::collections::BTreeMap;
use std::path::PathBuf;

use acumen_base::{Clock, Event, SystemClock};
use acumen_engine::{IngestOptions, source_marks};
use acumen_table::{
    Batch, EventSource, Mapping, Opening, RejectedRecord, SourceError, SourceReader, TableError,
};

use crate::failure::{Failure, Outcome};
use crate::output::{say, thousands};
use crate::place::Place;
use crate::table::table;

/// Events of each type, and refusals, that are shown.
const SHOWN: usize = 5;
/// Characters of a value that are shown.
const WIDTH: usize = 24;

/// What files would give.
pub(super) fn files(place: &Place, mapping: &Mapping, files: &[PathBuf]) -> Outcome {
    let plan = place.plan()?;
    let now = SystemClock::new().now();
    let (mut opened, mut problems) = (Vec::new(), Vec::new());
    for file in files {
        match EventSource::open(file, mapping, &plan.types, now) {
            Ok(source) => opened.push((file, source)),
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(Failure::problems(&problems));
    }
    for (file, mut source) in opened {
        let mut preview = Preview::default();
        while let Some(batch) = source.next_batch()? {
            preview.take(batch);
        }
        say(preview.shown(&file.display().to_string()))?;
    }
    Ok(())
}

/// What is new in declared sources, each by itself: one that cannot be read hides no other.
pub(super) fn sources(place: &Place, names: &[String], options: IngestOptions<'_>) -> Outcome {
    let plan = place.plan()?;
    let marks = match place.folder().log().is_dir() {
        true => source_marks(&place.sources()?)?,
        false => Vec::new(),
    };
    let mut failed = Vec::new();
    for source in plan.named_sources(names)? {
        let opening = Opening {
            root: &plan.root,
            environment: options.environment,
            since: marks.iter().find(|mark| mark.source == source.name),
            types: &plan.types,
            received_at: SystemClock::new().now(),
            accept_changes: options.accept_changes,
        };
        let mut reader = match SourceReader::open(source, &opening) {
            Ok(reader) => reader,
            Err(problems) => {
                failed.extend(problems.iter().map(ToString::to_string));
                continue;
            }
        };
        let mut preview = Preview::default();
        loop {
            match reader.next_batch() {
                Ok(None) => break,
                Ok(Some(batch)) => preview.take(batch),
                Err(SourceError::Table(error @ TableError::Database { .. })) => {
                    failed.push(error.to_string());
                    break;
                }
                Err(error) => failed.push(error.to_string()),
            }
        }
        say(preview.shown(&source.name))?;
    }
    match failed.is_empty() {
        true => Ok(()),
        false => Err(Failure::because(failed.join("\n"))),
    }
}

/// The first of what was read, and how much there is.
#[derive(Default)]
struct Preview {
    events: BTreeMap<String, Vec<Event>>,
    refused: Vec<RejectedRecord>,
    counts: [u64; 4],
}

impl Preview {
    fn take(&mut self, batch: Batch) {
        let counts = [
            batch.events.len() as u64,
            batch.rejected.len() as u64,
            batch.guests,
            batch.unmatched,
        ];
        for (all, new) in self.counts.iter_mut().zip(counts) {
            *all += new;
        }
        for event in batch.events {
            let shown = self.events.entry(event.kind.name.clone()).or_default();
            if shown.len() < SHOWN {
                shown.push(event);
            }
        }
        let room = SHOWN.saturating_sub(self.refused.len());
        self.refused.extend(batch.rejected.into_iter().take(room));
    }

    fn shown(&self, name: &str) -> String {
        let mut lines = vec![format!("{name}, as it would be taken in:")];
        for (kind, events) in &self.events {
            lines.push(format!("\n  {kind}"));
            lines.push(table(&cells(events)));
        }
        if !self.refused.is_empty() {
            lines.push("\n  refused".to_owned());
        }
        for record in &self.refused {
            lines.push(format!(
                "  line {}: {}; {}",
                record.place.line, record.message, record.help
            ));
        }
        let [events, refused, guests, unmatched] = self.counts.map(thousands);
        lines.push(format!(
            "\n  {events} events would be taken, {refused} records refused, {guests} of guests and \
             {unmatched} without an event left out; nothing was written"
        ));
        lines.join("\n")
    }
}

/// Events of one type as a table; fields that none of them has are left out.
fn cells(events: &[Event]) -> Vec<Vec<String>> {
    let Some(first) = events.first() else {
        return Vec::new();
    };
    let later = events
        .iter()
        .any(|event| event.known_at != event.event_time);
    let fields = first.kind.fields.iter().enumerate();
    let there = |at: usize| events.iter().any(|event| !event.values[at].is_missing());
    let fields: Vec<(usize, &str)> = fields
        .filter(|(at, _)| there(*at))
        .map(|(at, field)| (at, field.name.as_str()))
        .collect();
    let mut head = vec!["id".to_owned(), first.kind.time_field.clone()];
    head.extend(later.then(|| "known at".to_owned()));
    head.extend(fields.iter().map(|(_, name)| (*name).to_owned()));
    let row = |event: &Event| {
        let mut row = vec![cut(&event.id), event.event_time.to_string()];
        row.extend(later.then(|| event.known_at.to_string()));
        let values = fields.iter().map(|(at, _)| &event.values[*at]);
        row.extend(values.map(|value| match value.is_missing() {
            true => "–".to_owned(),
            false => cut(&value.to_string()),
        }));
        row
    };
    std::iter::once(head)
        .chain(events.iter().map(row))
        .collect()
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
