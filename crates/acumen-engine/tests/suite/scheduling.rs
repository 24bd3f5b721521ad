//! Batches that come by themselves.

use acumen_base::{Clock, Time};

use super::regulars::Regulars;

fn at(text: &str) -> Time {
    text.parse().unwrap()
}

#[test]
fn what_is_due_is_run_once_and_what_was_missed_is_caught_up() {
    let (regulars, _) = Regulars::grown(60);
    regulars.train();
    // 2027-02-25 is the last day of orders; the server was down for three nights.
    regulars.clock.set(at("2027-02-28T09:00:00Z"));
    let engine = regulars.open();
    let runs = engine.batches_due().unwrap();
    let [run] = runs.as_slice() else {
        panic!("{runs:?}");
    };
    assert_eq!(run.at, at("2027-02-28T02:00:00Z"));
    let coverage = run.coverage.as_ref().unwrap();
    assert_eq!((coverage.keys, coverage.scored), (60, 54));
    assert!(engine.batches_due().unwrap().is_empty());
    let status = engine.batches("regulars").unwrap();
    assert_eq!(status.next_at, Some(at("2027-03-01T02:00:00Z")));
    assert_eq!(status.latest.as_ref(), Some(run));

    regulars.clock.set(at("2027-03-01T02:00:00Z"));
    assert_eq!(engine.batches_due().unwrap()[0].at, regulars.clock.now());
    engine.close().unwrap();
    // Another server finds that it is done.
    let engine = regulars.open();
    let again = engine.batches_due().unwrap();
    assert!(
        again
            .iter()
            .all(|run| run.coverage.as_ref().unwrap().at == at("2027-03-01T02:00:00Z"))
    );
    let folder = regulars.folder().scores("regulars");
    let mut dates: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    dates.sort();
    assert_eq!(dates, ["2027-02-28T02-00-00Z", "2027-03-01T02-00-00Z"]);
    engine.close().unwrap();
}

#[test]
fn a_run_that_fails_says_why_and_is_tried_again_later() {
    let (regulars, _) = Regulars::grown(20);
    let engine = regulars.open();
    let problem = |runs: &[acumen_engine::BatchRun]| runs[0].problem.clone().unwrap();
    let runs = engine.batches_due().unwrap();
    assert!(problem(&runs).contains("acumen train regulars"), "{runs:?}");
    assert!(engine.batches_due().unwrap().is_empty());
    regulars.clock.set(Time(regulars.clock.now().0 + 600_000));
    let runs = engine.batches_due().unwrap();
    assert!(problem(&runs).contains("acumen train regulars"), "{runs:?}");
    engine.close().unwrap();
}
