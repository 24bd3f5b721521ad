//! `recurrence`: how often, since when and how lately events of a key come again.

use std::collections::VecDeque;

use acumen_base::{ColumnKind, Span};
use serde::{Deserialize, Serialize};

use super::{Accepts, Context, Operator, ParamDoc, ParamKind, WHERE};
use crate::condition::Where;
use crate::history::{Entry, History};
use crate::operand::MISSING;
use crate::state::{Facts, Keyed, Logic};
use crate::windows::Source;

/// The operator.
pub(super) struct Recurrence;

/// A day, in milliseconds.
const DAY: Span = Span::days(1);

struct Recurring {
    kind: usize,
    when: Option<Where>,
    /// What an event adds to its period.
    operand: usize,
    /// Units of the operand in one of its column.
    scale: f64,
    period: i64,
    /// How long an event may be late.
    lateness: i64,
    /// Whether the last column is there.
    valued: bool,
}

/// What is kept of a key: every period with an event, and single events as long as a row may be
/// read between them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Periods {
    /// By number, rising.
    past: Vec<Period>,
    recent: History<i64>,
}

/// A period in which events came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Period {
    number: i64,
    sum: i64,
}

/// What is read of a key at one instant.
#[derive(Default)]
struct Found {
    periods: u64,
    first: i64,
    last: i64,
    /// The sum of the first period, and of the others.
    sums: [i64; 2],
}

impl Periods {
    /// Adds what an event says to its period.
    fn add(&mut self, period: Period) {
        let place = self.past.partition_point(|p| p.number < period.number);
        match self.past.get_mut(place) {
            Some(known) if known.number == period.number => known.sum += period.sum,
            _ => self.past.insert(place, period),
        }
    }

    /// Puts single events that no row can be read between any more into their periods.
    fn settle(&mut self, of: &Recurring) {
        let horizon = self.recent.newest_known.saturating_sub(of.lateness);
        while self.recent.entries.len() > 1
            && let Some(entry) = self.recent.entries.pop_front_if(|e| e.time <= horizon)
        {
            self.add(of.period(&entry));
        }
    }

    fn found(&self, of: &Recurring, at: i64) -> Found {
        let now = at.div_euclid(of.period);
        let past = &self.past[..self.past.partition_point(|p| p.number <= now)];
        let recent: &VecDeque<Entry<i64>> = &self.recent.entries;
        let recent = || recent.range(..self.recent.until(at)).map(|e| of.period(e));
        let first = past.first().copied().into_iter().chain(recent());
        let Some(first) = first.map(|period| period.number).min() else {
            return Found::default();
        };
        let mut found = Found {
            first,
            periods: past.len() as u64,
            last: past.last().map_or(first, |period| period.number),
            sums: [0; 2],
        };
        let mut before = None;
        for period in recent() {
            let is_new = past.binary_search_by_key(&period.number, |p| p.number);
            found.periods += u64::from(before != Some(period.number) && is_new.is_err());
            found.last = found.last.max(period.number);
            before = Some(period.number);
        }
        for period in past.iter().copied().chain(recent()) {
            found.sums[usize::from(period.number != first)] += period.sum;
        }
        found
    }
}

impl Recurring {
    fn period(&self, entry: &Entry<i64>) -> Period {
        Period {
            number: entry.time.div_euclid(self.period),
            sum: entry.value,
        }
    }
}

impl Logic for Recurring {
    type Of = Periods;

    fn width(&self) -> usize {
        5 + usize::from(self.valued)
    }

    fn read(&self, of: &mut Periods, _: Option<&Facts<'_>>, at: i64, out: &mut [f64]) {
        let found = of.found(self, at);
        out.fill(f64::NAN);
        out[0] = found.periods as f64;
        if found.periods == 0 {
            return;
        }
        let repeats = found.periods - 1;
        let since = |number: i64| (at - number * self.period) as f64 / self.period as f64;
        out[1] = repeats as f64;
        out[2] = (found.last - found.first) as f64;
        out[3] = since(found.first);
        out[4] = since(found.last);
        if self.valued && repeats > 0 {
            out[5] = found.sums[1] as f64 / self.scale / repeats as f64;
        }
    }

    fn observe(&self, of: &mut Periods, facts: &Facts<'_>) {
        let value = facts.operands[self.operand];
        if facts.kind != self.kind || value == MISSING || !facts.holds.admits(self.when) {
            return;
        }
        let entry = Entry {
            time: facts.time,
            position: facts.position,
            value,
        };
        of.recent.place(entry, facts.known_at);
        of.settle(self);
    }

    fn when(&self) -> Option<Where> {
        self.when
    }

    fn newest(&self, of: &Periods, at: i64) -> Option<i64> {
        of.recent.last(at).map(|entry| entry.time)
    }

    fn merge(&self, of: &mut Periods, other: &Periods) {
        other.past.iter().for_each(|period| of.add(*period));
        of.recent.unite(&other.recent);
        of.settle(self);
    }
}

impl Operator for Recurrence {
    fn name(&self) -> &'static str {
        "recurrence"
    }

    fn doc(&self) -> &'static str {
        "In how many periods (days, unless said) events of the key came, and when first and last, \
         in periods: what models of repeated purchases read. `repeats` counts the periods after \
         the first, `recency` runs from the first to the last, `age` from the beginning of the \
         first to the row, `since_last` from that of the last. Of a field, `value` is the mean of \
         its sum over the periods after the first. All but `count` are missing where no event \
         came, and the current event is excluded."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[
            ParamDoc {
                name: "period",
                kind: ParamKind::Span,
                default: "24h",
                doc: "What comes within one of these, counted from 1970 in UTC, comes once.",
            },
            WHERE,
        ]
    }

    fn accepts(&self) -> Accepts {
        Accepts::BY
    }

    fn example(&self) -> &'static str {
        "{operator: recurrence, of: order.amount, by: customer}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let period = context.span("period", DAY);
        if period <= Span::ZERO {
            let help = "a length such as `24h`".to_owned();
            context.problem("period", "a period of no length".to_owned(), help);
        }
        let (entities, lateness) = (context.entities(), context.lateness());
        let valued = context.is_of_field();
        let Some(operated) = context.operand(!valued) else {
            return;
        };
        let Source::Operand(operand) = operated.source else {
            return;
        };
        for entity in entities {
            let logic = Recurring {
                kind: operated.kind,
                when: operated.when,
                operand,
                scale: operated.scale,
                period: period.0.max(1),
                lateness,
                valued,
            };
            let unit = context.unit(Box::new(Keyed::new(logic, entity)));
            let (by, what) = (context.entity_name(entity), &operated.counted);
            let long = if period == DAY { "d" } else { "" };
            let times = match period == DAY {
                true => "days".to_owned(),
                false => format!("periods of {period}"),
            };
            let columns = [
                ("count", "", format!("{times} with {what} of this {by}")),
                (
                    "repeats",
                    "",
                    format!("{times} with {what} of this {by} after the first"),
                ),
                (
                    "recency",
                    long,
                    format!("{times} from the first {what} of this {by} to the last"),
                ),
                (
                    "age",
                    long,
                    format!("{times} since the first {what} of this {by}"),
                ),
                (
                    "since_last",
                    long,
                    format!("{times} since the last {what} of this {by}"),
                ),
            ];
            for (local, (name, unit_of, help)) in columns.iter().enumerate() {
                let kind = (ColumnKind::Number, *unit_of);
                context.column(entity, name, kind, help, (unit, local));
            }
            if valued {
                let help = format!(
                    "mean {} of this {by} over the {times} with {what} after the first",
                    operated.words
                );
                let kind = (ColumnKind::Number, operated.unit.as_str());
                context.column(entity, "value", kind, &help, (unit, 5));
            }
        }
    }
}
