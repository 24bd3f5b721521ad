//! Searches for parameters, learners without outcomes, and training that goes on.

use super::shop::{START, Shop, assert_replays, days, decide, order};
use acumen_engine::{TrainOptions, TrainProgress, Trained, train_with};
use acumen_model::{FittedModel, Metrics};

const BOOSTED: &str = "boosted: {algorithm: xgboost, n_estimators: 25, max_depth: 3}";

fn trained(shop: &Shop, options: TrainOptions) -> Trained {
    train_with(&shop.sources(), 0, options, &mut |_| ()).unwrap()
}

fn searching() -> Shop {
    let searched = "boosted: {algorithm: xgboost, n_estimators: 10, search: {trials: 4, folds: 2, \
                    method: halving, of: {max_depth: [1, 4], learning_rate: [0.01, 0.5]}}}";
    let shop = Shop::with(&[(BOOSTED, searched)]);
    shop.import_history();
    shop
}

#[test]
fn a_search_ends_in_the_model_and_goes_on_where_it_was_cut_off() {
    let shop = searching();
    let mut trials = 0;
    let found = train_with(&shop.sources(), 0, TrainOptions::default(), &mut |at| {
        trials += usize::from(matches!(at, TrainProgress::Searching(..)));
    });
    let found = found.unwrap();
    let table = found.models[0].artifact.search.as_ref().unwrap();
    // Four on a third of the rows, two on all.
    assert_eq!((trials, table.trials.len()), (6, 6));
    let best = table.ranking()[0];
    assert_eq!((best.number, best.share), (table.best, 1.0));
    let parameters = &found.models[0].artifact.parameters;
    assert_eq!(parameters["n_estimators"], 10);
    assert!(table.best == 0 || parameters["max_depth"] == best.params["max_depth"]);

    let file = shop.folder().searches().join("orders/boosted.jsonl");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() / 2]).unwrap();
    let again = trained(&shop, TrainOptions::default());
    assert_eq!(again.models[0].version, found.models[0].version);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let version = &found.models[0].version;
    let card = shop
        .folder()
        .models()
        .join(format!("orders/boosted/{version}/card.md"));
    let card = std::fs::read_to_string(card).unwrap();
    assert!(
        card.contains("## Search") && card.contains("`{}`"),
        "{card}"
    );

    let none = TrainOptions {
        trials: Some(0),
        ..TrainOptions::default()
    };
    assert!(trained(&shop, none).models[0].artifact.search.is_none());
    let two = TrainOptions {
        trials: Some(2),
        ..TrainOptions::default()
    };
    let table = trained(&shop, two).models[0]
        .artifact
        .search
        .clone()
        .unwrap();
    assert_eq!(table.trials.len(), 2);
}

#[test]
fn what_is_unusual_votes_beside_what_is_learnt_and_training_goes_on() {
    let shop = Shop::with(&[
        (
            BOOSTED,
            "boosted: {algorithm: xgboost, n_estimators: 25, max_depth: 3, warm_start: 5}\n  \
             unusual: {algorithm: isolation_forest, n_estimators: 40, extension_level: 1}\n  \
             smooth: {algorithm: neural_network, layers: [8], epochs: 4, warm_start: 2}",
        ),
        ("run: [boosted]", "run: [boosted, unusual, smooth]"),
    ]);
    shop.import_history();
    let first = trained(&shop, TrainOptions::default());
    let unusual = &first.models[1].artifact;
    let Metrics::Binary(metrics) = &unusual.test_metrics else {
        panic!("a probability")
    };
    assert!(metrics.brier < 0.3, "{metrics:?}");
    let go_on = TrainOptions {
        go_on: true,
        ..TrainOptions::default()
    };
    assert_eq!(
        trained(&shop, go_on).models[0].version,
        first.models[0].version,
        "nothing is deployed: it begins anew"
    );

    let engine = shop.open();
    for control in &first.controls {
        engine.control_now(control.clone(), "ann").unwrap();
    }
    let body = order("odd", "c1", 200.0, START + days(61));
    let decision = decide(&engine, &body).unwrap().decision;
    assert_eq!(decision.layers[1].members.len(), 3);
    let explained = serde_json::to_string(&engine.explain("orders:odd").unwrap()).unwrap();
    assert!(explained.contains("unusual"), "{explained}");
    engine.close().unwrap();
    assert_replays(&shop.sources(), 1);

    let next = trained(&shop, go_on);
    assert_eq!(
        next.models[0].version,
        trained(&shop, go_on).models[0].version
    );
    for (before, after) in first.models.iter().zip(&next.models) {
        assert_eq!(after.artifact.continues.as_ref(), Some(&before.version));
        let goes_on = format!("going on from version {}", before.version);
        let version = format!("orders/{}/{}/card.md", after.name, after.version);
        let card = shop.folder().models().join(version);
        assert!(std::fs::read_to_string(card).unwrap().contains(&goes_on));
    }
    let model = |trained: &Trained, i: usize| trained.models[i].artifact.model.clone();
    let (FittedModel::Forest(old), FittedModel::Forest(new)) = (model(&first, 0), model(&next, 0))
    else {
        panic!("boosting gives forests")
    };
    assert_eq!((new.trees.len(), &new.trees[..25]), (30, &old.trees[..]));
    let (FittedModel::IsolationForest(old), FittedModel::IsolationForest(new)) =
        (model(&first, 1), model(&next, 1))
    else {
        panic!("isolation forests")
    };
    assert_eq!(new.trees[..30], old.trees[10..]);
}
