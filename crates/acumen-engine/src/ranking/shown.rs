//! Lists of the log with what came of them, as a ranker learns from them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use acumen_base::{Columns, Listing, Time};
use acumen_model::Matrix;
use acumen_model::learner::lambda_mart::ShownLists;

use super::features::of_columns;
use super::heard::Heard;
use super::lists::OPEN_FOR;
use crate::spec::TrainingData;

/// Lists that are learnt from, at most: the newest.
const LISTS_MAX: usize = 200_000;

/// Lists as they are read, the oldest first.
pub(super) struct Gathering {
    columns: Arc<Columns>,
    lists: VecDeque<List>,
    /// How many were forgotten.
    forgotten: usize,
    /// The number of each list, counted from the first that was read.
    numbers: HashMap<Arc<str>, usize>,
}

struct List {
    id: Arc<str>,
    at: Time,
    items: Vec<Place>,
}

/// An item of a list.
struct Place {
    item: Arc<str>,
    place: u32,
    known: Vec<f32>,
    seen: bool,
    reward: f64,
}

impl Gathering {
    /// Gathers lists whose records are of these columns.
    pub(super) fn new(columns: Arc<Columns>) -> Gathering {
        Gathering {
            columns,
            lists: VecDeque::new(),
            forgotten: 0,
            numbers: HashMap::new(),
        }
    }

    /// Takes in a list; where nobody will say what was seen, all of it was.
    pub(super) fn show(&mut self, listing: &Listing, all_seen: bool) {
        let place = |(place, item): (u32, &acumen_base::ListedItem)| {
            Some(Place {
                item: item.item.as_str().into(),
                place,
                known: of_columns(&item.context, &self.columns)?.to_vec(),
                seen: all_seen,
                reward: 0.0,
            })
        };
        let items: Option<Vec<Place>> = (0..).zip(&listing.places).map(place).collect();
        let Some(items) = items else {
            return; // of another declaration
        };
        let id: Arc<str> = listing.id.as_str().into();
        let number = self.forgotten + self.lists.len();
        self.numbers.insert(Arc::clone(&id), number);
        let at = listing.at;
        self.lists.push_back(List { id, at, items });
        if self.lists.len() > LISTS_MAX
            && let Some(oldest) = self.lists.pop_front()
        {
            self.numbers.remove(&oldest.id);
            self.forgotten += 1;
        }
    }

    /// Takes in what is said of an item of a list.
    pub(super) fn hear(&mut self, heard: &Heard<'_>, at: Time) {
        let number = heard.list.and_then(|list| self.numbers.get(list));
        let Some(list) = number.and_then(|number| self.lists.get_mut(number - self.forgotten))
        else {
            return;
        };
        let mut items = list.items.iter_mut();
        if let Some(item) = items.find(|place| place.item == *heard.item)
            && (heard.shown || heard.reward.is_some())
            && at <= list.at + OPEN_FOR
        {
            item.seen = true;
            item.reward += heard.reward.unwrap_or(0.0);
        }
    }

    /// The lists of a window, each with what was seen of it.
    pub(super) fn within(self, data: TrainingData) -> ShownLists {
        let newest = self
            .lists
            .iter()
            .map(|list| list.at)
            .max()
            .unwrap_or(Time(0));
        let (from, to) = match data {
            TrainingData::Between(from, to) => (from, to),
            TrainingData::Last(span) => (newest - span, Time(i64::MAX)),
        };
        let mut lists: Vec<List> = self.lists.into();
        lists.retain(|list| (from..to).contains(&list.at));
        lists.sort_by_key(|list| list.at);
        for list in &mut lists {
            list.items.retain(|place| place.seen);
        }
        lists.retain(|list| list.items.len() > 1);
        let mut starts = vec![0];
        for list in &lists {
            starts.push(starts[starts.len() - 1] + list.items.len());
        }
        let rows = || lists.iter().flat_map(|list| &list.items);
        let column = |at: usize| rows().map(|place| place.known[at]).collect();
        ShownLists {
            rows: Matrix {
                n_rows: rows().count(),
                data: (0..self.columns.len()).map(column).collect(),
                columns: self.columns,
            },
            time: lists.iter().map(|list| list.at).collect(),
            starts,
            place: rows().map(|place| place.place).collect(),
            reward: rows().map(|place| place.reward.max(0.0) as f32).collect(),
        }
    }
}
