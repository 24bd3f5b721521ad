//! `acumen rows`: the rows that training sees, as a file.

use std::path::PathBuf;
use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::row::{Column, ColumnKind};
use acumen_base::{Columns, Time};
use acumen_engine::{Rows as Block, Wanted, rows};
use acumen_table::RowWriter;
use clap::Args;

use crate::failure::Outcome;
use crate::output::{say, thousands};
use crate::place::{Place, position};
use crate::progress::Progress;

/// Rows that are written at once.
const ROWS_AT_ONCE: usize = 65_536;

/// Write the rows of a use case, with their outcomes, as Parquet
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen rows orders --out rows.parquet
  python -c 'import pandas; print(pandas.read_parquet(\"rows.parquet\").describe())'

One row for each event that is decided on, as it was read then; `outcome` is 1, 0, or empty where
it is not known yet.")]
pub(crate) struct Rows {
    /// The use case
    name: String,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// From this time
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// To this time, not included
    #[arg(long, value_name = "TIME")]
    to: Option<Time>,
}

impl Rows {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let use_case = position(&sources.plan, &self.name)?;
        let wanted = Wanted {
            from: self.from.unwrap_or(Time(i64::MIN)),
            to: self.to.unwrap_or(Time(i64::MAX)),
            as_of: None,
        };
        let mut progress = Progress::new("reading the log", "records");
        let rows = rows(&sources, use_case, wanted, &mut |at| {
            progress.at(at, None, "");
        })?;
        progress.done();
        let columns = with_outcome(&rows.columns);
        let mut file = RowWriter::create(&self.out, &columns)?;
        for start in (0..rows.len()).step_by(ROWS_AT_ONCE) {
            write(
                &mut file,
                &rows,
                start,
                rows.len().min(start + ROWS_AT_ONCE),
            )?;
        }
        file.finish()?;
        let (count, columns) = (thousands(rows.len() as u64), columns.len());
        say(format!(
            "{count} rows of {columns} columns written to {}",
            self.out.display()
        ))
    }
}

fn with_outcome(columns: &Arc<Columns>) -> Columns {
    let mut columns = (**columns).clone();
    columns.list.push(Column {
        name: "outcome".to_owned(),
        kind: ColumnKind::Flag,
        unit: String::new(),
        help: "whether the outcome is positive".to_owned(),
    });
    columns
}

fn write(file: &mut RowWriter, rows: &Block, from: usize, to: usize) -> Outcome {
    let ids: Vec<&str> = rows.events[from..to]
        .iter()
        .map(|event| &*event.id)
        .collect();
    let times: Vec<Time> = rows.events[from..to]
        .iter()
        .map(|event| event.event_time)
        .collect();
    let mut values = Vec::with_capacity((to - from) * (rows.data.len() + 1));
    for column in &rows.data {
        values.extend_from_slice(&column[from..to]);
    }
    values.extend(rows.truth[from..to].iter().map(|truth| match truth {
        Truth::Positive => 1.0,
        Truth::Negative => 0.0,
        Truth::Open => f64::NAN,
    }));
    Ok(file.write(&ids, &times, &values)?)
}
