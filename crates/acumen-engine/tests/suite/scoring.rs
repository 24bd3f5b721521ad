//! Every customer scored at a date, once, however often the run is cut off.

use std::collections::BTreeMap;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use acumen_base::{Clock, ManualClock, Seed, Span, Time};
use acumen_engine::{BatchOptions, BatchOutcome, Coverage, score_all};
use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::regulars::{LASTS, Regulars, START};
use super::shop::days;

const CUSTOMERS: u32 = 230;

fn grown() -> Regulars {
    let (regulars, _) = Regulars::grown(CUSTOMERS);
    regulars.train();
    regulars
}

fn options(regulars: &Regulars, out: &str) -> BatchOptions {
    BatchOptions {
        at: START + days(LASTS - 10),
        out: regulars.home().join(out),
        batch_size: 20,
        timeout: None,
    }
}

fn run(regulars: &Regulars, options: &BatchOptions) -> BatchOutcome {
    score_all(
        &regulars.sources(),
        0,
        options,
        &*regulars.clock,
        &mut |_, _| (),
    )
    .unwrap()
}

fn done(outcome: BatchOutcome) -> Coverage {
    match outcome {
        BatchOutcome::Done { coverage, .. } => coverage,
        left => panic!("{left:?}"),
    }
}

/// Every row of every part: the customer, its value and why there is none.
pub(crate) fn scores(folder: &Path) -> BTreeMap<String, (Option<f64>, Option<String>)> {
    let mut scores = BTreeMap::new();
    let mut parts: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    parts.retain(|path| path.extension().is_some_and(|e| e == "parquet"));
    for part in parts {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(part).unwrap()).unwrap();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let column = |name: &str| batch.column_by_name(name).unwrap();
            let ids = column("customer_id").as_string::<i32>();
            let values = column("value").as_primitive::<Float64Type>();
            let reasons = column("reason").as_string::<i32>();
            for row in 0..batch.num_rows() {
                let value = values.iter().nth(row).unwrap();
                let reason = reasons.iter().nth(row).unwrap().map(str::to_owned);
                let before = scores.insert(ids.value(row).to_owned(), (value, reason));
                assert!(before.is_none(), "{} stands there twice", ids.value(row));
            }
        }
    }
    scores
}

pub(crate) fn folder_of(options: &BatchOptions) -> std::path::PathBuf {
    options.out.join(options.at.to_string().replace(':', "-"))
}

#[test]
fn every_customer_is_scored_or_named_with_the_reason() {
    let regulars = grown();
    let options = options(&regulars, "scores");
    let coverage = done(run(&regulars, &options));
    assert_eq!(coverage.keys, CUSTOMERS as usize);
    let without: usize = coverage.not_scored.values().sum();
    assert_eq!(coverage.scored + without, coverage.keys);
    assert_eq!(without, (CUSTOMERS / 10) as usize, "{coverage:?}");
    assert_eq!(coverage.segments.values().sum::<usize>(), coverage.scored);
    let scores = scores(&folder_of(&options));
    assert_eq!(scores.len(), CUSTOMERS as usize);
    assert!(
        scores
            .values()
            .all(|(value, reason)| value.is_some() != reason.is_some())
    );
    let (_, reason) = &scores["c9"];
    assert!(
        reason.as_ref().unwrap().contains("bought.count"),
        "{reason:?}"
    );
    let sum: f64 = scores.values().filter_map(|(value, _)| *value).sum();
    assert!((sum - coverage.value).abs() < 1e-6);
    let again = run(&regulars, &options);
    assert_eq!(
        again,
        BatchOutcome::Done {
            coverage,
            before: true
        }
    );
}

#[test]
fn the_latest_batch_is_answered_by_key_and_outlives_a_restart() {
    let regulars = grown();
    let first = options(&regulars, "scores");
    let later = |days_later: i64| BatchOptions {
        at: first.at + days(days_later),
        ..first.clone()
    };
    let engine = regulars.open();
    let stored = |id: &str| engine.stored_score("regulars", id);
    let none = stored("c1").unwrap_err().to_string();
    assert!(none.contains("acumen score regulars --all"), "{none}");
    run(&regulars, &first);
    let written = scores(&folder_of(&first));
    assert_eq!(written.len(), CUSTOMERS as usize);
    for (id, (value, reason)) in &written {
        let found = stored(id).unwrap();
        assert_eq!((&found.value, &found.reason), (value, reason), "{id}");
        assert_eq!(found.segment.is_some(), value.is_some());
        assert_eq!(found.at, first.at);
    }
    let unknown = stored("nobody").unwrap_err().to_string();
    assert!(unknown.contains("not among the 230 keys"), "{unknown}");

    // A date before it changes nothing, one after it takes its place.
    run(&regulars, &later(-30));
    assert_eq!(stored("c1").unwrap().at, first.at);
    run(&regulars, &later(5));
    assert_eq!(stored("c1").unwrap().at, later(5).at);
    // A run that was cut off between its end and this is mended by the same command.
    let file = regulars.folder().online("regulars");
    std::fs::remove_file(&file).unwrap();
    assert!(stored("c1").is_err());
    let again = run(&regulars, &later(5));
    assert!(matches!(again, BatchOutcome::Done { before: true, .. }));
    let kept = stored("c1").unwrap();
    engine.close().unwrap();
    let engine = regulars.open();
    assert_eq!(engine.stored_score("regulars", "c1").unwrap(), kept);

    let mut damaged = std::fs::read(&file).unwrap();
    let end = damaged.len();
    damaged[end - 32..].fill(7);
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, damaged).unwrap();
    let told = |id: &String| match engine.stored_score("regulars", id) {
        Err(refusal) => refusal
            .to_string()
            .contains("the next batch writes it anew"),
        Ok(_) => false,
    };
    assert_eq!(written.keys().filter(|id| told(id)).count(), 1);
}

/// What a killed process leaves: it stops in the middle of whatever it does.
fn killed_after(regulars: &Regulars, options: &BatchOptions, parts: usize) -> bool {
    let mut written = 0;
    let attempt = || {
        score_all(
            &regulars.sources(),
            0,
            options,
            &*regulars.clock,
            &mut |_, _| {
                written += 1;
                assert!(written <= parts, "killed");
            },
        )
    };
    catch_unwind(AssertUnwindSafe(attempt)).is_err()
}

#[test]
fn a_run_that_is_killed_goes_on_and_scores_everyone_once() {
    let regulars = grown();
    let whole = options(&regulars, "whole");
    let expected = done(run(&regulars, &whole));
    let pieces = options(&regulars, "pieces");
    let partial = pieces.out.join(format!(
        "{}.partial",
        pieces.at.to_string().replace(':', "-")
    ));
    for attempt in 0..20_u32 {
        let parts = attempt as usize + (Seed(3).unit(&attempt.to_string()) * 2.0) as usize;
        if !killed_after(&regulars, &pieces, parts.min(11)) {
            break;
        }
        assert!(!folder_of(&pieces).exists());
        // A part that was being written, and one that was not counted yet.
        std::fs::write(partial.join("part-00011.parquet.partial"), "half").unwrap();
        if !partial.join("part-00011.json").exists() {
            std::fs::copy(
                partial.join("part-00000.parquet"),
                partial.join("part-00011.parquet"),
            )
            .unwrap();
        }
    }
    assert_eq!(done(run(&regulars, &pieces)), expected);
    assert_eq!(scores(&folder_of(&pieces)), scores(&folder_of(&whole)));
}

/// A clock whose stopwatch moves on whenever it is asked.
#[derive(Debug)]
struct Hurried(Arc<ManualClock>);

impl Clock for Hurried {
    fn now(&self) -> Time {
        self.0.now()
    }
    fn nanos(&self) -> u64 {
        self.0.advance_nanos(60_000_000_000);
        self.0.nanos()
    }
}

#[test]
fn the_time_over_it_stops_between_two_parts_and_says_what_is_left() {
    let regulars = grown();
    let mut options = options(&regulars, "scores");
    options.timeout = Some(Span::seconds(5 * 60));
    let clock = Hurried(ManualClock::at(START + days(LASTS)));
    let run = || score_all(&regulars.sources(), 0, &options, &clock, &mut |_, _| ()).unwrap();
    let (mut times, mut before) = (1, CUSTOMERS as usize);
    let coverage = loop {
        match run() {
            BatchOutcome::Done { coverage, .. } => break coverage,
            BatchOutcome::Left { done, left } => {
                assert_eq!(done + left, CUSTOMERS as usize);
                assert!(left < before && times < 10, "{left}");
                (times, before) = (times + 1, left);
            }
        }
    };
    assert!(times > 2);
    assert_eq!(coverage.keys, CUSTOMERS as usize);
    assert_eq!(scores(&folder_of(&options)).len(), CUSTOMERS as usize);
}

#[test]
fn what_cannot_be_scored_is_one_clear_error_and_nothing_is_written() {
    let (regulars, _) = Regulars::grown(30);
    let options = options(&regulars, "scores");
    let score = || {
        score_all(
            &regulars.sources(),
            0,
            &options,
            &*regulars.clock,
            &mut |_, _| (),
        )
    };
    let error = score().unwrap_err().to_string();
    assert!(error.contains("acumen train regulars"), "{error}");
    assert!(!folder_of(&options).exists());
    regulars.train();
    let other = killed_after(&regulars, &options, 0);
    assert!(other);
    assert_eq!(done(score().unwrap()).keys, 30);
}
