//! `acumen evaluate`: how good it would have been, and what it would have been worth.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use acumen_base::{Clock, SystemClock, Time};
use acumen_engine::history::Sources;
use acumen_engine::spec::{Catalogue, UseCase};
use acumen_engine::{
    Estimate, Evaluation, PolicyEvaluation, TrainProgress, ValueEvaluation, evaluate,
    evaluate_policy, evaluate_values, judge_sources, report_values, unseen_from,
};
use clap::Args;

use crate::command::train::{decimal, of_lists};
use crate::failure::{Failure, Outcome};
use crate::output::{amount, percent, say, say_json, thousands};
use crate::place::{Place, position};
use crate::progress::Progress;
use crate::table::table;

/// Decide on a past period with today's models and rules, and compare with what became true
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen evaluate orders                   from where the deployed models stopped looking
  acumen evaluate orders --from 2026-03-01 --to 2026-04-01
  acumen evaluate orders --json
  acumen evaluate customers --at 2025-01-01 --report customers.html

Rows are those that were read then: nothing that was not known yet is in them.")]
pub(crate) struct Evaluate {
    /// The use case
    name: String,
    /// From this time; where the deployed models stopped looking unless said
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// To this time, not included; the end of the log unless said
    #[arg(long, value_name = "TIME")]
    to: Option<Time>,
    /// Of a use case that decides on each key: at this time; the latest whose truth is known unless
    /// said
    #[arg(long, value_name = "TIME", conflicts_with_all = ["from", "to"])]
    at: Option<Time>,
    /// Of a use case that decides on each key: writes the figures with pictures as one HTML file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to"])]
    report: Option<PathBuf>,
    /// Of a use case that ranks: what lists made as another usecase.yaml says would have been worth
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "to", "at", "report"])]
    policy: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let use_case = position(&sources.plan, &self.name)?;
        if sources.plan.use_cases[use_case].declared.ranking.is_some() {
            return match &self.policy {
                Some(file) => self.policy(place, &sources, use_case, file),
                None => self.lists(&sources, use_case),
            };
        }
        if self.policy.is_some() {
            return Err(Failure::because(format!(
                "`{}` ranks nothing: `acumen backtest` tries out rules, and `acumen compare` models",
                self.name
            )));
        }
        if sources.plan.use_cases[use_case].declared.subject.is_some() {
            return self.values(&sources, use_case);
        }
        if self.at.is_some() || self.report.is_some() {
            return Err(Failure::because(format!(
                "`{}` decides on events: name a period by --from and --to, without --report",
                self.name
            )));
        }
        let from = match self.from {
            Some(from) => from,
            None => unseen_from(&sources, use_case)?,
        };
        let to = self.to.unwrap_or(Time::LATEST);
        if from >= to {
            return Err(Failure::because(format!(
                "there is no time from {from} to {to}: --from must come first"
            )));
        }
        let mut progress = Progress::new("reading the log", "records");
        let found = evaluate(&sources, use_case, (from, to), &mut |at| {
            progress.at(at, None, "");
        })?;
        progress.done();
        if self.json {
            say_json(&found)
        } else {
            say(report(&found))
        }
    }
}

impl Evaluate {
    /// Of lists: what each source and their blend would have shown of what was taken next.
    fn lists(&self, sources: &Sources, use_case: usize) -> Outcome {
        if self.from.or(self.to).or(self.at).is_some() || self.report.is_some() {
            return Err(Failure::because(format!(
                "`{}` ranks items: its sources are judged on the newest tenth of the feedback, \
                 without --from, --to, --at and --report",
                self.name
            )));
        }
        let mut progress = Progress::new("reading the log", "records");
        let found = judge_sources(sources, use_case, &mut |at| {
            if let TrainProgress::Reading(at) = at {
                progress.at(at, None, "");
            }
        })?;
        progress.done();
        if self.json {
            say_json(&found)
        } else {
            say(of_lists(&found))
        }
    }

    /// Of lists that another declaration would have made.
    fn policy(&self, place: &Place, sources: &Sources, use_case: usize, file: &Path) -> Outcome {
        let folder = &sources.plan.use_cases[use_case].declared.folder;
        let (catalogue, _) = Catalogue::load(&place.root);
        let other = UseCase::load_as(file, folder, &catalogue);
        let other = other.map_err(|found| Failure::problems(&found))?;
        let clock = SystemClock::new() as Arc<dyn Clock>;
        let mut progress = Progress::new("showing the lists again", "records");
        let found = evaluate_policy(sources, use_case, &other, &clock, &mut |at| {
            progress.at(at, None, "");
        })?;
        progress.done();
        if self.json {
            say_json(&found)
        } else {
            say(policy_text(&found, &file.display().to_string()))
        }
    }

    /// Of sums that followed one time.
    fn values(&self, sources: &Sources, use_case: usize) -> Outcome {
        if self.from.or(self.to).is_some() {
            return Err(Failure::because(format!(
                "`{}` decides on each key at a time: name it by --at",
                self.name
            )));
        }
        let mut progress = Progress::new("reading the log", "records");
        let mut seen = |at| progress.at(at, None, "");
        let (found, page) = match &self.report {
            Some(_) => report_values(sources, use_case, self.at, &mut seen)?,
            None => (
                evaluate_values(sources, use_case, self.at, &mut seen)?,
                None,
            ),
        };
        progress.done();
        if let Some(path) = &self.report {
            let page = page.ok_or_else(|| {
                Failure::because("nothing came of any key: there is nothing to draw")
            })?;
            std::fs::write(path, page)
                .map_err(|error| Failure::because(format!("{}: {error}", path.display())))?;
        }
        if self.json {
            say_json(&found)
        } else {
            say(values_text(&found))
        }
    }
}

/// What other lists would have been worth, as a page of text.
fn policy_text(found: &PolicyEvaluation, file: &str) -> String {
    let estimates = &found.by_place;
    let line = |name: &str, of: &Estimate| {
        let [value, low, high] = [of.value, of.low, of.high].map(|v| v * found.places_a_list);
        [format!("{value:.4}"), format!("{low:.4} to {high:.4}")]
            .into_iter()
            .fold(vec![name.to_owned()], |mut row, cell| {
                row.push(cell);
                row
            })
    };
    let head = ["what a list is worth", "estimate", "95 %"];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.push(line("as it was shown", &estimates.logged));
    let named = [
        ("inverse propensity", Some(&estimates.ips)),
        ("self-normalised", Some(&estimates.snips)),
        ("doubly robust", estimates.dr.as_ref()),
    ];
    let others = named.into_iter().filter_map(|(name, of)| Some((name, of?)));
    lines.extend(others.map(|(name, of)| line(&format!("by {file}: {name}"), of)));
    let concerns = estimates.overlap.concerns.iter();
    let concerns = concerns.map(|concern| format!("\nlook out: {concern}"));
    format!(
        "{} lists, {} of them ordered again, {} places; {} of the places that chance did not fill \
         are as the declaration in force fills them\n\n{}\n\nas much as {} places that were \
         shown alike{}",
        thousands(found.lists as u64),
        thousands(found.judged as u64),
        thousands(found.places as u64),
        percent(Some(found.agrees)),
        table(&lines),
        thousands(estimates.overlap.effective_rows as u64),
        concerns.collect::<String>()
    )
}

/// What followed a time beside what was predicted, as a page of text.
fn values_text(found: &ValueEvaluation) -> String {
    let count = |n: usize| thousands(n as u64);
    let mut text = format!(
        "{} at {}, by {}, against what came until {}\n{} keys of the base, {} not of it",
        found.use_case,
        found.at,
        found.version,
        found.until,
        count(found.rows),
        count(found.outside)
    );
    let lost = found.uncounted;
    for (events, why) in [
        (lost.without_id, "carry no id"),
        (
            lost.without_amount,
            "have no amount, or no rate for its currency",
        ),
    ] {
        if events > 0 {
            text.push_str(&format!(
                "\n{} summed events {why}: in nobody's sum",
                thousands(events)
            ));
        }
    }
    if !found.warning.is_empty() {
        text.push_str(&format!("\nwarning: {}", found.warning));
    }
    let metrics = &found.metrics;
    let mut lines = vec![vec!["the model".to_owned(), String::new()]];
    let figures = [
        ("sum predicted", format!("{:.2}", found.predicted)),
        ("sum that came", format!("{:.2}", found.actual)),
        ("error of the total", percent(metrics.total_error)),
        ("error of the tenths", percent(metrics.decile_error)),
        ("mean error by the mean", percent(metrics.normalised_mae)),
        ("normalised Gini", decimal(metrics.normalised_gini)),
        ("within the interval", percent(metrics.interval_coverage)),
    ];
    lines.extend(figures.map(|(name, value)| vec![name.to_owned(), value]));
    text.push_str(&format!("\n\n{}", table(&lines)));
    let mut lines = vec![["tenth", "predicted", "came"].map(str::to_owned).to_vec()];
    lines.extend(found.tenths.iter().enumerate().map(|(number, tenth)| {
        vec![
            (number + 1).to_string(),
            format!("{:.2}", tenth.predicted),
            format!("{:.2}", tenth.actual),
        ]
    }));
    text.push_str(&format!("\n\n{}", table(&lines)));
    text
}

/// An evaluation as a page of text.
fn report(found: &Evaluation) -> String {
    let count = |n: usize| thousands(n as u64);
    let end = if found.to == Time::LATEST {
        "the end of the log".to_owned()
    } else {
        found.to.to_string()
    };
    let start = if found.from == Time::EARLIEST {
        "the beginning".to_owned()
    } else {
        found.from.to_string()
    };
    let mut text = format!(
        "{} from {start} to {end}, as far as it was known at {}\n{} rows whose truth is known, {} of \
         them positive; {} still open",
        found.use_case,
        found.as_of,
        count(found.rows),
        count(found.positives),
        count(found.open)
    );
    match found.versions.as_slice() {
        [] => text.push_str("\nno model is deployed: rules and the fallback decided"),
        versions => text.push_str(&format!("\ndecided by {}", versions.join(", "))),
    }
    if found.open > found.rows {
        text.push_str(
            "\nwarning: most of the truth is still open, and positives are known before negatives: \
             these figures flatter; look again later, or at an earlier period",
        );
    }
    if !found.warning.is_empty() {
        text.push_str(&format!("\nwarning: {}", found.warning));
    }
    if let Some(metrics) = &found.metrics {
        let at_95 = metrics.at_precision_95.as_ref();
        let at_90 = metrics.at_recall_90.as_ref();
        let rows = [
            ("area under the ROC curve", decimal(metrics.auc)),
            ("average precision", decimal(metrics.average_precision)),
            (
                "recall at 95 % precision",
                percent(at_95.map(|point| point.recall)),
            ),
            (
                "precision at 90 % recall",
                percent(at_90.map(|point| point.precision)),
            ),
            ("Brier score", format!("{:.5}", metrics.brier)),
            (
                "calibration error (ECE)",
                format!("{:.5}", metrics.ece_equal_width),
            ),
        ];
        let mut lines = vec![vec!["the model".to_owned(), String::new()]];
        lines.extend(rows.map(|(name, value)| vec![name.to_owned(), value]));
        text.push_str(&format!("\n\n{}", table(&lines)));
    }
    let mut lines = vec![
        ["action", "positive", "negative", "worth"]
            .map(str::to_owned)
            .to_vec(),
    ];
    lines.extend(found.actions.iter().map(|line| {
        let worth = line.value.map_or_else(|| "–".to_owned(), amount);
        vec![
            line.action.clone(),
            count(line.positive),
            count(line.negative),
            worth,
        ]
    }));
    text.push_str(&format!("\n\n{}\n", table(&lines)));
    let mildest = found
        .actions
        .first()
        .map_or("doing nothing", |line| line.action.as_str());
    text.push_str(&format!(
        "\n  anything stricter than `{mildest}`: precision {}, recall {}",
        percent(found.precision),
        percent(found.recall)
    ));
    if let Some(saved) = found.saved {
        text.push_str(&format!(
            "\n  saved against always `{mildest}`: {}",
            amount(saved)
        ));
    }
    text
}
