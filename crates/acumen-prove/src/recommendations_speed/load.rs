//! Visitors who ask for lists, some of them after a click.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;
use std::time::Duration;

use acumen_base::{Clock, Seed};
use acumen_sim::load::Arrivals;
use serde_json::Value;

use super::shop::{USE_CASE, product, visitor};
use crate::client::Client;
use crate::level::Ticks;
use crate::report::Failure;
use crate::stage;

/// Connections that wait for a request that is due.
const CONNECTIONS: usize = 32;
/// Milliseconds in which 95 of 100 answers are to come.
const IN_TIME_MS: f64 = 20.0;
/// Lists that a click may take to be in, at most.
const LISTS_MAX: usize = 10;

/// Who asks, and how often.
#[derive(Clone, Copy)]
pub(super) struct Load {
    /// Lists a second.
    pub(super) rate: u32,
    /// Among how many visitors.
    pub(super) visitors: usize,
    /// The first of them.
    pub(super) first: usize,
    /// The share of requests that follow a click.
    pub(super) clicks: f64,
}

/// What came of a load.
#[derive(Default)]
pub(super) struct Loaded {
    seconds: f64,
    /// Nanoseconds from when each was due, or its click was acknowledged; ascending.
    latencies: Vec<u64>,
    /// Requests that were not answered with a list.
    pub(super) failed: usize,
    /// Answers for which something was kept.
    pub(super) cached: usize,
    /// Answers without some source.
    pub(super) late: usize,
    pub(super) stolen: f64,
}

impl Loaded {
    pub(super) fn answered(&self) -> usize {
        self.latencies.len()
    }

    pub(super) fn rps(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }

    pub(super) fn quantile(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = (share * self.latencies.len() as f64) as usize;
        let nanos = self.latencies.get(place.min(last));
        nanos.map_or(f64::NAN, |nanos| *nanos as f64 / 1e6)
    }

    pub(super) fn add(&mut self, other: Loaded) {
        self.stolen = (self.stolen * self.seconds + other.stolen * other.seconds)
            / (self.seconds + other.seconds);
        self.seconds += other.seconds;
        self.count(other);
        self.latencies.sort_unstable();
    }

    fn count(&mut self, other: Loaded) {
        self.latencies.extend(other.latencies);
        self.failed += other.failed;
        self.cached += other.cached;
        self.late += other.late;
    }
}

impl Load {
    /// The first of some falling rates at which 95 of 100 answers come in time; the last, where
    /// none does.
    pub(super) fn sustained(
        self,
        address: &str,
        seconds: u64,
        rates: &[u32],
    ) -> Result<Loaded, Failure> {
        let mut loaded = Loaded::default();
        for rate in rates {
            // What an overload has left behind is not of this rate.
            let load = Load {
                rate: *rate,
                ..self
            };
            load.run(address, 1)?;
            loaded = load.run(address, seconds)?;
            if loaded.quantile(0.95) <= IN_TIME_MS {
                break;
            }
        }
        Ok(loaded)
    }

    /// Sends requests for so many seconds.
    pub(super) fn run(self, address: &str, seconds: u64) -> Result<Loaded, Failure> {
        let clock = stage::clock();
        let end = seconds * 1_000_000_000;
        let seed = Seed(u64::from(self.rate)).derive(&self.first.to_string());
        let due = Arrivals::new(f64::from(self.rate), seed).take_while(|at| *at < end);
        let schedule = Mutex::new(due.enumerate());
        let (begin, ticks) = (clock.nanos(), Ticks::now());
        let run = clock.now().0;
        let connection = || -> Result<Loaded, Failure> {
            let mut client = Client::connect(address)?;
            let (mut done, mut body) = (Loaded::default(), Vec::new());
            loop {
                let (number, mut due) = {
                    let mut schedule = schedule
                        .lock()
                        .map_err(|_| Failure::new("a connection has failed"))?;
                    let Some((number, due)) = schedule.next() else {
                        break;
                    };
                    let now = clock.nanos() - begin;
                    std::thread::sleep(Duration::from_nanos(due.saturating_sub(now)));
                    (number, due)
                };
                let draw = |what: &str| seed.derive(what).unit(&number.to_string());
                let who = self.first + (draw("who") * self.visitors as f64) as usize;
                if draw("click") < self.clicks {
                    let what = (draw("what") * super::shop::ITEMS as f64) as usize;
                    let id = format!("load-{run}-{number}");
                    let (status, _) = click(&mut client, &id, who, what, &*clock)?;
                    done.failed += usize::from(status != 200);
                    due = clock.nanos() - begin;
                }
                body.clear();
                write!(body, "{{\"customer_id\":\"{}\"}}", visitor(who))?;
                let path = format!("/v1/usecases/{USE_CASE}/rank");
                let (status, answer) = client.post(&path, &body)?;
                if status != 200 {
                    done.failed += 1;
                    continue;
                }
                let has = |words: &[u8]| answer.windows(words.len()).any(|part| part == words);
                done.cached += usize::from(has(b"\"cached\":true"));
                done.late += usize::from(has(b"\"late\"") || has(b"\"failed\""));
                done.latencies.push(clock.nanos() - begin - due);
            }
            Ok(done)
        };
        let mut all = Loaded::default();
        std::thread::scope(|scope| {
            let connections: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(connection)).collect();
            for connection in connections {
                let joined = connection.join();
                all.count(joined.map_err(|_| Failure::new("a connection has failed"))??);
            }
            Ok::<(), Failure>(())
        })?;
        all.seconds = (clock.nanos() - begin) as f64 / 1e9;
        all.stolen = Ticks::now().stolen_since(ticks);
        all.latencies.sort_unstable();
        Ok(all)
    }
}

/// Sends that a visitor clicked on a product.
fn click<'a>(
    client: &'a mut Client,
    id: &str,
    who: usize,
    what: usize,
    clock: &dyn Clock,
) -> Result<(u16, &'a [u8]), Failure> {
    let body = format!(
        "{{\"type\":\"feedback\",\"feedback_id\":\"{id}\",\"at\":{},\"customer_id\":\"{}\",\
         \"session_id\":\"s{who}\",\"product_id\":\"{}\",\"kind\":\"click\"}}",
        clock.now().0,
        visitor(who),
        product(what)
    );
    Ok(client.post("/v1/events", body.as_bytes())?)
}

/// How soon clicks are in lists.
pub(super) struct Freshness {
    /// Clicks that the very next list reflects.
    pub(super) in_the_next: usize,
    /// Milliseconds from the acknowledgement of a click to the first list that reflects it.
    pub(super) p99_ms: f64,
}

/// Clicks, one after the other, each followed by requests until a list reflects it: until what the
/// sources say of its items is not what they said before the click.
pub(super) fn freshness(
    address: &str,
    clicks: usize,
    visitors: usize,
) -> Result<Freshness, Failure> {
    let clock = stage::clock();
    let mut client = Client::connect(address)?;
    let (mut took, mut in_the_next) = (Vec::with_capacity(clicks), 0);
    for number in 0..clicks {
        let draw = |what: &str| Seed(1).derive(what).unit(&number.to_string());
        let who = (draw("who") * visitors as f64) as usize;
        let what = (draw("what") * super::shop::ITEMS as f64) as usize;
        let before = said(&mut client, who)?;
        click(&mut client, &format!("fresh-{number}"), who, what, &*clock)?;
        let acknowledged = clock.nanos();
        for list in 1..=LISTS_MAX {
            let now = said(&mut client, who)?;
            let at = clock.nanos();
            let same = |(item, said): (&String, &Value)| before.get(item).is_none_or(|b| b == said);
            if !now.iter().all(same) || now.keys().all(|item| !before.contains_key(item)) {
                in_the_next += usize::from(list == 1);
                took.push(at - acknowledged);
                break;
            }
        }
    }
    took.sort_unstable();
    let place = (took.len() as f64 * 0.99) as usize;
    let nanos = took.get(place.min(took.len().saturating_sub(1)));
    Ok(Freshness {
        in_the_next,
        p99_ms: match took.len() == clicks {
            true => nanos.map_or(f64::NAN, |nanos| *nanos as f64 / 1e6),
            false => f64::INFINITY,
        },
    })
}

/// What the sources say of the items of a visitor's list, but for the bandit, which learns from
/// what others do as well.
fn said(client: &mut Client, who: usize) -> Result<BTreeMap<String, Value>, Failure> {
    let body = format!("{{\"customer_id\":\"{}\",\"explain\":true}}", visitor(who));
    let path = format!("/v1/usecases/{USE_CASE}/rank");
    let (_, answer) = client.post(&path, body.as_bytes())?;
    let mut answer: Value = serde_json::from_slice(answer)?;
    let items = answer["items"].as_array_mut().into_iter().flatten();
    let line = |item: &mut Value| {
        let mut sources = item["why"]["sources"].take();
        if let Some(parts) = sources.as_array_mut() {
            parts.retain(|part| part["source"] != "bandit");
        }
        Some((item["item"].as_str()?.to_owned(), sources))
    };
    Ok(items.filter_map(line).collect())
}
