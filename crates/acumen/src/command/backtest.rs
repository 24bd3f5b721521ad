//! `acumen backtest`: what a new rule would have done.

use acumen_base::Time;
use acumen_engine::{Backtest, BacktestLimits, BacktestQuery, backtest};
use clap::Args;

use crate::failure::Outcome;
use crate::output::{amount, percent, say, say_json, thousands};
use crate::place::{Place, position};
use crate::progress::Progress;
use crate::table::table;

/// Try a rule out on the log: what it would have hit, and what that would have been worth
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen backtest orders --rule 'orders.count_1h > 20'
  acumen backtest orders --rule 'order.amount > 500 && orders.count_24h > 3' --effect review
  acumen backtest orders --rule 'order.channel == \"web\"' --from 2026-03-01 --to 2026-04-01 --json

Rows are those that were read then; lists are taken as they are now. The rows are kept in the data
folder: the first time takes as long as reading the log, later ones read what is new.
While a server runs: the same, or POST /v1/usecases/{name}/backtest.")]
pub(crate) struct BacktestCommand {
    /// The use case
    name: String,
    /// The condition, as a rule of the use case is written
    #[arg(long, value_name = "CEL")]
    rule: String,
    /// From this time; from the beginning unless said
    #[arg(long, value_name = "TIME")]
    from: Option<Time>,
    /// To this time, not included; the end of the log unless said
    #[arg(long, value_name = "TIME")]
    to: Option<Time>,
    /// The action that it would ask for; the mildest that does something unless said
    #[arg(long, value_name = "ACTION")]
    effect: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl BacktestCommand {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let use_case = position(&sources.plan, &self.name)?;
        let query = BacktestQuery {
            rule: self.rule.clone(),
            from: self.from.unwrap_or(Time::EARLIEST),
            to: self.to.unwrap_or(Time::LATEST),
            effect: self.effect.clone(),
        };
        let label = "reading the rows from the log (once; they are kept)";
        let mut progress = Progress::new(label, "records");
        let limits = BacktestLimits::default();
        let found = backtest(&sources, use_case, &query, &limits, &mut |at| {
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

/// A backtest as a page of text.
fn report(found: &Backtest) -> String {
    let hits = found.hits;
    let mut text = format!(
        "{} of {} decided events hit, as far as it was known at {}\n  {} positive, {} negative, {} \
         still open, {} hidden by what was done\n  precision {}, recall {} of {} positives, {} \
         negatives for each positive",
        thousands(hits.all),
        thousands(found.rows),
        found.as_of,
        thousands(hits.positive),
        thousands(hits.negative),
        thousands(hits.open),
        thousands(hits.hidden),
        percent(found.precision),
        percent(found.recall),
        thousands(found.positives),
        found
            .false_positive_ratio
            .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")),
    );
    if let Some(stake) = found.positive_amount {
        text.push_str(&format!("\n  at stake at the positives: {}", amount(stake)));
    }
    text.push_str(&format!(
        "\n  with `{}`, {} of the hits would have gone otherwise",
        found.effect,
        thousands(found.changed)
    ));
    if let Some(gained) = found.gained {
        text.push_str(&format!(
            ", worth {} more than what was done",
            amount(gained)
        ));
    }
    if found.unvalued > 0 {
        let unvalued = thousands(found.unvalued);
        text.push_str(&format!(
            "\n  {unvalued} hits have no value: a field or a rate is missing"
        ));
    }
    if !found.warning.is_empty() {
        text.push_str(&format!("\nwarning: {}", found.warning));
    }
    if !found.overlap.is_empty() {
        let mut lines = vec![
            ["beside rule", "both", "only new", "only old"]
                .map(str::to_owned)
                .to_vec(),
        ];
        lines.extend(found.overlap.iter().map(|overlap| {
            let counts = [overlap.both, overlap.only_new, overlap.only_old];
            let mut line = vec![overlap.rule.clone()];
            line.extend(counts.map(thousands));
            line
        }));
        text.push_str(&format!("\n\n{}", table(&lines)));
    }
    text
}
