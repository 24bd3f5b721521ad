//! Rows for another engine: an Arrow stream of records in, an Arrow stream of rows out.

use std::io::{BufWriter, IsTerminal};

use acumen_base::{Clock, Event, SystemClock, Time};
use acumen_engine::{Part, Pass, Plan, StreamedRows, UseCasePlan, passes};
use acumen_table::{EventMapping, EventSource, Mapping, RowStream};
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::output::{say_json, thousands};

/// Refusals that are shown.
const SHOWN: u64 = 5;

/// Standard input to standard output; what is refused is said on standard error.
pub(super) fn run(
    plan: &Plan,
    use_case: &UseCasePlan,
    mapping: &Mapping,
    part: Part<'_>,
) -> Outcome {
    if std::io::stdin().is_terminal() || std::io::stdout().is_terminal() {
        return Err(Failure::because(
            "`--arrow-stream` reads an Arrow stream from standard input and writes one to standard \
             output: `… < records.arrows > rows.arrows`",
        ));
    }
    let mut rows = StreamedRows::new(use_case, part, read(plan, mapping)?)?;
    if rows.conflicts > 0 {
        let conflicts = thousands(rows.conflicts);
        eprintln!("{conflicts} events left out: their ids had come before with another body");
    }
    let stdout = BufWriter::new(std::io::stdout().lock());
    let mut out = RowStream::begin(stdout, rows.columns())?;
    while let Some(block) = rows.next_rows() {
        let ids: Vec<&str> = block.events.iter().map(|event| &*event.id).collect();
        let times: Vec<Time> = block.events.iter().map(|event| event.event_time).collect();
        out.write(&ids, &times, &block.columns.concat())?;
    }
    Ok(out.finish()?)
}

/// The events of standard input.
fn read(plan: &Plan, mapping: &Mapping) -> Outcome<Vec<Event>> {
    let input = Box::new(std::io::stdin());
    let now = SystemClock::new().now();
    let opened = EventSource::of_stream(input, mapping, &plan.types, now);
    let mut source = opened.map_err(|problems| Failure::problems(&problems))?;
    let (mut events, mut refused) = (Vec::new(), 0_u64);
    while let Some(batch) = source.next_batch()? {
        for record in &batch.rejected {
            refused += 1;
            if refused <= SHOWN {
                eprintln!("refused, record {}: {}", record.place.line, record.message);
            }
        }
        events.extend(batch.events);
    }
    if refused > SHOWN {
        eprintln!("{} records refused in all", thousands(refused));
    }
    Ok(events)
}

/// The passes as JSON: the name, the columns of the records to partition by, those of the rows.
pub(super) fn list(use_case: &UseCasePlan, mapping: &Mapping, features: &[String]) -> Outcome {
    let mut list = Vec::new();
    for pass in passes(use_case, features)? {
        let by = match pass.fields.is_empty() {
            true => of_ids(mapping, &use_case.declared.decide_event),
            false => of_fields(mapping, &pass),
        };
        list.push(json!({"pass": pass.name, "by": by?, "columns": pass.columns}));
    }
    say_json(&list)
}

/// The columns that the ids of the decided events are read from: the same event twice comes into
/// one partition.
fn of_ids(mapping: &Mapping, decided: &str) -> Outcome<Vec<String>> {
    let event = mapping.events.iter().find(|event| event.event == decided);
    let unmapped = || Failure::because(format!("the mapping gives no `{decided}`, and no row"));
    Ok(event.ok_or_else(unmapped)?.id.columns())
}

/// The columns that an entity's fields are read from: the same ones for every type of event, or
/// the records of one key would come into several partitions.
fn of_fields(mapping: &Mapping, pass: &Pass) -> Outcome<Vec<String>> {
    let columns = |event: &EventMapping| -> Option<Vec<String>> {
        let columns = pass
            .fields
            .iter()
            .map(|field| event.fields.get(field)?.columns());
        Some(columns.collect::<Option<Vec<_>>>()?.concat())
    };
    let mut all: Vec<Vec<String>> = mapping.events.iter().filter_map(columns).collect();
    all.dedup();
    let name = &pass.name;
    match all.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::because(format!(
            "no event of the mapping carries the id of `{name}`"
        ))),
        _ => Err(Failure::because(format!(
            "the id of `{name}` is read from other columns for one type of event than for another: \
             bring it into one column before"
        ))),
    }
}
