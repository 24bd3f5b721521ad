//! Members that answer beside those that vote: shadows, and challengers of deployed versions.
//!
//! They are asked once everything that votes has spoken, so that they can neither change a
//! decision nor use up the time of what decides. The challenger of the ensemble comes last: it
//! combines what the members' challengers said, and where a member has none, what the member said,
//! so that a whole ensemble can answer beside another. Its report stands in the last layer whose
//! models were asked.

use acumen_base::control::CHALLENGER;
use acumen_base::decision::{LayerReport, LayerStatus};
use acumen_base::{Deadline, ManualClock};

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
    combine(run);
}

fn combine(run: &mut Run<'_>) {
    let state = run.facts.state;
    let Some(combiner) = &state.ensemble_challenger else {
        return;
    };
    let said = |name: &str| {
        let challenger = format!("{name}{CHALLENGER}");
        match state.member(&challenger) {
            Some(_) => answer(&run.layers, &challenger),
            None => run.blend.log_odds(run.policy, name),
        }
    };
    let patient = Deadline::never(ManualClock::at(run.row.at));
    let report = combiner.ask(run.row, &patient, said);
    let asked = |layer: &&mut LayerReport| !layer.members.is_empty();
    if let Some(layer) = run.layers.iter_mut().rev().find(asked) {
        layer.members.push(report);
    }
}

/// What a member said by the layers' reports, as log odds; NaN where it did not answer.
fn answer(layers: &[LayerReport], name: &str) -> f64 {
    let mut members = layers.iter().flat_map(|layer| &layer.members);
    let answer = members.find(|member| member.name == name);
    let answer = answer.and_then(|member| member.answer.as_ref().ok());
    answer.map_or(f64::NAN, acumen_base::Prediction::log_odds)
}
