//! Online Retail II as events: what was bought on an invoice is an order, what came back a refund.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use acumen_base::{Currency, Event, EventType, Money, Time, Value};
use acumen_engine::Plan;
use acumen_table::{EventSource, Mapping};

use crate::report::{Failure, all};

/// From the columns of the file to lines of invoices; no column names a line, so its place does.
const MAPPING: &str = "
events:
  line:
    id: \"{ts}\"
    time: {column: ts, timezone: UTC}
    fields:
      customer_id: \"c{customer_id}\"
      invoice: \"{invoice}\"
      product: \"{stock_code}\"
      quantity: \"{quantity}\"
      price: \"{unit_price}\"
      country: \"{country}\"
";

/// What the file holds.
pub(super) struct Retail {
    /// Orders and refunds, in the order of time.
    pub(super) events: Vec<Arc<Event>>,
    /// Lines of guests, who have no id.
    pub(super) guests: u64,
}

/// A line of an invoice.
struct Line {
    at: Time,
    customer: String,
    invoice: String,
    product: String,
    quantity: f64,
    price: f64,
    country: Value,
}

/// Reads the file.
pub(super) fn read(path: &Path, plan: &Plan) -> Result<Retail, Failure> {
    let mapping: Mapping = serde_saphyr::from_str(MAPPING)?;
    let mut source = EventSource::open(path, &mapping, &plan.types, Time(0)).map_err(all)?;
    let (mut lines, mut guests) = (Vec::new(), 0);
    while let Some(batch) = source.next_batch()? {
        if let Some(rejected) = batch.rejected.first() {
            return Err(Failure::new(rejected.message.clone()));
        }
        for event in batch.events {
            let number = |field: &str| match event.value(field) {
                Value::Number(number) => *number,
                _ => 0.0,
            };
            let text = |field: &str| event.value(field).as_text().unwrap_or_default().to_owned();
            let customer = text("customer_id");
            if customer.is_empty() {
                guests += 1;
                continue;
            }
            lines.push(Line {
                at: event.event_time,
                customer,
                invoice: text("invoice"),
                product: text("product"),
                quantity: number("quantity"),
                price: number("price"),
                country: event.value("country").clone(),
            });
        }
    }
    // Stable: lines of one instant keep the order of the file.
    lines.sort_by(|a, b| {
        let key = |line: &Line| (line.at, line.customer.clone(), line.invoice.clone());
        key(a).cmp(&key(b))
    });
    let same = |a: &Line, b: &Line| {
        let sold = (a.quantity >= 0.0) == (b.quantity >= 0.0);
        sold && a.at == b.at && a.customer == b.customer && a.invoice == b.invoice
    };
    let mut events = Vec::new();
    for (number, group) in lines.chunk_by(same).enumerate() {
        events.push(Arc::new(event(number, group, plan)?));
    }
    Ok(Retail { events, guests })
}

/// The order or the refund that some lines are.
fn event(number: usize, lines: &[Line], plan: &Plan) -> Result<Event, Failure> {
    let sold = lines[0].quantity >= 0.0;
    let kind = declared(plan, if sold { "order" } else { "refund" })?;
    let pounds: f64 = lines.iter().map(|line| line.quantity * line.price).sum();
    let products: BTreeSet<&str> = lines.iter().map(|line| line.product.as_str()).collect();
    let quantity: f64 = lines.iter().map(|line| line.quantity).sum();
    let value = |field: &str| match field {
        "customer_id" => Value::text(&lines[0].customer),
        "amount" => Value::Money(Money {
            minor: (pounds.abs() * 100.0).round() as i64,
            currency: Currency::GBP,
        }),
        "lines" => Value::Number(lines.len() as f64),
        "products" => Value::Number(products.len() as f64),
        "quantity" => Value::Number(quantity),
        "country" => lines[0].country.clone(),
        _ => Value::Missing,
    };
    let values = kind.fields.iter().map(|field| value(&field.name));
    Ok(Event {
        values: values.collect(),
        id: format!("n{number}").into(),
        event_time: lines[0].at,
        known_at: lines[0].at,
        received_at: lines[0].at,
        kind,
    })
}

/// An event type of the project.
pub(super) fn declared(plan: &Plan, name: &str) -> Result<Arc<EventType>, Failure> {
    let found = plan.types.iter().find(|kind| kind.name == name);
    found
        .cloned()
        .ok_or_else(|| Failure::new(format!("the project declares no `{name}`")))
}
