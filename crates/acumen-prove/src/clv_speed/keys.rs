//! One customer asked at a time, over HTTP.

use std::io::Write;

use acumen_base::Seed;

use super::Shop;
use crate::child::Server;
use crate::level::{Level, Target};
use crate::report::{Failure, row, table};
use crate::settings::Settings;

/// Requests a second.
const RATE: u32 = 1_000;
/// Seconds of load before the measurement.
const WARM_SECONDS: u64 = 2;
/// Customers that are asked for again and again.
const OFTEN: usize = 500;

/// The answers of both loads.
pub(super) struct Asked {
    /// Every request is of another customer.
    pub(super) uncached: Level,
    /// The same few customers.
    pub(super) cached: Level,
}

/// Serves the folder and asks.
pub(super) fn ask(shop: &Shop, settings: &Settings) -> Result<Asked, Failure> {
    let server = Server::start(&Shop::project(), &shop.data)?;
    let customers = settings.customers;
    // A step that shares no factor with the number of customers visits each before any again.
    let step = (0..)
        .map(|i| 7_919 + i)
        .find(|step| gcd(*step, customers) == 1);
    let step = step.unwrap_or(1);
    let first = Seed(settings.seed).derive("asked").0 as usize % customers;
    let target = |of: usize| Target {
        address: &server.address,
        path: "/v1/usecases/value/decide".to_owned(),
        body: Box::new(move |number, _, body| {
            let customer = (first + number % of * step) % customers;
            body.clear();
            // Writing to memory does not fail.
            let _ = write!(body, "{{\"customer_id\": \"c{customer}\"}}");
        }),
    };
    let (all, few) = (target(customers), target(OFTEN.min(customers)));
    let warm = Level::run(&all, RATE, WARM_SECONDS, 0)?;
    let uncached = Level::run(&all, RATE, settings.seconds, warm.asked)?;
    Level::run(&few, RATE, WARM_SECONDS, 0)?;
    let cached = Level::run(&few, RATE, settings.seconds, 0)?;
    drop((all, few));
    server.stop()?;
    let mut lines = vec![row([
        "asked",
        "answered/s",
        "p50 ms",
        "p99 ms",
        "errors",
        "stolen",
    ])];
    for (name, level) in [("uncached", &uncached), ("cached", &cached)] {
        lines.push(row([
            name,
            &format!("{:.0}", level.rps()),
            &format!("{:.2}", level.quantile(0.5)),
            &format!("{:.2}", level.quantile(0.99)),
            &level.errors.to_string(),
            &format!("{:.1} %", 100.0 * level.stolen),
        ]));
    }
    table(&lines);
    Ok(Asked { uncached, cached })
}

fn gcd(a: usize, b: usize) -> usize {
    match b {
        0 => a,
        b => gcd(b, a % b),
    }
}
