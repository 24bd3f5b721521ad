//! Members beside each other, ensembles, and what is left out under load.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier, Mutex};

use acumen_base::decision::LayerStatus;
use acumen_base::limits::WAITING_BEFORE_SHEDDING;
use acumen_base::{
    Attribution, Column, ColumnKind, Columns, Deadline, ENSEMBLE, Member, MemberError, Prediction,
    Row,
};
use acumen_decision::{PolicySpec, Pool, differences};

use crate::fixtures::{Bench, Manner, columns, layer, spec};

/// A member that does something before it answers.
struct Acts<F: Fn(&Row) -> f64 + Send + Sync> {
    name: &'static str,
    columns: Arc<Columns>,
    weights: Vec<f64>,
    act: F,
}

impl<F: Fn(&Row) -> f64 + Send + Sync> Member for Acts<F> {
    fn name(&self) -> &str {
        self.name
    }
    fn version(&self) -> &str {
        "v1"
    }
    fn columns(&self) -> &Columns {
        &self.columns
    }
    fn predict(&self, row: &Row, _: &Deadline) -> Result<Prediction, MemberError> {
        let value = (self.act)(row);
        Ok(Prediction { value, raw: value })
    }
    fn attributions(&self, _: &Row) -> Vec<Attribution> {
        Vec::new()
    }
    fn weights(&self) -> Option<&[f64]> {
        Some(&self.weights)
    }
}

fn acts(name: &'static str, act: impl Fn(&Row) -> f64 + Send + Sync + 'static) -> Arc<dyn Member> {
    Arc::new(Acts {
        name,
        columns: columns(),
        weights: Vec::new(),
        act,
    })
}

fn beside() -> PolicySpec {
    let mut spec = spec();
    spec.layers[1].beside = true;
    spec
}

#[test]
fn members_of_a_layer_run_at_the_same_time() {
    let mut bench = Bench::new(beside());
    let both = Arc::new(Barrier::new(2));
    for (name, value) in [("one", 0.2), ("two", 0.4)] {
        let both = Arc::clone(&both);
        let member = acts(name, move |_| {
            both.wait();
            value
        });
        bench.state.deploy(5, member);
    }
    let decision = bench.decide_under(0, Some(&Pool::new(2, 0)), 0);
    assert!((decision.probability.unwrap() - 0.3).abs() < 1e-12);
}

/// A member that answers only when it is let.
fn stuck(name: &'static str) -> (Arc<dyn Member>, Sender<()>) {
    let (open, gate): (Sender<()>, Receiver<()>) = channel();
    let gate = Mutex::new(gate);
    let member = acts(name, move |_| {
        let _released = gate.lock().expect("nobody panics with it").recv();
        0.9
    });
    (member, open)
}

#[test]
fn a_stuck_member_is_left_behind_and_holds_few_threads() {
    let mut bench = Bench::new(beside()).with("one", Manner::Says(0.2));
    let (member, open) = stuck("two");
    bench.state.deploy(5, member);
    let pool = Pool::new(1, 1);
    let said: Vec<_> = (0..4)
        .map(|_| {
            let decision = bench.decide_under(0, Some(&pool), 0);
            assert_eq!(decision.probability, Some(0.2));
            let answers = &decision.layers[1].members;
            assert!(answers[0].answer.is_ok());
            assert_eq!(differences(&decision, &bench.replay(&decision)), [""; 0]);
            answers[1].answer.clone().unwrap_err()
        })
        .collect();
    let (late, busy) = (MemberError::Late, MemberError::Busy);
    assert_eq!(said, [late.clone(), late, busy.clone(), busy]);
    drop(open);
    let answered = (0..10_000).any(|_| {
        std::thread::yield_now();
        bench.decide_under(0, Some(&pool), 0).layers[1].members[1]
            .answer
            .is_ok()
    });
    assert!(answered, "it is asked again once it has finished");
}

#[test]
fn the_deepest_layers_of_models_are_left_out_first() {
    let mut deep = spec();
    deep.layers[1].run = vec!["one".into()];
    deep.layers.push(layer("deep", 50, &["two"]));
    let bench = Bench::new(deep)
        .with("one", Manner::Says(0.2))
        .with("two", Manner::Says(0.8));
    let (ran, shed) = (LayerStatus::Ran, LayerStatus::Shed);
    for (waiting, statuses) in [
        (WAITING_BEFORE_SHEDDING - 1, [&ran, &ran, &ran]),
        (WAITING_BEFORE_SHEDDING, [&ran, &ran, &shed]),
        (4 * WAITING_BEFORE_SHEDDING, [&ran, &shed, &shed]),
        (usize::MAX - 1, [&ran, &shed, &shed]),
    ] {
        let decision = bench.decide_under(0, None, waiting);
        let found: Vec<_> = decision.layers.iter().map(|layer| &layer.status).collect();
        assert_eq!(found, statuses, "{waiting}");
        assert_eq!(differences(&decision, &bench.replay(&decision)), [""; 0]);
        let explained = bench.policy.explain(&decision, &bench.event, &bench.state);
        assert_eq!(
            explained
                .skipped
                .iter()
                .any(|said| said.contains("too many requests")),
            statuses.contains(&&shed)
        );
    }
}

/// An ensemble whose probability tells what it saw: 0.75 where a member was missing.
fn ensemble() -> Arc<dyn Member> {
    let column = |name: &str| Column {
        name: name.into(),
        kind: ColumnKind::Number,
        unit: String::new(),
        help: String::new(),
    };
    Arc::new(Acts {
        name: ENSEMBLE,
        columns: Arc::new(Columns::new(vec![column("two"), column("one")], "")),
        weights: vec![0.5, 2.0],
        act: |row: &Row| match row.values[..] {
            [two, one] if two.is_nan() || one.is_nan() => 0.75,
            [two, one] => 1.0 / (1.0 + (-0.5 * two - 2.0 * one).exp()),
            _ => f64::NAN,
        },
    })
}

#[test]
fn the_ensemble_reads_log_odds_and_knows_who_is_missing() {
    let mut bench = Bench::new(spec())
        .with("one", Manner::Says(0.8))
        .with("two", Manner::Says(0.5));
    bench.state.deploy(6, ensemble());
    let decision = bench.decide();
    // Log odds ln 4 and 0: 2 ln 4 is a probability of 16 in 17.
    assert!((decision.probability.unwrap() - 16.0 / 17.0).abs() < 1e-9);
    assert_eq!(decision.ensemble.as_ref().unwrap().version, "v1");
    let weight = |column: &str| {
        let reason = decision.reasons.iter().find(|reason| reason.code == column);
        reason.map(|reason| reason.weight)
    };
    // Each member moves by 0.75 for the channel: by 2 + 0.5 of it in the sum.
    assert_eq!(weight("channel"), Some(0.75 * 2.5));
    assert_eq!(differences(&decision, &bench.replay(&decision)), [""; 0]);

    bench.deploy("two", Manner::Fails);
    assert_eq!(bench.decide().probability, Some(0.75));
}

#[test]
fn without_an_answer_of_the_ensemble_the_mean_stands() {
    let mut bench = Bench::new(spec())
        .with("one", Manner::Says(0.8))
        .with("two", Manner::Says(0.4));
    bench.deploy(ENSEMBLE, Manner::Fails);
    let decision = bench.decide();
    assert!((decision.probability.unwrap() - 0.6).abs() < 1e-12);
    assert!(decision.ensemble.as_ref().unwrap().answer.is_err());
    assert_eq!(differences(&decision, &bench.replay(&decision)), [""; 0]);
}
