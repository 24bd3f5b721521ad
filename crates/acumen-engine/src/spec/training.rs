//! How models are declared, trained and combined.

use acumen_base::Span;

use super::tree::{Key, Kind, Node};
use super::types::{Calibration, EnsembleDecl, ModelDecl, TrainingData, TrainingDecl};
use super::walk::Walk;

/// The average month of the Gregorian calendar, 30.436875 days.
const MONTH: Span = Span::seconds(2_629_746);

/// Reads `models`.
pub(super) fn models(walk: &mut Walk, node: &Node) -> Vec<ModelDecl> {
    walk.each(node, model)
}

/// A model: `algorithm`, `features`, `shadow`; every other key is a parameter of the learner.
fn model(walk: &mut Walk, key: &Key, node: &Node) -> Option<ModelDecl> {
    let mut group = walk.group(node, format!("model `{}`", key.text))?;
    let algorithm = group.require("algorithm");
    let features = group.get("features");
    let shadow = group.get("shadow");
    let params = group.finish_open(walk).into_iter();
    Some(ModelDecl {
        name: key.text.clone(),
        algorithm: algorithm.and_then(|node| walk.text(node))?,
        params: params
            .map(|(key, value)| (key.text.clone(), walk.json(value)))
            .collect(),
        features: features.map(|node| walk.texts(node)),
        shadow: shadow.and_then(|node| walk.flag(node)).unwrap_or(false),
    })
}

/// Reads `training`.
pub(super) fn training(walk: &mut Walk, node: &Node) -> Option<TrainingDecl> {
    let mut group = walk.group(node, "`training`")?;
    let target = group.get("target");
    let data = group.get("training_data");
    let validation = group.get("validation");
    let calibration_share = group.get("calibration_share");
    let calibration = group.get("calibration");
    let seed = group.get("seed");
    let exclude = group.get("exclude");
    group.finish(walk);

    if let Some(node) = target {
        walk.word(node, "target", &[("outcome", ())]);
    }
    let methods = [
        ("auto", Calibration::Auto),
        ("isotonic", Calibration::Isotonic),
        ("platt", Calibration::Platt),
    ];
    let decl = TrainingDecl {
        data: data
            .and_then(|node| training_data(walk, node))
            .unwrap_or(TrainingData::Last(Span::ALL)),
        validation: validation.and_then(|node| walk.share(node)).unwrap_or(0.15),
        calibration_share: calibration_share
            .and_then(|node| walk.share(node))
            .unwrap_or(0.15),
        calibration: calibration
            .and_then(|node| walk.word(node, "calibration", &methods))
            .unwrap_or(Calibration::Auto),
        seed: seed
            .and_then(|node| walk.parsed(node, "a whole number"))
            .unwrap_or(1),
        exclude: exclude.map(|node| walk.texts(node)).unwrap_or_default(),
    };
    if decl.validation + decl.calibration_share >= 1.0 {
        let message = "`validation` and `calibration_share` leave nothing to train on";
        walk.problem(
            node,
            "bad_shares",
            message,
            "together they must be less than 1",
        );
    }
    Some(decl)
}

/// `last_90_days`, a span such as `90d`, or `{from: …, to: …}`.
fn training_data(walk: &mut Walk, node: &Node) -> Option<TrainingData> {
    if let Kind::Map(_) = node.kind {
        let mut group = walk.group(node, "`training_data`")?;
        let from = group.require("from");
        let to = group.require("to");
        group.finish(walk);
        let (from, to) = (walk.time(from?)?, walk.time(to?)?);
        if from >= to {
            let message = "`training_data` ends before it begins";
            walk.problem(node, "bad_period", message, "`from` must lie before `to`");
        }
        return Some(TrainingData::Between(from, to));
    }
    let span = match &node.kind {
        Kind::Scalar { text, .. } => last(text).or_else(|| text.parse().ok()),
        _ => None,
    };
    if span.is_none() {
        walk.wrong_type(
            node,
            "a period such as `last_90_days`, `90d` or `{from: …, to: …}`",
        );
    }
    span.map(TrainingData::Last)
}

/// The length of `last_24_months`.
fn last(text: &str) -> Option<Span> {
    let (number, unit) = text.strip_prefix("last_")?.split_once('_')?;
    let unit = match unit.strip_suffix('s').unwrap_or(unit) {
        "hour" => Span::seconds(3_600),
        "day" => Span::days(1),
        "week" => Span::days(7),
        "month" => MONTH,
        "year" => Span(MONTH.0 * 12),
        _ => return None,
    };
    let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
    number.checked_mul(unit.0).map(Span)
}

/// Reads `ensemble`: an algorithm's name, or `{algorithm, weights}`.
pub(super) fn ensemble(walk: &mut Walk, node: &Node) -> Option<EnsembleDecl> {
    if let Kind::Scalar { text, .. } = &node.kind {
        return Some(EnsembleDecl {
            algorithm: text.clone(),
            weights: Vec::new(),
        });
    }
    let mut group = walk.group(node, "`ensemble`")?;
    let algorithm = group.require("algorithm");
    let weights = group.get("weights");
    group.finish(walk);
    let weight =
        |walk: &mut Walk, key: &Key, value: &Node| Some((key.text.clone(), walk.number(value)?));
    let weights = weights.map(|node| walk.each(node, weight));
    Some(EnsembleDecl {
        algorithm: algorithm.and_then(|node| walk.text(node))?,
        weights: weights.unwrap_or_default(),
    })
}
