//! `acumen schema`: what gives editors completion.

use clap::Args;

use crate::failure::Outcome;
use crate::output::say_json;

/// Print the JSON Schema of usecase.yaml, for completion in editors
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen schema > usecase.schema.json
  # then, as the first line of usecase.yaml:
  # yaml-language-server: $schema=../../usecase.schema.json")]
pub(crate) struct Schema {}

impl Schema {
    pub(crate) fn run(&self) -> Outcome {
        say_json(&acumen_engine::spec::schema())
    }
}
