//! `recommendations-speed`: lists over HTTP for a million visitors of a shop with 100,000 products,
//! by the use case of `usecases/recommendations`, with the load generator on the same cores.
//!
//! Visitors and what they did are made up; sources are trained on it. A request is due at an instant
//! of a Poisson process whatever the answers do, and its latency runs from there. One request in
//! five follows a click of the same visitor, which is acknowledged first. How long it takes until a
//! list reflects a click is measured apart.

mod lists;
mod load;
mod shop;

use std::time::Duration;

use acumen_base::Control;
use serde_json::json;

use crate::child::Server;
use crate::report::{Failure, Outcome, row, table};
use crate::settings::Settings;
use load::{Load, Loaded, freshness};
use shop::{Shop, USE_CASE};

/// Lists a second that the use case promises.
const RATE: u32 = 5_000;
/// Lists a second for visitors who ask for the first time.
const RATE_UNCACHED: u32 = 1_500;
/// Rates that are tried until one is kept up.
const RATES: &[u32] = &[4_500, 4_000, 3_500, 3_000, 2_500, 2_000, 1_500];
const RATES_UNCACHED: &[u32] = &[1_350, 1_200, 1_050, 900, 750];
/// Lists a second while things are replaced and fail.
const RATE_TROUBLE: u32 = 500;
/// Visitors who come back: all of them have asked before what is measured.
const REGULARS: usize = 5_000;
/// Seconds of load before each measurement.
const WARM_SECONDS: u64 = 8;
/// Clicks whose way into a list is timed.
const CLICKS: usize = 500;
/// How often a version is put in the place of another.
const SWAP_EVERY: Duration = Duration::from_millis(250);
/// A source that hangs.
const SLOW: &str = "als=2s";

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let shop = Shop::build(settings)?;
    let mut server = Server::start(&shop.root, &shop.data)?;
    let (visitors, resident_mib) = (settings.customers, server.resident_mib()?);
    let regular = Load {
        rate: RATE,
        visitors: REGULARS.min(visitors),
        first: 0,
        clicks: 0.2,
    };
    regular.run(&server.address, WARM_SECONDS)?;
    let usual = regular.run(&server.address, settings.seconds)?;
    let sustained = regular.sustained(&server.address, settings.seconds, RATES)?;
    let strangers = Load {
        rate: RATE_UNCACHED,
        visitors: visitors - regular.visitors,
        first: regular.visitors,
        clicks: 0.0,
    };
    let uncached = strangers.run(&server.address, settings.seconds)?;
    let sustained_uncached =
        strangers.sustained(&server.address, settings.seconds, RATES_UNCACHED)?;
    let reflected = freshness(&server.address, CLICKS, visitors)?;
    let gentle = Load {
        rate: RATE_TROUBLE,
        ..regular
    };
    let swapped = swapping(&shop, &mut server, gentle, settings.seconds)?;
    show(&[
        ("usual, one in five after a click", &usual),
        ("the same, at a rate that it keeps up", &sustained),
        ("visitors who ask first", &uncached),
        ("the same, at a rate that it keeps up", &sustained_uncached),
        ("while versions are swapped", &swapped),
    ]);
    let rebuilt = rebuilding(&server, gentle)?;
    server.stop()?;
    let server = Server::drilled(&shop.root, &shop.data, &[SLOW])?;
    let hanging = gentle.run(&server.address, settings.seconds)?;
    server.stop()?;
    show(&[
        ("while all is trained anew", &rebuilt),
        (&format!("while a source hangs ({SLOW})"), &hanging),
    ]);
    println!(
        "the next list reflects {} of {CLICKS} clicks; {:.1} ms at the 99th percentile",
        reflected.in_the_next, reflected.p99_ms
    );
    println!(
        "{:.4} of the 100 best by exact products are among the 100 that are proposed",
        shop.recall_at_100
    );
    let loads = [
        &usual,
        &sustained,
        &uncached,
        &sustained_uncached,
        &swapped,
        &rebuilt,
        &hanging,
    ];
    let failed: usize = loads.iter().map(|load| load.failed).sum();
    Ok(json!({
        "rps": usual.rps(),
        "p95_ms": usual.quantile(0.95),
        "p99_ms": usual.quantile(0.99),
        "cache_hit_rate": usual.cached as f64 / usual.answered().max(1) as f64,
        "stolen_share": usual.stolen,
        "rps_sustained": sustained.rps(),
        "p95_ms_sustained": sustained.quantile(0.95),
        "rps_uncached": uncached.rps(),
        "rps_uncached_sustained": sustained_uncached.rps(),
        "p95_ms_uncached_sustained": sustained_uncached.quantile(0.95),
        "recall_at_100": shop.recall_at_100,
        "p95_ms_uncached": uncached.quantile(0.95),
        "p99_ms_uncached": uncached.quantile(0.99),
        "freshness_p99_ms": reflected.p99_ms,
        "reflected_in_the_next": reflected.in_the_next,
        "clicks": CLICKS,
        "visitors": visitors,
        "items": shop::ITEMS,
        "resident_mib": resident_mib,
        "mib_per_million_users": resident_mib / visitors as f64 * 1e6,
        "failed_requests": failed,
        "training_seconds": shop.training_seconds,
    }))
}

/// Load while sources are deployed again and again.
fn swapping(shop: &Shop, server: &mut Server, load: Load, seconds: u64) -> Result<Loaded, Failure> {
    let address = server.address.clone();
    std::thread::scope(|scope| {
        let loaded = scope.spawn(move || load.run(&address, seconds));
        let deployments = shop.controls.iter();
        let deployments = deployments.filter(|edit| matches!(edit, Control::Deploy { .. }));
        for control in deployments.cycle() {
            if loaded.is_finished() {
                break;
            }
            server.control(control)?;
            std::thread::sleep(SWAP_EVERY);
        }
        loaded
            .join()
            .map_err(|_| Failure::new("the load has failed"))?
    })
}

/// Load while the server trains all sources anew beside it.
fn rebuilding(server: &Server, load: Load) -> Result<Loaded, Failure> {
    let mut client = crate::client::Client::connect(&server.address)?;
    let path = format!("/v1/usecases/{USE_CASE}/updates");
    let (status, answer) = client.post(&path, br#"{"by": "prove"}"#)?;
    if status >= 300 {
        let said = String::from_utf8_lossy(answer);
        return Err(Failure::new(format!("no training began: {status}: {said}")));
    }
    let mut all = Loaded::default();
    loop {
        all.add(load.run(&server.address, WARM_SECONDS)?);
        let (_, answer) = client.get(&path)?;
        let found: serde_json::Value = serde_json::from_slice(answer)?;
        if found["running"].is_null() {
            let latest = &found["updates"][0]["why"];
            println!("trained anew beside the load: {latest}");
            return Ok(all);
        }
    }
}

fn show(loads: &[(&str, &Loaded)]) {
    let mut lines = vec![row([
        "load",
        "lists/s",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "kept",
        "a source late",
        "failed",
        "stolen",
    ])];
    for (name, load) in loads {
        let share = |count: usize| count as f64 / load.answered().max(1) as f64;
        lines.push(row([
            name,
            &format!("{:.0}", load.rps()),
            &format!("{:.2}", load.quantile(0.5)),
            &format!("{:.2}", load.quantile(0.95)),
            &format!("{:.2}", load.quantile(0.99)),
            &format!("{:.1} %", 100.0 * share(load.cached)),
            &format!("{:.1} %", 100.0 * share(load.late)),
            &load.failed.to_string(),
            &format!("{:.1} %", 100.0 * load.stolen),
        ]));
    }
    table(&lines);
}
