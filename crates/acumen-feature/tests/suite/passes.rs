//! A pass over the events of one key gives what a pass over all events gives.

use std::collections::BTreeSet;
use std::sync::Arc;

use acumen_base::Event;
use acumen_base::row::same_bits;
use acumen_feature::{EVENTS, Pass, Pipeline, entity_id, passes};
use proptest::prelude::*;

use crate::log::logs;
use crate::spec::{features, pipeline};

/// The features that every pass together give, and those that none gives.
fn told_apart() -> (Vec<String>, BTreeSet<String>) {
    let names = features().into_iter().map(|feature| feature.name);
    let (given, beyond): (Vec<String>, Vec<String>) =
        names.partition(|name| passes(pipeline(), 0, std::slice::from_ref(name)).is_ok());
    (given, beyond.into_iter().collect())
}

#[test]
fn what_no_pass_gives_is_refused_with_the_reason() {
    let (given, beyond) = told_apart();
    let expected = [
        "around",
        "beside",
        "risk",
        "risk_light",
        "risk_now",
        "run",
        "run_before",
        "run_usual",
        "together_risk",
        "unusual",
    ];
    assert_eq!(beyond, expected.map(str::to_owned).into());
    let all: Vec<Pass> = passes(pipeline(), 0, &given).unwrap();
    let names: Vec<&str> = all.iter().map(|pass| pass.name.as_str()).collect();
    assert_eq!(names, [EVENTS, "customer", "device", "pair"]);
    assert_eq!(all[3].fields, ["customer_id", "device_id"]);
    let columns: usize = all.iter().map(|pass| pass.columns.len()).sum();
    let whole = Pipeline::compile_only(pipeline(), 0, &given).unwrap();
    assert_eq!(columns, whole.columns(0).len(), "each column in one pass");

    let problems = passes(pipeline(), 0, &[]).unwrap_err();
    for (column, why) in [
        ("risk_now.share_30s", "reads outcomes"),
        ("unusual.sum_all", "columns of several entities"),
        ("around.", "meets the keys of several entities"),
    ] {
        let said = problems
            .iter()
            .any(|problem| problem.feature.starts_with(column) && problem.message.contains(why));
        assert!(said, "{column} {why}: {problems:#?}");
    }
    let unknown = passes(pipeline(), 0, &["velocty".to_owned()]).unwrap_err();
    assert!(unknown[0].help.contains("velocity"), "{unknown:?}");
    let unknown = Pipeline::compile_pass(pipeline(), 0, "custmer", &given)
        .err()
        .unwrap();
    assert!(unknown[0].help.contains("customer"), "{unknown:?}");
}

/// The rows of the orders of a log, with the ids of these.
fn rows(pipeline: &mut Pipeline, log: &[Arc<Event>]) -> Vec<(Arc<str>, Vec<f64>)> {
    let block = pipeline.step_many(log, 0, 0);
    let row = |(at, index): (usize, &u32)| {
        let values = block.columns.iter().map(|column| column[at]).collect();
        (Arc::clone(&log[*index as usize].id), values)
    };
    block.rows.iter().enumerate().map(row).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn every_pass_gives_its_columns_of_the_whole_row(log in logs()) {
        let (given, _) = told_apart();
        let mut whole = Pipeline::compile(pipeline()).unwrap();
        let columns = Arc::clone(whole.columns(0));
        let expected = rows(&mut whole, &log);
        let spec = pipeline();
        for pass in passes(pipeline(), 0, &given).unwrap() {
            let places: Vec<usize> =
                pass.columns.iter().map(|name| columns.position(name).unwrap()).collect();
            let field = spec.entities.iter().find(|entity| entity.name == pass.name);
            let key = |event: &Event| match field {
                Some(entity) => entity_id(event, &entity.field),
                None => Some(event.id.to_string()),
            };
            let keys: BTreeSet<String> = log.iter().filter_map(|event| key(event)).collect();
            for part in keys {
                // Rates are of no key, and every part has all of them.
                let is_in = |event: &&Arc<Event>| {
                    key(event).as_ref() == Some(&part) || &*event.kind.name == "rate"
                };
                let of_key: Vec<Arc<Event>> = log.iter().filter(is_in).cloned().collect();
                let mut alone = Pipeline::compile_pass(pipeline(), 0, &pass.name, &given).unwrap();
                for (id, values) in rows(&mut alone, &of_key) {
                    let (_, row) = expected.iter().find(|(known, _)| *known == id).unwrap();
                    let wanted: Vec<f64> = places.iter().map(|&at| row[at]).collect();
                    prop_assert!(same_bits(&values, &wanted), "{} of {}", pass.name, id);
                }
            }
        }
    }
}
