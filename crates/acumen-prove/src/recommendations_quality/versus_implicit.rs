//! Implicit matrix factorisation alone, beside the library that people use.

use std::path::Path;

use acumen_base::Seed;
use acumen_model::Params;
use acumen_model::recommend::{RecommendData, Source, recommender};
use serde_json::{Value, json};

use super::judge::{Cut, Figures};
use super::kept::timed;
use super::sets::Set;
use crate::peer;
use crate::report::{Failure, all, row, skipped, table};
use crate::settings::Settings;

const FACTORS: usize = 64;
const ITERATIONS: usize = 15;
/// Conjugate gradient steps in each, one fewer than usual: they go on from the iteration before.
const STEPS: usize = 2;
const THREADS: usize = 2;

/// Both sides at equal factors and iterations, in turns; the fastest run counts.
pub(super) fn run(set: &Set, settings: &Settings, folder: &Path) -> Result<Value, Failure> {
    if settings.python.is_none() {
        return Ok(skipped(peer::NO_PYTHON));
    }
    let (valid, test) = (Cut::new(&set.events, 2), Cut::new(&set.events, 1));
    let chosen = choose(&valid)?;
    let (mut ours, mut figures) = (f64::INFINITY, Figures::default());
    let (mut theirs, mut peer_said) = (f64::INFINITY, Value::Null);
    for _ in 0..settings.runs.max(1) {
        let (source, seconds) = fit(&chosen, &test)?;
        ours = ours.min(seconds);
        figures = Figures::of(&test.places(&[(&source, 1.0)], &test.all()));
        let arguments = [folder.join("ml1m_sequences.parquet")];
        peer_said = peer::run(settings, "recommendations_quality.py", arguments)?;
        theirs = theirs.min(peer::number(&peer_said, "seconds")?);
    }
    let default = peer::number(&peer_said, "ndcg10")?;
    let tuned = peer::number(&peer_said, "ndcg10_tuned")?;
    let line = |name: &str, ndcg: f64, seconds: f64| {
        vec![
            name.to_owned(),
            format!("{ndcg:.4}"),
            format!("{seconds:.2}"),
        ]
    };
    table(&[
        row(["factorisation alone", "NDCG@10", "seconds"]),
        line("ours", figures.ndcg, ours),
        line("implicit, defaults", default, theirs),
        line("implicit, regularisation 5, alpha 2", tuned, theirs),
    ]);
    Ok(json!({
        "ndcg10": figures.ndcg, "hr10": figures.hit_rate, "seconds": ours, "parameters": chosen,
        "factors": FACTORS, "iterations": ITERATIONS, "threads": THREADS,
        "implicit": {"ndcg10": default, "ndcg10_tuned": tuned, "seconds": theirs},
        "seconds_ratio": ours / theirs,
    }))
}

/// The parameters that are best on the validation item.
fn choose(valid: &Cut) -> Result<Value, Failure> {
    let mut best: Option<(f64, Value)> = None;
    for unobserved in [0.3, 1.0, 3.0] {
        for ridge in [0.0003, 0.001, 0.003] {
            let params = json!({
                "factors": FACTORS, "iterations": ITERATIONS, "steps": STEPS, "n_threads": THREADS,
                "unobserved_weight": unobserved, "regularisation": ridge,
            });
            let (source, _) = fit(&params, valid)?;
            let ndcg = Figures::of(&valid.places(&[(&source, 1.0)], &valid.all())).ndcg;
            if best.as_ref().is_none_or(|(before, _)| ndcg > *before) {
                best = Some((ndcg, params));
            }
        }
    }
    best.map(|(_, params)| params)
        .ok_or_else(|| Failure::new("the grid is empty"))
}

fn fit(params: &Value, cut: &Cut) -> Result<(Source, f64), Failure> {
    let params: Params = serde_json::from_value(params.clone())?;
    let learner = recommender("matrix_factorization");
    let learner = learner.map_err(|_| Failure::new("there is no matrix factorisation"))?;
    let checked = learner.check(&params).map_err(all)?;
    let data = RecommendData {
        interactions: &cut.histories,
        attributes: None,
    };
    timed(|| checked.fit(&data, Seed(1), &mut |_| {}))
}
