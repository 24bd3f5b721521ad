//! Figures of public data, where it is at hand: the last item of every user is to be found among
//! all that they have not touched.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::*;
use crate::metrics::ranking::{RankingMetrics, place_among};

/// MovieLens-1M in the version of SASRec; research use, not part of the project.
const FILE: &str = "../../../shared/data/recommendations/ml1m_sequences.parquet";
const USERS: usize = 6_040;
const FILMS: usize = 3_416;

fn films() -> Option<Interactions> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let Ok(file) = File::open(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    let (mut user, mut item, mut time) = (Vec::new(), Vec::new(), Vec::new());
    let rows = SerializedFileReader::new(file).unwrap();
    for row in rows.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        for (name, field) in row.get_column_iter() {
            let number = match field {
                Field::Short(number) => i64::from(*number),
                Field::Int(number) => i64::from(*number),
                Field::Long(number) => *number,
                _ => continue,
            };
            match name.as_str() {
                "user" => user.push(number as u32 - 1),
                "item" => item.push(number as u32 - 1),
                "pos" => time.push(Time(number)),
                _ => {}
            }
        }
    }
    let weight = vec![1.0; user.len()];
    let columns = InteractionColumns {
        user: &user,
        item: &item,
        time: &time,
        weight: &weight,
    };
    Some(Interactions::new(USERS, FILMS, &columns).unwrap())
}

fn judge(source: &Source, all: &Interactions) -> RankingMetrics {
    let known = all.without_last(1);
    let place = |user: usize| {
        let (history, whole) = (known.history(user), all.history(user));
        let mut found = scores(source, history);
        let wanted = *whole.items.last().unwrap();
        let score = found[wanted as usize];
        whole
            .items
            .iter()
            .for_each(|&item| found[item as usize] = f32::MIN);
        Some(place_among(score, found))
    };
    let places: Vec<Option<f64>> = (0..all.n_users()).map(place).collect();
    RankingMetrics::at(10, &places)
}

/// As good as the same methods elsewhere, measured once with numpy and `implicit`.
#[test]
fn public_figures_are_met() {
    let Some(all) = films() else { return };
    let known = all.without_last(1);
    let data = RecommendData {
        interactions: &known,
        attributes: None,
    };
    let ndcg = |name: &str, given| judge(&fit(name, &params(given), &data), &all).ndcg;
    let sequential = ndcg("sequential_cooccurrence", json!({}));
    assert!((sequential - 0.1574).abs() < 0.0002, "{sequential}");
    let cosine = ndcg("item_similarity", json!({"neighbours": 20}));
    assert!((cosine - 0.0424).abs() < 0.0002, "{cosine}");
    let ease = ndcg(
        "item_similarity",
        json!({"method": "ease", "neighbours": 0}),
    );
    assert!((ease - 0.0535).abs() < 0.0002, "{ease}");
    let popular = ndcg("popular", json!({}));
    assert!((popular - 0.0179).abs() < 0.0002, "{popular}");
    let factors = ndcg("matrix_factorization", json!({}));
    assert!(factors > 0.0501, "{factors}");
}
