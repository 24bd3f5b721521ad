//! Lists that were shown and whose outcomes are still to come, and what is learnt from them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use acumen_base::{EnsembleChoice, ListedItem, Listing, Span, Time};
use acumen_decision::bandit::Bandit;
use serde::{Deserialize, Serialize};

use super::choosing::Chooser;
use super::telling::Telling;

/// How long an outcome may come after its list.
pub(super) const OPEN_FOR: Span = Span::days(1);
/// Lists that wait for outcomes, at most: the oldest is forgotten.
const OPEN_MAX: usize = 200_000;

/// Lists that wait for outcomes.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Lists {
    open: HashMap<Arc<str>, Open>,
    order: VecDeque<Arc<str>>,
    told: Told,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Open {
    list: Arc<Listing>,
    /// Whether each item is known to have been seen, and so is learnt from.
    seen: Vec<bool>,
}

/// Who learns from what is said of lists.
pub(crate) struct Learners<'a> {
    /// The bandit of items, and what it is told of each.
    pub(crate) bandit: Option<(&'a mut Bandit, Telling)>,
    /// What chooses among ensembles.
    pub(crate) chooser: Option<&'a mut Chooser>,
}

/// What has been said of lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Lists that were shown.
    pub lists: u64,
    /// Items of them that were seen.
    pub seen: u64,
    /// Items that were said to be seen once more.
    pub seen_again: u64,
    /// Outcomes of items of lists.
    pub outcomes: u64,
    /// What named a list that is not known (any more), or an item that was not in it.
    pub unknown: u64,
}

/// What is said of an item of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'a> {
    pub(crate) list: &'a Arc<str>,
    pub(crate) item: &'a Arc<str>,
    pub(crate) shown: bool,
    pub(crate) reward: Option<f64>,
}

impl Lists {
    /// Waits for the outcomes of a list; where nobody will say what was seen, all of it was.
    pub(crate) fn show(&mut self, list: &Arc<Listing>, all_seen: bool, learners: Learners<'_>) {
        self.told.lists += 1;
        if let (true, Some(choice), Some(chooser)) = (all_seen, choice(list), learners.chooser) {
            chooser.seen(choice, 0.0);
        }
        let telling = learners.bandit.as_ref().map(|(_, telling)| *telling);
        if let (true, Some((bandit, telling))) = (all_seen, learners.bandit) {
            for place in &list.places {
                self.told.seen += 1;
                let told = wide(&telling.of(&place.context));
                let _of_another_width = bandit.learn(0, &told, 0.0);
            }
        }
        let id: Arc<str> = list.id.as_str().into();
        let open = Open {
            seen: vec![all_seen; list.places.len()],
            list: with_no_more(list, telling),
        };
        if self.open.insert(Arc::clone(&id), open).is_none() {
            self.order.push_back(id);
        }
        self.forget(list.at);
    }

    /// Takes in what is said of an item of a list.
    pub(crate) fn hear(&mut self, word: Word<'_>, learners: Learners<'_>) {
        let open = self.open.get_mut(word.list);
        let choice = open.as_ref().and_then(|open| choice(&open.list).cloned());
        let looked_at = open.as_ref().is_some_and(|open| open.seen.contains(&true));
        let Some((context, seen)) = open.and_then(|open| open.place(word.item)) else {
            self.told.unknown += 1;
            return;
        };
        match (word.shown, *seen) {
            (true, true) => self.told.seen_again += 1,
            (_, false) => self.told.seen += 1,
            (false, true) => {}
        }
        let reward = word.reward.unwrap_or(0.0);
        self.told.outcomes += u64::from(word.reward.is_some());
        if let (Some(choice), Some(chooser)) = (choice, learners.chooser) {
            match looked_at {
                false => chooser.seen(&choice, reward),
                true if reward != 0.0 => chooser.reward(&choice, reward),
                true => {}
            }
        }
        if let Some((bandit, telling)) = learners.bandit {
            let told = wide(&telling.of(context));
            // An outcome of what is known to have been seen is more of the same observation.
            let _of_another_width = match *seen {
                false => bandit.learn(0, &told, reward),
                true => bandit.reward(0, &told, reward),
            };
        }
        *seen = true;
    }

    pub(crate) fn told(&self) -> Told {
        self.told
    }

    /// What ensembles made the lists that wait, by id, which a snapshot keeps apart.
    pub(crate) fn choices(&self) -> Vec<(Arc<str>, EnsembleChoice)> {
        let open = self.open.iter();
        let choices = open.filter_map(|(id, open)| Some((id.clone(), choice(&open.list)?.clone())));
        let mut choices: Vec<(Arc<str>, EnsembleChoice)> = choices.collect();
        choices.sort_by(|a, b| a.0.cmp(&b.0));
        choices
    }

    /// Takes them back.
    pub(crate) fn chose(&mut self, choices: Vec<(Arc<str>, EnsembleChoice)>) {
        for (id, choice) in choices {
            if let Some(open) = self.open.get_mut(&id) {
                Arc::make_mut(&mut open.list).circumstances.choice = Some(choice);
            }
        }
    }

    fn forget(&mut self, now: Time) {
        while let Some(oldest) = self.order.front() {
            let old = |open: &Open| open.list.at + OPEN_FOR < now;
            let is_old = self.open.get(oldest).is_none_or(old);
            if !is_old && self.order.len() <= OPEN_MAX {
                break;
            }
            self.open.remove(oldest);
            self.order.pop_front();
        }
    }
}

fn choice(list: &Listing) -> Option<&EnsembleChoice> {
    list.circumstances.choice.as_ref()
}

impl Open {
    /// What was known of an item, and whether it was seen.
    fn place(&mut self, item: &str) -> Option<(&[f32], &mut bool)> {
        let places = self.list.places.iter().zip(&mut self.seen);
        let mut found = places.filter(|(place, _)| place.item == item);
        found.next().map(|(place, seen)| (&place.context[..], seen))
    }
}

/// A list with no more of what was known of its items than the bandit goes by, and without its
/// sources: many wait, and what only training reads is in the log.
fn with_no_more(list: &Arc<Listing>, telling: Option<Telling>) -> Arc<Listing> {
    let keeps = |known: usize| telling.map_or(0, |telling| telling.keeps(known));
    let is_all = |place: &ListedItem| keeps(place.context.len()) == place.context.len();
    if list.places.iter().all(is_all) {
        return Arc::clone(list);
    }
    let place = |place: &ListedItem| ListedItem {
        item: place.item.clone(),
        context: place.context[..keeps(place.context.len())].to_vec(),
        ..*place
    };
    Arc::new(Listing {
        id: list.id.clone(),
        use_case: list.use_case.clone(),
        visitor: list.visitor.clone(),
        session: list.session.clone(),
        places: list.places.iter().map(place).collect(),
        sources: Vec::new(),
        circumstances: list.circumstances.clone(),
        ..**list
    })
}

fn wide(context: &[f32]) -> Vec<f64> {
    context.iter().map(|value| f64::from(*value)).collect()
}

#[cfg(test)]
mod tests {
    use acumen_decision::bandit::{Algorithm, BanditSpec};

    use super::*;

    fn learners(bandit: &mut Bandit, telling: Telling) -> Learners<'_> {
        Learners {
            bandit: Some((bandit, telling)),
            chooser: None,
        }
    }

    fn list(context: Vec<f32>) -> Arc<Listing> {
        Arc::new(Listing {
            id: "l1".into(),
            use_case: "wares".into(),
            at: Time(0),
            visitor: Some("c1".into()),
            session: None,
            places: vec![ListedItem {
                item: "w1".into(),
                score: 1.0,
                propensity: 1.0,
                context,
            }],
            sources: Vec::new(),
            took_us: 1,
            circumstances: acumen_base::Circumstances::default(),
        })
    }

    /// How many numbers are told apart by their count: a list of another declaration stays whole.
    #[test]
    fn a_list_of_another_declaration_is_not_taken_for_one_of_this() {
        let telling = Telling::new(2, 1, Some(10));
        let kept = |known: usize, telling: Option<Telling>| {
            let kept = with_no_more(&list(vec![1.0; known]), telling);
            kept.places[0].context.len()
        };
        assert_eq!(
            [10, 6, 8].map(|known| kept(known, Some(telling))),
            [6, 6, 8]
        );
        assert_eq!(kept(10, None), 0, "nobody is told of it");
    }

    /// The bandit hears the same of a list, however much of it only a ranker reads.
    #[test]
    fn what_only_a_ranker_reads_is_not_kept() {
        let known = vec![1.0, 0.5, -0.5, 0.2, 0.1];
        let more = [known.as_slice(), &[7.0; 4]].concat();
        let spec = BanditSpec {
            algorithm: Algorithm::Greedy,
            epsilon: 0.0,
            ridge: 1.0,
        };
        let taught = [(known, None), (more, Some(9))].map(|(context, with_ranker)| {
            let telling = Telling::new(2, 0, with_ranker);
            let mut bandit = Bandit::new(spec, 1, telling.width());
            let list = list(context);
            let mut lists = Lists::default();
            lists.show(&list, false, learners(&mut bandit, telling));
            let word = Word {
                list: &"l1".into(),
                item: &"w1".into(),
                shown: true,
                reward: Some(2.0),
            };
            lists.hear(word, learners(&mut bandit, telling));
            assert_eq!(lists.open["l1"].list.places[0].context.len(), 5);
            bandit.arms().to_vec()
        });
        assert_eq!(taught[0], taught[1]);
    }
}
