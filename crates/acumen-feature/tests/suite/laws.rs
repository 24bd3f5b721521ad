//! The laws, over a pipeline that uses every operator.

use std::sync::Arc;

use acumen_base::row::same_bits;
use acumen_base::{Event, EventType, Key, Span, Time, Value};
use acumen_feature::{OPERATORS, Pipeline, StateError};
use proptest::prelude::*;

use crate::log::logs;
use crate::spec::{CLOSES, OF_COLUMNS, features, order, pipeline};

fn new() -> Pipeline {
    Pipeline::compile(pipeline()).expect("the spec is valid")
}

/// The rows of the orders of a log, one by one.
fn rows(pipeline: &mut Pipeline, log: &[Arc<Event>], first: u64) -> Vec<Vec<f64>> {
    let width = pipeline.columns(0).len();
    let mut rows = Vec::new();
    for (index, event) in log.iter().enumerate() {
        let mut row = vec![0.0; width];
        let wanted = event.kind.name == "order";
        pipeline.step(
            event,
            first + index as u64,
            wanted.then_some((0, &mut row[..])),
        );
        if wanted {
            rows.push(row);
        }
    }
    rows
}

fn all_same(a: &[Vec<f64>], b: &[Vec<f64>]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same_bits(a, b))
}

#[test]
fn every_operator_is_under_the_laws() {
    let used = features();
    for operator in OPERATORS {
        let name = operator.name();
        assert!(
            used.iter().any(|feature| feature.operator == name),
            "no law test uses {name}"
        );
        assert!(
            operator.doc().len() > 40 && operator.example().contains("operator"),
            "{name}"
        );
    }
    let columns = new().columns(0).clone();
    for column in &columns.list {
        assert!(column.help.len() > 8, "{} has no help", column.name);
    }
    let mut names: Vec<&str> = columns
        .list
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), columns.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn many_are_a_fold_of_one(log in logs(), cut in 0..70_usize) {
        let (mut one, mut many) = (new(), new());
        let expected = rows(&mut one, &log, 0);
        let cut = cut.min(log.len());
        let mut found = Vec::new();
        for (part, first) in [(&log[..cut], 0), (&log[cut..], cut as u64)] {
            let block = many.step_many(part, first, 0);
            for row in 0..block.rows.len() {
                found.push(block.columns.iter().map(|column| column[row]).collect::<Vec<f64>>());
            }
        }
        prop_assert!(all_same(&expected, &found));
        prop_assert_eq!(one.save(), many.save());
        prop_assert_eq!(one.counters(), many.counters());
    }

    #[test]
    fn rows_that_are_not_read_change_none_of_the_others(log in logs(), cut in 0..70_usize) {
        let (mut all, mut some) = (new(), new());
        let cut = cut.min(log.len());
        let wanted = |event: &Event| event.id.len().is_multiple_of(2) || event.id.ends_with('1');
        let (part, rest) = log.split_at(cut);
        let every = all.step_many(part, 0, 0);
        let chosen = some.step_some(part, 0, 0, &wanted);
        let kept: Vec<usize> = (0..every.rows.len())
            .filter(|&row| wanted(&part[every.rows[row] as usize]))
            .collect();
        let rows: Vec<u32> = kept.iter().map(|&row| every.rows[row]).collect();
        prop_assert_eq!(rows, chosen.rows);
        let of = |values: &Vec<f64>| kept.iter().map(|&row| values[row]).collect();
        let expected: Vec<Vec<f64>> = every.columns.iter().map(of).collect();
        prop_assert!(all_same(&expected, &chosen.columns));
        let then = |pipeline: &mut Pipeline| pipeline.step_many(rest, cut as u64, 0).columns;
        prop_assert!(all_same(&then(&mut all), &then(&mut some)));
    }

    #[test]
    fn rows_of_another_type_meet_the_same_state(log in logs(), cut in 0..70_usize) {
        // The conditions are on orders, the rows are of registrations.
        let mut spec = pipeline();
        spec.views[0].event = "registration".to_owned();
        let compile = || Pipeline::compile(spec.clone()).expect("the spec is valid");
        let (mut one, mut many) = (compile(), compile());
        let cut = cut.min(log.len());
        for (index, event) in log[..cut].iter().enumerate() {
            one.step(event, index as u64, None);
        }
        many.step_many(&log[..cut], 0, 0);
        let rest = |pipeline: &mut Pipeline| pipeline.step_many(&log[cut..], cut as u64, 0);
        let (first, second) = (rest(&mut one), rest(&mut many));
        prop_assert!(all_same(&first.columns, &second.columns));
    }

    #[test]
    fn saving_and_loading_changes_nothing(log in logs(), cut in 0..70_usize) {
        let cut = cut.min(log.len());
        let mut whole = new();
        let expected = rows(&mut whole, &log, 0);
        let mut first = new();
        let mut found = rows(&mut first, &log[..cut], 0);
        let mut second = new();
        second.load(&first.save()).expect("it was just saved");
        found.extend(rows(&mut second, &log[cut..], cut as u64));
        prop_assert!(all_same(&expected, &found));
        prop_assert_eq!(whole.save(), second.save());
    }

    #[test]
    fn parts_merge_to_the_whole(log in logs(), mask in any::<u128>(), whole_keys in any::<bool>()) {
        // Within the time in which outcomes close: beyond it a part may have settled what the
        // other one knew better.
        let start = log[0].known_at.0;
        let span = log.iter().take_while(|event| event.known_at.0 - start < CLOSES).count();
        let (log, last) = (&log[..span - 1], &log[span - 1]);
        let (mut whole, mut left, mut right) = (new(), new(), new());
        for (index, event) in log.iter().enumerate() {
            let shared = event.kind.name == "rate";
            // What a condition reads of a customer is known where all of the customer's events are.
            let customer = event.value("customer_id").as_text().filter(|_| whole_keys);
            let drawn = customer.map_or(index, |id| id.bytes().map(usize::from).sum::<usize>() % 128);
            let side = mask >> drawn & 1 == 1;
            // Amounts are converted where they are observed: at the rates of all.
            whole.step(event, index as u64, None);
            if shared || side {
                left.step(event, index as u64, None);
            }
            if shared || !side {
                right.step(event, index as u64, None);
            }
        }
        left.merge(&right);
        let width = whole.columns(0).len();
        let (mut expected, mut found) = (vec![0.0; width], vec![0.0; width]);
        let position = log.len() as u64;
        whole.step(last, position, Some((0, &mut expected)));
        left.step(last, position, Some((0, &mut found)));
        if !last.is_too_late() {
            for ((column, a), b) in whole.columns(0).list.iter().zip(&expected).zip(&found) {
                if !whole_keys && OF_COLUMNS.iter().any(|name| column.name.starts_with(name)) {
                    continue;
                }
                prop_assert!(same_bits(&[*a], &[*b]), "{}: {a}, merged {b}", column.name);
            }
        }
    }

    #[test]
    fn what_comes_later_changes_no_earlier_row(log in logs(), cut in 1..70_usize) {
        let cut = cut.min(log.len());
        let full = rows(&mut new(), &log, 0);
        let short = rows(&mut new(), &log[..cut], 0);
        prop_assert!(all_same(&full[..short.len()], &short));
    }

    #[test]
    fn the_order_of_unrelated_keys_changes_nothing(log in logs()) {
        // The events of another log, under keys of their own, stand between these.
        let expected = rows(&mut new(), &log, 0);
        let mut mixed = new();
        let width = mixed.columns(0).len();
        let mut found = Vec::new();
        for (index, event) in log.iter().enumerate() {
            let mut row = vec![0.0; width];
            if let Some(other) = stranger(event) {
                mixed.step(&other, 2 * index as u64, None);
            }
            let wanted = event.kind.name == "order";
            mixed.step(event, 2 * index as u64 + 1, wanted.then_some((0, &mut row[..])));
            if wanted {
                found.push(row);
            }
        }
        prop_assert!(all_same(&expected, &found));
    }
}

/// The same event of other keys and another id.
fn stranger(event: &Event) -> Option<Event> {
    if event.kind.name == "rate" {
        return None;
    }
    let mut other = event.clone();
    other.id = format!("stranger-{}", event.id).into();
    for (field, value) in event.kind.fields.iter().zip(&mut other.values) {
        if let (true, Some(text)) = (field.name.ends_with("_id"), value.as_text()) {
            *value = Value::text(&format!("stranger-{text}"));
        }
    }
    Some(other)
}

#[test]
fn state_of_another_definition_is_refused() {
    let mut spec = pipeline();
    spec.features.pop();
    spec.views[0].features.pop();
    let other = Pipeline::compile(spec).expect("the spec is valid");
    let mut mine = new();
    assert!(matches!(
        mine.load(&other.save()),
        Err(StateError::Definition { .. })
    ));
    let saved = mine.save();
    assert!(matches!(
        mine.load(&saved[..saved.len() / 2]),
        Err(StateError::Damaged(_))
    ));
    assert!(mine.load(&[]).is_err());
    assert!(mine.load(&saved).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn an_entity_reads_as_it_is(log in logs()) {
        let mut pipeline = new();
        rows(&mut pipeline, &log, 0);
        let now = log[log.len() - 1].known_at;
        let keys: Vec<&str> =
            log.iter().filter_map(|event| event.value("customer_id").as_text()).collect();
        prop_assert!(pipeline.read_entity(0, "customer", "nobody", now).is_empty());
        for key in keys {
            let orders = log.iter().filter(|event| {
                event.kind.name == "order"
                    && !event.is_too_late()
                    && Key::of(event.value("customer_id").as_text().unwrap_or("")) == Key::of(key)
            });
            let newest = orders.map(|event| event.event_time).max();
            let values = pipeline.read_entity(0, "customer", key, now);
            let pause = values.iter().find(|value| value.column == "pause.seconds");
            let pause = pause.expect("it is a column of the entity");
            prop_assert_eq!(pause.age, newest.map(|time: Time| now - time));
            match newest {
                Some(time) => prop_assert_eq!(pause.value, (now - time).0 as f64 / 1_000.0),
                None => prop_assert!(pause.value.is_nan()),
            }
        }
    }
}

/// The pipeline with rows for each customer, and an event of one.
fn of_each() -> (Pipeline, impl Fn(&str, Time) -> Event) {
    let mut spec = pipeline();
    let kind = Arc::new(EventType {
        name: "each_customer".to_owned(),
        fields: order().fields[..1].to_vec(),
        ..(*order()).clone()
    });
    spec.events.push(Arc::clone(&kind));
    let of_customers = |name: &str| {
        let feature = spec.features.iter().find(|feature| feature.name == name);
        // A fingerprint is of an event's own fields as well.
        feature.is_some_and(|feature| feature.by == ["customer"] && name != "device")
    };
    let view = &mut spec.views[0];
    view.event = kind.name.clone();
    view.each = Some("customer".to_owned());
    view.features
        .retain(|name| of_customers(name) || name == "moment");
    let event = move |id: &str, at: Time| Event {
        kind: Arc::clone(&kind),
        id: "".into(),
        event_time: at,
        known_at: at,
        received_at: at,
        values: vec![Value::text(id)],
    };
    (Pipeline::compile(spec).expect("the spec is valid"), event)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_row_of_a_key_is_what_stepping_would_read_and_changes_nothing(log in logs()) {
        let (mut pipeline, event) = of_each();
        observe_all(&mut pipeline, &log);
        let at = log[log.len() - 1].known_at + Span(2_000);
        let mut seen: Vec<&str> = Vec::new();
        for id in log.iter().filter_map(|event| event.value("customer_id").as_text()) {
            if !seen.contains(&id) {
                seen.push(id);
            }
        }
        let ids: Vec<String> = pipeline.ids(0).map(ToString::to_string).collect();
        prop_assert_eq!(&ids, &seen);
        let (saved, position) = (pipeline.save(), log.len() as u64);
        let width = pipeline.columns(0).len();
        for id in &ids {
            let (mut read, mut stepped) = (vec![0.0; width], vec![0.0; width]);
            let event = event(id, at);
            prop_assert!(pipeline.read(&event, position, (0, &mut read)));
            prop_assert!(pipeline.save() == saved);
            let (mut other, _) = of_each();
            other.load(&saved).expect("it was just saved");
            prop_assert_eq!(other.ids(0).len(), ids.len());
            other.step(&event, position, Some((0, &mut stepped)));
            prop_assert!(same_bits(&read, &stepped));
        }
        let stranger = event("nobody", at);
        prop_assert!(!pipeline.read(&stranger, position, (0, &mut vec![0.0; width])));
        prop_assert!(pipeline.save() == saved);
    }
}

/// Steps through a log without reading a row.
fn observe_all(pipeline: &mut Pipeline, log: &[Arc<Event>]) {
    for (index, event) in log.iter().enumerate() {
        pipeline.step(event, index as u64, None);
    }
}
