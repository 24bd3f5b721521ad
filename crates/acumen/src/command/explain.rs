//! `acumen explain`: why a decision is what it is.

use acumen_base::{Body, Decision, Span};
use acumen_decision::{Explanation, RuleOutcome};
use acumen_engine::history::{Sources, row_at};
use acumen_engine::why::{FeatureLine, NeighbourLine, Reread, Why, why};
use acumen_event::LogReader;
use clap::Args;
use std::sync::Arc;

use crate::failure::{Failure, Outcome};
use crate::output::{say, say_json};
use crate::place::{Place, position};
use crate::table::table;

/// Attributions that are shown of each model.
const SHOWN: usize = 8;

/// Say why a decision is what it is, from its record
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen explain orders:o-1042        the use case and the id of the event that was decided on")]
pub(crate) struct Explain {
    /// The decision, such as `orders:o-1042`
    id: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let sources = place.sources()?;
        let decision = find(&sources, &self.id)?;
        let use_case = position(&sources.plan, &decision.use_case)?;
        let from = row_at(&sources, use_case, decision.position)?;
        let governed = (&*from.event, &*from.state);
        let why = why(&sources, use_case, &decision, governed, Reread::Any)?;
        if self.json {
            say_json(&why)
        } else {
            let page = page(&why.explanation, &decision);
            say(format!("{page}\n{}", beyond(&why)))
        }
    }
}

/// The decision of an id.
pub(crate) fn find(sources: &Sources, id: &str) -> Outcome<Arc<Decision>> {
    let reader = LogReader::open(&sources.folder.log())?;
    let mut last = None;
    for record in reader.read(reader.first_position()?) {
        if let Body::Decision(decision) = record?.body {
            if decision.id == id {
                return Ok(decision);
            }
            last = Some(decision.id.clone());
        }
    }
    Err(Failure::because(match last {
        Some(last) => format!("there is no decision `{id}` in the log; the latest is `{last}`"),
        None => format!(
            "there is no decision `{id}`: none was made on this data folder yet; `acumen serve` makes them"
        ),
    }))
}

fn page(found: &Explanation, decision: &Decision) -> String {
    let score = found
        .score
        .map_or_else(String::new, |score| format!(", score {score:.0}"));
    let mut text = format!(
        "{}: {}{score}, decided at {}\n",
        found.decision, found.action, decision.decided_at
    );
    if found.action != found.action_without_exploration {
        text.push_str(&format!(
            "would have been {} without exploration (probability {})\n",
            found.action_without_exploration, found.propensity
        ));
    }
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!("\n{title}\n  {}\n", lines.join("\n  ")));
        }
    };
    section(
        "why",
        found
            .reasons
            .iter()
            .map(|reason| reason.text.clone())
            .collect(),
    );
    section("how it came about", found.steps.clone());
    section("what did not answer", found.skipped.clone());
    let fired = found.rules.iter().filter_map(|rule| {
        let without_acting = match rule.outcome {
            RuleOutcome::Fired => "",
            RuleOutcome::Shadow => ", without acting",
            RuleOutcome::Suppressed => ", suppressed by a list",
            _ => return None,
        };
        let (id, reason, when) = (&rule.id, &rule.reason, &rule.when);
        Some(format!("{id}: {reason} ({when}){without_acting}"))
    });
    section("rules that fired", fired.collect());
    if let Some(near) = &found.nearest_rule {
        let failed = near.failed.join(" and ");
        section(
            "nearest rule that did not",
            vec![format!("{}: not {failed}", near.id)],
        );
    }
    for model in &found.models {
        let mut rows = vec![
            ["column", "value", "moved it by"]
                .map(str::to_owned)
                .to_vec(),
        ];
        rows.extend(model.attributions.iter().take(SHOWN).map(|line| {
            let value = line
                .value
                .map_or_else(|| "missing".to_owned(), |value| format!("{value}"));
            vec![
                line.column.clone(),
                value,
                format!("{:+.3}", line.contribution),
            ]
        }));
        text.push_str(&format!(
            "\n{} {} said {:.4} ({:.4} before calibration)\n",
            model.name, model.version, model.value, model.raw
        ));
        if model.attributions.is_empty() {
            text.push_str(
                "  it cannot say why: the features have changed since, or it has no attributions\n",
            );
            continue;
        }
        text.push_str(&format!("{}\n", table(&rows)));
        let hidden = model.attributions.len().saturating_sub(SHOWN);
        if hidden > 0 {
            text.push_str(&format!(
                "  … and {hidden} more columns (--json shows all)\n"
            ));
        }
    }
    text.trim_end().to_owned()
}

/// What stands in no record: what would have changed it, ages and sources, neighbours, and what
/// the person concerned is told.
fn beyond(why: &Why) -> String {
    let mut text = format!("\nwhat would have changed it\n  {}\n", why.what_if.text);
    if !why.features.is_empty() {
        let head = ["column", "moved it by", "age", "from"];
        let mut rows = vec![head.map(str::to_owned).to_vec()];
        rows.extend(why.features.iter().take(SHOWN).map(origin));
        text.push_str(&format!("\nwhere that comes from\n{}\n", table(&rows)));
    }
    if !why.missing.is_empty() {
        text.push_str(&format!("  {}\n", why.missing));
    }
    for neighbourhood in &why.neighbourhoods {
        text.push_str(&format!(
            "\nneighbours that raised it ({}, {} reached)\n",
            neighbourhood.raised_by.join(", "),
            neighbourhood.reached
        ));
        let lines = neighbourhood.neighbours.iter().map(neighbour);
        text.extend(lines.map(|line| format!("  {line}\n")));
    }
    if !why.told.is_empty() {
        text.push_str("\nwhat the person concerned is told\n");
        let lines = why.told.iter();
        text.extend(lines.map(|told| format!("  {}\n", told.text)));
    }
    text.trim_end().to_owned()
}

fn origin(line: &FeatureLine) -> Vec<String> {
    let source = &line.source;
    let mut from = format!("{} of {}", source.operator, source.of);
    if !source.by.is_empty() {
        from.push_str(&format!(" by {}", source.by));
    }
    if !source.window.is_empty() {
        from.push_str(&format!(" over {}", source.window));
    }
    let age = line.age_ms.map(|age| Span(age).to_string());
    vec![
        line.column.clone(),
        format!("{:+.3}", line.contribution),
        age.unwrap_or_else(|| "–".to_owned()),
        from,
    ]
}

fn neighbour(one: &NeighbourLine) -> String {
    let key = one.key.as_deref().unwrap_or("(its event is trimmed)");
    let gathered = one.gathered.iter().map(|(column, value)| match value {
        Some(value) => format!("{column} {value}"),
        None => format!("{column} missing"),
    });
    let gathered: Vec<String> = gathered.collect();
    format!(
        "{} {key}, met {}: {}",
        one.entity,
        one.met_at,
        gathered.join(", ")
    )
}
