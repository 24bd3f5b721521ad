//! Models trained beside the running engine: the schedule, the gates, and the way back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use acumen_base::{Clock, Control, Span, Time, Update};
use acumen_engine::{Engine, Options, Trained, evaluate, train};

use super::shop::{DAY, HOUR, START, Shop, assert_replays, days, decide, order};

const HOURLY: (&str, &str) = (
    "training: {training_data: last_90_days}",
    "training: {training_data: last_90_days}\nupdate_frequency: hourly\ngates: {ece_max: 0.2}",
);

/// Set in the process that a test starts to be alone in it.
const ALONE: &str = "ACUMEN_TEST_ALONE";

fn trained(shop: &Shop, as_of: Option<Time>) -> Trained {
    train(&shop.sources(), 0, as_of, &mut |_| ()).unwrap()
}

fn deploy(engine: &Engine, trained: &Trained) {
    engine
        .controls_now(trained.controls.clone(), "ann")
        .unwrap();
}

/// The version that answers an order now.
fn answering(engine: &Engine, id: &str) -> String {
    let at = engine.clock().now();
    let decision = decide(engine, &order(id, id, 10.0, at)).unwrap().decision;
    decision.layers[1].members[0].version.clone()
}

fn gate(update: &Update, name: &str) -> (bool, Option<f64>) {
    let gate = update.gates.iter().find(|gate| gate.name == name);
    let gate = gate.unwrap_or_else(|| panic!("no gate {name}: {update:?}"));
    (gate.passed, gate.figure)
}

#[test]
fn a_due_update_goes_live_under_load_outlives_restarts_and_is_rolled_back() {
    let shop = Shop::with(&[HOURLY]);
    shop.import_history();
    let early = trained(&shop, Some(START + days(40)));
    let engine = shop.open();
    deploy(&engine, &early);
    assert_eq!(engine.update_due().unwrap(), [], "an hour has not passed");
    let next_at = engine.updates("orders").unwrap().next_at;
    assert_eq!(next_at, Some(START + days(61) + HOUR));

    shop.clock.set(START + days(61) + HOUR);
    // Outcomes are known up to now, whenever the log is read from here on.
    assert_eq!(answering(&engine, "before"), early.models[0].version);
    let (done, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    let updates = std::thread::scope(|scope| {
        for client in 0..3 {
            let (engine, done, asked) = (&engine, &done, &asked);
            scope.spawn(move || {
                let mut i = 0;
                while !done.load(Ordering::SeqCst) || i < 20 {
                    let version = answering(engine, &format!("{client}-{i}"));
                    assert!(!version.is_empty());
                    asked.fetch_add(1, Ordering::SeqCst);
                    i += 1;
                }
            });
        }
        let updates = engine.update_due().unwrap();
        done.store(true, Ordering::SeqCst);
        updates
    });
    let [update] = updates.as_slice() else {
        panic!("one use case is due: {updates:?}")
    };
    assert!(update.promoted, "{update:?}");
    assert_eq!(update.asked_by, "schedule");
    assert_eq!(update.champion[0].version, early.models[0].version);
    assert!(gate(update, "not_worse").0 && gate(update, "fast").0);
    assert!(gate(update, "enough").1.unwrap() >= 30.0);
    let version = update.candidate[0].version.clone();
    assert_eq!(
        version,
        trained(&shop, None).models[0].version,
        "beside the engine or without it, the same rows give the same version"
    );
    assert_eq!(answering(&engine, "after"), version);
    assert_eq!(
        engine.update_due().unwrap(),
        [],
        "the next is due in an hour"
    );
    engine.close().unwrap();
    drop(engine);

    let engine = shop.open();
    let updates = engine.updates("orders").unwrap();
    assert_eq!(updates.latest, std::slice::from_ref(update));
    assert_eq!(updates.next_at, Some(update.started_at + HOUR));
    let back = engine.roll_back("orders", "ann").unwrap();
    assert_eq!(
        back, early.controls,
        "the model and its thresholds, together"
    );
    assert_eq!(answering(&engine, "back"), early.models[0].version);
    drop(engine);

    let engine = shop.open();
    assert_eq!(answering(&engine, "still"), early.models[0].version);
    shop.clock.set(START + days(62));
    let held = engine.update_due().unwrap().remove(0);
    assert!(
        !held.promoted && held.why.contains("rolled back"),
        "the schedule does not bring it back: {held:?}"
    );
    assert_eq!(answering(&engine, "held"), early.models[0].version);
    engine.roll_back("orders", "ann").unwrap();
    assert_eq!(answering(&engine, "again"), version, "undone twice is done");
    engine.close().unwrap();
    assert_replays(&shop.sources(), asked.load(Ordering::SeqCst) + 6);
}

/// The champion has learnt nearly every row that is known by heart: no candidate could follow it.
#[test]
fn what_was_fitted_again_to_all_rows_is_compared_as_it_was_judged() {
    let (of, with) = ("training: {training_data: last_90_days", ", refit: true");
    let refit = HOURLY.1.replace(of, &format!("{of}{with}"));
    let refit = refit.replace("gates: {", "gates: {tolerance: 0.05, ");
    let shop = Shop::with(&[
        (HOURLY.0, &refit),
        (
            "{algorithm: xgboost, n_estimators: 25, max_depth: 3}",
            "{algorithm: xgboost, n_estimators: 150, max_depth: 8, min_child_weight: 0}",
        ),
    ]);
    shop.import_history();
    let live = trained(&shop, Some(START + days(59)));
    let model = &live.models[0];
    let refit_of = model.artifact.refit_of.as_ref();
    assert_eq!(refit_of, Some(&model.judged.version()));
    assert!(model.artifact.window.rows > model.judged.window.rows);
    let last = model.artifact.split.test;
    assert_eq!(model.artifact.seen_until(), last.to);

    let engine = shop.open();
    deploy(&engine, &live);
    shop.clock.set(START + days(61) + HOUR);
    let update = engine.update_due().unwrap().remove(0);
    assert!(update.promoted, "{update:?}");
    assert!(gate(&update, "not_worse").0, "{update:?}");
    assert_eq!(answering(&engine, "after"), update.candidate[0].version);
    engine.close().unwrap();

    let seen = (last.from, last.to);
    let flattered = evaluate(&shop.sources(), 0, seen, &mut |_| ()).unwrap();
    assert!(flattered.warning.contains("was trained on rows up to"));
}

#[test]
fn a_worse_candidate_is_held_and_the_record_says_why() {
    let mut shop = Shop::with(&[HOURLY]);
    shop.import_history();
    let good = trained(&shop, Some(START + days(40)));
    let engine = shop.open();
    deploy(&engine, &good);
    engine.close().unwrap();
    drop(engine);
    shop.redefine(&[
        HOURLY,
        (
            "{algorithm: xgboost, n_estimators: 25, max_depth: 3}",
            "{algorithm: xgboost, n_estimators: 2, max_depth: 1, features: [quiet_for]}",
        ),
    ]);
    let engine = shop.open();
    let update = engine.update_now("orders", "ann").unwrap();
    assert!(
        !update.promoted && update.why.starts_with("held: "),
        "{update:?}"
    );
    assert!(!gate(&update, "not_worse").0, "{update:?}");
    assert!(update.why.contains("the champion has"), "{update:?}");
    assert_eq!(answering(&engine, "a"), good.models[0].version);
    drop(engine);
    // Ended like a killed process: the log has what became of it.
    let engine = shop.open();
    assert_eq!(engine.updates("orders").unwrap().latest, [update]);
    assert_eq!(answering(&engine, "b"), good.models[0].version);
}

#[test]
fn nothing_to_learn_from_means_hold() {
    let shop = Shop::with(&[HOURLY]);
    let engine = shop.open();
    let update = engine.update_now("orders", "ann").unwrap();
    assert!(!update.promoted && update.gates.is_empty(), "{update:?}");
    assert!(update.why.contains("nothing to promote"), "{update:?}");
    assert!(!engine.readiness().unwrap().ready);
    let refused = engine.roll_back("orders", "ann").unwrap_err();
    assert!(
        refused.to_string().contains("nothing of `orders`"),
        "{refused}"
    );
    let refused = engine.update_now("order", "ann").unwrap_err();
    assert!(
        refused.to_string().contains("did you mean `orders`"),
        "{refused}"
    );
}

#[test]
fn the_same_rows_again_change_nothing() {
    let shop = Shop::with(&[HOURLY]);
    shop.import_history();
    let engine = shop.open();
    let first = engine.update_now("orders", "ann").unwrap();
    assert!(first.promoted && first.champion.is_empty(), "{first:?}");
    let second = engine.update_now("orders", "ann").unwrap();
    assert!(
        !second.promoted && second.why.contains("versions that are live"),
        "{second:?}"
    );
    let refused = engine.roll_back("orders", "ann").unwrap_err();
    assert!(
        refused.to_string().contains("no earlier version"),
        "{refused}"
    );
}

#[test]
fn too_few_positives_and_a_bad_calibration_are_named() {
    let gates = "gates: {min_positives: 5000, ece_max: 0, metric: log_loss}";
    let strict = HOURLY.1.replace("gates: {ece_max: 0.2}", gates);
    let shop = Shop::with(&[(HOURLY.0, &strict)]);
    shop.import_history();
    let engine = shop.open();
    let update = engine.update_now("orders", "ann").unwrap();
    assert!(!update.promoted, "{update:?}");
    assert!(!gate(&update, "enough").0 && !gate(&update, "calibrated").0);
    assert!(
        update.why.contains("at least 5000 are wanted"),
        "{update:?}"
    );
    assert!(!engine.readiness().unwrap().ready, "nothing was deployed");
}

/// A clock whose stopwatch moves on by a millisecond whenever it is read.
#[derive(Debug)]
struct Slow(Time, AtomicU64);

impl Clock for Slow {
    fn now(&self) -> Time {
        self.0
    }

    fn nanos(&self) -> u64 {
        self.1.fetch_add(1_000_000, Ordering::SeqCst)
    }
}

#[test]
fn a_candidate_that_is_too_slow_is_held() {
    let gates = "gates: {ece_max: 0.2, latency_us_max: 900}";
    let strict = HOURLY.1.replace("gates: {ece_max: 0.2}", gates);
    let shop = Shop::with(&[(HOURLY.0, &strict)]);
    shop.import_history();
    let options = Options {
        log: shop.log,
        workers: 1,
    };
    let clock = Arc::new(Slow(START + days(61), AtomicU64::new(0)));
    let engine = Engine::open(Arc::clone(&shop.plan), shop.folder(), options, clock).unwrap();
    let update = engine.update_now("orders", "ann").unwrap();
    assert_eq!(gate(&update, "fast"), (false, Some(1_000.0)), "{update:?}");
    assert!(update.why.contains("900 are allowed"), "{update:?}");
}

#[test]
fn one_is_trained_at_a_time_and_closing_does_not_wait_for_it() {
    let shop = Shop::with(&[HOURLY]);
    shop.import_history();
    let engine = shop.open();
    engine.begin_update("orders", "ann").unwrap();
    let refused = engine.begin_update("orders", "bob");
    if let Err(refused) = refused {
        assert!(
            refused.to_string().contains("one is trained at a time"),
            "{refused}"
        );
    }
    engine.close().unwrap();
    let refused = engine.begin_update("orders", "ann").unwrap_err();
    assert!(refused.to_string().contains("shutting down"), "{refused}");
    drop(engine);
    assert!(shop.open().updates("orders").unwrap().running.is_none());
}

#[test]
fn models_of_one_change_go_back_together_and_others_stay() {
    let two = "models:\n  steady: {algorithm: xgboost, n_estimators: 5, max_depth: 2}";
    let shop = Shop::with(&[
        HOURLY,
        ("models:\n  boosted: {", &format!("{two}\n  boosted: {{")),
        ("run: [boosted]", "run: [boosted, steady]"),
    ]);
    shop.import_history();
    let (one, two) = (
        trained(&shop, Some(START + days(40))),
        trained(&shop, Some(START + days(50))),
    );
    let engine = shop.open();
    let live = |engine: &Engine, id: &str| {
        let at = engine.clock().now() - Span(DAY.0 / 2);
        let decision = decide(engine, &order(id, id, 10.0, at)).unwrap().decision;
        let members = &decision.layers[1].members;
        members
            .iter()
            .map(|m| m.version.clone())
            .collect::<Vec<_>>()
    };
    deploy(&engine, &one);
    let first = live(&engine, "first");
    deploy(&engine, &two);
    assert!(
        first
            .iter()
            .zip(live(&engine, "second"))
            .all(|(a, b)| *a != b)
    );
    engine.roll_back("orders", "ann").unwrap();
    assert_eq!(live(&engine, "back"), first);
    // One model alone: only it goes back.
    let control = Control::Deploy {
        use_case: "orders".into(),
        member: "boosted".into(),
        version: two.models[1].version.clone(),
    };
    engine.control_now(control, "ann").unwrap();
    assert_ne!(live(&engine, "alone"), first);
    let back = engine.roll_back("orders", "ann").unwrap();
    assert_eq!((back.len(), live(&engine, "alone again")), (1, first));
}

#[test]
fn a_model_of_values_is_promoted_by_its_figures_on_rows_that_it_had_not_seen() {
    let (regulars, _) = super::regulars::Regulars::grown(250);
    let engine = regulars.open();
    let update = engine.update_now("regulars", "ann").unwrap();
    assert!(update.promoted, "{}", update.why);
    assert_eq!(update.gates.len(), 2);
    assert!(engine.readiness().unwrap().ready);
    let again = engine.update_now("regulars", "ann").unwrap();
    assert!(
        !again.promoted && again.why.contains("the versions that are live"),
        "{}",
        again.why
    );
    engine.close().unwrap();
}

#[test]
fn a_training_in_the_background_leaves_the_shared_threads_their_priority() {
    let name = "updating::a_training_in_the_background_leaves_the_shared_threads_their_priority";
    if std::env::var_os(ALONE).is_none() {
        // Other tests would have started the shared threads before.
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        let alone = alone.args(["--exact", name]).env(ALONE, "1");
        let output = alone.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            output.status.success() && said.contains("1 passed"),
            "{said}"
        );
        return;
    }
    let niceness = || rustix::process::getpriority_process(None).unwrap();
    let shop = Shop::with(&[HOURLY]);
    shop.import_history();
    let engine = shop.open();
    shop.clock.set(START + days(61) + HOUR);
    let update = engine.update_due().unwrap().remove(0);
    assert_ne!(update.candidate, [], "{update:?}");
    let here = niceness();
    let shared = rayon::broadcast(|_| niceness());
    assert!(shared.iter().all(|nice| *nice == here), "{shared:?}");
}
