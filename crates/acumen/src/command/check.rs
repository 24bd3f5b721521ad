//! `acumen check`: every mistake of every file, then the use cases' own tests.

use std::sync::Arc;

use acumen_base::Diagnostic;
use acumen_engine::usertest;
use acumen_model::ModelStore;
use clap::Args;
use serde_json::json;

use crate::failure::{Failure, Outcome};
use crate::output::{counted, say, say_json};
use crate::place::Place;

/// Report every mistake of the project, and run the use cases' own tests
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen check                     all use cases under ./usecases
  acumen check orders              only this one's tests
  acumen check --json | jq .       for scripts

The exit code is 1 if there is a problem. Each problem comes with file:line:column, the nearest
valid name, and what to do. Tests are the files usecases/NAME/tests/*.yaml.")]
pub(crate) struct Check {
    /// Only this use case
    name: Option<String>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        let (plan, mut problems) = place.load();
        if let Some(name) = &self.name {
            let folder = place.root.join("usecases").join(name);
            if plan.position(name).is_none() && !folder.is_dir() {
                return crate::place::position(&plan, name).map(drop);
            }
            problems.retain(|problem| concerns(problem, name));
        }
        let plan = Arc::new(plan);
        let store = tempfile::tempdir()
            .map_err(|e| Failure::because(format!("no temporary folder: {e}")))?;
        let store = Arc::new(ModelStore::open(store.path())?);
        let mut lines = Vec::new();
        let mut tests = 0;
        for (i, use_case) in plan.use_cases.iter().enumerate() {
            let declared = &use_case.declared;
            if self
                .name
                .as_ref()
                .is_some_and(|name| *name != declared.name)
            {
                continue;
            }
            let (ran, found) = usertest::run(&plan, i, &store)?;
            tests += ran;
            let columns = use_case.columns.len();
            let ran = counted(ran, "test");
            let verdict = match found.len() {
                0 => format!("{ran} passed"),
                wrong => format!("{ran} run, {} not met", counted(wrong, "expectation")),
            };
            lines.push(format!(
                "{}: {}, {}, {}; {verdict}",
                declared.name,
                counted(columns, "column"),
                counted(declared.rules.len(), "rule"),
                counted(declared.models.len(), "model"),
            ));
            problems.extend(found);
        }
        if self.json {
            say_json(
                &json!({"problems": problems, "use_cases": plan.names().collect::<Vec<_>>(), "tests": tests}),
            )?;
        } else {
            for problem in &problems {
                say(format!("{problem}\n"))?;
            }
            for line in lines {
                say(line)?;
            }
            match problems.len() {
                0 => say("all is well")?,
                many => say(format!("{} to mend", counted(many, "problem")))?,
            }
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Failure::Reported)
        }
    }
}

/// Whether a problem is of this use case or of what all share.
fn concerns(problem: &Diagnostic, name: &str) -> bool {
    let file = problem.place.file.replace('\\', "/");
    !file.contains("usecases/") || file.contains(&format!("usecases/{name}/"))
}
