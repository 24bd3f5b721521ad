//! Candidates into a list: blended, ranked for several objectives, explored, explained.

use std::sync::Arc;

use acumen_base::random::Stream;
use acumen_decision::ranking::{
    Caps, Chance, Draws, Likeness, Measured, Ranked, Ranking, Refusals, Slate, measure, rank,
    rank_drawn, take,
};
use acumen_model::recommend::candidates::standardise;
use acumen_model::recommend::content::Together;

use super::ask::{RankedItem, SourceLine};
use super::asking::Found;
use super::catalogue::Catalogue;
use super::features::{Beyond, beyond, mark};
use super::places::{Next, Shown, as_drawn, chance, shown};
use super::serve::Ranker;
use super::sources::Deployed;
use super::visitors::Past;
use super::why::explain;
use super::wish::Wish;
use crate::spec::CapDecl;

/// How many times as many places are ranked as are shown, so that there is something to explore.
const SPARE: usize = 2;
/// How many times as many candidates are ranked as are shown, and how many at least.
const SHORTLIST: usize = 8;
const SHORTLIST_LEAST: usize = 80;

/// A list with what the log keeps of it.
pub(super) struct Listed {
    pub(super) places: Vec<Place>,
    pub(super) measured: Measured,
    /// What each source weighed.
    pub(super) weights: Vec<f32>,
    /// What the ranker and the bandit did, where there are any.
    pub(super) beside: Vec<SourceLine>,
    pub(super) left_out: Refusals,
}

/// One place.
pub(super) struct Place {
    pub(super) item: RankedItem,
    /// What was known of it.
    pub(super) context: Vec<f32>,
}

/// The candidates that may be shown still, with what is known of them.
struct Facts {
    numbers: Vec<u32>,
    ids: Vec<Arc<str>>,
    novelty: Vec<f32>,
    value: Vec<f32>,
    /// How often each was shown to the visitor lately.
    seen: Vec<f32>,
    /// The attributes of each, where no source knows all by their words.
    words: Vec<Arc<[u32]>>,
    /// The candidates by their words, where a source knows all of them.
    together: Option<Together>,
    /// By cap, the group of each candidate.
    groups: Vec<Vec<u32>>,
}

/// The candidates of a request in the order in which an ensemble would show them without chance, or
/// the list that was drawn.
pub(super) struct InOrder<'a> {
    facts: Facts,
    /// What is known of each candidate.
    contexts: Vec<Vec<f32>>,
    ranking: Ranking,
    /// What speaks for candidates, by name.
    names: Vec<&'a str>,
    left_out: Option<Refusals>,
    /// Where the list was drawn, with each place its probability and whether none was likelier.
    drawn: Option<Vec<(f64, bool)>>,
}

impl InOrder<'_> {
    /// The ids, the first first.
    pub(super) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        let list = self.ranking.list.iter();
        list.map(|ranked| &self.facts.ids[ranked.candidate])
    }

    /// How likely the places of a list that was shown are, given those before them, and whether no
    /// other item was likelier; a drawn one is to be made with [`Next::Shown`] of that list.
    pub(super) fn chances(&self, shown: &[&str], epsilon: f64) -> Vec<(f64, bool)> {
        if let Some(drawn) = &self.drawn {
            let missing = std::iter::repeat_n((0.0, false), shown.len() - drawn.len());
            return drawn.iter().copied().chain(missing).collect();
        }
        let mut left: Vec<&str> = self.ids().map(|id| &**id).collect();
        left.truncate(ranked_for(shown.len()));
        shown
            .iter()
            .map(|item| chance(&mut left, item, epsilon))
            .collect()
    }
}

/// How many places are ranked for so many that are shown.
fn ranked_for(shown: usize) -> usize {
    SPARE * shown
}

/// How many candidates are ranked for so many that are shown.
fn shortlist(shown: usize) -> usize {
    SHORTLIST_LEAST.max(SHORTLIST * shown)
}

/// How many candidates are worth keeping for a list of so many, and the next: some may not be shown
/// by then.
pub(super) fn worth_keeping(shown: usize) -> usize {
    SPARE * shortlist(shown)
}

/// Ranks the candidates of a request by an ensemble.
pub(super) fn in_order<'a>(
    ranker: &'a Ranker,
    wish: &Wish<'_>,
    (found, ensemble): (&'a Found, Option<usize>),
    deployed: &'a Deployed,
    (next, id): (Next<'_>, &str),
) -> InOrder<'a> {
    let shelf = &ranker.shelf;
    let candidates = &found.asked.candidates;
    let (open, facts, beyond, left_out) = {
        let catalogue = shelf.catalogue();
        // What was put forward may have been kept from before they hid or bought it.
        let may = |at: &usize| wish.turns_away(&catalogue, candidates.items[*at]).is_none();
        let order = &found.asked.orders[ensemble.unwrap_or(0)];
        let order = order.iter().map(|at| *at as usize);
        // What is compared with every other, and judged by more than the sources, is not all that
        // each put forward.
        let open: Vec<usize> = order.filter(may).take(shortlist(wish.n)).collect();
        let short = open.len() < wish.n;
        let refusals = short.then(|| wish.left_out(&catalogue));
        let numbers = open.iter().map(|at| candidates.items[*at]).collect();
        let facts = Facts::of(
            &catalogue,
            (numbers, &wish.past),
            deployed,
            ranker.decl.caps.len(),
        );
        let by = (&*catalogue, &shelf.shelving);
        let learnt = shelf.columns.as_ref();
        let beyond = learnt.map(|_| beyond(by, &facts.numbers, &wish.past, wish.now));
        (open, facts, beyond, refusals)
    };
    let said: Vec<Vec<f32>> = candidates
        .scores
        .iter()
        .map(|scores| open.iter().map(|at| scores[*at]).collect())
        .collect();
    let width = shelf
        .columns
        .as_ref()
        .map_or(0, |columns| columns.len() + 1);
    let moment = shelf.moments.numbers(&wish.moment);
    let mut contexts = contexts((&said, width), &facts, &moment);
    if let (Some(columns), Some(beyond)) = (&shelf.columns, beyond) {
        // Of whichever ensemble: a column means the same in every list.
        let usual = shelf.names.iter();
        let usual = usual.map(|name| deployed.weight(&ranker.decl, name));
        extend(
            &mut contexts,
            &usual.collect::<Vec<f32>>(),
            &beyond,
            mark(columns),
        );
    }
    let weight = |name: &String| deployed.weight_in(&ranker.decl, ensemble, name);
    let mut weights: Vec<f32> = shelf.names.iter().map(weight).collect();
    let by = (ranker.seed, id);
    let bandit = shelf.explored(ranker.bandit, &contexts, by);
    let stand_in: Option<Vec<f32>> = found
        .fallback
        .as_ref()
        .map(|fallback| open.iter().map(|at| fallback.scores[*at]).collect());
    let mut names: Vec<&str> = shelf.names.iter().map(String::as_str).collect();
    let answered = said.iter().zip(&found.asked.proposals);
    let mut sources: Vec<Option<&[f32]>> = answered
        .map(|(scores, proposal)| proposal.is_some().then_some(&scores[..]))
        .collect();
    let order = deployed.ranker(&ranker.decl);
    let order = order.filter(|_| found.fallback.is_none());
    let ordered = order.map(|order| {
        let mut scores = order.scores(&contexts);
        standardise(&mut scores);
        (order.name.as_str(), scores)
    });
    if let Some((name, scores)) = &ordered {
        sources.fill(None);
        names.push(name);
        sources.push(Some(scores));
        weights.push(weights.iter().sum());
    }
    if let Some(name) = &shelf.bandit_name {
        names.push(name);
        sources.push(bandit.as_ref().map(|bandit| bandit.scores.as_slice()));
        weights.push(weight(name));
    }
    if let (Some(fallback), Some(said)) = (&found.fallback, &stand_in) {
        names.push(&fallback.name);
        sources.push(Some(said));
        weights.push(1.0);
    }
    let likeness = facts.likeness();
    let slate = facts.slate(sources, &likeness);
    let mut objectives = ranker.decl.objectives_of(ensemble);
    objectives.diversity = wish.request.diversity.unwrap_or(objectives.diversity);
    let caps = facts.caps(&ranker.decl.caps);
    let drawn = bandit.as_ref().and_then(|bandit| {
        let source = names
            .iter()
            .position(|name| Some(*name) == shelf.bandit_name.as_deref())?;
        Some(Draws {
            source,
            scores: bandit.drawn.as_deref()?,
            epsilon: ranker.decl.explore,
        })
    });
    let (ranking, drawn) = match drawn {
        None => {
            let ranked = ranked_for(wish.n);
            (rank(&slate, &weights, &objectives, caps, ranked), None)
        }
        Some(draws) => {
            let mut stream = Stream::new(ranker.seed.derive("places").derive(id));
            let mut place = 0;
            let next = |chances: &[Chance]| match next {
                Next::Drawn => take(chances, stream.unit()),
                Next::Shown(items) => {
                    place += 1;
                    let item = items.get(place - 1)?;
                    let is_it = |chance: &&Chance| *facts.ids[chance.candidate] == **item;
                    chances.iter().find(is_it).map(|chance| chance.candidate)
                }
            };
            let caps = (caps, wish.n);
            let (ranking, shown) = rank_drawn(&slate, &weights, &objectives, caps, &draws, next);
            (ranking, Some(shown))
        }
    };
    drop(likeness);
    InOrder {
        facts,
        contexts,
        ranking,
        names,
        left_out,
        drawn,
    }
}

/// Makes the list of a request.
pub(super) fn list(
    ranker: &Ranker,
    wish: &Wish<'_>,
    (found, ensemble): (&Found, Option<usize>),
    deployed: &Deployed,
    id: &str,
) -> Listed {
    let InOrder {
        facts,
        contexts,
        ranking,
        names,
        left_out,
        drawn,
    } = in_order(ranker, wish, (found, ensemble), deployed, (Next::Drawn, id));
    let shown = match drawn {
        Some(drawn) => as_drawn(drawn),
        None => shown(&ranking, wish.n, ranker.decl.explore, (ranker.seed, id)),
    };
    let places: Vec<&Ranked> = shown.iter().map(|shown| &ranking.list[shown.at]).collect();
    let measured = measure(&facts.slate(Vec::new(), &facts.likeness()), &places);
    let place = |(place, shown): (usize, Shown)| {
        let ranked = &ranking.list[shown.at];
        let number = facts.numbers[ranked.candidate];
        let explained = wish.request.explain;
        let known = &contexts[ranked.candidate];
        let why = || explain(ranker, wish, deployed, (ranked, &names, known), number);
        Place {
            context: contexts[ranked.candidate].clone(),
            item: RankedItem {
                item: Arc::clone(&facts.ids[ranked.candidate]),
                place: place + 1,
                score: ranked.merit,
                propensity: shown.propensity,
                explored: shown.explored,
                attributes: match explained {
                    true => ranker.shelf.attributes(number),
                    false => Vec::new(),
                },
                why: explained.then(why),
            },
        }
    };
    let beside = beside(ranker, deployed, (&names, &ranking.weights));
    Listed {
        places: shown.into_iter().enumerate().map(place).collect(),
        measured,
        weights: ranking.weights,
        beside,
        left_out: left_out.unwrap_or_default(),
    }
}

/// What speaks for candidates besides the sources.
fn beside(
    ranker: &Ranker,
    deployed: &Deployed,
    (names, weights): (&[&str], &[f32]),
) -> Vec<SourceLine> {
    let order = deployed.ranker(&ranker.decl);
    let bandit = ranker.shelf.bandit_name.as_deref();
    let line = |(name, weight): (&&str, &f32)| {
        let order = order.filter(|order| order.name == *name);
        (order.is_some() || bandit == Some(*name)).then(|| SourceLine {
            name: (*name).to_owned(),
            version: order.map(|order| order.version.clone()),
            weight: *weight,
            status: "answered",
            took_us: 0,
        })
    };
    let all = names.iter().zip(weights).skip(ranker.shelf.names.len());
    all.filter_map(line).collect()
}

impl Facts {
    fn of(
        catalogue: &Catalogue,
        (numbers, past): (Vec<u32>, &Past),
        deployed: &Deployed,
        caps: usize,
    ) -> Facts {
        let largest = numbers.iter().max().copied().unwrap_or(0);
        let content = deployed.content();
        let content = content.filter(|content| (largest as usize) < content.n_items());
        let items = || numbers.iter().map(|number| catalogue.item(*number));
        Facts {
            ids: items().map(|item| Arc::clone(&item.id)).collect(),
            novelty: numbers
                .iter()
                .map(|number| catalogue.novelty(*number))
                .collect(),
            value: items().map(|item| item.value).collect(),
            seen: numbers
                .iter()
                .map(|number| past.times_seen(*number) as f32)
                .collect(),
            words: match content {
                Some(_) => Vec::new(),
                None => items().map(|item| Arc::clone(&item.words)).collect(),
            },
            together: content.map(|content| content.together(&numbers)),
            groups: (0..caps)
                .map(|cap| {
                    items()
                        .map(|item| item.groups.get(cap).copied().unwrap_or(0))
                        .collect()
                })
                .collect(),
            numbers,
        }
    }

    /// The candidates as they are ranked.
    fn slate<'a>(&'a self, sources: Vec<Option<&'a [f32]>>, likeness: Likeness<'a>) -> Slate<'a> {
        Slate {
            sources,
            novelty: &self.novelty,
            value: &self.value,
            seen: &self.seen,
            likeness,
        }
    }

    /// How alike candidates are: by their words where a source knows all of them, or else by the
    /// share of attributes in which they agree.
    fn likeness(&self) -> impl Fn(usize, &[usize], &mut Vec<f32>) {
        move |one, others, alike| match &self.together {
            Some(together) => together.likenesses(one, others, alike),
            None => {
                let others = others.iter().map(|other| &self.words[*other]);
                alike.extend(others.map(|other| share(&self.words[one], other)));
            }
        }
    }

    /// What a list may have of each group; items of no group are groups of their own.
    fn caps(&self, declared: &[CapDecl]) -> Caps {
        let mut caps = Caps::default();
        for (groups, CapDecl { most, .. }) in self.groups.iter().zip(declared) {
            let own = |(at, group): (usize, &u32)| match group {
                0 => u32::MAX - at as u32,
                group => *group,
            };
            caps = caps.with(groups.iter().enumerate().map(own).collect(), *most);
        }
        caps
    }
}

/// What the bandit is told of each candidate: a constant, what each source says, novelty, value, and
/// the moment; with room for `width` numbers.
fn contexts((said, width): (&[Vec<f32>], usize), facts: &Facts, moment: &[f32]) -> Vec<Vec<f32>> {
    let [mut novelty, mut value] = [facts.novelty.clone(), facts.value.clone()];
    standardise(&mut novelty);
    standardise(&mut value);
    let context = |at: usize| {
        let mut context = Vec::with_capacity(width.max(said.len() + 3 + moment.len()));
        context.push(1.0);
        context.extend(said.iter().map(|scores| scores[at]));
        context.extend([novelty[at], value[at]]);
        context.extend_from_slice(moment);
        context
    };
    (0..facts.numbers.len()).map(context).collect()
}

/// Adds what a ranker sees besides: the blend of the sources, what goes beyond what they say, and
/// which columns these are.
fn extend(contexts: &mut [Vec<f32>], weights: &[f32], beyond: &Beyond, mark: f32) {
    let sum = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    for (context, beyond) in contexts.iter_mut().zip(beyond.rows()) {
        let said = context[1..].iter().zip(weights);
        let blend = said.map(|(said, weight)| said * weight).sum::<f32>() / sum;
        context.push(blend);
        context.extend_from_slice(beyond);
        context.push(mark);
    }
}

/// The share of attributes in which two items agree.
fn share(a: &[u32], b: &[u32]) -> f32 {
    let agree = a.iter().zip(b).filter(|(a, b)| **a != 0 && a == b).count();
    agree as f32 / a.len().max(b.len()).max(1) as f32
}
