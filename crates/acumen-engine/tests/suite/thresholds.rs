//! Thresholds fitted to a target again.

use super::shop::{START, Shop, days};
use acumen_base::{Clock, Control};
use acumen_engine::{Refit, RefitOptions, evaluate, refit, train};

/// A shop whose models have seen the first forty of sixty days.
fn deployed() -> Shop {
    let shop = Shop::new();
    shop.import_history();
    let trained = train(&shop.sources(), 0, Some(START + days(40)), &mut |_| ()).unwrap();
    let mut offline = shop.offline();
    for control in trained.controls {
        offline.control(control, "ann", shop.clock.now()).unwrap();
    }
    offline.close().unwrap();
    shop
}

fn options(target: &str) -> RefitOptions {
    RefitOptions {
        target: target.parse().unwrap(),
        action: None,
        from: START + days(40),
        to: START + days(60),
    }
}

fn fitted(shop: &Shop, options: &RefitOptions) -> Refit {
    refit(&shop.sources(), 0, options, &mut |_| ()).unwrap()
}

fn refused(shop: &Shop, options: &RefitOptions) -> String {
    let found = refit(&shop.sources(), 0, options, &mut |_| ());
    found.unwrap_err().to_string()
}

fn share_of_review(found: &acumen_engine::Evaluation) -> f64 {
    let review = &found.actions[1];
    (review.positive + review.negative) as f64 / found.rows as f64
}

#[test]
fn thresholds_reach_their_target_and_are_then_in_force() {
    let shop = deployed();
    let precise = fitted(&shop, &options("precision=0.5"));
    assert!(precise.reached.unwrap() >= 0.5 && precise.warning.is_empty());
    assert!(precise.after.precision.unwrap() >= 0.5, "{precise:?}");
    assert!(precise.after.precision < precise.before.precision);
    assert!(precise.after.recall >= precise.before.recall);
    assert_eq!(
        (precise.action.as_str(), precise.begins.len()),
        ("review", 1)
    );
    assert!(precise.begins[0].after < precise.begins[0].before);

    let few = fitted(&shop, &options("block_rate=0.1"));
    assert!(few.reached.unwrap() <= 0.1 && few.rows_above.unwrap() <= 96);
    assert!(share_of_review(&few.after) < share_of_review(&few.before));
    let worth = fitted(&shop, &options("expected_cost"));
    assert!(worth.after.saved.unwrap().minor >= worth.before.saved.unwrap().minor);
    assert!(worth.after.saved.unwrap().minor >= few.after.saved.unwrap().minor);

    let period = (START + days(40), START + days(60));
    let mut offline = shop.offline();
    offline
        .control(few.control.clone(), "ann", shop.clock.now())
        .unwrap();
    offline.close().unwrap();
    let found = evaluate(&shop.sources(), 0, period, &mut |_| ()).unwrap();
    let json = |found| serde_json::to_string(found).unwrap();
    assert_eq!(json(&found), json(&few.after));
    let again = fitted(&shop, &options("block_rate=0.1"));
    let (Control::Thresholds { knots: a, .. }, Control::Thresholds { knots: b, .. }) =
        (&few.control, &again.control)
    else {
        panic!("thresholds are what is fitted")
    };
    assert_eq!(a, b);
}

#[test]
fn what_cannot_be_reached_is_said_with_what_can() {
    let shop = deployed();
    let far = refused(&shop, &options("precision=0.999"));
    assert!(
        far.contains("the best precision is 0.") && far.contains("review"),
        "{far}"
    );
    let action = |name: &str| RefitOptions {
        action: Some(name.to_owned()),
        ..options("precision=0.5")
    };
    assert!(refused(&shop, &action("reviev")).contains("did you mean `review`?"));
    assert!(refused(&shop, &action("ship")).contains("the mildest action"));
    let young = RefitOptions {
        from: START + days(59),
        ..options("precision=0.5")
    };
    assert!(refused(&shop, &young).contains("no outcome of the"));
    let nothing = RefitOptions {
        from: START + days(90),
        to: START + days(91),
        ..options("precision=0.5")
    };
    assert!(refused(&shop, &nothing).contains("no event of `orders`"));
    let seen = RefitOptions {
        from: START,
        ..options("block_rate=0.1")
    };
    assert!(
        fitted(&shop, &seen)
            .warning
            .contains("was trained on rows up to")
    );
    let untrained = Shop::new();
    untrained.import_history();
    let error = refused(&untrained, &options("precision=0.5"));
    assert!(error.contains("no model answers"), "{error}");
}

#[test]
fn a_running_engine_moves_its_thresholds_without_a_stop() {
    let shop = deployed();
    let engine = shop.open();
    let target = || ("block_rate=0.1".parse().unwrap(), None);
    let (shown, position) = engine
        .refit("orders", target(), (None, None), None)
        .unwrap();
    assert!(position.is_none() && shown.reached.unwrap() <= 0.1);
    let (moved, position) = engine
        .refit("orders", target(), (None, None), Some("ann"))
        .unwrap();
    assert_eq!(moved.begins, shown.begins);
    let in_force = engine.ask(|core, _| core.live[0].state.control()).unwrap();
    assert_eq!(Some(in_force), position);
    // Fitted on what the models have not seen.
    let (again, _) = engine
        .refit("orders", target(), (None, None), None)
        .unwrap();
    assert_eq!(again.begins[0].before, moved.begins[0].after);
    assert!(again.warning.is_empty(), "{}", again.warning);
    engine.close().unwrap();
}
