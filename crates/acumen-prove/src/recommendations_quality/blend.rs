//! All sources of a set, one blend of them, and what each is worth in it.

use acumen_base::Seed;
use acumen_decision::ranking::{Bounds, FIRST_WEIGHTS, Judged, refit};
use acumen_model::recommend::{Open, Source, candidates};
use rayon::prelude::*;
use serde_json::Value;

use super::judge::{Cut, Figures};
use super::kept::Kept;
use super::members::{Fitted, Role, planned};
use super::sets::Set;
use crate::report::Failure;
use crate::settings::Settings;

/// Users that weights are fitted on, and the candidates of each source.
const USERS: usize = 6_040;
const CANDIDATES: usize = 100;
/// An item that at most so many events of training are with is cold; so is a user of at most so
/// many events.
const COLD: usize = 5;

/// What was found of a set.
pub(super) struct Studied {
    pub(super) set: &'static str,
    pub(super) members: Vec<Member>,
    /// Of the weights fitted on validation: there, and on the test item.
    pub(super) validation: Figures,
    pub(super) test: Figures,
    /// Of the weights to begin with.
    pub(super) first: Figures,
    /// Of the fitted weights where counting sources have seen the validation item as well.
    pub(super) refitted: Figures,
    pub(super) negatives: Option<Figures>,
    pub(super) cold_items: Figures,
    pub(super) cold_users: Figures,
}

/// A source in the blend.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) parameters: Value,
    pub(super) source: Source,
    pub(super) weight: f32,
    pub(super) test: Figures,
    /// By how much NDCG on validation is less where the others are fitted without it.
    pub(super) left_out: f64,
    pub(super) seconds: f64,
}

impl Member {
    pub(super) fn earns_its_place(&self) -> bool {
        self.left_out > 0.0
    }
}

/// Fits, blends and judges.
pub(super) fn study(set: &Set, settings: &Settings) -> Result<Studied, Failure> {
    let kept = Kept::new(settings.fresh);
    let (valid, test) = (Cut::new(&set.events, 2), Cut::new(&set.events, 1));
    let mut fitted = Vec::new();
    for planned in planned(set, settings)? {
        let found = planned.fit(set, &valid, &kept)?;
        println!("  {}: {}", found.planned.name, found.parameters);
        fitted.push(found);
    }
    let judged = judged(&fitted, &valid);
    let first = first_weights(&fitted);
    let free = vec![
        Bounds {
            least: 0.0,
            most: 1.0
        };
        fitted.len()
    ];
    let found = refit(&judged, &first, &free);
    let users = test.all();
    let members = fitted.iter().enumerate().map(|(at, one)| {
        let mut without = free.clone();
        without[at].most = 0.0;
        let without = refit(&judged, &found.weights, &without);
        Member {
            name: one.planned.name.to_owned(),
            parameters: one.parameters.clone(),
            source: one.source.clone(),
            weight: found.weights[at] / found.weights.iter().sum::<f32>(),
            test: Figures::of(&test.places(&[(&one.source, 1.0)], &users)),
            left_out: found.after - without.after,
            seconds: one.seconds,
        }
    });
    let members: Vec<Member> = members.collect();
    let blend: Vec<(&Source, f32)> = members.iter().map(|m| (&m.source, m.weight)).collect();
    let begin: Vec<(&Source, f32)> = members
        .iter()
        .zip(&first)
        .map(|(m, weight)| (&m.source, *weight))
        .collect();
    let places = test.places(&blend, &users);
    let mut seen = vec![0_usize; set.events.n_items()];
    for user in 0..set.events.n_users() {
        valid
            .history(user)
            .items
            .iter()
            .for_each(|item| seen[*item as usize] += 1);
    }
    let of = |keep: &dyn Fn(usize) -> bool| {
        let kept = users
            .iter()
            .filter(|user| keep(**user))
            .map(|user| places[*user]);
        Figures::of(&kept.collect::<Vec<_>>())
    };
    let negatives = || Figures::of(&test.sampled(&blend, Seed(settings.seed)));
    Ok(Studied {
        set: set.name,
        validation: Figures::of(&valid.places(&blend, &users)),
        test: Figures::of(&places),
        first: Figures::of(&test.places(&begin, &users)),
        refitted: refitted(set, &fitted, &members, &test, &kept)?,
        negatives: set.negatives.then(negatives),
        cold_items: of(&|user| seen[test.wanted[user] as usize] <= COLD),
        cold_users: of(&|user| test.history(user).items.len() <= COLD),
        members,
    })
}

/// The sources that learn in seconds, fitted to the validation item as well.
fn refitted(
    set: &Set,
    fitted: &[Fitted],
    members: &[Member],
    test: &Cut,
    kept: &Kept,
) -> Result<Figures, Failure> {
    let mut sources = Vec::new();
    for one in fitted {
        let source = match one.planned.takes_minutes() {
            true => one.source.clone(),
            false => {
                one.planned
                    .fit_with(set, &one.parameters, &test.histories, kept)?
                    .0
            }
        };
        sources.push(source);
    }
    let blend: Vec<(&Source, f32)> = sources
        .iter()
        .zip(members)
        .map(|(source, m)| (source, m.weight))
        .collect();
    Ok(Figures::of(&test.places(&blend, &test.all())))
}

/// What the sources say of their candidates for some users, and what came next; users to whom no
/// source puts it forward teach nothing.
fn judged(fitted: &[Fitted], valid: &Cut) -> Vec<Judged> {
    let sources: Vec<&Source> = fitted.iter().map(|one| &one.source).collect();
    let judge = |user: usize| {
        let may = valid.untouched(user);
        let found = candidates(&sources, valid.history(user), &Open::new(&may), CANDIDATES);
        let taken = found.items.binary_search(&valid.wanted[user]).ok()?;
        Some(Judged::new(&found.scores, taken))
    };
    valid
        .some(USERS)
        .into_par_iter()
        .filter_map(judge)
        .collect()
}

/// The first weights by role, shared among those of one; roles without a source have none.
fn first_weights(fitted: &[Fitted]) -> Vec<f32> {
    let roles = [
        Role::Collaborative,
        Role::Content,
        Role::Sequence,
        Role::Popular,
    ];
    let weight = |one: &Fitted| {
        let role = roles.iter().position(|role| *role == one.planned.role);
        let same = fitted
            .iter()
            .filter(|other| other.planned.role == one.planned.role);
        role.map_or(0.0, |role| FIRST_WEIGHTS[role]) / same.count() as f32
    };
    fitted.iter().map(weight).collect()
}
