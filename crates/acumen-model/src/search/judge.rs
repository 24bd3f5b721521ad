//! How good a set of parameters is: fitted to the past of each fold, judged on what came next.

use super::{SearchError, SearchMetric, SearchPlan, Trial};
use crate::data::Dataset;
use crate::learner::{Checked, FitError};
use crate::split::{Fold, Period, forward_chain};

/// The latest share of each past, which tells when to stop.
const STOP_SHARE: f64 = 0.15;

/// A fold with its rows.
struct Parts {
    past: Dataset,
    test: Dataset,
}

pub(super) struct Judge<'a> {
    plan: SearchPlan<'a>,
    parts: Vec<Parts>,
}

impl<'a> Judge<'a> {
    pub(super) fn new(plan: &SearchPlan<'a>, rows: &Dataset) -> Result<Judge<'a>, SearchError> {
        let folds = forward_chain(&rows.time, plan.spec.folds, plan.gap);
        if folds.is_empty() {
            return Err(SearchError::NoFolds {
                folds: plan.spec.folds,
                gap: plan.gap,
            });
        }
        let part = |period: Period| rows.select(&period.rows(&rows.time));
        let parts = folds.iter().map(|fold: &Fold| Parts {
            past: part(fold.train),
            test: part(fold.test),
        });
        Ok(Judge {
            plan: *plan,
            parts: parts.collect(),
        })
    }

    pub(super) fn metric(&self) -> SearchMetric {
        self.plan.spec.metric
    }

    pub(super) fn folds(&self) -> usize {
        self.parts.len()
    }

    /// Judges one trial on a share of the rows; what keeps it from a value is in it.
    pub(super) fn trial(&self, number: usize, share: f64) -> Trial {
        let params = self.plan.space.draw(self.plan.seed, number);
        let (folds, failed) = match self.values(number, share) {
            Ok(folds) if folds.is_empty() => {
                let why = "no fold has outcomes of both kinds in past and future".to_owned();
                (folds, Some(why))
            }
            Ok(folds) => (folds, None),
            Err(why) => (Vec::new(), Some(why)),
        };
        let mean = folds.iter().sum::<f64>() / folds.len().max(1) as f64;
        Trial {
            number,
            share,
            params,
            value: (!folds.is_empty()).then_some(mean),
            folds,
            failed,
        }
    }

    fn values(&self, number: usize, share: f64) -> Result<Vec<f64>, String> {
        let plan = &self.plan;
        let drawn = plan.space.draw(plan.seed, number);
        let params = plan.space.merged(plan.given, &drawn);
        let mut values = Vec::new();
        for parts in &self.parts {
            let checked = plan.learner.check(&params, &parts.past.matrix.columns);
            let checked = checked.map_err(|problems| {
                let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
                lines.join("; ")
            })?;
            match self.value(&*checked, parts, share) {
                Ok(value) => values.extend(value.filter(|value| value.is_finite())),
                // Outcomes of one kind say something of the fold, not of the parameters.
                Err(FitError::OneClass { .. }) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        Ok(values)
    }

    fn value(
        &self,
        checked: &dyn Checked,
        parts: &Parts,
        share: f64,
    ) -> Result<Option<f64>, FitError> {
        let (fit, stop) = self.halves(&thinned(&parts.past, share));
        let stop = (!stop.is_empty()).then_some(&stop);
        let model = checked.fit(&fit, stop, self.plan.seed, &mut |_| {})?.model;
        let objective = model.objective();
        let margins = model.margins(&parts.test.matrix).into_iter();
        let predicted: Vec<f64> = margins.map(|margin| objective.transform(margin)).collect();
        Ok(self.metric().of(&predicted, &parts.test))
    }

    /// The rows that are fitted to, and those after the gap that tell when to stop.
    fn halves(&self, past: &Dataset) -> (Dataset, Dataset) {
        let place = ((1.0 - STOP_SHARE) * past.len() as f64) as usize;
        let cut = past.time[place.min(past.len() - 1)];
        let rows = |keep: &dyn Fn(usize) -> bool| -> Dataset {
            let kept: Vec<usize> = (0..past.len()).filter(|row| keep(*row)).collect();
            past.select(&kept)
        };
        let stop_from = cut + self.plan.gap;
        (
            rows(&|row| past.time[row] < cut),
            rows(&|row| past.time[row] >= stop_from),
        )
    }
}

/// A share of the rows, evenly in time, and at least one.
fn thinned(rows: &Dataset, share: f64) -> Dataset {
    let whole = |row: usize| (row as f64 * share) as usize;
    let kept: Vec<usize> = (0..rows.len())
        .filter(|row| *row == 0 || whole(*row + 1) > whole(*row))
        .collect();
    rows.select(&kept)
}
