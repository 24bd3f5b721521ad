//! The three plans on Online Retail II: what is trained at which origins, and tested at which.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use acumen_base::{Event, Seed, Time};
use acumen_engine::{OriginRows, Plan};
use acumen_model::training::tweedie_deviance;
use acumen_model::{Dataset, Intervals};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use super::SEEDS;
use super::figures::{Figures, decile, figures, mean, mean_of};
use super::models::{Keyed, Values, boosters, candidates, purchases, values};
use super::origins::{At, dataset, date, rows};
use crate::report::Failure;

/// What the peers predicted, by plan.
pub(super) struct Peers(pub(super) Value);

/// What the peers predicted in one plan.
pub(super) struct Predicted {
    customers: HashMap<String, usize>,
    actual: Vec<f64>,
    shuffled: Vec<usize>,
    models: Vec<(String, Vec<Vec<f64>>)>,
}

/// A candidate's figures.
pub(super) struct Judged {
    pub(super) name: String,
    /// On customers of the training origins that it was not fitted to: what it is chosen by.
    pub(super) deviance: f64,
    pub(super) test: Figures,
}

/// What a plan gave.
pub(super) struct Measured {
    pub(super) name: &'static str,
    pub(super) customers: usize,
    pub(super) chosen: String,
    pub(super) ours: Figures,
    pub(super) candidates: Vec<Judged>,
    pub(super) peers: Vec<(String, Figures)>,
    /// The share of outcomes within 90 % intervals.
    pub(super) coverage: Option<f64>,
    /// Whether our decile error is no worse than the best peer's mean in 90 % of resamplings.
    pub(super) not_worse: Option<bool>,
}

/// Six months of history before each of these, all within a month of the season that is tested.
const MATCHED: [At; 3] = [
    At {
        from: "2009-12-01",
        origin: "2010-06-01",
    },
    At {
        from: "2009-12-15",
        origin: "2010-06-15",
    },
    At {
        from: "2010-01-01",
        origin: "2010-07-01",
    },
];
const TESTED: At = At {
    from: "2010-12-01",
    origin: "2011-06-01",
};
/// A year of history at the test origin, where the training origin is of another season.
const TESTED_WITH_A_YEAR: At = At {
    from: "2010-06-01",
    origin: "2011-06-01",
};
const YEAR: At = At {
    from: "2009-12-01",
    origin: "2010-12-01",
};
/// Days of the six months that are predicted.
const HALF_YEAR: f64 = 183.0;

/// Customers that are drawn for the bootstrap, how often.
const RESAMPLINGS: usize = 1_000;
/// Parts of the customers of the plan of a year.
const FOLDS: u64 = 5;

type Events<'a> = &'a [Arc<Event>];

/// Six months ahead, trained on the same season of the year before.
pub(super) fn matched(
    plan: &Arc<Plan>,
    events: Events<'_>,
    peers: &Predicted,
) -> Result<Measured, Failure> {
    let read = |at: At| rows(plan, "retail-6m", events, at);
    let train: Result<Vec<OriginRows>, Failure> = MATCHED.into_iter().map(read).collect();
    let (train, ids) = dataset(&train?)?;
    let test = read(TESTED)?;
    let order = peers.places(&test)?;
    let (test, _) = dataset(&[test])?;
    let runs: Result<Vec<Vec<Values>>, Failure> = (0..SEEDS)
        .map(|seed| {
            let keyed = Keyed {
                rows: &train,
                ids: &ids,
            };
            let boosters = boosters();
            values(&boosters, &candidates(&boosters), &keyed, &test, Seed(seed))
        })
        .collect();
    let runs = runs?;
    let coverage = |best: usize| {
        let of = |run: &Vec<Values>| {
            let Values {
                held_out,
                test: of_test,
            } = &run[best];
            let intervals = Intervals::new(held_out, &train.outcome, (0.9, Some(0.0)))?;
            Ok::<f64, Failure>(intervals.coverage(of_test, &test.outcome))
        };
        let of: Result<Vec<f64>, Failure> = runs.iter().map(of).collect();
        Ok::<f64, Failure>(mean_of(&of?))
    };
    let mut measured = judge(
        "6 → 6 months, season-matched",
        &runs,
        &train,
        (&order, peers),
    );
    let best = measured.place_of_chosen();
    measured.coverage = Some(coverage(best)?);
    let ours: Vec<Vec<f64>> = runs
        .iter()
        .map(|run| peers.ordered(&run[best].test, &order))
        .collect();
    measured.not_worse = Some(peers.not_worse(&ours));
    Ok(measured)
}

/// Six months ahead where no origin of the season is known: what follows an origin carries its
/// own season, so a model of purchases, which looks at no outcome, is taken times the season.
pub(super) fn unmatched(
    plan: &Arc<Plan>,
    events: Events<'_>,
    peers: &Predicted,
) -> Result<Measured, Failure> {
    let test = rows(plan, "retail-6m", events, TESTED_WITH_A_YEAR)?;
    let order = peers.places(&test)?;
    let (test, _) = dataset(&[test])?;
    let season = season(
        events,
        date(TESTED_WITH_A_YEAR.from)?,
        date(TESTED_WITH_A_YEAR.origin)?,
    )?;
    println!("the six months to come bring {season:.3} times a usual half of the last year");
    let plain = purchases(&test, HALF_YEAR)?;
    let of = |factor: f64| {
        let values: Vec<f64> = plain.iter().map(|value| value * factor).collect();
        peers.figures(&peers.ordered(&values, &order))
    };
    let name = "BG/NBD times the season".to_owned();
    Ok(Measured {
        name: "6 → 6 months, season not matched",
        customers: peers.actual.len(),
        chosen: name.clone(),
        ours: of(season),
        candidates: vec![
            Judged {
                name,
                deviance: f64::NAN,
                test: of(season),
            },
            Judged {
                name: "BG/NBD".to_owned(),
                deviance: f64::NAN,
                test: of(1.0),
            },
        ],
        peers: peers.all(),
        coverage: None,
        not_worse: None,
    })
}

/// What was ordered in the same six months a year ago, by half of what was ordered in that year.
fn season(events: Events<'_>, from: Time, to: Time) -> Result<f64, Failure> {
    let middle = date("2010-12-01")?;
    let net = |from: Time, to: Time| {
        let within = events
            .iter()
            .filter(|e| e.event_time >= from && e.event_time < to);
        let pounds = within.map(|event| {
            let minor = event
                .value("amount")
                .as_money()
                .map_or(0, |money| money.minor);
            if event.kind.name == "order" {
                minor
            } else {
                -minor
            }
        });
        pounds.sum::<i64>() as f64
    };
    Ok(2.0 * net(from, middle) / net(from, to))
}

/// Twelve months ahead in five folds over customers: only one such period exists.
pub(super) fn year(
    plan: &Arc<Plan>,
    events: Events<'_>,
    peers: &Predicted,
) -> Result<Measured, Failure> {
    let rows = rows(plan, "retail-12m", events, YEAR)?;
    let order = peers.places(&rows)?;
    let (all, ids) = dataset(&[rows])?;
    let boosters = boosters();
    let candidates = candidates(&boosters);
    let mut runs = Vec::new();
    for seed in 0..SEEDS {
        let mut whole: Vec<Values> = Vec::new();
        for _ in &candidates {
            whole.push(Values {
                held_out: vec![0.0; ids.len()],
                test: vec![0.0; ids.len()],
            });
        }
        let of = |id: &str| (Seed(0).derive("outer").unit(id) * FOLDS as f64) as u64;
        for part in 0..FOLDS {
            let (others, own): (Vec<usize>, Vec<usize>) =
                (0..ids.len()).partition(|&row| of(&ids[row]) != part);
            let train = all.select(&others);
            let train_ids: Vec<Arc<str>> =
                others.iter().map(|&row| Arc::clone(&ids[row])).collect();
            let keyed = Keyed {
                rows: &train,
                ids: &train_ids,
            };
            let seed = Seed(seed).derive(&format!("outer {part}"));
            let found = values(&boosters, &candidates, &keyed, &all.select(&own), seed)?;
            for (whole, found) in whole.iter_mut().zip(found) {
                own.iter()
                    .zip(found.test)
                    .for_each(|(&row, value)| whole.test[row] = value);
                // Each customer is held out within four of the folds: the last one counts.
                others
                    .iter()
                    .zip(found.held_out)
                    .for_each(|(&row, value)| whole.held_out[row] = value);
            }
        }
        runs.push(whole);
    }
    Ok(judge(
        "12 → 12 months, five folds over customers",
        &runs,
        &all,
        (&order, peers),
    ))
}

/// The figures of every candidate, and the one with the least deviance on the training origins.
fn judge(
    name: &'static str,
    runs: &[Vec<Values>],
    train: &Dataset,
    (order, peers): (&[usize], &Predicted),
) -> Measured {
    let names = candidates(&boosters()).into_iter().enumerate();
    let judged = names.map(|(place, candidate)| {
        let deviance = |run: &Vec<Values>| {
            tweedie_deviance(&run[place].held_out, &train.outcome).unwrap_or(f64::INFINITY)
        };
        let test = |run: &Vec<Values>| peers.figures(&peers.ordered(&run[place].test, order));
        Judged {
            name: candidate.name,
            deviance: mean_of(&runs.iter().map(deviance).collect::<Vec<f64>>()),
            test: mean(&runs.iter().map(test).collect::<Vec<Figures>>()),
        }
    });
    let candidates: Vec<Judged> = judged.collect();
    let mut measured = Measured {
        name,
        customers: peers.actual.len(),
        chosen: String::new(),
        ours: Figures::default(),
        candidates,
        peers: peers.all(),
        coverage: None,
        not_worse: None,
    };
    let best = measured.least();
    measured.chosen = measured.candidates[best].name.clone();
    measured.ours = measured.candidates[best].test;
    measured
}

impl Measured {
    fn least(&self) -> usize {
        let order = |&a: &usize, &b: &usize| {
            self.candidates[a]
                .deviance
                .total_cmp(&self.candidates[b].deviance)
        };
        (0..self.candidates.len()).min_by(order).unwrap_or(0)
    }

    fn place_of_chosen(&self) -> usize {
        let found = self.candidates.iter().position(|c| c.name == self.chosen);
        found.unwrap_or(0)
    }

    /// The peers' figures by name.
    pub(super) fn peers_json(&self) -> Value {
        let of = |(name, f): &(String, Figures)| {
            let figures = json!({
                "nmae": f.nmae, "total": f.total, "decile": f.decile,
                "cohort200": f.cohort200, "ngini": f.ngini,
            });
            (name.clone(), figures)
        };
        Value::Object(self.peers.iter().map(of).collect())
    }
}

impl Peers {
    /// What they predicted in a plan.
    pub(super) fn of(&self, plan: &str) -> Result<Predicted, Failure> {
        let told = &self.0[plan];
        let customers: Vec<String> = serde_json::from_value(told["customers"].clone())?;
        let customers = customers.into_iter().enumerate();
        let models: BTreeMap<String, Vec<Vec<f64>>> =
            serde_json::from_value(told["models"].clone())?;
        Ok(Predicted {
            customers: customers.map(|(place, id)| (id, place)).collect(),
            actual: serde_json::from_value(told["actual"].clone())?,
            shuffled: serde_json::from_value(told["shuffled"].clone())?,
            models: models.into_iter().collect(),
        })
    }
}

impl Predicted {
    /// Where the peers have the customers of our rows; both sides must have the same ones, with
    /// the same outcomes.
    fn places(&self, rows: &OriginRows) -> Result<Vec<usize>, Failure> {
        if rows.len() != self.actual.len() {
            let (ours, theirs) = (rows.len(), self.actual.len());
            return Err(Failure::new(format!(
                "{ours} customers, and the peers have {theirs}"
            )));
        }
        let place = |(id, target): (&Arc<str>, &f64)| {
            let place = self.customers.get(&**id).copied();
            let place = place.ok_or_else(|| Failure::new(format!("the peers have no `{id}`")))?;
            let actual = self.actual[place];
            match (actual - target).abs() < 1.0 + 1e-3 * actual {
                true => Ok(place),
                false => Err(Failure::new(format!(
                    "`{id}`: {target} here, {actual} there"
                ))),
            }
        };
        rows.ids.iter().zip(&rows.target).map(place).collect()
    }

    /// Our values in the peers' order.
    fn ordered(&self, values: &[f64], order: &[usize]) -> Vec<f64> {
        let mut ordered = vec![0.0; values.len()];
        order
            .iter()
            .zip(values)
            .for_each(|(&place, value)| ordered[place] = *value);
        ordered
    }

    fn figures(&self, values: &[f64]) -> Figures {
        figures(values, &self.actual, &self.shuffled)
    }

    /// The mean figures of every peer.
    fn all(&self) -> Vec<(String, Figures)> {
        let of = |(name, seeds): &(String, Vec<Vec<f64>>)| {
            let each: Vec<Figures> = seeds.iter().map(|values| self.figures(values)).collect();
            (name.clone(), mean(&each))
        };
        self.models.iter().map(of).collect()
    }

    /// Whether our decile error exceeds that of the peer with the least one by nothing that
    /// resampled customers could not explain: 0 or less within the 90 % interval of the paired
    /// difference.
    fn not_worse(&self, ours: &[Vec<f64>]) -> bool {
        let of = |seeds: &[Vec<f64>], rows: &[usize]| {
            let pick = |values: &[f64]| rows.iter().map(|&row| values[row]).collect::<Vec<f64>>();
            let actual = pick(&self.actual);
            let each: Vec<f64> = seeds
                .iter()
                .map(|values| decile(&pick(values), &actual))
                .collect();
            mean_of(&each)
        };
        let n = self.actual.len();
        let whole: Vec<usize> = (0..n).collect();
        let best = self
            .models
            .iter()
            .min_by(|a, b| of(&a.1, &whole).total_cmp(&of(&b.1, &whole)));
        let Some((_, best)) = best else {
            return true;
        };
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let mut apart: Vec<f64> = (0..RESAMPLINGS)
            .map(|_| {
                let rows: Vec<usize> = (0..n).map(|_| random.random_range(0..n)).collect();
                of(ours, &rows) - of(best, &rows)
            })
            .collect();
        apart.sort_by(f64::total_cmp);
        apart[RESAMPLINGS / 20] <= 0.0
    }
}
