//! From a request to a list: context, candidates, ranking, post-processing, each within its budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use acumen_base::{Clock, Deadline, Key, ListedItem, Listing, MemberError, Seed, Span, Time};
use acumen_decision::ranking::{Refusals, TurnedAway};
use acumen_decision::{Outstanding, Pool, beside};
use acumen_model::recommend::candidates::best;
use acumen_model::recommend::{Candidates, Proposal};

use super::ask::{RankAnswer, RankRequest, SourceLine, StageLine};
use super::catalogue::{Catalogue, Shelving};
use super::kept::{Asked, KeptCandidates, Known, Made};
use super::listing::{Listed, in_order, list};
use super::shelf::{RankingStatus, Shelf};
use super::sources::Deployed;
use super::visitors::Past;
use crate::refusal::Refusal;
use crate::spec::{RankingDecl, StagesDecl, UseCase};

/// Items of a list, at most, and unless asked for.
pub const ITEMS_MAX: usize = 100;
const ITEMS: usize = 10;
/// What a request may name of each thing.
const NAMED_MAX: usize = 1_000;

/// What answers for a use case that ranks.
#[derive(Debug)]
pub(crate) struct Ranker {
    pub(crate) use_case: String,
    pub(crate) shelf: Arc<Shelf>,
    /// What lists are made for.
    pub(super) decl: RankingDecl,
    pool: Arc<Pool>,
    clock: Arc<dyn Clock>,
    seed: Seed,
    outstanding: Vec<Outstanding>,
    kept: Option<KeptCandidates>,
    /// What the ids of lists begin with, and how many there were.
    born: Time,
    lists: AtomicU64,
}

/// A request in the numbers of the items, with the past of whoever asks.
pub(super) struct Wish<'a> {
    pub(super) request: &'a RankRequest,
    pub(super) n: usize,
    pub(super) past: Past,
    /// Whoever asks; 0 is somebody of whom nothing is known.
    who: u128,
    pub(super) excluded: Vec<u32>,
    /// Whether the candidates would be those of any request of this visitor.
    usual: bool,
}

/// The candidates of a request and how they came about.
pub(super) struct Found {
    pub(super) asked: Arc<Asked>,
    pub(super) sources: Vec<SourceLine>,
    pub(super) cached: bool,
    pub(super) fallback: bool,
}

impl Ranker {
    /// What answers for a use case with this shelf.
    pub(crate) fn new(
        use_case: &UseCase,
        shelf: Arc<Shelf>,
        (pool, clock, seed): (Arc<Pool>, Arc<dyn Clock>, Seed),
    ) -> Ranker {
        Ranker {
            use_case: use_case.name.clone(),
            outstanding: shelf.names.iter().map(|_| Outstanding::default()).collect(),
            kept: use_case.serving.cache_ttl.map(KeptCandidates::new),
            decl: shelf.decl.clone(),
            born: clock.now(),
            lists: AtomicU64::new(0),
            shelf,
            pool,
            clock,
            seed,
        }
    }

    /// A list, and what the log keeps of it.
    ///
    /// # Errors
    /// Where the request names what there is not, or asks for what cannot be.
    pub(crate) fn rank(
        &self,
        request: &RankRequest,
        received_nanos: u64,
    ) -> Result<(RankAnswer, Listing), Refusal> {
        let mut stages = Stages::new(&*self.clock, self.decl.stages, received_nanos);
        let now = self.clock.now();
        let wish = self.wish(request)?;
        stages.end("context", stages.budget.context);
        let deployed = self.shelf.deployed();
        let found = self.candidates(&wish, &deployed, now);
        stages.end("candidates", stages.budget.candidates);
        let id = format!(
            "{}-{}",
            self.born.0,
            self.lists.fetch_add(1, Ordering::Relaxed)
        );
        let listed = list(self, &wish, &found, &deployed, (self.seed, &id));
        stages.end("ranking", stages.budget.ranking);
        let listing = self.listing(id, now, (request, &listed), &found);
        let mut answer = answer(&wish, listed, found, (&listing.id, now));
        stages.end("post_processing", stages.budget.post_processing);
        answer.stages = stages.lines;
        let took_us = (self.clock.nanos() - received_nanos) / 1_000;
        Ok((answer, Listing { took_us, ..listing }))
    }

    /// The same for lists that are made for something else, of the same shelf, with all the time
    /// that it takes, and nothing kept.
    pub(super) fn judging(self, decl: RankingDecl) -> Ranker {
        let mut ranker = Ranker {
            decl,
            kept: None,
            ..self
        };
        ranker.decl.stages.candidates = Span::days(1);
        ranker
    }

    /// The order in which items would be shown without chance, for so many places.
    pub(super) fn order(&self, request: &RankRequest) -> Result<Vec<Arc<str>>, Refusal> {
        let (now, wish) = (self.clock.now(), self.wish(request)?);
        let deployed = self.shelf.deployed();
        let found = self.candidates(&wish, &deployed, now);
        let order = in_order(self, &wish, &found, &deployed);
        Ok(order.ids().cloned().collect())
    }

    /// What it knows and has been told.
    pub(crate) fn status(&self) -> RankingStatus {
        self.shelf.status()
    }

    /// Reads what is known of whoever asks, and checks what they ask for.
    fn wish<'a>(&self, request: &'a RankRequest) -> Result<Wish<'a>, Refusal> {
        let n = request.n.unwrap_or(ITEMS);
        if !(1..=ITEMS_MAX).contains(&n) {
            let what = format!("a list has 1 to {ITEMS_MAX} items, not {n}");
            return Err(Refusal::Invalid(what));
        }
        if let Some(knob) = request.diversity.filter(|knob| !(0.0..1.0).contains(knob)) {
            let what = format!("`diversity` is {knob}: give a number from 0 to just below 1");
            return Err(Refusal::Invalid(what));
        }
        let named = request
            .events
            .len()
            .max(request.exclude.len())
            .max(request.filters.len());
        if named > NAMED_MAX {
            let what =
                format!("a request names {named} things of a kind, and {NAMED_MAX} are read");
            return Err(Refusal::Invalid(what));
        }
        let hearing = &self.shelf.hearing;
        let visitor = request.visitor.as_ref().map(|id| hearing.visitor_key(id));
        let session = request
            .session
            .as_ref()
            .and_then(|id| hearing.session_key(id));
        let who: Vec<Key> = visitor.into_iter().chain(session).collect();
        let mut past = self.shelf.past(&who);
        let catalogue = self.shelf.catalogue();
        for event in &request.events {
            let weight = hearing.weight_of(&event.kind);
            let weight = weight.ok_or_else(|| {
                Refusal::unknown(
                    "kind of feedback",
                    &event.kind,
                    hearing.kinds().collect::<Vec<_>>(),
                )
            })?;
            let item = number(&catalogue, &event.item)?;
            if weight != 0.0 {
                past.and_then(item, weight);
            }
        }
        let fields = self.shelf.shelving.attribute_names();
        if let Some(wrong) = request
            .filters
            .keys()
            .find(|name| !fields.contains(&name.as_str()))
        {
            return Err(Refusal::unknown("attribute", wrong, fields));
        }
        // An item that there is not is not shown anyway.
        let excluded = request.exclude.iter().filter_map(|id| catalogue.number(id));
        let mut excluded: Vec<u32> = excluded.collect();
        excluded.sort_unstable();
        let keys = who.iter().enumerate();
        let who = keys.fold(0, |all, (at, key)| all ^ key.0.rotate_left(at as u32 + 1));
        Ok(Wish {
            usual: request.events.is_empty() && request.filters.is_empty(),
            request,
            n,
            past,
            who,
            excluded,
        })
    }

    /// The candidates, kept or asked for.
    fn candidates(&self, wish: &Wish<'_>, deployed: &Arc<Deployed>, now: Time) -> Found {
        let made = Made {
            past: wish.past.version,
            epoch: deployed.epoch,
        };
        let kept = self.kept.as_ref().filter(|_| wish.usual);
        let known = kept.and_then(|kept| kept.get(wish.who, made, now));
        let (before, since) = match known {
            Some(Known::All(asked)) => return self.all_kept(deployed, asked),
            Some(Known::Items(asked, since)) => (Some(asked), since),
            None => (None, now),
        };
        let found = self.ask(wish, deployed, before.as_deref());
        // Of what only some sources said, the next request asks the others: it may hear them all.
        if let (Some(kept), false) = (kept, found.fallback) {
            kept.keep(wish.who, made, since, Arc::clone(&found.asked));
        }
        found
    }

    fn all_kept(&self, deployed: &Deployed, asked: Arc<Asked>) -> Found {
        let sources = self.lines(deployed, |_| ("cached", 0));
        Found {
            asked,
            sources,
            cached: true,
            fallback: false,
        }
    }

    /// Which items may be shown to this visitor.
    fn mask(&self, wish: &Wish<'_>) -> Vec<bool> {
        let catalogue = self.shelf.catalogue();
        let mut mask = catalogue.available().to_vec();
        for item in wish.past.hidden.iter().chain(&wish.past.had) {
            mask[*item as usize] = false;
        }
        if !wish.request.filters.is_empty() {
            let filters = &wish.request.filters;
            for (number, shown) in mask.iter_mut().enumerate().filter(|(_, shown)| **shown) {
                *shown = self
                    .shelf
                    .shelving
                    .has(catalogue.item(number as u32), filters);
            }
        }
        mask
    }

    /// Asks all sources beside each other what they put forward; one that is late is left out. Of
    /// sources that look at all items, what they put forward before is good enough while it is
    /// kept; what is said of it is of now.
    fn ask(&self, wish: &Wish<'_>, deployed: &Arc<Deployed>, before: Option<&Asked>) -> Found {
        let shelf = &self.shelf;
        let count = shelf.names.len();
        let mut proposals: Vec<Option<Arc<Proposal>>> = vec![None; count];
        let mut said: Vec<(&'static str, u64)> = vec![("not deployed", 0); count];
        let mut places = Vec::with_capacity(count);
        for (at, name) in shelf.names.iter().enumerate() {
            let Some(loaded) = deployed.sources.get(name) else {
                continue;
            };
            let known = before.and_then(|before| before.proposals[at].clone());
            // A source that had nothing to go by set no item apart from any other.
            let of_use = |known: &Arc<Proposal>| {
                known.deviation.is_finite() && !loaded.source().proposes_at_once()
            };
            match known.filter(of_use) {
                Some(known) => (proposals[at], said[at]) = (Some(known), ("cached", 0)),
                None => places.push(at),
            }
        }
        let mask = Arc::new(self.mask(wish));
        let past = Arc::new(wish.past.clone());
        let tasks = places.iter().map(|&at| {
            let loaded = Arc::clone(&deployed.sources[&shelf.names[at]]);
            let (past, mask) = (Arc::clone(&past), Arc::clone(&mask));
            let most = self.decl.candidates;
            let task = move || {
                loaded.delay.into_iter().for_each(thread::sleep);
                loaded.propose(&past, &mask, most)
            };
            (&self.outstanding[at], task)
        });
        let micros = self.decl.stages.candidates.0.max(0) as u64 * 1_000;
        let deadline = Deadline::after(Arc::clone(&self.clock), self.clock.nanos(), micros);
        let answers = beside(&self.pool, tasks.collect(), (&self.clock, &deadline));
        for (&at, (answer, took_us)) in places.iter().zip(answers) {
            said[at] = match &answer {
                Ok(_) => ("answered", took_us),
                Err(MemberError::Failed(_)) => ("failed", took_us),
                Err(_) => ("late", took_us),
            };
            proposals[at] = answer.ok().map(Arc::new);
        }
        let fallback = proposals.iter().all(Option::is_none);
        let candidates = match fallback {
            true => self.fall_back(deployed, &mask, &mut proposals),
            false => self.said_of_all(wish, deployed, &proposals),
        };
        Found {
            cached: said.iter().any(|(status, _)| *status == "cached"),
            sources: self.lines(deployed, |at| said[at]),
            asked: Arc::new(Asked {
                candidates,
                proposals,
            }),
            fallback,
        }
    }

    /// Everything that was put forward, with what each source says of it.
    fn said_of_all(
        &self,
        wish: &Wish<'_>,
        deployed: &Deployed,
        proposals: &[Option<Arc<Proposal>>],
    ) -> Candidates {
        let items = proposals
            .iter()
            .flatten()
            .flat_map(|proposal| &proposal.items);
        let mut items: Vec<u32> = items.copied().collect();
        items.sort_unstable();
        items.dedup();
        let names = self.shelf.names.iter().zip(proposals);
        let scores =
            names.map(
                |(name, proposal)| match proposal.as_ref().zip(deployed.sources.get(name)) {
                    Some((proposal, loaded)) => loaded.score_some(&wish.past, &items, proposal),
                    None => vec![0.0; items.len()],
                },
            );
        let scores = scores.collect();
        Candidates { items, scores }
    }

    /// The declared fallback, or what was touched most: it always answers.
    fn fall_back(
        &self,
        deployed: &Deployed,
        mask: &[bool],
        proposals: &mut [Option<Arc<Proposal>>],
    ) -> Candidates {
        let shelf = &self.shelf;
        let (nobody, most) = (Past::default(), self.decl.candidates);
        let name = self.decl.fallback.as_ref();
        let place = name.and_then(|name| shelf.names.iter().position(|known| known == name));
        let loaded = name.and_then(|name| deployed.sources.get(name));
        let (items, said) = match loaded {
            Some(loaded) => {
                let proposal = loaded.propose(&nobody, mask, most);
                let said = loaded.score_some(&nobody, &proposal.items, &proposal);
                (proposal.items, said)
            }
            None => {
                let catalogue = shelf.catalogue();
                let numbers = 0..mask.len().min(catalogue.len()) as u32;
                let familiar: Vec<f32> = numbers.map(|n| -catalogue.novelty(n)).collect();
                let items = best(&familiar, &mask[..familiar.len()], most);
                let said = items.iter().map(|item| familiar[*item as usize]).collect();
                (items, said)
            }
        };
        let mut scores = vec![vec![0.0; items.len()]; shelf.names.len()];
        let place = place.unwrap_or(0);
        if let (Some(scores), Some(proposal)) = (scores.get_mut(place), proposals.get_mut(place)) {
            *scores = said;
            *proposal = Some(Arc::new(Proposal {
                items: items.clone(),
                mean: 0.0,
                deviation: 1.0,
            }));
        }
        Candidates { items, scores }
    }

    fn lines(
        &self,
        deployed: &Deployed,
        said: impl Fn(usize) -> (&'static str, u64),
    ) -> Vec<SourceLine> {
        let names = self.shelf.names.iter().enumerate();
        let line = |(at, name): (usize, &String)| {
            let (status, took_us) = said(at);
            let loaded = deployed.sources.get(name);
            SourceLine {
                name: name.clone(),
                version: loaded.map(|loaded| loaded.version.clone()),
                weight: 0.0,
                status,
                took_us,
            }
        };
        names.map(line).collect()
    }

    /// What the log keeps of a list.
    fn listing(
        &self,
        id: String,
        at: Time,
        (request, listed): (&RankRequest, &Listed),
        found: &Found,
    ) -> Listing {
        let place = |place: &super::listing::Place| ListedItem {
            item: place.item.item.to_string(),
            score: place.item.score,
            propensity: place.item.propensity,
            context: place.context.clone(),
        };
        let version = |line: &SourceLine| Some((line.name.clone(), line.version.clone()?));
        Listing {
            id,
            use_case: self.use_case.clone(),
            at,
            visitor: request.visitor.clone(),
            session: request.session.clone(),
            places: listed.places.iter().map(place).collect(),
            sources: found.sources.iter().filter_map(version).collect(),
            took_us: 0,
        }
    }
}

/// The number of an item that a request names.
pub(super) fn number(catalogue: &Catalogue, id: &str) -> Result<u32, Refusal> {
    catalogue.number(id).ok_or_else(|| {
        let near = catalogue
            .nearest(id)
            .map(|near| format!(": did you mean `{near}`?"));
        let what = format!("there is no item `{id}`{}", near.unwrap_or_default());
        Refusal::NotFound { what }
    })
}

fn answer(wish: &Wish<'_>, listed: Listed, found: Found, (id, at): (&str, Time)) -> RankAnswer {
    let short = listed.places.len() < wish.n;
    let because = || match listed.left_out.total() {
        0 => "there are no more items that may be shown".to_owned(),
        _ => format!("of the items, {}", listed.left_out.in_words()),
    };
    let mut sources = found.sources;
    for (line, weight) in sources.iter_mut().zip(&listed.weights) {
        line.weight = *weight;
    }
    sources.extend(listed.bandit);
    RankAnswer {
        id: id.to_owned(),
        at,
        short_because: short.then(because),
        items: listed.places.into_iter().map(|place| place.item).collect(),
        objectives: listed.measured,
        sources,
        stages: Vec::new(),
        cached: found.cached,
        fallback: found.fallback,
        left_out: listed.left_out,
    }
}

/// The stages of a request as they end.
struct Stages<'a> {
    clock: &'a dyn Clock,
    budget: StagesDecl,
    since: u64,
    lines: Vec<StageLine>,
}

impl Stages<'_> {
    fn new(clock: &dyn Clock, budget: StagesDecl, since: u64) -> Stages<'_> {
        Stages {
            clock,
            budget,
            since,
            lines: Vec::with_capacity(4),
        }
    }

    fn end(&mut self, name: &'static str, budget: Span) {
        let now = self.clock.nanos();
        self.lines.push(StageLine {
            name,
            took_us: now.saturating_sub(self.since) / 1_000,
            budget_us: budget.0.max(0) as u64 * 1_000,
        });
        self.since = now;
    }
}

/// Why each item of a catalogue may not be shown to a visitor, counted.
pub(super) fn left_out(catalogue: &Catalogue, wish: &Wish<'_>, shelving: &Shelving) -> Refusals {
    let mut refusals = Refusals::default();
    let is = |list: &[u32], item: u32| list.binary_search(&item).is_ok();
    for (number, available) in (0..).zip(catalogue.available()) {
        let reason = match *available {
            false => TurnedAway::Unavailable,
            true if is(&wish.excluded, number) => TurnedAway::Excluded,
            true if is(&wish.past.hidden, number) => TurnedAway::Hidden,
            true if is(&wish.past.had, number) => TurnedAway::Had,
            true if shelving.has(catalogue.item(number), &wish.request.filters) => continue,
            true => TurnedAway::Filtered,
        };
        refusals.count(reason);
    }
    refusals
}
