//! `item_similarity`: items that the same users touched.
//!
//! `method: cosine` is the item-based nearest-neighbour model (Sarwar et al. 2001): the cosine of
//! the columns of users × items, shrunk where few users speak (`x·y / (|x||y| + shrinkage)`).
//! `method: ease` is EASEᴿ (Steck 2019, "Embarrassingly Shallow Autoencoders for Sparse Data"):
//! the linear model of items by all others with a ridge, in closed form
//! `B = I − P diag(P)⁻¹`, `P = (XᵀX + λI)⁻¹`. It says more and costs a matrix of items × items.
//!
//! The entries of `X` are the sums of the weights of a user's events with an item, where they are
//! above 0.

use acumen_base::Seed;
use rayon::prelude::*;
use serde::Serialize;

use super::interactions::Pairs;
use super::recency::{self, Recency};
use super::table::{Table, largest};
use super::{CheckedRecommender, RecommendData, RecommendError, RecommendLearner, Source, ease};
use crate::learner::params::doc;
use crate::learner::threads::threads;
use crate::learner::{ParamDoc, ParamProblem, ParamRange, Params, Progress, Reader};

/// Similar items by the name `item_similarity`.
#[derive(Debug)]
pub struct ItemSimilarity;

const DOCS: &[ParamDoc] = &[
    doc(
        "method",
        &[],
        ParamRange::OneOf(&["cosine", "ease"]),
        "cosine",
        "how likeness is measured; `ease` is better on catalogues of some thousand items",
    ),
    doc(
        "neighbours",
        &["k"],
        ParamRange::Whole(0, 100_000),
        "100",
        "how many items are kept for each; 0 is all",
    ),
    doc(
        "shrinkage",
        &["shrink"],
        ParamRange::Number(0.0, f64::INFINITY),
        "50",
        "of `cosine`: how much is added below the line, so that few common users count less",
    ),
    doc(
        "regularisation",
        &["lambda", "regularization"],
        ParamRange::Open(0.0, f64::INFINITY),
        "300",
        "of `ease`: the ridge λ",
    ),
    recency::last("0"),
    recency::history_decay("1"),
    doc(
        "n_threads",
        &["n_jobs"],
        ParamRange::Whole(0, 1_024),
        "0",
        "how many threads; 0 is one a core; the model does not depend on it",
    ),
];

/// How likeness is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Method {
    Cosine,
    Ease,
}

#[derive(Debug, Serialize)]
struct SimilarityParams {
    method: Method,
    neighbours: usize,
    shrinkage: f64,
    regularisation: f64,
    #[serde(flatten)]
    recency: Recency,
    n_threads: usize,
}

impl RecommendLearner for ItemSimilarity {
    fn name(&self) -> &'static str {
        "item_similarity"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["item_knn"]
    }

    fn doc(&self) -> &'static str {
        "Items that the same users touched: by cosine, or by a linear model of each item by all \
         others (EASE). Learnt in seconds, explained by the items one knows."
    }

    fn params(&self) -> &'static [ParamDoc] {
        DOCS
    }

    fn check(&self, params: &Params) -> Result<Box<dyn CheckedRecommender>, Vec<ParamProblem>> {
        let reader = Reader::new(params, DOCS);
        let read = SimilarityParams {
            method: match reader.word("method", "cosine") {
                "ease" => Method::Ease,
                _ => Method::Cosine,
            },
            neighbours: reader.whole("neighbours", 100),
            shrinkage: reader.number("shrinkage", 50.0),
            regularisation: reader.number("regularisation", 300.0),
            recency: Recency::read(&reader, 0, 1.0),
            n_threads: reader.whole("n_threads", 0),
        };
        reader.done(read).map(|read| Box::new(read) as _)
    }
}

impl CheckedRecommender for SimilarityParams {
    fn fit(
        &self,
        data: &RecommendData<'_>,
        _: Seed,
        _: &mut dyn FnMut(Progress),
    ) -> Result<Source, RecommendError> {
        let by_user = data.interactions.pairs().interest();
        if !by_user.any_interest() {
            return Err(RecommendError::NoInterest);
        }
        let table = threads(self.n_threads)?.install(|| match self.method {
            Method::Cosine => {
                let lines = nearest(cosine(&by_user, self.shrinkage), self.neighbours);
                Ok::<Table, RecommendError>(Table::new(lines, 0, self.recency))
            }
            Method::Ease => {
                let lines = ease::lines(&by_user, self.regularisation)?;
                Ok(Table::new(lines, self.neighbours, self.recency))
            }
        })?;
        Ok(Source::Table(table))
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers and words become JSON")
    }
}

/// One line of `XᵀX`: how much each item shares with one, and the items of which that is not 0.
pub(super) fn common(
    item: usize,
    (by_user, by_item): (&Pairs, &Pairs),
    sums: &mut [f32],
) -> Vec<u32> {
    let mut touched = Vec::new();
    for &(user, weight) in by_item.line(item) {
        for &(other, theirs) in by_user.line(user as usize) {
            let sum = &mut sums[other as usize];
            if *sum == 0.0 {
                touched.push(other);
            }
            *sum += weight * theirs;
        }
    }
    touched.sort_unstable();
    touched
}

/// Of lines of likeness, what each item says of those that have it among their nearest: an item is
/// judged by its own neighbours, or one that is like many would be judged by all of them.
fn nearest(lines: Vec<Vec<(u32, f32)>>, neighbours: usize) -> Vec<Vec<(u32, f32)>> {
    let mut said = vec![Vec::new(); lines.len()];
    for (item, line) in lines.into_iter().enumerate() {
        for (neighbour, likeness) in largest(line, neighbours) {
            said[neighbour as usize].push((item as u32, likeness));
        }
    }
    said
}

fn cosine(by_user: &Pairs, shrinkage: f64) -> Vec<Vec<(u32, f32)>> {
    let by_item = by_user.transposed();
    let items = by_item.n_lines();
    let length = |item: usize| {
        let squares = by_item.line(item).iter().map(|(_, w)| f64::from(w * w));
        squares.sum::<f64>().sqrt()
    };
    let lengths: Vec<f64> = (0..items).map(length).collect();
    let line = |sums: &mut Vec<f32>, item: usize| {
        let touched = common(item, (by_user, &by_item), sums);
        let mut line = Vec::with_capacity(touched.len());
        for other in touched {
            let shared = f64::from(std::mem::take(&mut sums[other as usize]));
            if other as usize != item {
                let apart = lengths[item] * lengths[other as usize] + shrinkage;
                line.push((other, (shared / apart) as f32));
            }
        }
        line
    };
    let lines = (0..items).into_par_iter();
    lines.map_init(|| vec![0.0; items], line).collect()
}
