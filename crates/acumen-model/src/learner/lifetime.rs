//! Customer lifetime value from histories of purchases alone: [`crate::lifetime`] as learners.
//!
//! A row is a customer at one time; three columns say how often, when last and since when the
//! customer bought, and one, where it is named, for how much. Outcomes are not looked at: they only
//! measure the model. Other columns may be there and are not read.

use acumen_base::{Columns, Seed};

use super::checks;
use super::threads::threads;
use super::{
    Checked, FitError, Fitted, Importance, Learner, ParamDoc, ParamProblem, Params, Progress,
    TrainingLog,
};
use crate::data::Dataset;
use crate::fitted::{FittedModel, Scorer};
use crate::lifetime::{
    BgNbd, Fit, GammaGamma, Histories, History, LifetimeError, LifetimeModel, ParetoNbd, Predicts,
    Process, Spend, fit,
};

mod parameters;
#[cfg(test)]
mod tests;

pub use parameters::LifetimeParams;

/// Training rows that say how important columns are.
const EXPLAINED_MAX: usize = 1_000;

/// A model of lifetime value by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// `bg_nbd`: customers stop after a purchase.
    BgNbd,
    /// `pareto_nbd`: customers stop at any time.
    ParetoNbd,
}

impl Learner for Lifetime {
    fn name(&self) -> &'static str {
        match self {
            Lifetime::BgNbd => "bg_nbd",
            Lifetime::ParetoNbd => "pareto_nbd",
        }
    }

    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    fn doc(&self) -> &'static str {
        match self {
            Lifetime::BgNbd => {
                "What a customer will buy and spend, from purchases alone, where customers leave \
                 after a purchase; needs no outcomes."
            }
            Lifetime::ParetoNbd => {
                "What a customer will buy and spend, from purchases alone, where customers leave at \
                 any time; needs no outcomes."
            }
        }
    }

    fn params(&self) -> &'static [ParamDoc] {
        parameters::DOCS
    }

    fn check(
        &self,
        params: &Params,
        columns: &Columns,
    ) -> Result<Box<dyn Checked>, Vec<ParamProblem>> {
        let checked = LifetimeParams::check(*self, params, columns)?;
        Ok(Box::new(checked))
    }
}

impl Checked for LifetimeParams {
    fn fit(
        &self,
        train: &Dataset,
        valid: Option<&Dataset>,
        _seed: Seed,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Fitted, FitError> {
        checks::shape("training", train)?;
        checks::same_columns(train, valid)?;
        let (model, iterations) = threads(self.n_threads)?.install(|| self.model(train))?;
        progress(Progress {
            round: iterations,
            rounds: iterations,
            metric: "log_likelihood",
            value: None,
            best_round: iterations,
        });
        Ok(Fitted {
            importances: importances(&model, train),
            log: TrainingLog {
                metric: "log_likelihood",
                values: Vec::new(),
                rounds_run: iterations,
                best_round: iterations,
            },
            model: FittedModel::Lifetime(model),
        })
    }

    fn predicts(&self) -> super::Predicts {
        match self.predicts {
            Predicts::Value => super::Predicts::Value,
            Predicts::Purchases => super::Predicts::Other("how often a customer buys"),
            Predicts::Alive => {
                super::Predicts::Other("the probability that a customer has not left")
            }
        }
    }

    fn params_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("numbers and words become JSON")
    }
}

impl LifetimeParams {
    /// The most likely model of some customers, and in how many steps it was found.
    fn model(&self, train: &Dataset) -> Result<(LifetimeModel, usize), LifetimeError> {
        let at = |row: usize| move |column: usize| f64::from(train.matrix.data[column][row]);
        let weight = |row: usize| train.weight.as_ref().map_or(1.0, |of| f64::from(of[row]));
        let all = 0..train.matrix.n_rows;
        let histories: Vec<(History, f64)> = all
            .clone()
            .map(|row| (self.reads.history(at(row)), weight(row)))
            .collect();
        let histories = Histories::new(&histories)?;
        let spends: Vec<(Spend, f64)> = all
            .filter_map(|row| Some((self.reads.spend(at(row))?, weight(row))))
            .collect();
        let (process, iterations) = match self.learner {
            Lifetime::BgNbd => {
                let Fit {
                    process,
                    iterations,
                    ..
                } = fit::<BgNbd>(&histories);
                (Process::BgNbd(process), iterations)
            }
            Lifetime::ParetoNbd => {
                let Fit {
                    process,
                    iterations,
                    ..
                } = fit::<ParetoNbd>(&histories);
                (Process::ParetoNbd(process), iterations)
            }
        };
        let model = LifetimeModel {
            process,
            spend: match self.reads.value {
                Some(_) => Some(GammaGamma::fit(&spends)?),
                None => None,
            },
            reads: self.reads,
            predicts: self.predicts,
            horizon: self.horizon,
            discount: self.discount,
            n_features: train.matrix.data.len(),
            usual: self
                .reads
                .columns()
                .iter()
                .map(|column| mean(&train.matrix.data[*column]))
                .collect(),
        };
        Ok((model, iterations))
    }
}

/// The mean of what is known; 0 where nothing is.
fn mean(values: &[f32]) -> f64 {
    let known = values.iter().filter(|value| !value.is_nan());
    let (sum, count) = known.fold((0.0, 0_usize), |(sum, count), value| {
        (sum + f64::from(*value), count + 1)
    });
    sum / count.max(1) as f64
}

/// How far each column moved the prediction of a training row on average.
fn importances(model: &LifetimeModel, train: &Dataset) -> Vec<Importance> {
    let rows = train.matrix.n_rows;
    let explained = rows.min(EXPLAINED_MAX);
    let mut moved = vec![0.0; model.n_features];
    for i in 0..explained {
        let row = i * rows / explained;
        let values: Vec<f32> = train.matrix.data.iter().map(|column| column[row]).collect();
        let found = model.explain(&values).contributions;
        for (sum, by) in moved.iter_mut().zip(found) {
            *sum += by.abs() / explained as f64;
        }
    }
    let columns = train.matrix.columns.list.iter().zip(moved);
    let mut found: Vec<Importance> = columns
        .filter(|(_, moved)| *moved > 0.0)
        .map(|(column, moved)| Importance {
            column: column.name.clone(),
            total_gain: moved,
            splits: 0,
        })
        .collect();
    found.sort_by(|a, b| b.total_gain.total_cmp(&a.total_gain));
    found
}
