use std::collections::{BTreeMap, BTreeSet};

use acumen_base::{FieldType, Geo, Span};
use proptest::prelude::{ProptestConfig, proptest};

use super::*;
use crate::wire;

const WORLD: &str = include_str!("../../../../../usecases/fraud/world.yaml");

fn small(customers: u32, days: u32) -> Parameters {
    let mut parameters = Parameters::parse(WORLD, "world.yaml").unwrap();
    (parameters.customers, parameters.days) = (customers, days);
    parameters
}

fn world(customers: u32, days: u32, seed: u64) -> World {
    World::new(small(customers, days), Seed(seed)).unwrap()
}

fn written(seed: u64) -> (Vec<u8>, Vec<u8>, Summary) {
    let (mut events, mut truth) = (Vec::new(), Vec::new());
    let parameters = small(150, 40);
    let summary = simulate(
        parameters,
        Seed(seed),
        &mut events,
        &mut truth,
        &mut |_, _| {},
    )
    .unwrap();
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
    let mut frauds = 0;
    for happening in world(150, 40, 3) {
        wire::write_line(&happening.event, &mut lines);
        frauds += u64::from(happening.truth.is_some_and(|t| t.fraud));
    }
    assert!(lines == events);
    assert_eq!(summary.frauds, frauds);
    let rows = truth.iter().filter(|&&b| b == b'\n').count() as u64;
    assert_eq!(rows, summary.payments + 1);
    for line in events.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
        serde_json::from_slice::<serde_json::Value>(line).unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    /// Two readers that take turns in pieces of any size see the same world.
    #[test]
    fn pieces_do_not_matter(seed in 0_u64..1_000, piece in 1_usize..700) {
        let whole: Vec<Happening> = world(40, 12, seed).collect();
        let (mut one, mut pieces) = (world(40, 12, seed), Vec::new());
        let mut other = world(40, 12, seed + 1);
        loop {
            let taken: Vec<Happening> = one.by_ref().take(piece).collect();
            other.by_ref().take(piece).for_each(drop);
            if taken.is_empty() {
                break;
            }
            pieces.extend(taken);
        }
        assert_eq!(whole, pieces);
    }
}

#[test]
fn events_come_in_order_once_and_conform_to_their_types() {
    let mut last = Time::EARLIEST;
    let mut ids = BTreeSet::new();
    for happening in world(300, 90, 5) {
        let event = &happening.event;
        assert!(event.known_at >= last);
        last = event.known_at;
        assert!(ids.insert(event.dedup_key()), "{} twice", event.id);
        assert_eq!(event.values.len(), event.kind.fields.len());
        assert_eq!(happening.truth.is_some(), event.kind.name == "payment");
        for (field, value) in event.kind.fields.iter().zip(&event.values) {
            assert!(
                conforms(field.kind, field.optional, value),
                "{}: {value}",
                field.name
            );
        }
    }
    assert!(ids.len() > 20_000);
}

fn conforms(kind: FieldType, optional: bool, value: &Value) -> bool {
    match (kind, value) {
        (_, Value::Missing) => optional,
        (FieldType::Id | FieldType::Category | FieldType::Text, Value::Text(text)) => {
            !text.is_empty()
        }
        (FieldType::Money, Value::Money(money)) => money.minor > 0,
        (FieldType::Number, Value::Number(number)) => number.is_finite() && *number > 0.0,
        (FieldType::Time, Value::Time(at)) => at.is_plausible(),
        (FieldType::Geo, Value::Geo(at)) => {
            (-90.0..=90.0).contains(&at.lat)
                && (-180.0..=180.0).contains(&at.lon)
                && at.accuracy_km > 0.0
        }
        _ => false,
    }
}

#[test]
fn genuine_travel_is_possible_and_coarse_places_would_accuse_without_their_accuracy() {
    let mut last: BTreeMap<String, (Geo, i64)> = BTreeMap::new();
    let (mut moves, mut accused_without) = (0, 0);
    for happening in world(400, 120, 6) {
        let event = &happening.event;
        let (Some(truth), Some(place)) = (&happening.truth, event.value("place").as_geo()) else {
            continue;
        };
        if truth.fraud {
            continue;
        }
        let customer = event.value("customer_id").to_string();
        let now = (place, event.event_time.0);
        if let Some(before) = last.insert(customer, now) {
            assert!(
                least_speed(before, now) <= 500.0,
                "{} {:?}",
                event.id,
                truth
            );
            let exact = |(geo, at): (Geo, i64)| {
                (
                    Geo {
                        accuracy_km: 0.0,
                        ..geo
                    },
                    at,
                )
            };
            moves += 1;
            accused_without += u32::from(least_speed(exact(before), exact(now)) > 500.0);
        }
    }
    assert!(
        moves > 20_000 && accused_without > 50,
        "{accused_without} of {moves}"
    );
}

#[test]
fn the_stories_are_there_in_their_bands() {
    let mut seen: BTreeMap<(bool, Arc<str>), u32> = BTreeMap::new();
    let (mut payments, mut frauds) = (0, 0);
    for truth in world(1_500, 365, 7).filter_map(|h| h.truth) {
        assert!((0.0..=1.0).contains(&truth.oracle));
        payments += 1;
        frauds += u32::from(truth.fraud);
        *seen.entry((truth.fraud, truth.scenario)).or_default() += 1;
    }
    let share = f64::from(frauds) / f64::from(payments);
    assert!((0.006..0.010).contains(&share), "{share}");
    for (_, family) in small(1, 1).families.named() {
        for (fraud, profile) in [(true, &family.fraud), (false, &family.genuine)] {
            let count = seen
                .get(&(fraud, profile.scenario.as_str().into()))
                .copied();
            assert!(count.unwrap_or(0) > 100, "{}: {count:?}", profile.scenario);
        }
    }
}

#[test]
fn the_oracle_is_calibrated() {
    // Of payments that the oracle gives probabilities around p, about p are fraud.
    let mut bins = [(0.0, 0.0, 0.0); 5];
    for truth in world(1_500, 365, 8).filter_map(|h| h.truth) {
        let bin = &mut bins[((truth.oracle * 5.0) as usize).min(4)];
        *bin = (
            bin.0 + 1.0,
            bin.1 + truth.oracle,
            bin.2 + f64::from(u8::from(truth.fraud)),
        );
    }
    for (count, expected, happened) in bins {
        let (expected, happened) = (expected / count, happened / count);
        assert!(
            (expected - happened).abs() < 0.15,
            "{expected} {happened} of {count}"
        );
    }
}

#[test]
fn a_new_variant_appears_late() {
    let parameters = small(1_500, 100);
    let late = parameters.start() + Span::days(60);
    let mut seen = 0;
    for happening in World::new(parameters, Seed(9)).unwrap() {
        if happening
            .truth
            .is_some_and(|t| &*t.scenario == "remote_access")
        {
            assert!(happening.event.event_time >= late);
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn chargebacks_come_after_their_delay_for_fraud_only_and_seldom_never() {
    let mut paid: BTreeMap<Arc<str>, (Time, bool)> = BTreeMap::new();
    let mut delays = Vec::new();
    let mut frauds = 0.0;
    for happening in world(1_000, 200, 10) {
        let event = happening.event;
        if let Some(truth) = happening.truth {
            paid.insert(event.id.clone(), (event.event_time, truth.fraud));
            frauds += f64::from(u8::from(truth.fraud));
        } else if event.kind.name == "chargeback" {
            let payment = event.value("payment_id").as_text().unwrap();
            let (at, fraud) = paid[payment];
            assert!(fraud);
            delays.push((event.known_at - at).0 as f64 / 86_400_000.0);
        }
    }
    assert!(delays.iter().all(|d| (3.0..=65.0).contains(d)));
    delays.sort_by(f64::total_cmp);
    let median = delays[delays.len() / 2];
    assert!((8.0..14.0).contains(&median), "{median}");
    let unreported = 1.0 - delays.len() as f64 / frauds;
    assert!((0.002..0.03).contains(&unreported), "{unreported}");
}

#[test]
fn a_farm_shares_its_device_and_so_does_a_household() {
    let mut owners: BTreeMap<(bool, String), BTreeSet<String>> = BTreeMap::new();
    for happening in world(1_500, 365, 11) {
        let Some(truth) = happening.truth else {
            continue;
        };
        let farm = &*truth.scenario == "device_farm";
        if farm || &*truth.scenario == "household_spree" {
            let event = happening.event;
            if let Some(device) = event.value("device_id").as_text() {
                let customer = event.value("customer_id").to_string();
                owners
                    .entry((farm, device.to_owned()))
                    .or_default()
                    .insert(customer);
            }
        }
    }
    for farm in [true, false] {
        let shared = owners
            .iter()
            .filter(|((f, _), who)| *f == farm && who.len() > 1)
            .count();
        assert!(shared > 1, "farm {farm}: {shared}");
    }
}

#[test]
fn parameters_that_make_no_world_are_refused() {
    let mut parameters = small(10, 10);
    parameters.people.joins = 2.0;
    parameters.families.away.fraud.gap_spread = 0.0;
    let problems = World::new(parameters, Seed(1)).unwrap_err();
    assert_eq!(problems.len(), 2);
}
