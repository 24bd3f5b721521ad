//! `acumen compare`: what decides, and what answers beside it.

use acumen_engine::compare::{Compared, Side, compare};
use clap::Args;

use crate::command::train::decimal;
use crate::failure::Outcome;
use crate::output::{amount, percent, say, say_json, thousands};
use crate::place::{Place, position};
use crate::progress::Progress;
use crate::table::table;

/// Compare challengers and shadows with what decides, on the same decisions
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen deploy orders boosted VERSION --challenger
  acumen compare orders                    once outcomes are known; a server may be running")]
pub(crate) struct Compare {
    /// The use case
    name: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let use_case = position(&sources.plan, &self.name)?;
        let mut reading = Progress::new("reading the log", "records");
        let found = compare(&sources, use_case, &mut |at| reading.at(at, None, ""))?;
        reading.done();
        if self.json {
            return say_json(&found);
        }
        if !found.note.is_empty() {
            say(&found.note)?;
        }
        found.pairs.iter().map(page).try_for_each(say)
    }
}

fn page(pair: &Compared) -> String {
    let count = |n: usize| thousands(n as u64);
    let text = format!(
        "{} decisions that both answered; of {} the truth is known, {} of them positive",
        count(pair.decisions),
        count(pair.rows),
        count(pair.positives)
    );
    let [champion, challenger] = [&pair.champion, &pair.challenger];
    let both = |name: &str, of: &dyn Fn(&Side) -> String| {
        vec![name.to_owned(), of(champion), of(challenger)]
    };
    let mut rows = vec![
        both("", &|side| side.name.clone()),
        both("version", &|side| side.version.clone()),
        both("average precision", &|side| decimal(side.average_precision)),
        both("recall at the champion's alert rate", &|side| {
            percent(side.recall_at_alert_rate)
        }),
        both("calibration error", &|side| decimal(side.calibration_error)),
        both("precision", &|side| percent(side.precision)),
        both("recall", &|side| percent(side.recall)),
    ];
    for (i, line) in champion.actions.iter().enumerate() {
        rows.push(both(&format!("would have been {}", line.action), &|side| {
            let line = &side.actions[i];
            count(line.positive + line.negative)
        }));
    }
    rows.push(both("worth", &|side| {
        side.value.map_or_else(|| "–".to_owned(), amount)
    }));
    format!("{text}\n{}", table(&rows))
}
