use std::collections::{BTreeMap, BTreeSet};

use acumen_base::FieldType;

use super::*;
use crate::wire;
use crate::world::payments;

pub(super) const WORLD: &str = include_str!("../../../../../usecases/clv/world.yaml");

fn small(customers: u32) -> Parameters {
    let mut parameters = Parameters::parse(WORLD, "world.yaml").unwrap();
    parameters.customers = customers;
    parameters
}

fn world(customers: u32, seed: u64) -> World {
    World::new(small(customers), Seed(seed)).unwrap()
}

fn written(seed: u64) -> (Vec<u8>, Vec<u8>, Summary) {
    let (mut events, mut truth) = (Vec::new(), Vec::new());
    let quiet = &mut |_, _| {};
    let summary = simulate(small(60), Seed(seed), &mut events, &mut truth, quiet).unwrap();
    (events, truth, summary)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    assert_eq!(written(1), written(1));
    assert_ne!(written(1).0, written(2).0);
}

#[test]
fn what_is_written_is_what_is_iterated() {
    let (events, truth, summary) = written(3);
    let mut lines = Vec::new();
    let mut world = world(60, 3);
    world
        .by_ref()
        .for_each(|event| wire::write_line(&event, &mut lines));
    assert!(lines == events);
    let rows = truth.iter().filter(|&&b| b == b'\n').count();
    assert_eq!(rows, world.truth().count() + 1);
    assert_eq!(summary.oracle, world.oracle());
    for line in events.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
        serde_json::from_slice::<serde_json::Value>(line).unwrap();
    }
}

#[test]
fn events_come_in_order_once_and_conform_to_their_types() {
    let mut last = Time::EARLIEST;
    let (mut ids, mut seen) = (BTreeSet::new(), BTreeMap::<String, u32>::new());
    for event in world(300, 5) {
        assert!(event.known_at >= last);
        last = event.known_at;
        assert!(ids.insert(event.dedup_key()), "{} twice", event.id);
        for (field, value) in event.kind.fields.iter().zip(&event.values) {
            let fine = match (field.kind, value) {
                (_, Value::Missing) => field.optional,
                (FieldType::Money, Value::Money(money)) => money.minor > 0,
                (FieldType::Number, Value::Number(number)) => *number > 0.0,
                (FieldType::Time, at) => is_past(at, event.event_time),
                (FieldType::Id | FieldType::Category, Value::Text(text)) => !text.is_empty(),
                _ => false,
            };
            assert!(fine, "{} of {}: {value}", field.name, event.id);
        }
        *seen.entry(event.kind.name.clone()).or_default() += 1;
    }
    assert_eq!(seen.len(), KINDS.len(), "{seen:?}");
}

#[test]
fn a_kind_that_nobody_asked_for_changes_nothing_of_the_others() {
    let ids = |types: &EventTypes| -> Vec<String> {
        let world = World::with_types(small(80), Seed(4), types).unwrap();
        let orders = world.filter(|event| event.kind.name == "order");
        orders.map(|event| format!("{event:?}")).collect()
    };
    let all = event_types();
    let mut few = all.clone();
    few.retain(|name, _| name == "order" || name == "subscription");
    assert_eq!(ids(&all), ids(&few));
}

fn is_past(value: &Value, now: Time) -> bool {
    matches!(value, Value::Time(at) if *at <= now)
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Number(number) => *number,
        other => panic!("{other} is no number"),
    }
}

/// Money as the events tell it: pounds net of refunds, by customer, of orders in a window.
fn told_net(world: &mut World, from: Time, to: Time) -> BTreeMap<String, f64> {
    let (mut rates, mut orders) = (BTreeMap::new(), BTreeMap::new());
    let mut net: BTreeMap<String, f64> = BTreeMap::new();
    for event in world {
        let pounds = |rates: &BTreeMap<String, f64>| {
            let money = event.value("amount").as_money().unwrap();
            let rate = rates.get(money.currency.code()).copied().unwrap_or(1.0);
            (money.minor as f64 / 100.0, rate)
        };
        match event.kind.name.as_str() {
            "exchange_rate" => {
                let rate = number(event.value("rate"));
                rates.insert(event.value("currency").to_string(), rate);
            }
            "order" if event.event_time >= from && event.event_time < to => {
                let Some(who) = event.value("customer_id").as_text() else {
                    continue;
                };
                let (amount, rate) = pounds(&rates);
                orders.insert(event.id.to_string(), rate);
                *net.entry(who.to_owned()).or_default() += amount * rate;
            }
            "refund" => {
                let order = event.value("order_id").to_string();
                if let Some(rate) = orders.get(&order) {
                    let who = event.value("customer_id").to_string();
                    *net.entry(who).or_default() -= pounds(&rates).0 * rate;
                }
            }
            _ => {}
        }
    }
    net
}

#[test]
fn the_truth_is_what_the_events_add_up_to() {
    let mut world = world(200, 6);
    let day = world.parameters.origins()[1];
    let from = Time(world.start_ms() + day * DAY_MS);
    let net = told_net(&mut world, from, Time(from.0 + 365 * DAY_MS));
    let mut compared = 0;
    for truth in world.truth().filter(|truth| truth.origin == from) {
        let told = net.get(&account::id(truth.customer)).copied();
        let told = told.unwrap_or(0.0);
        assert!(
            (told - truth.actual).abs() < 0.01 + 1e-4 * told,
            "{truth:?} {told}"
        );
        compared += u32::from(told > 0.0);
    }
    assert!(compared > 30, "{compared}");
}

#[test]
fn what_is_expected_happens_on_average() {
    // Of customers by rising expectation, each third must come out as expected: a third holds
    // some thousand customers, whose sums stray by a few percent.
    let mut world = world(6_000, 8);
    world.by_ref().for_each(drop);
    let day = world.parameters.origins()[2];
    let at = Time(world.start_ms() + day * DAY_MS);
    let mut truths: Vec<Truth> = world.truth().filter(|t| t.origin == at).collect();
    truths.retain(|t| t.expected > 0.0);
    truths.sort_by(|a, b| a.expected.total_cmp(&b.expected));
    for third in truths.chunks(truths.len().div_ceil(3)) {
        let expected: f64 = third.iter().map(|t| t.expected).sum();
        let actual: f64 = third.iter().map(|t| t.actual).sum();
        assert!(
            (actual / expected - 1.0).abs() < 0.08,
            "{expected} {actual}"
        );
    }
    let left = world.truth().filter(|t| t.expected == 0.0);
    assert!(left.map(|t| t.actual).sum::<f64>() == 0.0);
}

#[test]
fn nobody_orders_before_their_account_was_opened_and_seasons_show() {
    let (mut opened, mut by_month) = (BTreeMap::new(), [0_u32; 12]);
    for event in world(1_500, 9) {
        let who = event.value("customer_id").to_string();
        match event.kind.name.as_str() {
            "customer_profile" => {
                opened.insert(who, event.value("opened_at").clone());
            }
            "order" if who.starts_with('c') => {
                let known = opened.get(&who);
                assert!(
                    known.is_some_and(|at| is_past(at, event.event_time)),
                    "{event:?}"
                );
                let date = event.event_time.to_string();
                by_month[date[5..7].parse::<usize>().unwrap() - 1] += 1;
            }
            _ => {}
        }
    }
    assert!(by_month[11] > by_month[6] * 6 / 5, "{by_month:?}");
}

#[test]
fn the_customers_are_those_of_the_payments_world() {
    let text = include_str!("../../../../../usecases/fraud/world.yaml");
    let mut parameters = payments::Parameters::parse(text, "world.yaml").unwrap();
    (parameters.customers, parameters.days) = (120, 5);
    let mut shop = small(1);
    (shop.start, shop.days) = (parameters.start.clone(), 5);
    shop.rate_drift = parameters.rate_drift;
    let payments = payments::World::new(parameters, Seed(7)).unwrap();
    let accounts = payments.accounts();
    let shop = World::among(&accounts, shop, Seed(7), &event_types()).unwrap();
    let tell = |event: &Event, field: &str| {
        let who = event.value("customer_id").to_string();
        (who, event.value(field).to_string())
    };
    let (mut theirs, mut their_rates) = (BTreeMap::new(), BTreeSet::new());
    for happening in payments {
        match happening.event.kind.name.as_str() {
            "customer_profile" => {
                let (who, opened) = tell(&happening.event, "opened_at");
                theirs.insert(who, opened);
            }
            "exchange_rate" => {
                their_rates.insert((happening.event.id.clone(), happening.event.body_hash()));
            }
            _ => {}
        }
    }
    let (mut same, mut rates) = (0, 0);
    for event in shop {
        match event.kind.name.as_str() {
            "customer_profile" => {
                let (who, opened) = tell(&event, "opened_at");
                assert_eq!(theirs[&who], opened);
                same += 1;
            }
            "exchange_rate" => {
                assert!(their_rates.contains(&(event.id.clone(), event.body_hash())));
                rates += 1;
            }
            _ => {}
        }
    }
    assert!(same > 80 && rates == their_rates.len(), "{same} {rates}");
}
