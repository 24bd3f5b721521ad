//! `acumen schema`: what gives editors completion.

use acumen_engine::spec::{mapping_schema, schema, source_schema};
use clap::{Args, ValueEnum};

use crate::failure::Outcome;
use crate::output::say_json;

/// Print the JSON Schema of usecase.yaml, of a source or of a mapping, for completion in editors
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen schema > usecase.schema.json
  # then, as the first line of usecase.yaml:
  # yaml-language-server: $schema=../../usecase.schema.json")]
pub(crate) struct Schema {
    /// Of which file
    #[arg(value_enum, default_value_t = Of::Usecase)]
    of: Of,
}

#[derive(Clone, Copy, ValueEnum)]
enum Of {
    /// usecase.yaml
    Usecase,
    /// A file of catalogue/sources
    Source,
    /// What `acumen ingest --mapping` reads
    Mapping,
}

impl Schema {
    pub(crate) fn run(&self) -> Outcome {
        say_json(&match self.of {
            Of::Usecase => schema(),
            Of::Source => source_schema(),
            Of::Mapping => mapping_schema(),
        })
    }
}
