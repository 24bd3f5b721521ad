//! `fraud-quality`: how much fraud is found on the public card payments, beside a peer and an
//! oracle, and in our own world ([`fraud_world`]).
//!
//! On the public payments: recall at 95 % precision over 2018-08-08..09-30, a row a payment, nobody left out, for frauds
//! that are known after 7 days, 1 day and at once; the model is fitted to 2018-05-10 up to the
//! last payment whose truth is known on 2018-08-08. That cut is read off the test's own curve, as
//! it is for the peer and the oracle; beside it stands what a cut gives that was fixed before.
//! Then the handbook's protocols with the same features, for each learner alone.

mod by_learner;
mod delays;

use acumen_base::Span;
use serde_json::{Value, json};

use crate::folds::Study;
use crate::fraud_world;
use crate::handbook::{self, LABEL_DELAY, Payments};
use crate::report::{Failure, Outcome, skipped};
use crate::settings::Settings;

use delays::DELAYS;

/// The project whose features are measured, and its use case.
const PROJECT: &str = "card-quality";

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let mut figures = cards(settings)?;
    merge(&mut figures, fraud_world::run(settings)?)?;
    Ok(figures)
}

/// The part on the public card payments.
fn cards(settings: &Settings) -> Outcome {
    let file = match handbook::file(settings) {
        Ok(file) => file,
        Err(why) => return Ok(skipped(&why)),
    };
    let mut figures = json!({});
    let mut found = Vec::new();
    for delay in &DELAYS {
        let mut payments = Payments::default();
        let known_after = delay.known_after;
        let plan = handbook::plan_of(PROJECT, |project| set_delay(project, known_after))?;
        let rows = handbook::rows_known_after(&file, &plan, PROJECT, known_after, |event| {
            payments.see(event);
        })?;
        let study = Study::new(&payments.list, rows);
        found.push(delays::measure(&study, delay)?);
        if known_after == LABEL_DELAY {
            let of = |use_case: &str| {
                let rows = handbook::rows(&file, &plan, use_case, |_| {})?;
                Ok(Study::new(&payments.list, rows))
            };
            merge(&mut figures, by_learner::figures(&study, of)?)?;
        }
    }
    merge(&mut figures, delays::report(&found))?;
    Ok(figures)
}

/// Makes every feature that waits for the truth wait so long.
fn set_delay(project: &mut acumen_engine::spec::Project, known_after: Span) {
    let use_cases = project.use_cases.iter_mut();
    for feature in use_cases.flat_map(|use_case| &mut use_case.features) {
        if let Some(delay) = feature.params.get_mut("delay") {
            *delay = Value::from(known_after.to_string());
        }
    }
}

/// Adds the keys of one object to another.
fn merge(figures: &mut Value, more: Value) -> Result<(), Failure> {
    match (figures, more) {
        (Value::Object(figures), Value::Object(more)) => {
            figures.extend(more);
            Ok(())
        }
        _ => Err(Failure::new("a part of the figures is no object")),
    }
}
