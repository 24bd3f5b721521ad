//! Candidates into a list: blended, ranked for several objectives, explored, explained.

use std::collections::HashMap;
use std::sync::Arc;

use acumen_base::Seed;
use acumen_decision::bandit::explore_slate;
use acumen_decision::ranking::{Caps, Ranked, Ranking, Refusals, Slate, rank};

use super::ask::{Measured, RankedItem, SourceLine};
use super::catalogue::Catalogue;
use super::serve::{Found, Ranker, Wish, left_out};
use super::sources::Deployed;
use super::why::explain;

/// How many times as many places are ranked as are shown, so that there is something to explore.
const SPARE: usize = 2;

/// A list with what the log keeps of it.
pub(super) struct Listed {
    pub(super) places: Vec<Place>,
    pub(super) measured: Measured,
    /// What each source weighed.
    pub(super) weights: Vec<f32>,
    /// What the bandit did, where there is one.
    pub(super) bandit: Option<SourceLine>,
    pub(super) left_out: Refusals,
}

/// One place.
pub(super) struct Place {
    pub(super) item: RankedItem,
    /// What the bandit knew of it.
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

/// Makes the list of a request.
pub(super) fn list(
    ranker: &Ranker,
    wish: &Wish<'_>,
    found: &Found,
    deployed: &Deployed,
    (seed, id): (Seed, &str),
) -> Listed {
    let shelf = &ranker.shelf;
    let candidates = &found.asked.candidates;
    let (open, facts, refusals) = {
        let catalogue = shelf.catalogue();
        let may = |at: &usize| {
            let item = candidates.items[*at];
            catalogue.available()[item as usize] && wish.excluded.binary_search(&item).is_err()
        };
        let open: Vec<usize> = (0..candidates.items.len()).filter(may).collect();
        let short = open.len() < wish.n;
        let refusals = short.then(|| left_out(&catalogue, wish, &shelf.shelving));
        let numbers = open.iter().map(|at| candidates.items[*at]).collect();
        let caps = shelf.shelving.caps().count();
        (open, Facts::of(&catalogue, numbers, caps), refusals)
    };
    let said: Vec<Vec<f32>> = candidates
        .scores
        .iter()
        .map(|scores| open.iter().map(|at| scores[*at]).collect())
        .collect();
    let contexts = contexts(&said, &facts);
    let bandit = shelf.bandit_scores(&contexts).map(|mut scores| {
        standardise(&mut scores);
        scores
    });
    let answered = said.iter().zip(&found.asked.proposals);
    let mut sources: Vec<Option<&[f32]>> = answered
        .map(|(scores, proposal)| proposal.is_some().then_some(&scores[..]))
        .collect();
    sources.push(bandit.as_deref());
    let names = shelf.names.iter().map(String::as_str);
    let names: Vec<&str> = names.chain(shelf.bandit_name.as_deref()).collect();
    sources.truncate(names.len());
    let mut weights: Vec<f32> = names
        .iter()
        .map(|name| deployed.weight(&shelf.decl, name))
        .collect();
    if found.fallback {
        weights = vec![1.0; names.len()];
    }
    let alike = deployed.likeness();
    let likeness = |a: usize, b: usize| {
        let by_words = alike
            .as_ref()
            .and_then(|alike| alike(facts.numbers[a], facts.numbers[b]));
        by_words.unwrap_or_else(|| share(&facts.words[a], &facts.words[b]))
    };
    let slate = Slate {
        sources,
        novelty: &facts.novelty,
        value: &facts.value,
        likeness: &likeness,
    };
    let mut objectives = shelf.decl.objectives;
    objectives.diversity = wish.request.diversity.unwrap_or(objectives.diversity);
    let ranking = rank(
        &slate,
        &weights,
        &objectives,
        facts.caps(shelf),
        SPARE * wish.n,
    );
    let shown = shown(&ranking, wish.n, shelf.decl.explore, (seed, id));
    let places: Vec<usize> = shown
        .iter()
        .map(|(at, _)| ranking.list[*at].candidate)
        .collect();
    let measured = measure(&ranking, &places, &facts, &likeness);
    let places = shown
        .into_iter()
        .enumerate()
        .map(|(place, (at, propensity))| {
            let ranked = &ranking.list[at];
            let why = wish.request.explain.then(|| {
                explain(
                    ranker,
                    wish,
                    deployed,
                    (ranked, &names),
                    facts.numbers[ranked.candidate],
                )
            });
            Place {
                context: contexts[ranked.candidate].clone(),
                item: RankedItem {
                    item: Arc::clone(&facts.ids[ranked.candidate]),
                    place: place + 1,
                    score: ranked.merit,
                    propensity,
                    explored: at != place,
                    attributes: match wish.request.explain {
                        true => shelf.attributes(facts.numbers[ranked.candidate]),
                        false => Vec::new(),
                    },
                    why,
                },
            }
        });
    let places = places.collect();
    let bandit = bandit.is_some().then(|| SourceLine {
        name: names
            .last()
            .map_or_else(String::new, |name| (*name).to_owned()),
        version: None,
        weight: ranking.weights.last().copied().unwrap_or(0.0),
        status: "answered",
        took_us: 0,
    });
    Listed {
        places,
        measured,
        weights: ranking.weights,
        bandit,
        left_out: refusals.unwrap_or_default(),
    }
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

    /// What a list may have of each group; items of no group are groups of their own.
    fn caps(&self, shelf: &super::shelf::Shelf) -> Caps {
        let mut caps = Caps::default();
        for (groups, most) in self.groups.iter().zip(shelf.shelving.caps()) {
            let own = |(at, group): (usize, &u32)| match group {
                0 => u32::MAX - at as u32,
                group => *group,
            };
            caps = caps.with(groups.iter().enumerate().map(own).collect(), most);
        }
        caps
    }
}

/// What the bandit knows of each candidate: a constant, what each source says, novelty, value.
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
