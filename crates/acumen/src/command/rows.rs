//! `acumen rows`: the rows that training sees, as a file, or for another engine.

mod stream;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::outcome::Truth;
use acumen_base::row::{Column, ColumnKind};
use acumen_base::{Columns, Time};
use acumen_engine::{Part, Rows as Block, Wanted, rows};
use acumen_table::RowWriter;
use clap::{ArgGroup, Args};

use crate::failure::Outcome;
use crate::output::{say, thousands};
use crate::place::{Place, position};
use crate::progress::Progress;

/// Rows that are written at once.
const ROWS_AT_ONCE: usize = 65_536;

/// Write the rows of a use case: as Parquet with their outcomes, or for another engine
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen rows orders --out rows.parquet
  python -c 'import pandas; print(pandas.read_parquet(\"rows.parquet\").describe())'

One row for each event that is decided on, as it was read then; `outcome` is 1, 0, or empty where
it is not known yet.

  acumen rows orders --arrow-stream --mapping map.yaml < events.arrows > rows.arrows

reads an Arrow stream of records, makes events of them by the mapping, and writes an Arrow stream
of rows: what Spark's mapInArrow, Ray or a shell pipe drive. Over partitions by an entity's id, one
pass gives the columns of that entity; --passes lists them with the columns to partition by.
docs/sources.md shows the whole of it, and examples/spark runs it.")]
#[command(group(ArgGroup::new("what").required(true).args(["out", "arrow_stream", "passes"])))]
pub(crate) struct Rows {
    /// The use case
    name: String,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// From this time
    #[arg(long, value_name = "TIME", requires = "out")]
    from: Option<Time>,
    /// To this time, not included
    #[arg(long, value_name = "TIME", requires = "out")]
    to: Option<Time>,
    /// Read records from standard input and write rows to standard output, as Arrow streams
    #[arg(long, requires = "mapping")]
    arrow_stream: bool,
    /// List, as JSON, the passes that give the row, and by which columns of the records each
    /// wants them partitioned
    #[arg(long, requires = "mapping")]
    passes: bool,
    /// How the columns of the records become events
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    mapping: Option<PathBuf>,
    /// One pass only: `events`, or an entity whose events are all here
    #[arg(long, value_name = "PASS", requires = "arrow_stream")]
    pass: Option<String>,
    /// These features of the row only, separated by commas
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with = "out"
    )]
    features: Vec<String>,
}

impl Rows {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        match (&self.out, &self.mapping) {
            (Some(out), _) => self.write(place, out),
            (None, Some(mapping)) => {
                let plan = place.plan()?;
                let use_case = &plan.use_cases[position(&plan, &self.name)?];
                let mapping = super::ingest::mapping(mapping)?;
                match self.passes {
                    true => stream::list(use_case, &mapping, &self.features),
                    false => {
                        let part = Part {
                            pass: self.pass.as_deref(),
                            features: &self.features,
                        };
                        stream::run(&plan, use_case, &mapping, part)
                    }
                }
            }
            // The group of arguments asks for one of them.
            (None, None) => Ok(()),
        }
    }

    fn write(&self, place: &Place, out: &Path) -> Outcome {
        let sources = place.sources()?;
        let use_case = position(&sources.plan, &self.name)?;
        let wanted = Wanted {
            from: self.from.unwrap_or(Time(i64::MIN)),
            to: self.to.unwrap_or(Time(i64::MAX)),
            as_of: None,
            sample: None,
        };
        let mut progress = Progress::new("reading the log", "records");
        let rows = rows(&sources, use_case, wanted, &mut |at| {
            progress.at(at, None, "");
        })?;
        progress.done();
        let columns = with_outcome(&rows.columns);
        let mut file = RowWriter::create(out, &columns)?;
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
            out.display()
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
