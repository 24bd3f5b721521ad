//! The handbook's protocols with all features, for each learner alone.

use serde_json::{Value, json};

use crate::folds::{Quality, Setting, Study, TEST_FOLDS, VALIDATION_FOLDS, mean};
use crate::report::{Failure, row, table};

/// A learner, the folds that it is measured on, and what the handbook publishes for its kind on
/// the same folds: average precision and card precision at 100.
struct Learner {
    setting: Setting,
    folds: &'static [i64],
    published: [f64; 2],
}

/// The fold that the handbook gives unsupervised models for: training starts on 2018-07-11.
const UNSUPERVISED_FOLD: &[i64] = &[VALIDATION_FOLDS[3]];

/// Besides boosting, whose parameters are chosen; these are the learners' own defaults.
fn learners() -> [Learner; 3] {
    let learner = |algorithm, folds, published| Learner {
        setting: Setting::new(algorithm, &json!({})),
        folds,
        published,
    };
    [
        learner("neural_network", &TEST_FOLDS, [0.675, 0.303]),
        learner("isolation_forest", UNSUPERVISED_FOLD, [0.164, 0.190]),
        learner("autoencoder", UNSUPERVISED_FOLD, [0.180, 0.217]),
    ]
}

fn grid() -> impl Iterator<Item = Value> {
    let depths = [3, 4, 6];
    let rounds = [(100, 0.1), (200, 0.05)];
    depths.into_iter().flat_map(move |depth| {
        rounds.map(|(trees, rate)| {
            json!({
                "n_estimators": trees, "learning_rate": rate, "max_depth": depth,
                "subsample": 0.8, "colsample_bytree": 0.5,
            })
        })
    })
}

/// Boosting with the parameters that do best on the validation folds.
fn chosen(study: &Study<'_>) -> Result<Setting, Failure> {
    let mut best: Option<(f64, Setting)> = None;
    for params in grid() {
        let setting = Setting::boosting(&params);
        let precision = mean(&study.folds(&setting, &VALIDATION_FOLDS)?)[1];
        println!("validation {params}: average precision {precision:.4}");
        if best.as_ref().is_none_or(|(before, _)| precision > *before) {
            best = Some((precision, setting));
        }
    }
    let best = best.ok_or_else(|| Failure::new("the grid is empty"))?;
    Ok(best.1)
}

/// Prints the table, and gives the figures.
pub(super) fn figures(study: &Study<'_>) -> Result<Value, Failure> {
    let boosting = Learner {
        setting: chosen(study)?,
        folds: &TEST_FOLDS,
        published: [0.687, 0.303],
    };
    let head = [
        "alone",
        "folds",
        "AUC",
        "AP",
        "published",
        "CP@100",
        "published",
    ];
    let mut lines = vec![row(head)];
    let mut by_learner = json!({});
    let mut first: Option<Quality> = None;
    for learner in std::iter::once(boosting).chain(learners()) {
        let name = learner.setting.algorithm;
        let quality = mean(&study.folds(&learner.setting, learner.folds)?);
        first.get_or_insert(quality);
        let [auc, precision, cards] = quality;
        let [published_precision, published_cards] = learner.published;
        let folds = learner.folds.len();
        let mut line = vec![name.to_owned(), folds.to_string()];
        let cells = [auc, precision, published_precision, cards, published_cards];
        line.extend(cells.map(|value| format!("{value:.3}")));
        lines.push(line);
        by_learner[name] = json!({
            "folds": folds, "auc": auc, "ap": precision, "cp100": cards,
            "published_ap": published_precision, "published_cp100": published_cards,
        });
    }
    table(&lines);
    let [_, precision, cards] = first.ok_or_else(|| Failure::new("no learner was measured"))?;
    Ok(json!({
        "ap_fourfold": precision, "cp100_fourfold": cards, "by_learner": by_learner,
    }))
}
