//! Every column computed again, slowly, from the full list of events that were known.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use acumen_base::key::category_code;
use acumen_base::{Currency, Event, Geo, Span, Value};
use acumen_feature::Pipeline;
use proptest::prelude::*;

use crate::log::logs;
use crate::spec::{CLOSES, LATENESS, WINDOWS, pipeline};

/// The log as far as the row of its last event may know it.
struct Known<'a> {
    log: &'a [Arc<Event>],
}

type Named = BTreeMap<String, f64>;

impl<'a> Known<'a> {
    fn row(&self) -> &'a Event {
        self.log.last().expect("a row is of an event")
    }

    fn at(&self) -> i64 {
        self.row().event_time.0
    }

    /// Applied events of a type and key before the row, at or before an instant, by time and
    /// place in the log.
    fn before(&self, kind: &str, entity: &str, at: i64) -> Vec<(usize, &'a Event)> {
        let key = ids(self.row(), entity);
        let earlier = self.log[..self.log.len() - 1].iter().enumerate();
        let mut found: Vec<(usize, &Event)> = earlier
            .map(|(index, event)| (index, event.as_ref()))
            .filter(|(_, event)| event.kind.name == kind && !event.is_too_late())
            .filter(|(_, event)| event.event_time.0 <= at && ids(event, entity) == key)
            .collect();
        found.sort_by_key(|(index, event)| (event.event_time.0, *index));
        found
    }

    /// The same, within a window, with the row's own event if it counts.
    fn window(
        &self,
        kind: &str,
        entity: &str,
        at: i64,
        window: Span,
        current: bool,
    ) -> Vec<(usize, &'a Event)> {
        let mut found = self.before(kind, entity, at);
        if current && self.row().kind.name == kind {
            found.push((self.log.len() - 1, self.row()));
        }
        found.retain(|(_, event)| window == Span::ALL || event.event_time.0 > at - window.0);
        found
    }

    fn has_key(&self, entity: &str) -> bool {
        ids(self.row(), entity).iter().all(|id| !id.is_missing())
    }

    /// An amount in pence, at the newest rate known where its event stands in the log.
    fn pence(&self, index: usize) -> Option<f64> {
        let money = self.log[index].value("amount").as_money()?;
        if money.currency == Currency::GBP {
            return Some(money.minor as f64);
        }
        let rates = self.log[..index].iter().enumerate();
        let rates = rates.filter(|(_, e)| e.kind.name == "rate" && !e.is_too_late());
        let newest = rates.max_by_key(|(index, event)| (event.event_time.0, *index))?;
        match newest.1.value("value") {
            Value::Number(rate) => Some((money.minor as f64 * rate).round_ties_even()),
            _ => None,
        }
    }

    fn micro_weight(&self, index: usize) -> Option<f64> {
        match self.log[index].value("weight") {
            Value::Number(weight) if weight.abs() < 1e9 => Some((weight * 1e6).round_ties_even()),
            _ => None,
        }
    }

    /// Whether an order was known to be positive before the row.
    fn positive(&self, index: usize) -> bool {
        let order = &self.log[index];
        let mut words = self.log[..self.log.len() - 1].iter().filter(|event| {
            ["dispute", "verdict"].contains(&event.kind.name.as_str())
                && !event.is_too_late()
                && event.value("order_id").as_text() == Some(&order.id)
        });
        let speak = |event: &&Arc<Event>| {
            let known = event.known_at.0;
            known <= order.event_time.0 + CLOSES && order.known_at.0 <= known + LATENESS
        };
        let last = words.rfind(speak);
        last.is_some_and(|event| *event.value("positive") != Value::Bool(false))
    }

    /// `LIGHT`.
    fn is_light(&self, index: usize) -> bool {
        matches!(self.log[index].value("weight"), Value::Number(weight) if *weight < 100.0)
    }

    /// The amount of an order in the mean of the customer's earlier ones, as its own row had it.
    fn ratio(&self, index: usize) -> Option<f64> {
        let then = Known {
            log: &self.log[..=index],
        };
        let earlier = then.window("order", "customer", then.at(), Span(30_000), false);
        let amounts: Vec<f64> = earlier.iter().filter_map(|(i, _)| self.pence(*i)).collect();
        let there = then.has_key("customer") && amounts.len() >= 2 && mean(&amounts) != 0.0;
        Some(self.pence(index).filter(|_| there)? / mean(&amounts))
    }

    /// How many channels the customer had used, as the order's own row had it.
    fn channels(&self, index: usize) -> Option<usize> {
        let then = Known {
            log: &self.log[..=index],
        };
        let with = then.window("order", "customer", then.at(), Span(30_000), true);
        let channels = with
            .iter()
            .filter_map(|(_, e)| e.value("channel").as_text());
        let there = then.has_key("customer") && !then.row().value("channel").is_missing();
        there.then(|| channels.collect::<BTreeSet<&str>>().len())
    }

    fn flag(&self, index: usize) -> Option<bool> {
        match self.log[index].value("flag") {
            Value::Bool(flag) => Some(*flag),
            _ => None,
        }
    }
}

/// The ids of an entity that an event carries.
fn ids<'a>(event: &'a Event, entity: &str) -> Vec<&'a Value> {
    let fields: &[&str] = match entity {
        "customer" => &["customer_id"],
        "device" => &["device_id"],
        _ => &["customer_id", "device_id"],
    };
    fields.iter().map(|field| event.value(field)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return f64::NAN;
    }
    let mean = mean(values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

fn aggregate(name: &str, values: &[f64], scale: f64) -> f64 {
    let fold = |start: f64, of: fn(f64, f64) -> f64| values.iter().copied().fold(start, of) / scale;
    match name {
        "count" => values.len() as f64,
        "sum" => values.iter().sum::<f64>() / scale,
        "avg" => mean(values) / scale,
        "min" => fold(f64::NAN, f64::min),
        "max" => fold(f64::NAN, f64::max),
        _ => deviation(values) / scale,
    }
}

fn windows(known: &Known<'_>, out: &mut Named) {
    let at = known.at();
    let me = known.log.len() - 1;
    for window in WINDOWS {
        for entity in ["customer", "device"] {
            let events = known.window("order", entity, at, window, true);
            let values: Vec<f64> = events.iter().filter_map(|(i, _)| known.pence(*i)).collect();
            for name in ["count", "sum", "avg", "min", "max", "stddev"] {
                let value = match known.has_key(entity) && known.pence(me).is_some() {
                    true => aggregate(name, &values, 100.0),
                    false => f64::NAN,
                };
                for feature in ["velocity", "velocity_named"] {
                    out.insert(format!("{feature}.{entity}.{name}_{window}"), value);
                }
            }
            let values: BTreeSet<&str> = events
                .iter()
                .filter_map(|(_, e)| e.value("channel").as_text())
                .collect();
            let there = known.has_key(entity) && !known.row().value("channel").is_missing();
            let value = if there { values.len() as f64 } else { f64::NAN };
            out.insert(format!("channels.{entity}.distinct_{window}"), value);
        }
        let together = known.window("order", "pair", at, window, false).len() as f64;
        let together = if known.has_key("pair") {
            together
        } else {
            f64::NAN
        };
        out.insert(format!("together.count_{window}"), together);
        let count = |kind: &str, entity: &str| match known.has_key(entity) {
            true => known.window(kind, entity, at, window, true).len() as f64,
            false => f64::NAN,
        };
        out.insert(format!("orders.count_{window}"), count("order", "device"));
        out.insert(
            format!("registrations.count_{window}"),
            count("registration", "customer"),
        );
    }
    for window in [Span(5_000), Span(30_000)] {
        let events = known.window("order", "device", at, window, false);
        let values: BTreeSet<&str> = events
            .iter()
            .filter_map(|(_, e)| e.value("customer_id").as_text())
            .collect();
        let value = if known.has_key("device") {
            values.len() as f64
        } else {
            f64::NAN
        };
        out.insert(format!("customers.distinct_{window}"), value);
    }
    let events = known.window("order", "customer", at, Span(30_000), false);
    let weights: Vec<f64> = events
        .iter()
        .filter_map(|(i, _)| known.micro_weight(*i))
        .collect();
    for name in ["sum", "avg", "min", "max", "stddev"] {
        let value = aggregate(name, &weights, 1e6);
        let value = if known.has_key("customer") {
            value
        } else {
            f64::NAN
        };
        out.insert(format!("weight_{name}.{name}_30s"), value);
    }
    let current = known.pence(me).unwrap_or(f64::NAN);
    for (name, flagged_only) in [("usual", false), ("usual_flagged", true)] {
        let events = events
            .iter()
            .filter(|(i, _)| !flagged_only || known.flag(*i) == Some(true));
        let amounts: Vec<f64> = events.filter_map(|(i, _)| known.pence(*i)).collect();
        let there = known.has_key("customer");
        baseline(out, name, current, if there { &amounts } else { &[] });
    }
    for window in WINDOWS {
        let mut events = known.window("order", "customer", at, window, true);
        events.retain(|(index, _)| known.is_light(*index));
        let there = known.has_key("customer");
        let count = if there { events.len() as f64 } else { f64::NAN };
        out.insert(format!("light.count_{window}"), count);
        let mut events = known.window("order", "device", at, window, true);
        events.retain(|(i, _)| known.ratio(*i).is_some_and(|ratio| ratio >= 1.5));
        events.retain(|(i, _)| known.channels(*i).is_some_and(|channels| channels < 3));
        let sum: f64 = events.iter().filter_map(|(i, _)| known.pence(*i)).sum();
        let there = known.has_key("device") && known.pence(me).is_some();
        let sum = if there { sum / 100.0 } else { f64::NAN };
        out.insert(format!("unusual.sum_{window}"), sum);
    }
}

fn baseline(out: &mut Named, name: &str, current: f64, amounts: &[f64]) {
    let (mean, deviation) = (mean(amounts), deviation(amounts));
    let off = current - mean;
    let z = match deviation {
        deviation if deviation > 0.0 => off / deviation,
        _ if off == 0.0 => 0.0,
        _ => f64::NAN,
    };
    let ratio = if mean == 0.0 {
        f64::NAN
    } else {
        current / mean
    };
    for (suffix, value) in [
        ("mean", mean / 100.0),
        ("deviation", deviation / 100.0),
        ("z", z),
        ("ratio", ratio),
    ] {
        let value = if amounts.len() >= 2 { value } else { f64::NAN };
        out.insert(format!("{name}.{suffix}"), value);
    }
}

fn shares(known: &Known<'_>, out: &mut Named) {
    let share = |events: &[bool]| {
        let positive = events.iter().filter(|positive| **positive).count();
        (positive as f64 / events.len() as f64, events.len() as f64)
    };
    let mut put = |name: String, entity: &str, window: Span, events: Vec<bool>| {
        let (share, count) = share(&events);
        let there = known.has_key(entity);
        let value = |value: f64| if there { value } else { f64::NAN };
        out.insert(format!("{name}.share_{window}"), value(share));
        out.insert(format!("{name}.count_{window}"), value(count));
    };
    let outcomes = |entity: &str, at: i64, window: Span| {
        let events = known.window("order", entity, at, window, false);
        events
            .iter()
            .map(|(index, _)| known.positive(*index))
            .collect::<Vec<bool>>()
    };
    for entity in ["customer", "device"] {
        for window in [Span(10_000), Span::ALL] {
            let events = outcomes(entity, known.at() - 8_000, window);
            put(format!("risk.{entity}"), entity, window, events);
        }
    }
    for window in [Span(10_000), Span::ALL] {
        let mut events = known.window("order", "customer", known.at(), window, false);
        events.retain(|(index, _)| known.is_light(*index));
        let events = events.iter().map(|(index, _)| known.positive(*index));
        put(
            "risk_light".to_owned(),
            "customer",
            window,
            events.collect(),
        );
    }
    let events = outcomes("pair", known.at(), Span::ALL);
    put("together_risk".to_owned(), "pair", Span::ALL, events);
    let events = outcomes("customer", known.at(), Span(30_000));
    put("risk_now".to_owned(), "customer", Span(30_000), events);
    for window in WINDOWS {
        let events = known.window("order", "device", known.at(), window, false);
        let flags = events
            .iter()
            .filter_map(|(index, _)| known.flag(*index))
            .collect();
        put("flagged".to_owned(), "device", window, flags);
    }
}

/// What a run is of, for the oracle.
enum Of {
    Outcome,
    Flag,
    LightBefore(i64),
    Usual,
}

fn runs(known: &Known<'_>, out: &mut Named) {
    for (name, entity, of) in [
        ("run.customer", "customer", Of::Outcome),
        ("run.device", "device", Of::Outcome),
        ("flag_run", "customer", Of::Flag),
        ("run_before", "device", Of::LightBefore(6_000)),
        ("run_usual", "device", Of::Usual),
    ] {
        let delay = match of {
            Of::LightBefore(delay) => delay,
            _ => 0,
        };
        let events = known.before("order", entity, known.at() - delay);
        let newest_first = events.into_iter().rev().filter_map(|(index, event)| {
            let positive = match of {
                Of::Outcome => Some(known.positive(index)),
                Of::Flag => known.flag(index),
                Of::Usual => {
                    let usual = known.ratio(index).is_some_and(|ratio| ratio < 1.5);
                    usual.then(|| known.positive(index))
                }
                Of::LightBefore(_) => known.is_light(index).then(|| known.positive(index)),
            };
            positive.map(|positive| (positive, event.event_time.0))
        });
        let events: Vec<(bool, i64)> = newest_first.collect();
        let run: Vec<_> = events
            .iter()
            .take_while(|(positive, _)| *positive)
            .collect();
        let there = known.has_key(entity);
        let since = |event: Option<&(bool, i64)>| {
            event.map_or(f64::NAN, |(_, time)| (known.at() - time) as f64 / 1_000.0)
        };
        let last = events
            .first()
            .map_or(f64::NAN, |(positive, _)| f64::from(u8::from(*positive)));
        for (suffix, value) in [
            ("events", run.len() as f64),
            ("seconds", since(run.last().copied())),
            ("last", last),
            ("since_positive", since(events.iter().find(|event| event.0))),
            (
                "since_negative",
                since(events.iter().find(|event| !event.0)),
            ),
        ] {
            let value = if there { value } else { f64::NAN };
            out.insert(format!("{name}.{suffix}"), value);
        }
    }
}

/// The periods in which orders of a key came, with the sum of what each was worth.
fn recurrence(known: &Known<'_>, out: &mut Named) {
    let of = |entity: &str| match known.has_key(entity) {
        true => known.before("order", entity, known.at()),
        false => Vec::new(),
    };
    let mut put = |name: &str, there: bool, period: i64, orders: Vec<(i64, f64)>| {
        let mut sums = BTreeMap::<i64, f64>::new();
        for (time, value) in orders {
            *sums.entry(time.div_euclid(period)).or_default() += value;
        }
        let [first, last] = [sums.first_key_value(), sums.last_key_value()]
            .map(|found| found.map_or(f64::NAN, |(number, _)| *number as f64));
        let since = |number: f64| (known.at() as f64 - number * period as f64) / period as f64;
        let count = sums.len() as f64;
        let later = sums.values().skip(1).sum::<f64>();
        let columns = [
            ("count", if there { count } else { f64::NAN }),
            (
                "repeats",
                if sums.is_empty() {
                    f64::NAN
                } else {
                    count - 1.0
                },
            ),
            ("recency", last - first),
            ("age", since(first)),
            ("since_last", since(last)),
            (
                "value",
                if count > 1.0 {
                    later / (count - 1.0)
                } else {
                    f64::NAN
                },
            ),
        ];
        for (column, value) in columns {
            out.insert(format!("{name}.{column}"), value);
        }
    };
    let times = |orders: &[(usize, &Event)]| -> Vec<(usize, i64)> {
        orders
            .iter()
            .map(|(index, e)| (*index, e.event_time.0))
            .collect()
    };
    let valued = times(&of("customer")).into_iter();
    let valued = valued.filter_map(|(index, time)| Some((time, known.pence(index)? / 100.0)));
    put(
        "returns",
        known.has_key("customer"),
        5_000,
        valued.collect(),
    );
    for entity in ["customer", "device"] {
        let light = times(&of(entity)).into_iter();
        let light = light.filter(|(index, _)| known.is_light(*index));
        let light = light.map(|(_, time)| (time, 1.0)).collect();
        put(
            &format!("light_returns.{entity}"),
            known.has_key(entity),
            9_000,
            light,
        );
    }
}

fn text_code(value: &Value) -> f64 {
    value.as_text().map_or(f64::NAN, category_code)
}

/// The law of cosines in vectors: another formula than haversine.
fn kilometres(a: Geo, b: Geo) -> f64 {
    let vector = |geo: Geo| {
        let (lat, lon) = (geo.lat.to_radians(), geo.lon.to_radians());
        [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()]
    };
    let (a, b) = (vector(a), vector(b));
    let chord: f64 = (0..3)
        .map(|axis| (a[axis] - b[axis]).powi(2))
        .sum::<f64>()
        .sqrt();
    2.0 * 6_371.008_8 * (chord / 2.0).min(1.0).asin()
}

fn single(known: &Known<'_>, out: &mut Named) {
    let (row, me) = (known.row(), known.log.len() - 1);
    let there = known.has_key("customer");
    let earlier = match there {
        true => known.before("order", "customer", known.at()),
        false => Vec::new(),
    };
    let pounds = |index: usize| known.pence(index).map_or(f64::NAN, |pence| pence / 100.0);
    out.insert("raw.amount".to_owned(), pounds(me));
    out.insert("raw.channel".to_owned(), text_code(row.value("channel")));
    let flag = known
        .flag(me)
        .map_or(f64::NAN, |flag| f64::from(u8::from(flag)));
    out.insert("raw.flag".to_owned(), flag);
    let pause = earlier
        .last()
        .map(|(_, event)| (known.at() - event.event_time.0) as f64 / 1e3);
    out.insert("pause.seconds".to_owned(), pause.unwrap_or(f64::NAN));
    let mut by_device = known.before("order", "device", known.at());
    by_device.retain(|(index, _)| known.is_light(*index));
    let pause = by_device
        .last()
        .filter(|_| known.has_key("device"))
        .map(|(_, event)| (known.at() - event.event_time.0) as f64 / 1e3);
    out.insert("light_pause.seconds".to_owned(), pause.unwrap_or(f64::NAN));

    let mut travel = [f64::NAN; 3];
    let before = earlier
        .iter()
        .rev()
        .find(|(_, event)| event.value("place").as_geo().is_some());
    if let (Some(here), Some((_, before))) = (row.value("place").as_geo(), before) {
        let from = before.value("place").as_geo().expect("it was looked for");
        let hours = (known.at() - before.event_time.0).max(60_000) as f64 / 3_600_000.0;
        let km = kilometres(from, here);
        let least = km - f64::from(from.accuracy_km) - f64::from(here.accuracy_km);
        travel = [km, km / hours, least.max(0.0) / hours];
    }
    for (name, value) in ["km", "km_per_hour", "km_per_hour_min"].iter().zip(travel) {
        out.insert(format!("travel.{name}"), value);
    }

    let mut away = [f64::NAN; 2];
    if let Some(here) = row.value("place").as_geo() {
        let places = earlier.iter().rev();
        let places = places.filter_map(|(_, event)| event.value("place").as_geo());
        let mut km: Vec<f64> = places
            .take(4)
            .map(|place| kilometres(place, here))
            .collect();
        km.sort_by(f64::total_cmp);
        if let [nearest, ..] = km[..] {
            away = [nearest, km[(km.len() - 1) / 2]];
        }
    }
    out.insert("whereabouts.nearest_km".to_owned(), away[0]);
    out.insert("whereabouts.median_km".to_owned(), away[1]);

    let registrations = known.before("registration", "customer", known.at());
    let newest = registrations
        .last()
        .filter(|_| there)
        .map(|(_, event)| event);
    let level = newest.map_or(f64::NAN, |event| match event.value("level") {
        Value::Int(level) => *level as f64,
        _ => f64::NAN,
    });
    out.insert("account.level".to_owned(), level);
    let age = newest.map_or(f64::NAN, |event| match event.value("opened_at") {
        Value::Time(opened) => (known.at() - opened.0) as f64 / 86_400_000.0,
        _ => f64::NAN,
    });
    out.insert("account.age_days".to_owned(), age);

    let steps = there.then_some(me).into_iter();
    let mut steps = steps.chain(earlier.iter().rev().map(|(index, _)| *index));
    for step in 1..=3 {
        let index = steps.next();
        let amount = index.map_or(f64::NAN, pounds);
        let channel = index.map_or(f64::NAN, |i| text_code(known.log[i].value("channel")));
        out.insert(format!("recent.amount_{step}"), amount);
        out.insert(format!("recent.channel_{step}"), channel);
        let age = index.map(|index| (known.at() - known.log[index].event_time.0) as f64 / 1e3);
        out.insert(format!("recent.age_{step}"), age.unwrap_or(f64::NAN));
    }

    let parts = |event: &Event| {
        [
            event.value("device.browser").clone(),
            event.value("device.os").clone(),
        ]
    };
    let sent = |event: &Event| parts(event).iter().any(|part| !part.is_missing());
    let before = earlier.iter().rev().find(|(_, event)| sent(event));
    let changed = before
        .filter(|_| sent(row))
        .map_or(f64::NAN, |(_, before)| {
            let pairs = parts(before).into_iter().zip(parts(row));
            pairs.filter(|(before, now)| before != now).count() as f64
        });
    out.insert("device.changed_components".to_owned(), changed);

    let (hour, weekday) = (
        row.event_time.0 / 3_600_000 % 24,
        (row.event_time.0 / 86_400_000 + 3) % 7,
    );
    out.insert("moment.hour".to_owned(), hour as f64);
    out.insert("moment.weekday".to_owned(), weekday as f64);
    out.insert("moment.night".to_owned(), f64::from(u8::from(hour < 7)));
    out.insert(
        "moment.weekend".to_owned(),
        f64::from(u8::from(weekday > 4)),
    );
}

/// Applied orders before the row of which a field has this text, the latest first.
fn orders<'a>(known: &Known<'a>, field: &str, key: &str) -> Vec<&'a Event> {
    let earlier = known.log[..known.log.len() - 1].iter().enumerate();
    let mut found: Vec<(usize, &Event)> = earlier
        .map(|(index, event)| (index, event.as_ref()))
        .filter(|(_, event)| event.kind.name == "order" && !event.is_too_late())
        .filter(|(_, event)| event.event_time.0 <= known.at())
        .filter(|(_, event)| event.value(field).as_text() == Some(key))
        .collect();
    found.sort_by_key(|(index, event)| std::cmp::Reverse((event.event_time.0, *index)));
    found.into_iter().map(|(_, event)| event).collect()
}

/// The first different texts, at most so many.
fn different<'a>(texts: impl Iterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let mut found = Vec::new();
    for text in texts {
        if found.len() < most && !found.contains(&text) {
            found.push(text);
        }
    }
    found
}

fn around(known: &Known<'_>, out: &mut Named) {
    let row = known.row();
    let (mut devices, mut customers) = (Vec::new(), Vec::new());
    if let Some(me) = row.value("customer_id").as_text() {
        let mine = orders(known, "customer_id", me);
        let met = std::iter::once(row)
            .chain(mine)
            .filter_map(|e| e.value("device_id").as_text());
        devices = different(met, 2);
        let mut met: Vec<(i64, usize, &str)> = Vec::new();
        for device in &devices {
            let with = orders(known, "device_id", device);
            let place = |event: &Event| known.log.iter().position(|e| e.id == event.id);
            let latest = with.iter().filter_map(|e| e.value("customer_id").as_text());
            for customer in different(latest, 3).into_iter().filter(|c| *c != me) {
                let mut same = with.iter();
                let same = same.find(|e| e.value("customer_id").as_text() == Some(customer));
                let event = same.expect("it was found among them");
                met.push((
                    event.event_time.0,
                    place(event).expect("it is there"),
                    customer,
                ));
            }
        }
        met.sort_by(|a, b| b.cmp(a));
        customers = different(met.iter().map(|met| met.2), 2);
    }
    let there = known.has_key("customer");
    let count = |keys: &[&str]| if there { keys.len() as f64 } else { f64::NAN };
    for feature in ["around", "beside"] {
        out.insert(format!("{feature}.device_count"), count(&devices));
        out.insert(format!("{feature}.customer_count"), count(&customers));
    }
    let pauses: Vec<f64> = customers
        .iter()
        .map(|key| orders(known, "customer_id", key).first().copied())
        .map(|event| {
            event.map_or(f64::NAN, |event| {
                (known.at() - event.event_time.0) as f64 / 1e3
            })
        })
        .collect();
    let mut gathered = vec![("hop2", "pause.seconds".to_owned(), pauses)];
    for (name, window) in [("5s", 5_000), ("30s", 30_000)] {
        let counts = devices.iter().map(|device| {
            let seen = orders(known, "device_id", device).into_iter();
            let seen = seen.filter(|event| event.event_time.0 > known.at() - window);
            different(seen.filter_map(|e| e.value("customer_id").as_text()), 99).len() as f64
        });
        gathered.push((
            "hop1",
            format!("customers.distinct_{name}"),
            counts.collect(),
        ));
    }
    for (hop, name, values) in gathered {
        for place in 0..2 {
            let value = values.get(place).copied().unwrap_or(f64::NAN);
            out.insert(format!("beside.{hop}_{}.{name}", place + 1), value);
        }
        let values: Vec<f64> = values.into_iter().filter(|value| !value.is_nan()).collect();
        let largest = values.iter().copied().fold(f64::NAN, f64::max);
        for feature in ["around", "beside"] {
            out.insert(format!("{feature}.mean.{name}"), mean(&values));
            out.insert(format!("{feature}.max.{name}"), largest);
        }
    }
}

/// Hashes have no second formula: equal inputs give equal codes, different ones different.
fn hashes_agree(
    seen: &mut BTreeMap<(String, String), u64>,
    row: &Event,
    columns: &[String],
    values: &[f64],
) {
    for (column, value) in columns.iter().zip(values) {
        let text = match column.as_str() {
            "device.hash" => format!(
                "{:?}",
                (row.value("device.os"), row.value("device.browser"))
            ),
            "device.os" | "device.browser" => format!("{:?}", row.value(column)),
            _ => continue,
        };
        let missing = value.is_nan();
        assert_eq!(
            missing,
            !text.contains("Text"),
            "{column} of {text} is {value}"
        );
        let key = (column.clone(), text);
        assert_eq!(*seen.entry(key).or_insert(value.to_bits()), value.to_bits());
    }
    let codes = seen
        .iter()
        .filter(|(_, bits)| !f64::from_bits(**bits).is_nan());
    let distinct: BTreeSet<u64> = codes.clone().map(|(_, bits)| *bits).collect();
    assert!(distinct.len() + 32 > codes.count());
}

fn same(a: f64, b: f64) -> bool {
    (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_operator_agrees_with_the_oracle(log in logs()) {
        let mut pipeline = Pipeline::compile(pipeline()).expect("the spec is valid");
        let columns: Vec<String> =
            pipeline.columns(0).list.iter().map(|column| column.name.clone()).collect();
        let mut row = vec![0.0; columns.len()];
        let mut hashes = BTreeMap::new();
        for (index, event) in log.iter().enumerate() {
            let wanted = event.kind.name == "order";
            pipeline.step(event, index as u64, wanted.then_some((0, &mut row[..])));
            // What came too late reads the state as it is, which has forgotten older events.
            if !wanted || event.is_too_late() {
                continue;
            }
            let known = Known { log: &log[..=index] };
            let mut expected = Named::new();
            windows(&known, &mut expected);
            shares(&known, &mut expected);
            runs(&known, &mut expected);
            single(&known, &mut expected);
            recurrence(&known, &mut expected);
            around(&known, &mut expected);
            let surplus = expected["raw.amount"] - expected["velocity.customer.avg_30s"];
            expected.insert("surplus".to_owned(), surplus);
            expected.insert("twice".to_owned(), surplus * 2.0);
            let loud = match (known.flag(index), surplus) {
                (Some(false), _) => 0.0,
                (_, surplus) if surplus <= 0.0 => 0.0,
                (None, _) => f64::NAN,
                (_, surplus) if surplus.is_nan() => f64::NAN,
                _ => 1.0,
            };
            expected.insert("loud".to_owned(), loud);
            hashes_agree(&mut hashes, event, &columns, &row);
            for (column, value) in columns.iter().zip(&row) {
                let hashed = ["device.hash", "device.os", "device.browser"];
                if hashed.contains(&column.as_str()) {
                    continue;
                }
                let expected = expected.get(column).copied();
                let expected = expected.unwrap_or_else(|| panic!("no oracle for {column}"));
                prop_assert!(same(*value, expected), "{column} at {index}: {value}, not {expected}");
            }
        }
    }
}
