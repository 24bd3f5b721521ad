//! SQLite: its columns say what they would like to hold, and its rows what they do.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{ConnectOptions, Row, TypeInfo, ValueRef};

use crate::cell::{ColumnType, Datum};
use crate::database::TableColumn;
use crate::database::reading::{Dialect, Record, quoted};

pub(super) const DIALECT: Dialect = Dialect {
    expression: |column| quoted(&column.name),
    // A text is compared as what the column holds: SQLite's affinity.
    bound: |_| "?1".to_owned(),
};

/// Opens a file for reading only; a relative path is one of the project.
pub(super) async fn connect(address: &str, root: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let path = address.strip_prefix("sqlite:").unwrap_or(address);
    let path = root.join(path.strip_prefix("//").unwrap_or(path));
    let options = SqliteConnectOptions::new();
    options.filename(path).read_only(true).connect().await
}

/// The columns of a table; none where there is no such table.
pub(super) async fn columns(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<TableColumn>, sqlx::Error> {
    let rows = sqlx::query("SELECT name, type FROM pragma_table_info(?1)");
    let rows = rows.bind(table).fetch_all(connection).await?;
    let column = |row: &SqliteRow| {
        let declared: String = row.try_get(1)?;
        Ok(TableColumn {
            name: row.try_get(0)?,
            kind: kind(&declared),
            declared,
        })
    };
    rows.iter().map(column).collect()
}

/// What SQLite prefers to hold in a column of this type; where it does not care, a text may be
/// read as anything.
fn kind(declared: &str) -> ColumnType {
    let declared = declared.to_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if has(&["INT"]) {
        ColumnType::Int
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        ColumnType::Float
    } else if has(&["BLOB"]) {
        ColumnType::Unreadable(declared)
    } else {
        ColumnType::Text
    }
}

/// A row of so many columns, with the watermark behind them where there is one.
pub(super) fn record(row: &SqliteRow, width: usize) -> Result<Record, sqlx::Error> {
    let data = (0..width).map(|at| datum(row, at));
    let watermark = match row.len() > width {
        true => row.try_get(width)?,
        false => None,
    };
    Ok((data.collect::<Result<_, _>>()?, watermark))
}

fn datum(row: &SqliteRow, at: usize) -> Result<Datum, sqlx::Error> {
    let value = row.try_get_raw(at)?;
    if value.is_null() {
        return Ok(Datum::Missing);
    }
    let held = value.type_info().name().to_owned();
    Ok(match held.as_str() {
        "INTEGER" => Datum::Int(row.try_get_unchecked(at)?),
        "REAL" => Datum::Float(row.try_get_unchecked(at)?),
        "TEXT" => Datum::Text(row.try_get_unchecked(at)?),
        _ => Datum::Unreadable,
    })
}
