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

#[test]
fn a_condition_is_checked_at_its_place() {
    let count = |name: &str, text: &str| {
        let counted = feature(name, "count", "order", &["customer"]).over(&[Span(1_000)]);
        counted.with("where", Param::Text(text.to_owned()))
    };
    let usual = Param::Text("usual.ratio < 1.0".to_owned());
    let found = problems(vec![
        count("a", "order.wieght < 1.0"),
        count("b", "order.weight"),
        count("c", "light.count_5s > 1.0"),
        count("d", "registration.level > 1"),
        feature("e", "share", "outcome", &["customer"])
            .over(&[Span(1_000)])
            .with("where", usual),
    ]);
    let mut of = found.iter().filter(|problem| problem.key == "where");
    let mut next = |feature: &str, text: &str| {
        let problem = of.next().expect("it is told");
        let said = format!("{} {}", problem.message, problem.help);
        assert_eq!(problem.feature, feature, "{said}");
        assert!(said.contains(text), "{said}");
    };
    next("a", "order.weight");
    next("b", "bool");
    next("c", "light.count_5s");
    next("d", "registration.level");
    next("e", "cannot depend on columns");
    assert!(of.next().is_none());
    assert!(found.iter().any(|problem| problem.offset == Some(0)));
}

#[test]
fn what_is_laid_side_by_side_has_to_be_there_and_to_have_a_name() {
    let mut spec = pipeline();
    let mut order = (*spec.events[0]).clone();
    order.fields[3].name = "age".to_owned();
    spec.events[0] = std::sync::Arc::new(order);
    let path = ["customer", "device"];
    spec.features = vec![
        feature("steps", "sequence", "order", &["customer"])
            .fields("fields", &["age"])
            .with("ages", Param::Bool(true)),
        feature("around", "neighbours", "order", &[])
            .fields("path", &path)
            .with("each", Param::Bool(true)),
        feature("beside", "neighbours", "order", &[])
            .fields("path", &path)
            .with("each", Param::Text("yes".to_owned())),
    ];
    spec.views[0].features = vec!["steps".to_owned()];
    let found = Pipeline::compile(spec).err().expect("it is wrong");
    let said: Vec<String> = found
        .iter()
        .map(|p| format!("{}.{}: {} {}", p.feature, p.key, p.message, p.help))
        .collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[0].contains("steps.ages: a field is called `age`"));
    assert!(said[1].contains("around.each: there is nothing to show key by key"));
    assert!(said[2].contains("beside.each: `yes` is not `true` or `false`"));
}

#[test]
fn the_fields_of_a_combination_are_ids_of_one_event_type() {
    for (field, text) in [
        ("customer_id + devic_id", "did you mean `device_id`?"),
        (
            "customer_id + opened_at",
            "`registration.opened_at` does not hold an id",
        ),
        (
            "order_id + device_id",
            "no event has all of `order_id + device_id`",
        ),
    ] {
        let mut spec = pipeline();
        spec.entities[2].field = field.to_owned();
        let found = Pipeline::compile(spec).err().expect("it is wrong");
        let says = |p: &Problem| p.message.contains(text) || p.help.contains(text);
        let found = found
            .iter()
            .any(|p| p.feature == "pair" && p.key == "entities" && says(p));
        assert!(found, "{field} does not say {text}");
    }
}
