//! `acumen train`: from the log to deployed models.

use std::net::SocketAddr;

use acumen_base::{Clock, Control, SystemClock, Time, Update};
use acumen_engine::{
    RankerFigures, RankingTable, TrainOptions, TrainProgress, Trained, TrainedModel, train_with,
};
use acumen_model::metrics::{ListMetrics, RankingMetrics};
use acumen_model::{Artifact, CandidateTable, Metrics, RegressionMetrics, SearchProgress};
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
/// Places of lists that are named.
const PLACES_SHOWN: usize = 10;

/// Fit a use case's models to what the log knows, and deploy them
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen train orders
  acumen train orders --no-deploy               store the version, leave the live one
  acumen train orders --as-of 2026-03-01        with what was known by then
  acumen train orders --trials 50               search for better parameters first
  acumen train orders --go-on                   add to the live version what is new
  acumen train orders --server 127.0.0.1:7070   by the server that runs on the folder: it trains
                                                beside its decisions, and deploys what passes the
                                                use case's gates

A search that was cut off goes on where it was when the same command is given again.

Versions are immutable: `acumen models` lists them, `acumen deploy` puts an earlier one back.")]
pub(crate) struct Train {
    /// The use case
    name: String,
    /// With what was known at this time; the end of the log unless said
    #[arg(long, value_name = "TIME")]
    as_of: Option<Time>,
    /// Try so many sets of parameters first, whatever usecase.yaml says; 0 takes them as declared
    #[arg(long, value_name = "N")]
    trials: Option<usize>,
    /// Go on from the live versions, where the algorithms can, instead of beginning anew
    #[arg(long)]
    go_on: bool,
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
            let trained = train_shown(&sources, use_case, self.options())?;
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
        let trained = train_shown(&offline.sources, use_case, self.options())?;
        let now = clock.now();
        let update = Update {
            use_case: self.name.clone(),
            asked_by: BY.to_owned(),
            started_at,
            ended_at: now,
            candidate: trained.versions(),
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
        for model in trained.versions() {
            say(format!("deployed: {} {}", model.member, model.version))?;
        }
        say(format!(
            "next: `acumen evaluate {0}` on later data, or `acumen serve`",
            self.name
        ))
    }
}

impl Train {
    fn options(&self) -> TrainOptions {
        TrainOptions {
            as_of: self.as_of,
            trials: self.trials,
            go_on: self.go_on,
            threads: None,
        }
    }
}

/// Trains, and shows how far it is.
pub(crate) fn train_shown(
    sources: &acumen_engine::history::Sources,
    use_case: usize,
    options: TrainOptions,
) -> Outcome<Trained> {
    let mut reading = Progress::new("reading the log", "records");
    let mut current: Option<(String, Progress)> = None;
    let trained = train_with(sources, use_case, options, &mut |at| {
        let (label, unit, done, total, note) = match at {
            TrainProgress::Reading(position) => return reading.at(position, None, ""),
            TrainProgress::Searching(name, at) => {
                let label = format!("searching parameters of {name}");
                (label, "trials", at.done, at.total, best_trial(&at))
            }
            TrainProgress::Fitting(name, at) => {
                let value = at.value.map(|value| format!(", {} {value:.5}", at.metric));
                let note = format!("best {}{}", at.best_round, value.unwrap_or_default());
                (
                    format!("fitting {name}"),
                    "rounds",
                    at.round,
                    at.rounds,
                    note,
                )
            }
        };
        if current.as_ref().is_none_or(|(before, _)| *before != label) {
            if let Some((_, bar)) = current.take() {
                bar.done();
            }
            current = Some((label.clone(), Progress::new(label, unit)));
        }
        if let Some((_, bar)) = &mut current {
            bar.at(done as u64, Some(total as u64), &note);
        }
    })?;
    reading.done();
    if let Some((_, bar)) = current {
        bar.done();
    }
    Ok(trained)
}

fn best_trial(at: &SearchProgress) -> String {
    match at.best {
        Some((trial, value)) => format!("best {trial}, {} {value:.5}", at.metric.name()),
        None => String::new(),
    }
}

/// What training gave, in words.
pub(crate) fn summary(trained: &Trained) -> String {
    let count = |n: usize| thousands(n as u64);
    let candidates = |model: &TrainedModel| model.artifact.candidates.clone();
    if let Some(table) = &trained.ranking {
        return of_lists(table);
    }
    if let Some(table) = trained.models.first().and_then(candidates) {
        return of_values(trained, &table);
    }
    let mut text = format!(
        "trained on {} rows, {} of them positive",
        count(trained.rows),
        count(trained.positives)
    );
    if trained.kept < trained.read {
        text.push_str(&format!(
            "; {} of {} rows kept, all that are positive and a share of the others, which count \
             for those that were not",
            count(trained.kept),
            count(trained.read)
        ));
    }
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

/// What is known of the sources of lists.
pub(crate) fn of_lists(table: &RankingTable) -> String {
    let count = |n: usize| thousands(n as u64);
    let figures =
        |found: &RankingMetrics| [found.ndcg, found.hit_rate].map(|figure| format!("{figure:.4}"));
    let row = |name: &str, found: &RankingMetrics, rest: [String; 2]| {
        let [ndcg, hits] = figures(found);
        let [weight, adds] = rest;
        vec![name.to_owned(), ndcg, hits, weight, adds]
    };
    let head = ["source", "NDCG@10", "hits@10", "weight", "adds"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    for source in &table.sources {
        let adds = match (source.weight > 0.0, source.adds > 0.0) {
            (false, _) => "not in the blend".to_owned(),
            (true, true) => format!("{:.4}", source.adds),
            (true, false) => format!("{:.4}: nothing", source.adds),
        };
        let rest = [format!("{:.3}", source.weight), adds];
        lines.push(row(&source.name, &source.alone, rest));
    }
    let none = || [String::new(), String::new()];
    lines.push(row("blend, as declared", &table.declared, none()));
    lines.push(row("blend", &table.blend, none()));
    let ranker = table.ranker.as_ref().map_or(String::new(), of_ranker);
    let head = format!(
        "{} events of {} visitors with {} items",
        count(table.events),
        count(table.visitors),
        count(table.items)
    );
    let judged = match table.judged_from {
        None => "too few visitors did anything lately to judge the sources on".to_owned(),
        Some(from) => format!(
            "sources fitted to what was before {from}, judged on what {} visitors took first after \
             that and had not touched before; lists of 10 would show {} of all items:\n\n{}",
            count(table.judged),
            percent(Some(table.coverage)),
            crate::table::table(&lines)
        ),
    };
    format!("{head}\n{judged}{ranker}")
}

/// What is known of a ranker.
fn of_ranker(found: &RankerFigures) -> String {
    let count = |n: usize| thousands(n as u64);
    let mut text = format!(
        "\n\n{}: {} lists, of which {} tell one item from another",
        found.name,
        count(found.lists),
        count(found.telling)
    );
    if let Some(judged) = &found.judged {
        text.push_str(&of_order(judged));
    }
    if !found.examination.is_empty() {
        let places = found.examination.iter().take(PLACES_SHOWN);
        let places: Vec<String> = places.map(|share| format!("{share:.2}")).collect();
        text.push_str(&format!(
            "\n  places are looked at as {}",
            places.join(", ")
        ));
    }
    if !found.looks_at.is_empty() {
        let named = found.looks_at.iter();
        let named = named.map(|(name, share)| format!("{name} {:.0} %", 100.0 * share));
        let named: Vec<String> = named.collect();
        text.push_str(&format!("\n  looks most at {}", named.join(", ")));
    }
    match (&found.version, &found.held) {
        (Some(version), _) => text.push_str(&format!("\n  version {version} orders lists")),
        (None, Some(why)) => text.push_str(&format!("\n  held back: {why}")),
        (None, None) => text.push_str("\n  `acumen train` would let it order lists"),
    }
    text
}

fn of_order(found: &ListMetrics) -> String {
    format!(
        "\n  on {} later lists, as if every place had been looked at: NDCG@10 {:.4}, the blend {:.4} \
         (± {:.4})",
        thousands(found.lists as u64),
        found.ndcg,
        found.blend,
        found.error
    )
}

/// What the training of models of a sum gave: the table of all, and the best.
fn of_values(trained: &Trained, table: &CandidateTable) -> String {
    let dates = |times: &[Time]| match times {
        [] => "no time".to_owned(),
        [one] => one.to_string(),
        [first, .., last] => format!("{} times from {first} to {last}", times.len()),
    };
    let mut lines = vec![
        [
            "model",
            &table.by,
            "by the mean",
            "total",
            "tenths",
            "Gini",
            "within",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    lines.extend(table.list.iter().map(|candidate| {
        let found = candidate.metrics.as_ref();
        let figure = |of: fn(&RegressionMetrics) -> Option<f64>| decimal(found.and_then(of));
        let name = match &candidate.failed {
            Some(why) => format!("{}: {why}", candidate.member),
            None => candidate.member.clone(),
        };
        vec![
            name,
            decimal(candidate.value),
            figure(|found| found.normalised_mae),
            figure(|found| found.total_error),
            figure(|found| found.decile_error),
            figure(|found| found.normalised_gini),
            figure(|found| found.interval_coverage),
        ]
    }));
    let mut text = format!(
        "{} rows, read at {}\nfitted to those read at {}, and compared on {}, read at {}:\n\n{}",
        thousands(trained.rows as u64),
        dates(&table.refitted_at),
        dates(&table.fitted_at),
        table.judged_on,
        dates(&table.judged_at),
        crate::table::table(&lines)
    );
    for model in &trained.models {
        text.push_str(&format!(
            "\n\n{} {} is the best, and was fitted again to all rows: {} with {}",
            model.name,
            model.version,
            model.artifact.learner,
            model.artifact.model.describe()
        ));
        text.push_str(&looks_at(&model.artifact));
    }
    text
}

fn describe(name: &str, version: &str, artifact: &Artifact) -> String {
    let mut text = format!(
        "\n\n{name} {version}: {} with {}",
        artifact.learner,
        artifact.model.describe()
    );
    if let Some(version) = &artifact.continues {
        text.push_str(&format!(", going on from {version}"));
    }
    if let Some(judged) = &artifact.refit_of {
        text.push_str(&format!(
            ", fitted again to all {} rows; the figures are those of {judged}, fitted to the earlier \
             ones",
            thousands(artifact.window.rows as u64)
        ));
    }
    text.push_str(&searched(artifact));
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
        Metrics::Lists(found) => text.push_str(&of_order(found)),
    }
    text.push_str(&looks_at(artifact));
    text
}

/// The columns that a model looks at most.
fn looks_at(artifact: &Artifact) -> String {
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
    match top.is_empty() {
        true => String::new(),
        false => format!("\n  looks most at {}", top.join(", ")),
    }
}

/// What a search came to.
fn searched(artifact: &Artifact) -> String {
    let Some(table) = &artifact.search else {
        return String::new();
    };
    let ranking = table.ranking();
    let value = |number: usize| {
        let trial = ranking.iter().find(|trial| trial.number == number);
        decimal(trial.and_then(|trial| trial.value))
    };
    let best = ranking.iter().find(|trial| trial.number == table.best);
    let params = best.map(|trial| serde_json::to_string(&trial.params).unwrap_or_default());
    format!(
        "\n  the best of {} judgements is trial {}: {} {} (as declared {}) with {}",
        table.trials.len(),
        table.best,
        table.metric.name(),
        value(table.best),
        value(0),
        params.unwrap_or_default(),
    )
}

/// Four decimals, or a dash.
pub(crate) fn decimal(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"))
}
