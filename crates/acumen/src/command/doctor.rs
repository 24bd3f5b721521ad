//! `acumen doctor`: whether everything that is needed is there and whole.

use std::path::Path;
use std::process::Command;

use acumen_engine::Folder;
use acumen_event::{LogReader, Snapshots};
use acumen_model::ModelStore;
use clap::Args;

use crate::command::models::deployments;
use crate::failure::{Failure, Outcome};
use crate::output::{say, thousands};
use crate::place::Place;

/// Free space below which a warning is due, in KiB.
const FREE_KIB_MIN: u64 = 1024 * 1024;

/// Check the project, the data folder, the log, the snapshots, the models and the disk
#[derive(Args)]
#[command(after_help = "\
Example:
  acumen doctor --data /var/lib/acumen

Reads every record of the log and changes nothing. The exit code is 1 if something needs mending.")]
pub(crate) struct Doctor {}

/// What was found: a line, and whether it is well.
type Finding = Result<String, String>;

impl Doctor {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let folder = place.folder();
        let mut found = vec![project(place)];
        if folder.log().is_dir() {
            found.push(log(&folder));
            found.push(snapshots(&folder));
            found.extend(models(place));
        } else {
            let root = folder.root().display();
            found.push(Ok(format!(
                "data: none in {root} yet; `acumen ingest` or `acumen serve` makes it"
            )));
        }
        found.extend(disk(folder.root()));
        let mut sound = true;
        for finding in found {
            match finding {
                Ok(line) => say(format!("ok    {line}"))?,
                Err(line) => {
                    sound = false;
                    say(format!("MEND  {line}"))?;
                }
            }
        }
        if sound {
            Ok(())
        } else {
            Err(Failure::Reported)
        }
    }
}

fn project(place: &Place) -> Finding {
    let (plan, problems) = place.load();
    match problems.len() {
        0 => Ok(format!(
            "project: {}",
            plan.names().collect::<Vec<_>>().join(", ")
        )),
        many => Err(format!(
            "project: {many} problems; `acumen check` names them"
        )),
    }
}

fn log(folder: &Folder) -> Finding {
    let read = || -> Result<u64, acumen_event::LogError> {
        let reader = LogReader::open(&folder.log())?;
        let mut records = 0;
        for record in reader.read(reader.first_position()?) {
            record?;
            records += 1;
        }
        Ok(records)
    };
    match read() {
        Ok(records) => Ok(format!(
            "log: {} records read, every checksum right",
            thousands(records)
        )),
        Err(error) => Err(format!("log: {error}")),
    }
}

fn snapshots(folder: &Folder) -> Finding {
    if !folder.snapshots().is_dir() {
        return Ok("snapshots: none yet; the state is read from the log".to_owned());
    }
    match Snapshots::open(&folder.snapshots()).and_then(|snapshots| snapshots.latest()) {
        Ok(latest) if !latest.rejected.is_empty() => Err(format!(
            "snapshots: {}; remove them, the log gives the state back",
            latest.rejected.join("; ")
        )),
        Ok(latest) => Ok(match latest.snapshot {
            Some(newest) => format!(
                "snapshots: the newest, at {}, is whole",
                thousands(newest.position)
            ),
            None => "snapshots: none yet; the state is read from the log".to_owned(),
        }),
        Err(error) => Err(format!("snapshots: {error}")),
    }
}

fn models(place: &Place) -> Vec<Finding> {
    let Ok(sources) = place.sources() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for plan in &sources.plan.use_cases {
        let name = &plan.declared.name;
        let Ok(deployed) = deployments(&sources, name) else {
            continue;
        };
        for model in plan.declared.member_names() {
            let live = deployed.iter().rev().find(|at| at.member == model);
            found.push(match live {
                None => Err(format!(
                    "model {name}/{model}: not deployed; `acumen train {name}`"
                )),
                Some(live) => whole(&sources.store, name, model, &live.version),
            });
        }
    }
    found
}

fn whole(store: &ModelStore, use_case: &str, model: &str, version: &str) -> Finding {
    match store.get(use_case, model, version) {
        Ok(_) => Ok(format!(
            "model {use_case}/{model}: {version} is live and whole"
        )),
        Err(error) => Err(format!("model {use_case}/{model}: {error}")),
    }
}

/// The free space, as the system's own `df` says it.
fn disk(folder: &Path) -> Option<Finding> {
    let there = folder
        .ancestors()
        .find(|path| path.is_dir())
        .unwrap_or(Path::new("."));
    let output = Command::new("df").arg("-Pk").arg(there).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let free: u64 = text
        .lines()
        .nth(1)?
        .split_whitespace()
        .nth(3)?
        .parse()
        .ok()?;
    let line = format!("disk: {} MiB free", thousands(free / 1024));
    Some(if free < FREE_KIB_MIN {
        Err(format!("{line}: make room, a full disk stops decisions"))
    } else {
        Ok(line)
    })
}
