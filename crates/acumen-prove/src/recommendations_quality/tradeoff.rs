//! Diversity, novelty and coverage against relevance, as the knob is turned.

use acumen_decision::ranking::{Caps, Diversity, Objectives, Slate, rank};
use acumen_model::metrics::ranking::{PlaceOfWanted, coverage, intra_list_diversity, novelty};
use acumen_model::recommend::{Open, Source, candidates};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::blend::Studied;
use super::judge::{Cut, Figures, LIST};
use super::sets::Set;
use crate::report::{Failure, row, table};

/// Candidates of each source.
const CANDIDATES: usize = 100;
const KNOBS: [f32; 11] = [0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9];
/// How much more diverse a list is to be, and how much of the relevance it must keep.
const MORE_DIVERSE: f64 = 1.3;

struct Point {
    knob: f32,
    ndcg: f64,
    diversity: f64,
    novelty: f64,
    coverage: f64,
}

/// Turns the knob, for each way to make a list diverse.
pub(super) fn run(set: &Set, studied: &Studied) -> Result<Value, Failure> {
    let test = Cut::new(&set.events, 1);
    let likeness = studied
        .members
        .iter()
        .find_map(|member| match &member.source {
            Source::Content(content) => Some(content),
            _ => None,
        });
    let Some(content) = likeness else {
        return Err(Failure::new("likeness needs attributes of the items"));
    };
    let alike = |a: u32, b: u32| content.likeness(a, b);
    let mut told = serde_json::Map::new();
    for (name, by) in [
        (
            "maximal_marginal_relevance",
            Diversity::MaximalMarginalRelevance,
        ),
        ("determinantal", Diversity::Determinantal),
        ("max_sum", Diversity::MaxSum),
    ] {
        let points = KNOBS.map(|knob| point(&test, studied, &alike, (knob, by)));
        show(name, &points);
        told.insert(name.to_owned(), curve(&points));
    }
    Ok(Value::Object(told))
}

fn point(
    test: &Cut,
    studied: &Studied,
    alike: &(dyn Fn(u32, u32) -> f32 + Sync),
    (knob, by): (f32, Diversity),
) -> Point {
    let sources: Vec<&Source> = studied
        .members
        .iter()
        .map(|member| &member.source)
        .collect();
    let weights: Vec<f32> = studied.members.iter().map(|member| member.weight).collect();
    let objectives = Objectives {
        diversity: knob,
        by,
        ..Objectives::default()
    };
    let list = |user: usize| -> Vec<u32> {
        let may = test.untouched(user);
        let found = candidates(&sources, test.history(user), &Open::new(&may), CANDIDATES);
        let slate = Slate {
            sources: found
                .scores
                .iter()
                .map(|scores| Some(scores.as_slice()))
                .collect(),
            novelty: &[],
            value: &[],
            seen: &[],
            likeness: &|one, others, likenesses| {
                let other = |other: &usize| alike(found.items[one], found.items[*other]);
                likenesses.extend(others.iter().map(other));
            },
        };
        let ranking = rank(&slate, &weights, &objectives, Caps::default(), LIST);
        ranking
            .list
            .iter()
            .map(|place| found.items[place.candidate])
            .collect()
    };
    let users = test.all();
    let lists: Vec<Vec<u32>> = users.par_iter().map(|user| list(*user)).collect();
    let places = lists
        .iter()
        .zip(&test.wanted)
        .map(|(list, wanted)| -> PlaceOfWanted {
            list.iter()
                .position(|item| item == wanted)
                .map(|place| place as f64)
        });
    let mut touched = vec![0; test.histories.n_items()];
    for user in &users {
        test.history(*user)
            .items
            .iter()
            .for_each(|item| touched[*item as usize] += 1);
    }
    let unlike = lists
        .iter()
        .map(|list| intra_list_diversity(list, |a, b| f64::from(alike(a, b))));
    Point {
        knob,
        ndcg: Figures::of(&places.collect::<Vec<_>>()).ndcg,
        diversity: unlike.sum::<f64>() / lists.len() as f64,
        novelty: novelty(&lists, &touched, users.len()),
        coverage: coverage(&lists, test.histories.n_items()),
    }
}

/// The share of relevance that is kept where lists are so much more diverse, between two points.
fn kept(points: &[Point]) -> Option<f64> {
    let (wanted, whole) = (MORE_DIVERSE * points[0].diversity, points[0].ndcg);
    let pair = points.windows(2).find(|pair| pair[1].diversity >= wanted)?;
    let span = (pair[1].diversity - pair[0].diversity).max(1e-12);
    let share = ((wanted - pair[0].diversity) / span).clamp(0.0, 1.0);
    Some((pair[0].ndcg + share * (pair[1].ndcg - pair[0].ndcg)) / whole)
}

fn curve(points: &[Point]) -> Value {
    let each = points.iter().map(|point| {
        json!({
            "knob": point.knob, "ndcg10": point.ndcg, "diversity": point.diversity,
            "novelty_bits": point.novelty, "coverage": point.coverage,
        })
    });
    json!({
        "curve": each.collect::<Vec<_>>(),
        "relevance_at_30_percent_more": kept(points),
    })
}

fn show(name: &str, points: &[Point]) {
    let mut lines = vec![row([name, "NDCG@10", "diversity", "novelty", "coverage"])];
    for point in points {
        lines.push(vec![
            format!("knob {}", point.knob),
            format!("{:.4}", point.ndcg),
            format!("{:.4}", point.diversity),
            format!("{:.2} bits", point.novelty),
            format!("{:.3}", point.coverage),
        ]);
    }
    table(&lines);
    if let Some(kept) = kept(points) {
        println!(
            "{:.1} % of the relevance at 30 % more diversity",
            100.0 * kept
        );
    }
}
