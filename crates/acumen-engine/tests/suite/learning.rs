//! Training, deployment and evaluation.

use super::shop::{DAY, START, Shop, assert_replays, bits, days, decide, order};
use acumen_base::outcome::Truth;
use acumen_base::{Clock, Control, Time};
use acumen_engine::{Engine, Sample, Trained, Wanted, evaluate, rows, train};
use acumen_model::Metrics;

fn trained(shop: &Shop, as_of: Option<Time>) -> Trained {
    train(&shop.sources(), 0, as_of, &mut |_| ()).unwrap()
}

fn deploy(engine: &Engine, trained: &Trained) {
    for control in &trained.controls {
        engine.control_now(control.clone(), "ann").unwrap();
    }
}

#[test]
fn a_trained_model_is_deployed_decides_and_is_rolled_back() {
    let shop = Shop::new();
    shop.import_history();
    let early = trained(&shop, Some(START + days(45)));
    let whole = trained(&shop, None);
    assert_ne!(early.models[0].version, whole.models[0].version);
    assert!(whole.rows > early.rows && early.positives > 0 && early.immature > 0);

    let engine = shop.open();
    let readiness = engine.readiness().unwrap();
    assert!(!readiness.ready);
    assert!(
        readiness.missing[0].contains("acumen train orders"),
        "{readiness:?}"
    );
    deploy(&engine, &early);
    assert!(engine.readiness().unwrap().ready);
    let now = START + days(61);
    // A customer each: with a single order, its mean and its extremes say what its amount says.
    let ask = |id: &str, customer: &str, amount| {
        decide(&engine, &order(id, customer, amount, now))
            .unwrap()
            .decision
    };
    let by = |decision: &acumen_base::Decision| decision.layers[1].members[0].version.clone();
    let cheap = ask("cheap", "c1", 10.0);
    assert_eq!(
        (cheap.action.as_str(), by(&cheap)),
        ("ship", early.models[0].version.clone())
    );
    let dear = ask("dear", "c2", 200.0);
    assert_eq!(dear.action, "review");
    assert!(dear.probability > cheap.probability);
    deploy(&engine, &whole);
    assert_eq!(by(&ask("swapped", "c3", 10.0)), whole.models[0].version);
    deploy(&engine, &early);
    assert_eq!(by(&ask("back", "c4", 10.0)), early.models[0].version);
    let explained = engine.explain("orders:dear").unwrap();
    let explained = serde_json::to_string(&explained).unwrap();
    assert!(explained.contains("order_itself.amount"), "{explained}");
    assert_eq!(bits(&engine.decision("orders:dear").unwrap()), bits(&dear));
    engine.close().unwrap();
    assert_replays(&shop.sources(), 4);
}

/// The use case with a second model beside the first, and an ensemble of both.
pub(crate) fn stacked() -> Shop {
    let boosted = "  boosted: {algorithm: xgboost, n_estimators: 25, max_depth: 3}";
    let both = format!(
        "{boosted}\n  amounts: {{algorithm: xgboost, n_estimators: 10, max_depth: 2, features: \
         [order_itself]}}\nensemble: {{algorithm: stacking, when_missing: marginalise}}"
    );
    Shop::with(&[
        (boosted, &both),
        (
            "{deadline: 30ms, run: [boosted]}",
            "{deadline: 30s, beside: true, run: [boosted, amounts]}",
        ),
    ])
}

#[test]
fn an_ensemble_is_trained_deployed_and_explained() {
    let shop = stacked();
    shop.import_history();
    let trained = trained(&shop, None);
    let names: Vec<&str> = trained.models.iter().map(|m| m.name.as_str()).collect();
    assert_eq!(names, ["boosted", "amounts", "ensemble"]);
    let ensemble = &trained.models[2];
    let weights = &ensemble.artifact.parameters["weights"];
    let weight = |name: &str| weights[name].as_f64().unwrap();
    assert!(weight("boosted") + weight("amounts") > 0.1, "{weights}");

    let engine = shop.open();
    assert_eq!(engine.readiness().unwrap().missing.len(), 3);
    deploy(&engine, &trained);
    assert!(engine.readiness().unwrap().ready);
    let now = START + days(61);
    let dear = decide(&engine, &order("dear", "c1", 200.0, now))
        .unwrap()
        .decision;
    assert_eq!(dear.action, "review");
    engine.close().unwrap();

    let engine = shop.open();
    let cheap = decide(&engine, &order("cheap", "c2", 10.0, now))
        .unwrap()
        .decision;
    assert_eq!(cheap.action, "ship");
    for decision in [&dear, &cheap] {
        let report = decision.ensemble.as_ref().unwrap();
        assert_eq!(report.version, ensemble.version);
        assert_eq!(
            report.answer.as_ref().unwrap().value,
            decision.probability.unwrap()
        );
    }
    // Weights of the sum, and what moved the members, weighted by them.
    let explained = engine.explain("orders:dear").unwrap();
    for model in &explained.explanation.models {
        assert_eq!(model.weight, weight(&model.name));
    }
    assert!(
        explained
            .explanation
            .reasons
            .iter()
            .any(|r| r.code == "order_itself.amount")
    );
    engine.close().unwrap();
    assert_replays(&shop.sources(), 2);

    let wanted = (START + days(50), START + days(60));
    let evaluation = evaluate(&shop.sources(), 0, wanted, &mut |_| ()).unwrap();
    assert!(evaluation.metrics.unwrap().auc.unwrap() > 0.9);
    assert_eq!(evaluation.versions.len(), 3);
}

#[test]
fn training_twice_gives_the_same_version_and_thresholds() {
    let shop = Shop::new();
    shop.import_history();
    let (one, two) = (trained(&shop, None), trained(&shop, None));
    assert_eq!(one.controls, two.controls);
    let Some(Control::Thresholds { knots, .. }) = one.controls.last() else {
        panic!(
            "score: expected_cost asks for thresholds: {:?}",
            one.controls
        )
    };
    assert!(
        knots.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1),
        "{knots:?}"
    );
    // Shipping costs the order where it is complained about, a review 2: about 1 in 60.
    let cut = knots[1];
    assert!(cut.1 == 69.5 && cut.0 < 0.5, "{knots:?}");
}

#[test]
fn rows_for_training_are_the_rows_that_were_decided_on() {
    let shop = Shop::new();
    shop.import_history();
    let engine = shop.open();
    deploy(&engine, &trained(&shop, None));
    let mut decisions = Vec::new();
    for i in 0..200_i64 {
        let at = START + days(61) + acumen_base::Span(i * 60_000);
        shop.clock.set(at);
        // Every tenth is half an hour late.
        let happened = if i % 10 == 0 {
            Time(at.0 - 1_800_000)
        } else {
            at
        };
        let body = order(
            &i.to_string(),
            &format!("c{}", i % 7),
            i as f64 + 1.0,
            happened,
        );
        decisions.push(decide(&engine, &body).unwrap().decision);
    }
    engine.close().unwrap();
    let wanted = Wanted {
        from: START + days(60),
        to: START + days(90),
        as_of: None,
        sample: None,
    };
    let rows = rows(&shop.sources(), 0, wanted, &mut |_| ()).unwrap();
    assert_eq!(rows.len(), decisions.len());
    for (i, decision) in decisions.iter().enumerate() {
        assert_eq!(*rows.events[i].id, *decision.event_id);
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(
            bits(&rows.row(i).values),
            bits(&decision.row),
            "{}",
            decision.id
        );
    }
    assert_replays(&shop.sources(), 200);
}

#[test]
fn a_period_that_no_model_has_seen_is_evaluated() {
    let shop = Shop::new();
    shop.import_history();
    let mut offline = shop.offline();
    for control in trained(&shop, Some(START + days(40))).controls {
        offline.control(control, "ann", shop.clock.now()).unwrap();
    }
    offline.close().unwrap();
    let period = (START + days(40), START + days(60));
    let found = evaluate(&shop.sources(), 0, period, &mut |_| ()).unwrap();
    assert_eq!(found.warning, "");
    assert_eq!(found.rows + found.open, 20 * 48);
    assert!(found.open > 0, "the last three days are not known yet");
    let auc = found.metrics.as_ref().unwrap().auc.unwrap();
    assert!(auc > 0.85, "{auc}");
    assert!(found.recall.unwrap() > 0.7, "{found:?}");
    assert!(found.saved.unwrap().minor > 0, "{found:?}");
    let counted: usize = found
        .actions
        .iter()
        .map(|line| line.positive + line.negative)
        .sum();
    assert_eq!(counted, found.rows);
    let seen = (START + DAY, START + days(60));
    let flattered = evaluate(&shop.sources(), 0, seen, &mut |_| ()).unwrap();
    assert!(
        flattered.warning.contains("was trained on rows up to"),
        "{}",
        flattered.warning
    );
}

#[test]
fn other_features_leave_the_folder_usable_and_ask_for_training() {
    let mut shop = Shop::new();
    shop.import_history();
    let engine = shop.open();
    deploy(&engine, &trained(&shop, None));
    engine.close().unwrap();
    shop.redefine(&[("window: [1h, 24h, 7d]", "window: [1h, 7d]")]);
    let engine = shop.open();
    let readiness = engine.readiness().unwrap();
    assert!(!readiness.ready);
    assert!(
        readiness.missing[0].contains("rows of another definition"),
        "{readiness:?}"
    );
    let body = order("a", "c1", 10.0, START + days(61));
    let decision = decide(&engine, &body).unwrap().decision;
    assert_eq!(
        decision.action, "review",
        "no model can answer: the fallback"
    );
    deploy(&engine, &trained(&shop, None));
    assert!(engine.readiness().unwrap().ready);
    assert_eq!(
        decide(&engine, &order("b", "c1", 10.0, START + days(61)))
            .unwrap()
            .decision
            .action,
        "ship"
    );
}

/// The use case with a share of the rows without a complaint.
fn sampled(share: &str) -> Shop {
    let declared = "training: {training_data: last_90_days}";
    let sampled = format!("training: {{training_data: last_90_days, negative_share: {share}}}");
    let shop = Shop::with(&[(declared, &sampled)]);
    shop.import_history();
    shop
}

#[test]
fn a_share_of_the_negatives_stands_for_all_of_them() {
    let every = Wanted {
        from: START,
        to: START + days(90),
        as_of: None,
        sample: None,
    };
    let shop = sampled("0.25");
    let declared = shop.plan.use_cases[0].declared.training.as_ref();
    let sample = declared.and_then(Sample::of);
    assert!(sample.is_some());
    let all = rows(&shop.sources(), 0, every, &mut |_| ()).unwrap();
    let some = Wanted { sample, ..every };
    let kept = rows(&shop.sources(), 0, some, &mut |_| ()).unwrap();
    let again = rows(&shop.sources(), 0, some, &mut |_| ()).unwrap();
    assert_eq!((kept.read, all.read), (2_880, 2_880));
    assert!(kept.len() < all.len() / 2, "{}", kept.len());
    let mut others = 0;
    let mut at = 0;
    for i in 0..kept.len() {
        assert_eq!(kept.events[i].id, again.events[i].id);
        while all.events[at].id != kept.events[i].id {
            assert_ne!(all.truth[at], Truth::Positive, "{}", all.events[at].id);
            at += 1;
        }
        assert_eq!(kept.truth[i], all.truth[at]);
        let bits = |values: &[f64]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&kept.row(i).values), bits(&all.row(at).values));
        match kept.truth[i] {
            Truth::Positive => assert_eq!(kept.weight[i], 1.0),
            _ => {
                assert_eq!(kept.weight[i], 4.0);
                others += 1;
            }
        }
        at += 1;
    }
    let stands_for: f32 = kept.weight.iter().sum();
    assert!((stands_for - 2_880.0).abs() < 200.0, "{stands_for}");
    let trained = trained(&shop, None);
    assert_eq!((trained.read, trained.kept), (2_880, kept.len()));
    assert!(trained.rows < trained.kept && others > 0);
    let artifact = &trained.models[0].artifact;
    let window = artifact.window;
    assert!(window.stands_for.unwrap() > 2 * window.rows, "{window:?}");
    let Metrics::Binary(test) = &artifact.test_metrics else {
        panic!("a probability")
    };
    assert!(test.average_precision.unwrap() > 0.5, "{test:?}");
    assert!(
        test.ece_equal_mass < 0.1,
        "its probabilities are those of all rows: {test:?}"
    );
}

#[test]
fn all_of_the_negatives_are_no_sample() {
    let shop = Shop::new();
    shop.import_history();
    let (all, declared) = (trained(&shop, None), trained(&sampled("1.0"), None));
    assert_eq!(all.controls, declared.controls, "versions and thresholds");
    let version = |trained: &Trained| trained.models[0].artifact.version();
    assert_eq!(version(&all), version(&declared));
    assert_ne!(version(&all), version(&trained(&sampled("0.9"), None)));
}
