//! Why an item is in a list: which source, which past events, which objective.

use std::sync::Arc;

use acumen_decision::ranking::Ranked;
use acumen_model::recommend::History;

use super::ask::{Because, ItemWhy, Moved};
use super::moment::Said;
use super::order::foremost;
use super::serve::Ranker;
use super::sources::Deployed;
use super::wish::Wish;
use crate::spec::SAYS;

/// Past events that are named.
const EVENTS: usize = 3;
/// What is not worth naming, as a share of what a source says.
const SHARE_LEAST: f32 = 0.05;

/// Why an item is where it is.
pub(super) fn explain(
    ranker: &Ranker,
    wish: &Wish<'_>,
    deployed: &Deployed,
    (ranked, names, known): (&Ranked, &[&str], &[f32]),
    item: u32,
) -> ItemWhy {
    let mut sources: Vec<(String, f32)> = names
        .iter()
        .zip(&ranked.by_source)
        .map(|(name, said)| ((*name).to_owned(), *said))
        .collect();
    sources.sort_by(|a, b| b.1.total_cmp(&a.1));
    let order = deployed.ranker(&ranker.decl);
    let order = order.filter(|order| names.contains(&order.name.as_str()));
    let moved_by = order.map_or_else(Vec::new, |order| order.why(known));
    let speaking = match order {
        None => sources.clone(),
        Some(_) => by_source(&moved_by),
    };
    let speaks = speaking.iter().find(|(name, said)| {
        *said > 0.0
            && deployed
                .sources
                .get(name)
                .is_some_and(|l| (item as usize) < l.n_items())
    });
    let because = speaks.map_or_else(Vec::new, |(name, _)| {
        because(ranker, wish, deployed, name, item)
    });
    let moment = sources.first().and_then(|(name, _)| {
        let source = deployed.sources.get(name)?.source();
        source.goes_by(&wish.past.said)
    });
    ItemWhy {
        words: in_words((&sources, moment), &because, foremost(&moved_by), ranked),
        sources,
        because,
        moved_by: foremost(&moved_by).to_vec(),
        novelty: ranked.by_novelty,
        business_value: ranked.by_value,
        fatigue: ranked.by_fatigue,
        moved: ranked.moved,
    }
}

/// The sources whose word moved the ranker, the most first.
fn by_source(moved_by: &[Moved]) -> Vec<(String, f32)> {
    let mut said: Vec<(String, f32)> = moved_by
        .iter()
        .filter_map(|moved| Some((moved.name.strip_prefix(SAYS)?.to_owned(), moved.by)))
        .collect();
    said.sort_by(|a, b| b.1.total_cmp(&a.1));
    said
}

/// The past events on which a source's word for an item rests most.
fn because(
    ranker: &Ranker,
    wish: &Wish<'_>,
    deployed: &Deployed,
    name: &str,
    item: u32,
) -> Vec<Because> {
    let Some(loaded) = deployed.sources.get(name) else {
        return Vec::new();
    };
    let (items, weights) = loaded.known(&wish.past);
    let history = History {
        items: &items,
        weights: &weights,
    };
    let why = loaded.source().at(&wish.past.said).why(history, item);
    let all: f32 = why.base.abs() + why.events.iter().map(|(_, part)| part.abs()).sum::<f32>();
    let mut events = why.events;
    events.sort_by(|a, b| b.1.total_cmp(&a.1));
    let catalogue = ranker.shelf.catalogue();
    let mut named: Vec<Because> = Vec::new();
    for (at, part) in events {
        let share = part / all.max(f32::MIN_POSITIVE);
        if share < SHARE_LEAST || named.len() == EVENTS {
            break;
        }
        let id = &catalogue.item(items[at]).id;
        match named.iter_mut().find(|known| known.item == *id) {
            Some(known) => known.share += share,
            None => named.push(Because {
                item: Arc::clone(id),
                source: name.to_owned(),
                share,
            }),
        }
    }
    named
}

fn in_words(
    (sources, moment): (&[(String, f32)], Option<&Said>),
    because: &[Because],
    moved_by: &[Moved],
    ranked: &Ranked,
) -> String {
    let mut parts = Vec::new();
    if let Some((first, _)) = sources.first().filter(|(_, said)| *said > 0.0) {
        let name = match moment {
            Some((of, word)) => format!("{first}` (where `{of}` is `{word}`)"),
            None => format!("{first}`"),
        };
        let items: Vec<&str> = because.iter().map(|because| &*because.item).collect();
        parts.push(match because.first() {
            None => format!("`{name} puts it forward"),
            Some(of) if of.source == *first => {
                format!("`{name} puts it forward, because of {}", items.join(", "))
            }
            Some(of) => format!(
                "`{name} puts it forward, and `{}` because of {}",
                of.source,
                items.join(", ")
            ),
        });
    }
    if !moved_by.is_empty() {
        let named = moved_by.iter().map(|moved| match moved.value.is_nan() {
            true => format!("{} (not known, {:+.2})", moved.name, moved.by),
            false => format!("{} ({:.2}, {:+.2})", moved.name, moved.value, moved.by),
        });
        let named: Vec<String> = named.collect();
        parts.push(format!("what moved it most is {}", named.join(", ")));
    }
    if ranked.by_novelty > 0.5 * ranked.merit.abs() {
        parts.push("few have seen it".to_owned());
    }
    if ranked.by_value > 0.5 * ranked.merit.abs() {
        parts.push("it is worth much".to_owned());
    }
    if ranked.by_fatigue < 0.0 {
        parts.push(format!(
            "it lost {:.2} because it was shown lately",
            -ranked.by_fatigue
        ));
    }
    match ranked.moved {
        0 => {}
        moved if moved > 0 => parts.push(format!("moved up {moved} so that the list is varied")),
        moved => parts.push(format!("moved down {} so that the list is varied", -moved)),
    }
    match parts.is_empty() {
        true => "no source has an opinion of it: others have even less to say for them".to_owned(),
        false => parts.join("; "),
    }
}
