//! Ledgers from decisions to money.

use std::collections::BTreeSet;
use std::sync::Arc;

use acumen_base::decision::{Firing, RuleHit};
use acumen_base::outcome::Truth;
use acumen_base::{
    Currency, Decision, Event, EventType, Field, FieldType, Money, Outcome, Span, Time, Value,
};
use proptest::prelude::*;

use crate::{CellSpec, Ledger, LedgerError, Totals, TruthSource, Valuation, ValueSpec, When};

const DAY: i64 = 86_400_000;
const ACTIONS: [&str; 3] = ["approve", "verify", "block"];

fn event_type() -> Arc<EventType> {
    let amount = Field {
        name: "amount".into(),
        kind: FieldType::Money,
        optional: true,
        personal: false,
        signed: false,
    };
    Arc::new(EventType {
        name: "order".into(),
        id_field: "order_id".into(),
        time_field: "ordered_at".into(),
        lateness: Span::days(1),
        fields: vec![amount],
    })
}

fn cell(action: &str, when: When, formula: &str) -> CellSpec {
    CellSpec {
        action: action.into(),
        when,
        formula: formula.into(),
    }
}

/// An approved positive costs its amount, verifying 1, blocking 4 and 12 more if it was wrong.
fn spec(truth: TruthSource) -> ValueSpec {
    ValueSpec {
        use_case: "orders".into(),
        currency: Currency::GBP,
        event: event_type(),
        actions: ACTIONS.map(str::to_owned).into(),
        cells: vec![
            cell("approve", When::Positive, "-order.amount"),
            cell("verify", When::Any, "money('-1 GBP')"),
            cell("block", When::Any, "money('-4 GBP')"),
            cell("block", When::Negative, "money('-12 GBP')"),
        ],
        baseline: None,
        hides_truth: vec!["block".into()],
        truth,
        negative_after: Span::days(7),
        closes: Span::days(30),
    }
}

fn ledger(truth: TruthSource) -> Ledger {
    Ledger::new(Valuation::compile(spec(truth)).unwrap())
}

fn order(id: &str, day: i64, amount: Value) -> Event {
    let at = Time(day * DAY);
    Event {
        kind: event_type(),
        id: id.into(),
        event_time: at,
        known_at: at,
        received_at: at,
        values: vec![amount],
    }
}

fn pounds(pounds: i64) -> Value {
    Value::Money(gbp(pounds))
}

fn gbp(pounds: i64) -> Money {
    Money::new(pounds * 100, Currency::GBP)
}

fn decision(event: &Event, action: &str, called_for: &str, propensity: f64) -> Decision {
    Decision {
        id: format!("orders:{}", event.id),
        use_case: "orders".into(),
        event_id: event.id.to_string(),
        event_time: event.event_time,
        position: 0,
        decided_at: event.event_time,
        row: Vec::new(),
        columns: 0,
        layers: Vec::new(),
        ensemble: None,
        rules: Vec::new(),
        probability: None,
        score: None,
        action: action.into(),
        action_without_exploration: called_for.into(),
        propensity,
        reasons: Vec::new(),
        amount: None,
        control: 0,
        build: "test".into(),
        took_us: 0,
    }
}

fn decide(ledger: &mut Ledger, id: &str, action: &str, amount: Value) {
    let event = order(id, 0, amount);
    assert!(ledger.decided(&decision(&event, action, action, 1.0), &event));
}

fn conserved(totals: &Totals) -> bool {
    let sum = |part: fn(&crate::ActionTotals) -> u64| totals.actions.iter().map(part).sum::<u64>();
    totals.open + totals.settled == totals.decided
        && totals.censored <= totals.open
        && sum(|a| a.decided) == totals.decided
        && sum(|a| a.open) == totals.open
        && sum(|a| a.censored) == totals.censored
        && sum(|a| a.positive.count + a.negative.count) == totals.settled
        && sum(|a| a.positive.unvalued + a.negative.unvalued) == totals.unvalued
}

#[test]
fn every_cell_settles_to_its_money() {
    for (action, truth, value, saved) in [
        ("approve", Truth::Positive, -50, 0),
        ("approve", Truth::Negative, 0, 0),
        ("verify", Truth::Positive, -1, 49),
        ("verify", Truth::Negative, -1, -1),
        ("block", Truth::Positive, -4, 46),
        ("block", Truth::Negative, -16, -16),
    ] {
        let mut ledger = ledger(TruthSource::KnownToSimulator);
        decide(&mut ledger, "o1", action, pounds(50));
        assert_eq!(ledger.totals().open, 1);
        let outcome = match truth {
            Truth::Positive => ledger.positive("o1", Time(3 * DAY)),
            _ => ledger.advance(Time(7 * DAY)).pop(),
        };
        let known_at = Time(if truth == Truth::Positive { 3 } else { 7 } * DAY);
        let expected = Outcome {
            use_case: "orders".into(),
            event_id: "o1".into(),
            action: action.into(),
            truth,
            known_at,
            value: Some(gbp(value)),
        };
        assert_eq!(outcome, Some(expected));
        assert_eq!(ledger.totals().value(), gbp(value), "{action} {truth:?}");
        assert_eq!(ledger.totals().saved(), gbp(saved), "{action} {truth:?}");
        assert!(conserved(ledger.totals()));
    }
}

#[test]
fn a_decision_is_negative_only_when_the_time_is_over() {
    let mut ledger = ledger(TruthSource::Observed);
    decide(&mut ledger, "o1", "approve", pounds(50));
    assert!(ledger.advance(Time(7 * DAY - 1)).is_empty());
    let outcomes = ledger.advance(Time(20 * DAY));
    assert_eq!(outcomes.len(), 1);
    assert_eq!(outcomes[0].known_at, Time(7 * DAY));
}

#[test]
fn a_late_positive_corrects_until_the_outcome_closes() {
    let mut ledger = ledger(TruthSource::Observed);
    decide(&mut ledger, "o1", "approve", pounds(50));
    decide(&mut ledger, "o2", "approve", pounds(10));
    assert_eq!(ledger.advance(Time(7 * DAY)).len(), 2);
    let outcome = ledger.positive("o1", Time(12 * DAY)).unwrap();
    assert_eq!(
        (outcome.truth, outcome.value),
        (Truth::Positive, Some(gbp(-50)))
    );
    assert_eq!(ledger.positive("o1", Time(13 * DAY)), None);
    assert_eq!(ledger.positive("o2", Time(30 * DAY + 1)), None);
    assert!(ledger.advance(Time(31 * DAY)).is_empty());
    assert_eq!(ledger.positive("o2", Time(31 * DAY)), None);
    let totals = ledger.totals();
    assert_eq!((totals.corrected, totals.unmatched), (1, 2));
    assert_eq!((totals.settled, totals.value()), (2, gbp(-50)));
    assert!(conserved(totals) && ledger.entries.is_empty() && ledger.due.is_empty());
}

#[test]
fn what_is_blocked_is_censored_and_estimated_from_what_was_let_through() {
    let mut ledger = ledger(TruthSource::Observed);
    // 90 blocked, 10 let through, of which 6 turned out positive.
    for i in 0..100 {
        let event = order(&format!("o{i}"), 0, pounds(50));
        let explored = i < 10;
        let (action, propensity) = if explored {
            ("approve", 0.1)
        } else {
            ("block", 0.9)
        };
        assert!(ledger.decided(&decision(&event, action, "block", propensity), &event));
    }
    // One was missed.
    decide(&mut ledger, "missed", "approve", pounds(20));
    assert_eq!(ledger.totals().precision(), None);
    for id in ["o0", "o1", "o2", "o3", "o4", "o5", "missed"] {
        assert!(ledger.positive(id, Time(DAY)).is_some());
    }
    let outcomes = ledger.advance(Time(365 * DAY));
    assert_eq!(outcomes.len(), 4);
    let totals = ledger.totals();
    assert!(conserved(totals));
    assert_eq!((totals.censored, totals.open, totals.settled), (90, 90, 11));
    assert_eq!(totals.saved(), gbp(0));
    // Each explored one stands for 9 that were blocked: 6 × 46 − 4 × 16 = 212, times 9.
    assert_eq!(totals.saved_censored_estimate(), Some(gbp(9 * 212)));
    assert_eq!(totals.precision(), Some(0.6));
    assert!((totals.recall().unwrap() - 60.0 / 61.0).abs() < 1e-12);
}

#[test]
fn a_simulator_knows_the_truth_of_what_was_blocked() {
    let mut ledger = ledger(TruthSource::KnownToSimulator);
    for (id, action) in [
        ("a", "block"),
        ("b", "block"),
        ("c", "approve"),
        ("d", "approve"),
    ] {
        decide(&mut ledger, id, action, pounds(50));
    }
    ledger.positive("a", Time(DAY));
    ledger.positive("c", Time(DAY));
    ledger.advance(Time(8 * DAY));
    let totals = ledger.totals();
    assert_eq!((totals.censored, totals.settled), (0, 4));
    assert_eq!(
        (totals.precision(), totals.recall()),
        (Some(0.5), Some(0.5))
    );
    assert_eq!(totals.saved(), gbp(46 - 16));
    assert_eq!(totals.saved_censored_estimate(), None);
}

#[test]
fn what_has_no_value_is_counted_and_never_zero() {
    let mut ledger = ledger(TruthSource::Observed);
    let dollars = |minor| Value::Money(Money::new(minor, "USD".parse().unwrap()));
    decide(&mut ledger, "missing", "approve", Value::Missing);
    decide(&mut ledger, "dollars", "approve", dollars(1_000));
    assert!(!ledger.set_rate("USD".parse().unwrap(), 0.0));
    assert!(ledger.set_rate("USD".parse().unwrap(), 0.8));
    decide(&mut ledger, "converted", "approve", dollars(1_000));
    let worth = |ledger: &mut Ledger, id| ledger.positive(id, Time(DAY)).unwrap().value;
    assert_eq!(worth(&mut ledger, "missing"), None);
    assert_eq!(worth(&mut ledger, "dollars"), None);
    assert_eq!(worth(&mut ledger, "converted"), Some(gbp(-8)));
    assert_eq!((ledger.totals().settled, ledger.totals().unvalued), (3, 2));
    assert!(conserved(ledger.totals()));
}

#[test]
fn a_decision_counts_once() {
    let mut ledger = ledger(TruthSource::Observed);
    let event = order("o1", 0, pounds(5));
    assert!(ledger.decided(&decision(&event, "approve", "approve", 1.0), &event));
    assert!(!ledger.decided(&decision(&event, "block", "block", 1.0), &event));
    let other = order("o2", 0, pounds(5));
    assert!(!ledger.decided(&decision(&other, "unheard_of", "approve", 1.0), &other));
    assert_eq!(ledger.totals().decided, 1);
}

#[test]
fn all_problems_are_reported_at_once() {
    let mut wrong = spec(TruthSource::Observed);
    wrong.cells[0].formula = "-order.amuont".into();
    wrong.cells[1].formula = "1.0".into();
    wrong.cells[2].action = "blok".into();
    wrong
        .cells
        .push(cell("block", When::Negative, "money('-1 GBP')"));
    wrong.baseline = Some("aprove".into());
    wrong.closes = Span::days(1);
    let problems = Valuation::compile(wrong).unwrap_err();
    for (key, help) in [
        ("value.approve.positive", "order.amount"),
        ("value.verify.any", ""),
        ("value.blok", "did you mean `block`?"),
        ("value.block.negative", "keep one"),
        ("value.baseline", "did you mean `approve`?"),
        ("outcome.closes", "negative_after"),
    ] {
        let found = problems
            .iter()
            .any(|p| p.key == key && p.help.contains(help));
        assert!(found, "{key} is not among {problems:#?}");
    }
    assert_eq!(problems.len(), 6);
}

#[test]
fn bytes_of_something_else_are_refused() {
    let mut observed = ledger(TruthSource::Observed);
    decide(&mut observed, "o1", "approve", pounds(5));
    let before = observed.save();
    let simulated = ledger(TruthSource::KnownToSimulator).save();
    assert!(matches!(
        observed.load(&simulated),
        Err(LedgerError::Other { .. })
    ));
    assert!(matches!(
        observed.load(b"no"),
        Err(LedgerError::Unreadable { .. })
    ));
    assert_eq!(observed.save(), before);
}

/// One thing that happens to a ledger.
#[derive(Clone, Debug)]
enum Step {
    Decide(u8, usize, bool, i64),
    Positive(u8),
    Wait(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (any::<u8>(), 0_usize..3, any::<bool>(), 0_i64..1_000)
            .prop_map(|(id, action, explored, amount)| Step::Decide(id, action, explored, amount)),
        2 => any::<u8>().prop_map(Step::Positive),
        2 => (0_i64..9).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 0..120)
}

/// A ledger, the day, and which ids were decided: an event is decided once.
struct Run {
    ledger: Ledger,
    day: i64,
    decided: BTreeSet<u8>,
}

impl Run {
    fn new(truth: TruthSource) -> Run {
        Run {
            ledger: ledger(truth),
            day: 0,
            decided: BTreeSet::new(),
        }
    }

    /// Takes a step; `told` says whether the ledger is told of every day that passes.
    fn take(&mut self, step: &Step, told: bool) {
        match *step {
            Step::Decide(id, action, explored, amount) => {
                if !self.decided.insert(id) {
                    return;
                }
                let event = order(&id.to_string(), self.day, pounds(amount));
                let explores = action == 2 && explored;
                let taken = if explores { "approve" } else { ACTIONS[action] };
                let propensity = if explores { 0.25 } else { 1.0 };
                let made = decision(&event, taken, ACTIONS[action], propensity);
                self.ledger.decided(&made, &event);
            }
            // Known just after midnight, when the day before is over for both.
            Step::Positive(id) => {
                self.ledger
                    .positive(&id.to_string(), Time(self.day * DAY + 1));
            }
            Step::Wait(days) => {
                for _ in 0..days {
                    self.day += 1;
                    if told {
                        self.ledger.advance(Time(self.day * DAY));
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn decisions_are_open_or_settled(steps in steps(), simulated: bool, told: bool) {
        let truth = if simulated { TruthSource::KnownToSimulator } else { TruthSource::Observed };
        let mut run = Run::new(truth);
        for step in &steps {
            run.take(step, told);
            prop_assert!(conserved(run.ledger.totals()), "{:?}", run.ledger.totals());
        }
        let Run { mut ledger, day, .. } = run;
        ledger.advance(Time((day + 7) * DAY));
        prop_assert_eq!(ledger.totals().open, ledger.totals().censored);
        ledger.advance(Time((day + 30) * DAY));
        prop_assert!(ledger.entries.is_empty() && ledger.due.is_empty());
        prop_assert!(conserved(ledger.totals()));
    }

    #[test]
    fn how_often_time_is_told_changes_nothing(steps in steps()) {
        let (mut rarely, mut often) = (Run::new(TruthSource::Observed), Run::new(TruthSource::Observed));
        for step in &steps {
            rarely.take(step, false);
            often.take(step, true);
        }
        rarely.ledger.advance(Time(rarely.day * DAY));
        prop_assert_eq!(rarely.ledger.totals(), often.ledger.totals());
        prop_assert_eq!(rarely.ledger.save(), often.ledger.save());
    }

    #[test]
    fn a_saved_ledger_goes_on_as_if_nothing_had_happened(steps in steps(), cut in 0_usize..120) {
        let (mut whole, mut cut_short) = (Run::new(TruthSource::Observed), Run::new(TruthSource::Observed));
        for (i, step) in steps.iter().enumerate() {
            if i == cut {
                let mut loaded = ledger(TruthSource::Observed);
                loaded.load(&cut_short.ledger.save()).expect("it was just saved");
                cut_short.ledger = loaded;
            }
            whole.take(step, true);
            cut_short.take(step, true);
        }
        prop_assert_eq!(whole.ledger.save(), cut_short.ledger.save());
    }
}

#[test]
fn a_finding_settles_at_once_and_the_latest_word_counts() {
    let mut ledger = ledger(TruthSource::Observed);
    decide(&mut ledger, "a", "approve", pounds(50));
    let settled = ledger.negative("a", Time(DAY)).unwrap();
    assert_eq!(
        (settled.truth, settled.known_at),
        (Truth::Negative, Time(DAY))
    );
    assert_eq!((ledger.totals().open, ledger.totals().value()), (0, gbp(0)));
    assert!(ledger.negative("a", Time(2 * DAY)).is_none(), "nothing new");
    let corrected = ledger.positive("a", Time(3 * DAY)).unwrap();
    assert_eq!(corrected.truth, Truth::Positive);
    assert_eq!(ledger.totals().value(), gbp(-50));
    ledger.negative("a", Time(4 * DAY)).unwrap();
    assert_eq!(
        (ledger.totals().value(), ledger.totals().corrected),
        (gbp(0), 2)
    );
    // It matures as what it was found to be, and closes.
    assert!(ledger.advance(Time(20 * DAY)).is_empty());
    assert!(ledger.negative("a", Time(40 * DAY)).is_none());
    assert!(conserved(ledger.totals()));
}

#[test]
fn a_finding_lifts_what_an_action_hides() {
    let mut ledger = ledger(TruthSource::Observed);
    decide(&mut ledger, "a", "block", pounds(50));
    decide(&mut ledger, "b", "block", pounds(50));
    ledger.advance(Time(8 * DAY));
    assert_eq!(ledger.totals().censored, 2);
    ledger.negative("a", Time(9 * DAY)).unwrap();
    assert_eq!((ledger.totals().censored, ledger.totals().open), (1, 1));
    assert_eq!(
        ledger.totals().value(),
        gbp(-16),
        "a false block costs 4 and 12"
    );
    assert!(conserved(ledger.totals()));
}

#[test]
fn rules_are_settled_with_the_decisions_at_which_they_fired() {
    let mut ledger = ledger(TruthSource::Observed);
    for (id, firing) in [
        ("a", Firing::Acted),
        ("b", Firing::Shadow),
        ("c", Firing::Suppressed),
    ] {
        let event = order(id, 0, pounds(50));
        let mut decision = decision(&event, "approve", "approve", 1.0);
        decision.rules.push(RuleHit {
            id: "dear".into(),
            effect: "verify".into(),
            firing,
        });
        assert!(ledger.decided(&decision, &event));
    }
    ledger.positive("a", Time(DAY));
    ledger.positive("c", Time(DAY));
    ledger.advance(Time(8 * DAY));
    let dear = ledger.totals().rules["dear"];
    assert_eq!((dear.positive.count, dear.negative.count), (1, 1));
    assert_eq!(
        (dear.precision(), dear.false_positive_ratio()),
        (Some(0.5), Some(1.0))
    );
    // Verifying costs 1 each, and saves what approving the positive one lost.
    assert_eq!(dear.saved(), gbp(50 - 2));
    ledger.positive("b", Time(9 * DAY));
    let dear = ledger.totals().rules["dear"];
    assert_eq!((dear.positive.count, dear.negative.count), (2, 0));
    let mut loaded = self::ledger(TruthSource::Observed);
    loaded.load(&ledger.save()).unwrap();
    assert_eq!(loaded.totals(), ledger.totals());
}
