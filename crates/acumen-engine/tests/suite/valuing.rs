//! Rows at origins, what followed them, and the models of it.

use acumen_base::{CalendarSpan, Time};
use acumen_engine::{
    OriginRows, TrainOptions, evaluate_values, origin_rows, report_values, train_with,
};
use acumen_model::{Metrics, RegressionMetrics};

use super::regulars::{LASTS, Regulars, START, Told};
use super::shop::days;

fn date(text: &str) -> Time {
    text.parse().unwrap()
}

fn column<'a>(rows: &'a OriginRows, name: &str) -> &'a [f64] {
    &rows.data[rows.columns.position(name).unwrap()]
}

/// The orders of a customer up to a time, as days and cents.
fn orders_until(told: &[Told], id: &str, at: Time) -> Vec<(i64, i64)> {
    let of = told
        .iter()
        .filter(|(who, when, cents)| who == id && *when <= at && *cents > 0);
    of.map(|(_, when, cents)| (when.day(), *cents)).collect()
}

#[test]
fn rows_at_origins_hold_what_was_known_and_what_followed() {
    let (regulars, told) = Regulars::grown(60);
    let times = [date("2026-04-01"), date("2026-09-15T13:00:00Z")];
    let rows = origin_rows(&regulars.sources(), 0, &times, &mut |_| ()).unwrap();
    assert!(
        rows.len() > 60 && rows.outside > 0,
        "{} {}",
        rows.len(),
        rows.outside
    );
    assert!(rows.uncounted.without_id > 0 && rows.uncounted.without_amount == 0);
    for row in 0..rows.len() {
        let (id, at) = (&*rows.ids[row], rows.at[row]);
        let orders = orders_until(&told, id, at);
        let mut by_day: Vec<i64> = orders.iter().map(|(day, _)| *day).collect();
        by_day.dedup();
        assert_eq!(
            column(&rows, "bought.count")[row],
            by_day.len() as f64,
            "{id} at {at}"
        );
        let age = (at.0 - by_day[0] * 86_400_000) as f64 / 86_400_000.0;
        assert_eq!(column(&rows, "bought.age")[row], age);
        let spent: i64 = orders.iter().map(|(_, cents)| cents).sum();
        assert!((column(&rows, "spent.sum_all")[row] - spent as f64 / 100.0).abs() < 1e-9);
        let each = column(&rows, "per_order")[row];
        assert!((each - spent as f64 / 100.0 / orders.len() as f64).abs() < 1e-9);
        let until = CalendarSpan::Months(2).after(at);
        let later = told
            .iter()
            .filter(|(who, when, _)| who == id && *when > at && *when <= until);
        let sum: i64 = later.map(|(_, _, cents)| cents).sum();
        let expected = (sum as f64 / 100.0).max(0.0);
        assert!(
            (rows.target[row] - expected).abs() < 1e-9,
            "{id} at {at}: {expected}"
        );
    }
}

#[test]
fn a_row_at_an_origin_does_not_depend_on_what_came_later() {
    let (regulars, _) = Regulars::grown(40);
    let at = date("2026-06-01");
    let alone = origin_rows(&regulars.sources(), 0, &[at], &mut |_| ()).unwrap();
    let among = [date("2026-03-01"), at, date("2026-11-01")];
    let among = origin_rows(&regulars.sources(), 0, &among, &mut |_| ()).unwrap();
    let first = among.at.iter().position(|time| *time == at).unwrap();
    assert_eq!(among.ids[first..first + alone.len()], alone.ids);
    for (one, all) in alone.data.iter().zip(&among.data) {
        assert!(acumen_base::row::same_bits(
            one,
            &all[first..first + alone.len()]
        ));
    }
}

#[test]
fn the_best_of_several_models_is_fitted_again_and_deployed() {
    let (regulars, _) = Regulars::grown(400);
    let trained = regulars.train();
    let [model] = trained.models.as_slice() else {
        panic!("one model goes live, not {}", trained.models.len());
    };
    let table = model.artifact.candidates.as_ref().unwrap();
    assert_eq!(table.list.len(), 3);
    assert_eq!(table.list[0].member, model.name);
    assert!(
        table
            .list
            .windows(2)
            .all(|pair| pair[0].value <= pair[1].value)
    );
    // What they were fitted to was known before the rows that they were compared on were read.
    let over = CalendarSpan::Months(2);
    let [judged] = table.judged_at[..] else {
        panic!("{:?}", table.judged_at);
    };
    assert!(
        table.fitted_at.iter().all(|at| over.after(*at) <= judged),
        "{table:?}"
    );
    assert!(
        table
            .refitted_at
            .iter()
            .all(|at| over.after(*at) <= START + days(LASTS))
    );
    assert!(table.refitted_at.contains(&judged));
    let Metrics::Regression(RegressionMetrics {
        normalised_mae,
        normalised_gini,
        interval_coverage,
        ..
    }) = &model.artifact.test_metrics
    else {
        panic!("a sum is predicted");
    };
    assert!(normalised_mae.unwrap() < 0.9, "{normalised_mae:?}");
    assert!(normalised_gini.unwrap() > 0.6, "{normalised_gini:?}");
    assert!(
        (0.8..=1.0).contains(&interval_coverage.unwrap()),
        "{interval_coverage:?}"
    );
    let card = regulars
        .folder()
        .models()
        .join("regulars")
        .join(&model.name);
    let card = std::fs::read_to_string(card.join(&model.version).join("card.md")).unwrap();
    for text in [
        "history (`bg_nbd`)",
        "boosted (`xgboost`)",
        "plain (`xgboost`)",
        "all keys at a later origin",
    ] {
        assert!(card.contains(text), "{text} in {card}");
    }
    assert_eq!(regulars.train().models[0].version, model.version);
    let engine = regulars.open();
    assert!(
        engine.readiness().unwrap().ready,
        "{:?}",
        engine.readiness()
    );
    engine.close().unwrap();

    let found = evaluate_values(&regulars.sources(), 0, None, &mut |_| ()).unwrap();
    assert_eq!(over.after(found.at), found.until);
    assert!(found.warning.contains("flatter"), "{}", found.warning);
    assert_eq!(found.tenths.len(), 10);
    assert!(
        (found.predicted / found.actual - 1.0).abs() < 0.2,
        "{found:?}"
    );

    let (same, page) = report_values(&regulars.sources(), 0, None, &mut |_| ()).unwrap();
    assert_eq!((same.rows, same.outside), (found.rows, found.outside));
    assert_eq!(same.predicted, found.predicted);
    let page = page.unwrap();
    for part in ["<svg", "bought.count", "Residuals by cohort", "2026-"] {
        assert!(page.contains(part), "{part}");
    }
    let stability = &page[page.find("Stability over time").unwrap()..];
    let earlier = over.before(found.at).to_string();
    assert!(stability.contains(&earlier[..10]), "{earlier}");
}

#[test]
fn origins_that_cannot_be_learnt_from_are_refused_with_those_that_can() {
    let (mut regulars, _) = Regulars::grown(30);
    let train = |regulars: &Regulars, as_of| {
        let options = TrainOptions {
            as_of,
            ..TrainOptions::default()
        };
        train_with(&regulars.sources(), 0, options, &mut |_| ())
            .unwrap_err()
            .to_string()
    };
    let few = train(&regulars, Some(START + days(80)));
    assert!(
        few.contains("has 0 origin(s)") || few.contains("has 1 origin(s)"),
        "{few}"
    );
    assert!(few.contains("at least 2 are needed"), "{few}");
    let every = "origins: {every: 1mo}";
    regulars.redefine(&[(every, "origins: [2026-05-01, 2027-02-01]")]);
    let late = train(&regulars, None);
    assert!(
        late.contains("the latest origin that works is 2026-12-2"),
        "{late}"
    );
    regulars.redefine(&[(every, "origins: {every: 1y, season: 1mo}")]);
    let rare = train(&regulars, None);
    assert!(rare.contains("season: any"), "{rare}");
    let found = evaluate_values(
        &regulars.sources(),
        0,
        Some(date("2027-02-01")),
        &mut |_| (),
    );
    let found = found.unwrap_err().to_string();
    assert!(found.contains("the latest time that works"), "{found}");
}
