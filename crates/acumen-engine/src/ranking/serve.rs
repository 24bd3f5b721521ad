//! From a request to a list: context, candidates, ranking, post-processing, each within its budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use acumen_base::{Circumstances, Clock, EnsembleChoice, ListedItem, Listing, Seed, Span, Time};
use acumen_decision::Pool;
use acumen_decision::bandit::BanditSpec;

use super::ask::{RankAnswer, RankRequest, SourceLine, StageLine};
use super::asking::Found;
use super::choosing::{Chosen, known};
use super::kept::KeptCandidates;
use super::listing::{Listed, Place, in_order, list};
use super::places::Next;
use super::shelf::{RankingStatus, Shelf};
use super::wish::Wish;
use crate::refusal::Refusal;
use crate::spec::{BanditDecl, RankingDecl, StagesDecl, UseCase};

/// An ensemble that might have made a list.
pub(super) struct Might {
    /// Its name; `None` where there is nothing to choose.
    pub(super) ensemble: Option<String>,
    /// How likely it is to be chosen.
    pub(super) chance: f64,
    /// The probability of each place, given those before it, and whether no other item was likelier.
    pub(super) places: Vec<(f64, bool)>,
}

/// What answers for a use case that ranks.
#[derive(Debug)]
pub(crate) struct Ranker {
    pub(crate) use_case: String,
    pub(crate) shelf: Arc<Shelf>,
    /// What lists are made for.
    pub(super) decl: RankingDecl,
    /// Threads of each source, in the order of the names: one that hangs holds up no other.
    pub(super) threads: Vec<Arc<Pool>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) seed: Seed,
    /// How the bandit explores, where one is declared.
    pub(super) bandit: Option<BanditSpec>,
    pub(super) kept: Option<KeptCandidates>,
    /// What the ids of lists begin with, and how many there were.
    born: Time,
    lists: AtomicU64,
}

impl Ranker {
    /// What answers for a use case with this shelf; each source runs on so many threads.
    pub(crate) fn new(
        use_case: &UseCase,
        shelf: Arc<Shelf>,
        threads: usize,
        (clock, seed): (Arc<dyn Clock>, Seed),
    ) -> Ranker {
        Ranker {
            use_case: use_case.name.clone(),
            threads: shelf.names.iter().map(|_| Pool::new(threads, 0)).collect(),
            kept: use_case.serving.cache_ttl.map(KeptCandidates::new),
            decl: shelf.decl.clone(),
            bandit: BanditDecl::of(use_case),
            born: clock.now(),
            lists: AtomicU64::new(0),
            shelf,
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
        let wish = Wish::of(&self.shelf, request, now)?;
        stages.end("context", stages.budget.context);
        let deployed = self.shelf.deployed();
        let found = self.candidates(&wish, &deployed, now);
        stages.end("candidates", stages.budget.candidates);
        let id = format!(
            "{}-{}",
            self.born.0,
            self.lists.fetch_add(1, Ordering::Relaxed)
        );
        let chosen = self.choose(&wish, &found, &id);
        let ensemble = chosen.as_ref().map(|chosen| chosen.at);
        let listed = list(self, &wish, (&found, ensemble), &deployed, &id);
        stages.end("ranking", stages.budget.ranking);
        let line = chosen.as_ref().map(|chosen| chosen.line(request.explain));
        let choice = chosen.map(|chosen| chosen.choice);
        let listing = self.listing((id, choice), &wish, &listed, &found);
        let mut answer = answer(&wish, listed, found, (&listing.id, now));
        answer.ensemble = line;
        stages.end("post_processing", stages.budget.post_processing);
        answer.stages = stages.lines;
        let took_us = (self.clock.nanos() - received_nanos) / 1_000;
        Ok((answer, Listing { took_us, ..listing }))
    }

    /// The same for lists that are made for something else, of the same shelf, with all the time
    /// that it takes, and nothing kept.
    pub(super) fn judging(self, decl: RankingDecl, bandit: Option<BanditSpec>) -> Ranker {
        let mut ranker = Ranker {
            decl,
            bandit,
            kept: None,
            ..self
        };
        ranker.decl.stages.candidates = Span::days(1);
        ranker
    }

    /// The ensemble that makes a list; `None` where there is nothing to choose, or the fallback
    /// alone answers, in which no ensemble has a part.
    fn choose(&self, wish: &Wish<'_>, found: &Found, id: &str) -> Option<Chosen> {
        if found.fallback.is_some() {
            return None;
        }
        let chooser = self.shelf.chooser(&self.decl)?;
        let known = known(wish, &self.shelf.moments);
        chooser.choose(known, (self.seed, id)).ok()
    }

    /// How a list that was shown might have come about: each ensemble that might have made it, with
    /// its probability and that of every place.
    pub(super) fn might(
        &self,
        request: &RankRequest,
        (now, id): (Time, &str),
        shown: &[&str],
    ) -> Result<Vec<Might>, Refusal> {
        let wish = Wish::of(&self.shelf, request, now)?;
        let deployed = self.shelf.deployed();
        let found = self.candidates(&wish, &deployed, now);
        let of = |(ensemble, chance): (Option<usize>, f64)| {
            let again = (Next::Shown(shown), id);
            let order = in_order(self, &wish, (&found, ensemble), &deployed, again);
            Might {
                ensemble: ensemble.map(|at| self.decl.ensembles[at].name.clone()),
                chance,
                places: order.chances(shown, self.decl.explore),
            }
        };
        let probabilities = match self.choose(&wish, &found, id) {
            Some(chosen) => chosen.choice.probabilities,
            None => return Ok(vec![of((None, 1.0))]),
        };
        let ensembles = (0..).map(Some).zip(probabilities);
        let possible = ensembles.map(|(at, (_, chance))| (at, chance));
        Ok(possible.map(of).collect())
    }

    /// Whether no source needs a thread of its own.
    pub(crate) fn is_quick(&self) -> bool {
        let deployed = self.shelf.deployed();
        deployed.sources.values().all(|loaded| loaded.is_quick())
    }

    /// What it knows and has been told.
    pub(crate) fn status(&self) -> RankingStatus {
        self.shelf.status()
    }

    /// What the log keeps of a list.
    fn listing(
        &self,
        (id, choice): (String, Option<EnsembleChoice>),
        wish: &Wish<'_>,
        listed: &Listed,
        found: &Found,
    ) -> Listing {
        let place = |place: &Place| ListedItem {
            item: place.item.item.to_string(),
            score: place.item.score,
            propensity: place.item.propensity,
            context: place.context.clone(),
        };
        let version = |line: &SourceLine| Some((line.name.clone(), line.version.clone()?));
        let lines = found.sources.iter().chain(&listed.beside);
        Listing {
            id,
            use_case: self.use_case.clone(),
            at: wish.now,
            visitor: wish.request.visitor.clone(),
            session: wish.request.session.clone(),
            places: listed.places.iter().map(place).collect(),
            sources: lines.filter_map(version).collect(),
            took_us: 0,
            circumstances: Circumstances {
                context: wish.moment.said().to_vec(),
                choice,
            },
        }
    }
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
    sources.extend(listed.beside);
    RankAnswer {
        id: id.to_owned(),
        at,
        short_because: short.then(because),
        items: listed.places.into_iter().map(|place| place.item).collect(),
        objectives: listed.measured,
        ensemble: None,
        sources,
        stages: Vec::new(),
        cached: found.cached,
        fallback: found.fallback.is_some(),
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
