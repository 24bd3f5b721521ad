//! `acumen train`: from the log to deployed models.

use std::net::SocketAddr;

use acumen_base::{Clock, Control, SystemClock, Time, Update};
use acumen_engine::{TrainProgress, Trained, train};
use acumen_model::{Artifact, Metrics};
use clap::Args;

use crate::client::Client;
use crate::command::updates;
use crate::failure::Outcome;
use crate::output::{percent, say, thousands};
use crate::place::{Place, position};
use crate::progress::Progress;

/// Who deploys, for the record.
const BY: &str = "acumen train";

/// Columns that the summary names.
const TOP_COLUMNS: usize = 8;

/// Fit a use case's models to what the log knows, and deploy them
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen train orders
  acumen train orders --no-deploy               store the version, leave the live one
  acumen train orders --as-of 2026-03-01        with what was known by then
  acumen train orders --server 127.0.0.1:7070   by the server that runs on the folder: it trains
                                                beside its decisions, and deploys what passes the
                                                use case's gates

Versions are immutable: `acumen models` lists them, `acumen deploy` puts an earlier one back.")]
pub(crate) struct Train {
    /// The use case
    name: String,
    /// With what was known at this time; the end of the log unless said
    #[arg(long, value_name = "TIME")]
    as_of: Option<Time>,
    /// Do not deploy what was trained
    #[arg(long)]
    no_deploy: bool,
    /// Let the server that listens here train, and wait for what becomes of it
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["as_of", "no_deploy"])]
    server: Option<SocketAddr>,
}

impl Train {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        if let Some(server) = self.server {
            let update = updates::train(&mut Client::new(server), &self.name)?;
            return say(updates::shown(&update));
        }
        let plan = place.plan()?;
        position(&plan, &self.name)?;
        if self.no_deploy {
            let sources = place.sources()?;
            let use_case = position(&sources.plan, &self.name)?;
            let trained = train_shown(&sources, use_case, self.as_of)?;
            say(summary(&trained))?;
            return say("stored, not deployed: `acumen deploy` does that");
        }
        // The folder is taken before the work, not after it: a deployment is a record of the log.
        place.sources()?;
        let mut offline = place.offline()?;
        let use_case = position(&offline.sources.plan, &self.name)?;
        let clock = SystemClock::new();
        let (started_at, live) = (clock.now(), &offline.core.live[use_case].state);
        let champion = offline.sources.plan.use_cases[use_case].deployed(live);
        let trained = train_shown(&offline.sources, use_case, self.as_of)?;
        let now = clock.now();
        let update = Update {
            use_case: self.name.clone(),
            asked_by: BY.to_owned(),
            started_at,
            ended_at: now,
            candidate: trained.models.iter().map(updates::version).collect(),
            champion,
            judged: None,
            gates: Vec::new(),
            promoted: true,
            why: "deployed by command: no gate was asked".to_owned(),
        };
        let record = Control::Update(Box::new(update));
        for control in trained.controls.iter().cloned().chain([record]) {
            offline.control(control, BY, now)?;
        }
        offline.close()?;
        say(summary(&trained))?;
        for model in &trained.models {
            say(format!("deployed: {} {}", model.name, model.version))?;
        }
        say(format!(
            "next: `acumen evaluate {0}` on later data, or `acumen serve`",
            self.name
        ))
    }
}

/// Trains, and shows how far it is.
pub(crate) fn train_shown(
    sources: &acumen_engine::history::Sources,
    use_case: usize,
    as_of: Option<Time>,
) -> Outcome<Trained> {
    let mut reading = Progress::new("reading the log", "records");
    let mut fitting: Option<(String, Progress)> = None;
    let trained = train(sources, use_case, as_of, &mut |at| match at {
        TrainProgress::Reading(position) => reading.at(position, None, ""),
        TrainProgress::Fitting(name, round) => {
            if fitting.as_ref().is_none_or(|(current, _)| *current != name) {
                let label = format!("fitting {name}");
                fitting = Some((name, Progress::new(label, "rounds")));
            }
            let value = round
                .value
                .map(|value| format!(", {} {value:.5}", round.metric));
            let note = format!("best {}{}", round.best_round, value.unwrap_or_default());
            if let Some((_, bar)) = &mut fitting {
                bar.at(round.round as u64, Some(round.rounds as u64), &note);
            }
        }
    })?;
    reading.done();
    if let Some((_, bar)) = fitting {
        bar.done();
    }
    Ok(trained)
}

/// What training gave, in words.
pub(crate) fn summary(trained: &Trained) -> String {
    let count = |n: usize| thousands(n as u64);
    let mut text = format!(
        "trained on {} rows, {} of them positive",
        count(trained.rows),
        count(trained.positives)
    );
    if trained.immature > 0 {
        text.push_str(&format!(
            "; {} left out: not known yet",
            count(trained.immature)
        ));
    }
    if trained.hidden > 0 {
        text.push_str(&format!(
            "; {} left out: the decision hid it",
            count(trained.hidden)
        ));
    }
    for model in &trained.models {
        text.push_str(&describe(&model.name, &model.version, &model.artifact));
    }
    text
}

fn describe(name: &str, version: &str, artifact: &Artifact) -> String {
    let mut text = format!(
        "\n\n{name} {version}: {} with {}",
        artifact.learner,
        artifact.model.describe()
    );
    let test = artifact.split.test;
    match &artifact.test_metrics {
        Metrics::Binary(found) => text.push_str(&format!(
            "\n  on the last rows, from {} ({} rows, {} positive), which it had not seen:\n  \
             AUC {}, average precision {}, recall at 95 % precision {}, Brier {:.5}",
            test.from,
            thousands(found.rows as u64),
            thousands(found.positives as u64),
            decimal(found.auc),
            decimal(found.average_precision),
            percent(found.at_precision_95.as_ref().map(|point| point.recall)),
            found.brier,
        )),
        Metrics::Regression(found) => text.push_str(&format!(
            "\n  on the last {} rows, which it had not seen: RMSE {:.4}, MAE {:.4}",
            found.rows, found.rmse, found.mae
        )),
    }
    let total: f64 = artifact.importances.iter().map(|i| i.total_gain).sum();
    let top = artifact
        .importances
        .iter()
        .take(TOP_COLUMNS)
        .map(|importance| {
            let share = importance.total_gain / total.max(f64::MIN_POSITIVE);
            format!("{} {:.0} %", importance.column, 100.0 * share)
        });
    let top: Vec<String> = top.collect();
    if !top.is_empty() {
        text.push_str(&format!("\n  looks most at {}", top.join(", ")));
    }
    text
}

/// Four decimals, or a dash.
pub(crate) fn decimal(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}
