//! How long each model takes for one row of the use case, asked from one thread.

use acumen_base::{Clock, Deadline, Span};
use acumen_engine::{Folder, LogOptions, Offline, Wanted, rows};
use serde_json::{Map, Value, json};

use crate::child;
use crate::report::{Failure, row, table};
use crate::stage::{self, Stage};

/// How much of the history the rows are from.
const NEWEST: Span = Span(2 * 86_400_000);

/// Rows that are asked about.
const ROWS: usize = 2_000;

/// Prints and gives the quantiles of each model, in microseconds.
pub(super) fn one_row(stage: &Stage) -> Result<Value, Failure> {
    let plan = child::plan(&stage.root)?;
    let use_case = stage::use_case(&plan)?;
    let offline = Offline::open(plan, Folder::new(&stage.data), LogOptions::default())?;
    let ends = stage.payments.first().map(|payment| payment.event_time);
    let ends = ends.ok_or_else(|| Failure::new("there are no payments to come"))?;
    let wanted = Wanted {
        from: ends - NEWEST,
        to: ends,
        as_of: None,
        sample: None,
    };
    let rows = rows(&offline.sources, use_case, wanted, &mut |_| {})?;
    let asked: Vec<_> = (0..rows.len().min(ROWS)).map(|i| rows.row(i)).collect();
    let clock = stage::clock();
    let patient = Deadline::never(clock.clone());
    let live = &offline.core.live[use_case];
    let mut lines = vec![row(["model", "p50 µs", "p99 µs"])];
    let mut figures = Map::new();
    for model in &offline.sources.plan.use_cases[use_case].declared.models {
        let member = live.state.member(&model.name);
        let member = member.ok_or_else(|| Failure::new(format!("{} is gone", model.name)))?;
        let mut took = Vec::with_capacity(asked.len());
        for row in &asked {
            let began = clock.nanos();
            let predicted = member.predict(row, &patient);
            took.push(clock.nanos() - began);
            predicted.map_err(|error| Failure::new(format!("{}: {error}", model.name)))?;
        }
        took.sort_unstable();
        let at = |share: f64| took[(share * (took.len() - 1) as f64) as usize] as f64 / 1e3;
        let (p50, p99) = (at(0.5), at(0.99));
        lines.push(row([
            &model.name,
            &format!("{p50:.1}"),
            &format!("{p99:.1}"),
        ]));
        figures.insert(model.name.clone(), json!({"p50_us": p50, "p99_us": p99}));
    }
    println!("one row of {} columns, one thread", rows.columns.len());
    table(&lines);
    offline.close()?;
    Ok(Value::Object(figures))
}
