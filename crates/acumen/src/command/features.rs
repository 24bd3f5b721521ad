//! `acumen features`: the columns of a use case.

use std::collections::BTreeMap;

use acumen_base::row::ColumnKind;
use acumen_engine::spec::SetOrigin;
use acumen_engine::{Plan, UseCasePlan};
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
        if let rows @ [_, _, ..] = &*sets(&plan) {
            say(format!("feature sets\n{}", table(rows)))?;
        }
        for shared in together(&plan) {
            say(shared)?;
        }
        Ok(())
    }
}

/// What use cases are computed together, and what that saves.
fn together(plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for (shared, pipeline) in plan.fresh_pipelines().iter().enumerate() {
        let of = |plan: &&UseCasePlan| plan.shared == shared;
        let of: Vec<&UseCasePlan> = plan.use_cases.iter().filter(of).collect();
        if of.len() > 1 {
            let apart: usize = of.iter().map(|plan| plan.fresh_pipeline().units()).sum();
            let names: Vec<&str> = of.iter().map(|plan| &*plan.declared.name).collect();
            lines.push(format!(
                "computed together: {}, in {} units of state (each by itself: {apart} in all)",
                names.join(", "),
                pipeline.units()
            ));
        }
    }
    lines
}

/// The feature sets of the catalogue that some use case reads: where their events come from, how
/// often, and who reads them.
fn sets(plan: &Plan) -> Vec<Vec<String>> {
    let mut rows = vec![
        ["set", "source", "comes", "read by", "computed"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let mut readers: BTreeMap<&str, (&SetOrigin, Vec<&UseCasePlan>)> = BTreeMap::new();
    for plan in &plan.use_cases {
        for (name, origin) in &plan.declared.uses {
            let known = readers.entry(name).or_insert((origin, Vec::new()));
            known.1.push(plan);
        }
    }
    for (name, (origin, readers)) in readers {
        let mut times: Vec<usize> = readers.iter().map(|plan| plan.shared).collect();
        times.sort_unstable();
        times.dedup();
        let names: Vec<&str> = readers.iter().map(|plan| &*plan.declared.name).collect();
        let every = origin.update_frequency.map(|span| format!("every {span}"));
        rows.push(vec![
            name.to_owned(),
            origin.data_source.clone().unwrap_or_else(|| "–".to_owned()),
            every.unwrap_or_else(|| "–".to_owned()),
            names.join(", "),
            match times.len() {
                1 => "once".to_owned(),
                times => format!("{times} times: what they mean by a word differs"),
            },
        ]);
    }
    rows
}
