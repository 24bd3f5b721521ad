//! What the log has said so far: the one place where a record changes state.
//!
//! The live sequencer, recovery, training and replays all apply records through [`Core`], so
//! there is no second way in which state could come about.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use acumen_base::control::CHALLENGER;
use acumen_base::limits::UPDATES_KEPT;
use acumen_base::{
    Body, Control, Decision, Event, EventType, Key, Listing, Member, Money, Record, Row,
    SourceMark, Span, Time,
};
use acumen_decision::State;
use acumen_event::Seen;
use acumen_feature::Pipeline;
use acumen_model::recommend::Recommender;
use acumen_model::{ArtifactMember, ModelStore};
use acumen_value::Ledger;

use crate::cases::{Case, CaseList, CaseOrder, CaseState, Cases, Finding};
use crate::drill::{Drill, delay, drilled};
use crate::error::EngineError;
use crate::plan::{Plan, UseCasePlan};
use crate::projected::{Unusable, in_rows_of};
use crate::ranking::Shelf;
use crate::ranking::order::LoadedOrder;
use crate::rules::{self, FiringsByRule};
use crate::scoring::ScoreCache;
use crate::spec::candidate_columns;
use crate::truth;

/// How many events may wait for a decision that was not made, before the oldest is forgotten
/// (it can still be decided: its row is then read again from the log).
const UNDECIDED_MAX: usize = 10_000;

/// For how long at least an id is known to be taken, and a decision found by its id: longer where
/// a use case's lateness or outcomes are.
pub const IDS_KEPT_AT_LEAST: Span = Span(30 * 24 * 60 * 60 * 1_000);

/// Ids are forgotten in steps of this length, of the time at which events became known.
const FORGET_EVERY: i64 = 24 * 60 * 60 * 1_000;

/// Decisions that the live page shows.
const LATEST_MAX: usize = 20;

/// State that the log gives and takes.
pub struct Core {
    plan: Arc<Plan>,
    store: Arc<ModelStore>,
    /// For how long ids are remembered.
    pub(crate) ids_kept: Span,
    /// Which ids are in the log.
    pub seen: Seen,
    /// Features, of all use cases.
    pub pipelines: Vec<Pipeline>,
    /// One for each use case of the plan.
    pub live: Vec<Live>,
    /// The position that the next record will get.
    pub next: u64,
    /// The newest `known_at` of any event.
    pub newest: Time,
    /// Every edit with its position: what gives lists, modes, thresholds and models back.
    pub controls: Vec<(u64, Control)>,
    /// Models that are slowed down on purpose.
    pub(crate) drills: Vec<Drill>,
}

/// The state of one use case.
pub struct Live {
    /// Lists, rule modes, thresholds and deployed models: what decisions are made with.
    pub state: Arc<State>,
    /// Decisions that wait for their truth, where the use case declares an outcome.
    pub ledger: Option<Ledger>,
    /// Where the decision on an event stands in the log, and when it was made.
    pub decided: HashMap<Key, (u64, Time)>,
    /// Deployed models that cannot answer, and why: rows are defined differently today, or the
    /// version is gone.
    pub unusable: BTreeMap<String, String>,
    /// Events with the row that was read for them, whose decision has not been met yet.
    pub undecided: BTreeMap<u64, Undecided>,
    /// How often each action was taken.
    pub actions: BTreeMap<String, u64>,
    /// How often each rule fired.
    pub(crate) firings: FiringsByRule,
    /// Decisions that people look at.
    pub cases: Cases,
    /// The latest decisions, oldest first.
    pub latest: VecDeque<Arc<Decision>>,
    /// Answers for keys that are kept, where each is decided on.
    pub(crate) scores: Option<Arc<ScoreCache>>,
    /// Items, visitors and sources, where items are ranked.
    pub(crate) shelf: Option<Arc<Shelf>>,
}

/// A version that a deployment names, loaded.
#[derive(Clone)]
pub struct Version {
    /// What answers under its name.
    pub(crate) member: Arc<dyn Member>,
    /// What scores items, where items are ranked.
    pub(crate) source: Option<Arc<Recommender>>,
    /// What orders candidates, where items are ranked.
    pub(crate) order: Option<Arc<LoadedOrder>>,
}

/// An event, its row, and the state that was in force at its log position.
#[derive(Clone, Debug)]
pub struct Undecided {
    /// The event.
    pub event: Arc<Event>,
    /// Its row.
    pub row: Arc<Row>,
    /// What governed at its position.
    pub state: Arc<State>,
}

/// What applying a record gave.
#[derive(Debug)]
pub enum Applied {
    /// An event, with a row for each use case that decides on it.
    Event(Vec<(usize, Undecided)>),
    /// A decision of a use case, with what it was made from where that is still at hand.
    Decision(usize, Option<Undecided>),
    /// A list was shown.
    Listing,
    /// Lists, rules, thresholds or deployments changed.
    Control,
    /// A record of a use case or event type that the plan no longer has.
    Foreign,
}

impl Core {
    /// State before the first record.
    pub fn new(plan: Arc<Plan>, store: Arc<ModelStore>) -> Core {
        let live = plan.use_cases.iter().map(Live::new).collect();
        Core {
            ids_kept: ids_kept(&plan),
            pipelines: plan.fresh_pipelines(),
            plan,
            store,
            seen: Seen::new(),
            live,
            next: 0,
            newest: Time(i64::MIN),
            controls: Vec::new(),
            drills: Vec::new(),
        }
    }

    /// What it was built from.
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// Applies the record that stands next in the log. With `read`, rows are read for events
    /// that are decided on, and kept until their decision is met.
    pub fn apply(&mut self, record: &Record, read: bool) -> Applied {
        let position = record.position;
        self.next = position + 1;
        match &record.body {
            Body::Event(event) => match self.plan.event_type(&event.kind.name) {
                Some(kind) => {
                    let event = as_declared(event, kind);
                    Applied::Event(self.event(&event, position, read))
                }
                None => Applied::Foreign,
            },
            Body::Decision(decision) => self.decision(decision, position, None),
            Body::Listing(listing) => self.listing(listing, position),
            Body::Control { control, .. } => {
                self.control_again(control, position);
                Applied::Control
            }
        }
    }

    /// The features of a use case, and which view of them its rows are.
    pub fn features(&mut self, use_case: usize) -> (&mut Pipeline, usize) {
        let plan = &self.plan.use_cases[use_case];
        (&mut self.pipelines[plan.shared], plan.view)
    }

    /// The features of a use case by themselves, as they stand: what reads the log for one use
    /// case computes nothing for the others.
    pub(crate) fn features_alone(&self, use_case: usize) -> Pipeline {
        let plan = &self.plan.use_cases[use_case];
        let mut alone = plan.fresh_pipeline();
        alone.adopt(&self.pipelines[plan.shared]);
        alone
    }

    /// Lets every use case observe an event.
    pub fn event(
        &mut self,
        event: &Arc<Event>,
        position: u64,
        read: bool,
    ) -> Vec<(usize, Undecided)> {
        self.next = position + 1;
        self.advance(event.known_at);
        self.seen.insert(event, position);
        let rows = self.step(event, position, read);
        let mut undecided = Vec::with_capacity(rows.len());
        for (i, values) in rows {
            let columns = Arc::clone(&self.plan.use_cases[i].columns);
            let row = Arc::new(Row {
                columns,
                values,
                at: event.event_time,
                position,
            });
            undecided.push((i, self.live[i].wait(event, row)));
        }
        for (plan, live) in self.plan.use_cases.iter().zip(&mut self.live) {
            if let Some(shelf) = &live.shelf {
                shelf.observe(event);
            }
            live.settle(plan, event, position);
            live.forget_score(plan, event);
        }
        undecided
    }

    /// Lets the features observe an event; with `read`, gives its rows where it is decided on.
    fn step(&mut self, event: &Event, position: u64, read: bool) -> Vec<(usize, Box<[f64]>)> {
        let use_cases = &self.plan.use_cases;
        let decides = |plan: &UseCasePlan| read && plan.decides(&event.kind.name);
        let deciding = use_cases.iter().enumerate().filter(|(_, p)| decides(p));
        let empty = |plan: &UseCasePlan| vec![f64::NAN; plan.columns.len()].into_boxed_slice();
        let mut rows: Vec<_> = deciding.map(|(i, plan)| (i, empty(plan))).collect();
        for (shared, pipeline) in self.pipelines.iter_mut().enumerate() {
            let own = rows.iter_mut().filter_map(|(i, row)| {
                let plan = &use_cases[*i];
                (plan.shared == shared).then_some((plan.view, &mut **row))
            });
            let mut own: Vec<(usize, &mut [f64])> = own.collect();
            pipeline.step_views(event, position, &mut own);
        }
        rows
    }

    /// Moves the newest instant on, and forgets what is too old to be asked for again.
    fn advance(&mut self, known_at: Time) {
        let day = |time: Time| time.0.div_euclid(FORGET_EVERY);
        let before = self.newest;
        self.newest = before.max(known_at);
        if before.0 == i64::MIN || day(before) == day(self.newest) {
            return;
        }
        let oldest_kept = self.newest - self.ids_kept;
        self.seen.forget_before(oldest_kept);
        for (plan, live) in self.plan.use_cases.iter().zip(&mut self.live) {
            live.decided.retain(|_, (_, at)| *at >= oldest_kept);
            if let Some(outcome) = &plan.declared.outcome {
                live.cases.forget(self.newest, outcome.closes);
            }
        }
    }

    /// Notes a decision; `event` is the one that it answers, where it is at hand.
    pub fn decision(
        &mut self,
        decision: &Arc<Decision>,
        position: u64,
        event: Option<&Arc<Event>>,
    ) -> Applied {
        self.next = position + 1;
        let Some(i) = self.plan.position(&decision.use_case) else {
            return Applied::Foreign;
        };
        let live = &mut self.live[i];
        let decide_event = &self.plan.use_cases[i].declared.decide_event;
        let key = event_key(decide_event, &decision.event_id);
        live.decided.insert(key, (position, decision.decided_at));
        *live.actions.entry(decision.action.clone()).or_default() += 1;
        rules::count(&mut live.firings, decision);
        let review = self.plan.use_cases[i].declared.review.as_ref();
        if review.is_some_and(|review| review.actions.contains(&decision.action)) {
            live.cases.decided(decision, position);
        }
        live.latest.push_back(Arc::clone(decision));
        if live.latest.len() > LATEST_MAX {
            live.latest.pop_front();
        }
        let undecided = live.undecided.remove(&decision.position);
        let event = event.or(undecided.as_ref().map(|undecided| &undecided.event));
        if let (Some(ledger), Some(event)) = (&mut live.ledger, event) {
            ledger.decided(decision, event);
        }
        Applied::Decision(i, undecided)
    }

    /// Notes a list that was shown.
    pub fn listing(&mut self, listing: &Arc<Listing>, position: u64) -> Applied {
        self.next = position + 1;
        let of = self.plan.position(&listing.use_case);
        match of.and_then(|i| self.live[i].shelf.as_ref()) {
            Some(shelf) => {
                shelf.show(listing);
                Applied::Listing
            }
            None => Applied::Foreign,
        }
    }

    /// Applies an edit; one that [`Core::check`] refuses changes nothing.
    pub fn control(&mut self, control: &Control, position: u64) -> Result<(), EngineError> {
        let deployed = self.check(control)?;
        self.edit(control.clone(), position, deployed.as_ref());
        Ok(())
    }

    /// Whether an edit can be applied, which changes nothing; a deployment's model is loaded.
    pub fn check(&self, control: &Control) -> Result<Option<Version>, EngineError> {
        self.check_loaded(control)?;
        load_member(&self.plan, &self.store, control)
    }

    /// The same for an edit whose model has been loaded already.
    pub(crate) fn check_loaded(&self, control: &Control) -> Result<(), EngineError> {
        match control {
            Control::Rule { .. } | Control::Thresholds { .. } => {
                for live in &self.live {
                    let mut trial = State::clone(&live.state);
                    trial
                        .apply(self.next, control)
                        .map_err(EngineError::Control)?;
                }
                Ok(())
            }
            Control::Withdraw { use_case, member } => {
                let i = self.plan.position(use_case);
                let i = i.ok_or_else(|| EngineError::unknown_use_case(use_case, &self.plan))?;
                let mut deployed = self.live[i].state.members();
                match deployed.any(|deployed| deployed.name() == member) {
                    true => Ok(()),
                    false => Err(EngineError::NotFound(format!(
                        "`{use_case}` has no `{member}` deployed: there is nothing to withdraw"
                    ))),
                }
            }
            _ => Ok(()),
        }
    }

    /// Applies an edit that [`Core::check`] has let through, with the model that it loaded.
    pub fn edit(&mut self, control: Control, position: u64, deployed: Option<&Version>) {
        for (plan, live) in self.plan.use_cases.iter().zip(&mut self.live) {
            // Copied only while a decision under way still holds the old one.
            let state = Arc::make_mut(&mut live.state);
            // Refused is what the log has of a use case that was another one then: nothing to do.
            let _gone_since = state.apply(position, &control);
            if let (Some(version), Control::Deploy { use_case, .. }) = (deployed, &control)
                && *use_case == plan.declared.name
            {
                let member = &version.member;
                live.unusable.remove(member.name());
                live.scores.iter().for_each(|scores| scores.clear());
                state.deploy(position, drilled(&self.drills, member));
                if let (Some(shelf), Some(source)) = (&live.shelf, &version.source)
                    && let Err(why) = shelf.deploy(member.name(), member.version(), source)
                {
                    live.unusable.insert(member.name().to_owned(), why);
                }
                if let (Some(shelf), Some(order)) = (&live.shelf, &version.order) {
                    shelf.change(|deployed| deployed.order_by(Arc::clone(order)));
                }
                slow_down(live.shelf.as_ref(), &self.drills);
            }
            if let (Some(shelf), Control::Weights { use_case, weights }) = (&live.shelf, &control)
                && *use_case == plan.declared.name
            {
                shelf.change(|deployed| deployed.weigh(weights));
            }
            if let Some(shelf) = &live.shelf {
                shelf.edit_picks(&control);
            }
            if let Control::Withdraw { use_case, member } = &control
                && *use_case == plan.declared.name
            {
                live.unusable.remove(member);
                live.scores.iter().for_each(|scores| scores.clear());
                let shelves = live.shelf.iter();
                shelves.for_each(|shelf| shelf.change(|deployed| deployed.withdraw(member)));
            }
        }
        let update = matches!(control, Control::Update(_));
        let control = self.with_what_was_read(control);
        self.controls.push((position, control));
        if update {
            self.forget_updates();
        }
        self.next = position + 1;
    }

    /// A source is read without end: its newest mark takes the place of the one before.
    fn with_what_was_read(&mut self, control: Control) -> Control {
        let Control::Source(newer) = control else {
            return control;
        };
        let mut mark = self.source_mark(&newer.source).cloned().unwrap_or_default();
        let is_before = |known: &Control| match known {
            Control::Source(mark) => mark.source == newer.source,
            _ => false,
        };
        self.controls.retain(|(_, known)| !is_before(known));
        mark.advance(*newer);
        Control::Source(Box::new(mark))
    }

    /// How far each source has been read.
    pub fn source_marks(&self) -> impl Iterator<Item = &SourceMark> {
        let controls = self.controls.iter();
        controls.filter_map(|(_, control)| match control {
            Control::Source(mark) => Some(&**mark),
            _ => None,
        })
    }

    /// How far a source has been read, where it has been.
    pub fn source_mark(&self, source: &str) -> Option<&SourceMark> {
        self.source_marks().find(|mark| mark.source == source)
    }

    /// Slows models down, those that are deployed and those that will be; nothing of it is logged.
    pub(crate) fn drill(&mut self, drills: Vec<Drill>) {
        for live in &mut self.live {
            let state = Arc::make_mut(&mut live.state);
            let named = drills.iter().filter_map(|drill| state.member(&drill.model));
            let slowed: Vec<_> = named.map(|member| drilled(&drills, member)).collect();
            for member in slowed {
                state.deploy(state.control(), member);
            }
            slow_down(live.shelf.as_ref(), &drills);
        }
        self.drills = drills;
    }

    /// Keeps the newest records of trainings: they change nothing, and come for ever.
    fn forget_updates(&mut self) {
        let is_update = |(_, control): &(u64, Control)| matches!(control, Control::Update(_));
        let kept = self.controls.iter().filter(|edit| is_update(edit)).count();
        if kept > UPDATES_KEPT
            && let Some(oldest) = self.controls.iter().position(is_update)
        {
            self.controls.remove(oldest);
        }
    }

    /// Applies an edit of the log. Use cases change: a rule that is gone, or a model that was
    /// trained on rows of another definition, must not keep the log from being opened, so that
    /// it can be trained again. Such a model is named by [`Live::unusable`] and answers nothing.
    pub(crate) fn control_again(&mut self, control: &Control, position: u64) {
        let error = match load_member(&self.plan, &self.store, control) {
            Ok(member) => return self.edit(control.clone(), position, member.as_ref()),
            Err(error) => error.to_string(),
        };
        let mut unusable: Option<Version> = None;
        if let Control::Deploy {
            use_case,
            member,
            version,
        } = control
            && let Some(i) = self.plan.position(use_case)
        {
            let columns = Arc::clone(&self.plan.use_cases[i].columns);
            unusable = Some(Version {
                member: Arc::new(Unusable::new(member, version, columns, &error)),
                source: None,
                order: None,
            });
        }
        self.edit(control.clone(), position, unusable.as_ref());
        if let Control::Deploy {
            use_case, member, ..
        } = control
            && let Some(i) = self.plan.position(use_case)
        {
            self.live[i].unusable.insert(member.clone(), error);
        }
    }

    /// The edits up to and including a position.
    pub(crate) fn controls_until(&self, position: u64) -> Vec<(u64, Control)> {
        let count = self.controls.partition_point(|(at, _)| *at <= position);
        self.controls[..count].to_vec()
    }

    /// The case of an event.
    ///
    /// # Errors
    /// [`EngineError::NotFound`], and why there is none.
    pub fn case(&self, use_case: usize, event_id: &str) -> Result<&Case, EngineError> {
        let declared = &self.plan.use_cases[use_case].declared;
        let name = &declared.name;
        let missing = || match &declared.review {
            None => format!("`{name}` declares no `review`, so it has no cases: add one"),
            Some(review) => format!(
                "there is no case `{name}:{event_id}`: cases are decisions for {}, until their \
                 outcome closes",
                review.actions.join(", ")
            ),
        };
        let case = self.live[use_case].cases.get(event_id);
        case.ok_or_else(|| EngineError::NotFound(missing()))
    }

    /// The first so many cases of a use case; amounts are compared at the newest rates.
    pub fn cases(
        &self,
        use_case: usize,
        state: CaseState,
        order: CaseOrder,
        most: usize,
    ) -> CaseList {
        let live = &self.live[use_case];
        let currency = self.plan.use_cases[use_case].declared.currency;
        let rates = live.ledger.as_ref().map(Ledger::rates);
        let worth = |money: Money| match rates.and_then(|rates| rates.get(&money.currency)) {
            Some(rate) if money.currency != currency => money.convert(*rate, currency).minor,
            _ => money.minor,
        };
        live.cases.list(state, order, most, worth)
    }

    /// The event that puts a finding on record, or where the same finding stands already.
    pub(crate) fn finding(
        &self,
        use_case: usize,
        event_id: &str,
        finding: &Finding,
        at: Time,
    ) -> Result<Result<Event, u64>, EngineError> {
        finding.check()?;
        let case = self.case(use_case, event_id)?;
        if let Some(position) = finding.repeats(case) {
            return Ok(Err(position));
        }
        let plan = &self.plan.use_cases[use_case];
        let event = finding.event(plan, case, at.max(self.newest));
        let gone = || EngineError::NotFound(format!("`{}` has no review", plan.declared.name));
        event.map(Ok).ok_or_else(gone)
    }

    /// The position of the decision that a use case made on an event.
    pub fn decided(&self, use_case: usize, event_id: &str) -> Option<u64> {
        let kind = &self.plan.use_cases[use_case].declared.decide_event;
        let found = self.live[use_case].decided.get(&event_key(kind, event_id));
        found.map(|(position, _)| *position)
    }
}

impl Live {
    fn new(plan: &UseCasePlan) -> Live {
        Live {
            state: Arc::new(plan.policy.initial_state()),
            ledger: plan.truths.clone().map(Ledger::new),
            decided: HashMap::new(),
            unusable: BTreeMap::new(),
            undecided: BTreeMap::new(),
            actions: BTreeMap::new(),
            firings: FiringsByRule::new(),
            cases: Cases::default(),
            latest: VecDeque::new(),
            scores: None,
            shelf: Shelf::new(&plan.declared).map(Arc::new),
        }
    }

    /// Keeps an event with its row until its decision is met.
    fn wait(&mut self, event: &Arc<Event>, row: Arc<Row>) -> Undecided {
        let position = row.position;
        let undecided = Undecided {
            event: Arc::clone(event),
            row,
            state: Arc::clone(&self.state),
        };
        self.undecided.insert(position, undecided.clone());
        if self.undecided.len() > UNDECIDED_MAX {
            self.undecided.pop_first();
        }
        undecided
    }

    /// What happens to a key makes its kept answer stale.
    fn forget_score(&self, plan: &UseCasePlan, event: &Event) {
        if let (Some(scores), Some(subject)) = (&self.scores, &plan.declared.subject)
            && let Some(id) = event.value(&subject.kind.fields[0].name).as_text()
        {
            scores.drop_key(id);
        }
    }

    /// Lets the ledger and the cases know of the truth that an event carries, and of the time.
    fn settle(&mut self, plan: &UseCasePlan, event: &Event, position: u64) {
        let Some(ledger) = &mut self.ledger else {
            return;
        };
        if let Some((id, word)) = truth::word(plan, event) {
            self.cases.said(id, word, position);
            match word.positive {
                true => ledger.positive(id, event.known_at),
                false => ledger.negative(id, event.known_at),
            };
        }
        if let Some((currency, rate)) = plan.rate(event) {
            ledger.set_rate(currency, rate);
        }
        ledger.advance(event.known_at);
    }
}

/// Slows the sources down that a drill names.
fn slow_down(shelf: Option<&Arc<Shelf>>, drills: &[Drill]) {
    if let Some(shelf) = shelf.filter(|_| !drills.is_empty()) {
        shelf.change(|deployed| deployed.drill(|name| delay(drills, name)));
    }
}

/// The model version that a deployment names, loaded and compiled; nothing for other edits.
pub(crate) fn load_member(
    plan: &Plan,
    store: &ModelStore,
    control: &Control,
) -> Result<Option<Version>, EngineError> {
    let Control::Deploy {
        use_case,
        member,
        version,
    } = control
    else {
        return Ok(None);
    };
    let position = plan.position(use_case);
    let position = position.ok_or_else(|| EngineError::unknown_use_case(use_case, plan))?;
    if plan.use_cases[position].declared.ranking.is_some() {
        return load_ranked(plan, store, (position, member, version)).map(Some);
    }
    let model = member.strip_suffix(CHALLENGER).unwrap_or(member);
    let artifact = store.get(use_case, model, version)?;
    let loaded = ArtifactMember::new(Arc::new(artifact));
    let columns = &plan.use_cases[position].columns;
    Ok(Some(Version {
        member: in_rows_of(loaded, columns, member)?,
        source: None,
        order: None,
    }))
}

/// The same of what answers where items are ranked: a source that scores items, or a ranker that
/// orders candidates; neither reads rows.
fn load_ranked(
    plan: &Plan,
    store: &ModelStore,
    (position, member, version): (usize, &str, &str),
) -> Result<Version, EngineError> {
    let plan = &plan.use_cases[position];
    let use_case = &plan.declared;
    if member.ends_with(CHALLENGER) {
        return Err(EngineError::NotFound(format!(
            "`{}` ranks items: a source answers with its weight or not at all, and has no \
             challenger",
            use_case.name
        )));
    }
    let mut models = use_case.models.iter();
    let orders = models.any(|model| model.name == member && model.ranker().is_some());
    let (source, order) = match (orders, &use_case.ranking) {
        (true, Some(ranking)) => {
            let columns = Arc::new(candidate_columns(use_case, ranking));
            let artifact = store.get(&use_case.name, member, version)?;
            let order = LoadedOrder::new(artifact, (member, version), &columns);
            (None, Some(order.map_err(EngineError::NotEnough)?))
        }
        _ => {
            let source = store.get_recommender(&use_case.name, member, version)?;
            (Some(source), None)
        }
    };
    let columns = Arc::clone(&plan.columns);
    let why = "it scores items, not rows";
    Ok(Version {
        member: Arc::new(Unusable::new(member, version, columns, why)),
        source: source.map(Arc::new),
        order: order.map(Arc::new),
    })
}

/// For how long ids have to be known: an older event is too late to count twice.
fn ids_kept(plan: &Plan) -> Span {
    let lateness = plan.types.iter().map(|kind| kind.lateness);
    let outcomes = plan
        .use_cases
        .iter()
        .filter_map(|plan| plan.declared.outcome.as_ref());
    lateness
        .chain(outcomes.map(|outcome| outcome.closes))
        .fold(IDS_KEPT_AT_LEAST, Span::max)
}

/// The event as its type is declared today: fields that are new are missing in it.
pub(crate) fn as_declared(event: &Arc<Event>, kind: &Arc<EventType>) -> Arc<Event> {
    if event.kind == *kind {
        return Arc::clone(event);
    }
    Arc::new(acumen_event::conform(event, kind))
}

/// The key by which the decision on an event is found.
fn event_key(kind: &str, id: &str) -> Key {
    Key::of(&format!("{kind}\u{0}{id}"))
}
