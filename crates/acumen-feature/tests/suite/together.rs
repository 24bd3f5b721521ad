//! Several specs in one pipeline: each has the rows that it has alone, and what they declare alike
//! is computed once.

use std::sync::Arc;

use acumen_base::row::same_bits;
use acumen_base::{Event, EventType, Span, Time, Value};
use acumen_feature::{Param, Pipeline, PipelineSpec, ViewSpec};
use proptest::prelude::*;

use crate::log::logs;
use crate::spec::{With, feature, order, pipeline};

/// Rows of each customer, of features that the first spec declares, too; no order's own.
fn of_customers() -> PipelineSpec {
    let mut spec = pipeline();
    let kind = Arc::new(EventType {
        name: "each_customer".to_owned(),
        fields: order().fields[..1].to_vec(),
        lateness: Span(60_000),
        ..(*order()).clone()
    });
    spec.events.retain(|kind| kind.name != "verdict");
    spec.outcomes[0].verdicts = None;
    spec.events.push(Arc::clone(&kind));
    let wanted = [
        "pause", "returns", "account", "usual", "light", "risk_now", "velocity",
    ];
    spec.features.retain(|f| wanted.contains(&&*f.name));
    for feature in &mut spec.features {
        feature.by = vec!["customer".to_owned()];
    }
    spec.features
        .push(feature("sum_10s", "sum", "order.amount", &["customer"]).over(&[Span(10_000)]));
    spec.views = vec![ViewSpec {
        name: "each".to_owned(),
        event: kind.name.clone(),
        each: Some("customer".to_owned()),
        features: spec.features.iter().map(|f| f.name.clone()).collect(),
    }];
    spec
}

/// Rows of registrations: names that mean something else than in the first spec, an outcome that
/// closes sooner, and a condition of the same words on a column of its own.
fn of_registrations() -> PipelineSpec {
    let mut spec = pipeline();
    spec.events.retain(|kind| kind.name != "verdict");
    spec.outcomes[0].verdicts = None;
    spec.outcomes[0].closes = Span(25_000);
    let text = |text: &str| Param::Text(text.to_owned());
    spec.features = vec![
        feature("pause", "since_last", "registration", &["customer"]),
        feature("usual", "baseline", "order.amount", &["customer"])
            .over(&[Span(9_000)])
            .with("minimum", Param::Int(2)),
        feature("unusual", "count", "order", &["customer"])
            .over(&[Span(30_000)])
            .with("where", text("usual.ratio < 1.5")),
        feature("risk_now", "share", "outcome", &["customer"]).over(&[Span(30_000)]),
        feature("around", "neighbours", "order", &[])
            .fields("path", &["customer", "device", "customer"])
            .fields("gather", &["pause", "usual"])
            .with("last", Param::Int(2)),
        feature("both", "derived", "", &[]).with("cel", text("pause.seconds + usual.mean")),
    ];
    spec.views = vec![ViewSpec {
        name: "registrations".to_owned(),
        event: "registration".to_owned(),
        each: None,
        features: spec.features.iter().map(|f| f.name.clone()).collect(),
    }];
    spec
}

fn specs() -> Vec<PipelineSpec> {
    vec![pipeline(), of_customers(), of_registrations()]
}

fn compiled(specs: Vec<PipelineSpec>) -> Pipeline {
    Pipeline::compile_all(specs).expect("the specs are valid")
}

fn empty(pipeline: &Pipeline, view: usize) -> Vec<f64> {
    vec![0.0; pipeline.columns(view).len()]
}

/// What a pipeline says at an event: the rows of orders and registrations, by view.
fn step(pipeline: &mut Pipeline, event: &Event, position: u64, views: &[usize]) -> Vec<Vec<f64>> {
    let mut rows: Vec<Vec<f64>> = views.iter().map(|view| empty(pipeline, *view)).collect();
    let mut outs: Vec<(usize, &mut [f64])> = Vec::new();
    for (view, row) in views.iter().zip(&mut rows) {
        outs.push((*view, row));
    }
    pipeline.step_views(event, position, &mut outs);
    rows
}

/// An event of no log, of a customer.
fn of(id: &str, at: Time) -> Event {
    let kinds = of_customers().events;
    let kind = kinds.into_iter().find(|kind| kind.name == "each_customer");
    Event {
        kind: kind.expect("it is declared"),
        id: "".into(),
        event_time: at,
        known_at: at,
        received_at: at,
        values: vec![Value::text(id)],
    }
}

/// The rows of every customer, in order.
fn customers(pipeline: &mut Pipeline, view: usize, at: Time, position: u64) -> Vec<Vec<f64>> {
    let ids: Vec<Arc<str>> = pipeline.ids(view).cloned().collect();
    let row = |id: &Arc<str>| {
        let mut row = empty(pipeline, view);
        assert!(pipeline.read(&of(id, at), position, (view, &mut row)));
        row
    };
    ids.iter().map(row).collect()
}

fn all_same(a: &[Vec<f64>], b: &[Vec<f64>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_bits(a, b))
}

#[test]
fn what_is_declared_alike_is_one_unit_and_means_the_same() {
    let (first, together) = (compiled(vec![pipeline()]), compiled(specs()));
    for (view, spec) in specs().into_iter().enumerate() {
        let alone = compiled(vec![spec]);
        assert_eq!(alone.columns(0), together.columns(view));
        assert_eq!(
            alone.columns(0).fingerprint,
            together.columns(view).fingerprint
        );
    }
    let twice = compiled(vec![pipeline(), pipeline()]);
    assert_eq!(twice.units(), first.units());
    // One that reads disputes alone of the outcome has a unit of its own for its share; all else
    // is the first one's, the sum over a window that only the second has included.
    let two = compiled(vec![pipeline(), of_customers()]);
    assert_eq!(two.units(), first.units() + 1);
}

#[test]
fn specs_that_mean_different_things_are_told_apart() {
    let mut other = of_registrations();
    other.currency = "EUR".parse().expect("a currency");
    other.entities[1].field = "channel".to_owned();
    let Err(problems) = Pipeline::compile_all(vec![pipeline(), other]) else {
        panic!("they are told apart");
    };
    let about: Vec<&str> = problems.iter().map(|p| p.feature.as_str()).collect();
    assert_eq!(about, ["rates", "device"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn every_spec_has_the_rows_that_it_has_alone(log in logs()) {
        let mut alone: Vec<Pipeline> = specs().into_iter().map(|s| compiled(vec![s])).collect();
        let mut together = compiled(specs());
        let last = log.len() as u64;
        for (event, position) in log.iter().zip(0..) {
            let views: &[usize] = match event.kind.name.as_str() {
                "order" => &[0],
                "registration" => &[2],
                _ => &[],
            };
            let found = step(&mut together, event, position, views);
            for (spec, alone) in alone.iter_mut().enumerate() {
                let wanted: &[usize] = if views.contains(&spec) { &[0] } else { &[] };
                let expected = step(alone, event, position, wanted);
                if !wanted.is_empty() && !event.is_too_late() {
                    prop_assert!(all_same(&expected, &found), "{} at {}", spec, position);
                }
            }
        }
        let at = log[log.len() - 1].known_at;
        let expected = customers(&mut alone[1], 0, at, last);
        prop_assert!(all_same(&expected, &customers(&mut together, 1, at, last)));
    }

    #[test]
    fn rows_of_several_views_are_read_at_one_event(log in logs()) {
        let mut same = pipeline();
        same.views[0].name = "other".to_owned();
        same.features.retain(|feature| feature.name == "usual" || feature.name == "pause");
        same.views[0].features = vec!["pause".to_owned(), "usual".to_owned()];
        let specs = vec![pipeline(), same];
        let (mut one, mut other) = (compiled(specs.clone()), compiled(specs));
        for (event, position) in log.iter().zip(0..) {
            let both = step(&mut one, event, position, &[0, 1]);
            let first = step(&mut other, event, position, &[0]);
            prop_assert!(same_bits(&both[0], &first[0]));
            let second = ["pause.seconds", "usual.mean"].map(|name| {
                let place = |view| one.columns(view).position(name).expect("it is a column");
                (both[1][place(1)], both[0][place(0)])
            });
            prop_assert!(second.iter().all(|(found, expected)| same_bits(&[*found], &[*expected])));
        }
    }

    #[test]
    fn many_are_a_fold_of_one_in_every_view(log in logs(), cut in 0..70_usize) {
        let cut = cut.min(log.len());
        for (view, kind) in [(0, "order"), (2, "registration")] {
            let (mut one, mut many) = (compiled(specs()), compiled(specs()));
            let mut expected = Vec::new();
            for (event, position) in log.iter().zip(0..) {
                let wanted: &[usize] = if event.kind.name == kind { &[view] } else { &[] };
                expected.extend(step(&mut one, event, position, wanted));
            }
            let mut found = Vec::new();
            for (part, first) in [(&log[..cut], 0), (&log[cut..], cut as u64)] {
                let block = many.step_many(part, first, view);
                for row in 0..block.rows.len() {
                    let row = block.columns.iter().map(|column| column[row]);
                    found.push(row.collect::<Vec<f64>>());
                }
            }
            prop_assert!(all_same(&expected, &found));
            prop_assert_eq!(one.save(), many.save());
        }
    }

    #[test]
    fn unchanged_specs_take_their_state_along(log in logs(), cut in 0..70_usize) {
        let cut = cut.min(log.len());
        let mut whole = compiled(specs());
        for (event, position) in log[..cut].iter().zip(0..) {
            whole.step_views(event, position, &mut []);
        }
        // The second is another one now, a third is new, and they stand in another order.
        let mut changed = of_customers();
        changed.features.pop();
        changed.views[0].features.pop();
        let mut new = pipeline();
        new.views[0].name = "new".to_owned();
        let now = vec![of_registrations(), changed, new, pipeline()];
        let mut next = compiled(now);
        next.adopt(&Pipeline::restore(&whole.save()).expect("it was just saved"));
        // Each by itself, too.
        let mut alone = compiled(vec![of_customers()]);
        alone.adopt(&whole);
        for (event, position) in log[cut..].iter().zip(cut as u64..) {
            let (then, now): (&[usize], &[usize]) = match event.kind.name.as_str() {
                "order" => (&[0], &[3]),
                "registration" => (&[2], &[0]),
                _ => (&[], &[]),
            };
            let expected = step(&mut whole, event, position, then);
            let found = step(&mut next, event, position, now);
            alone.step(event, position, None);
            prop_assert!(event.is_too_late() || all_same(&expected, &found));
        }
        let (at, last) = (log[log.len() - 1].known_at, log.len() as u64);
        let expected = customers(&mut whole, 1, at, last);
        prop_assert!(all_same(&expected, &customers(&mut alone, 0, at, last)));
    }
}
