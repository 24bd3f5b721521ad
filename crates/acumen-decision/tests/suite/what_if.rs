use std::sync::Arc;

use acumen_base::{Attribution, Columns, Deadline, Member, MemberError, Prediction, Row};
use acumen_decision::{EVALUATIONS_MAX, Lever};
use proptest::prelude::*;

use crate::fixtures::{Bench, Manner, columns, spec};

/// A member that adds two columns up.
struct Slope {
    columns: Arc<Columns>,
    slopes: [f64; 2],
}

impl Member for Slope {
    fn name(&self) -> &str {
        "one"
    }
    fn version(&self) -> &str {
        "v1"
    }
    fn columns(&self) -> &Columns {
        &self.columns
    }
    fn predict(&self, row: &Row, _: &Deadline) -> Result<Prediction, MemberError> {
        let sum = self.slopes[0] * row.values[0] + self.slopes[1] * row.values[1];
        let value = 1.0 / (1.0 + (-sum).exp());
        Ok(Prediction { value, raw: value })
    }
    fn attributions(&self, _: &Row) -> Vec<Attribution> {
        Vec::new()
    }
}

fn lever(column: &str, values: &[f64]) -> Lever {
    Lever {
        column: column.into(),
        values: values.to_vec(),
        category: false,
    }
}

fn sloped(slopes: [f64; 2], values: [f64; 2]) -> Bench {
    let mut spec = spec();
    spec.rules.clear();
    spec.layers.remove(0);
    let mut bench = Bench::new(spec);
    bench.row.values[..2].copy_from_slice(&values);
    bench.state.deploy(
        5,
        Arc::new(Slope {
            columns: columns(),
            slopes,
        }),
    );
    bench
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// What is found decides otherwise, and nothing smaller does: compared with trying all.
    #[test]
    fn the_smallest_change_is_found(
        slopes in [-0.4_f64..0.4, -0.4..0.4],
        from in [0_usize..9, 0_usize..9],
    ) {
        let values: Vec<f64> = (0..9).map(|i| f64::from(i) - 2.0).collect();
        let bench = sloped(slopes, [values[from[0]], values[from[1]]]);
        let record = bench.decide();
        let levers = [lever("recent.count", &values), lever("recent.sum", &values)];
        let found = bench.policy.what_if(&record, &bench.event, &bench.state, &levers);
        let names: Vec<&str> = bench.policy.actions().collect();
        let severity = |action: &str| names.iter().position(|name| *name == action).unwrap();
        let decided = severity(&record.action);
        let distance = |to: [usize; 2]| {
            let one = |i: usize| to[i].abs_diff(from[i]) as f64 / 8.0;
            one(0) + one(1)
        };
        let milder = |to: [usize; 2]| {
            let bench = sloped(slopes, [values[to[0]], values[to[1]]]);
            severity(&bench.decide().action) < decided
        };
        let all = (0..9).flat_map(|a| (0..9).map(move |b| [a, b]));
        let (single, pairs): (Vec<_>, Vec<_>) = all
            .filter(|to| *to != from && milder(*to))
            .partition(|to| to[0] == from[0] || to[1] == from[1]);
        let least = |these: &[[usize; 2]]| these.iter().map(|to| distance(*to)).min_by(f64::total_cmp);
        let expected = least(&single).or_else(|| least(&pairs));
        match (expected, found.distance) {
            (Some(expected), Some(distance)) => prop_assert!((expected - distance).abs() < 1e-12),
            (expected, found) => prop_assert_eq!(expected, found),
        }
        if let Some(action) = &found.action {
            prop_assert!(severity(action) < decided);
            let mut changed = sloped(slopes, [values[from[0]], values[from[1]]]);
            for change in &found.changes {
                let place = columns().position(&change.column).unwrap();
                changed.row.values[place] = change.to;
            }
            prop_assert_eq!(&changed.decide().action, action);
        }
    }
}

#[test]
fn the_search_is_bounded_and_says_why_it_found_nothing() {
    let bench = Bench::new(spec()).with("one", Manner::Says(0.9));
    let record = bench.decide();
    let ask = |levers: &[Lever]| {
        bench
            .policy
            .what_if(&record, &bench.event, &bench.state, levers)
    };
    let many: Vec<f64> = (0..400).map(f64::from).collect();
    let stopped = ask(&[lever("recent.count", &many), lever("recent.sum", &many)]);
    assert_eq!(stopped.evaluated, EVALUATIONS_MAX);
    assert!(
        stopped.text.contains("within the limit"),
        "{}",
        stopped.text
    );
    let few = ask(&[lever("recent.count", &[1.0, 2.0])]);
    assert_eq!((few.evaluated, few.action), (2, None));
    assert!(few.text.contains("is enough"), "{}", few.text);
    assert!(ask(&[]).text.contains("explain: {actionable:"));
    assert!(
        ask(&[lever("recent.count", &[])])
            .text
            .contains("train them again")
    );
    assert_eq!(ask(&[lever("no.such", &[1.0])]).evaluated, 0);
}

#[test]
fn a_category_is_exchanged_for_one_that_was_met() {
    let code = acumen_base::key::category_code;
    let mut spec = spec();
    spec.rules[1].when = "channel == 7.0".into();
    spec.rules[2].when = "recent.count > 10.0".into();
    let mut bench = Bench::new(spec).with("one", Manner::Says(0.1));
    bench.row.values[2] = 7.0;
    bench.row.values[0] = 3.0;
    let record = bench.decide();
    assert_eq!(record.action, "block");
    let lever = Lever {
        column: "channel".into(),
        values: vec![7.0, code("web")],
        category: true,
    };
    let found = bench
        .policy
        .what_if(&record, &bench.event, &bench.state, &[lever]);
    assert_eq!(found.action.as_deref(), Some("approve"));
    assert_eq!(
        (found.distance, found.changes[0].to),
        (Some(1.0), code("web"))
    );
    assert!(
        found.text.contains("channel: web instead of"),
        "{}",
        found.text
    );
}
