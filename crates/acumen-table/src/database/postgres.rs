//! PostgreSQL: its types, and its rows.

use std::str::FromStr;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{ConnectOptions, Row};

use crate::cell::{ColumnType, Datum};
use crate::database::TableColumn;
use crate::database::reading::{Dialect, Record, quoted, quoted_path};

pub(super) const DIALECT: Dialect = Dialect { expression, bound };

/// Connects for reading only.
pub(super) async fn connect(address: &str) -> Result<PgConnection, sqlx::Error> {
    let options = PgConnectOptions::from_str(address)?;
    let options = options
        .application_name("acumen")
        .options([("default_transaction_read_only", "on")]);
    options.connect().await
}

/// The columns of a table; none where there is no such table.
pub(super) async fn columns(
    connection: &mut PgConnection,
    table: &str,
) -> Result<Vec<TableColumn>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), t.typname::text, \
                t.typcategory::text \
         FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid \
         WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped \
         ORDER BY a.attnum",
    );
    let rows = rows.bind(quoted_path(table)).fetch_all(connection).await?;
    let column = |row: &PgRow| {
        let declared: String = row.try_get(1)?;
        let (name, category): (String, String) = (row.try_get(2)?, row.try_get(3)?);
        Ok(TableColumn {
            name: row.try_get(0)?,
            kind: kind(&name, &category, &declared),
            declared,
        })
    };
    rows.iter().map(column).collect()
}

fn kind(name: &str, category: &str, declared: &str) -> ColumnType {
    match (name, category) {
        ("int2" | "int4" | "int8", _) => ColumnType::Int,
        ("float4" | "float8", _) => ColumnType::Float,
        ("bool", _) => ColumnType::Bool,
        ("timestamptz", _) => ColumnType::Time,
        ("timestamp" | "date", _) => ColumnType::NaiveTime,
        // Amounts stay exact as texts.
        ("numeric" | "uuid", _) | (_, "S" | "E") => ColumnType::Text,
        _ => ColumnType::Unreadable(declared.to_owned()),
    }
}

/// A column as one of the types that rows are decoded from.
fn expression(column: &TableColumn) -> String {
    let name = quoted(&column.name);
    match &column.kind {
        ColumnType::Int => format!("CAST({name} AS int8)"),
        ColumnType::Float => format!("CAST({name} AS float8)"),
        ColumnType::Bool => name,
        ColumnType::Text => format!("CAST({name} AS text)"),
        ColumnType::Time | ColumnType::NaiveTime => format!(
            "CASE WHEN isfinite({name}) \
             THEN CAST(floor(extract(epoch FROM {name}) * 1000) AS int8) END"
        ),
        ColumnType::Unreadable(_) => format!("{name} IS NULL"),
    }
}

fn bound(watermark: &TableColumn) -> String {
    format!("CAST($1 AS {})", watermark.declared)
}

/// A row of the wanted columns, with the watermark behind them where there is one.
pub(super) fn record(row: &PgRow, columns: &[TableColumn]) -> Result<Record, sqlx::Error> {
    let data = columns.iter().enumerate();
    let data = data.map(|(at, column)| datum(row, at, &column.kind));
    let watermark = match row.len() > columns.len() {
        true => row.try_get(columns.len())?,
        false => None,
    };
    Ok((data.collect::<Result<_, _>>()?, watermark))
}

fn datum(row: &PgRow, at: usize, kind: &ColumnType) -> Result<Datum, sqlx::Error> {
    let datum = match kind {
        ColumnType::Int => row.try_get::<Option<i64>, _>(at)?.map(Datum::Int),
        ColumnType::Float => row.try_get::<Option<f64>, _>(at)?.map(Datum::Float),
        ColumnType::Bool => row.try_get::<Option<bool>, _>(at)?.map(Datum::Bool),
        ColumnType::Text => row.try_get::<Option<String>, _>(at)?.map(Datum::Text),
        ColumnType::Time | ColumnType::NaiveTime => {
            let is_utc = *kind == ColumnType::Time;
            let millis = row.try_get::<Option<i64>, _>(at)?;
            millis.map(|millis| Datum::Time { millis, is_utc })
        }
        ColumnType::Unreadable(_) => Some(Datum::Unreadable),
    };
    Ok(datum.unwrap_or(Datum::Missing))
}
