//! A table of a database as blocks of cells, in the order of its watermark.
//!
//! A thread of its own reads the rows and hands them over in chunks, of which few may wait: a slow
//! consumer slows the database down instead of filling the memory.

mod postgres;
mod reading;
mod sqlite;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use acumen_base::{Diagnostic, SourceMark};
use tokio::runtime::{Builder, Runtime};

use crate::address::Address;
use crate::cell::{Block, ColumnCells, ColumnType, Datum, Lines, Originals};
use crate::declared::{Kind, SourceDecl};
use crate::error::TableError;
use reading::{Chunk, Query};

/// How long a database may take to answer that it is there.
const CONNECT_MAX: Duration = Duration::from_secs(10);
/// How long it may take between two rows, the first included: it may have to sort them.
const ROW_MAX: Duration = Duration::from_secs(600);
/// Rows at one value of the watermark that are remembered one by one; of more, the ids of their
/// events tell which are new.
const TIES_MAX: usize = 4_096;

/// A column of a table.
#[derive(Clone, Debug)]
struct TableColumn {
    name: String,
    /// Its type as the database names it.
    declared: String,
    kind: ColumnType,
}

/// An open connection.
enum Connection {
    Postgres(sqlx::PgConnection),
    Sqlite(sqlx::SqliteConnection),
}

/// A table that is read.
pub(crate) struct TableReader {
    source: String,
    address: Arc<Address>,
    columns: Vec<TableColumn>,
    /// What reading begins with; gone when it has begun.
    open: Option<(Runtime, Connection, Query)>,
    chunks: Option<Receiver<Result<Chunk, String>>>,
    names: Arc<[String]>,
    wanted: Vec<TableColumn>,
    /// The newest watermark that was given, and the hashes of the rows that hold it.
    reached: Option<(String, Vec<u64>)>,
    done: u64,
    /// Rows that have nothing in the watermark column, which are never read.
    pub(crate) unmarked: u64,
}

impl TableReader {
    /// Connects and looks at the table; what `since` has seen is not read again.
    pub(crate) fn open(
        source: &SourceDecl,
        address: Address,
        root: &std::path::Path,
        since: Option<&SourceMark>,
    ) -> Result<TableReader, Diagnostic> {
        let address = Arc::new(address);
        let refuse = |code, message: String, help: &str| {
            source.problem(code, address.redact(&message), help)
        };
        let table = source.table.as_deref().ok_or_else(|| {
            let message = "a database needs the name of a table".to_owned();
            refuse("missing_key", message, "add `table: orders`")
        })?;
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| {
            let help = "check how many files and threads the system allows";
            refuse("unreachable", error.to_string(), help)
        })?;
        let reached = runtime.block_on(async {
            let connecting = connect(&address, root);
            let mut connection = match tokio::time::timeout(CONNECT_MAX, connecting).await {
                Ok(connected) => connected?,
                Err(_) => return Err(format!("no answer within {} s", CONNECT_MAX.as_secs())),
            };
            let columns = match &mut connection {
                Connection::Postgres(postgres) => postgres::columns(postgres, table).await,
                Connection::Sqlite(sqlite) => sqlite::columns(sqlite, table).await,
            };
            Ok((connection, columns.map_err(|error| error.to_string())?))
        });
        let (mut connection, columns) = reached.map_err(|error| {
            refuse(
                "unreachable",
                format!("the database cannot be reached: {error}"),
                "check that it runs and that the address and the credentials are right; the next \
                 run goes on where the last one ended",
            )
        })?;
        if columns.is_empty() {
            let message = format!("there is no table `{table}`, or it may not be read");
            let help = "check its name, with the schema before it where it needs one";
            return Err(refuse("missing_table", message, help));
        }
        let watermark = match source.watermark.as_deref() {
            None => None,
            Some(name) => Some(
                watermark(name, &columns)
                    .map_err(|(message, help)| refuse("bad_watermark", message, &help))?,
            ),
        };
        let unmarked = match &watermark {
            None => 0,
            Some(column) => runtime
                .block_on(reading::unmarked(&mut connection, table, &column.name))
                .map_err(|error| {
                    let help = "check that the user may read the table";
                    refuse("unreachable", error.to_string(), help)
                })?,
        };
        let since = since.filter(|_| watermark.is_some());
        let reached = since.and_then(|since| Some((since.watermark.clone()?, since.ties.clone())));
        let query = Query {
            table: table.to_owned(),
            watermark,
            since: reached.clone(),
        };
        Ok(TableReader {
            source: source.name.clone(),
            address: Arc::clone(&address),
            columns,
            open: Some((runtime, connection, query)),
            chunks: None,
            names: Arc::new([]),
            wanted: Vec::new(),
            reached,
            done: 0,
            unmarked,
        })
    }

    pub(crate) fn columns(&self) -> Vec<(String, ColumnType)> {
        let columns = self.columns.iter();
        columns.map(|c| (c.name.clone(), c.kind.clone())).collect()
    }

    /// Begins to read these columns.
    pub(crate) fn want(&mut self, wanted: &Arc<[String]>) -> Result<(), TableError> {
        let Some((runtime, connection, query)) = self.open.take() else {
            return Ok(());
        };
        let column = |name: &String| self.columns.iter().find(|c| c.name == *name).cloned();
        self.wanted = wanted.iter().filter_map(column).collect();
        self.names = Arc::clone(wanted);
        let (sender, chunks) = std::sync::mpsc::sync_channel(2);
        let columns = self.wanted.clone();
        let thread = std::thread::Builder::new().name("source".into());
        let started = thread.spawn(move || {
            runtime.block_on(reading::read(connection, query, columns, &sender));
        });
        started.map_err(|error| self.gone(&error.to_string()))?;
        self.chunks = Some(chunks);
        Ok(())
    }

    pub(crate) fn next_block(&mut self) -> Result<Option<Block>, TableError> {
        let Some(chunks) = &self.chunks else {
            return Ok(None);
        };
        let chunk = match chunks.recv() {
            Ok(Ok(chunk)) => chunk,
            Ok(Err(error)) => {
                self.chunks = None;
                return Err(self.gone(&error));
            }
            Err(_) => {
                self.chunks = None;
                return Ok(None);
            }
        };
        if let Some(watermark) = chunk.watermark {
            let same = |(reached, _): &(String, Vec<u64>)| *reached == watermark;
            let mut ties = match self.reached.take().filter(same) {
                Some((_, ties)) => ties,
                None => Vec::new(),
            };
            let room = TIES_MAX.saturating_sub(ties.len());
            ties.extend(chunk.ties.into_iter().take(room));
            self.reached = Some((watermark, ties));
        }
        let first = self.done + 1;
        self.done += chunk.rows.len() as u64;
        Ok(Some(Block {
            len: chunk.rows.len(),
            columns: by_column(chunk.rows, self.wanted.len()),
            lines: Lines::From(first),
            texts: Originals::Columns(Arc::clone(&self.names)),
            malformed: Vec::new(),
            done: self.done,
        }))
    }

    /// The types of the columns, as the database names them.
    pub(crate) fn described(&self) -> BTreeMap<String, String> {
        let columns = self.columns.iter();
        columns
            .map(|c| (c.name.clone(), c.declared.clone()))
            .collect()
    }

    /// The newest watermark among the rows that were given, and the hashes of the rows that hold
    /// it.
    pub(crate) fn reached(&self) -> Option<(&str, &[u64])> {
        let (watermark, ties) = self.reached.as_ref()?;
        Some((watermark, ties))
    }

    fn gone(&self, error: &str) -> TableError {
        TableError::Database {
            source_name: self.source.clone(),
            done: self.done,
            reason: self.address.redact(error),
        }
    }
}

async fn connect(address: &Address, root: &std::path::Path) -> Result<Connection, String> {
    let connected = match Kind::of(&address.full) {
        Kind::Postgres => postgres::connect(&address.full)
            .await
            .map(Connection::Postgres),
        _ => sqlite::connect(&address.full, root)
            .await
            .map(Connection::Sqlite),
    };
    connected.map_err(|error| error.to_string())
}

/// The column that a table is read along, which has to be one that can be compared.
fn watermark(name: &str, columns: &[TableColumn]) -> Result<TableColumn, (String, String)> {
    let Some(column) = columns.iter().find(|column| column.name == name) else {
        let message = format!("the table has no column `{name}` to be read along");
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        let near = acumen_base::nearest(name, names.iter().copied());
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("there are `{}`", names.join("`, `")),
        };
        return Err((message, help));
    };
    match column.kind {
        ColumnType::Int | ColumnType::Text | ColumnType::Time | ColumnType::NaiveTime => {
            Ok(column.clone())
        }
        _ => {
            let message = format!("`{name}` ({}) cannot be read along", column.declared);
            let help = "name a column of whole numbers, times or texts that only grows";
            Err((message, help.into()))
        }
    }
}

fn by_column(rows: Vec<Vec<Datum>>, width: usize) -> Vec<ColumnCells> {
    let mut columns: Vec<Vec<Datum>> = Vec::new();
    columns.resize_with(width, || Vec::with_capacity(rows.len()));
    for row in rows {
        for (column, datum) in columns.iter_mut().zip(row) {
            column.push(datum);
        }
    }
    columns.into_iter().map(ColumnCells::Data).collect()
}
