//! `acumen cases`: decisions that people look at, and what they find.

use acumen_base::limits::CASES_LISTED_MAX;
use acumen_base::{Body, Clock, SystemClock};
use acumen_engine::{Case, CaseOrder, CaseState, Finding, Found, Offline};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output::{amount, counted, say};
use crate::place::{Place, position};
use crate::table::table;

/// Show the cases of a use case, and say what was found
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen cases orders                          open cases, newest first
  acumen cases orders --by-value --all         those with the most at stake, closed ones too
  acumen cases orders o-17                     one case, and what was found about it
  acumen cases orders o-17 --negative --by ann --note 'called the customer'

A finding is an event of the log and counts as the outcome; a later, different one supersedes.
While a server runs: GET /v1/usecases/{name}/cases, GET and POST /v1/cases/{id}.")]
pub(crate) struct CasesCommand {
    /// The use case
    name: String,
    /// One case: the id of the event that was decided on
    event: Option<String>,
    /// It was found positive
    #[arg(long, requires = "event", requires = "by", conflicts_with = "negative")]
    positive: bool,
    /// It was found negative
    #[arg(long, requires = "event", requires = "by")]
    negative: bool,
    /// Who found it
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// What else there is to say
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Closed ones too
    #[arg(long)]
    all: bool,
    /// Those with the most at stake first
    #[arg(long)]
    by_value: bool,
}

impl CasesCommand {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let mut offline = place.offline()?;
        let use_case = position(&offline.sources.plan, &self.name)?;
        let Some(event) = &self.event else {
            return self.list(&offline, use_case);
        };
        if self.positive || self.negative {
            let finding = Finding {
                positive: self.positive,
                by: self.by.clone().unwrap_or_default(),
                note: self.note.clone(),
            };
            let now = SystemClock::new().now();
            let disposed = offline.dispose(use_case, event, &finding, now)?;
            let case = shown(offline.core.case(use_case, event)?);
            offline.close()?;
            let how = match disposed.repeated {
                true => "was found before: nothing was written",
                false => "is on record",
            };
            return say(format!(
                "{case}: it {how}, at position {}",
                disposed.position
            ));
        }
        let case = offline.core.case(use_case, event)?;
        say(shown(case))?;
        for position in &case.findings {
            let found = found(&offline, *position)?;
            let finding = &found.finding;
            let word = if finding.positive {
                "positive"
            } else {
                "negative"
            };
            let note = finding.note.as_deref().unwrap_or_default();
            say(format!("  {}  {word}, by {}  {note}", found.at, finding.by))?;
        }
        Ok(())
    }

    fn list(&self, offline: &Offline, use_case: usize) -> Outcome {
        let state = if self.all {
            CaseState::All
        } else {
            CaseState::Open
        };
        let order = if self.by_value {
            CaseOrder::Value
        } else {
            CaseOrder::Newest
        };
        let found = offline.core.cases(use_case, state, order, CASES_LISTED_MAX);
        let what = if self.all { "case" } else { "open case" };
        say(counted(found.count, what))?;
        if found.cases.is_empty() {
            return Ok(());
        }
        let mut lines = vec![
            ["event", "state", "action", "score", "at stake", "reason"]
                .map(str::to_owned)
                .to_vec(),
        ];
        lines.extend(found.cases.iter().map(|case| {
            vec![
                case.event_id.clone(),
                state_of(case).to_owned(),
                case.action.clone(),
                case.score
                    .map_or_else(|| "–".to_owned(), |score| score.to_string()),
                case.amount.map_or_else(|| "–".to_owned(), amount),
                case.reason.clone().unwrap_or_default(),
            ]
        }));
        say(table(&lines))
    }
}

fn state_of(case: &Case) -> &'static str {
    match case.positive {
        None => "open",
        Some(true) => "positive",
        Some(false) => "negative",
    }
}

fn shown(case: &Case) -> String {
    format!(
        "{} ({}, decided {})",
        case.id,
        state_of(case),
        case.decided_at
    )
}

/// The finding at a log position.
fn found(offline: &Offline, position: u64) -> Outcome<Found> {
    match offline.sources.record(position)?.body {
        Body::Event(event) => Ok(Found::of(&event, position)),
        _ => Err(Failure::because(format!(
            "position {position} holds no event"
        ))),
    }
}
