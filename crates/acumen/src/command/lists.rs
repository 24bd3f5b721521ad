//! `acumen lists`: what is on them, and edits.

use acumen_base::limits::LIST_EDIT_MAX;
use acumen_base::{Clock, Control, SystemClock, Time};
use acumen_engine::{Listed, Offline, Refusal};
use clap::Args;

use crate::failure::{Failure, Outcome};
use crate::output::{counted, say};
use crate::place::Place;

/// Show lists and edit them
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen lists                                 every list with how many ids it holds
  acumen lists known_abusers                   the ids on one
  acumen lists known_abusers --add c-17 c-23 --remove c-4
  acumen lists trusted --add c-9 --until 2026-07-01      on it for events before then

An edit is a record of the log. While a server runs: GET and POST /v1/lists/{list}.")]
pub(crate) struct Lists {
    /// One list
    name: Option<String>,
    /// Ids to add
    #[arg(long, num_args = 1.., value_name = "ID", requires = "name")]
    add: Vec<String>,
    /// Until when the added ids are on it, by the time of events; for good unless said
    #[arg(long, value_name = "TIME", requires = "add")]
    until: Option<Time>,
    /// Ids to take off
    #[arg(long, num_args = 1.., value_name = "ID", requires = "name")]
    remove: Vec<String>,
}

impl Lists {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let mut offline = place.offline()?;
        let lists = held(&offline);
        let Some(name) = &self.name else {
            for (list, ids) in &lists {
                say(format!("{list}: {}", counted(ids.len(), "id")))?;
            }
            return if lists.is_empty() {
                say("no use case declares a list")
            } else {
                Ok(())
            };
        };
        let Some((_, ids)) = lists.iter().find(|(list, _)| list == name) else {
            let names: Vec<&str> = lists.iter().map(|(list, _)| list.as_str()).collect();
            return Err(Refusal::unknown("list", name, names).into());
        };
        if self.add.is_empty() && self.remove.is_empty() {
            return ids.iter().try_for_each(|(id, until)| {
                let until = until.map_or(String::new(), |until| format!("  until {until}"));
                say(format!("{id}{until}"))
            });
        }
        if self.add.len() + self.remove.len() > LIST_EDIT_MAX {
            return Err(Failure::because(format!(
                "an edit names at most {LIST_EDIT_MAX} ids: make several"
            )));
        }
        let (list, now) = (name.clone(), SystemClock::new().now());
        if !self.remove.is_empty() {
            let control = Control::ListRemove {
                list: list.clone(),
                ids: self.remove.clone(),
            };
            offline.control(control, "acumen lists", now)?;
        }
        if !self.add.is_empty() {
            let control = Control::ListAdd {
                list,
                ids: self.add.clone(),
                until: self.until,
            };
            offline.control(control, "acumen lists", now)?;
        }
        let after = held(&offline).into_iter().find(|(list, _)| list == name);
        offline.close()?;
        say(format!(
            "{name}: {}",
            counted(after.map_or(0, |(_, ids)| ids.len()), "id")
        ))
    }
}

/// Every declared list with its ids, in order of name.
fn held(offline: &Offline) -> Vec<(String, Listed)> {
    let mut lists: Vec<(String, Listed)> = Vec::new();
    for (plan, live) in offline
        .sources
        .plan
        .use_cases
        .iter()
        .zip(&offline.core.live)
    {
        for (name, _) in &plan.declared.lists {
            let ids = live.state.listed(name).unwrap_or_default().into_iter();
            let ids = ids.map(|(id, until)| (id.to_owned(), until)).collect();
            if !lists.iter().any(|(list, _)| list == name) {
                lists.push((name.clone(), ids));
            }
        }
    }
    lists.sort();
    lists
}
