//! `calendar`: when in the day and the week.

use acumen_base::{ColumnKind, Time};

use super::{Accepts, Context, Operator, ParamDoc, ParamKind};
use crate::problem::suggest;
use crate::state::Facts;
use crate::stateless::{FromEvent, Stateless};

/// The operator.
pub(super) struct Calendar;

#[derive(Clone, Copy)]
enum Part {
    Hour,
    Weekday,
    Night,
    Weekend,
}

const PARTS: [(&str, Part, ColumnKind, &str); 4] = [
    (
        "hour",
        Part::Hour,
        ColumnKind::Number,
        "hour of the day, UTC, 0 to 23",
    ),
    (
        "weekday",
        Part::Weekday,
        ColumnKind::Number,
        "day of the week, UTC, Monday 0 to Sunday 6",
    ),
    (
        "night",
        Part::Night,
        ColumnKind::Flag,
        "between midnight and 7 in the morning, UTC",
    ),
    (
        "weekend",
        Part::Weekend,
        ColumnKind::Flag,
        "on a Saturday or Sunday, UTC",
    ),
];

struct Parts(Vec<Part>);

impl FromEvent for Parts {
    fn width(&self) -> usize {
        self.0.len()
    }

    fn read(&self, facts: &Facts<'_>, out: &mut [f64]) {
        for (part, out) in self.0.iter().zip(out) {
            *out = part.of(Time(facts.time));
        }
    }
}

impl Part {
    fn of(self, at: Time) -> f64 {
        match self {
            Part::Hour => f64::from(at.hour()),
            Part::Weekday => f64::from(at.weekday()),
            Part::Night => f64::from(u8::from(at.hour() <= 6)),
            Part::Weekend => f64::from(u8::from(at.weekday() >= 5)),
        }
    }
}

impl Operator for Calendar {
    fn name(&self) -> &'static str {
        "calendar"
    }

    fn doc(&self) -> &'static str {
        "The hour, the weekday, and whether it is night (an hour from 0 to 6) or weekend, at the \
         event's own time. The time zone is UTC; there is no other yet."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[
            ParamDoc {
                name: "parts",
                kind: ParamKind::Texts,
                default: "[hour, weekday, night, weekend]",
                doc: "Which of hour, weekday, night, weekend.",
            },
            ParamDoc {
                name: "timezone",
                kind: ParamKind::Text,
                default: "UTC",
                doc: "Only UTC is known.",
            },
        ]
    }

    fn accepts(&self) -> Accepts {
        Accepts::NOTHING
    }

    fn example(&self) -> &'static str {
        "{operator: calendar, of: order, parts: [hour, weekend]}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        if context.text("timezone").is_some_and(|zone| zone != "UTC") {
            let help = "write `UTC`, or leave it out".to_owned();
            context.problem("timezone", "only UTC is known".to_owned(), help);
        }
        let given = context.texts("parts");
        let wanted: Vec<&str> = match given.is_empty() {
            true => PARTS.map(|part| part.0).to_vec(),
            false => given.iter().map(String::as_str).collect(),
        };
        let mut parts = Vec::new();
        for name in wanted {
            match PARTS.iter().find(|part| part.0 == name) {
                Some(part) => parts.push(part),
                None => {
                    let help = suggest(name, PARTS.map(|part| part.0));
                    context.problem("parts", format!("there is no part `{name}`"), help);
                }
            }
        }
        let state = Stateless(Parts(parts.iter().map(|part| part.1).collect()));
        let unit = context.unit(Box::new(state));
        for (local, part) in parts.into_iter().enumerate() {
            context.plain_column(part.0, part.2, "", part.3, (unit, local));
        }
    }
}
