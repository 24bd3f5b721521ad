//! One pipeline that uses every operator, over two event types and their outcomes.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::{Currency, EventType, Field, FieldType, Span};
use acumen_feature::{
    Entity, FeatureSpec, Operand, OutcomeSpec, Param, PipelineSpec, Rates, Verdicts, ViewSpec,
};

pub(crate) const LATENESS: i64 = 15_000;
pub(crate) const CLOSES: i64 = 40_000;
/// A condition on a field that may be missing.
pub(crate) const LIGHT: &str = "order.weight < 100.0";
/// The features whose conditions read columns.
pub(crate) const OF_COLUMNS: [&str; 2] = ["run_usual.", "unusual."];
/// A condition on a column.
pub(crate) const USUAL: &str = "usual.ratio < 1.5";
pub(crate) const WINDOWS: [Span; 3] = [Span(5_000), Span(30_000), Span::ALL];

fn event_type(name: &str, fields: &[(&str, FieldType)]) -> Arc<EventType> {
    let field = |(name, kind): &(&str, FieldType)| Field {
        name: (*name).to_owned(),
        kind: *kind,
        optional: true,
        personal: false,
        signed: true,
    };
    Arc::new(EventType {
        name: name.to_owned(),
        id_field: "id".to_owned(),
        time_field: "at".to_owned(),
        lateness: Span(LATENESS),
        fields: fields.iter().map(field).collect(),
    })
}

pub(crate) fn order() -> Arc<EventType> {
    let fields = [
        ("customer_id", FieldType::Id),
        ("device_id", FieldType::Id),
        ("amount", FieldType::Money),
        ("weight", FieldType::Number),
        ("flag", FieldType::Bool),
        ("channel", FieldType::Category),
        ("place", FieldType::Geo),
        ("device.os", FieldType::Text),
        ("device.browser", FieldType::Text),
    ];
    event_type("order", &fields)
}

pub(crate) fn dispute() -> Arc<EventType> {
    event_type("dispute", &[("order_id", FieldType::Id)])
}

pub(crate) fn verdict() -> Arc<EventType> {
    let fields = [("order_id", FieldType::Id), ("positive", FieldType::Bool)];
    event_type("verdict", &fields)
}

pub(crate) fn registration() -> Arc<EventType> {
    let fields = [
        ("customer_id", FieldType::Id),
        ("level", FieldType::Int),
        ("opened_at", FieldType::Time),
    ];
    event_type("registration", &fields)
}

pub(crate) fn rate() -> Arc<EventType> {
    event_type(
        "rate",
        &[("code", FieldType::Category), ("value", FieldType::Number)],
    )
}

pub(crate) fn feature(name: &str, operator: &str, of: &str, by: &[&str]) -> FeatureSpec {
    let of = match of.split_once('.') {
        None if of.is_empty() => Operand::None,
        None if of == "outcome" => Operand::Outcome(of.to_owned()),
        None => Operand::Event {
            event: of.to_owned(),
            field: None,
        },
        Some((event, field)) => Operand::Event {
            event: event.to_owned(),
            field: Some(field.to_owned()),
        },
    };
    FeatureSpec {
        name: name.to_owned(),
        operator: operator.to_owned(),
        of,
        by: by.iter().map(|by| (*by).to_owned()).collect(),
        windows: Vec::new(),
        aggregations: Vec::new(),
        params: BTreeMap::new(),
    }
}

pub(crate) trait With: Sized {
    fn over(self, windows: &[Span]) -> Self;
    fn with(self, name: &str, param: Param) -> Self;
    fn fields(self, name: &str, fields: &[&str]) -> Self {
        let fields = fields.iter().map(|field| (*field).to_owned()).collect();
        self.with(name, Param::Texts(fields))
    }
}

impl With for FeatureSpec {
    fn over(mut self, windows: &[Span]) -> Self {
        self.windows = windows.to_vec();
        self
    }
    fn with(mut self, name: &str, param: Param) -> Self {
        self.params.insert(name.to_owned(), param);
        self
    }
}

pub(crate) fn features() -> Vec<FeatureSpec> {
    let text = |text: &str| Param::Text(text.to_owned());
    let excluded = || text("excluded");
    let both = &["customer", "device"];
    let mut velocity = feature("velocity", "", "order.amount", both).over(&WINDOWS);
    velocity.aggregations = ["count", "sum", "avg", "min", "max", "stddev"]
        .map(str::to_owned)
        .to_vec();
    let mut all = vec![
        feature("raw", "fields", "order", &[]).fields("fields", &["amount", "channel", "flag"]),
        velocity.clone(),
        FeatureSpec {
            name: "velocity_named".to_owned(),
            operator: "aggregate".to_owned(),
            ..velocity
        },
        feature("orders", "count", "order", &["device"]).over(&WINDOWS),
        feature("registrations", "count", "registration", &["customer"]).over(&WINDOWS),
        feature("risk", "share", "outcome", both)
            .over(&[Span(10_000), Span::ALL])
            .with("delay", Param::Span(Span(8_000))),
        feature("risk_now", "share", "outcome", &["customer"]).over(&[Span(30_000)]),
        feature("flagged", "share", "order.flag", &["device"]).over(&WINDOWS),
        feature("run", "run_length", "outcome", both),
        feature("flag_run", "run_length", "order.flag", &["customer"]),
        feature("run_before", "run_length", "outcome", &["device"])
            .with("delay", Param::Span(Span(6_000)))
            .with("where", text(LIGHT)),
        feature("risk_light", "share", "outcome", &["customer"])
            .over(&[Span(10_000), Span::ALL])
            .with("where", text(LIGHT)),
        feature("light", "count", "order", &["customer"])
            .over(&WINDOWS)
            .with("where", text(LIGHT)),
        feature("run_usual", "run_length", "outcome", &["device"]).with("where", text(USUAL)),
        feature("unusual", "sum", "order.amount", &["device"])
            .over(&WINDOWS)
            .with(
                "where",
                text("usual.ratio >= 1.5 && channels.customer.distinct_30s < 3.0"),
            ),
        feature("light_pause", "since_last", "order", &["device"]).with("where", text(LIGHT)),
        feature("channels", "distinct", "order.channel", both).over(&WINDOWS),
        feature("customers", "distinct", "order.customer_id", &["device"])
            .over(&[Span(5_000), Span(30_000)])
            .with("current", excluded()),
        feature("pause", "since_last", "order", &["customer"]),
        feature("returns", "recurrence", "order.amount", &["customer"])
            .with("period", Param::Span(Span(5_000))),
        feature("light_returns", "recurrence", "order", both)
            .with("period", Param::Span(Span(9_000)))
            .with("where", text(LIGHT)),
        feature("together", "count", "order", &["pair"])
            .over(&WINDOWS)
            .with("current", excluded()),
        feature("together_risk", "share", "outcome", &["pair"]).over(&[Span::ALL]),
        feature("usual", "baseline", "order.amount", &["customer"])
            .over(&[Span(30_000)])
            .with("minimum", Param::Int(2)),
        feature("usual_flagged", "baseline", "order.amount", &["customer"])
            .over(&[Span(30_000)])
            .with("minimum", Param::Int(2))
            .with("where", text("order.flag")),
        feature("travel", "geo_velocity", "order.place", &["customer"]),
        feature("whereabouts", "usual_place", "order.place", &["customer"])
            .with("last", Param::Int(4)),
        feature("account", "profile", "registration", &["customer"])
            .fields("fields", &["level"])
            .with("age_of", text("opened_at")),
        feature("device", "fingerprint", "order.device", &["customer"]),
        feature("moment", "calendar", "", &[]),
        feature("recent", "sequence", "order", &["customer"])
            .fields("fields", &["amount", "channel"])
            .with("last", Param::Int(3))
            .with("ages", Param::Bool(true)),
    ];
    let around = feature("around", "neighbours", "order", &[])
        .fields("path", &["customer", "device", "customer"])
        .fields("gather", &["pause", "customers"])
        .with("last", Param::Int(2));
    all.push(FeatureSpec {
        name: "beside".to_owned(),
        ..around.clone().with("each", Param::Bool(true))
    });
    all.push(around);
    all.push(feature("twice", "derived", "", &[]).with("cel", text("surplus * 2.0")));
    let surplus = "raw.amount - velocity.customer.avg_30s";
    all.insert(
        0,
        feature("surplus", "", "", &[]).with("cel", text(surplus)),
    );
    all.push(feature("loud", "derived", "", &[]).with("cel", text("order.flag && surplus > 0.0")));
    for word in ["sum", "avg", "min", "max", "stddev"] {
        let name = format!("weight_{word}");
        let of = feature(&name, word, "order.weight", &["customer"]).over(&[Span(30_000)]);
        all.push(of.with("current", excluded()));
    }
    all
}

pub(crate) fn pipeline() -> PipelineSpec {
    let entity = |name: &str| Entity {
        name: name.to_owned(),
        field: format!("{name}_id"),
    };
    let pair = Entity {
        name: "pair".to_owned(),
        field: "customer_id + device_id".to_owned(),
    };
    let features = features();
    PipelineSpec {
        currency: Currency::GBP,
        events: vec![order(), dispute(), verdict(), registration(), rate()],
        entities: vec![entity("customer"), entity("device"), pair],
        rates: Some(Rates {
            event: "rate".to_owned(),
            currency: "code".to_owned(),
            rate: "value".to_owned(),
        }),
        outcomes: vec![OutcomeSpec {
            name: "outcome".to_owned(),
            of: "order".to_owned(),
            positive: "dispute".to_owned(),
            by: "order_id".to_owned(),
            negative_after: Span(20_000),
            closes: Span(CLOSES),
            verdicts: Some(Verdicts {
                event: "verdict".to_owned(),
                by: "order_id".to_owned(),
                positive: "positive".to_owned(),
            }),
        }],
        views: vec![ViewSpec {
            name: "main".to_owned(),
            event: "order".to_owned(),
            each: None,
            features: features
                .iter()
                .map(|feature| feature.name.clone())
                .collect(),
        }],
        features,
    }
}
