//! The event types that this world speaks.

use acumen_base::FieldType;

use crate::world::layout::{self, CUSTOMER_PROFILE, EXCHANGE_RATE, EventTypes, FieldRow, KindRow};

const ORDER: &[FieldRow] = &[
    ("customer_id", FieldType::Id, true, true),
    ("amount", FieldType::Money, false, false),
    ("items", FieldType::Number, false, false),
    ("category", FieldType::Category, false, false),
    ("payment_method", FieldType::Category, false, false),
    ("channel", FieldType::Category, false, false),
    ("discount", FieldType::Money, true, false),
];
const REFUND: &[FieldRow] = &[
    ("order_id", FieldType::Id, false, false),
    ("customer_id", FieldType::Id, true, true),
    ("amount", FieldType::Money, false, false),
];
const SESSION: &[FieldRow] = &[
    ("customer_id", FieldType::Id, true, true),
    ("pages", FieldType::Number, false, false),
    ("seconds", FieldType::Number, false, false),
    ("channel", FieldType::Category, false, false),
    ("product_category", FieldType::Category, false, false),
];
const EMAIL: &[FieldRow] = &[
    ("customer_id", FieldType::Id, false, true),
    ("kind", FieldType::Category, false, false),
];
const SUPPORT_TICKET: &[FieldRow] = &[
    ("customer_id", FieldType::Id, false, true),
    ("topic", FieldType::Category, false, false),
    ("satisfaction", FieldType::Number, true, true),
];
const SUBSCRIPTION: &[FieldRow] = &[
    ("customer_id", FieldType::Id, false, true),
    ("plan", FieldType::Category, false, false),
];

/// The world's kinds of fact.
pub(crate) const KINDS: [KindRow; 8] = [
    ("order", "order_id", "ordered_at", ORDER),
    ("refund", "refund_id", "refunded_at", REFUND),
    ("session", "session_id", "started_at", SESSION),
    ("email", "email_id", "sent_at", EMAIL),
    ("support_ticket", "ticket_id", "opened_at", SUPPORT_TICKET),
    (
        "subscription",
        "subscription_id",
        "changed_at",
        SUBSCRIPTION,
    ),
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
    Order,
    Refund,
    Session,
    Email,
    SupportTicket,
    Subscription,
    CustomerProfile,
    ExchangeRate,
}

/// The types as this world declares them; a use case may leave out or reorder fields.
pub fn event_types() -> EventTypes {
    layout::declare(&KINDS)
}
