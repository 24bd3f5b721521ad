//! What was live before the last change of models and thresholds.

use acumen_base::Control;
use acumen_base::control::CHALLENGER;

use crate::plan::UseCasePlan;

/// Deployments and thresholds that were changed together: they stand behind one another in the
/// log, each named once.
#[derive(Default)]
struct Change<'a> {
    /// Where it ends.
    last: u64,
    deployed: Vec<(&'a str, &'a str)>,
    knots: Option<&'a [(f64, f64)]>,
}

/// The edits that undo the last change of a use case: every model and the thresholds that it
/// changed, as they were before it. Undone again, they come back.
///
/// # Errors
/// Where nothing was changed yet, or nothing stood in its place before.
pub(crate) fn previous(
    plan: &UseCasePlan,
    controls: &[(u64, Control)],
) -> Result<Vec<Control>, String> {
    let name = &plan.declared.name;
    let changes = changes(name, controls);
    let Some((last, before)) = changes.split_last() else {
        return Err(format!("nothing of `{name}` was deployed yet"));
    };
    let mut edits = Vec::new();
    for (member, _) in &last.deployed {
        let mut earlier = before.iter().rev().flat_map(|change| &change.deployed);
        let Some((_, version)) = earlier.find(|(known, _)| known == member) else {
            if !before.is_empty() && is_ranker(plan, member) {
                // Before it came, the weights of the sources ordered.
                edits.push(Control::Withdraw {
                    use_case: name.clone(),
                    member: (*member).to_owned(),
                });
                continue;
            }
            return Err(format!(
                "`{member}` has no earlier version to go back to: this is the first deployment"
            ));
        };
        edits.push(Control::Deploy {
            use_case: name.clone(),
            member: (*member).to_owned(),
            version: (*version).to_owned(),
        });
    }
    if last.knots.is_some() {
        let declared = plan.policy.spec().knots.as_slice();
        let earlier = before.iter().rev().find_map(|change| change.knots);
        edits.push(Control::Thresholds {
            use_case: name.clone(),
            knots: earlier.unwrap_or(declared).to_vec(),
        });
    }
    Ok(edits)
}

fn is_ranker(plan: &UseCasePlan, member: &str) -> bool {
    let mut models = plan.declared.models.iter();
    models.any(|model| model.name == member && model.ranker().is_some())
}

fn changes<'a>(name: &str, controls: &'a [(u64, Control)]) -> Vec<Change<'a>> {
    let mut changes: Vec<Change<'a>> = Vec::new();
    for (position, control) in controls {
        match control {
            Control::Deploy {
                use_case,
                member,
                version,
            } if use_case == name && !member.ends_with(CHALLENGER) => {
                let change = change_at(&mut changes, *position, |change| {
                    change.deployed.iter().any(|(known, _)| known == member)
                });
                change.deployed.push((member, version));
            }
            Control::Thresholds { use_case, knots } if use_case == name => {
                let change = change_at(&mut changes, *position, |change| change.knots.is_some());
                change.knots = Some(knots);
            }
            _ => {}
        }
    }
    changes
}

/// The change that an edit belongs to: the last, where it stands right behind it and says
/// nothing that the last says already.
fn change_at<'c, 'a>(
    changes: &'c mut Vec<Change<'a>>,
    position: u64,
    repeats: impl Fn(&Change<'a>) -> bool,
) -> &'c mut Change<'a> {
    let follows = |last: &Change<'a>| last.last + 1 == position && !repeats(last);
    if !changes.last().is_some_and(follows) {
        changes.push(Change::default());
    }
    let at = changes.len() - 1;
    changes[at].last = position;
    &mut changes[at]
}
