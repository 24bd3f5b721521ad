//! The protocols of the Fraud Detection Handbook over any learner: rows of card payments, cut into
//! folds by time.

mod protocol;

use acumen_base::{Columns, Seed, Time};
use acumen_engine::learners;
use acumen_model::metrics::{Curve, top_k_precision_by_day};
use acumen_model::{Checked, Dataset, Params, find_learner};
use serde_json::Value;

use crate::handbook::{Payment, Rows};
use crate::report::{Failure, all};

use protocol::split;
pub(crate) use protocol::{CHAPTER_3, TEST_FOLDS, VALIDATION_FOLDS};

/// Bins: 256 quantiles miss rare high amounts.
pub(crate) const BINS: u32 = 4_096;

/// Cards that are looked at a day.
const CARDS: usize = 100;

/// AUC, average precision, card precision at 100.
pub(crate) type Quality = [f64; 3];

/// A learner and its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) algorithm: &'static str,
    pub(crate) params: Params,
}

impl Setting {
    /// With parameters given as an object.
    pub(crate) fn new(algorithm: &'static str, params: &Value) -> Setting {
        let params = params.as_object().into_iter().flatten();
        let params = params.map(|(name, value)| (name.clone(), value.clone()));
        Setting {
            algorithm,
            params: params.collect(),
        }
    }

    /// Boosting with bins that see rare high amounts, and these parameters.
    pub(crate) fn boosting(params: &Value) -> Setting {
        let mut setting = Setting::new("xgboost", params);
        let fixed = [("max_bin", Value::from(BINS)), ("base_score", 0.5.into())];
        let fixed = fixed.map(|(name, value)| (name.to_owned(), value));
        setting.params.extend(fixed);
        setting
    }

    fn check(&self, columns: &Columns) -> Result<Box<dyn Checked>, Failure> {
        let name = self.algorithm;
        let learner = find_learner(&learners(), name)
            .map_err(|_| Failure::new(format!("there is no learner `{name}`")))?;
        learner.check(&self.params, columns).map_err(all)
    }

    /// Fits to some rows and gives the margins of others.
    pub(crate) fn margins(
        &self,
        data: &Dataset,
        train: &[usize],
        test: &[usize],
        seed: Seed,
    ) -> Result<Vec<f64>, Failure> {
        let checked = self.check(&data.matrix.columns)?;
        let fitted = checked.fit(&data.select(train), None, seed, &mut |_| {})?;
        let margins = fitted
            .model
            .scorer()
            .margins_many(&data.select(test).matrix);
        Ok(margins.into_iter().map(f64::from).collect())
    }
}

/// Payments with their rows and truth.
pub(crate) struct Study<'a> {
    pub(crate) payments: &'a [Payment],
    pub(crate) data: Dataset,
}

impl<'a> Study<'a> {
    /// Of one row a payment.
    pub(crate) fn new(payments: &'a [Payment], rows: Rows) -> Study<'a> {
        let outcome = payments.iter().map(|p| f32::from(p.fraud)).collect();
        let time = payments.iter().map(|p| Time(p.at)).collect();
        let made = Dataset::from_columns(rows.columns, &rows.data, outcome, time);
        let (data, _) = made.expect("one outcome and time a row");
        Study { payments, data }
    }

    /// The truth of some rows.
    pub(crate) fn outcomes(&self, rows: &[usize]) -> Vec<f32> {
        rows.iter().map(|&row| self.data.outcome[row]).collect()
    }

    /// Each fold's quality.
    pub(crate) fn folds(&self, setting: &Setting, starts: &[i64]) -> Result<Vec<Quality>, Failure> {
        let fold = |&start| self.fold(setting, start);
        starts.iter().map(fold).collect()
    }

    /// The quality of a fold whose training starts on this day.
    pub(crate) fn fold(&self, setting: &Setting, start: i64) -> Result<Quality, Failure> {
        let (train, test) = split(self.payments, start);
        let score = setting.margins(&self.data, &train, &test, Seed(0))?;
        let outcome = self.outcomes(&test);
        let payments = test.iter().map(|&row| &self.payments[row]);
        let (day, card): (Vec<i64>, Vec<u32>) =
            payments.map(|p| (Time(p.at).day(), p.customer)).unzip();
        let found = top_k_precision_by_day(&day, &card, &score, &outcome, CARDS);
        let curve = Curve::new(&score, &outcome);
        let absent = || Failure::new("a fold has one class only");
        let auc = curve.auc().ok_or_else(absent)?;
        let precision = curve.average_precision().ok_or_else(absent)?;
        Ok([auc, precision, found])
    }
}

/// The mean over folds.
pub(crate) fn mean(folds: &[Quality]) -> Quality {
    let of = |at: usize| folds.iter().map(|fold| fold[at]).sum::<f64>() / folds.len() as f64;
    [of(0), of(1), of(2)]
}
