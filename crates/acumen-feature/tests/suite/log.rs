//! Logs that try everything: late and too late, the same instant, missing fields and keys,
//! disputes of unknown, late and closed orders, rates that come after the money.

use std::sync::Arc;

use acumen_base::{Currency, Event, EventType, Geo, Money, Time, Value};
use proptest::prelude::*;

use crate::spec::{dispute, order, rate, registration, verdict};

type Draw = ((u8, i64, u8, i64), (u8, u8, i64, u8), (u8, u8, u8, u8));

pub(crate) fn logs() -> impl Strategy<Value = Vec<Arc<Event>>> {
    let draw = (
        (0..20_u8, 0..5_i64, 0..10_u8, 0..16_i64),
        (0..4_u8, 0..4_u8, 0..3_000_i64, 0..8_u8),
        (0..4_u8, 0..4_u8, 0..5_u8, 0..6_u8),
    );
    prop::collection::vec(draw, 1..70).prop_map(|draws: Vec<Draw>| {
        let kinds = [order(), dispute(), registration(), rate(), verdict()];
        let mut known = 1_600_000_000_000;
        let mut orders = 0;
        draws
            .into_iter()
            .map(|draw| {
                known += draw.0.1 * 1_000;
                event(&kinds, known, draw, &mut orders)
            })
            .collect()
    })
}

fn event(kinds: &[Arc<EventType>; 5], known: i64, draw: Draw, orders: &mut i64) -> Arc<Event> {
    let ((kind, _, late, delay), (customer, device, number, currency), more) = draw;
    // Most come at once, some late, few too late.
    let delay = match late {
        0..=5 => 0,
        6..=8 => delay,
        _ => delay * 4,
    };
    let time = known - delay * 1_000;
    let id = |prefix: &str, number: u8| match number {
        0 => Value::Missing,
        number => Value::text(&format!("{prefix}{number}")),
    };
    let (kind, name, values) = match kind {
        0..=12 => {
            *orders += 1;
            let amount = match currency {
                0 => Value::Missing,
                1 | 2 => Value::Money(Money::new(number, "EUR".parse().expect("a currency"))),
                _ => Value::Money(Money::new(number, Currency::GBP)),
            };
            (
                &kinds[0],
                format!("o{orders}"),
                order_values(customer, device, amount, number, more),
            )
        }
        14 => {
            let named = format!("o{}", (*orders + 2 - number % 6).max(1));
            (
                &kinds[4],
                format!("v{known}-{number}"),
                vec![Value::text(&named), Value::Bool(more.0 > 1)],
            )
        }
        13 | 15 => {
            // An order before, or one that is still to come.
            let named = format!("o{}", (*orders + 2 - number % 6).max(1));
            (
                &kinds[1],
                format!("d{known}-{number}"),
                vec![Value::text(&named)],
            )
        }
        16 | 17 => {
            let opened = Value::Time(Time(time - number * 86_400));
            let level = if more.0 == 0 {
                Value::Missing
            } else {
                Value::Int(number)
            };
            (
                &kinds[2],
                format!("r{known}-{number}"),
                vec![id("c", customer), level, opened],
            )
        }
        _ => {
            let rate = Value::Number(0.5 + number as f64 / 1_000.0);
            (
                &kinds[3],
                format!("x{known}-{number}"),
                vec![Value::text("EUR"), rate],
            )
        }
    };
    Arc::new(Event {
        kind: Arc::clone(kind),
        id: name.into(),
        event_time: Time(time),
        known_at: Time(known),
        received_at: Time(known),
        values,
    })
}

fn order_values(
    customer: u8,
    device: u8,
    amount: Value,
    number: i64,
    (flag, channel, place, os): (u8, u8, u8, u8),
) -> Vec<Value> {
    let id = |prefix: &str, number: u8| match number {
        0 => Value::Missing,
        number => Value::text(&format!("{prefix}{number}")),
    };
    let flag = match flag {
        0 => Value::Missing,
        flag => Value::Bool(flag > 1),
    };
    let place = match place {
        0 => Value::Missing,
        place => Value::Geo(Geo {
            lat: 50.0 + f64::from(place / 2),
            lon: f64::from(place),
            accuracy_km: f32::from(place) * 10.0,
        }),
    };
    let weight = match number % 7 {
        0 => Value::Missing,
        1 => Value::Number(1e300),
        _ => Value::Number(number as f64 / 7.0 - 100.0),
    };
    vec![
        id("c", customer),
        id("d", device),
        amount,
        weight,
        flag,
        id("channel", channel),
        place,
        id("os", os),
        id("browser", os / 2),
    ]
}
