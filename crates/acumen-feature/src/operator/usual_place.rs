//! `usual_place`: how far away this is from where the key usually is.

use acumen_base::limits::LAST_MAX;
use acumen_base::{ColumnKind, Geo, Value};
use smallvec::SmallVec;

use super::geo_velocity::distance_km;
use super::{Accepts, Context, Operator, ParamDoc, ParamKind};
use crate::history::{History, Keep, Remembers};
use crate::state::{Facts, Keyed};

/// The operator.
pub(super) struct UsualPlace;

struct Places {
    kind: usize,
    field: usize,
    last: usize,
    keep: Keep,
}

impl Remembers for Places {
    type Value = Geo;

    fn keep(&self) -> Keep {
        self.keep
    }

    fn width(&self) -> usize {
        2
    }

    fn read(&self, of: &History<Geo>, current: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        out.fill(f64::NAN);
        let Some(here) = current.and_then(|facts| self.value(facts)) else {
            return;
        };
        let known = of.until(at);
        let latest = of.entries.range(known.saturating_sub(self.last)..known);
        let mut km: SmallVec<[f64; 32]> =
            latest.map(|entry| distance_km(entry.value, here)).collect();
        if km.is_empty() {
            return;
        }
        let middle = (km.len() - 1) / 2;
        let (nearer, median, _) = km.select_nth_unstable_by(middle, f64::total_cmp);
        out[0] = nearer.iter().copied().fold(*median, f64::min);
        out[1] = *median;
    }

    fn value(&self, facts: &Facts<'_>) -> Option<Geo> {
        if facts.kind != self.kind {
            return None;
        }
        facts.event.values.get(self.field).and_then(Value::as_geo)
    }
}

impl Operator for UsualPlace {
    fn name(&self) -> &'static str {
        "usual_place"
    }

    fn doc(&self) -> &'static str {
        "Kilometres from the key's last places, as many as `last` says, to the current one: from \
         the nearest of them (`nearest_km`), and in the median (`median_km`; of two in the middle \
         the nearer), which is how far it is from where the key usually is. The current event is \
         excluded; events without a place are passed over."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[ParamDoc {
            name: "last",
            kind: ParamKind::Int,
            default: "20",
            doc: "How many places, up to 256.",
        }]
    }

    fn accepts(&self) -> Accepts {
        Accepts::BY
    }

    fn example(&self) -> &'static str {
        "{operator: usual_place, of: order.place, by: customer, last: 20}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let last = context.int("last", 20, 1, LAST_MAX as i64) as usize;
        let entities = context.entities();
        let Some((kind, field)) = context.place_field() else {
            return;
        };
        let keep = Keep {
            lateness: context.lateness(),
            last,
        };
        for entity in entities {
            let logic = Places {
                kind,
                field,
                last,
                keep,
            };
            let unit = context.unit(Box::new(Keyed::new(logic, entity)));
            let by = context.entity_name(entity);
            let columns = [
                ("nearest_km", "least distance from the"),
                ("median_km", "median distance from the"),
            ];
            for (local, (name, words)) in columns.into_iter().enumerate() {
                let help = format!("{words} last {last} places of this {by}");
                context.column(
                    entity,
                    name,
                    (ColumnKind::Number, "km"),
                    &help,
                    (unit, local),
                );
            }
        }
    }
}
