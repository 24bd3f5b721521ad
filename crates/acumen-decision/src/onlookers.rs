//! Members that answer beside those that vote: shadows, and challengers of deployed versions.
//!
//! They are asked once everything that votes has spoken, so that they can neither change a
//! decision nor use up the time of what decides.

use acumen_base::control::CHALLENGER;
use acumen_base::decision::LayerStatus;

use crate::course::{Asked, Course, Run};
use crate::policy::Step;

/// Asks the shadows and challengers of the layers that ran, within the layers' deadlines.
pub(crate) fn ask(run: &mut Run<'_>, course: &Course<'_>) {
    let policy = run.policy;
    for (position, layer) in policy.layers.iter().enumerate() {
        if run.layers[position].status != LayerStatus::Ran {
            continue;
        }
        let deadline = course.deadline(layer);
        for step in &layer.steps {
            let Step::Model(model) = *step else { continue };
            let model = &policy.models[model];
            let shadow = model.shadow.then(|| (model.name.clone(), &model.guard));
            let challenger = (format!("{}{CHALLENGER}", model.name), &model.challengers);
            for (name, guard) in shadow.into_iter().chain([challenger]) {
                let Some(member) = run.facts.state.member(&name) else {
                    continue;
                };
                let asked = Asked {
                    name: &name,
                    guard,
                    member,
                    row: run.row,
                    deadline: &deadline,
                };
                let answers = course.answers(position, &[asked], false);
                run.layers[position].members.extend(answers);
            }
        }
    }
}
