//! Lists that people put together by hand, as sources of candidates: no training, and changed from
//! the very next request on.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use acumen_base::{Control, Time};
use acumen_model::recommend::{Open, Proposal};

use super::catalogue::Catalogue;

/// What is said of the last of a list, as a share of what is said of the first.
const LAST: f32 = 0.7;

/// What people picked, by list.
#[derive(Debug, Default)]
pub(crate) struct Picks {
    /// What was added last comes first.
    lists: RwLock<BTreeMap<String, Vec<Pick>>>,
}

#[derive(Clone, Debug)]
struct Pick {
    id: Arc<str>,
    until: Option<Time>,
}

impl Pick {
    fn counts(&self, now: Time) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Picks {
    /// Takes in an edit of a list.
    pub(crate) fn edit(&self, control: &Control) {
        let (Control::ListAdd { list, ids, .. } | Control::ListRemove { list, ids }) = control
        else {
            return;
        };
        let mut lists = self.lists.write().unwrap_or_else(PoisonError::into_inner);
        let picks = lists.entry(list.clone()).or_default();
        picks.retain(|pick| !ids.iter().any(|id| **id == *pick.id));
        if let Control::ListAdd { until, .. } = control {
            let pick = |id: &String| Pick {
                id: id.as_str().into(),
                until: *until,
            };
            picks.splice(0..0, ids.iter().map(pick));
        }
    }

    /// Changes whenever time takes something off a list.
    pub(crate) fn over(&self, now: Time) -> u64 {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let over = lists.values().flatten().filter(|pick| !pick.counts(now));
        over.count() as u64
    }

    /// The items of a list, the first first; those that no event has named are left out.
    pub(crate) fn of(&self, list: &str, catalogue: &Catalogue, now: Time) -> Vec<u32> {
        let lists = self.lists.read().unwrap_or_else(PoisonError::into_inner);
        let picks = lists.get(list).into_iter().flatten();
        picks
            .filter(|pick| pick.counts(now))
            .filter_map(|pick| catalogue.number(&pick.id))
            .collect()
    }
}

/// What a list of items puts forward, in the unit of a source that says nothing of all others.
pub(crate) fn propose(picked: &[u32], open: &Open<'_>, most: usize) -> Proposal {
    let items = picked.iter().copied().filter(|item| open.has(*item));
    let items: Vec<u32> = items.take(most).collect();
    let said = (0..items.len()).map(|place| said(place, items.len()));
    let count = open.n_items().max(1) as f32;
    let mean = said.clone().sum::<f32>() / count;
    let variance = said.map(|said| said * said).sum::<f32>() / count - mean * mean;
    Proposal {
        deviation: match variance > 0.0 {
            true => variance.sqrt(),
            false => f32::INFINITY,
        },
        mean,
        items,
    }
}

/// What a proposal of picked items says of some items.
pub(crate) fn score_some(picked: &Proposal, items: &[u32]) -> Vec<f32> {
    let score = |item: &u32| {
        let place = picked.items.iter().position(|picked| picked == item);
        let said = place.map_or(0.0, |place| said(place, picked.items.len()));
        (said - picked.mean) / picked.deviation
    };
    items.iter().map(score).collect()
}

/// What is said of a place of a list of so many.
fn said(place: usize, of: usize) -> f32 {
    1.0 - (1.0 - LAST) * place as f32 / of.saturating_sub(1).max(1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(ids: &[&str], until: Option<i64>) -> Control {
        Control::ListAdd {
            list: "staff".to_owned(),
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            until: until.map(Time),
        }
    }

    #[test]
    fn lists_are_edited_and_end() {
        let mut catalogue = Catalogue::default();
        for id in ["a", "b", "c"] {
            catalogue.mention(&Arc::from(id));
        }
        let picks = Picks::default();
        picks.edit(&add(&["a", "unheard of"], None));
        picks.edit(&add(&["b"], Some(10)));
        let of = |now| picks.of("staff", &catalogue, Time(now));
        assert_eq!(of(9), [1, 0]);
        assert_eq!(
            (of(10), picks.over(Time(9)), picks.over(Time(10))),
            (vec![0], 0, 1)
        );
        picks.edit(&add(&["a", "c"], None));
        assert_eq!(of(10), [0, 2]);
        picks.edit(&Control::ListRemove {
            list: "staff".to_owned(),
            ids: vec!["a".to_owned()],
        });
        assert_eq!(of(10), [2]);
        assert!(picks.of("others", &catalogue, Time(0)).is_empty());
    }

    #[test]
    fn picks_stand_out_the_first_most() {
        let mut shown = [true; 100];
        shown[2] = false;
        let open = Open::new(&shown);
        let found = propose(&[3, 2, 0], &open, 9);
        assert_eq!(found.items, [3, 0]);
        let all: Vec<u32> = (0..100).collect();
        let scores = score_some(&found, &all);
        let mean = scores.iter().sum::<f32>() / 100.0;
        let variance = scores.iter().map(|score| score * score).sum::<f32>() / 100.0;
        assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4);
        assert!(scores[3] > scores[0] && scores[0] > 1.0 && scores[2] < 0.0);
        let nothing = propose(&[], &open, 9);
        assert_eq!(score_some(&nothing, &[1, 2]), [0.0, 0.0]);
    }
}
