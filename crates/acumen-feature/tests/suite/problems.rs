//! Wrong declarations: all problems at once, each with its place and the nearest name.

use acumen_base::Span;
use acumen_feature::{Param, Pipeline, Problem};

use crate::spec::{With, feature, pipeline};

fn problems(features: Vec<acumen_feature::FeatureSpec>) -> Vec<Problem> {
    let mut spec = pipeline();
    spec.views[0].features = vec!["velocty".to_owned()];
    spec.features.extend(features);
    Pipeline::compile(spec).err().expect("it is wrong")
}

#[test]
fn all_problems_are_told_at_once() {
    let found = problems(vec![
        feature("a", "agregate", "order.amount", &["customer"]),
        feature("b", "sum", "order.amont", &["custmer"]).over(&[Span(1_000)]),
        feature("c", "since_last", "ordr", &["customer"]),
        feature("d", "count", "order", &["customer"]),
        feature("e", "distinct", "order.channel", &["customer"])
            .over(&[Span(0)])
            .with("curent", Param::Text("excluded".to_owned())),
        feature("f", "geo_velocity", "order.amount", &["customer"]),
        feature("g", "sum", "order.channel", &["customer"]).over(&[Span(1_000)]),
        feature("a", "fields", "order", &[]).fields("fields", &["place", "chanel"]),
    ]);
    let has = |feature: &str, key: &str, text: &str| {
        let says = |p: &Problem| p.message.contains(text) || p.help.contains(text);
        let found = found
            .iter()
            .any(|p| p.feature == feature && p.key == key && says(p));
        assert!(found, "{feature}.{key} does not say {text}");
    };
    has("main", "features", "did you mean `velocity`?");
    has("a", "operator", "did you mean `aggregate`?");
    has("b", "of", "did you mean `amount`?");
    has("b", "by", "did you mean `customer`?");
    has("c", "of", "did you mean `order`?");
    has("d", "window", "needs `window`");
    has("e", "window", "no length");
    has("e", "curent", "did you mean `current`?");
    has("f", "of", "not a place");
    has("g", "of", "has no amount");
    has("a", "name", "declared twice");
    has("a", "fields", "is a place");
    has("a", "fields", "did you mean `channel`?");
}
