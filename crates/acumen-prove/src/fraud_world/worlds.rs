//! The world that is trained on, and the worlds that are judged.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use acumen_base::outcome::Truth as Known;
use acumen_base::{
    Body, Clock, Deadline, Event, ManualClock, Member, Row, Seed, SystemClock, Time,
};
use acumen_decision::{Request, State};
use acumen_engine::history::Sources;
use acumen_engine::{
    Folder, LogOptions, Plan, Sample, TrainProgress, UseCasePlan, Wanted, rows, train,
};
use acumen_event::Log;
use acumen_model::metrics::OperatingPoint;
use acumen_model::{Artifact, ModelStore, Period};
use acumen_sim::world::payments::{Happening, Parameters, World};
use serde_json::json;

use crate::child;
use crate::report::{Failure, all};
use crate::settings::workspace;
use crate::stage;

/// How long each world lasts.
const DAYS: u32 = 365;

/// The day of the training: the month after it is judged.
const JUDGED_FROM: i64 = 335;

/// Events between two commits of the log.
const COMMIT_EVERY: u64 = 50_000;

/// Events that step through the pipeline at once.
const BATCH: usize = 8_192;

/// Payments with what every model says of them.
#[derive(Default)]
pub(super) struct Asked {
    /// Log odds of the raw answers: one vector a model, in declared order.
    pub(super) log_odds: Vec<Vec<f32>>,
    /// 1 for fraud.
    pub(super) outcome: Vec<f32>,
    /// How many payments each stands for.
    pub(super) weight: Vec<f32>,
    /// What the oracle says, where there is one.
    pub(super) oracle: Vec<f64>,
    /// The story that each payment belongs to, where it is known.
    pub(super) story: Vec<Arc<str>>,
    /// Whether a rule asked for more than the mildest action.
    pub(super) ruled: Vec<bool>,
    pub(super) time: Vec<Time>,
}

/// A use case that was trained on one world.
pub(super) struct Trained {
    plan: Arc<Plan>,
    use_case: usize,
    customers: u32,
    state: State,
    /// The models as they were before they were fitted again to all rows.
    as_judged: State,
    /// The models that vote, in declared order.
    pub(super) members: Vec<String>,
    /// The models of each layer that has some.
    pub(super) layers: Vec<(String, Vec<String>)>,
    /// What the ensemble makes of them.
    pub(super) weights: serde_json::Value,
    /// Which rows the ensemble was fitted to, and on which it was judged.
    pub(super) periods: (Period, Period),
    /// What the models say of those rows.
    pub(super) held_out: Asked,
    /// How many seconds the training of each model took, and reading the rows before.
    pub(super) seconds: BTreeMap<String, f64>,
}

/// A world of so many customers and a seed.
fn world(plan: &Plan, customers: u32, seed: u64) -> Result<(World, Time), Failure> {
    let text = std::fs::read_to_string(workspace("usecases/fraud/world.yaml"))?;
    let mut parameters = Parameters::parse(&text, "usecases/fraud/world.yaml").map_err(all)?;
    (parameters.customers, parameters.days) = (customers, DAYS);
    let judged_from = Time(parameters.start().0 + JUDGED_FROM * 86_400_000);
    let types = plan.types.iter();
    let types = types.map(|kind| (kind.name.clone(), Arc::clone(kind)));
    let world = World::with_types(parameters, Seed(seed), &types.collect()).map_err(all)?;
    Ok((world, judged_from))
}

/// Writes events into a log of their own, in the order in which they became known.
fn write(sources: &Sources, events: impl Iterator<Item = Event>) -> Result<(), Failure> {
    let (mut log, _) = Log::open(&sources.folder.log(), LogOptions::default())?;
    for kind in &sources.plan.types {
        log.register(kind)?;
    }
    for (event, count) in events.zip(1_u64..) {
        log.append(&Body::Event(Arc::new(event)))?;
        if count.is_multiple_of(COMMIT_EVERY) {
            log.commit()?;
        }
    }
    log.commit()?;
    Ok(())
}

impl Trained {
    /// Trains on what was known of a seed's world on the day of the training.
    pub(super) fn on(customers: u32, seed: u64) -> Result<Trained, Failure> {
        let plan = child::plan(&workspace(""))?;
        let use_case = stage::use_case(&plan)?;
        let folder = tempfile::tempdir()?;
        let sources = Sources {
            plan: Arc::clone(&plan),
            folder: Folder::new(folder.path()),
            store: Arc::new(ModelStore::open(&folder.path().join("models"))?),
        };
        let (world, until) = world(&plan, customers, seed)?;
        println!("training on the world of seed {seed}, {customers} customers");
        // Training reads nothing but the log, so no state is kept while it is written.
        let known = world.take_while(|happening| happening.event.known_at < until);
        write(&sources, known.map(|happening| happening.event))?;
        let mut watch = Watch::start();
        let made = train(&sources, use_case, None, &mut |at| watch.see(at))?;
        let seconds = watch.stop();
        println!(
            "{} rows of {}, {} of them fraud; seconds: {}",
            made.rows,
            made.read,
            made.positives,
            json!(seconds)
        );
        let [first, .., ensemble] = &made.models[..] else {
            return Err(Failure::new("the use case declares no ensemble of models"));
        };
        let weights = ensemble.artifact.parameters["weights"].clone();
        println!("weights: {weights}");
        let declared = &plan.use_cases[use_case].declared;
        let voting = declared.models.iter().filter(|model| !model.shadow);
        let members: Vec<String> = voting.map(|model| model.name.clone()).collect();
        let layers = declared.layers.iter().map(|layer| {
            let models = members.iter().filter(|name| layer.run.contains(name));
            (layer.name.clone(), models.cloned().collect())
        });
        let mut trained = Trained {
            use_case,
            customers,
            state: made.deployed(&plan.use_cases[use_case])?,
            as_judged: made.as_judged(&plan.use_cases[use_case])?,
            layers: layers
                .filter(|(_, models): &(_, Vec<_>)| !models.is_empty())
                .collect(),
            members,
            weights,
            periods: periods(&first.artifact),
            held_out: Asked::default(),
            seconds,
            plan: Arc::clone(&plan),
        };
        trained.held_out = trained.held_out(&sources)?;
        Ok(trained)
    }

    fn use_case(&self) -> &UseCasePlan {
        &self.plan.use_cases[self.use_case]
    }

    /// What the models say of the rows of their own world that none was fitted to.
    fn held_out(&self, sources: &Sources) -> Result<Asked, Failure> {
        let wanted = Wanted {
            from: self.periods.0.from,
            to: self.periods.1.to,
            as_of: None,
            sample: self
                .use_case()
                .declared
                .training
                .as_ref()
                .and_then(Sample::of),
        };
        let rows = rows(sources, self.use_case, wanted, &mut |_| {})?;
        let mut held_out = Asked::default();
        let mature = rows.mature();
        let whole: Vec<Row> = mature.iter().map(|&i| rows.row(i)).collect();
        held_out.log_odds = self.ask(&self.as_judged, &whole);
        for i in mature {
            held_out
                .outcome
                .push(f32::from(rows.truth[i] == Known::Positive));
            held_out.weight.push(rows.weight[i]);
            held_out.time.push(rows.events[i].event_time);
        }
        Ok(held_out)
    }

    /// Plays a world and asks about the payments of its last month.
    pub(super) fn play(&self, seed: u64) -> Result<Asked, Failure> {
        let (world, from) = world(&self.plan, self.customers, seed)?;
        let mut pipeline = self.use_case().fresh_pipeline();
        let (mut asked, mut batch, mut position) = (Asked::default(), Vec::new(), 0);
        let mut truths = HashMap::new();
        let mut world = world.peekable();
        while let Some(Happening { event, truth }) = world.next() {
            if let Some(truth) = truth {
                truths.insert(Arc::clone(&event.id), truth);
            }
            batch.push(Arc::new(event));
            if batch.len() < BATCH && world.peek().is_some() {
                continue;
            }
            let judged = |event: &Event| event.event_time >= from;
            let block = pipeline.step_some(&batch, position, 0, &judged);
            position += batch.len() as u64;
            let events: Vec<&Arc<Event>> = block
                .rows
                .iter()
                .map(|&event| &batch[event as usize])
                .collect();
            let row = |(i, event): (usize, &&Arc<Event>)| Row {
                columns: Arc::clone(&self.use_case().columns),
                values: block.columns.iter().map(|column| column[i]).collect(),
                at: event.event_time,
                position: 0,
            };
            let rows: Vec<Row> = events.iter().enumerate().map(row).collect();
            let mut answered = Asked {
                log_odds: self.ask(&self.state, &rows),
                ..Asked::default()
            };
            for (event, row) in events.iter().zip(&rows) {
                let truth = truths.remove(&event.id);
                let truth = truth.ok_or_else(|| Failure::new("a payment without a truth"))?;
                answered.outcome.push(f32::from(truth.fraud));
                answered.weight.push(1.0);
                answered.oracle.push(truth.oracle);
                answered.story.push(truth.scenario);
                answered.ruled.push(self.rules_act(event, row));
                answered.time.push(event.event_time);
            }
            truths.clear();
            asked.extend(answered);
            batch.clear();
        }
        Ok(asked)
    }

    /// What every model says of rows, on all cores.
    fn ask(&self, state: &State, rows: &[Row]) -> Vec<Vec<f32>> {
        let members: Vec<&Arc<dyn Member>> = self
            .members
            .iter()
            .filter_map(|name| state.member(name))
            .collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = rows.len().div_ceil(threads).max(1);
        let ask = |rows: &[Row]| -> Vec<Vec<f32>> {
            let patient = Deadline::never(ManualClock::at(Time(0)));
            let said = |member: &Arc<dyn Member>, row| match member.predict(row, &patient) {
                Ok(prediction) => prediction.log_odds() as f32,
                Err(_left_out) => f32::NAN,
            };
            let of = |member: &&Arc<dyn Member>| rows.iter().map(|row| said(member, row)).collect();
            members.iter().map(of).collect()
        };
        let mut all = vec![Vec::with_capacity(rows.len()); members.len()];
        std::thread::scope(|scope| {
            let parts: Vec<_> = rows
                .chunks(share)
                .map(|rows| scope.spawn(move || ask(rows)))
                .collect();
            for part in parts {
                let part = part.join();
                let part = part.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                for (all, part) in all.iter_mut().zip(part) {
                    all.extend(part);
                }
            }
        });
        all
    }

    /// Whether the rules alone ask for something to be done about a payment.
    fn rules_act(&self, event: &Event, row: &Row) -> bool {
        let plan = self.use_case();
        let clock: Arc<dyn Clock> = ManualClock::at(event.event_time);
        let request = Request {
            id: String::new(),
            event,
            row,
            received_nanos: 0,
            decided_at: event.event_time,
            clock,
            seed: plan.seed(),
            build: acumen_engine::BUILD,
            pool: None,
            waiting: 0,
        };
        let decision = plan.policy.decide(&request, &plan.policy.initial_state());
        let acted = acumen_base::decision::Firing::Acted;
        let mildest = plan.policy.actions().next();
        let mut acting = decision.rules.iter().filter(|hit| hit.firing == acted);
        acting.any(|hit| Some(&*hit.effect) != mildest)
    }
}

/// A stopwatch over the parts of a training.
struct Watch {
    clock: Arc<SystemClock>,
    began: u64,
    part: String,
    seconds: BTreeMap<String, f64>,
}

impl Watch {
    fn start() -> Watch {
        let clock = stage::clock();
        Watch {
            began: clock.nanos(),
            clock,
            part: "rows".to_owned(),
            seconds: BTreeMap::new(),
        }
    }

    fn see(&mut self, at: TrainProgress) {
        if let TrainProgress::Fitting(model, _) = at
            && model != self.part
        {
            self.next(model);
        }
    }

    fn next(&mut self, part: String) {
        let now = self.clock.nanos();
        let took = (now - self.began) as f64 / 1e9;
        let before = std::mem::replace(&mut self.part, part);
        self.seconds.insert(before, took);
        self.began = now;
    }

    fn stop(mut self) -> BTreeMap<String, f64> {
        self.next(String::new());
        self.seconds
    }
}

/// Which rows an ensemble of these models is fitted to, and on which it is judged.
fn periods(artifact: &Artifact) -> (Period, Period) {
    (artifact.split.calibration, artifact.split.test)
}

impl Asked {
    pub(super) fn len(&self) -> usize {
        self.outcome.len()
    }

    pub(super) fn positives(&self) -> usize {
        self.outcome
            .iter()
            .filter(|outcome| **outcome > 0.5)
            .count()
    }

    /// Adds other payments.
    pub(super) fn extend(&mut self, other: Asked) {
        self.log_odds.resize(other.log_odds.len(), Vec::new());
        for (mine, other) in self.log_odds.iter_mut().zip(other.log_odds) {
            mine.extend(other);
        }
        self.outcome.extend(other.outcome);
        self.weight.extend(other.weight);
        self.oracle.extend(other.oracle);
        self.story.extend(other.story);
        self.ruled.extend(other.ruled);
        self.time.extend(other.time);
    }

    /// Precision and recall of flagging some payments.
    pub(super) fn point(&self, flagged: impl Fn(usize) -> bool) -> OperatingPoint {
        let flagged: Vec<usize> = (0..self.len()).filter(|&i| flagged(i)).collect();
        let found = flagged.iter().filter(|&&i| self.outcome[i] > 0.5).count();
        OperatingPoint {
            threshold: f64::NAN,
            precision: found as f64 / flagged.len() as f64,
            recall: found as f64 / self.positives() as f64,
        }
    }
}
