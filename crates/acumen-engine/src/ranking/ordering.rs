//! A ranker is trained on lists that were shown, judged on later ones beside the blend, and goes
//! live only where it orders them better.

use acumen_base::{Span, Time};
use acumen_model::artifact::ColumnImportance;
use acumen_model::artifact::FORMAT;
use acumen_model::learner::lambda_mart::{
    Compared, LAMBDA_MART, LambdaMart, LearntOrder, ShownLists, compare,
};
use acumen_model::metrics::ListMetrics;
use acumen_model::{
    Artifact, Calibration, Encoding, FittedModel, Metrics, Period, Split, TrainingWindow,
};
use serde::Serialize;

use super::sources::declared_weight;
use super::train::{Fitting, RankingTable};
use crate::error::EngineError;
use crate::spec::ModelDecl;
use crate::train::TrainProgress;

/// Lists in which something was taken and something else was not, at least: with fewer, an order is
/// chance.
const LISTS_LEAST: usize = 200;
/// The shares of the lists that it is fitted to, and that tell when to stop; the others, the latest,
/// it is judged on.
const FITTED: f64 = 0.6;
const STOPPING: f64 = 0.15;
/// Places of a list.
const PLACES: usize = 10;
/// Standard errors that the gain must be above that of the blend: chance does that once in twenty
/// times.
const BEYOND_CHANCE: f64 = 1.645;

/// What training found of a ranker.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankerFigures {
    /// Its name.
    pub name: String,
    /// The version that goes live; `None` where it is held back.
    pub version: Option<String>,
    /// Why it is held back, and what to do.
    pub held: Option<String>,
    /// Lists of which what was known of their items is logged, and at least two were seen.
    pub lists: usize,
    /// Those in which more came of one item than of another.
    pub telling: usize,
    /// The gain at 10 on the latest lists, as if every place had been looked at: of its order, and of
    /// the blend's with the weights that go live.
    pub judged: Option<ListMetrics>,
    /// How likely each place is to be looked at, as a share of the first.
    pub examination: Vec<f64>,
    /// What it looks at most, with the share of the gain of its splits.
    pub looks_at: Vec<(String, f64)>,
}

/// Columns that are named.
const NAMED: usize = 8;

impl Fitting<'_> {
    /// The declared ranker.
    fn ranker(&self) -> Option<&ModelDecl> {
        let mut models = self.plan.declared.models.iter();
        models.find(|model| model.ranker().is_some())
    }

    /// Trains the ranker, where one is declared, and judges it beside the blend that goes live. What
    /// may go live is given besides what was found.
    pub(super) fn ordered(
        &self,
        threads: Option<usize>,
        table: &RankingTable,
        progress: &mut dyn FnMut(TrainProgress),
    ) -> Result<Option<(RankerFigures, Option<Artifact>)>, EngineError> {
        let Some((model, lists)) = self.ranker().zip(self.told.lists.as_ref()) else {
            return Ok(None);
        };
        let weight = |source: &ModelDecl| {
            let mut trained = table.sources.iter();
            let trained = trained.find(|figures| figures.name == source.name);
            trained.map_or_else(
                || declared_weight(self.ranking, &source.name),
                |figures| figures.weight,
            )
        };
        let sources = self.plan.declared.models.iter();
        let sources = sources.filter(|model| model.is_source());
        let weights: Vec<f64> = sources.map(weight).collect();
        let learning = (model, lists, threads);
        self.order(learning, &weights, progress).map(Some)
    }

    fn order(
        &self,
        (model, lists, threads): (&ModelDecl, &ShownLists, Option<usize>),
        weights: &[f64],
        progress: &mut dyn FnMut(TrainProgress),
    ) -> Result<(RankerFigures, Option<Artifact>), EngineError> {
        let mut figures = RankerFigures {
            name: model.name.clone(),
            version: None,
            held: None,
            lists: lists.len(),
            telling: lists.telling(),
            judged: None,
            examination: Vec::new(),
            looks_at: Vec::new(),
        };
        if figures.telling < LISTS_LEAST {
            figures.held = Some(format!(
                "{} lists tell which of their items was taken, and {LISTS_LEAST} are needed: lists \
                 that are made from here on are logged with what it learns from",
                figures.telling
            ));
            return Ok((figures, None));
        }
        let failed = |why: String| EngineError::NotEnough(format!("model `{}`: {why}", model.name));
        let declared = LambdaMart::check(&model.params, &lists.rows.columns);
        let declared = declared.map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            failed(problems.join("; "))
        })?;
        let learner = match threads {
            Some(threads) => declared.clone().on_threads(threads),
            None => declared.clone(),
        };
        let seed = self.seed.derive(&model.name);
        let mut report = |at| progress(TrainProgress::Fitting(model.name.clone(), at));
        let parts = Parts::of(lists);
        let [fitted, stopping, judged] = &parts.lists;
        let first = learner.fit(fitted, Some(stopping), seed, &mut report);
        let first = first.map_err(|error| failed(error.to_string()))?;
        let found = against_blend(&first, judged, weights);
        figures.judged = Some(found);
        figures.examination = first.examination.by_place().to_vec();
        if found.ndcg - found.blend <= BEYOND_CHANCE * found.error {
            figures.held = Some(format!(
                "it orders later lists no better than the blend does, beyond chance: {:.4} and {:.4}, \
                 with a standard error of {:.4}",
                found.ndcg, found.blend, found.error
            ));
            return Ok((figures, None));
        }
        let learner = learner.of_trees(first.forest.trees.len());
        let whole = learner.fit(lists, None, seed, &mut report);
        let whole = whole.map_err(|error| failed(error.to_string()))?;
        figures.looks_at = looks_at(&whole);
        let artifact = self.artifact((model, &declared, lists), whole, (&parts, found));
        Ok((figures, Some(artifact)))
    }

    fn artifact(
        &self,
        (model, learner, lists): (&ModelDecl, &LambdaMart, &ShownLists),
        order: LearntOrder,
        (parts, found): (&Parts, ListMetrics),
    ) -> Artifact {
        let columns = (*lists.rows.columns).clone();
        let (train, validation, test) = parts.periods();
        Artifact {
            format: FORMAT,
            use_case: self.plan.declared.name.clone(),
            member: model.name.clone(),
            learner: LAMBDA_MART.to_owned(),
            parameters: learner.params_json(),
            encoding: Encoding::of(&columns, &[]),
            columns,
            model: FittedModel::Forest(order.forest),
            calibration: Calibration::Identity,
            intervals: None,
            test_metrics: Metrics::Lists(found),
            window: TrainingWindow {
                from: train.from,
                to: lists.time.last().copied().unwrap_or(Time(0)),
                rows: lists.rows.n_rows,
                positives: lists.reward.iter().filter(|reward| **reward > 0.0).count(),
                stands_for: None,
            },
            split: Split {
                train,
                validation,
                calibration: Period {
                    from: validation.to,
                    to: validation.to,
                },
                test,
            },
            importances: order
                .importances
                .into_iter()
                .map(|of| ColumnImportance {
                    column: of.column,
                    total_gain: of.total_gain,
                })
                .collect(),
            quantiles: Vec::new(),
            seed: self.seed.0,
            code: crate::BUILD.to_owned(),
            continues: None,
            refit_of: None,
            search: None,
            purchases: None,
            candidates: None,
        }
    }
}

/// The lists in three parts, by time and shares of those that tell something: to fit to, to stop by, to judge on.
struct Parts {
    lists: [ShownLists; 3],
}

impl Parts {
    fn of(lists: &ShownLists) -> Parts {
        let telling: Vec<usize> = (0..lists.len()).filter(|at| lists.tells(*at)).collect();
        let cut = |share: f64| telling[(share * telling.len() as f64) as usize];
        let [first, second] = [cut(FITTED), cut(FITTED + STOPPING)];
        let part = |range: std::ops::Range<usize>| lists.select(&range.collect::<Vec<usize>>());
        Parts {
            lists: [
                part(0..first),
                part(first..second),
                part(second..lists.len()),
            ],
        }
    }

    fn periods(&self) -> (Period, Period, Period) {
        let begins = |at: usize| self.lists[at].time.first().copied().unwrap_or(Time(0));
        let end = self.lists[2].time.last().copied().unwrap_or(Time(0)) + Span(1);
        let period = |from, to| Period { from, to };
        (
            period(begins(0), begins(1)),
            period(begins(1), begins(2)),
            period(begins(2), end),
        )
    }
}

/// How well an order does on lists, beside a blend with these weights of what the sources say: the
/// columns behind the constant.
fn against_blend(order: &LearntOrder, judged: &ShownLists, weights: &[f64]) -> ListMetrics {
    let scores = acumen_model::CompiledForest::new(&order.forest).margins_many(&judged.rows);
    let mut blended = vec![0.0_f32; judged.rows.n_rows];
    for (said, weight) in judged.rows.data[1..].iter().zip(weights) {
        let sums = blended.iter_mut().zip(said);
        sums.for_each(|(sum, said)| *sum += *weight as f32 * said);
    }
    let Compared {
        first,
        second,
        error,
    } = compare(judged, &order.examination, (&scores, &blended), PLACES);
    ListMetrics {
        lists: judged.telling(),
        ndcg: first,
        blend: second,
        error,
    }
}

fn looks_at(order: &LearntOrder) -> Vec<(String, f64)> {
    let all: f64 = order.importances.iter().map(|of| of.total_gain).sum();
    let share = |gain: f64| gain / all.max(f64::MIN_POSITIVE);
    let foremost = order.importances.iter().take(NAMED);
    foremost
        .map(|of| (of.column.clone(), share(of.total_gain)))
        .collect()
}
