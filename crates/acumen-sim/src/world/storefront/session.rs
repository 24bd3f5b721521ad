//! A session: what is wanted in it, the search that it may begin with, and how it goes on.

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_base::Time;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::answer::Action;
use super::choice::{Chance, wants};
use super::goods::{Style, normal};
use super::visitors::Wanted;
use super::{DAY_MS, Planned, Visit, World};
use crate::world::account;
use crate::world::chance::pick;

/// Seconds between a page and the next, at least and at most.
const PAGE_SECONDS: std::ops::Range<i64> = 8..60;

/// A session under way.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) number: u64,
    pub(crate) id: Arc<str>,
    pub(crate) who: usize,
    pub(crate) signed_in: bool,
    pub(crate) phone: bool,
    /// Lists so far.
    pub(crate) lists: u32,
    pub(crate) wants: Wanted,
    /// How often each product was shown.
    pub(crate) seen: BTreeMap<usize, u32>,
    /// The product looked at last.
    pub(crate) looked_at: Option<usize>,
    /// Whether what is wanted now was looked at and not bought.
    pub(crate) unfinished: bool,
}

impl World {
    /// A visitor comes.
    pub(super) fn arrive(&mut self, who: usize, at_ms: i64) {
        self.sessions += 1;
        let number = self.sessions;
        let mut random = self.random(&format!("session {number}"));
        let day = self.day(at_ms);
        let drift = self.parameters.visitors.style_drift_days;
        self.visitors[who].drift(day, drift, &mut random);
        let mut session = Session {
            number,
            id: format!("s{number:08}").into(),
            who,
            signed_in: random.random::<f64>() >= self.parameters.visitors.signed_out,
            phone: random.random::<f64>() < self.parameters.visitors.phones,
            lists: 0,
            wants: self.want(who, at_ms, &mut random),
            seen: BTreeMap::new(),
            looked_at: None,
            unfinished: false,
        };
        let mut at_ms = at_ms;
        if random.random::<f64>() < self.parameters.sessions.searches {
            at_ms = self.search(&mut session, at_ms, &mut random);
        }
        self.plan(at_ms, Planned::Request(Box::new(session)));
    }

    /// What a visitor comes for: what the session before did not find, what goes with the last
    /// purchase, or something new.
    fn want(&mut self, who: usize, at_ms: i64, random: &mut ChaCha8Rng) -> Wanted {
        let sessions = &self.parameters.sessions;
        let [resumes, completes, new]: [f64; 3] = std::array::from_fn(|_| random.random());
        let visitor = &self.visitors[who];
        let recent = |wanted: &Wanted| {
            (at_ms - wanted.at_ms) as f64 <= sessions.resumes_within_days * DAY_MS as f64
        };
        if let Some(left) = visitor.unfinished.filter(recent)
            && resumes < sessions.resumes
        {
            return left;
        }
        let moment = |taste: &Style, random: &mut ChaCha8Rng| -> Style {
            std::array::from_fn(|at| taste[at] + (sessions.moment_spread * normal(random)) as f32)
        };
        let bought = visitor.last_purchase(at_ms, sessions.completes_within_days);
        let bought = bought.map(|bought| &self.goods.products[bought.product]);
        if let Some(product) = bought
            && completes < sessions.completes
            && let Some(kind) = self.beside(product.kind, new)
        {
            let style = moment(&product.style, random);
            return Wanted { kind, style, at_ms };
        }
        let day = Time(at_ms).day();
        let kind = pick(wants(&self.goods, visitor, day).into_iter(), random);
        let style = moment(&visitor.taste, random);
        Wanted { kind, style, at_ms }
    }

    /// A kind that goes with another, by a number from 0 to 1.
    fn beside(&self, kind: usize, by: f64) -> Option<usize> {
        let beside = &self.goods.kinds[kind].beside;
        beside.get((by * beside.len() as f64) as usize).copied()
    }

    /// A search for what is wanted, of which one product is opened; gives when that is done.
    fn search(&mut self, session: &mut Session, at_ms: i64, random: &mut ChaCha8Rng) -> i64 {
        let of_kind = |product: &usize| self.goods.products[*product].kind == session.wants.kind;
        let mut found: Vec<usize> = self.goods.on_sale().filter(of_kind).collect();
        while found.len() > self.parameters.sessions.found {
            found.swap_remove(random.random_range(0..found.len()));
        }
        let chances: Vec<Chance> = found
            .iter()
            .map(|&product| self.chance(session, product, at_ms))
            .collect();
        let open: Vec<&Chance> = chances.iter().filter(|c| c.click > 0.0).collect();
        if open.is_empty() {
            return at_ms;
        }
        let chosen = *open[pick(open.iter().map(|chance| chance.interest.exp()), random)];
        self.feedback(session, Action::View, chosen.product, None, at_ms);
        let (at_ms, _) = self.look(session, &chosen, None, at_ms, random);
        at_ms + 1_000 * random.random_range(PAGE_SECONDS)
    }

    /// What a shop knows of a visitor who asks for a list.
    pub(super) fn visit(&self, session: &Session, at_ms: i64) -> Visit {
        let customer = || account::id(session.who).into();
        Visit {
            at: Time(at_ms),
            session: Arc::clone(&session.id),
            customer: session.signed_in.then(customer),
            region: Arc::clone(&self.regions[self.visitors[session.who].region]),
            device: if session.phone { "phone" } else { "desktop" },
            places: self.parameters.places,
            number: session.lists + 1,
        }
    }

    /// After a list: what is wanted then, and whether another is looked at.
    pub(super) fn go_on(
        &mut self,
        mut session: Box<Session>,
        (clicked, bought): (bool, bool),
        at_ms: i64,
        random: &mut ChaCha8Rng,
    ) {
        let sessions = &self.parameters.sessions;
        let [stays, turns, which]: [f64; 3] = std::array::from_fn(|_| random.random());
        let share = match (bought, clicked) {
            (true, _) => sessions.stays_after_purchase,
            (false, true) => sessions.stays_after_click,
            (false, false) => sessions.stays,
        };
        if let Some(product) = session.looked_at.filter(|_| clicked) {
            let kind = self.goods.products[product].kind;
            if bought && turns < sessions.turns_after_purchase {
                session.wants.kind = self.beside(kind, which).unwrap_or(kind);
            } else if !bought && turns < sessions.turns {
                session.wants.kind = kind;
            }
        }
        session.wants.at_ms = at_ms;
        session.lists += 1;
        if stays < share && session.lists < sessions.lists_most {
            let at_ms = at_ms + 1_000 * random.random_range(PAGE_SECONDS);
            self.plan(at_ms, Planned::Request(session));
            return;
        }
        let left = session.unfinished.then_some(session.wants);
        self.visitors[session.who].unfinished = left;
    }
}
