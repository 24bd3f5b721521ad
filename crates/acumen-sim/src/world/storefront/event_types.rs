//! The event types that this world speaks.

use std::sync::Arc;

use acumen_base::FieldType;

use crate::world::layout::{self, EventTypes, FieldRow, KindRow};

const FEEDBACK: &[FieldRow] = &[
    ("customer_id", FieldType::Id, true, true),
    ("session_id", FieldType::Id, false, true),
    ("product_id", FieldType::Id, false, false),
    ("kind", FieldType::Category, false, false),
    ("stars", FieldType::Number, true, false),
    ("amount", FieldType::Money, true, false),
    ("decision_id", FieldType::Id, true, false),
    ("place", FieldType::Int, true, false),
];
const PRODUCT: &[FieldRow] = &[
    ("product_id", FieldType::Id, false, false),
    ("category", FieldType::Category, false, false),
    ("brand", FieldType::Category, false, false),
    ("title", FieldType::Text, false, false),
    ("price", FieldType::Money, false, false),
    ("margin", FieldType::Money, false, false),
    ("stock", FieldType::Int, false, false),
    ("hidden", FieldType::Bool, false, false),
];

/// The world's kinds of fact.
pub(crate) const KINDS: [KindRow; 2] = [
    ("feedback", "feedback_id", "at", FEEDBACK),
    ("product", "change_id", "changed_at", PRODUCT),
];

/// Which kind of fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Feedback,
    Product,
}

/// The types as this world declares them; a use case may leave out or reorder fields.
pub fn event_types() -> EventTypes {
    let mut types = layout::declare(&KINDS);
    for kind in types.values_mut() {
        let fields = &mut Arc::make_mut(kind).fields;
        let margins = fields.iter_mut().filter(|field| field.name == "margin");
        margins.for_each(|field| field.signed = true);
    }
    types
}
