use super::measures::{
    Spending, by_cohort, coverage, curve, floor, group, group_error, ordering, spending,
};
use super::*;

fn row(key: usize, at: i64, predicted: f64, actual: f64) -> ValueRow {
    ValueRow {
        key: format!("k{key:04}").into(),
        at: Time(at),
        cohort: format!("2024-{:02}", 1 + key % 3),
        predicted,
        interval: Some((predicted / 2.0, predicted * 2.0)),
        actual,
        drivers: vec![("orders & more".to_owned(), predicted / 10.0)],
    }
}

fn about() -> About {
    About {
        name: "loyal <b>".to_owned(),
        question: "What will this one bring?".to_owned(),
        each: "member".to_owned(),
        unit: "GBP".to_owned(),
        version: "boosted 1".to_owned(),
        warning: String::new(),
        over: "6 months".to_owned(),
        level: 0.9,
        event_value: Some(20.0),
    }
}

fn several() -> Vec<ValueRow> {
    let of = |at: i64| {
        (0..200_usize).map(move |i| {
            let predicted = 1.0 + i as f64;
            let actual = if i % 4 == 0 { 0.0 } else { predicted * 1.3 };
            row(i, at, predicted, actual)
        })
    };
    of(0).chain(of(86_400_000)).collect()
}

#[test]
fn figures_equal_hand_computed_values() {
    let rows = [
        row(0, 0, 1.0, 0.0),
        row(1, 0, 3.0, 8.0),
        row(2, 0, 2.0, 2.0),
        row(3, 0, 6.0, 2.0),
    ];
    let rows: Vec<&ValueRow> = rows.iter().collect();
    let all = group(rows.iter().copied());
    assert_eq!((all.rows, all.predicted, all.actual), (4, 12.0, 12.0));
    // By rising prediction: (1, 2) and (3, 6) with (0, 2) and (8, 2).
    let apart = ((1.5_f64 - 1.0).abs() + (4.5_f64 - 5.0).abs()) / 2.0 / 3.0;
    assert!((group_error(&rows, 2) - apart).abs() < 1e-12);
    assert_eq!(coverage(&rows), Some(0.25));
    assert_eq!(curve(&rows, |row| row.actual)[1], (0.25, 8.0 / 12.0));
    let found = spending(&rows, 2.5);
    let expected = Spending {
        cost: 2.5,
        rows: 2,
        gain: 5.0,
        of_all: 2.0,
        at_best: 5.5,
    };
    assert_eq!(found, expected);
    assert_eq!(by_cohort(&rows)["2024-01"].rows, 2);
    let best: Vec<ValueRow> = (0..9)
        .map(|i| row(i, 0, i as f64, (i * i) as f64))
        .collect();
    assert!((ordering(&best.iter().collect::<Vec<_>>()) - 1.0).abs() < 1e-12);
}

#[test]
fn the_floor_is_that_of_poisson_counts() {
    // The reference's figures of the mean absolute deviation lie a little below: they are of the
    // median. At four events a year it is 0.39, at one 0.736.
    for (rate, expected) in [(1.0, 0.7358), (4.0, 0.3907), (28.0, 0.1504)] {
        let one = [row(0, 0, rate * 20.0, 0.0)];
        let found = floor(&one.iter().collect::<Vec<_>>(), 20.0);
        assert!((found - expected).abs() < 2e-3, "{rate}: {found}");
    }
}

#[test]
fn a_page_asks_for_nothing_and_its_tags_close() {
    let page = html(&about(), &several()).unwrap();
    for outside in ["http", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.contains("loyal &lt;b&gt;") && page.contains("orders &amp; more"));
    assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
    for tag in ["section", "svg", "table", "text", "p", "div", "main"] {
        let opened =
            page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        let closed = page.matches(&format!("</{tag}>")).count();
        assert_eq!(opened, closed, "{tag}");
    }
    for title in [
        "by tenth",
        "Calibration",
        "Gains",
        "cohort",
        "Drivers",
        "Stability",
        "spend on",
        "not",
    ] {
        assert!(page.contains(title), "{title}");
    }
}

#[test]
fn nothing_to_judge_gives_no_page() {
    assert_eq!(html(&about(), &[]), None);
    assert_eq!(html(&about(), &[row(0, 0, 3.0, 0.0)]), None);
}
