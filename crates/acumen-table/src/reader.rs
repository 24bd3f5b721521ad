//! A declared source, opened: what is new in it, and how far it has been read.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use acumen_base::{Diagnostic, EventType, SourceMark, Time};

use crate::address::{Address, Environment};
use crate::database::TableReader;
use crate::declared::{Kind, SourceDecl};
use crate::error::{SourceError, TableError};
use crate::file::FileReader;
use crate::objects::{Fetched, Objects};
use crate::source::{Batch, BlockReader, EventSource};

/// What is new in a source since it was last read.
pub struct SourceReader {
    source: SourceDecl,
    types: Vec<Arc<EventType>>,
    received_at: Time,
    /// The columns that were read last time, each with its type.
    remembered: BTreeMap<String, String>,
    from: From,
    mark: SourceMark,
    unmarked: u64,
}

enum From {
    Table(Box<EventSource>),
    Objects(Box<Objects>),
}

/// Where a source is read, and what is known of it.
#[derive(Clone, Copy)]
pub struct Opening<'a> {
    /// The folder that relative paths are of.
    pub root: &'a Path,
    /// What `${NAME}` and the credentials of object stores are read from.
    pub environment: &'a Environment,
    /// How far it has been read, where it has been.
    pub since: Option<&'a SourceMark>,
    /// The declared types of events.
    pub types: &'a [Arc<EventType>],
    /// When its events reach the log.
    pub received_at: Time,
    /// Whether columns may be of another type than last time.
    pub accept_changes: bool,
}

impl SourceReader {
    /// Reaches the source and checks the mapping against what it has today.
    ///
    /// # Errors
    /// Every problem: it cannot be reached, a column is missing or cannot be converted, or is of
    /// another type than when it was last read.
    pub fn open(
        source: &SourceDecl,
        opening: &Opening<'_>,
    ) -> Result<SourceReader, Vec<Diagnostic>> {
        let address = Address::resolve(&source.read, opening.environment)
            .map_err(|(message, help)| vec![source.problem("unset_variable", message, help)])?;
        let remembered = match (opening.accept_changes, opening.since) {
            (false, Some(since)) => since.columns.clone(),
            _ => BTreeMap::new(),
        };
        let mut reader = SourceReader {
            from: match Kind::of(&address.full) {
                Kind::Objects => From::Objects(Box::new(objects(source, &address, opening)?)),
                Kind::Postgres | Kind::Sqlite => {
                    let table = TableReader::open(source, address, opening.root, opening.since);
                    let reader =
                        BlockReader::Table(Box::new(table.map_err(|problem| vec![problem])?));
                    let name = format!("source `{}`", source.name);
                    let events = events(source, &name, reader, &remembered, opening)?;
                    From::Table(Box::new(events))
                }
            },
            source: source.clone(),
            types: opening.types.to_vec(),
            received_at: opening.received_at,
            remembered,
            mark: SourceMark {
                source: source.name.clone(),
                ..opening.since.cloned().unwrap_or_default()
            },
            unmarked: 0,
        };
        if let From::Table(events) = &reader.from {
            reader.mark.columns = events.columns_read();
            reader.unmarked = events.table().map_or(0, |table| table.unmarked);
        }
        Ok(reader)
    }

    /// What came next, all of it complete records; `None` when there is nothing more.
    ///
    /// # Errors
    /// After an error of a table nothing more comes. An object that is damaged, or whose columns
    /// have changed, is an error by itself, and the next call goes on with the next object.
    pub fn next_batch(&mut self) -> Result<Option<Batch>, SourceError> {
        let fetched = match &mut self.from {
            From::Table(events) => {
                let batch = events.next_batch()?;
                if let Some((watermark, ties)) = events.table().and_then(TableReader::reached) {
                    self.mark.watermark = Some(watermark.to_owned());
                    self.mark.ties = ties.to_vec();
                }
                return Ok(batch);
            }
            From::Objects(objects) => objects.fetch(),
        };
        match fetched {
            None => Ok(None),
            Some(Ok(object)) => self.object(&object).map(Some),
            Some(Err((name, error))) => Err(SourceError::Table(TableError::Read {
                path: name.into(),
                done: 0,
                source: error.into(),
            })),
        }
    }

    /// All of one object.
    fn object(&mut self, object: &Fetched) -> Result<Batch, SourceError> {
        let format = self.source.format;
        let file = FileReader::open_named(&object.path, &object.name, format);
        let file = file.map_err(|problem| SourceError::Problems(vec![problem]))?;
        let opening = Opening {
            root: Path::new(""),
            environment: &Environment::default(),
            since: None,
            types: &self.types,
            received_at: self.received_at,
            accept_changes: false,
        };
        let reader = BlockReader::File(file);
        let opened = events(
            &self.source,
            &object.name,
            reader,
            &self.remembered,
            &opening,
        );
        let mut events = opened.map_err(SourceError::Problems)?;
        let mut all = Batch::default();
        while let Some(batch) = events
            .next_batch()
            .map_err(|error| error.of(&object.name))?
        {
            all.take(batch);
        }
        for rejected in &mut all.rejected {
            rejected.place.file.clone_from(&object.name);
        }
        self.mark.columns.extend(events.columns_read());
        let (key, version) = (object.key.clone(), object.version.clone());
        self.mark.objects.insert(key, version);
        Ok(all)
    }

    /// How far it has been read by what was given: to be logged behind it.
    pub fn mark(&self) -> &SourceMark {
        &self.mark
    }

    /// Rows of a table that have nothing in its watermark column: they are never read.
    pub fn unmarked(&self) -> u64 {
        self.unmarked
    }
}

fn objects(
    source: &SourceDecl,
    address: &Address,
    opening: &Opening<'_>,
) -> Result<Objects, Vec<Diagnostic>> {
    let (root, environment, since) = (opening.root, opening.environment, opening.since);
    let listed = Objects::list(address, environment, root, source.format, since);
    listed.map_err(|error| {
        let message = format!("it cannot be reached: {}", address.redact(&error));
        let help = "check the address, and the credentials in the environment (`AWS_…`)";
        vec![source.problem("unreachable", message, help)]
    })
}

/// Records as events, with what has changed since the source was last read said beside what is
/// wrong with them.
fn events(
    source: &SourceDecl,
    name: &str,
    reader: BlockReader,
    remembered: &BTreeMap<String, String>,
    opening: &Opening<'_>,
) -> Result<EventSource, Vec<Diagnostic>> {
    let today = reader.described();
    let (types, received_at) = (opening.types, opening.received_at);
    let opened = EventSource::over(name.to_owned(), reader, &source.events, types, received_at);
    let events = opened.map_err(|mut problems| {
        explain_by_change(&mut problems, remembered, &today);
        problems
    })?;
    let changed = events
        .columns_read()
        .into_iter()
        .filter_map(|(column, now)| {
            let before = remembered.get(&column).filter(|before| **before != now)?;
            let message =
                format!("`{column}` is {now} now, and was {before} when the source was last read");
            let help = "check that it still means the same; then run once with `--accept-changes`";
            let mut problem = Diagnostic::new("changed_column", message, help);
            name.clone_into(&mut problem.place.file);
            Some(problem)
        });
    let changed: Vec<Diagnostic> = changed.collect();
    match changed.is_empty() {
        true => Ok(events),
        false => Err(changed),
    }
}

fn explain_by_change(
    problems: &mut [Diagnostic],
    remembered: &BTreeMap<String, String>,
    today: &BTreeMap<String, String>,
) {
    for (column, before) in remembered {
        if today.get(column) == Some(before) {
            continue;
        }
        let quoted = format!("`{column}`");
        for problem in problems.iter_mut().filter(|p| p.message.contains(&quoted)) {
            let was = format!("; when the source was last read, {quoted} was there as {before}");
            problem.message.push_str(&was);
        }
    }
}
