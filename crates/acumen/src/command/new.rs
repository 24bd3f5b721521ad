//! `acumen new`: a folder to start from.

use acumen_engine::spec::scaffold;
use clap::Args;

use crate::failure::Outcome;
use crate::output::say;
use crate::place::Place;

/// Make a small use case that works, to be changed into your own
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen new orders        makes usecases/orders/{usecase.yaml, README.md, tests/}
  acumen check orders")]
pub(crate) struct New {
    /// Its name: small letters, digits, `-` and `_`
    name: String,
}

impl New {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let folder = scaffold(&self.name, &place.root)?;
        say(format!(
            "made {}\nnext: change usecase.yaml into your own, and run `acumen check {}`",
            folder.display(),
            self.name
        ))
    }
}
