//! Recall at 95 % precision, by how long it takes until a fraud is known.

use acumen_base::{Seed, Span};
use acumen_model::metrics::{Curve, OperatingPoint};
use serde_json::{Value, json};

use crate::folds::{Setting, Study};
use crate::report::{Failure, row, table};

const DAY: i64 = 86_400_000;

/// Days since 1970: training begins on 2018-05-10, the test on 2018-08-08 and ends with the data.
const TRAIN_FROM: i64 = 17_661;
const TEST_FROM: i64 = 17_751;
const END: i64 = i64::MAX / DAY;

/// The days before the end of training on which the cut is fixed.
const CUT_DAYS: i64 = 28;

const PRECISION: f64 = 0.95;

/// How long it takes until a fraud is known, and what others find then.
pub(super) struct Delay {
    /// In the keys of figures.
    name: &'static str,
    pub(super) known_after: Span,
    /// Recall at 95 % precision of the strongest peer known: XGBoost on 38 streaming features.
    peer: f64,
    /// Of an oracle that knows the simulator: without and with the days on which a customer's
    /// card was stolen. What no model can exceed lies between the two.
    oracle: [f64; 2],
}

/// The data's own delay comes last.
pub(super) const DELAYS: [Delay; 3] = [
    Delay {
        name: "0d",
        known_after: Span::ZERO,
        peer: 0.928,
        oracle: [0.934, 0.953],
    },
    Delay {
        name: "1d",
        known_after: Span(DAY),
        peer: 0.892,
        oracle: [0.910, 0.929],
    },
    Delay {
        name: "7d",
        known_after: Span(7 * DAY),
        peer: 0.756,
        oracle: [0.775, 0.795],
    },
];

/// What was found at a delay.
pub(super) struct Found {
    delay: &'static Delay,
    average_precision: f64,
    /// The cut read off the test's own curve.
    best: OperatingPoint,
    /// The cut fixed before the test.
    fixed: OperatingPoint,
}

/// The model that is measured; its parameters were fixed beforehand.
fn setting() -> Setting {
    Setting::boosting(&json!({
        "n_estimators": 350, "learning_rate": 0.05, "max_depth": 6, "min_child_weight": 5.0,
        "subsample": 0.8, "colsample_bytree": 0.5,
    }))
}

/// Fits, and scores the test; the cut is fixed by a model that has seen neither the test nor the
/// days on which it is fixed.
pub(super) fn measure(study: &Study<'_>, delay: &'static Delay) -> Result<Found, Failure> {
    let known = delay.known_after.0 / DAY;
    let days = |from: i64, to: i64| -> Vec<usize> {
        let day = |row: &usize| study.payments[*row].at.div_euclid(DAY);
        let every = 0..study.payments.len();
        every.filter(|row| (from..to).contains(&day(row))).collect()
    };
    let curve = |train: Vec<usize>, test: Vec<usize>| -> Result<Curve, Failure> {
        let score = setting().margins(&study.data, &train, &test, Seed(0))?;
        Ok(Curve::new(&score, &study.outcomes(&test)))
    };
    let point = |curve: &Curve| {
        let best = curve.recall_at_precision(PRECISION);
        best.ok_or_else(|| Failure::new("no cut reaches 95 % precision"))
    };
    let trained_to = TEST_FROM - known;
    let cut_from = trained_to - CUT_DAYS;
    let earlier = curve(
        days(TRAIN_FROM, cut_from - known),
        days(cut_from, trained_to),
    )?;
    let test = curve(days(TRAIN_FROM, trained_to), days(TEST_FROM, END))?;
    let average_precision = test.average_precision();
    let found = Found {
        delay,
        average_precision: average_precision.ok_or_else(|| Failure::new("no fraud to find"))?,
        best: point(&test)?,
        fixed: test.at_threshold(point(&earlier)?.threshold),
    };
    println!(
        "{} frauds, known after {}: recall {:.4} at a precision of {:.4}",
        test.positives(),
        delay.name,
        found.best.recall,
        found.best.precision
    );
    Ok(found)
}

/// Prints the table, and gives the figures.
pub(super) fn report(found: &[Found]) -> Value {
    let head = [
        "known after",
        "average precision",
        "recall at 95 % precision",
        "peer",
        "oracle",
        "cut fixed before: precision",
        "recall",
    ];
    let mut lines = vec![row(head)];
    let mut figures = json!({});
    for Found {
        delay,
        average_precision,
        best,
        fixed,
    } in found
    {
        let name = delay.name;
        let [least, most] = delay.oracle;
        lines.push(vec![
            name.to_owned(),
            format!("{average_precision:.4}"),
            format!("{:.4}", best.recall),
            format!("{:.3}", delay.peer),
            format!("{least:.3}–{most:.3}"),
            format!("{:.4}", fixed.precision),
            format!("{:.4}", fixed.recall),
        ]);
        figures[format!("recall_p95_{name}")] = json!(best.recall);
        figures[format!("fixed_cut_precision_{name}")] = json!(fixed.precision);
        figures[format!("fixed_cut_recall_{name}")] = json!(fixed.recall);
        figures[format!("peer_recall_p95_{name}")] = json!(delay.peer);
        figures[format!("oracle_recall_p95_{name}")] = json!(delay.oracle);
    }
    table(&lines);
    // The data say that a fraud is known after seven days.
    if let Some(real) = found.last() {
        figures["fixed_cut_precision"] = json!(real.fixed.precision);
        figures["fixed_cut_recall"] = json!(real.fixed.recall);
    }
    figures
}
