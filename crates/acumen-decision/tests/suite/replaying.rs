use acumen_base::decision::RuleMode;
use acumen_base::{Control, Decision};
use acumen_decision::differences;
use proptest::prelude::*;

use crate::fixtures::{Bench, Manner, exploring, spec};

fn manner() -> impl Strategy<Value = Manner> {
    prop_oneof![
        4 => (0.0..=1.0_f64).prop_map(Manner::Says),
        1 => Just(Manner::Says(f64::NAN)),
        1 => Just(Manner::Fails),
        2 => (0_u64..40_000, 0.0..=1.0_f64).prop_map(|(us, value)| Manner::Takes(us, value)),
        1 => Just(Manner::GivesUp),
    ]
}

fn mode() -> impl Strategy<Value = RuleMode> {
    prop_oneof![
        Just(RuleMode::On),
        Just(RuleMode::Shadow),
        Just(RuleMode::Off),
        (1_u32..1_000_000).prop_map(|per_million| RuleMode::RollOut { per_million })
    ]
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![3 => 0.0..1_000.0_f64, 1 => Just(f64::NAN)]
}

/// A bench whose members, row and state are random, and how long its request waited.
fn bench() -> impl Strategy<Value = (Bench, u64)> {
    let members = (prop::option::of(manner()), prop::option::of(manner()));
    let lists = (any::<bool>(), any::<bool>(), mode());
    let row = (number(), number(), number());
    let weights = (0.0..1.0_f64, 0.1..1.0_f64);
    let waited = prop_oneof![3 => Just(0_u64), 1 => 0_u64..40_000];
    (members, lists, row, weights, any::<u32>(), waited).prop_map(
        |((one, two), (stolen, allowed, mode), row, weights, id, waited)| {
            let mut declared = spec();
            declared.explore = Some(exploring(0.3));
            declared.rules[1].suppress = id.is_multiple_of(3).then(|| "allowed".to_owned());
            declared.rules[1].roll_out_by = id.is_multiple_of(2).then(|| "card_id".to_owned());
            declared.ensemble.weights = vec![("one".into(), weights.0), ("two".into(), weights.1)];
            declared.layers[1].run.pop();
            declared
                .layers
                .push(crate::fixtures::layer("deep", 35, &["two"]));
            declared.layers[1].final_when = Some("score < 20.0".into());
            let mut bench = Bench::new(declared);
            bench.event.id = format!("o{id}").into();
            bench.row.values = vec![row.0, row.1, row.2].into();
            for (name, manner) in [("one", one), ("two", two)] {
                if let Some(manner) = manner {
                    bench.deploy(name, manner);
                }
            }
            for (list, on) in [("stolen", stolen), ("allowed", allowed)] {
                let ids = on.then(|| "c1".to_owned()).into_iter().collect();
                bench
                    .state
                    .apply(
                        8,
                        &Control::ListAdd {
                            list: list.into(),
                            ids,
                            until: None,
                        },
                    )
                    .expect("edits of lists are never refused");
            }
            let rule = Control::Rule {
                use_case: "orders".into(),
                rule: "stolen".into(),
                mode,
            };
            bench.state.apply(9, &rule).expect("the rule is declared");
            (bench, waited)
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_replay_gives_the_same_bits((bench, waited) in bench()) {
        let record = bench.decide_after(waited);
        let again = bench.replay(&record);
        prop_assert_eq!(differences(&record, &again), Vec::<String>::new());
    }

    #[test]
    fn a_decision_always_names_an_action((bench, waited) in bench()) {
        let decision = bench.decide_after(waited);
        let actions: Vec<&str> = bench.policy.actions().collect();
        prop_assert!(actions.contains(&decision.action.as_str()));
        prop_assert!(actions.contains(&decision.action_without_exploration.as_str()));
        prop_assert!(decision.propensity > 0.0 && decision.propensity <= 1.0);
        prop_assert!(decision.reasons.len() <= 5);
        prop_assert_eq!(decision.probability.is_some(), decision.score.is_some());
        let explanation = bench.policy.explain(&decision, &bench.event, &bench.state);
        prop_assert_eq!(explanation.action, decision.action);
    }

    #[test]
    fn a_changed_row_shows((bench, waited) in bench(), moved in 0_usize..3) {
        let record = bench.decide_after(waited);
        let mut other = bench;
        other.row.values[moved] = -1.0;
        let found = differences(&record, &other.replay(&record));
        let part = format!("row[{moved}]: ");
        prop_assert!(found.iter().any(|one| one.starts_with(&part)), "{found:?}");
    }
}

/// A change of one part of a record.
type Change = fn(&mut Decision);

#[test]
fn every_part_of_a_record_is_compared() {
    let record = Bench::new(spec()).with("one", Manner::Says(0.5)).decide();
    let changes: [(&str, Change); 10] = [
        ("id", |d| d.id.push('x')),
        ("decided_at", |d| d.decided_at.0 += 1),
        ("row.len", |d| d.row.truncate(1)),
        ("probability", |d| {
            d.probability = d.probability.map(f64::next_up);
        }),
        ("score", |d| d.score = None),
        ("action", |d| d.action.push('x')),
        ("propensity", |d| d.propensity = 0.5),
        ("reasons[0].weight", |d| d.reasons[0].weight = 0.1),
        ("layers.models.one.took_us", |d| {
            d.layers[1].members[0].took_us += 1;
        }),
        ("layers.models.one.answer", |d| {
            d.layers[1].members[0].answer = Err(acumen_base::MemberError::Late);
        }),
    ];
    for (part, change) in changes {
        let mut other = record.clone();
        change(&mut other);
        let found = differences(&record, &other);
        assert_eq!(found.len(), 1, "{part}: {found:?}");
        assert!(
            found[0].starts_with(&format!("{part}: ")),
            "{part}: {found:?}"
        );
    }
    assert!(differences(&record, &record.clone()).is_empty());
}
