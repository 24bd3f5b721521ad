//! The event types that this world speaks, and how its facts become events of a declared type.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::{Diagnostic, Event, EventType, Field, FieldType, Span, Time, Value, nearest};

/// Event types by name.
pub type EventTypes = BTreeMap<String, Arc<EventType>>;

type FieldRow = (&'static str, FieldType, bool, bool);

const PAYMENT: &[FieldRow] = &[
    ("customer_id", FieldType::Id, false, true),
    ("card_id", FieldType::Id, false, true),
    ("device_id", FieldType::Id, true, false),
    ("merchant_id", FieldType::Id, false, false),
    ("amount", FieldType::Money, false, false),
    ("merchant_category", FieldType::Category, false, false),
    ("channel", FieldType::Category, false, false),
    ("payment_method", FieldType::Category, false, false),
    ("place", FieldType::Geo, true, true),
    ("device.browser", FieldType::Text, true, false),
    ("device.os", FieldType::Text, true, false),
    ("device.screen_resolution", FieldType::Text, true, false),
    ("device.timezone", FieldType::Text, true, false),
    ("typing_speed", FieldType::Number, true, true),
];
const CHARGEBACK: &[FieldRow] = &[("payment_id", FieldType::Id, false, false)];
const CUSTOMER_PROFILE: &[FieldRow] = &[
    ("customer_id", FieldType::Id, false, true),
    ("opened_at", FieldType::Time, false, false),
    ("verification_level", FieldType::Category, false, false),
];
const EXCHANGE_RATE: &[FieldRow] = &[
    ("currency", FieldType::Category, false, false),
    ("rate", FieldType::Number, false, false),
];

/// The world's four kinds of fact: name, id, time, fields in the order the world fills them.
const KINDS: [(&str, &str, &str, &[FieldRow]); 4] = [
    ("payment", "payment_id", "paid_at", PAYMENT),
    ("chargeback", "chargeback_id", "booked_at", CHARGEBACK),
    (
        "customer_profile",
        "profile_id",
        "changed_at",
        CUSTOMER_PROFILE,
    ),
    ("exchange_rate", "rate_id", "quoted_at", EXCHANGE_RATE),
];

/// Which kind of fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Payment,
    Chargeback,
    CustomerProfile,
    ExchangeRate,
}

/// The types as this world declares them; a use case may leave out or reorder fields.
pub fn event_types() -> EventTypes {
    let declare = |&(name, id, time, fields): &(&str, &str, &str, &[FieldRow])| {
        let fields = fields
            .iter()
            .map(|&(name, kind, optional, personal)| Field {
                name: name.into(),
                kind,
                optional,
                personal,
                signed: false,
            });
        let event_type = EventType {
            name: name.into(),
            id_field: id.into(),
            time_field: time.into(),
            lateness: Span::days(1),
            fields: fields.collect(),
        };
        (name.to_owned(), Arc::new(event_type))
    };
    KINDS.iter().map(declare).collect()
}

/// How the world's facts become events of declared types.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    kinds: [Option<Arc<EventType>>; 4],
    /// For each declared field, which of the world's values it takes.
    sources: [Vec<Option<usize>>; 4],
}

impl Layout {
    /// A layout for `types`. A kind that is not declared is not told of.
    pub(crate) fn new(types: &EventTypes) -> Result<Layout, Vec<Diagnostic>> {
        let mut layout = Layout {
            kinds: Default::default(),
            sources: Default::default(),
        };
        let mut problems = Vec::new();
        for (slot, (name, _, _, ours)) in KINDS.iter().enumerate() {
            let Some(event_type) = types.get(*name) else {
                continue;
            };
            for field in &event_type.fields {
                let source = ours.iter().position(|row| row.0 == field.name);
                let fits = source.is_some_and(|s| ours[s].1 == field.kind);
                let always = source.is_some_and(|s| !ours[s].2);
                if !(fits && (always || field.optional) || source.is_none() && field.optional) {
                    problems.push(misfit(name, field, ours));
                }
                layout.sources[slot].push(source.filter(|_| fits));
            }
            layout.kinds[slot] = Some(event_type.clone());
        }
        if layout.kinds[0].is_none() {
            problems.push(Diagnostic::new(
                "world_event_type",
                "no event type `payment` is declared",
                "declare it, or use the world's own types",
            ));
        }
        if problems.is_empty() {
            Ok(layout)
        } else {
            Err(problems)
        }
    }

    /// The event of a fact, whose values stand in the world's order and are moved into it.
    pub(crate) fn event(
        &self,
        kind: Kind,
        id: Arc<str>,
        at: Time,
        values: &mut [Value],
    ) -> Option<Event> {
        let event_type = self.kinds[kind as usize].as_ref()?;
        let sources = &self.sources[kind as usize];
        let pick = |source: &Option<usize>| {
            source.map_or(Value::Missing, |s| std::mem::take(&mut values[s]))
        };
        Some(Event {
            kind: event_type.clone(),
            id,
            event_time: at,
            known_at: at,
            received_at: at,
            values: sources.iter().map(pick).collect(),
        })
    }
}

fn misfit(name: &str, field: &Field, ours: &[FieldRow]) -> Diagnostic {
    let help = match ours.iter().find(|row| row.0 == field.name) {
        Some(row) if row.1 != field.kind => format!("declare it as `{}`", row.1),
        Some(_) => "the world leaves it out at times: declare it optional".into(),
        None => match nearest(&field.name, ours.iter().map(|row| row.0)) {
            Some(near) => format!("did you mean `{near}`? Or declare it optional"),
            None => "declare it optional".into(),
        },
    };
    let message = format!(
        "the world cannot fill the field `{}` ({}) of `{name}`",
        field.name, field.kind
    );
    Diagnostic::new("world_event_type", message, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_use_case_may_reorder_and_leave_out_but_not_ask_for_more() {
        let mut types = event_types();
        let mut payment = (*types["payment"]).clone();
        payment.fields.reverse();
        payment.fields.retain(|f| f.name != "typing_speed");
        types.insert("payment".into(), Arc::new(payment.clone()));
        assert!(Layout::new(&types).is_ok());

        payment.fields[0].name = "merchant_categorie".into();
        payment.fields[0].optional = false;
        let place = payment
            .fields
            .iter_mut()
            .find(|f| f.name == "place")
            .unwrap();
        place.optional = false;
        types.insert("payment".into(), Arc::new(payment));
        let problems = Layout::new(&types).unwrap_err();
        assert_eq!(problems.len(), 2);
        assert!(problems[0].help.contains("`merchant_category`"));
    }
}
