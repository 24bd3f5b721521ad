//! `acumen thresholds`: where the score bands begin, fitted to a target without training.

use acumen_base::{Clock, SystemClock, Time};
use acumen_engine::history::Sources;
use acumen_engine::{Evaluation, Refit, RefitOptions, Target, refit, unseen_from};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output::{amount, percent, say, say_json, thousands};
use crate::place::{Place, position};
use crate::progress::Progress;
use crate::table::table;

/// Move the thresholds of the score bands so that they reach a target; the models stay
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen thresholds orders --target precision=0.95 --dry-run    what it would change
  acumen thresholds orders --target block_rate=1% --action review
  acumen thresholds orders --target expected_cost               as training fits them

Thresholds are fitted on what the deployed models have not seen, unless --from says otherwise. They
are a record of the log: every decision says which were in force. Of a running server, ask for it
by POST /v1/usecases/NAME/thresholds.")]
pub(crate) struct Thresholds {
    /// The use case
    name: String,
    /// What to reach: `precision=0.95`, `block_rate=0.01` or `expected_cost`
    #[arg(long)]
    target: Target,
    /// The action whose band begins where the target is reached; the most severe unless said
    #[arg(long)]
    action: Option<String>,
    /// From this time; where the deployed models stopped looking unless said
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// To this time, not included; the end of the log unless said
    #[arg(long, value_name = "TIME")]
    to: Option<Time>,
    /// Show what it would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Thresholds {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let use_case = position(&sources.plan, &self.name)?;
        if self.dry_run {
            let found = self.find(&sources, use_case)?;
            self.show(&found)?;
            return match self.json {
                true => Ok(()),
                false => say("\nnothing was changed: leave --dry-run out to do it"),
            };
        }
        // The folder is taken before the work, not after it: thresholds are a record of the log.
        let mut offline = place.offline()?;
        let found = self.find(&offline.sources, use_case)?;
        let now = SystemClock::new().now();
        let at = offline.control(found.control.clone(), "acumen thresholds", now)?;
        offline.close()?;
        self.show(&found)?;
        match self.json {
            true => Ok(()),
            false => say(format!("\nin force (log position {at})")),
        }
    }

    fn find(&self, sources: &Sources, use_case: usize) -> Outcome<Refit> {
        let from = match self.from {
            Some(from) => from,
            None => unseen_from(sources, use_case)?,
        };
        let to = self.to.unwrap_or(Time::LATEST);
        if from >= to {
            return Err(Failure::because(format!(
                "there is no time from {from} to {to}: --from must come first"
            )));
        }
        let options = RefitOptions {
            target: self.target,
            action: self.action.clone(),
            from,
            to,
        };
        let mut progress = Progress::new("reading the log", "records");
        let found = refit(sources, use_case, &options, &mut |at| {
            progress.at(at, None, "");
        })?;
        progress.done();
        Ok(found)
    }

    fn show(&self, found: &Refit) -> Outcome {
        if self.json {
            say_json(found)
        } else {
            say(report(found))
        }
    }
}

/// What changes, as a page of text.
fn report(found: &Refit) -> String {
    let (before, after) = (&found.before, &found.after);
    let mut text = format!(
        "{} fitted to {} on {} rows whose truth is known, {} of them positive; {} still open",
        found.use_case,
        found.target,
        thousands(before.rows as u64),
        thousands(before.positives as u64),
        thousands(before.open as u64),
    );
    if let (Some(reached), Some(rows)) = (found.reached, found.rows_above) {
        let rows = thousands(rows as u64);
        let action = &found.action;
        text.push_str(&format!(
            "\nreached {reached:.4}: `{action}` and stricter for {rows} rows, before rules have their say"
        ));
    }
    if !found.warning.is_empty() {
        text.push_str(&format!("\nwarning: {}", found.warning));
    }
    let mut lines = vec![["", "before", "after"].map(str::to_owned).to_vec()];
    for begins in &found.begins {
        let name = format!("`{}` begins at a probability of", begins.action);
        lines.push(vec![
            name,
            format!("{:.4}", begins.before),
            format!("{:.4}", begins.after),
        ]);
    }
    let mut both = |name: String, of: &dyn Fn(&Evaluation) -> String| {
        lines.push(vec![name, of(before), of(after)]);
    };
    both("precision".to_owned(), &|e| percent(e.precision));
    both("recall".to_owned(), &|e| percent(e.recall));
    for (place, line) in before.actions.iter().enumerate() {
        both(format!("share of `{}`", line.action), &|e| {
            let line = &e.actions[place];
            percent(Some(
                (line.positive + line.negative) as f64 / e.rows.max(1) as f64,
            ))
        });
    }
    if before.saved.is_some() {
        both("saved against always the mildest".to_owned(), &|e| {
            e.saved.map_or_else(|| "–".to_owned(), amount)
        });
    }
    format!("{text}\n\n{}", table(&lines))
}
