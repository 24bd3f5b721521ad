//! `acumen models`: versions, and which is live.

use std::net::SocketAddr;

use acumen_base::{Body, Clock, Control, SystemClock, Time};
use acumen_engine::history::Sources;
use acumen_event::LogReader;
use acumen_model::Metrics;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use crate::client::Client;
use crate::command::train::decimal;
use crate::command::updates;
use crate::failure::Outcome;
use crate::output::{say, say_json};
use crate::place::{Place, position};
use crate::table::table;

/// List the versions of a use case's models, and which one decides; go back to the one before
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen models orders
  acumen models orders --updates           every training: candidate, gates, promoted or held
  acumen deploy orders boosted VERSION     put one of them in production
  acumen models orders --roll-back         put all models and thresholds of the last change back
  acumen models orders --roll-back --server 127.0.0.1:7070     the same while a server runs

Rolling back twice comes back to where it began.")]
pub(crate) struct Models {
    /// The use case
    name: String,
    /// As JSON
    #[arg(long, conflicts_with = "roll_back")]
    json: bool,
    /// List trainings instead: every gate with its figures, and what became of them
    #[arg(long, conflicts_with = "roll_back")]
    updates: bool,
    /// Put back what decided before the last change, every model and the thresholds together
    #[arg(long)]
    roll_back: bool,
    /// Let the server that listens here go back
    #[arg(long, value_name = "ADDRESS", requires = "roll_back")]
    server: Option<SocketAddr>,
}

/// Who goes back, for the record.
const BY: &str = "acumen models";

#[derive(Serialize)]
struct Version {
    model: String,
    version: String,
    live: bool,
    deployed: Option<String>,
    trained_to: String,
    rows: usize,
    average_precision: Option<f64>,
}

impl Models {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        match (self.roll_back, self.server) {
            (true, Some(server)) => self.roll_back_by(&mut Client::new(server)),
            (true, None) => self.roll_back_here(place),
            (false, _) if self.updates => self.list_updates(place),
            (false, _) => self.list(place),
        }
    }

    fn roll_back_by(&self, server: &mut Client) -> Outcome {
        let path = format!("/v1/usecases/{}/roll-back", self.name);
        let answer = server.json("POST", &path, &json!({"by": BY}))?;
        let deployed = answer["deployed"].as_array().into_iter().flatten();
        for one in deployed {
            let text = |key: &str| one[key].as_str().unwrap_or_default();
            say(format!("back to {} {}", text("model"), text("version")))?;
        }
        let withdrawn = answer["withdrawn"].as_array().into_iter().flatten();
        for member in withdrawn.filter_map(|member| member.as_str()) {
            say(format!("{member} is taken out: it was not there before"))?;
        }
        match answer["thresholds"].as_bool() {
            Some(true) => say("the thresholds are those of before, too"),
            _ => Ok(()),
        }
    }

    fn roll_back_here(&self, place: &Place) -> Outcome {
        let mut offline = place.offline()?;
        let use_case = position(&offline.sources.plan, &self.name)?;
        let edits = offline.roll_back(use_case, BY, SystemClock::new().now())?;
        offline.close()?;
        for edit in edits {
            match edit {
                Control::Deploy {
                    member, version, ..
                } => say(format!("back to {member} {version}"))?,
                Control::Withdraw { member, .. } => {
                    say(format!("{member} is taken out: it was not there before"))?;
                }
                _ => say("the thresholds are those of before, too")?,
            }
        }
        Ok(())
    }

    fn list_updates(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        position(&sources.plan, &self.name)?;
        let found = updates::logged(&sources, &self.name)?;
        if self.json {
            return say_json(&found);
        }
        if found.is_empty() {
            return say(format!("no training yet: run `acumen train {}`", self.name));
        }
        found.iter().map(updates::shown).try_for_each(say)
    }

    fn list(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let use_case = position(&sources.plan, &self.name)?;
        let deployments = deployments(&sources, &self.name)?;
        let mut versions = Vec::new();
        for model in sources.plan.use_cases[use_case].declared.member_names() {
            let live = deployments.iter().rev().find(|at| at.member == model);
            for version in sources.store.list(&self.name, model)? {
                let fitted = fitted(&sources, (use_case, model), &version)?;
                let deployed = |at: &&Deployment| at.member == model && at.version == version;
                let deployed = deployments.iter().rev().find(deployed);
                versions.push(Version {
                    model: model.to_owned(),
                    live: live.is_some_and(|at| at.version == version),
                    deployed: deployed.map(|at| format!("{} by {}", at.at, at.by)),
                    trained_to: fitted.to,
                    rows: fitted.rows,
                    average_precision: fitted.average_precision,
                    version,
                });
            }
        }
        if self.json {
            return say_json(&versions);
        }
        if versions.is_empty() {
            return say(format!("no version yet: run `acumen train {}`", self.name));
        }
        let head = [
            "model",
            "version",
            "",
            "rows",
            "average precision",
            "trained to",
            "last deployed",
        ];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(versions.iter().map(|version| {
            vec![
                version.model.clone(),
                version.version.clone(),
                if version.live { "live" } else { "" }.to_owned(),
                version.rows.to_string(),
                decimal(version.average_precision),
                version.trained_to.clone(),
                version
                    .deployed
                    .clone()
                    .unwrap_or_else(|| "never".to_owned()),
            ]
        }));
        say(table(&rows))
    }
}

/// What a version was fitted to, and how good it was.
struct FittedTo {
    to: String,
    rows: usize,
    average_precision: Option<f64>,
}

fn fitted(sources: &Sources, (use_case, model): (usize, &str), version: &str) -> Outcome<FittedTo> {
    let declared = &sources.plan.use_cases[use_case].declared;
    if declared.scores_items(model) {
        let recommender = sources
            .store
            .get_recommender(&declared.name, model, version)?;
        return Ok(FittedTo {
            to: String::new(),
            rows: recommender.events as usize,
            average_precision: None,
        });
    }
    let artifact = sources.store.get(&declared.name, model, version)?;
    Ok(FittedTo {
        to: artifact.window.to.to_string(),
        rows: artifact.window.rows,
        average_precision: match &artifact.test_metrics {
            Metrics::Binary(found) => found.average_precision,
            Metrics::Regression(_) | Metrics::Lists(_) => None,
        },
    })
}

/// One deployment.
pub(crate) struct Deployment {
    pub(crate) member: String,
    pub(crate) version: String,
    at: Time,
    by: String,
}

/// Every deployment of a use case, oldest first.
pub(crate) fn deployments(sources: &Sources, name: &str) -> Outcome<Vec<Deployment>> {
    let reader = LogReader::open(&sources.folder.log())?;
    let mut found = Vec::new();
    for record in reader.read(reader.first_position()?) {
        if let Body::Control {
            control:
                Control::Deploy {
                    use_case,
                    member,
                    version,
                },
            by,
            at,
        } = record?.body
            && use_case == name
        {
            found.push(Deployment {
                member,
                version,
                at,
                by,
            });
        }
    }
    Ok(found)
}
