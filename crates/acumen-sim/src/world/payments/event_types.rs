//! The event types that this world speaks.

use acumen_base::FieldType;

use crate::world::layout::{self, CUSTOMER_PROFILE, EXCHANGE_RATE, EventTypes, FieldRow, KindRow};

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

/// The world's four kinds of fact.
pub(crate) const KINDS: [KindRow; 4] = [
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
    layout::declare(&KINDS)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::world::layout::Layout;

    #[test]
    fn a_use_case_may_reorder_and_leave_out_but_not_ask_for_more() {
        let mut types = event_types();
        let mut payment = (*types["payment"]).clone();
        payment.fields.reverse();
        payment.fields.retain(|f| f.name != "typing_speed");
        types.insert("payment".into(), Arc::new(payment.clone()));
        assert!(Layout::new(&KINDS, &types).is_ok());

        payment.fields[0].name = "merchant_categorie".into();
        payment.fields[0].optional = false;
        let place = payment
            .fields
            .iter_mut()
            .find(|f| f.name == "place")
            .unwrap();
        place.optional = false;
        types.insert("payment".into(), Arc::new(payment));
        let problems = Layout::new(&KINDS, &types).unwrap_err();
        assert_eq!(problems.len(), 2);
        assert!(problems[0].help.contains("`merchant_category`"));
    }
}
