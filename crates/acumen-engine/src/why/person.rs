//! What the person concerned is told: the same reasons, without numbers and thresholds.

use acumen_base::Decision;
use serde::Serialize;

use crate::plan::UseCasePlan;
use crate::projected::is_of;

/// One reason as the person concerned reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The same code as the analyst's reason: a rule's id or a column's name.
    pub code: String,
    /// The sentence.
    pub text: String,
}

/// The reasons of a decision in the order of their weight, each sentence once. That it was let
/// through so that the truth stays observable is nobody's reason, and is left out.
pub(super) fn told(plan: &UseCasePlan, decision: &Decision) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for reason in &decision.reasons {
        let text = if plan
            .declared
            .rules
            .iter()
            .any(|rule| rule.id == reason.code)
        {
            Some(reason.text.clone())
        } else {
            sentence(plan, &reason.code)
        };
        if let Some(text) = text
            && told.iter().all(|known| known.text != text)
        {
            let code = reason.code.clone();
            told.push(Told { code, text });
        }
    }
    told
}

/// What is said of a column, or else of its feature, or else what the column is.
fn sentence(plan: &UseCasePlan, code: &str) -> Option<String> {
    let says = &plan.declared.explain.says;
    let exact = says.iter().find(|(name, _)| name == code);
    let said = exact.or_else(|| says.iter().find(|(name, _)| is_of(code, name)));
    if let Some((_, text)) = said {
        return Some(text.clone());
    }
    if code == "fallback" {
        return Some("It could not be assessed automatically".to_owned());
    }
    let column = &plan.columns.list[plan.columns.position(code)?];
    Some(match column.help.as_str() {
        "" => column.name.clone(),
        help => help.to_owned(),
    })
}
