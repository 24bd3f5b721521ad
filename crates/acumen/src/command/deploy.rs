//! `acumen deploy`: which version decides.

use acumen_base::{Clock, Control, SystemClock};
use acumen_engine::EngineError;
use clap::Args;

use crate::failure::Outcome;
use crate::output::say;
use crate::place::{Place, position};

/// Put a model version in production; rolling back is deploying an earlier one
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen models orders                     which versions there are
  acumen deploy orders boosted 1f0c9a6be2d4

A deployment is a record of the log: every decision says which version made it. The score bands'
thresholds stay as they are.")]
pub(crate) struct Deploy {
    /// The use case
    name: String,
    /// The model's name in usecase.yaml
    model: String,
    /// The version
    version: String,
}

impl Deploy {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let mut offline = place.offline()?;
        let use_case = position(&offline.sources.plan, &self.name)?;
        let declared = &offline.sources.plan.use_cases[use_case].declared;
        known_model(declared.member_names(), &self.model)?;
        let control = Control::Deploy {
            use_case: self.name.clone(),
            member: self.model.clone(),
            version: self.version.clone(),
        };
        let position = offline.control(control, "acumen deploy", SystemClock::new().now())?;
        offline.close()?;
        say(format!(
            "deployed {} {} (log position {position})",
            self.model, self.version
        ))
    }
}

/// Refuses a model that the use case does not declare.
pub(crate) fn known_model<'a>(
    declared: impl Iterator<Item = &'a str> + Clone,
    model: &str,
) -> Outcome {
    if declared.clone().any(|name| name == model) {
        return Ok(());
    }
    let refusal = acumen_engine::Refusal::unknown("model", model, declared);
    Err(EngineError::NotFound(refusal.to_string()).into())
}
