//! From the log to sources that answer: read once, judged on what came last, fitted to all.

use std::collections::HashMap;
use std::sync::Arc;

use acumen_base::{Body, Control, Key, Seed, Time};
use acumen_event::LogReader;
use acumen_model::learner::lambda_mart::ShownLists;
use acumen_model::metrics::RankingMetrics;
use acumen_model::recommend::{
    ContextColumn, InteractionColumns, Interactions, RecommendData, Recommender,
};
use serde::Serialize;

use super::Shelf;
use super::judge::{Judgement, judge};
use super::moment::Moments;
use super::ordering::RankerFigures;
use super::shown::Gathering;
use super::sources::declared_weight;
use crate::core::as_declared;
use crate::error::EngineError;
use crate::history::Sources;
use crate::learners::recommender;
use crate::plan::UseCasePlan;
use crate::spec::{ModelDecl, RankingDecl, TrainingData, TrainingDecl};
use crate::train::{TrainOptions, TrainProgress, Trained, declared};

/// The share of the events, the newest, that sources are judged on.
const JUDGED_SHARE: f64 = 0.1;

/// What training found of sources.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RankingTable {
    /// Events that tell something.
    pub events: usize,
    /// Visitors who did something.
    pub visitors: usize,
    /// Items that are known.
    pub items: usize,
    /// Sources were judged on what visitors did from this time on, fitted to what was before.
    pub judged_from: Option<Time>,
    /// Visitors of whom an item that they took later was looked for in the lists.
    pub judged: usize,
    /// The sources, in declared order.
    pub sources: Vec<SourceFigures>,
    /// The blend with the declared weights, over lists of 10 as all figures here.
    pub declared: RankingMetrics,
    /// The blend with the weights that go live.
    pub blend: RankingMetrics,
    /// The share of the items that may be shown that stand in some list of the blend.
    pub coverage: f64,
    /// The ranker, where one is declared.
    pub ranker: Option<RankerFigures>,
}

/// What was found of one source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SourceFigures {
    /// Its name.
    pub name: String,
    /// The learner.
    pub learner: String,
    /// The version that was fitted to all events.
    pub version: String,
    /// What it weighs from here on.
    pub weight: f64,
    /// Alone.
    pub alone: RankingMetrics,
    /// What the blend's gain loses without it: 0 or less is a source that adds nothing.
    pub adds: f64,
}

/// What the log says of items and of who did what with them.
pub(crate) struct Told {
    pub(crate) shelf: Shelf,
    pub(crate) interactions: Interactions,
    /// Lists and what came of them, where a ranker is declared that learns from them.
    pub(crate) lists: Option<ShownLists>,
}

/// Trains every source of a use case and judges them.
pub(crate) fn train_sources(
    sources: &Sources,
    use_case: usize,
    options: TrainOptions,
    progress: &mut dyn FnMut(TrainProgress),
) -> Result<Trained, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let training = declared(plan)?;
    let Some(ranking) = &plan.declared.ranking else {
        return Err(EngineError::NotFound(format!(
            "`{}` ranks nothing",
            plan.declared.name
        )));
    };
    let told = read(sources, use_case, training, options, progress)?;
    let fitting = Fitting {
        plan,
        ranking,
        told: &told,
        seed: Seed(training.seed),
    };
    let judgement = fitting.judged(progress)?;
    let mut trained = Trained::of_lists(told.interactions.len());
    let mut table = fitting.table(&judgement);
    let ordered = fitting.ordered(options.threads, &table, progress)?;
    for figures in &mut table.sources {
        let model = plan
            .declared
            .models
            .iter()
            .find(|model| model.name == figures.name);
        let Some(model) = model else { continue };
        let recommender = fitting.fit(model, &told.interactions, progress)?;
        let version =
            sources
                .store
                .put_recommender(&plan.declared.name, &model.name, &recommender)?;
        figures.version.clone_from(&version);
        trained.controls.push(Control::Deploy {
            use_case: plan.declared.name.clone(),
            member: model.name.clone(),
            version,
        });
    }
    if let Some((mut figures, artifact)) = ordered {
        if let Some(artifact) = artifact {
            let version = sources.store.put(&artifact)?;
            figures.version = Some(version.clone());
            trained.controls.push(Control::Deploy {
                use_case: plan.declared.name.clone(),
                member: figures.name.clone(),
                version,
            });
        }
        table.ranker = Some(figures);
    }
    if ranking.dynamic.is_some() && judgement.is_some() {
        let weights = table.sources.iter();
        trained.controls.push(Control::Weights {
            use_case: plan.declared.name.clone(),
            weights: weights.map(|one| (one.name.clone(), one.weight)).collect(),
        });
    }
    trained.ranking = Some(table);
    Ok(trained)
}

/// Judges the sources of a use case on what visitors took last, fitted to what was before; nothing
/// is stored.
pub fn judge_sources(
    sources: &Sources,
    use_case: usize,
    progress: &mut dyn FnMut(TrainProgress),
) -> Result<RankingTable, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let training = declared(plan)?;
    let none = || EngineError::NotFound(format!("`{}` ranks nothing", plan.declared.name));
    let fitting = Fitting {
        plan,
        ranking: plan.declared.ranking.as_deref().ok_or_else(none)?,
        told: &read(
            sources,
            use_case,
            training,
            TrainOptions::default(),
            progress,
        )?,
        seed: Seed(training.seed),
    };
    let judgement = fitting.judged(progress)?;
    let mut table = fitting.table(&judgement);
    let ordered = fitting.ordered(None, &table, progress)?;
    table.ranker = ordered.map(|(figures, _)| figures);
    Ok(table)
}

/// Reads the log through the very shelf that serves.
pub(crate) fn read(
    sources: &Sources,
    use_case: usize,
    training: &TrainingDecl,
    options: TrainOptions,
    progress: &mut dyn FnMut(TrainProgress),
) -> Result<Told, EngineError> {
    let plan = &sources.plan.use_cases[use_case];
    let none = || EngineError::NotFound(format!("`{}` ranks nothing", plan.declared.name));
    let shelf = Shelf::new(&plan.declared).ok_or_else(none)?;
    let oldest = sources.oldest()?;
    if let Some(known) = &oldest.live[use_case].shelf {
        shelf.load(known.save());
    }
    let mut gathered = Gathered::of(&shelf.moments);
    let mut lists = shelf.columns.clone().map(Gathering::new);
    let all_seen = !shelf.hearing.tells_what_was_seen();
    let as_of = options.as_of.unwrap_or(Time(i64::MAX));
    for record in LogReader::open(&sources.folder.log())?.read(oldest.next) {
        let record = record?;
        if let (Body::Listing(listing), Some(lists)) = (&record.body, &mut lists)
            && listing.use_case == plan.declared.name
            && listing.at <= as_of
        {
            lists.show(listing, all_seen);
        }
        if let Body::Event(event) = &record.body
            && event.known_at <= as_of
            && let Some(kind) = sources.plan.event_type(&event.kind.name)
        {
            let event = as_declared(event, kind);
            shelf.observe(&event);
            if let Some(heard) = shelf.hearing.hear(&event) {
                let lists = lists.iter_mut();
                lists.for_each(|lists| lists.hear(&heard, event.event_time));
                if heard.weight != 0.0
                    && let Some(item) = shelf.catalogue().number(heard.item)
                {
                    gathered.add(heard.who, (item, event.event_time, heard.weight));
                    gathered.add_said(shelf.moments.words_of(&event));
                }
            }
        }
        if record.position.is_multiple_of(8_192) {
            progress(TrainProgress::Reading(record.position));
        }
    }
    let interactions = gathered.within(training.data, shelf.catalogue().len());
    let interactions = interactions.map_err(|error| EngineError::NotEnough(error.to_string()))?;
    if interactions.is_empty() {
        return Err(EngineError::NotEnough(format!(
            "`{}` has no feedback that tells anything within `training_data`: bring events of \
             `{}`, or widen the window",
            plan.declared.name, shelf.decl.feedback.event
        )));
    }
    Ok(Told {
        shelf,
        interactions,
        lists: lists.map(|lists| lists.within(training.data)),
    })
}

/// Rows of feedback as they are read.
#[derive(Default)]
struct Gathered {
    users: HashMap<Key, u32>,
    user: Vec<u32>,
    item: Vec<u32>,
    time: Vec<Time>,
    weight: Vec<f32>,
    /// What they say of the moment in words.
    context: Vec<ContextColumn>,
}

impl Gathered {
    fn of(moments: &Moments) -> Gathered {
        let column = |name: &str| ContextColumn {
            name: name.into(),
            words: Vec::new(),
        };
        Gathered {
            context: moments.word_names().map(column).collect(),
            ..Gathered::default()
        }
    }

    fn add_said(&mut self, words: impl Iterator<Item = Option<Arc<str>>>) {
        let columns = self.context.iter_mut().zip(words);
        columns.for_each(|(column, word)| column.words.push(word));
    }

    fn add(&mut self, who: Key, (item, at, weight): (u32, Time, f32)) {
        let next = self.users.len() as u32;
        self.user.push(*self.users.entry(who).or_insert(next));
        self.item.push(item);
        self.time.push(at);
        self.weight.push(weight);
    }

    fn within(
        self,
        data: TrainingData,
        items: usize,
    ) -> Result<Interactions, acumen_model::recommend::InteractionsError> {
        let newest = self.time.iter().copied().max().unwrap_or(Time(0));
        let (from, to) = match data {
            TrainingData::Between(from, to) => (from, to),
            TrainingData::Last(span) => (newest - span, Time(i64::MAX)),
        };
        let inside = |at: &usize| (from..to).contains(&self.time[*at]);
        let kept: Vec<usize> = (0..self.user.len()).filter(inside).collect();
        let columns = InteractionColumns {
            user: &kept.iter().map(|at| self.user[*at]).collect::<Vec<u32>>(),
            item: &kept.iter().map(|at| self.item[*at]).collect::<Vec<u32>>(),
            time: &kept.iter().map(|at| self.time[*at]).collect::<Vec<Time>>(),
            weight: &kept.iter().map(|at| self.weight[*at]).collect::<Vec<f32>>(),
        };
        let context = self.context.iter().map(|column| ContextColumn {
            name: Arc::clone(&column.name),
            words: kept.iter().map(|at| column.words[*at].clone()).collect(),
        });
        let context: Vec<ContextColumn> = context.collect();
        Interactions::in_context(self.users.len(), items, &columns, &context)
    }
}

/// What sources are fitted with.
pub(crate) struct Fitting<'a> {
    pub(crate) plan: &'a UseCasePlan,
    pub(crate) ranking: &'a RankingDecl,
    pub(crate) told: &'a Told,
    pub(crate) seed: Seed,
}

impl Fitting<'_> {
    /// The declared sources that are trained.
    pub(crate) fn models(&self) -> impl Iterator<Item = &ModelDecl> {
        let models = self.plan.declared.models.iter();
        models.filter(|model| model.is_trained_source())
    }

    /// Fits one source.
    pub(crate) fn fit(
        &self,
        model: &ModelDecl,
        interactions: &Interactions,
        progress: &mut dyn FnMut(TrainProgress),
    ) -> Result<Recommender, EngineError> {
        let failed = |why: String| EngineError::NotEnough(format!("model `{}`: {why}", model.name));
        let learner = recommender(&model.algorithm);
        let learner =
            learner.ok_or_else(|| failed(format!("there is no `{}`", model.algorithm)))?;
        let checked = learner.check(&model.params).map_err(|problems| {
            let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
            failed(problems.join("; "))
        })?;
        let (attributes, items) = {
            let catalogue = self.told.shelf.catalogue();
            let numbers: Vec<u32> = (0..catalogue.len() as u32).collect();
            let attributes = catalogue.attributes(&self.told.shelf.shelving, &numbers);
            (attributes, catalogue.ids().cloned().collect())
        };
        let data = RecommendData {
            interactions,
            attributes: Some(&attributes),
        };
        let seed = self.seed.derive(&model.name);
        let source = checked
            .fit(&data, seed, &mut |at| {
                progress(TrainProgress::Fitting(model.name.clone(), at));
            })
            .map_err(|error| failed(error.to_string()))?;
        Ok(Recommender {
            learner: learner.name().to_owned(),
            parameters: checked.params_json().to_string(),
            items,
            source,
            seed: self.seed.0,
            events: interactions.len() as u64,
        })
    }

    /// Sources fitted to what was before the newest events, judged on these; `None` where too
    /// little is left to judge on.
    fn judged(
        &self,
        progress: &mut dyn FnMut(TrainProgress),
    ) -> Result<Option<Judgement>, EngineError> {
        let all = &self.told.interactions;
        let mut times: Vec<Time> = (0..all.n_users())
            .flat_map(|user| all.times(user).to_vec())
            .collect();
        let place = ((times.len() as f64 * (1.0 - JUDGED_SHARE)) as usize).min(times.len() - 1);
        let (_, cut, _) = times.select_nth_unstable(place);
        judge(self, *cut, progress)
    }

    fn table(&self, judgement: &Option<Judgement>) -> RankingTable {
        let nothing = || RankingMetrics::at(1, &[]);
        let all = &self.told.interactions;
        let visitors = (0..all.n_users())
            .filter(|user| !all.times(*user).is_empty())
            .count();
        let figures = |(at, model): (usize, &ModelDecl)| SourceFigures {
            name: model.name.clone(),
            learner: model.algorithm.clone(),
            version: String::new(),
            weight: match judgement {
                Some(judgement) => judgement.weights[at],
                None => declared_weight(self.ranking, &model.name),
            },
            alone: judgement.as_ref().map_or_else(nothing, |j| j.alone[at]),
            adds: judgement.as_ref().map_or(0.0, |j| j.adds[at]),
        };
        RankingTable {
            events: all.len(),
            visitors,
            items: all.n_items(),
            judged_from: judgement.as_ref().map(|j| j.from),
            judged: judgement.as_ref().map_or(0, |j| j.judged),
            sources: self.models().enumerate().map(figures).collect(),
            declared: judgement.as_ref().map_or_else(nothing, |j| j.declared),
            blend: judgement.as_ref().map_or_else(nothing, |j| j.blend),
            coverage: judgement.as_ref().map_or(0.0, |j| j.coverage),
            ranker: None,
        }
    }
}
