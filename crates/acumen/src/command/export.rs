//! `acumen export`: a model for other programs.

use std::path::PathBuf;

use acumen_engine::Refusal;
use acumen_model::write_xgboost_json;
use clap::Args;

use crate::command::models::deployments;
use crate::failure::{Failure, Outcome};
use crate::output::say;
use crate::place::{Place, position};

/// Write a model as XGBoost JSON
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen export orders boosted --out model.json
  python -c 'import xgboost; print(xgboost.Booster(model_file=\"model.json\").num_boosted_rounds())'

XGBoost gives the probability before calibration; categories are their ordinals.")]
pub(crate) struct Export {
    /// The use case
    name: String,
    /// The model's name in usecase.yaml
    model: String,
    /// The version; the live one unless said
    #[arg(long)]
    version: Option<String>,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Export {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let use_case = position(&sources.plan, &self.name)?;
        let models = &sources.plan.use_cases[use_case].declared.models;
        let models = models.iter().map(|model| model.name.as_str());
        if !models.clone().any(|model| model == self.model) {
            return Err(Refusal::unknown("model", &self.model, models).into());
        }
        let version = match &self.version {
            Some(version) => version.clone(),
            None => {
                let deployed = deployments(&sources, &self.name)?;
                let live = deployed
                    .into_iter()
                    .rev()
                    .find(|at| at.member == self.model);
                live.map(|at| at.version).ok_or_else(|| {
                    Failure::because(format!(
                        "no version is live: run `acumen train {}`",
                        self.name
                    ))
                })?
            }
        };
        let artifact = sources.store.get(&self.name, &self.model, &version)?;
        let forest = artifact.to_xgboost().ok_or_else(|| {
            Failure::because(format!(
                "`{}` is a `{}` model, which XGBoost has no form for: only forests can be exported",
                self.model, artifact.learner
            ))
        })?;
        let text = write_xgboost_json(&forest);
        std::fs::write(&self.out, text).map_err(|e| Failure::file("write", &self.out, &e))?;
        say(format!(
            "wrote {} {version} to {}",
            self.model,
            self.out.display()
        ))
    }
}
