//! Overload, failures and panics: each is said, and none spreads.

use std::sync::mpsc::channel;

use super::shop::{START, Shop, assert_replays, decide, ingest, order};
use std::sync::Arc;

use acumen_base::limits::{EVENTS_PER_REQUEST_MAX, SEQUENCER_QUEUE_MAX};
use acumen_base::{Attribution, Columns, Deadline, Member, MemberError, Prediction, Row};
use acumen_engine::core::Core;
use acumen_engine::{LogOptions, Refusal};
use acumen_event::Log;

#[test]
fn overload_is_answered_at_once() {
    let shop = Shop::new();
    let engine = shop.open();
    // Released when the test fails, too: by dropping `open`.
    let (open, gate) = channel::<()>();
    let (held, holding) = channel();
    let hold = move |_: &mut Core, _: &mut Log| {
        held.send(()).unwrap();
        gate.recv()
    };
    let (answered, answers) = channel();
    std::thread::scope(|scope| {
        let open = open;
        scope.spawn(|| engine.ask(hold));
        holding.recv().unwrap();
        for i in 0..SEQUENCER_QUEUE_MAX {
            let body = order(&i.to_string(), "c1", 1.0, START);
            let answered = answered.clone();
            let reply = Box::new(move |answer: Result<_, Refusal>| {
                answered.send(answer.is_ok()).unwrap();
            });
            engine.ingest(body.as_bytes(), reply);
        }
        assert!(
            answers.try_recv().is_err(),
            "nobody is answered before the log has it"
        );
        let body = order("too-many", "c1", 1.0, START);
        assert!(matches!(decide(&engine, &body), Err(Refusal::Overloaded)));
        assert!(matches!(
            ingest(&engine, "not json"),
            Err(Refusal::Overloaded)
        ));
        open.send(()).unwrap();
    });
    assert!((0..SEQUENCER_QUEUE_MAX).all(|_| answers.recv().unwrap()));
    assert!(
        engine.quarantined(0, 10).unwrap().is_empty(),
        "it will be sent again"
    );
    decide(&engine, &order("too-many", "c1", 1.0, START)).unwrap();
    assert!(
        engine
            .metrics()
            .text()
            .contains("acumen_refusals_total{reason=\"overloaded\"} 2")
    );
}

#[test]
fn a_question_that_panics_is_answered_and_the_engine_goes_on() {
    let shop = Shop::new();
    let engine = shop.open();
    let refused = engine.ask(|_, _| -> u8 { panic!("meant") }).unwrap_err();
    assert!(matches!(refused, Refusal::Failed(_)), "{refused}");
    decide(&engine, &order("a", "c1", 1.0, START)).unwrap();
}

#[test]
fn a_closed_engine_refuses_and_says_that_it_closes() {
    let shop = Shop::new();
    let engine = shop.open();
    decide(&engine, &order("a", "c1", 1.0, START)).unwrap();
    engine.close().unwrap();
    engine.close().unwrap();
    let refused = decide(&engine, &order("b", "c1", 1.0, START)).unwrap_err();
    assert!(matches!(refused, Refusal::Closing), "{refused}");
    assert!(matches!(
        ingest(&engine, &order("b", "c1", 1.0, START)),
        Err(Refusal::Closing)
    ));
    assert!(matches!(engine.status(), Err(Refusal::Closing)));
    shop.open();
}

#[test]
fn what_is_under_way_is_answered_before_the_engine_closes() {
    let shop = Shop::new();
    let engine = shop.open();
    // Released when the test fails, too: by dropping `open`.
    let (open, gate) = channel::<()>();
    let (held, holding) = channel();
    let hold = move |_: &mut Core, _: &mut Log| {
        held.send(()).unwrap();
        gate.recv()
    };
    let (answered, answers) = channel();
    std::thread::scope(|scope| {
        let open = open;
        scope.spawn(|| engine.ask(hold));
        holding.recv().unwrap();
        for i in 0..200 {
            let body = order(&i.to_string(), "c1", 1.0, START);
            let answered = answered.clone();
            let reply = Box::new(move |answer| answered.send(answer).unwrap());
            engine.decide("orders", body.as_bytes(), 0, reply);
        }
        let closing = scope.spawn(|| engine.close());
        open.send(()).unwrap();
        closing.join().unwrap().unwrap();
    });
    drop(answered);
    let answers: Vec<Result<acumen_engine::Answer, Refusal>> = answers.iter().collect();
    assert_eq!(answers.len(), 200, "each is answered once");
    let made = answers.iter().filter(|answer| answer.is_ok()).count() as u64;
    assert!(answers.iter().flatten().all(|answer| answer.durable));
    assert_replays(&shop.sources(), made);
}

#[test]
fn two_engines_do_not_share_a_folder() {
    let shop = Shop::new();
    let engine = shop.open();
    let refused = shop.try_open_at(shop.folder()).unwrap_err().to_string();
    assert!(refused.contains("another process"), "{refused}");
    decide(&engine, &order("a", "c1", 1.0, START)).unwrap();
}

#[test]
fn a_log_that_fails_acknowledges_nothing() {
    let mut shop = Shop::new();
    shop.log = LogOptions {
        segment_bytes: 4_096,
        ..shop.log
    };
    let engine = shop.open();
    decide(&engine, &order("first", "c1", 1.0, START)).unwrap();
    // The next segment cannot be made: its folder is gone.
    let (there, away) = (shop.folder().log(), shop.folder().root().join("away"));
    std::fs::rename(&there, &away).unwrap();
    let mut acknowledged = vec!["first".to_owned()];
    let refused = loop {
        let id = acknowledged.len().to_string();
        match decide(&engine, &order(&id, "c1", 1.0, START)) {
            Ok(answer) => {
                assert!(answer.durable);
                acknowledged.push(id);
            }
            Err(refused) => break refused,
        }
        assert!(
            acknowledged.len() < 1_000,
            "a full segment was never finished"
        );
    };
    assert!(matches!(refused, Refusal::Log(_)), "{refused}");
    let next = decide(&engine, &order("next", "c1", 1.0, START));
    assert!(matches!(next, Err(Refusal::Log(_))), "it goes on failing");
    assert!(matches!(
        ingest(&engine, &order("more", "c1", 1.0, START)),
        Err(Refusal::Log(_))
    ));
    assert!(engine.metrics().text().contains("acumen_unlogged_total"));
    assert!(
        engine.close().is_err(),
        "no snapshot of what is not in the log"
    );
    std::fs::rename(&away, &there).unwrap();
    let engine = shop.open();
    for id in &acknowledged {
        assert!(engine.decision(&format!("orders:{id}")).is_ok(), "{id}");
    }
    assert!(
        !decide(&engine, &order("next", "c1", 1.0, START))
            .unwrap()
            .repeated
    );
}

#[test]
fn best_effort_answers_before_the_disk_and_says_so() {
    let shop = Shop::with(&[("durability: must_log", "durability: best_effort")]);
    let engine = shop.open();
    let body = order("a", "c1", 1.0, START);
    assert!(!decide(&engine, &body).unwrap().durable);
    let again = decide(&engine, &body).unwrap();
    assert!(again.repeated && again.durable, "by now it is there");
}

#[test]
fn a_request_with_too_many_events_is_refused_whole() {
    let shop = Shop::new();
    let engine = shop.open();
    let body: String = (0..=EVENTS_PER_REQUEST_MAX)
        .map(|i| order(&i.to_string(), "c1", 1.0, START) + "\n")
        .collect();
    assert!(matches!(ingest(&engine, &body), Err(Refusal::Invalid(_))));
    assert_eq!(engine.ask(|core, _| core.next).unwrap(), 0);
}

/// A model that fails in the middle of its work.
struct Panicking(Columns);

impl Member for Panicking {
    fn name(&self) -> &str {
        "boosted"
    }

    fn version(&self) -> &str {
        "panicking"
    }

    fn columns(&self) -> &Columns {
        &self.0
    }

    fn predict(&self, _: &Row, _: &Deadline) -> Result<Prediction, MemberError> {
        panic!("meant")
    }

    fn attributions(&self, _: &Row) -> Vec<Attribution> {
        panic!("meant")
    }
}

#[test]
fn a_model_that_panics_is_named_and_the_fallback_stands_in() {
    let shop = Shop::new();
    let engine = shop.open();
    let columns = Columns::clone(&shop.plan.use_cases[0].columns);
    let deploy = move |core: &mut Core, _: &mut Log| {
        Arc::make_mut(&mut core.live[0].state).deploy(0, Arc::new(Panicking(columns)));
    };
    engine.ask(deploy).unwrap();
    for id in ["a", "b", "c"] {
        let decision = decide(&engine, &order(id, "c1", 1.0, START))
            .unwrap()
            .decision;
        assert_eq!(decision.action, "review");
        let member = &decision.layers[1].members[0];
        assert!(
            member.version == "panicking" && member.answer.is_err(),
            "{member:?}"
        );
    }
}
