//! `acumen rules`: how rules fare, and switching them.

use acumen_base::decision::RuleMode;
use acumen_base::{Clock, Control, SystemClock};
use acumen_engine::RuleStatus;
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output::{amount, percent, say, say_json, thousands};
use crate::place::{Place, position};
use crate::table::table;

/// Show how the rules of a use case fare, and switch them
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen rules orders                          how often each fired, and how right it was
  acumen rules orders many_orders --mode shadow
  acumen rules orders many_orders --share 0.1  acts for a tenth of the events, a shadow for the rest

A switch is a record of the log. While a server runs: GET /v1/usecases/{name}/rules, and POST
/v1/usecases/{name}/rules/{rule}.")]
pub(crate) struct Rules {
    /// The use case
    name: String,
    /// The rule to switch
    rule: Option<String>,
    /// on, shadow or off
    #[arg(long, value_name = "MODE", requires = "rule")]
    mode: Option<String>,
    /// The share of the events for which it acts, between 0 and 1
    #[arg(long, value_name = "SHARE", requires = "rule")]
    share: Option<f64>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Rules {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let mut offline = place.offline()?;
        let use_case = position(&offline.sources.plan, &self.name)?;
        if let Some(rule) = &self.rule {
            let mode = RuleMode::parse(self.mode.as_deref(), self.share);
            let control = Control::Rule {
                use_case: self.name.clone(),
                rule: rule.clone(),
                mode: mode.map_err(Failure::because)?,
            };
            offline.control(control, "acumen rules", SystemClock::new().now())?;
        }
        let plan = &offline.sources.plan.use_cases[use_case];
        let rules = RuleStatus::all(plan, &offline.core.live[use_case]);
        if self.rule.is_some() {
            offline.close()?;
        }
        if self.json {
            say_json(&rules)
        } else {
            say(report(&rules))
        }
    }
}

/// The rules as a table.
fn report(rules: &[RuleStatus]) -> String {
    if rules.is_empty() {
        return "the use case declares no rule".to_owned();
    }
    let head = [
        "rule",
        "mode",
        "fired",
        "acted",
        "shadow",
        "suppressed",
        "positive",
        "negative",
        "precision",
        "negatives per positive",
        "saved",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    lines.extend(rules.iter().map(|rule| {
        let firings = rule.firings;
        let ratio = rule.false_positive_ratio;
        vec![
            rule.id.clone(),
            rule.mode.to_string(),
            thousands(firings.fired()),
            thousands(firings.acted),
            thousands(firings.shadow),
            thousands(firings.suppressed),
            thousands(rule.positive),
            thousands(rule.negative),
            percent(rule.precision),
            ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}")),
            rule.saved.map_or_else(|| "–".to_owned(), amount),
        ]
    }));
    table(&lines)
}
