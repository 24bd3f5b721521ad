//! `distinct`: how many different values a key was seen with.

use acumen_base::ColumnKind;
use acumen_base::key::hash64;

use super::{Accepts, CURRENT, Context, Operator, ParamDoc};
use crate::occurrences::{Occurrences, Reach};
use crate::state::{Facts, Keyed, Logic};

/// The operator.
pub(super) struct Distinct;

struct Values {
    kind: usize,
    field: usize,
    lengths: Vec<i64>,
    current: bool,
    reach: Reach,
}

impl Values {
    fn value(&self, facts: &Facts<'_>) -> Option<u64> {
        let value = facts.event.values.get(self.field)?;
        if value.is_missing() {
            return None;
        }
        Some(match value.as_text() {
            Some(text) => hash64(text.as_bytes()),
            None => {
                let mut bytes = Vec::with_capacity(32);
                value.write_canonical(&mut bytes);
                hash64(&bytes)
            }
        })
    }
}

impl Logic for Values {
    type Of = Occurrences;

    fn width(&self) -> usize {
        self.lengths.len()
    }

    fn read(&self, of: &mut Occurrences, current: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        let included = current.filter(|facts| self.current && facts.kind == self.kind);
        let value = included.map(|facts| self.value(facts));
        for (length, out) in self.lengths.iter().zip(out) {
            *out = match value {
                None => of.read(at, *length, None).0 as f64,
                Some(None) => f64::NAN,
                Some(Some(value)) => {
                    let (count, seen) = of.read(at, *length, Some(value));
                    (count + u64::from(!seen)) as f64
                }
            };
        }
    }

    fn observe(&self, of: &mut Occurrences, facts: &Facts<'_>) {
        if facts.kind == self.kind
            && let Some(value) = self.value(facts)
        {
            of.insert(facts.time, value, facts.known_at, self.reach);
        }
    }

    fn newest(&self, of: &Occurrences, at: i64) -> Option<i64> {
        of.newest(at)
    }

    fn merge(&self, of: &mut Occurrences, other: &Occurrences) {
        of.merge(other, self.reach);
    }
}

impl Operator for Distinct {
    fn name(&self) -> &'static str {
        "distinct"
    }

    fn doc(&self) -> &'static str {
        "How many different values of a field each key was seen with in sliding windows, exactly, \
         the current event included. Events that lack the field are left out; where the current \
         one lacks it, the count is missing."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[CURRENT]
    }

    fn accepts(&self) -> Accepts {
        Accepts {
            windows: true,
            ..Accepts::BY
        }
    }

    fn example(&self) -> &'static str {
        "{operator: distinct, of: order.channel, by: customer, window: [1h, 30d]}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let (current, lateness) = (context.current(), context.lateness());
        let (entities, windows) = (context.entities(), context.windows());
        let Some((kind, field, _)) = context.event_field() else {
            return;
        };
        let lengths: Vec<i64> = windows.iter().map(|window| window.0).collect();
        let reach = Reach {
            lateness,
            longest: lengths.iter().copied().max().unwrap_or(0),
        };
        for entity in entities {
            let logic = Values {
                kind,
                field,
                lengths: lengths.clone(),
                current,
                reach,
            };
            let unit = context.unit(Box::new(Keyed::new(logic, entity)));
            let (by, words) = (
                context.entity_name(entity),
                context.field_words(kind, field),
            );
            for (local, window) in windows.iter().enumerate() {
                let last = super::aggregate::in_last(*window);
                let help = format!("number of different values of {words} of this {by} {last}");
                let suffix = format!("distinct_{window}");
                context.column(
                    entity,
                    &suffix,
                    (ColumnKind::Number, ""),
                    &help,
                    (unit, local),
                );
            }
        }
    }
}
