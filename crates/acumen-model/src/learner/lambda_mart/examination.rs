//! How likely each place of a list is to be looked at.
//!
//! Something comes of an item if its place is looked at and it is wanted: `θ(place) · e^f(row)`, the
//! position-based model. What decided about the place (what the sources said, novelty, value) is in
//! the row, and so is what it is wanted for; of two alike rows, chance or the other candidates
//! decided which stood further up. So both factors are fitted together to lists as they were shown,
//! without a list being shuffled for it: trees for `f` by the likelihood of Poisson counts, and
//! before each round the `θ` of largest likelihood, which has a closed form. The first round sees
//! all that differs between places as theirs; as trees learn to tell rows of one place apart, they
//! take over what the items at the top have ahead.

use acumen_base::{Columns, Seed};

use super::lists::ShownLists;
use crate::compiled::CompiledForest;
use crate::learner::boosting::{BoostingParams, Given, Loss, Pair, exp, grow};
use crate::learner::{FitError, Params};

/// The least that is believed of a place: no row counts for more than twenty.
const LEAST: f64 = 0.05;
/// Rows of the place before that stand behind each place, as what came of so many.
const PRIOR: f64 = 5.0;
/// The share of the lists, the latest, that tells when to stop.
const LATER: f64 = 0.2;
/// What is fitted is smooth: few levels, many rows in each.
const BOOSTING: &str = r#"{"objective": "reg:tweedie", "base_score": 1, "n_estimators": 100,
    "learning_rate": 0.1, "max_depth": 4, "min_child_weight": 10, "max_bin": 256,
    "early_stopping_rounds": 10}"#;

/// How likely each place is to be looked at, as a share of the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Examination(Vec<f64>);

impl Examination {
    /// Every place is looked at.
    pub fn even() -> Examination {
        Examination(Vec::new())
    }

    /// Of a place, from 0; one further down than was seen is looked at like the last.
    pub fn of(&self, place: u32) -> f64 {
        let known = self.0.get(place as usize).or(self.0.last());
        known.copied().unwrap_or(1.0)
    }

    /// By place, as far down as lists were long; empty where every place is looked at.
    pub fn by_place(&self) -> &[f64] {
        &self.0
    }

    /// Estimated from lists.
    pub(super) fn estimate(
        lists: &ShownLists,
        (seed, threads): (Seed, usize),
    ) -> Result<Examination, FitError> {
        let cut = ((1.0 - LATER) * lists.len() as f64).ceil() as usize;
        let (earlier, later): (Vec<usize>, Vec<usize>) = (0..lists.len()).partition(|at| *at < cut);
        let (train, valid) = (lists.select(&earlier), lists.select(&later));
        let places = lists
            .place
            .iter()
            .max()
            .map_or(0, |most| *most as usize + 1);
        let loss = Counts {
            train: Happened::of(&train),
            valid: Happened::of(&valid),
            rates: vec![1.0; places],
        };
        let given = Given {
            train: &train.rows,
            weight: None,
            valid: Some(&valid.rows),
            previous: None,
            base_score: 1.0,
        };
        let params = boosting(&lists.rows.columns, threads);
        let (fitted, _) = grow(
            &params,
            &given,
            loss,
            seed.derive("examination"),
            &mut |_| {},
        )?;
        let forest = fitted.model.into_forest().expect("boosting gives a forest");
        let margins = CompiledForest::new(&forest).margins_many(&lists.rows);
        let rates = Happened::of(lists).rates(&margins, places);
        let share = |rate: &f64| (rate / rates[0].max(f64::MIN_POSITIVE)).max(LEAST);
        Ok(Examination(rates.iter().map(share).collect()))
    }
}

fn boosting(columns: &Columns, threads: usize) -> BoostingParams {
    let mut params: Params = serde_json::from_str(BOOSTING).expect("it is written above");
    params.insert("n_threads".to_owned(), threads.into());
    BoostingParams::check(&params, columns).expect("they are within their ranges")
}

/// Of which rows something came, and where they stood.
struct Happened<'a> {
    place: &'a [u32],
    count: Vec<f32>,
}

impl Happened<'_> {
    fn of(lists: &ShownLists) -> Happened<'_> {
        let count = lists
            .reward
            .iter()
            .map(|reward| f32::from(u8::from(*reward > 0.0)));
        Happened {
            place: &lists.place,
            count: count.collect(),
        }
    }

    /// The rate of each place at some margins: what happened, by what was to be expected there if
    /// all places were alike. Each is drawn to that of the place before.
    fn rates(&self, margin: &[f32], places: usize) -> Vec<f64> {
        let mut sums = vec![[0.0_f64; 2]; places];
        for ((place, count), margin) in self.place.iter().zip(&self.count).zip(margin) {
            let [happened, expected] = &mut sums[*place as usize];
            *happened += f64::from(*count);
            *expected += f64::from(exp(*margin));
        }
        let all = sums
            .iter()
            .fold([0.0; 2], |a, b| [a[0] + b[0], a[1] + b[1]]);
        let mut before = (all[0] + 1.0) / (all[1] + 1.0);
        let mut rate = |[happened, expected]: [f64; 2]| {
            before = (happened + PRIOR) / (expected + PRIOR / before);
            before
        };
        sums.into_iter().map(&mut rate).collect()
    }
}

/// The loss of counts that are Poisson distributed with a rate by place and row.
struct Counts<'a> {
    train: Happened<'a>,
    valid: Happened<'a>,
    rates: Vec<f64>,
}

impl Loss for Counts<'_> {
    fn differentiate(&mut self, margin: &[f32], pairs: &mut [Pair]) {
        self.rates = self.train.rates(margin, self.rates.len());
        let rows = self.train.place.iter().zip(&self.train.count);
        for ((pair, margin), (place, count)) in pairs.iter_mut().zip(margin).zip(rows) {
            let expected = self.rates[*place as usize] as f32 * exp(*margin);
            *pair = [expected - count, expected];
        }
    }

    fn metric(&self) -> &'static str {
        "poisson-nloglik"
    }

    fn value(&self, margin: &[f32]) -> f64 {
        let rows = self.valid.place.iter().zip(&self.valid.count);
        let loss = |((place, count), margin): ((&u32, &f32), &f32)| {
            let rate = self.rates[*place as usize];
            rate * f64::from(exp(*margin)) - f64::from(*count) * (rate.ln() + f64::from(*margin))
        };
        rows.zip(margin).map(loss).sum::<f64>() / margin.len().max(1) as f64
    }

    fn is_better(&self, a: f64, b: f64) -> bool {
        a < b
    }
}
