//! The CDNOW sample: BG/NBD and Gamma-Gamma against their published parameters.

use std::path::Path;
use std::sync::Arc;

use acumen_base::{Event, Time};
use acumen_engine::Plan;
use acumen_model::lifetime::{BgNbd, GammaGamma, Histories, History, Spend, fit};
use acumen_table::{EventSource, Mapping};
use serde_json::{Value, json};

use super::origins::{At, rows};
use crate::report::{Failure, all, row, table};

const MAPPING: &str = "
events:
  order:
    id: \"{sample_id}-{date}\"
    time: {column: date, timezone: UTC}
    fields:
      customer_id: \"c{sample_id}\"
      amount: {column: spend_usd, currency: USD}
";

/// 39 weeks of history, and as many to come.
const AT: At = At {
    from: "1997-01-01",
    origin: "1997-09-30",
};
const DAYS_A_WEEK: f64 = 7.0;

/// r, α, a, b, the log likelihood; p, q, v. Fader, Hardie and Lee 2005; Fader and Hardie 2013.
const PUBLISHED: [(&str, f64); 8] = [
    ("r", 0.243),
    ("alpha", 4.414),
    ("a", 0.793),
    ("b", 2.426),
    ("log_likelihood", -9582.4),
    ("p", 6.25),
    ("q", 3.74),
    ("v", 15.44),
];

/// Fits both models to rows of the sample and prints them beside what was published.
pub(super) fn run(path: &Path, plan: &Arc<Plan>) -> Result<Value, Failure> {
    let rows = rows(plan, "compact-discs", &read(path, plan)?, AT)?;
    let column = |name: &str| {
        let place = rows.columns.position(name);
        let place = place.ok_or_else(|| Failure::new(format!("there is no column `{name}`")))?;
        Ok::<&[f64], Failure>(&rows.data[place])
    };
    let (repeats, last, age) = (
        column("bought.repeats")?,
        column("bought.recency")?,
        column("bought.age")?,
    );
    let value = column("bought.value")?;
    let customers = 0..rows.len();
    let histories: Vec<(History, f64)> = customers
        .clone()
        .map(|i| {
            let history = History {
                repeats: repeats[i],
                last: last[i] / DAYS_A_WEEK,
                age: age[i] / DAYS_A_WEEK,
            };
            (history, 1.0)
        })
        .collect();
    let spends = customers.filter(|&i| repeats[i] > 0.0).map(|i| {
        let spend = Spend {
            purchases: repeats[i],
            mean: value[i],
        };
        (spend, 1.0)
    });
    let process = fit::<BgNbd>(&Histories::new(&histories)?);
    let spend = GammaGamma::fit(&spends.collect::<Vec<_>>())?;
    let BgNbd { r, alpha, a, b } = process.process;
    let GammaGamma { p, q, v } = spend;
    let found = [r, alpha, a, b, process.log_likelihood, p, q, v];
    let mut lines = vec![row(["CDNOW sample", "published", "ours"])];
    let mut figures = json!({ "customers": rows.len() });
    for ((name, published), found) in PUBLISHED.iter().zip(found) {
        let (shown, ours) = (format!("{published}"), format!("{found:.3}"));
        lines.push(row([name, &shown, &ours]));
        figures[*name] = json!(found);
    }
    table(&lines);
    Ok(figures)
}

/// Every purchase of the file, in the order of time; purchases of one customer and day are one.
fn read(path: &Path, plan: &Plan) -> Result<Vec<Arc<Event>>, Failure> {
    let mapping: Mapping = serde_saphyr::from_str(MAPPING)?;
    let mut source = EventSource::open(path, &mapping, &plan.types, Time(0)).map_err(all)?;
    let mut events: Vec<Event> = Vec::new();
    while let Some(batch) = source.next_batch()? {
        if let Some(rejected) = batch.rejected.first() {
            return Err(Failure::new(rejected.message.clone()));
        }
        events.extend(batch.events);
    }
    events.sort_by_key(|event| event.event_time);
    let numbered = events.into_iter().enumerate().map(|(number, event)| {
        Arc::new(Event {
            id: format!("n{number}").into(),
            ..event
        })
    });
    Ok(numbered.collect())
}
