//! A mapping checked against the file and the declared event types, names turned into numbers.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use acumen_base::limits::{ID_BYTES_MAX, TEXT_BYTES_MAX};
use acumen_base::{Diagnostic, EventType, Field, FieldType, Span, Time, nearest};

use crate::cell::ColumnType;
use crate::field::{
    AccuracyReading, CurrencyReading, FieldReading, Reading, TextPiece, TimeReading,
};
use crate::mapping::{
    Accuracy, CurrencySource, EventMapping, KnownAt, Mapping, Scalar, Source, TimeSource,
};
use crate::template::{Piece, Template};

const TEXTS: &[ColumnType] = &[
    ColumnType::Text,
    ColumnType::Int,
    ColumnType::Float,
    ColumnType::Bool,
];
const NUMBERS: &[ColumnType] = &[ColumnType::Int, ColumnType::Float, ColumnType::Text];
const FLAGS: &[ColumnType] = &[ColumnType::Bool, ColumnType::Int, ColumnType::Text];
const TIMES: &[ColumnType] = &[ColumnType::Time, ColumnType::Text];
const COUNTED_TIMES: &[ColumnType] = &[ColumnType::Int, ColumnType::Float, ColumnType::Text];
const ONLY_TEXT: &[ColumnType] = &[ColumnType::Text];

/// How records become events of one type.
pub(crate) struct EventPlan {
    pub(crate) kind: Arc<EventType>,
    pub(crate) id: Vec<TextPiece>,
    pub(crate) time: TimeReading,
    pub(crate) known_at: KnownReading,
    pub(crate) when: Option<(usize, Scalar)>,
    pub(crate) fields: Vec<FieldReading>,
}

/// How the instant is read at which an event became known.
pub(crate) enum KnownReading {
    Delay(Span),
    Column(TimeReading),
}

/// The events of a record, and the columns that they are read from.
pub(crate) struct Plan {
    pub(crate) events: Vec<EventPlan>,
    pub(crate) columns: Arc<[String]>,
}

/// Checks a mapping; gives every problem that it finds.
pub(crate) fn plan(
    path: &Path,
    columns: Option<Vec<(String, ColumnType)>>,
    mapping: &Mapping,
    types: &[Arc<EventType>],
) -> Result<Plan, Vec<Diagnostic>> {
    let mut planner = Planner {
        file: path.display().to_string(),
        available: columns.map(|columns| columns.into_iter().collect()),
        wanted: Vec::new(),
        problems: Vec::new(),
    };
    if mapping.events.is_empty() {
        let help = "name at least one event type under `events`";
        planner.problem("empty_mapping", "the mapping gives no events".into(), help);
    }
    let events: Vec<Option<EventPlan>> = mapping
        .events
        .iter()
        .map(|event| planner.event(event, types))
        .collect();
    match events.into_iter().collect() {
        Some(events) if planner.problems.is_empty() => Ok(Plan {
            events,
            columns: planner.wanted.into(),
        }),
        _ => Err(planner.problems),
    }
}

struct Planner {
    file: String,
    available: Option<BTreeMap<String, ColumnType>>,
    wanted: Vec<String>,
    problems: Vec<Diagnostic>,
}

impl Planner {
    fn problem(&mut self, code: &'static str, message: String, help: impl Into<String>) {
        let mut diagnostic = Diagnostic::new(code, message, help);
        diagnostic.place.file.clone_from(&self.file);
        if !self.problems.contains(&diagnostic) {
            self.problems.push(diagnostic);
        }
    }

    fn event(&mut self, mapping: &EventMapping, types: &[Arc<EventType>]) -> Option<EventPlan> {
        let Some(kind) = types.iter().find(|kind| kind.name == mapping.event) else {
            let names = types.iter().map(|kind| kind.name.as_str());
            let help = suggest(&mapping.event, names);
            let message = format!("`{}` is not a declared event type", mapping.event);
            self.problem("unknown_event", message, help);
            return None;
        };
        for name in mapping.fields.keys() {
            if kind.position(name).is_none() {
                self.unknown_field(kind, name);
            }
        }
        let id = self.text(&mapping.id, "the id");
        let time = self.time(&mapping.time, "the time");
        let known_at = match &mapping.known_at {
            None => Some(KnownReading::Delay(Span::ZERO)),
            Some(KnownAt::Delay(delay)) => Some(KnownReading::Delay(*delay)),
            Some(KnownAt::Column(source)) => {
                self.time(source, "known_at").map(KnownReading::Column)
            }
        };
        let when = mapping.when.as_ref().map(|condition| {
            let column = self.column(&condition.column, &[], "`when`");
            column.map(|column| (column, condition.equals.clone()))
        });
        let fields: Vec<Option<FieldReading>> = kind
            .fields
            .iter()
            .map(|field| self.field(kind, field, mapping.fields.get(&field.name)))
            .collect();
        Some(EventPlan {
            kind: Arc::clone(kind),
            id: id?,
            time: time?,
            known_at: known_at?,
            when: match when {
                Some(when) => Some(when?),
                None => None,
            },
            fields: fields.into_iter().collect::<Option<_>>()?,
        })
    }

    fn unknown_field(&mut self, kind: &EventType, name: &str) {
        let help = if name == kind.id_field {
            "it is the event's id: map it as `id`, beside `fields`".into()
        } else if name == kind.time_field {
            "it is the event's time: map it as `time`, beside `fields`".into()
        } else {
            suggest(name, kind.fields.iter().map(|field| field.name.as_str()))
        };
        let message = format!("`{}` has no field `{name}`", kind.name);
        self.problem("unknown_field", message, help);
    }

    fn field(
        &mut self,
        kind: &EventType,
        field: &Field,
        source: Option<&Source>,
    ) -> Option<FieldReading> {
        let reading = match source {
            Some(source) => {
                self.reading(&format!("{}.{}", kind.name, field.name), field, source)?
            }
            None if field.optional => Reading::Absent,
            None => {
                let message = format!("`{}.{}` is required and not mapped", kind.name, field.name);
                let help = format!("add `{}: <column>` under `fields`", field.name);
                self.problem("missing_field", message, help);
                return None;
            }
        };
        Some(FieldReading {
            name: field.name.clone(),
            reading,
            optional: field.optional,
            signed: field.signed,
        })
    }

    fn reading(&mut self, name: &str, field: &Field, source: &Source) -> Option<Reading> {
        let what = format!("`{name}` ({})", field.kind);
        match (field.kind, source) {
            (FieldType::Id | FieldType::Category | FieldType::Text, Source::Template(template)) => {
                let bytes_max = match field.kind {
                    FieldType::Id => ID_BYTES_MAX,
                    _ => TEXT_BYTES_MAX,
                };
                let pieces = self.text(template, &what)?;
                Some(Reading::Text { pieces, bytes_max })
            }
            (FieldType::Money, Source::Money { column, currency }) => {
                let column = self.column(column, NUMBERS, &what);
                let currency = match currency {
                    CurrencySource::Fixed(currency) => Some(CurrencyReading::Fixed(*currency)),
                    CurrencySource::Column(column) => {
                        let column = self.column(column, ONLY_TEXT, &what);
                        column.map(CurrencyReading::Column)
                    }
                };
                Some(Reading::Money {
                    column: column?,
                    currency: currency?,
                })
            }
            (FieldType::Time, Source::Time(source)) => self.time(source, &what).map(Reading::Time),
            (
                FieldType::Geo,
                Source::Geo {
                    lat,
                    lon,
                    accuracy_km,
                },
            ) => {
                let lat = self.column(lat, NUMBERS, &what);
                let lon = self.column(lon, NUMBERS, &what);
                let accuracy = match accuracy_km {
                    Accuracy::Fixed(accuracy) => Some(AccuracyReading::Fixed(*accuracy)),
                    Accuracy::Column(column) => {
                        let column = self.column(column, NUMBERS, &what);
                        column.map(AccuracyReading::Column)
                    }
                };
                Some(Reading::Geo {
                    lat: lat?,
                    lon: lon?,
                    accuracy: accuracy?,
                })
            }
            (kind, Source::Template(template)) if template.single_column().is_some() => {
                self.single(kind, template.single_column()?, &what)
            }
            (kind, _) => {
                let message = format!("{what} cannot be read like this");
                self.problem("wrong_source", message, source_help(kind));
                None
            }
        }
    }

    /// A field that is a column as it stands.
    fn single(&mut self, kind: FieldType, column: &str, what: &str) -> Option<Reading> {
        match kind {
            FieldType::Int => self.column(column, NUMBERS, what).map(Reading::Int),
            FieldType::Number => self.column(column, NUMBERS, what).map(Reading::Number),
            FieldType::Bool => self.column(column, FLAGS, what).map(Reading::Bool),
            FieldType::Money if self.is_number(column) => {
                let message = format!("{what}: the numbers of `{column}` have no currency");
                self.problem("missing_currency", message, source_help(kind));
                None
            }
            FieldType::Money => Some(Reading::Money {
                column: self.column(column, ONLY_TEXT, what)?,
                currency: CurrencyReading::Inline,
            }),
            FieldType::Time => {
                let source = TimeSource {
                    column: column.to_owned(),
                    unit: None,
                    origin: None,
                    ahead_of_utc: Span::ZERO,
                };
                self.time(&source, what).map(Reading::Time)
            }
            _ => {
                let message = format!("{what} cannot be read from one column");
                self.problem("wrong_source", message, source_help(kind));
                None
            }
        }
    }

    fn is_number(&self, column: &str) -> bool {
        let available = self.available.as_ref();
        let kind = available.and_then(|available| available.get(column));
        matches!(kind, Some(ColumnType::Int | ColumnType::Float))
    }

    fn time(&mut self, source: &TimeSource, what: &str) -> Option<TimeReading> {
        let accepted = match source.unit {
            Some(_) => COUNTED_TIMES,
            None => TIMES,
        };
        Some(TimeReading {
            column: self.column(&source.column, accepted, what)?,
            unit: source.unit,
            origin: source.origin.unwrap_or(Time(0)),
            ahead_of_utc: source.ahead_of_utc,
        })
    }

    fn text(&mut self, template: &Template, what: &str) -> Option<Vec<TextPiece>> {
        let pieces: Vec<Option<TextPiece>> = template
            .pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => Some(TextPiece::Text(text.clone())),
                Piece::Column(name) => self.column(name, TEXTS, what).map(TextPiece::Column),
            })
            .collect();
        pieces.into_iter().collect()
    }

    /// The number of a column, if the file has it and its type is one of those accepted (any,
    /// where none is named).
    fn column(&mut self, name: &str, accepted: &[ColumnType], what: &str) -> Option<usize> {
        if let Some(available) = &self.available {
            match available.get(name) {
                None => {
                    let help = suggest(name, available.keys().map(String::as_str));
                    let message = format!("{what}: the file has no column `{name}`");
                    self.problem("missing_column", message, help);
                    return None;
                }
                Some(kind) if !accepts(accepted, kind) => {
                    let message = format!(
                        "{what} cannot be read from `{name}`, which holds {}",
                        named(kind)
                    );
                    let help = conversion_help(accepted);
                    self.problem("unconvertible_column", message, help);
                    return None;
                }
                Some(_) => {}
            }
        }
        let known = self.wanted.iter().position(|wanted| wanted == name);
        Some(known.unwrap_or_else(|| {
            self.wanted.push(name.to_owned());
            self.wanted.len() - 1
        }))
    }
}

fn accepts(accepted: &[ColumnType], kind: &ColumnType) -> bool {
    match kind {
        ColumnType::Unreadable(_) => false,
        kind => accepted.is_empty() || accepted.contains(kind),
    }
}

fn named(kind: &ColumnType) -> String {
    match kind {
        ColumnType::Int => "whole numbers".into(),
        ColumnType::Float => "decimal numbers".into(),
        ColumnType::Bool => "true and false".into(),
        ColumnType::Text => "texts".into(),
        ColumnType::Time => "times".into(),
        ColumnType::Unreadable(name) => format!("{name}, a type that is not read"),
    }
}

fn conversion_help(accepted: &[ColumnType]) -> String {
    if accepted == TIMES {
        return "numbers need their unit: `{column: …, unit: s, origin: 2018-04-01}`".into();
    }
    let names: Vec<String> = accepted.iter().map(named).collect();
    match names.is_empty() {
        true => "choose another column".into(),
        false => format!("it is read from {}", names.join(", ")),
    }
}

fn source_help(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Money => {
            "write `{column: price, currency: GBP}`, or `currency_column` for a column of codes"
        }
        FieldType::Geo => "write `{lat: column, lon: column, accuracy_km: 0.1}`",
        FieldType::Time => "write a column, or `{column: at, unit: s, origin: 2018-04-01}`",
        FieldType::Id | FieldType::Category | FieldType::Text => {
            "write a column, or a template such as `c{customer_id}`"
        }
        FieldType::Int | FieldType::Number | FieldType::Bool => "write the name of a column",
    }
}

fn suggest<'a>(wrong: &str, valid: impl Iterator<Item = &'a str>) -> String {
    let valid: Vec<&str> = valid.collect();
    match nearest(wrong, valid.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if valid.is_empty() => "there is none".into(),
        None => format!("there are `{}`", valid.join("`, `")),
    }
}
