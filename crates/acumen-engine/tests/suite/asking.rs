//! Customers asked about as they are now.

use std::sync::Arc;
use std::sync::mpsc::channel;

use acumen_base::limits::KEYS_PER_REQUEST_MAX;
use acumen_base::{Clock, Span};
use acumen_engine::{Asked, BatchOptions, Engine, Ingested, TrainOptions, score_all, train_with};

use super::regulars::{LASTS, Regulars, START};
use super::scoring::{folder_of, scores};
use super::shop::days;

fn grown() -> Regulars {
    let (regulars, _) = Regulars::grown(120);
    regulars.train();
    regulars
}

fn ask(engine: &Engine, ids: &[&str]) -> Vec<Asked> {
    let ids: Vec<Arc<str>> = ids.iter().map(|id| Arc::from(*id)).collect();
    engine.values("regulars", &ids).unwrap()
}

fn value(asked: &Asked) -> f64 {
    asked.answer.as_ref().unwrap().scored.value
}

fn order(engine: &Engine, id: &str, customer: &str, euros: u32) -> Ingested {
    let at = engine.clock().now().0;
    let body = format!(
        r#"{{"type":"order","order_id":"{id}","ordered_at":{at},"customer_id":"{customer}","amount":{{"amount":"{euros}.00","currency":"EUR"}}}}"#
    );
    let (sender, receiver) = channel();
    engine.ingest(
        body.as_bytes(),
        Box::new(move |answer| drop(sender.send(answer))),
    );
    receiver.recv().unwrap().unwrap()
}

#[test]
fn a_customer_is_answered_with_value_interval_segment_and_drivers() {
    let regulars = grown();
    let engine = regulars.open();
    let asked = ask(&engine, &["c0", "nobody", "c1", "c9"]);
    let answer = asked[0].answer.as_ref().unwrap();
    let scored = &answer.scored;
    assert!(scored.value >= 0.0 && !answer.reasons.is_empty());
    assert!(scored.low.unwrap() <= scored.value && scored.value <= scored.high.unwrap());
    assert!((0.0..=1.0).contains(&scored.alive.unwrap()));
    let expected = match scored.value {
        value if value < 50.0 => "low",
        value if value < 200.0 => "middle",
        _ => "high",
    };
    assert_eq!(scored.segment.as_deref(), Some(expected));
    assert!(
        answer
            .reasons
            .iter()
            .all(|reason| reason.text.contains("the value"))
    );
    // One that is unknown, and one that never bought, keep nobody from their answer.
    let refused = |at: usize| asked[at].answer.as_ref().unwrap_err().to_string();
    assert!(
        refused(1).contains("there is no customer `nobody`"),
        "{}",
        refused(1)
    );
    assert!(refused(3).contains("bought.count"), "{}", refused(3));
    assert!(asked[2].answer.is_ok());
    assert!(ask(&engine, &["nobody"])[0].answer.is_err());
    let many: Vec<Arc<str>> = vec!["c0".into(); KEYS_PER_REQUEST_MAX + 1];
    let error = engine.values("regulars", &many).unwrap_err().to_string();
    assert!(error.contains("1000 keys, not 1001"), "{error}");
    engine.close().unwrap();
}

#[test]
fn an_answer_is_kept_until_its_time_is_over_or_something_happens_to_the_customer() {
    let regulars = grown();
    let engine = regulars.open();
    let first = ask(&engine, &["c0", "c1"]);
    assert!(first.iter().all(|asked| !asked.cached));
    let again = ask(&engine, &["c0", "c1"]);
    assert!(again.iter().all(|asked| asked.cached));
    assert_eq!(value(&first[0]), value(&again[0]));

    assert_eq!(order(&engine, "new", "c0", 900).logged, 1);
    let after = ask(&engine, &["c0", "c1"]);
    assert!(!after[0].cached && after[1].cached);
    assert_ne!(value(&after[0]), value(&first[0]));

    regulars
        .clock
        .set(START + days(LASTS) + Span::seconds(3_601));
    assert!(!ask(&engine, &["c1"])[0].cached);
    let text = engine.metrics().text();
    let count = |cache: &str| {
        let named = format!("keys_asked_total{{use_case=\"regulars\",cache=\"{cache}\"}} ");
        let line = text.lines().find(|line| line.contains(&named));
        line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
    };
    assert_eq!((count("hit"), count("miss")), (Some(3), Some(4)), "{text}");
    engine.close().unwrap();
}

#[test]
fn another_version_answers_at_once() {
    let regulars = grown();
    let engine = regulars.open();
    let before = ask(&engine, &["c0"]);
    let before = before[0].answer.as_ref().unwrap();
    let options = TrainOptions {
        as_of: Some(START + days(LASTS - 60)),
        ..TrainOptions::default()
    };
    let earlier = train_with(&regulars.sources(), 0, options, &mut |_| ()).unwrap();
    assert_ne!(earlier.models[0].version, before.version);
    engine.controls_now(earlier.controls, "ann").unwrap();
    let after = ask(&engine, &["c0"]);
    assert!(!after[0].cached);
    let after = after[0].answer.as_ref().unwrap();
    assert_eq!(
        (&after.model, &after.version),
        (&earlier.models[0].name, &earlier.models[0].version)
    );
    engine.close().unwrap();
}

#[test]
fn an_answer_now_and_a_batch_at_this_time_are_the_same_bits() {
    let regulars = grown();
    let batch = BatchOptions {
        at: regulars.clock.now(),
        out: regulars.home().join("scores"),
        batch_size: 50,
        timeout: None,
    };
    score_all(
        &regulars.sources(),
        0,
        &batch,
        &*regulars.clock,
        &mut |_, _| (),
    )
    .unwrap();
    let scores = scores(&folder_of(&batch));
    let engine = regulars.open();
    let ids: Vec<&str> = scores.keys().map(String::as_str).collect();
    for (asked, (id, (score, _))) in ask(&engine, &ids).iter().zip(&scores) {
        let answered = asked
            .answer
            .as_ref()
            .ok()
            .map(|answer| answer.scored.value.to_bits());
        assert_eq!(answered, score.map(f64::to_bits), "{id}");
    }
    engine.close().unwrap();
}
