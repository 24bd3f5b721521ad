//! The small Open Bandit Dataset, where it is at hand: what a policy was worth, estimated from the
//! random log of the same campaign, against figures of numpy.

use std::fs::File;
use std::path::Path;

use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::Field;

use super::*;

/// Open Bandit Dataset (CC BY 4.0), 10,000 rows a policy and campaign; not part of the project.
const FILE: &str = "../../../shared/data/recommendations/obd_small.parquet";
/// The beta distributions of the production policy, by campaign and item.
const PRIOR: &str = "../../../shared/peers/obd_bts_prior.json";
const POSITIONS: usize = 3;
const DRAWS: usize = 20_000;

struct Log {
    items: usize,
    item: Vec<usize>,
    position: Vec<usize>,
    click: Vec<f64>,
    propensity: Vec<f64>,
}

fn log(campaign: &str) -> Option<Log> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let Ok(file) = File::open(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    };
    let mut log = Log {
        items: 0,
        item: Vec::new(),
        position: Vec::new(),
        click: Vec::new(),
        propensity: Vec::new(),
    };
    let reader = SerializedFileReader::new(file).unwrap();
    for row in reader.get_row_iter(None).unwrap() {
        let row = row.unwrap();
        let of = |wanted: &str| {
            let mut columns = row.get_column_iter();
            columns.find(|(name, _)| name.as_str() == wanted).unwrap().1
        };
        let is = |name: &str, wanted: &str| matches!(of(name), Field::Str(text) if text == wanted);
        let whole = |name: &str| match of(name) {
            Field::Long(number) => *number as usize,
            other => panic!("{name} is {other}"),
        };
        if !is("campaign", campaign) || !is("policy", "random") {
            continue;
        }
        log.item.push(whole("item_id"));
        log.position.push(whole("position") - 1);
        log.click.push(whole("click") as f64);
        let Field::Double(propensity) = of("propensity_score") else {
            panic!("a propensity is a number");
        };
        log.propensity.push(*propensity);
    }
    log.items = log.item.iter().max().unwrap() + 1;
    Some(log)
}

/// For each item and position, how often Thompson sampling would show it there.
fn policy(campaign: &str) -> Option<Vec<f64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PRIOR);
    let text = std::fs::read_to_string(path).ok()?;
    let prior: serde_json::Value = serde_json::from_str(&text).unwrap();
    let of = |what: &str| -> Vec<f64> {
        let list = prior[campaign][what].as_array().unwrap();
        list.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let (alpha, beta) = (of("alpha"), of("beta"));
    let mut draws = Stream::new(Seed(1));
    let mut shown = vec![0.0; POSITIONS * alpha.len()];
    for _ in 0..DRAWS {
        let mut drawn: Vec<(f64, usize)> = alpha
            .iter()
            .zip(&beta)
            .map(|(alpha, beta)| {
                let (a, b) = (gamma(*alpha, &mut draws), gamma(*beta, &mut draws));
                a / (a + b)
            })
            .zip(0..)
            .collect();
        drawn.sort_by(|a, b| b.0.total_cmp(&a.0));
        for (position, (_, item)) in drawn.iter().take(POSITIONS).enumerate() {
            shown[item * POSITIONS + position] += 1.0 / DRAWS as f64;
        }
    }
    Some(shown)
}

/// A draw of the gamma distribution of a shape (Marsaglia and Tsang 2000).
fn gamma(shape: f64, draws: &mut Stream) -> f64 {
    if shape < 1.0 {
        let power = draws.unit().powf(1.0 / shape);
        return gamma(shape + 1.0, draws) * power;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = draws.normal();
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && draws.unit().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}

#[test]
fn a_public_log_gives_the_known_figures() {
    // IPS, SNIPS, DM, DR and the effective rows by numpy, with 200,000 draws of the policy.
    for (campaign, wanted, rows) in [
        ("men", [0.00453, 0.00460, 0.00462, 0.00463], 2_477.0),
        ("women", [0.00681, 0.00680, 0.00626, 0.00695], 1_957.0),
    ] {
        let (Some(log), Some(policy)) = (log(campaign), policy(campaign)) else {
            return;
        };
        let cells = log.item.iter().zip(&log.position);
        let cells: Vec<usize> = cells.map(|(item, at)| item * POSITIONS + at).collect();
        let means = cell_means(&cells, &log.click, log.items * POSITIONS, 30.0);
        let target: Vec<f64> = cells.iter().map(|cell| policy[*cell]).collect();
        let taken: Vec<f64> = cells.iter().map(|cell| means.of(*cell)).collect();
        let at = |position: &usize| {
            let cells = (0..log.items).map(|item| item * POSITIONS + position);
            means.expected(cells.map(|cell| (cell, policy[cell])))
        };
        let expected: Vec<f64> = log.position.iter().map(at).collect();
        let logged = Logged {
            reward: &log.click,
            propensity: &log.propensity,
            target: &target,
            model: Some(Modelled {
                taken: &taken,
                target: &expected,
            }),
        };
        let found = logged.evaluate(None).unwrap();
        let (dm, dr) = (found.dm.unwrap(), found.dr.unwrap());
        let values = [found.ips.value, found.snips.value, dm.value, dr.value];
        for (found, wanted) in values.iter().zip(wanted) {
            assert!(
                (found / wanted - 1.0).abs() < 0.03,
                "{campaign}: {values:?}"
            );
        }
        assert!((found.overlap.effective_rows / rows - 1.0).abs() < 0.05);
        assert_eq!(found.overlap.concerns, [], "{campaign}");
        if campaign == "men" {
            // By 200 rounds of the bootstrap: 0.0025 to 0.0069.
            assert!(
                (dr.low - 0.0025).abs() < 5e-4 && (dr.high - 0.0069).abs() < 5e-4,
                "{dr:?}"
            );
        }
    }
}
