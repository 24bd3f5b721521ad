//! A mapping checked against the file and the declared event types, names turned into numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::limits::{ID_BYTES_MAX, TEXT_BYTES_MAX};
use acumen_base::{Diagnostic, EventType, Field, FieldType, Span, Time, nearest};

use crate::amount::{AmountReading, CurrencyReading};
use crate::cell::{Block, Cell, ColumnType};
use crate::field::{AccuracyReading, ConditionReading, FieldReading, Reading, TextPiece};
use crate::instant::{TimeReading, ZONE_HELP};
use crate::mapping::{Accuracy, After, CurrencySource, EventMapping, KnownAt, Source, TimeSource};
use crate::template::{Piece, Template};

const TEXTS: &[ColumnType] = &[
    ColumnType::Text,
    ColumnType::Int,
    ColumnType::Float,
    ColumnType::Bool,
    ColumnType::Time,
    ColumnType::NaiveTime,
];
const NUMBERS: &[ColumnType] = &[ColumnType::Int, ColumnType::Float, ColumnType::Text];
const FLAGS: &[ColumnType] = &[ColumnType::Bool, ColumnType::Int, ColumnType::Text];
const TIMES: &[ColumnType] = &[ColumnType::Time, ColumnType::NaiveTime, ColumnType::Text];
const COUNTED_TIMES: &[ColumnType] = &[ColumnType::Int, ColumnType::Float, ColumnType::Text];
const ONLY_TEXT: &[ColumnType] = &[ColumnType::Text];

/// How records become events of one type.
pub(crate) struct EventPlan {
    pub(crate) kind: Arc<EventType>,
    pub(crate) id: Vec<TextPiece>,
    pub(crate) time: TimeReading,
    pub(crate) known_at: KnownReading,
    pub(crate) when: Vec<ConditionReading>,
    /// The column that a guest's record has nothing in.
    pub(crate) guest_without: Option<usize>,
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
    name: &str,
    columns: Option<Vec<(String, ColumnType)>>,
    mappings: &[EventMapping],
    types: &[Arc<EventType>],
) -> Result<Plan, Vec<Diagnostic>> {
    let mut planner = Planner {
        file: name.to_owned(),
        available: columns.map(|columns| columns.into_iter().collect()),
        wanted: Vec::new(),
        problems: Vec::new(),
    };
    if mappings.is_empty() {
        let help = "name at least one event type under `events`";
        planner.problem("empty_mapping", "the mapping gives no events".into(), help);
    }
    let events: Vec<Option<EventPlan>> = mappings
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

impl Plan {
    /// Every column of texts whose first instant says no time zone, as a problem of its own.
    pub(crate) fn naive_times(&self, name: &str, first: &Block) -> Vec<Diagnostic> {
        let mut problems: Vec<Diagnostic> = Vec::new();
        for reading in self.events.iter().flat_map(EventPlan::times) {
            if reading.begins_naive(first) {
                let column = &self.columns[reading.column];
                let message = format!("the times of `{column}` say no time zone");
                let mut problem = Diagnostic::new("naive_time", message, ZONE_HELP);
                problem.place.file = name.to_owned();
                if !problems.contains(&problem) {
                    problems.push(problem);
                }
            }
        }
        problems
    }
}

impl EventPlan {
    /// Whether a record is a guest's: without the id of whom it is about.
    pub(crate) fn is_guest(&self, block: &Block, row: usize) -> bool {
        self.guest_without.is_some_and(|column| {
            match block.columns[column].cell(row) {
                Cell::Missing => true,
                Cell::Text(text) => text.trim().is_empty(),
                // Tables turn whole numbers into decimal ones when one of them is missing.
                Cell::Float(value) => value.is_nan(),
                _ => false,
            }
        })
    }

    fn times(&self) -> impl Iterator<Item = &TimeReading> {
        let known_at = match &self.known_at {
            KnownReading::Column(reading) => Some(reading),
            KnownReading::Delay(_) => None,
        };
        let fields = self.fields.iter().filter_map(|field| match &field.reading {
            Reading::Time(reading) => Some(reading),
            _ => None,
        });
        std::iter::once(&self.time).chain(known_at).chain(fields)
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
        if let Some(after) = &mapping.after {
            self.after(kind, after, types);
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
        let conditions = mapping.when.iter().map(|condition| {
            let column = self.column(&condition.column, &[], "`when`")?;
            let test = condition.test.clone();
            Some(ConditionReading { column, test })
        });
        let when: Vec<Option<ConditionReading>> = conditions.collect();
        let guest_without = mapping.guest_without.as_ref();
        let guest_without = guest_without.map(|name| self.column(name, &[], "`guest_without`"));
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
            when: when.into_iter().collect::<Option<_>>()?,
            guest_without: match guest_without {
                Some(column) => Some(column?),
                None => None,
            },
            fields: fields.into_iter().collect::<Option<_>>()?,
        })
    }

    /// Both types of event need the field that says whose they are.
    fn after(&mut self, kind: &EventType, after: &After, types: &[Arc<EventType>]) {
        let Some(first) = types.iter().find(|first| first.name == after.event) else {
            let names = types.iter().map(|kind| kind.name.as_str());
            let help = suggest(&after.event, names);
            let message = format!("`after`: `{}` is not a declared event type", after.event);
            self.problem("unknown_event", message, help);
            return;
        };
        for kind in [kind, &**first] {
            if kind.position(&after.by).is_none() {
                self.unknown_field(kind, &after.by);
            }
        }
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
            (FieldType::Money, Source::Money { .. }) => self.amount(source, &what),
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

    fn amount(&mut self, source: &Source, what: &str) -> Option<Reading> {
        let Source::Money {
            column,
            currency,
            times,
            negated,
        } = source
        else {
            return None;
        };
        let column = self.column(column, NUMBERS, what);
        let mut code = |name: &str| self.column(name, ONLY_TEXT, what);
        let currency = match currency {
            CurrencySource::Fixed(currency) => Some(CurrencyReading::Fixed(*currency)),
            CurrencySource::Column(name) => code(name).map(CurrencyReading::Column),
            CurrencySource::Only(currency, name) => {
                code(name).map(|column| CurrencyReading::Only(*currency, column))
            }
        };
        let times = times.as_ref().map(|name| self.column(name, NUMBERS, what));
        Some(Reading::Money(AmountReading {
            column: column?,
            currency: currency?,
            times: match times {
                Some(column) => Some(column?),
                None => None,
            },
            negated: *negated,
        }))
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
            FieldType::Money => Some(Reading::Money(AmountReading {
                column: self.column(column, ONLY_TEXT, what)?,
                currency: CurrencyReading::Inline,
                times: None,
                negated: false,
            })),
            FieldType::Time => {
                let source = TimeSource {
                    column: column.to_owned(),
                    unit: None,
                    origin: None,
                    ahead_of_utc: None,
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

    fn kind(&self, column: &str) -> Option<&ColumnType> {
        self.available.as_ref()?.get(column)
    }

    fn is_number(&self, column: &str) -> bool {
        matches!(self.kind(column), Some(ColumnType::Int | ColumnType::Float))
    }

    fn naive(&mut self, column: &str, what: &str) {
        let message = format!("{what}: the times of `{column}` say no time zone");
        self.problem("naive_time", message, ZONE_HELP);
    }

    fn time(&mut self, source: &TimeSource, what: &str) -> Option<TimeReading> {
        let accepted = match source.unit {
            Some(_) => COUNTED_TIMES,
            None => TIMES,
        };
        if self.kind(&source.column) == Some(&ColumnType::NaiveTime)
            && source.ahead_of_utc.is_none()
        {
            self.naive(&source.column, what);
            return None;
        }
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
        ColumnType::NaiveTime => "times without a zone".into(),
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
