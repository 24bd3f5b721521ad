//! The handbook's protocols with all features, for each learner alone.

use serde_json::{Value, json};

use crate::folds::{Quality, Setting, Study, TEST_FOLDS, VALIDATION_FOLDS, mean};
use crate::report::{Failure, row, table};

use super::PROJECT;

/// The use cases for networks that read more than one event of a key, or more than one key.
const SEQUENCES: &str = "card-sequences";
const NEIGHBOURS: &str = "card-neighbours";

/// A learner, and what it is measured on.
struct Learner {
    setting: Setting,
    use_case: &'static str,
    folds: &'static [i64],
    /// What the handbook publishes for its kind on the same folds: average precision and card
    /// precision at 100. It has no graph network.
    published: Option<[f64; 2]>,
}

/// The fold that the handbook gives unsupervised models for: training starts on 2018-07-11.
const UNSUPERVISED_FOLD: &[i64] = &[VALIDATION_FOLDS[3]];

/// Besides boosting, whose parameters are chosen; these are the learners' own defaults.
fn learners() -> [Learner; 5] {
    let learner = |algorithm, use_case, folds, published| Learner {
        setting: Setting::new(algorithm, &json!({})),
        use_case,
        folds,
        published,
    };
    let (nn, forest) = (Some([0.675, 0.303]), Some([0.164, 0.190]));
    let (autoencoder, lstm) = (Some([0.180, 0.217]), Some([0.665, 0.297]));
    [
        learner("neural_network", PROJECT, &TEST_FOLDS, nn),
        learner("isolation_forest", PROJECT, UNSUPERVISED_FOLD, forest),
        learner("autoencoder", PROJECT, UNSUPERVISED_FOLD, autoencoder),
        learner("lstm", SEQUENCES, &TEST_FOLDS, lstm),
        learner("graph_neural_network", NEIGHBOURS, &TEST_FOLDS, None),
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

/// Prints the table, and gives the figures; `study` gives the rows of a use case.
pub(super) fn figures<'a>(
    main: &Study<'a>,
    study: impl Fn(&str) -> Result<Study<'a>, Failure>,
) -> Result<Value, Failure> {
    let boosting = Learner {
        setting: chosen(main)?,
        use_case: PROJECT,
        folds: &TEST_FOLDS,
        published: Some([0.687, 0.303]),
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
        let other = match learner.use_case {
            PROJECT => None,
            name => Some(study(name)?),
        };
        let rows = other.as_ref().unwrap_or(main);
        let quality = mean(&rows.folds(&learner.setting, learner.folds)?);
        first.get_or_insert(quality);
        let [auc, precision, cards] = quality;
        let published = learner.published;
        let (published_precision, published_cards) =
            (published.map(|p| p[0]), published.map(|p| p[1]));
        let folds = learner.folds.len();
        let cell =
            |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.3}"));
        lines.push(vec![
            name.to_owned(),
            folds.to_string(),
            cell(Some(auc)),
            cell(Some(precision)),
            cell(published_precision),
            cell(Some(cards)),
            cell(published_cards),
        ]);
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
