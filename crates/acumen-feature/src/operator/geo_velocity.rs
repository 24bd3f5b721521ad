//! `geo_velocity`: how fast one would have had to travel.

use acumen_base::{ColumnKind, Geo, Span, Value};

use super::{Accepts, Context, Operator, ParamDoc, ParamKind};
use crate::history::{History, Keep, Remembers};
use crate::state::{Facts, Keyed};

/// The operator.
pub(super) struct GeoVelocity;

/// Mean radius of the earth in kilometres (IUGG).
const EARTH_KM: f64 = 6_371.008_8;

struct Travel {
    kind: usize,
    field: usize,
    least: i64,
    keep: Keep,
}

/// Kilometres between two places along the surface, by the haversine formula.
pub(super) fn distance_km(a: Geo, b: Geo) -> f64 {
    let (from, to) = (a.lat.to_radians(), b.lat.to_radians());
    let half_lat = (to - from) / 2.0;
    let half_lon = (b.lon - a.lon).to_radians() / 2.0;
    let h = half_lat.sin().powi(2) + from.cos() * to.cos() * half_lon.sin().powi(2);
    2.0 * EARTH_KM * h.clamp(0.0, 1.0).sqrt().asin()
}

impl Remembers for Travel {
    type Value = Geo;

    fn keep(&self) -> Keep {
        self.keep
    }

    fn width(&self) -> usize {
        3
    }

    fn read(&self, of: &History<Geo>, current: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        out.fill(f64::NAN);
        let (Some(here), Some(before)) = (current.and_then(|f| self.value(f)), of.last(at)) else {
            return;
        };
        let km = distance_km(before.value, here);
        let unsure = f64::from(before.value.accuracy_km) + f64::from(here.accuracy_km);
        let hours = (at - before.time).max(self.least) as f64 / 3_600_000.0;
        out[0] = km;
        out[1] = km / hours;
        out[2] = (km - unsure).max(0.0) / hours;
    }

    fn value(&self, facts: &Facts<'_>) -> Option<Geo> {
        if facts.kind != self.kind {
            return None;
        }
        facts.event.values.get(self.field).and_then(Value::as_geo)
    }
}

impl Operator for GeoVelocity {
    fn name(&self) -> &'static str {
        "geo_velocity"
    }

    fn doc(&self) -> &'static str {
        "Kilometres from the key's previous place to the current one, the speed that it takes \
         (`km_per_hour`), and the least speed that it can have taken (`km_per_hour_min`: both \
         accuracy radii are subtracted first, so that a place known only roughly accuses nobody). \
         Less than `least_time` between two places counts as that long: clocks are not better, \
         and two events of one second would otherwise be infinitely fast. The current event is \
         excluded as a previous one; events without a place are passed over."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[ParamDoc {
            name: "least_time",
            kind: ParamKind::Span,
            default: "1m",
            doc: "The shortest time between two places that is believed; more than zero.",
        }]
    }

    fn accepts(&self) -> Accepts {
        Accepts::BY
    }

    fn example(&self) -> &'static str {
        "{operator: geo_velocity, of: order.place, by: customer, least_time: 1m}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let least = context.span("least_time", Span(60_000)).0.max(1);
        let entities = context.entities();
        let Some((kind, field)) = context.place_field() else {
            return;
        };
        let keep = Keep {
            lateness: context.lateness(),
            last: 1,
        };
        for entity in entities {
            let logic = Travel {
                kind,
                field,
                least,
                keep,
            };
            let unit = context.unit(Box::new(Keyed::new(logic, entity)));
            let by = context.entity_name(entity);
            let columns = [
                ("km", "km", "distance from the previous place"),
                ("km_per_hour", "km/h", "speed from the previous place"),
                (
                    "km_per_hour_min",
                    "km/h",
                    "least possible speed from the previous place",
                ),
            ];
            for (local, (name, of, words)) in columns.into_iter().enumerate() {
                let help = format!("{words} of this {by}");
                context.column(entity, name, (ColumnKind::Number, of), &help, (unit, local));
            }
        }
    }
}
