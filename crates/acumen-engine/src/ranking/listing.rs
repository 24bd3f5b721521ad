//! Candidates into a list: blended, ranked for several objectives, explored, explained.

use std::collections::HashMap;
use std::sync::Arc;

use acumen_base::Seed;
use acumen_decision::bandit::explore_slate;
use acumen_decision::ranking::{Caps, Ranked, Ranking, Refusals, Slate, rank};
use acumen_model::recommend::Candidates;

use super::ask::{Measured, RankedItem, SourceLine};
use super::asking::Found;
use super::catalogue::Catalogue;
use super::features::{beyond, mark};
use super::serve::Ranker;
use super::sources::Deployed;
use super::why::explain;
use super::wish::Wish;
use crate::spec::CapDecl;

/// How many times as many places are ranked as are shown, so that there is something to explore.
const SPARE: usize = 2;
/// How many times as many candidates are ranked as are shown, and how many at least.
const SHORTLIST: usize = 10;
const SHORTLIST_LEAST: usize = 100;

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
    words: Vec<Vec<u32>>,
    /// By cap, the group of each candidate.
    groups: Vec<Vec<u32>>,
}

/// The candidates of a request in the order in which they would be shown without chance.
pub(super) struct InOrder<'a> {
    facts: Facts,
    /// What is known of each candidate.
    contexts: Vec<Vec<f32>>,
    ranking: Ranking,
    /// What speaks for candidates, by name.
    names: Vec<&'a str>,
    left_out: Option<Refusals>,
}

impl InOrder<'_> {
    /// The ids, the first first.
    pub(super) fn ids(&self) -> impl Iterator<Item = &Arc<str>> {
        let list = self.ranking.list.iter();
        list.map(|ranked| &self.facts.ids[ranked.candidate])
    }
}

/// How many places are ranked for so many that are shown.
pub(super) fn ranked_for(shown: usize) -> usize {
    SPARE * shown
}

/// Ranks the candidates of a request.
pub(super) fn in_order<'a>(
    ranker: &'a Ranker,
    wish: &Wish<'_>,
    found: &'a Found,
    deployed: &'a Deployed,
) -> InOrder<'a> {
    let shelf = &ranker.shelf;
    let candidates = &found.asked.candidates;
    let (open, facts, beyond, left_out) = {
        let catalogue = shelf.catalogue();
        // What was put forward may have been kept from before they hid or bought it.
        let may = |at: &usize| wish.turns_away(&catalogue, candidates.items[*at]).is_none();
        let mut open: Vec<usize> = (0..candidates.items.len()).filter(may).collect();
        let short = open.len() < wish.n;
        if found.fallback.is_none() {
            shortlist(&mut open, candidates, ranker, deployed, wish.n);
        }
        let refusals = short.then(|| wish.left_out(&catalogue));
        let numbers = open.iter().map(|at| candidates.items[*at]).collect();
        let facts = Facts::of(&catalogue, numbers, ranker.decl.caps.len());
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
    let mut contexts = contexts(&said, &facts);
    let mut weights: Vec<f32> = shelf
        .names
        .iter()
        .map(|name| deployed.weight(&ranker.decl, name))
        .collect();
    if let (Some(columns), Some(beyond)) = (&shelf.columns, beyond) {
        extend(&mut contexts, &weights, beyond, mark(columns));
    }
    let bandit = shelf.bandit_scores(&contexts).map(|mut scores| {
        standardise(&mut scores);
        scores
    });
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
        sources.push(bandit.as_deref());
        weights.push(deployed.weight(&ranker.decl, name));
    }
    if let (Some(fallback), Some(said)) = (&found.fallback, &stand_in) {
        names.push(&fallback.name);
        sources.push(Some(said));
        weights.push(1.0);
    }
    let likeness = facts.likeness(deployed);
    let slate = Slate {
        sources,
        novelty: &facts.novelty,
        value: &facts.value,
        likeness: &likeness,
    };
    let mut objectives = ranker.decl.objectives;
    objectives.diversity = wish.request.diversity.unwrap_or(objectives.diversity);
    let caps = facts.caps(&ranker.decl.caps);
    let ranking = rank(&slate, &weights, &objectives, caps, ranked_for(wish.n));
    drop(likeness);
    InOrder {
        facts,
        contexts,
        ranking,
        names,
        left_out,
    }
}

/// Leaves the candidates that the sources together say most for: what is compared with every other,
/// and judged by more than them, is not all that each put forward.
fn shortlist(
    open: &mut Vec<usize>,
    candidates: &Candidates,
    ranker: &Ranker,
    deployed: &Deployed,
    n: usize,
) {
    let most = SHORTLIST_LEAST.max(SHORTLIST * n);
    if open.len() <= most {
        return;
    }
    let mut blended = vec![0.0; candidates.items.len()];
    for (name, scores) in ranker.shelf.names.iter().zip(&candidates.scores) {
        let weight = deployed.weight(&ranker.decl, name);
        let sums = blended.iter_mut().zip(scores);
        sums.for_each(|(sum, score)| *sum += weight * score);
    }
    let by = |a: &usize, b: &usize| blended[*b].total_cmp(&blended[*a]).then(a.cmp(b));
    open.select_nth_unstable_by(most - 1, by);
    open.truncate(most);
    open.sort_unstable();
}

/// Makes the list of a request.
pub(super) fn list(
    ranker: &Ranker,
    wish: &Wish<'_>,
    found: &Found,
    deployed: &Deployed,
    (seed, id): (Seed, &str),
) -> Listed {
    let InOrder {
        facts,
        contexts,
        ranking,
        names,
        left_out,
    } = in_order(ranker, wish, found, deployed);
    let shown = shown(&ranking, wish.n, ranker.decl.explore, (seed, id));
    let places: Vec<usize> = shown
        .iter()
        .map(|(at, _)| ranking.list[*at].candidate)
        .collect();
    let measured = measure(&ranking, &places, &facts, &facts.likeness(deployed));
    let place = |(place, (at, propensity)): (usize, (usize, f64))| {
        let ranked = &ranking.list[at];
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
                propensity,
                explored: at != place,
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

/// The places that are shown, with the propensity of each.
fn shown(ranking: &Ranking, n: usize, epsilon: f64, by: (Seed, &str)) -> Vec<(usize, f64)> {
    let order: Vec<u32> = (0..ranking.list.len() as u32).collect();
    let shown = explore_slate(&order, n, epsilon, by).into_iter();
    shown
        .map(|shown| (shown.candidate as usize, shown.propensity))
        .collect()
}

impl Facts {
    fn of(catalogue: &Catalogue, numbers: Vec<u32>, caps: usize) -> Facts {
        let items = || numbers.iter().map(|number| catalogue.item(*number));
        Facts {
            ids: items().map(|item| Arc::clone(&item.id)).collect(),
            novelty: numbers
                .iter()
                .map(|number| catalogue.novelty(*number))
                .collect(),
            value: items().map(|item| item.value).collect(),
            words: items().map(|item| item.words.clone()).collect(),
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

    /// How alike two candidates are: by their words where a source knows both, or else by the
    /// share of attributes in which they agree.
    fn likeness<'a>(&'a self, deployed: &'a Deployed) -> impl Fn(usize, usize) -> f32 + 'a {
        let alike = deployed.likeness();
        move |a, b| {
            let by_words = alike
                .as_ref()
                .and_then(|alike| alike(self.numbers[a], self.numbers[b]));
            by_words.unwrap_or_else(|| share(&self.words[a], &self.words[b]))
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

/// What the bandit is told of each candidate: a constant, what each source says, novelty, value.
fn contexts(said: &[Vec<f32>], facts: &Facts) -> Vec<Vec<f32>> {
    let [mut novelty, mut value] = [facts.novelty.clone(), facts.value.clone()];
    standardise(&mut novelty);
    standardise(&mut value);
    let context = |at: usize| {
        let sources = said.iter().map(|scores| scores[at]);
        let others = [novelty[at], value[at]];
        std::iter::once(1.0).chain(sources).chain(others).collect()
    };
    (0..facts.numbers.len()).map(context).collect()
}

/// Adds what a ranker sees besides: the blend of the sources, what goes beyond what they say, and
/// which columns these are.
fn extend(contexts: &mut [Vec<f32>], weights: &[f32], beyond: Vec<Vec<f32>>, mark: f32) {
    let sum = weights.iter().sum::<f32>().max(f32::MIN_POSITIVE);
    for (context, beyond) in contexts.iter_mut().zip(beyond) {
        let said = context[1..].iter().zip(weights);
        let blend = said.map(|(said, weight)| said * weight).sum::<f32>() / sum;
        context.push(blend);
        context.extend(beyond);
        context.push(mark);
    }
}

fn standardise(values: &mut [f32]) {
    let all = vec![true; values.len()];
    acumen_model::recommend::candidates::standardise(values, &all);
}

/// The share of attributes in which two items agree.
fn share(a: &[u32], b: &[u32]) -> f32 {
    let agree = a.iter().zip(b).filter(|(a, b)| **a != 0 && a == b).count();
    agree as f32 / a.len().max(b.len()).max(1) as f32
}

/// How much what is shown has of what the list is made for.
fn measure(
    ranking: &Ranking,
    places: &[usize],
    facts: &Facts,
    likeness: &dyn Fn(usize, usize) -> f32,
) -> Measured {
    let count = places.len().max(1) as f32;
    let mean = |values: &[f32]| places.iter().map(|at| values[*at]).sum::<f32>() / count;
    let relevance: HashMap<usize, f32> = ranking
        .list
        .iter()
        .map(|ranked: &Ranked| (ranked.candidate, ranked.by_source.iter().sum()))
        .collect();
    let (mut apart, mut pairs) = (0.0, 0.0_f32);
    for (at, a) in places.iter().enumerate() {
        for b in &places[at + 1..] {
            apart += 1.0 - likeness(*a, *b);
            pairs += 1.0;
        }
    }
    Measured {
        relevance: places.iter().map(|at| relevance[at]).sum::<f32>() / count,
        diversity: apart / pairs.max(1.0),
        novelty: mean(&facts.novelty),
        business_value: mean(&facts.value),
    }
}
