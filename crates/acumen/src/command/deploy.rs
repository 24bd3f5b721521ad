//! `acumen deploy`: which version decides, and which answers beside it.

use std::net::SocketAddr;

use acumen_base::{Clock, SystemClock};
use clap::Args;
use serde_json::json;

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::output::say;
use crate::place::{Place, position};

/// Who deploys, for the record.
const BY: &str = "acumen deploy";

/// Put a model version in production, or beside the one that is
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen models orders                     which versions there are
  acumen deploy orders boosted 1f0c9a6be2d4
  acumen deploy orders boosted 1f0c9a6be2d4 --challenger     answers beside it, without a vote
  acumen compare orders                    what both come to on the same decisions
  acumen deploy orders boosted --withdraw  ends the challenge
  acumen deploy orders boosted 1f0c9a6be2d4 --server 127.0.0.1:7070     while a server runs

A deployment is a record of the log: every decision says which version made it. The score bands'
thresholds stay as they are; `acumen models orders --roll-back` undoes it.")]
pub(crate) struct Deploy {
    /// The use case
    name: String,
    /// The model's name in usecase.yaml
    model: String,
    /// The version
    #[arg(required_unless_present = "withdraw", conflicts_with = "withdraw")]
    version: Option<String>,
    /// Let it answer beside what decides, without a vote
    #[arg(long, conflicts_with = "withdraw")]
    challenger: bool,
    /// Take the model's challenger out again
    #[arg(long)]
    withdraw: bool,
    /// Let the server that listens here do it
    #[arg(long, value_name = "ADDRESS")]
    server: Option<SocketAddr>,
}

impl Deploy {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let at = match self.server {
            Some(server) => self.by_server(&mut Client::new(server))?,
            None => self.here(place)?,
        };
        let what = match (&self.version, self.challenger) {
            (None, _) => format!("withdrew the challenger of {}", self.model),
            (Some(version), true) => {
                format!("{} {version} answers beside what decides", self.model)
            }
            (Some(version), false) => format!("deployed {} {version}", self.model),
        };
        say(format!("{what} (log position {at})"))
    }

    fn by_server(&self, server: &mut Client) -> Outcome<u64> {
        let path = format!("/v1/usecases/{}/deploy", self.name);
        let body = json!({
            "model": self.model, "version": self.version, "challenger": self.challenger, "by": BY,
        });
        let answer = server.json("POST", &path, &body)?;
        let at = answer["position"].as_u64();
        at.ok_or_else(|| Failure::because("the server's answer names no position"))
    }

    fn here(&self, place: &Place) -> Outcome<u64> {
        let mut offline = place.offline()?;
        let use_case = position(&offline.sources.plan, &self.name)?;
        let plan = &offline.sources.plan.use_cases[use_case];
        let control = plan.deployment(&self.model, self.version.as_deref(), self.challenger)?;
        let at = offline.control(control, BY, SystemClock::new().now())?;
        offline.close()?;
        Ok(at)
    }
}
