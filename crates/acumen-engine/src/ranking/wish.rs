//! A request in the numbers of the items, checked, with the past of whoever asks.

use acumen_base::{Key, Time};
use acumen_decision::ranking::{Refusals, TurnedAway};

use super::ask::RankRequest;
use super::catalogue::{Catalogue, Wanted};
use super::moment::{Moment, Words};
use super::shelf::Shelf;
use super::visitors::Past;
use crate::refusal::Refusal;

/// Items of a list, at most, and unless asked for.
pub const ITEMS_MAX: usize = 100;
const ITEMS: usize = 10;
/// A request that excludes no more than this share of the candidates of a source finds enough among
/// those that are kept for others.
const EXCLUDED_USUAL: f64 = 0.25;
/// What a request may name of each thing.
const NAMED_MAX: usize = 1_000;

/// What is wanted.
pub(super) struct Wish<'a> {
    pub(super) request: &'a RankRequest,
    pub(super) n: usize,
    pub(super) past: Past,
    pub(super) now: Time,
    /// What is said of the moment.
    pub(super) moment: Moment,
    /// Whoever asks, at such a moment; 0 is somebody of whom nothing is known.
    pub(super) who: u128,
    /// Items that are not wanted, rising.
    pub(super) excluded: Vec<u32>,
    /// What items must be like.
    pub(super) filters: Vec<Wanted>,
    /// Whether the candidates would be those of any request of this visitor.
    pub(super) usual: bool,
}

impl Wish<'_> {
    /// Reads what is known of whoever asks now.
    ///
    /// # Errors
    /// Where the request names what there is not, or asks for what cannot be.
    pub(super) fn of<'a>(
        shelf: &Shelf,
        request: &'a RankRequest,
        now: Time,
    ) -> Result<Wish<'a>, Refusal> {
        check(request)?;
        let moment = shelf.moments.read(&request.context)?;
        let hearing = &shelf.hearing;
        let visitor = request.visitor.as_ref();
        let session = request.session.as_ref();
        let visitor = visitor.map(|id| hearing.visitor_key(id));
        let session = session.and_then(|id| hearing.session_key(id));
        let who: Vec<Key> = visitor.into_iter().chain(session).collect();
        let mut past = shelf.past(&who, now);
        past.said = moment.words();
        let catalogue = shelf.catalogue();
        for event in &request.events {
            let unknown = || {
                let kinds: Vec<&str> = hearing.kinds().collect();
                Refusal::unknown("kind of feedback", &event.kind, kinds)
            };
            let weight = hearing.weight_of(&event.kind).ok_or_else(unknown)?;
            let item = number(&catalogue, &event.item)?;
            if weight != 0.0 {
                past.and_then(item, weight, now);
            }
        }
        // An item that there is not is not shown anyway.
        let excluded = request.exclude.iter().filter_map(|id| catalogue.number(id));
        let mut excluded: Vec<u32> = excluded.collect();
        excluded.sort_unstable();
        let filters = shelf.shelving.wanted(&catalogue, &request.filters)?;
        let keys = who.iter().enumerate();
        Ok(Wish {
            usual: request.events.is_empty()
                && filters.is_empty()
                && excluded.len() as f64 <= EXCLUDED_USUAL * shelf.decl.candidates as f64,
            who: keys.fold(of_words(&past.said), |all, (at, key)| {
                all ^ key.0.rotate_left(at as u32 + 1)
            }),
            n: request.n.unwrap_or(ITEMS),
            request,
            past,
            now,
            moment,
            excluded,
            filters,
        })
    }

    /// Why an item may not be shown to this visitor.
    pub(super) fn turns_away(&self, catalogue: &Catalogue, number: u32) -> Option<TurnedAway> {
        let is = |list: &[u32]| list.binary_search(&number).is_ok();
        match catalogue.available()[number as usize] {
            false => Some(TurnedAway::Unavailable),
            true if is(&self.excluded) => Some(TurnedAway::Excluded),
            true if is(&self.past.hidden) => Some(TurnedAway::Hidden),
            true if is(&self.past.had) => Some(TurnedAway::Had),
            true => {
                let item = catalogue.item(number);
                let differs = self.filters.iter().any(|wanted| !wanted.admits(item));
                differs.then_some(TurnedAway::Filtered)
            }
        }
    }

    /// Why items may not be shown to this visitor, counted.
    pub(super) fn left_out(&self, catalogue: &Catalogue) -> Refusals {
        let mut refusals = Refusals::default();
        let numbers = 0..catalogue.len() as u32;
        let reasons = numbers.filter_map(|number| self.turns_away(catalogue, number));
        reasons.for_each(|reason| refusals.count(reason));
        refusals
    }
}

/// A number for what is said of the moment; 0 where nothing is.
fn of_words(said: &Words) -> u128 {
    let named = said
        .iter()
        .map(|(name, word)| format!("{name}\u{0}{word}\u{0}"));
    match said.is_empty() {
        true => 0,
        false => Key::of(&named.collect::<String>()).0,
    }
}

/// Whether a request asks for what can be.
fn check(request: &RankRequest) -> Result<(), Refusal> {
    check_count(request.n.unwrap_or(ITEMS))?;
    if let Some(knob) = request.diversity.filter(|knob| !(0.0..1.0).contains(knob)) {
        let what = format!("`diversity` is {knob}: give a number from 0 to just below 1");
        return Err(Refusal::Invalid(what));
    }
    let filtered = request.filters.values().map(Vec::len).sum();
    let named = [request.events.len(), request.exclude.len(), filtered];
    match named.into_iter().find(|named| *named > NAMED_MAX) {
        Some(named) => Err(Refusal::Invalid(format!(
            "a request names {named} things of a kind, and {NAMED_MAX} are read"
        ))),
        None => Ok(()),
    }
}

/// Whether a list may have so many items.
pub(super) fn check_count(n: usize) -> Result<(), Refusal> {
    match (1..=ITEMS_MAX).contains(&n) {
        true => Ok(()),
        false => Err(Refusal::Invalid(format!(
            "a list has 1 to {ITEMS_MAX} items, not {n}"
        ))),
    }
}

/// The number of an item that a request names.
pub(super) fn number(catalogue: &Catalogue, id: &str) -> Result<u32, Refusal> {
    catalogue.number(id).ok_or_else(|| {
        let what = format!("there is no item `{id}`: no event has named it");
        Refusal::NotFound { what }
    })
}
