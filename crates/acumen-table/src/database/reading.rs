//! The thread that reads rows and hands them over.

use std::sync::mpsc::SyncSender;

use acumen_base::key::hash64;
use futures_util::{Stream, StreamExt};
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use crate::RECORDS_PER_BATCH;
use crate::cell::Datum;
use crate::database::{Connection, ROW_MAX, TIES_MAX, TableColumn, postgres, sqlite};

/// What is read of a table.
pub(super) struct Query {
    pub(super) table: String,
    pub(super) watermark: Option<TableColumn>,
    /// The watermark up to which it has been read, and the hashes of the rows that hold it.
    pub(super) since: Option<(String, Vec<u64>)>,
}

/// Some rows, and where they end.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) rows: Vec<Vec<Datum>>,
    /// The newest value of the watermark column among them.
    pub(super) watermark: Option<String>,
    /// The hashes of the rows that hold it.
    pub(super) ties: Vec<u64>,
}

/// What differs between databases in the text of a query.
pub(super) struct Dialect {
    /// A column as it is read.
    pub(super) expression: fn(&TableColumn) -> String,
    /// The bound watermark as a value of its column.
    pub(super) bound: fn(&TableColumn) -> String,
}

impl Query {
    /// The statement: the wanted columns, then the watermark as text, in its order.
    fn sql(&self, columns: &[TableColumn], dialect: &Dialect) -> AssertSqlSafe<String> {
        let mut selected: Vec<String> = columns.iter().map(dialect.expression).collect();
        let table = quoted_path(&self.table);
        let Some(watermark) = &self.watermark else {
            let selected = selected.join(", ");
            return AssertSqlSafe(format!("SELECT {selected} FROM {table}"));
        };
        let name = quoted(&watermark.name);
        selected.push(format!("CAST({name} AS text)"));
        let since = match self.since {
            Some(_) => format!("{name} >= {}", (dialect.bound)(watermark)),
            None => format!("{name} IS NOT NULL"),
        };
        let selected = selected.join(", ");
        AssertSqlSafe(format!(
            "SELECT {selected} FROM {table} WHERE {since} ORDER BY {name}"
        ))
    }
}

/// A name that may hold anything.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A table's name, with its schema where one is given.
pub(super) fn quoted_path(path: &str) -> String {
    path.split('.').map(quoted).collect::<Vec<_>>().join(".")
}

/// Rows that have nothing in the watermark column.
pub(super) async fn unmarked(
    connection: &mut Connection,
    table: &str,
    watermark: &str,
) -> Result<u64, sqlx::Error> {
    let (table, name) = (quoted_path(table), quoted(watermark));
    let sql = AssertSqlSafe(format!("SELECT count(*) FROM {table} WHERE {name} IS NULL"));
    let count: i64 = match connection {
        Connection::Postgres(c) => sqlx::query_scalar(sql).fetch_one(c).await?,
        Connection::Sqlite(c) => sqlx::query_scalar(sql).fetch_one(c).await?,
    };
    Ok(count.unsigned_abs())
}

/// Reads all rows; ends early when nobody takes them any more.
pub(super) async fn read(
    connection: Connection,
    query: Query,
    columns: Vec<TableColumn>,
    sender: &Sender,
) {
    let mut gatherer = Gatherer {
        since: query.since.as_ref(),
        chunk: Chunk::default(),
        sender,
    };
    let ended = match connection {
        Connection::Postgres(mut c) => {
            let sql = sqlx::query(query.sql(&columns, &postgres::DIALECT));
            let bound = match &query.since {
                Some((since, _)) => sql.bind(since),
                None => sql,
            };
            let rows = bound.fetch(&mut c);
            let record = |row: &PgRow| postgres::record(row, &columns);
            gatherer.all(rows, record).await
        }
        Connection::Sqlite(mut c) => {
            let sql = sqlx::query(query.sql(&columns, &sqlite::DIALECT));
            let bound = match &query.since {
                Some((since, _)) => sql.bind(since),
                None => sql,
            };
            let rows = bound.fetch(&mut c);
            let record = |row: &SqliteRow| sqlite::record(row, columns.len());
            gatherer.all(rows, record).await
        }
    };
    // What was read before an error stands. A consumer that is gone wants neither.
    if gatherer.hand_over()
        && let Err(error) = ended
    {
        let _gone = sender.send(Err(error));
    }
}

pub(super) type Sender = SyncSender<Result<Chunk, String>>;

/// A row with its watermark as text.
pub(super) type Record = (Vec<Datum>, Option<String>);

/// Rows on their way.
struct Gatherer<'a> {
    since: Option<&'a (String, Vec<u64>)>,
    chunk: Chunk,
    sender: &'a Sender,
}

impl Gatherer<'_> {
    async fn all<R>(
        &mut self,
        mut rows: impl Stream<Item = Result<R, sqlx::Error>> + Unpin,
        record: impl Fn(&R) -> Result<Record, sqlx::Error>,
    ) -> Result<(), String> {
        loop {
            let next = tokio::time::timeout(ROW_MAX, rows.next()).await;
            let next = next.map_err(|_| format!("no row within {} s", ROW_MAX.as_secs()))?;
            let Some(row) = next else {
                return Ok(());
            };
            let row = row.and_then(|row| record(&row));
            self.add(row.map_err(|error| error.to_string())?);
            if self.chunk.rows.len() == RECORDS_PER_BATCH && !self.hand_over() {
                return Ok(());
            }
        }
    }

    fn add(&mut self, (row, watermark): Record) {
        if let Some(watermark) = watermark {
            let print = fingerprint(&row);
            let read =
                |(since, ties): &(String, Vec<u64>)| *since == watermark && ties.contains(&print);
            if self.since.is_some_and(read) {
                return;
            }
            if self.chunk.watermark.as_ref() != Some(&watermark) {
                self.chunk.ties.clear();
                self.chunk.watermark = Some(watermark);
            }
            if self.chunk.ties.len() < TIES_MAX {
                self.chunk.ties.push(print);
            }
        }
        self.chunk.rows.push(row);
    }

    /// Whether there is still someone who takes the rows.
    fn hand_over(&mut self) -> bool {
        let chunk = std::mem::take(&mut self.chunk);
        chunk.rows.is_empty() || self.sender.send(Ok(chunk)).is_ok()
    }
}

/// A hash of a row's values.
fn fingerprint(row: &[Datum]) -> u64 {
    let mut bytes = Vec::with_capacity(16 * row.len());
    for datum in row {
        datum.write_canonical(&mut bytes);
    }
    hash64(&bytes)
}
