//! Drills: models that are slow on purpose.

use acumen_base::{Decision, MemberError};
use acumen_engine::train;

use super::shop::{START, Shop, assert_replays, days, decide, order};

fn said(decision: &Decision) -> Result<(), MemberError> {
    let member = &decision.layers[1].members[0];
    member.answer.clone().map(|_| ())
}

#[test]
fn a_drilled_model_is_late_whenever_it_was_deployed() {
    let shop = Shop::new();
    shop.import_history();
    let trained = train(&shop.sources(), 0, None, &mut |_| ()).unwrap();
    let engine = shop.open();
    let deploy = || {
        for control in trained.controls.clone() {
            engine.control_now(control, "ann").unwrap();
        }
    };
    let now = START + days(61);
    let ask = |id: &str| decide(&engine, &order(id, id, 10.0, now)).unwrap().decision;
    deploy();
    assert_eq!(said(&ask("before")), Ok(()));
    assert!(engine.status().unwrap().drills.is_empty());

    engine.drill(vec!["boosted=24h".parse().unwrap()]).unwrap();
    assert_eq!(said(&ask("during")), Err(MemberError::Late));
    deploy();
    assert_eq!(said(&ask("deployed anew")), Err(MemberError::Late));
    let told = engine.status().unwrap().drills[0].to_string();
    assert!(
        told.contains("`boosted`") && told.contains("drill"),
        "{told}"
    );
    engine.close().unwrap();
    // The log holds nothing of it but who was late.
    assert_replays(&shop.sources(), 3);
}

#[test]
fn a_drill_of_a_model_that_is_not_there_is_refused() {
    let engine = Shop::new().open();
    let refused = engine.drill(vec!["bosted=2s".parse().unwrap()]);
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("did you mean `boosted`?"), "{told}");
    assert!(engine.status().unwrap().drills.is_empty());
}
