//! Events of feedback in the terms of ranking: who did what with which item, and what it tells.

use std::sync::Arc;

use acumen_base::{Event, EventType, Key, Listing, Time, Value};
use acumen_expr::{EventScope, Val};

use crate::spec::{FeedbackDecl, Outcome, RankingDecl};

/// How feedback is read.
#[derive(Debug)]
pub(crate) struct Hearing {
    decl: FeedbackDecl,
    event: Arc<EventType>,
    scope: EventScope,
    item: usize,
    visitor: usize,
    session: Option<usize>,
    kind: usize,
    list: Option<usize>,
    fields: Fields,
}

/// The names of the fields that tell people apart: part of their keys.
#[derive(Debug)]
struct Fields {
    visitor: String,
    session: Option<String>,
}

/// What an event of feedback says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Heard<'a> {
    /// Who did it; a visit where nobody said who they are.
    pub(crate) who: Key,
    pub(crate) item: &'a Arc<str>,
    /// How much it tells of interest; 0 of what tells nothing.
    pub(crate) weight: f32,
    /// Whether it says that the item was seen, and no more.
    pub(crate) shown: bool,
    pub(crate) outcome: Option<Outcome>,
    /// What it is worth to whoever learns from lists.
    pub(crate) reward: Option<f64>,
    /// The list in which the item was seen.
    pub(crate) list: Option<&'a Arc<str>>,
}

impl Hearing {
    /// How events of a type are read; `None` where the type lacks a field, which the check of the
    /// specification has refused.
    pub(crate) fn new(ranking: &RankingDecl, event: &Arc<EventType>) -> Option<Hearing> {
        let decl = ranking.feedback.clone();
        let session = ranking.session_field.as_ref();
        Some(Hearing {
            scope: EventScope::new(event),
            item: event.position(&ranking.item_field)?,
            visitor: event.position(&ranking.visitor_field)?,
            session: session.and_then(|field| event.position(field)),
            kind: event.position(&decl.kind)?,
            list: decl.list.as_ref().and_then(|field| event.position(field)),
            fields: Fields {
                visitor: ranking.visitor_field.clone(),
                session: session.cloned(),
            },
            event: Arc::clone(event),
            decl,
        })
    }

    /// What an event says; `None` where it names no item, or nobody who did it.
    pub(crate) fn hear<'a>(&self, event: &'a Event) -> Option<Heard<'a>> {
        if event.kind.name != self.decl.event {
            return None;
        }
        let id = |place: usize| match &event.values[place] {
            Value::Text(text) => Some(text),
            _ => None,
        };
        let session = || self.session.and_then(id);
        let who = match id(self.visitor) {
            Some(visitor) => self.visitor_key(visitor),
            None => self.session_key(session()?)?,
        };
        let kind: &str = id(self.kind)?;
        let weight = self.decl.weights.iter().find(|(name, _)| name == kind);
        let weight = weight.and_then(|(_, formula)| formula.eval(&self.scope.over(event)));
        Some(Heard {
            who,
            item: id(self.item)?,
            weight: number(weight.as_ref()),
            shown: self.decl.shown.as_deref() == Some(kind),
            outcome: of(&self.decl.outcomes, kind),
            reward: of(&self.decl.rewards, kind),
            list: self.list.and_then(id),
        })
    }

    /// The weight of what a request tells of by its kind alone; `None` of a kind that is not
    /// declared.
    pub(crate) fn weight_of(&self, kind: &str) -> Option<f32> {
        let (_, formula) = self.decl.weights.iter().find(|(name, _)| name == kind)?;
        let blank = Event {
            kind: Arc::clone(&self.event),
            id: "".into(),
            event_time: Time(0),
            known_at: Time(0),
            received_at: Time(0),
            values: vec![Value::Missing; self.event.fields.len()],
        };
        Some(number(formula.eval(&self.scope.over(&blank)).as_ref()))
    }

    /// The kinds of events that tell something.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &str> {
        self.decl.weights.iter().map(|(kind, _)| kind.as_str())
    }

    /// The kinds that tell of interest.
    pub(crate) fn kinds_of_interest(&self) -> Vec<String> {
        let tells = |kind: &&str| self.weight_of(kind).is_some_and(|weight| weight > 0.0);
        self.kinds().filter(tells).map(str::to_owned).collect()
    }

    /// Whether lists learn only from what was seen.
    pub(crate) fn tells_what_was_seen(&self) -> bool {
        self.decl.shown.is_some()
    }

    /// Whom a list was for, as feedback to it would name them.
    pub(crate) fn who(&self, listing: &Listing) -> Option<Key> {
        let session = listing.session.as_ref();
        match &listing.visitor {
            Some(visitor) => Some(self.visitor_key(visitor)),
            None => session.and_then(|session| self.session_key(session)),
        }
    }

    /// The key of somebody who said who they are.
    pub(crate) fn visitor_key(&self, id: &str) -> Key {
        key(&self.fields.visitor, id)
    }

    /// The key of a visit, where visits are declared.
    pub(crate) fn session_key(&self, id: &str) -> Option<Key> {
        Some(key(self.fields.session.as_ref()?, id))
    }
}

/// A weight; what is missing tells nothing.
fn number(weight: Option<&Val>) -> f32 {
    let weight = match weight {
        Some(Val::Double(weight)) => *weight as f32,
        Some(Val::Int(weight)) => *weight as f32,
        _ => 0.0,
    };
    if weight.is_finite() { weight } else { 0.0 }
}

fn key(field: &str, id: &str) -> Key {
    Key::of(&format!("{field}\u{0}{id}"))
}

fn of<T: Copy>(kinds: &[(String, T)], kind: &str) -> Option<T> {
    let found = kinds.iter().find(|(name, _)| name == kind);
    found.map(|(_, value)| *value)
}
