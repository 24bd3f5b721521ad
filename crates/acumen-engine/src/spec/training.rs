//! How models are declared, trained and combined.

use acumen_base::calendar::{MONTH, YEAR};
use acumen_base::{CalendarSpan, Span};
use acumen_model::{SearchMethod, SearchMetric, SearchSpec};

use super::tree::{Key, Kind, Node};
use super::types::{
    Calibration, Combination, EnsembleDecl, ModelDecl, OriginsDecl, TrainingData, TrainingDecl,
};
use super::walk::Walk;

/// Reads `models`.
pub(super) fn models(walk: &mut Walk, node: &Node) -> Vec<ModelDecl> {
    walk.each(node, model)
}

/// A model: `algorithm`, `features`, `search`, `shadow`, `informed_by`; every other key is a parameter.
fn model(walk: &mut Walk, key: &Key, node: &Node) -> Option<ModelDecl> {
    let mut group = walk.group(node, format!("model `{}`", key.text))?;
    let algorithm = group.require("algorithm");
    let features = group.get("features");
    let searched = group.get("search");
    let shadow = group.get("shadow");
    let informed_by = group.get("informed_by");
    let params = group.finish_open(walk).into_iter();
    Some(ModelDecl {
        name: key.text.clone(),
        algorithm: algorithm.and_then(|node| walk.text(node))?,
        params: params
            .map(|(key, value)| (key.text.clone(), walk.json(value)))
            .collect(),
        features: features.map(|node| walk.texts(node)),
        search: searched.and_then(|node| search(walk, node)),
        shadow: shadow.and_then(|node| walk.flag(node)).unwrap_or(false),
        informed_by: informed_by.and_then(|node| walk.text(node)),
    })
}

/// Reads `search`: how many trials, of what, and how they are judged.
fn search(walk: &mut Walk, node: &Node) -> Option<SearchSpec> {
    let mut group = walk.group(node, "`search`")?;
    let trials = group.get("trials");
    let method = group.get("method");
    let of = group.get("of");
    let folds = group.get("folds");
    let metric = group.get("metric");
    group.finish(walk);
    let methods = [
        ("random", SearchMethod::Random),
        ("halving", SearchMethod::Halving),
    ];
    let usual = SearchSpec::default();
    let mut count = |node: Option<&Node>, usual: usize| {
        node.map_or(Some(usual), |node| walk.parsed(node, "a whole number"))
    };
    let (trials, folds) = (count(trials, usual.trials), count(folds, usual.folds));
    let method = method.and_then(|node| walk.word(node, "method", &methods));
    let metric = metric.and_then(|node| walk.word(node, "metric", &SearchMetric::ALL));
    let of = of.and_then(|node| Some(walk.group(node, "`of`")?.finish_open(walk)));
    let of = of.unwrap_or_default().into_iter();
    Some(SearchSpec {
        trials: trials?,
        folds: folds?,
        method: method.unwrap_or(usual.method),
        metric: metric.unwrap_or(usual.metric),
        of: of
            .map(|(key, value)| (key.text.clone(), walk.json(value)))
            .collect(),
    })
}

/// Reads `training`, of keys or of events.
pub(super) fn training(walk: &mut Walk, node: &Node, of_keys: bool) -> Option<TrainingDecl> {
    let mut group = walk.group(node, "`training`")?;
    let target = group.get("target");
    let data = group.get("training_data");
    let negative_share = group.get("negative_share");
    let validation = group.get("validation");
    let calibration_share = group.get("calibration_share");
    let calibration = group.get("calibration");
    let refit = group.get("refit");
    let seed = group.get("seed");
    let exclude = group.get("exclude");
    let searched = group.get("search");
    let origins = group.get("origins");
    group.finish(walk);

    if let Some(node) = target {
        let learnt = if of_keys { "target" } else { "outcome" };
        walk.word(node, "target of this use case", &[(learnt, ())]);
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
        negative_share: negative_share
            .and_then(|node| self::negative_share(walk, node))
            .unwrap_or(1.0),
        validation: validation.and_then(|node| walk.share(node)).unwrap_or(0.15),
        calibration_share: calibration_share
            .and_then(|node| walk.share(node))
            .unwrap_or(0.15),
        calibration: calibration
            .and_then(|node| walk.word(node, "calibration", &methods))
            .unwrap_or(Calibration::Auto),
        refit: refit.and_then(|node| walk.flag(node)).unwrap_or(false),
        seed: seed
            .and_then(|node| walk.parsed(node, "a whole number"))
            .unwrap_or(1),
        exclude: exclude.map(|node| walk.texts(node)).unwrap_or_default(),
        search: searched.and_then(|node| search(walk, node)),
        origins: origins
            .and_then(|node| self::origins(walk, node))
            .unwrap_or(OriginsDecl::Every {
                every: CalendarSpan::Months(1),
                season: None,
            }),
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

/// A share above 0: of no negatives nothing can be learnt.
fn negative_share(walk: &mut Walk, node: &Node) -> Option<f64> {
    let share = walk.share(node)?;
    if share == 0.0 {
        let message = "`negative_share` keeps no row with a negative outcome";
        let help = "give a share above 0, such as `0.1`, or leave it out to keep all";
        walk.problem(node, "bad_shares", message, help);
        return None;
    }
    Some(share)
}

/// `{every: 1mo, season: 1mo}`, or a list of times.
fn origins(walk: &mut Walk, node: &Node) -> Option<OriginsDecl> {
    if let Kind::List(items) = &node.kind {
        let mut times: Vec<_> = items.iter().filter_map(|item| walk.time(item)).collect();
        times.sort_unstable();
        times.dedup();
        return Some(OriginsDecl::At(times));
    }
    let mut group = walk.group(node, "`origins`")?;
    let every = group.require("every");
    let season = group.get("season");
    group.finish(walk);
    let season =
        season.filter(|node| !matches!(&node.kind, Kind::Scalar { text, .. } if text == "any"));
    Some(OriginsDecl::Every {
        every: walk.calendar(every?)?,
        season: season.and_then(|node| walk.calendar(node)),
    })
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
        "year" => YEAR,
        _ => return None,
    };
    let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
    number.checked_mul(unit.0).map(Span)
}

/// Reads `ensemble`: an algorithm's name, or `{algorithm, weights, when_missing}`.
pub(super) fn ensemble(walk: &mut Walk, node: &Node) -> Option<EnsembleDecl> {
    let algorithms = [
        ("mean", Combination::Mean),
        ("stacking", Combination::Stacking),
    ];
    if let Kind::Scalar { .. } = &node.kind {
        return Some(EnsembleDecl {
            algorithm: walk.word(node, "algorithm", &algorithms)?,
            weights: Vec::new(),
        });
    }
    let mut group = walk.group(node, "`ensemble`")?;
    let algorithm = group.require("algorithm");
    let weights = group.get("weights");
    let when_missing = group.get("when_missing");
    group.finish(walk);
    if let Some(node) = when_missing {
        walk.word(node, "when_missing", &[("marginalise", ())]);
    }
    let weight =
        |walk: &mut Walk, key: &Key, value: &Node| Some((key.text.clone(), walk.number(value)?));
    let given = weights.map(|node| walk.each(node, weight));
    let algorithm = walk.word(algorithm?, "algorithm", &algorithms)?;
    if let (Combination::Stacking, Some(node)) = (algorithm, weights) {
        let message = "`weights` are declared, and `stacking` fits them";
        walk.problem(
            node,
            "bad_weights",
            message,
            "leave them out, or take `algorithm: mean`",
        );
    }
    Some(EnsembleDecl {
        algorithm,
        weights: given.unwrap_or_default(),
    })
}
