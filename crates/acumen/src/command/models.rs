//! `acumen models`: versions, and which is live.

use acumen_base::{Body, Control, Time};
use acumen_engine::history::Sources;
use acumen_event::LogReader;
use acumen_model::Metrics;
use clap::Args;
use serde::Serialize;

use crate::command::train::decimal;
use crate::failure::Outcome;
use crate::output::{say, say_json};
use crate::place::{Place, position};
use crate::table::table;

/// List the versions of a use case's models, and which one decides
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen models orders
  acumen deploy orders boosted VERSION     put one of them in production")]
pub(crate) struct Models {
    /// The use case
    name: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

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
        let sources = place.sources()?;
        let use_case = position(&sources.plan, &self.name)?;
        let deployments = deployments(&sources, &self.name)?;
        let mut versions = Vec::new();
        for model in sources.plan.use_cases[use_case].declared.member_names() {
            let live = deployments.iter().rev().find(|at| at.member == model);
            for version in sources.store.list(&self.name, model)? {
                let artifact = sources.store.get(&self.name, model, &version)?;
                let deployed = |at: &&Deployment| at.member == model && at.version == version;
                let deployed = deployments.iter().rev().find(deployed);
                versions.push(Version {
                    model: model.to_owned(),
                    live: live.is_some_and(|at| at.version == version),
                    deployed: deployed.map(|at| format!("{} by {}", at.at, at.by)),
                    trained_to: artifact.window.to.to_string(),
                    rows: artifact.window.rows,
                    average_precision: match &artifact.test_metrics {
                        Metrics::Binary(found) => found.average_precision,
                        Metrics::Regression(_) => None,
                    },
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
