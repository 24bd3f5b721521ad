//! `acumen features`: the columns of a use case.

use std::collections::BTreeMap;

use acumen_base::row::ColumnKind;
use acumen_engine::Plan;
use acumen_engine::spec::SetOrigin;
use clap::Args;
use serde_json::json;

use crate::failure::Outcome;
use crate::output::{say, say_json};
use crate::place::{Place, position};
use crate::table::table;

/// List the columns of a use case's rows, with what they mean
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen features                  every use case
  acumen features orders --json")]
pub(crate) struct Features {
    /// Only this use case
    name: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Features {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let plan = place.plan()?;
        let only = self
            .name
            .as_ref()
            .map(|name| position(&plan, name))
            .transpose()?;
        let wanted = |i: usize| only.is_none_or(|only| only == i);
        let chosen = plan
            .use_cases
            .iter()
            .enumerate()
            .filter(|(i, _)| wanted(*i));
        if self.json {
            let all: serde_json::Map<String, _> = chosen
                .map(|(_, plan)| (plan.declared.name.clone(), json!(plan.columns.list)))
                .collect();
            return say_json(&all);
        }
        for (_, plan) in chosen {
            let mut rows = vec![
                ["column", "kind", "unit", "what it is"]
                    .map(str::to_owned)
                    .to_vec(),
            ];
            for column in &plan.columns.list {
                let kind = match column.kind {
                    ColumnKind::Number => "number",
                    ColumnKind::Category => "category",
                    ColumnKind::Flag => "flag",
                };
                let (unit, help) = (column.unit.clone(), column.help.clone());
                rows.push(vec![column.name.clone(), kind.to_owned(), unit, help]);
            }
            say(format!(
                "{} ({} columns)",
                plan.declared.name,
                plan.columns.len()
            ))?;
            say(table(&rows))?;
        }
        match sets(&plan) {
            rows if rows.len() > 1 => say(format!("feature sets\n{}", table(&rows))),
            _ => Ok(()),
        }
    }
}

/// The feature sets of the catalogue that some use case reads: where their events come from, how
/// often, and who reads them.
fn sets(plan: &Plan) -> Vec<Vec<String>> {
    let mut rows = vec![
        ["set", "source", "comes", "read by"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut readers: BTreeMap<&str, (&SetOrigin, Vec<&str>)> = BTreeMap::new();
    for declared in plan.use_cases.iter().map(|plan| &plan.declared) {
        for (name, origin) in &declared.uses {
            let known = readers.entry(name).or_insert((origin, Vec::new()));
            known.1.push(&declared.name);
        }
    }
    for (name, (origin, readers)) in readers {
        let every = origin.update_frequency.map(|span| format!("every {span}"));
        rows.push(vec![
            name.to_owned(),
            origin.data_source.clone().unwrap_or_else(|| "–".to_owned()),
            every.unwrap_or_else(|| "–".to_owned()),
            readers.join(", "),
        ]);
    }
    rows
}
