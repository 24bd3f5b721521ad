//! What expressions may read, and where it comes from while one event is decided.

use acumen_base::{Event, FieldType};
use acumen_expr::{Frame, Scope, Type, Val};

use crate::spec::PolicySpec;
use crate::state::State;
use acumen_base::Problem;

/// Where the value of one slot comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// A field of the event, by its position.
    Field(usize),
    /// A part of a place field.
    Place(usize, Part),
    /// The event's id.
    EventId,
    /// The event's time.
    EventTime,
    /// A column of the row.
    Column(usize),
    /// The probability by the members that answered so far.
    Probability,
    /// The score by the members that answered so far.
    Score,
}

/// A part of a place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    /// Degrees north.
    Lat,
    /// Degrees east.
    Lon,
    /// The radius in kilometres.
    Accuracy,
}

/// The scope of a policy's expressions, with a source for every slot.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    pub(crate) scope: Scope,
    pub(crate) sources: Vec<Source>,
    pub(crate) problems: Vec<Problem>,
}

impl Vocabulary {
    /// Declares everything that the expressions of a spec may read.
    pub(crate) fn of(spec: &PolicySpec) -> Vocabulary {
        let mut vocabulary = Vocabulary::default();
        let event = &spec.event;
        for (position, field) in event.fields.iter().enumerate() {
            vocabulary.declare_field(
                &format!("{}.{}", event.name, field.name),
                position,
                field.kind,
            );
        }
        for (field, kind, source) in [
            (&event.id_field, Type::Text, Source::EventId),
            (&event.time_field, Type::Time, Source::EventTime),
        ] {
            if event.position(field).is_none() {
                vocabulary.declare(&format!("{}.{field}", event.name), kind, source);
            }
        }
        vocabulary.declare("probability", Type::Double, Source::Probability);
        vocabulary.declare("score", Type::Double, Source::Score);
        for (position, column) in spec.columns.list.iter().enumerate() {
            vocabulary.declare(&column.name, Type::Double, Source::Column(position));
        }
        for list in &spec.lists {
            vocabulary.scope.declare_list(&list.name);
        }
        vocabulary
    }

    fn declare_field(&mut self, path: &str, position: usize, kind: FieldType) {
        if let Some(kind) = Type::of_field(kind) {
            return self.declare(path, kind, Source::Field(position));
        }
        for (part, name) in [
            (Part::Lat, "lat"),
            (Part::Lon, "lon"),
            (Part::Accuracy, "accuracy_km"),
        ] {
            let source = Source::Place(position, part);
            self.declare(&format!("{path}.{name}"), Type::Double, source);
        }
    }

    fn declare(&mut self, path: &str, kind: Type, source: Source) {
        if self.scope.path(path).is_some() {
            self.problems.push(Problem::new(
                format!("features.{path}"),
                format!("`{path}` names two things that an expression may read"),
                "give the feature a name that is neither the event's, `score` nor `probability`",
            ));
            return;
        }
        let slot = self.scope.declare(path, kind);
        debug_assert_eq!(slot, self.sources.len());
        self.sources.push(source);
    }
}

/// What is known while one event is decided.
pub(crate) struct Facts<'a> {
    pub(crate) sources: &'a [Source],
    pub(crate) event: &'a Event,
    /// The row's values; empty where the row is of other columns, so that all are missing.
    pub(crate) values: &'a [f64],
    pub(crate) state: &'a State,
    pub(crate) probability: Option<f64>,
    pub(crate) score: Option<f64>,
}

impl Frame for Facts<'_> {
    fn get(&self, slot: usize) -> Option<Val> {
        match *self.sources.get(slot)? {
            Source::Field(position) => Val::of_value(self.event.values.get(position)?),
            Source::Place(position, part) => {
                let place = self.event.values.get(position)?.as_geo()?;
                Some(Val::Double(match part {
                    Part::Lat => place.lat,
                    Part::Lon => place.lon,
                    Part::Accuracy => f64::from(place.accuracy_km),
                }))
            }
            Source::EventId => Some(Val::Text(self.event.id.clone())),
            Source::EventTime => Some(Val::Time(self.event.event_time)),
            Source::Column(position) => {
                let value = *self.values.get(position)?;
                (!value.is_nan()).then_some(Val::Double(value))
            }
            Source::Probability => self.probability.map(Val::Double),
            Source::Score => self.score.map(Val::Double),
        }
    }

    fn contains(&self, list: usize, text: &str) -> bool {
        self.state.holds(list, text, self.event.event_time)
    }
}
