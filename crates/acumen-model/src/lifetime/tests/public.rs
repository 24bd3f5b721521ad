//! The published figures of the CDNOW sample, where the data is at hand.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;

use super::*;

/// One tenth of the customers who first bought at CDNOW in early 1997; not part of the project.
const FILE: &str = "../../../shared/data/clv/cdnow_sample.parquet";
/// 1997-09-30, in days since 1970: half of the time is for fitting, half is the future.
const NOW: i32 = 10_134;
const WEEK: f64 = 7.0;
const NANOSECONDS_A_DAY: i64 = 86_400_000_000_000;

struct Customer {
    of: History,
    spend: Spend,
    later: f64,
}

/// Spending by customer and day.
fn days() -> Option<BTreeMap<i32, BTreeMap<i32, f64>>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let Ok(file) = File::open(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    let mut days: BTreeMap<i32, BTreeMap<i32, f64>> = BTreeMap::new();
    for row in SerializedFileReader::new(file)
        .unwrap()
        .get_row_iter(None)
        .unwrap()
    {
        let row = row.unwrap();
        let (mut customer, mut day, mut spent) = (0, 0, 0.0);
        for (at, (name, _)) in row.get_column_iter().enumerate() {
            match name.as_str() {
                "sample_id" => customer = row.get_int(at).unwrap(),
                "date" => day = (row.get_long(at).unwrap() / NANOSECONDS_A_DAY) as i32,
                "spend_usd" => spent = row.get_double(at).unwrap(),
                _ => {}
            }
        }
        *days.entry(customer).or_default().entry(day).or_default() += spent;
    }
    Some(days)
}

fn customers() -> Option<Vec<Customer>> {
    let customer = |days: &BTreeMap<i32, f64>| {
        let seen: Vec<(i32, f64)> = days
            .range(..=NOW)
            .map(|(day, spent)| (*day, *spent))
            .collect();
        let (first, last) = (seen[0].0, seen[seen.len() - 1].0);
        let repeats = (seen.len() - 1) as f64;
        let spent: f64 = seen[1..].iter().map(|(_, spent)| spent).sum();
        Customer {
            of: history(
                repeats,
                f64::from(last - first) / WEEK,
                f64::from(NOW - first) / WEEK,
            ),
            spend: Spend {
                purchases: repeats,
                mean: spent / repeats,
            },
            later: (days.len() - seen.len()) as f64,
        }
    };
    Some(days()?.values().map(customer).collect())
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let along = |x: &[f64], mean_x: f64, y: &[f64], mean_y: f64| -> f64 {
        x.iter()
            .zip(y)
            .map(|(x, y)| (x - mean_x) * (y - mean_y))
            .sum()
    };
    along(a, mean_a, b, mean_b) / (along(a, mean_a, a, mean_a) * along(b, mean_b, b, mean_b)).sqrt()
}

fn near(found: f64, published: f64, half_digit: f64) {
    assert!(
        (found - published).abs() <= half_digit,
        "{found} for {published}"
    );
}

#[test]
fn the_published_figures_come_out() {
    let Some(customers) = customers() else {
        return;
    };
    assert_eq!(customers.len(), 2_357);
    let histories: Vec<(History, f64)> = customers.iter().map(|c| (c.of, 1.0)).collect();
    let histories = Histories::new(&histories).unwrap();
    let later: Vec<f64> = customers.iter().map(|c| c.later).collect();

    let bg = fit::<BgNbd>(&histories);
    let [r, alpha, a, b] = bg.process.parameters();
    for (found, published) in [(r, 0.243), (alpha, 4.414), (a, 0.793), (b, 2.426)] {
        near(found, published, 5.1e-4);
    }
    near(bg.log_likelihood, -9582.4, 0.05);
    let expected: Vec<f64> = customers
        .iter()
        .map(|c| bg.process.expected(&c.of, 39.0))
        .collect();
    near(correlation(&expected, &later), 0.626, 5.1e-4);

    let pareto = fit::<ParetoNbd>(&histories);
    near(pareto.log_likelihood, -9595.0, 0.05);
    let expected: Vec<f64> = customers
        .iter()
        .map(|c| pareto.process.expected(&c.of, 39.0))
        .collect();
    near(correlation(&expected, &later), 0.630, 1.1e-3);

    let spends: Vec<(Spend, f64)> = customers.iter().map(|c| (c.spend, 1.0)).collect();
    let GammaGamma { p, q, v } = GammaGamma::fit(&spends).unwrap();
    for (found, published) in [(p, 6.25), (q, 3.74), (v, 15.44)] {
        near(found, published, 5.1e-3);
    }
}
