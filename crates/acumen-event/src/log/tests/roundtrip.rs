//! Every body comes back as it went in, whatever it holds.

use acumen_base::decision::{
    Firing, LayerReport, LayerStatus, MemberReport, Reason, RuleHit, RuleMode,
};
use acumen_base::{Decision, Geo, MemberError, Prediction};
use proptest::prelude::*;

use super::*;

fn value(kind: FieldType) -> BoxedStrategy<Value> {
    let text = ".{0,30}".prop_map(|text| Value::text(&text));
    let some = match kind {
        FieldType::Id | FieldType::Category | FieldType::Text => text.boxed(),
        FieldType::Money => (any::<i64>(), prop_oneof!["EUR", "JPY", "KWD"])
            .prop_map(|(minor, code)| Value::Money(Money::new(minor, code.parse().unwrap())))
            .boxed(),
        FieldType::Int => any::<i64>().prop_map(Value::Int).boxed(),
        FieldType::Number => any::<f64>().prop_map(Value::Number).boxed(),
        FieldType::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        FieldType::Time => any::<i64>().prop_map(|at| Value::Time(Time(at))).boxed(),
        FieldType::Geo => (any::<f64>(), any::<f64>(), any::<f32>())
            .prop_map(|(lat, lon, accuracy_km)| {
                Value::Geo(Geo {
                    lat,
                    lon,
                    accuracy_km,
                })
            })
            .boxed(),
    };
    prop_oneof![1 => Just(Value::Missing), 4 => some].boxed()
}

fn any_event() -> impl Strategy<Value = Body> {
    let values: Vec<_> = FieldType::ALL.into_iter().map(value).collect();
    (".{1,20}", any::<[i64; 3]>(), values).prop_map(|(id, times, values)| {
        Body::Event(Arc::new(Event {
            kind: order(),
            id: id.into(),
            event_time: Time(times[0]),
            known_at: Time(times[1]),
            received_at: Time(times[2]),
            values,
        }))
    })
}

fn any_decision() -> impl Strategy<Value = Body> {
    let number = prop_oneof![
        any::<f64>(),
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY)
    ];
    let row = prop::collection::vec(number.clone(), 0..40);
    (
        ".{0,20}",
        row,
        number,
        any::<Option<f64>>(),
        any::<[u64; 4]>(),
    )
        .prop_map(|(text, row, weight, probability, counts)| {
            let answers = [
                Ok(Prediction {
                    value: weight,
                    raw: weight,
                }),
                Err(MemberError::Late),
                Err(MemberError::Failed(text.clone())),
            ];
            let members = answers.map(|answer| MemberReport {
                name: text.clone(),
                version: "1".into(),
                answer,
                took_us: counts[0],
            });
            Body::Decision(Arc::new(Decision {
                id: text.clone(),
                use_case: "orders".into(),
                event_id: text.clone(),
                event_time: Time(7),
                position: counts[1],
                decided_at: Time(8),
                row,
                columns: counts[2],
                layers: vec![LayerReport {
                    name: "model".into(),
                    status: LayerStatus::Ran,
                    members: members.to_vec(),
                    took_us: 3,
                }],
                ensemble: Some(members[0].clone()),
                rules: vec![RuleHit {
                    id: text.clone(),
                    effect: "block".into(),
                    firing: Firing::Suppressed,
                }],
                probability,
                score: probability,
                action: "approve".into(),
                action_without_exploration: "block".into(),
                propensity: weight,
                reasons: vec![Reason {
                    code: "c".into(),
                    text,
                    weight,
                }],
                amount: Some("12.34 EUR".parse().unwrap()),
                control: counts[3],
                build: "0".into(),
                took_us: 12,
            }))
        })
}

fn any_control() -> impl Strategy<Value = Body> {
    let ids = prop::collection::vec(".{0,8}", 0..5);
    let knots = prop::collection::vec(any::<(f64, f64)>(), 0..4);
    (0..5, ".{0,12}", ids, knots, any::<i64>()).prop_map(|(which, text, ids, knots, at)| {
        let (use_case, list) = (text.clone(), text.clone());
        let control = match which {
            0 => Control::ListAdd {
                list,
                ids,
                until: (at > 0).then_some(Time(at)),
            },
            1 => Control::ListRemove { list, ids },
            2 => Control::Rule {
                use_case,
                rule: text.clone(),
                mode: RuleMode::RollOut {
                    per_million: at as u32,
                },
            },
            3 => Control::Thresholds { use_case, knots },
            _ => Control::Deploy {
                use_case,
                member: text.clone(),
                version: text.clone(),
            },
        };
        Body::Control {
            control,
            by: text,
            at: Time(at),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_body_comes_back(
        written in prop::collection::vec(
            prop_oneof![any_event(), any_decision(), any_control()], 1..30),
        segment_bytes in 200_u64..20_000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let options = LogOptions { segment_bytes, ..small_segments() };
        let (mut log, _) = Log::open(folder.path(), options).unwrap();
        for (position, body) in written.iter().enumerate() {
            prop_assert_eq!(log.append(body).unwrap(), position as u64);
        }
        log.commit().unwrap();
        let live = bodies(log.read(0));
        drop(log);
        let (log, recovery) = Log::open(folder.path(), options).unwrap();
        prop_assert_eq!(recovery.records, written.len() as u64);
        let reopened = bodies(log.read(0));
        // NaN is not equal to itself; its text is.
        let expected = format!("{written:?}");
        prop_assert_eq!(format!("{live:?}"), expected.clone());
        prop_assert_eq!(format!("{reopened:?}"), expected);
    }
}
