//! `matrix_factorization`: users and items as vectors whose product is the interest of the one in
//! the other.
//!
//! Implicit alternating least squares (Hu, Koren and Volinsky 2008) with the loss and the
//! regularisation of Rendle et al. 2022 ("Revisiting the Performance of iALS on Item
//! Recommendation Benchmarks"): for a user u with items S
//!
//! ```text
//! Σ_S c (x·y − 1)²  +  α₀ Σ_all (x·y)²  +  λ (|S| + α₀ n)^ν |x|²
//! ```
//!
//! and the same for items. `c` is `weight` times the event's weight; an item of weight below 0 is
//! taken as one that is not wanted, as surely as its weight is large. With ν = 1 the ridge grows
//! with how much is known (frequency scaling), with ν = 0 it is the same for all.
//!
//! Users are solved for when they ask ([`Factors::fold_in`]), with the events of that moment, older
//! ones counting less where `history_decay` is below 1; a new item likewise once some users
//! touched it ([`Factors::learn_item`]).

use acumen_base::Seed;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::derived::Derived;
use super::interactions::Pairs;
use super::least_squares::{Ground, Observation, Room, Vectors};
use super::open::Open;
use super::proposal;
use super::quantised::Quantised;
use super::recency::{self, Recency};
use super::wide::{LANES, Lane, dot, wide};
use super::{CheckedRecommender, History, RecommendData, RecommendError, RecommendLearner, Source};
use crate::learner::params::doc;
use crate::learner::threads::threads;
use crate::learner::{ParamDoc, ParamProblem, ParamRange, Params, Progress, Reader};
use acumen_base::random::Stream;

/// Implicit matrix factorisation by the name `matrix_factorization`.
#[derive(Debug)]
pub struct MatrixFactorization;

const DOCS: &[ParamDoc] = &[
    doc(
        "factors",
        &["rank", "d"],
        ParamRange::Whole(1, 2_048),
        "64",
        "how many numbers describe a user or an item",
    ),
    doc(
        "iterations",
        &["epochs"],
        ParamRange::Whole(1, 1_000),
        "15",
        "how often users and items are solved for in turn",
    ),
    doc(
        "regularisation",
        &["lambda", "regularization"],
        ParamRange::Open(0.0, f64::INFINITY),
        "0.001",
        "the ridge λ",
    ),
    doc(
        "frequency_exponent",
        &["nu"],
        ParamRange::Number(0.0, 2.0),
        "1",
        "ν: by which power of how much is known the ridge grows",
    ),
    doc(
        "unobserved_weight",
        &["alpha0"],
        ParamRange::Open(0.0, f64::INFINITY),
        "1",
        "α₀: how surely an item that was not touched is not wanted, beside one that was",
    ),
    doc(
        "weight",
        &["alpha"],
        ParamRange::Open(0.0, f64::INFINITY),
        "1",
        "how surely an event of weight 1 tells of interest",
    ),
    doc(
        "steps",
        &["cg_steps"],
        ParamRange::Whole(1, 2_048),
        "3",
        "conjugate gradient steps in each iteration; they go on from the iteration before",
    ),
    recency::last("0"),
    recency::history_decay("1"),
    doc(
        "seed",
        &["random_state"],
        ParamRange::Whole(0, u64::MAX),
        "0",
        "varies the vectors that training starts from",
    ),
    doc(
        "n_threads",
        &["n_jobs"],
        ParamRange::Whole(0, 1_024),
        "0",
        "how many threads; 0 is one a core; the model does not depend on it",
    ),
];

#[derive(Debug, Serialize)]
struct FactorParams {
    factors: usize,
    iterations: usize,
    #[serde(flatten)]
    objective: Objective,
    steps: usize,
    #[serde(flatten)]
    recency: Recency,
    seed: u64,
    n_threads: usize,
}

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Objective {
    regularisation: f32,
    frequency_exponent: f32,
    unobserved_weight: f32,
    weight: f32,
}

/// Vectors of the items, and what is needed to solve for a user or a new item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Factors {
    objective: Objective,
    recency: Recency,
    items: Vectors,
    item_gram: Vec<Lane>,
    user_gram: Vec<Lane>,
    n_users: usize,
    /// The items in bytes.
    #[serde(skip)]
    quantised: Derived<Quantised>,
    /// The mean of the items' vectors.
    #[serde(skip)]
    mean: Derived<Vec<f32>>,
}

/// A user as the model sees them at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct UserVector(Vec<Lane>);

impl RecommendLearner for MatrixFactorization {
    fn name(&self) -> &'static str {
        "matrix_factorization"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["als", "ials"]
    }

    fn doc(&self) -> &'static str {
        "Implicit alternating least squares: tastes as vectors, of users who are solved for when \
         they ask. What lies in all of the past, whatever its order."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>> {
        let reader = Reader::new(params, DOCS);
        let read = FactorParams {
            factors: reader.whole("factors", 64),
            iterations: reader.whole("iterations", 15),
            objective: Objective {
                regularisation: reader.number("regularisation", 0.001) as f32,
                frequency_exponent: reader.number("frequency_exponent", 1.0) as f32,
                unobserved_weight: reader.number("unobserved_weight", 1.0) as f32,
                weight: reader.number("weight", 1.0) as f32,
            },
            steps: reader.whole("steps", 3),
            recency: Recency::read(&reader, 0, 1.0),
            seed: reader.whole("seed", 0) as u64,
            n_threads: reader.whole("n_threads", 0),
        };
        reader.done(read).map(|read| Box::new(read) as _)
    }
}

impl CheckedRecommender for FactorParams {
    fn fit(
        &self,
        data: &RecommendData<'_>,
        seed: Seed,
        _: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError> {
        let by_user = data.interactions.pairs();
        if !by_user.any_interest() {
            return Err(RecommendError::NoInterest);
        }
        let seed = seed.derive(&format!("factors {}", self.seed));
        let factors = threads(self.n_threads)?.install(|| self.alternate(&by_user, seed));
        Ok(Source::Factors(factors))
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers become JSON")
    }
}

impl FactorParams {
    fn alternate(&self, by_user: &Pairs, seed: Seed) -> Factors {
        let by_item = by_user.transposed();
        let mut items = Vectors::new(by_item.n_lines(), self.factors);
        let mut users = Vectors::new(by_user.n_lines(), self.factors);
        let mut draws = Stream::new(seed);
        let spread = 0.1 / (self.factors as f64).sqrt();
        let padded = items.width * LANES;
        for line in items.lanes.as_flattened_mut().chunks_exact_mut(padded) {
            line[..self.factors].fill_with(|| (spread * draws.normal()) as f32);
        }
        for _ in 0..self.iterations {
            self.objective
                .solve_all(by_user, (&items, &items.gram()), &mut users, self.steps);
            self.objective
                .solve_all(&by_item, (&users, &users.gram()), &mut items, self.steps);
        }
        Factors {
            objective: self.objective,
            recency: self.recency,
            item_gram: items.gram(),
            user_gram: users.gram(),
            n_users: users.len(),
            items,
            quantised: Derived::default(),
            mean: Derived::default(),
        }
    }
}

impl Objective {
    /// Improves the vectors of one side, given those of the other.
    fn solve_all(
        &self,
        pairs: &Pairs,
        (other, gram): (&Vectors, &[Lane]),
        vectors: &mut Vectors,
        steps: usize,
    ) {
        let ground = self.ground(other, gram);
        let width = vectors.width;
        let lines = vectors.lanes.par_chunks_exact_mut(width).enumerate();
        lines.for_each_init(Room::default, |room, (line, x)| {
            let observations = self.observations(pairs.line(line));
            let ridge = self.ridge(observations.len(), other.len());
            ground.solve((&observations, ridge), steps, x, room);
        });
    }

    fn ground<'a>(&self, vectors: &'a Vectors, gram: &'a [Lane]) -> Ground<'a> {
        Ground {
            vectors,
            gram,
            everywhere: self.unobserved_weight,
        }
    }

    fn observations(&self, pairs: &[(u32, f32)]) -> Vec<Observation> {
        let observation = |&(of, weight): &(u32, f32)| Observation {
            of,
            sure: self.weight * weight.abs(),
            says: if weight > 0.0 { 1.0 } else { 0.0 },
        };
        pairs.iter().map(observation).collect()
    }

    /// λ (|S| + α₀ n)^ν.
    fn ridge(&self, observed: usize, all: usize) -> f32 {
        let known = observed as f32 + self.unobserved_weight * all as f32;
        self.regularisation * known.powf(self.frequency_exponent)
    }
}

impl Factors {
    /// How many items it knows.
    pub fn n_items(&self) -> usize {
        self.items.len()
    }

    /// The items of the events that count, with the sum of their weights.
    fn read(&self, history: History<'_>) -> Vec<(u32, f32)> {
        let events = self.recency.of(history);
        let (items, weights): (Vec<u32>, Vec<f32>) =
            events.map(|(_, item, weight)| (item, weight)).unzip();
        let counting = History {
            items: &items,
            weights: &weights,
        };
        counting.pairs()
    }

    /// The vector of the user with this history: the exact solution, whatever was done a moment
    /// ago included.
    pub fn fold_in(&self, history: History<'_>) -> UserVector {
        let observations = self.objective.observations(&self.read(history));
        let ridge = self.objective.ridge(observations.len(), self.items.len());
        let ground = self.objective.ground(&self.items, &self.item_gram);
        UserVector(exactly(&ground, &observations, ridge))
    }

    /// Learns an item that these users touched, each with the sum of their weights, and which came
    /// after training. It becomes the last.
    pub fn learn_item(&mut self, users: &[(&UserVector, f32)]) {
        let vectors = Vectors {
            width: self.items.width,
            lanes: users
                .iter()
                .flat_map(|(user, _)| &user.0)
                .copied()
                .collect(),
        };
        let pairs: Vec<(u32, f32)> = (0..).zip(users).map(|(k, user)| (k, user.1)).collect();
        let observations = self.objective.observations(&pairs);
        let ridge = self.objective.ridge(pairs.len(), self.n_users);
        let ground = self.objective.ground(&vectors, &self.user_gram);
        let learnt = exactly(&ground, &observations, ridge);
        self.items.lanes.extend(learnt);
        self.item_gram = self.items.gram();
        self.quantised.forget();
        self.mean.forget();
    }

    /// Makes what a search needs.
    pub(super) fn prepare(&self) {
        self.quantised.get(|| Quantised::new(&self.items));
        self.mean.get(|| self.items.mean());
    }

    /// The items that may be shown and look best by a first look at all of them, in no order.
    pub(super) fn near(&self, user: &UserVector, open: &Open<'_>, most: usize) -> Vec<u32> {
        let quantised = self.quantised.get(|| Quantised::new(&self.items));
        quantised.search(user.0.as_flattened(), open, most)
    }

    /// The mean and the deviation of a user's scores over all items, from the moments of their
    /// vectors.
    pub(super) fn unit(&self, user: &UserVector) -> (f32, f32) {
        let mean = self.mean.get(|| self.items.mean());
        let x = user.0.as_flattened();
        let times = |line: &[f32]| -> f64 {
            let products = line.iter().zip(x);
            products.map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
        };
        let lines = self.item_gram.as_flattened().chunks_exact(x.len());
        let squares: f64 = lines
            .zip(x)
            .map(|(line, x)| f64::from(*x) * times(line))
            .sum();
        proposal::unit(times(mean), squares / self.items.len().max(1) as f64)
    }

    /// The interest of a user in every item.
    pub fn score_all(&self, user: &UserVector, scores: &mut [f32]) {
        let (lanes, width) = (&self.items.lanes, self.items.width);
        wide(
            #[inline(always)]
            || {
                let mut at = 0;
                while at < scores.len() {
                    scores[at] = dot(&user.0, &lanes[at * width..(at + 1) * width]);
                    at += 1;
                }
            },
        );
    }

    /// The interest of a user in one item, to the bit what [`Factors::score_all`] gives.
    pub fn score_one(&self, user: &UserVector, item: u32) -> f32 {
        let (lanes, width) = (&self.items.lanes, self.items.width);
        let at = item as usize;
        let line = &lanes[at * width..(at + 1) * width];
        wide(
            #[inline(always)]
            || dot(&user.0, line),
        )
    }

    /// What each item of the history adds to the score of an item: `c y·M⁻¹y_k`, where `M` is the
    /// matrix of the user's equations (Hu, Koren and Volinsky 2008, section 5).
    pub(super) fn contributions(&self, history: History<'_>, of: u32) -> Vec<(usize, f32)> {
        let observations = self.objective.observations(&self.read(history));
        let ridge = self.objective.ridge(observations.len(), self.items.len());
        let ground = self.objective.ground(&self.items, &self.item_gram);
        let at = self.items.line(of as usize);
        let turned = ground.inverse_times((&observations, ridge), at);
        let moved = observations.iter().filter(|seen| seen.says > 0.0);
        let moved = moved.filter_map(|seen| {
            // Of several events with one item, the newest stands for all.
            let place = history.items.iter().rposition(|&item| item == seen.of)?;
            Some((
                place,
                seen.sure * dot(&turned, self.items.line(seen.of as usize)),
            ))
        });
        moved.collect()
    }

    pub(super) fn check(&self) -> Result<(), String> {
        self.recency.check()?;
        let width = self.items.width;
        if width == 0 || !self.items.lanes.len().is_multiple_of(width) {
            return Err("the vectors of the items are cut off".to_owned());
        }
        if [self.item_gram.len(), self.user_gram.len()] != [width * LANES * width; 2] {
            return Err("a Gram matrix is of another width than the vectors".to_owned());
        }
        let lanes = self.items.lanes.iter().chain(&self.item_gram);
        let mut numbers = lanes.chain(&self.user_gram).flatten();
        match numbers.find(|number| !number.is_finite()) {
            Some(number) => Err(format!("a vector cannot hold {number}")),
            None => Ok(()),
        }
    }
}

/// The solution from nothing: in exact arithmetic there are no more steps than numbers.
fn exactly(ground: &Ground<'_>, observations: &[Observation], ridge: f32) -> Vec<Lane> {
    let width = ground.vectors.width;
    let mut x = vec![[0.0; LANES]; width];
    ground.solve(
        (observations, ridge),
        width * LANES,
        &mut x,
        &mut Room::default(),
    );
    x
}
