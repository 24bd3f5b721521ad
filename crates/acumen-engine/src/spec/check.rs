//! What only the stages can find: they compile a use case once when it is read.

use std::sync::Arc;

use acumen_base::{Columns, Diagnostic, ENSEMBLE};
use acumen_feature::{Pipeline, PipelineSpec};
use acumen_model::{Checked, Learner, Predicts, find_learner};

use super::compile;
use super::decisions::ACTIONS;
use super::idle;
use super::ranking;
use super::subject;
use super::types::UseCase;
use super::walk::suggestion;
use crate::learners::{learner_names, learners};
use crate::projected::seen_by;
use crate::searching::{parameter, params_of, search_of};

/// All that the stages find wrong with a use case. `broken` names declarations that are known to
/// be wrong already: what follows from them is not said again.
pub(super) fn check(use_case: &UseCase, broken: &[String]) -> Vec<Diagnostic> {
    let mut check = Check {
        use_case,
        broken: broken.to_vec(),
        found: Vec::new(),
    };
    check.models();
    check.take(idle::check(use_case));
    let columns = match compile::pipeline_spec(use_case) {
        Ok(spec) => check.columns(spec),
        Err(found) => {
            check.take(found);
            return check.found;
        }
    };
    if let (Some(columns), Some(_)) = (columns, use_case.event(&use_case.decide_event)) {
        check.take(ranking::check(use_case));
        if use_case.ranking.is_none() {
            check.learners(&columns);
        }
        check.explain(&columns);
        check.take(subject::check(use_case, &columns));
        if let Err(mut problems) = compile::policy(use_case, columns) {
            if check.broken.iter().any(|name| name == ACTIONS) {
                problems.retain(|problem| problem.place != use_case.place(ACTIONS));
            }
            check.take(problems);
        }
    }
    if let Err(problems) = compile::value_spec(use_case) {
        check.take(problems);
    }
    check.found
}

struct Check<'a> {
    use_case: &'a UseCase,
    broken: Vec<String>,
    found: Vec<Diagnostic>,
}

impl Check<'_> {
    fn models(&mut self) {
        let use_case = self.use_case;
        let names: Vec<&str> = use_case.features.iter().map(|f| f.name.as_str()).collect();
        let mut found = Vec::new();
        for model in &use_case.models {
            if model.name == ENSEMBLE {
                let message = format!("`{ENSEMBLE}` is the name of what combines the models");
                let mut diagnostic =
                    Diagnostic::new("reserved_name", message, "give the model another name");
                diagnostic.place = use_case.place(&format!("models.{ENSEMBLE}"));
                found.push(diagnostic);
            }
            for (index, name) in model.features.iter().flatten().enumerate() {
                if !names.contains(&name.as_str()) {
                    let message = format!("there is no feature `{name}`");
                    let help = suggestion(name, &names);
                    let mut diagnostic = Diagnostic::new("unknown_name", message, help);
                    let path = format!("models.{}.features.{index}", model.name);
                    diagnostic.place = use_case.place(&path);
                    found.push(diagnostic);
                }
            }
        }
        if !use_case.models.is_empty() && use_case.outcome.is_none() && use_case.subject.is_none() {
            let message = "models are declared, and no outcome to learn from";
            let mut diagnostic = Diagnostic::new("missing_key", message, "add `outcome: …`");
            diagnostic.place = use_case.places.key("models");
            found.push(diagnostic);
        }
        self.take(found);
    }

    /// Whether what explanations speak of is a feature or a column.
    fn explain(&mut self, columns: &Columns) {
        let use_case = self.use_case;
        let features = use_case.features.iter().map(|f| f.name.as_str());
        let columns = columns.list.iter().map(|column| column.name.as_str());
        let names: Vec<&str> = features.chain(columns).collect();
        let declared = &use_case.explain;
        let actionable = declared.actionable.iter().map(|name| ("actionable", name));
        let says = declared.says.iter().map(|(name, _)| ("says", name));
        let unknown = actionable
            .chain(says)
            .filter(|(_, name)| !names.contains(&name.as_str()));
        let found = unknown.map(|(key, name)| {
            let message = format!("there is no feature or column `{name}`");
            let mut diagnostic = Diagnostic::new("unknown_name", message, suggestion(name, &names));
            let path = format!("explain.{key}");
            diagnostic.place = use_case.places.mentioned(&path, &diagnostic.message);
            diagnostic
        });
        self.take(found.collect());
    }

    /// Whether there are such learners, and whether they take these parameters.
    fn learners(&mut self, columns: &Columns) {
        let use_case = self.use_case;
        let mut found = Vec::new();
        let mut problem = |path: String, message: String, help: String| {
            let mut diagnostic = Diagnostic::new("model", message, help);
            diagnostic.place = use_case.places.mentioned(&path, &diagnostic.message);
            found.push(diagnostic);
        };
        let mut used = Vec::new();
        for model in &use_case.models {
            let path = format!("models.{}", model.name);
            let Ok(learner) = find_learner(&learners(), &model.algorithm) else {
                let message = format!("there is no algorithm `{}`", model.algorithm);
                problem(
                    format!("{path}.algorithm"),
                    message,
                    suggestion(&model.algorithm, &learner_names()),
                );
                continue;
            };
            let seen = seen_by(use_case.training.as_ref(), model, columns);
            match learner.check(&params_of(use_case, model, learner), &seen) {
                Ok(checked) => {
                    let (predicted, help) = mismatch(use_case, &*checked).unzip();
                    if let (Some(predicted), Some(help)) = (predicted, help) {
                        let message = format!("`{}` predicts {predicted}", model.algorithm);
                        problem(format!("{path}.algorithm"), message, help.to_owned());
                    }
                }
                Err(problems) => {
                    for wrong in problems {
                        problem(format!("{path}.{}", wrong.param), wrong.message, wrong.help);
                    }
                }
            }
            used.push(learner);
            if let Some(search) = search_of(use_case.training.as_ref(), model, learner)
                && let Err(problems) = search.check(learner, &model.params, &seen)
            {
                let own = model.search.is_some();
                let path = if own { path.as_str() } else { "training" };
                for wrong in problems {
                    let key = format!("{path}.search.{}", wrong.param);
                    problem(key, wrong.message, wrong.help);
                }
            }
        }
        for (name, message, help) in unknown_to_all(use_case, &used) {
            problem(format!("training.search.of.{name}"), message, help);
        }
        self.take(found);
    }

    /// The columns of the features that are sound, so that the rules on them can be checked.
    fn columns(&mut self, mut spec: PipelineSpec) -> Option<Arc<Columns>> {
        loop {
            let problems = match Pipeline::compile(spec.clone()) {
                Ok(pipeline) => return Some(Arc::clone(pipeline.columns(0))),
                Err(problems) => problems,
            };
            let placed = problems
                .iter()
                .map(|p| compile::pipeline_problem(self.use_case, p));
            self.take(placed.collect());
            let before = spec.features.len();
            let wrong = |name: &String| problems.iter().any(|problem| problem.feature == *name);
            let (gone, left) = spec.features.into_iter().partition(|f| wrong(&f.name));
            let gone: Vec<acumen_feature::FeatureSpec> = gone;
            spec.features = left;
            spec.views[0].features.retain(|name| !wrong(name));
            self.broken
                .extend(gone.into_iter().map(|feature| feature.name));
            if spec.features.len() == before {
                return None;
            }
        }
    }

    fn take(&mut self, problems: Vec<Diagnostic>) {
        for problem in problems {
            let follows = self
                .broken
                .iter()
                .any(|name| mentions(&problem.message, name));
            if !follows && !self.found.contains(&problem) {
                self.found.push(problem);
            }
        }
    }
}

/// What a model predicts that is not what the use case answers by, and what to do.
fn mismatch(use_case: &UseCase, checked: &dyn Checked) -> Option<(&'static str, &'static str)> {
    match (use_case.subject.is_some(), checked.predicts()) {
        (false, Predicts::Value | Predicts::Other(_)) => Some((
            "a value here, and decisions are made on the probability of the outcome",
            "choose another algorithm, or `objective: binary:logistic`",
        )),
        (true, Predicts::Other(what)) => Some((
            what,
            "the target is a sum: name the column of the mean value of a purchase by `value`, and \
             leave `predicts` out",
        )),
        (true, Predicts::Probability) => Some((
            "a probability here, and the target is a sum",
            "choose an algorithm of values such as `two_part` or `bg_nbd`, or `objective: \
             reg:squarederror` or `reg:tweedie`",
        )),
        _ => None,
    }
}

/// What `training.search` names and no model has: the name, what is wrong, and what to do.
fn unknown_to_all(use_case: &UseCase, used: &[&dyn Learner]) -> Vec<(String, String, String)> {
    let training = use_case.training.as_ref();
    let search = training.and_then(|training| training.search.as_ref());
    let docs = used.iter().flat_map(|learner| learner.params());
    let names: Vec<&str> = docs.map(|doc| doc.name).collect();
    let mut unknown = Vec::new();
    for name in search.iter().flat_map(|search| search.of.keys()) {
        if !used.is_empty()
            && used
                .iter()
                .all(|learner| parameter(*learner, name).is_none())
        {
            let message = format!("no model has a parameter `{name}` to search");
            unknown.push((name.clone(), message, suggestion(name, &names)));
        }
    }
    unknown
}

/// Whether a message speaks of a name or of something of it: `` `name` `` or `` `name.column` ``.
fn mentions(message: &str, name: &str) -> bool {
    let quoted = message.split('`').skip(1).step_by(2);
    let of = |text: &str| text.split('.').any(|part| part == name);
    quoted
        .into_iter()
        .any(|text| text == name || text.starts_with(&format!("{name}.")) || of(text))
}
