//! Members that answer beside those that vote: shadows, and challengers of deployed versions.
//!
//! They are asked once everything that votes has spoken, so that they can neither change a
//! decision nor use up the time of what decides.

use acumen_base::Row;
use acumen_base::control::CHALLENGER;

use crate::course::{Asked, Course, Run};
use crate::policy::Step;
use acumen_base::decision::LayerStatus;

/// Asks the shadows and challengers of the layers that ran, within the layers' deadlines.
pub(crate) fn ask(run: &mut Run<'_>, row: &Row, course: &Course<'_>) {
    let policy = run.policy;
    for (position, layer) in policy.layers.iter().enumerate() {
        if run.layers[position].status != LayerStatus::Ran {
            continue;
        }
        for step in &layer.steps {
            let Step::Model(model) = *step else { continue };
            let model = &policy.models[model];
            let shadow = model.shadow.then(|| (model.name.clone(), &model.breaker));
            let challenger = (format!("{}{CHALLENGER}", model.name), &model.challengers);
            for (name, breaker) in shadow.into_iter().chain([challenger]) {
                let Some(member) = run.facts.state.member(&name) else {
                    continue;
                };
                let asked = Asked {
                    name: &name,
                    breaker,
                    member,
                    row,
                    deadline: &course.deadline(layer),
                };
                let answered = asked.answer(course, position);
                run.layers[position].members.push(answered);
            }
        }
    }
}
