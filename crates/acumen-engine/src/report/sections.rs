//! The sections of the page, each with what it shows in words.

use super::chart::{Chart, Scale};
use super::measures::{
    Group, by_cohort, by_time, costs, coverage, curve, floor, group, group_error, groups, ordering,
    row_error, spending,
};
use super::page::{day, escaped, key, section, table};
use super::{About, ValueRow, measures};

/// Cohorts and drivers that are shown.
const SHOWN_MAX: usize = 24;

/// A whole number with thousands apart.
fn count(rows: usize) -> String {
    apart(&rows.to_string())
}

/// A number with thousands apart and no more digits than it deserves.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 1.0 => 1,
        _ => 2,
    };
    let text = format!("{:.digits$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{}{rest}", apart(whole))
}

/// Digits in groups of three.
fn apart(whole: &str) -> String {
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn percent(share: f64) -> String {
    let sign = if share < 0.0 { "−" } else { "" };
    format!("{sign}{:.1} %", (100.0 * share).abs())
}

fn signed(share: f64) -> String {
    let sign = if share >= 0.0 { "+" } else { "" };
    format!("{sign}{}", percent(share))
}

fn mean(sum: f64, of: &Group) -> f64 {
    sum / of.rows.max(1) as f64
}

/// The headline figures.
pub(super) fn summary(about: &About, rows: &[&ValueRow]) -> String {
    let all = group(rows.iter().copied());
    let mut figures = vec![
        (count(all.rows), format!("{}s", about.each)),
        (short(all.predicted), format!("{} predicted", about.unit)),
        (short(all.actual), format!("{} came", about.unit)),
        (
            signed(all.predicted / all.actual - 1.0),
            "error of the total".to_owned(),
        ),
        (
            percent(group_error(rows, 10)),
            "mean error of a tenth".to_owned(),
        ),
        (
            percent(ordering(rows)),
            "of the best possible ranking".to_owned(),
        ),
    ];
    if let Some(held) = coverage(rows) {
        let said = percent(about.level);
        figures.push((percent(held), format!("within intervals of {said}")));
    }
    let figure = |(value, name): &(String, String)| {
        format!("<div><b>{value}</b><span>{}</span></div>", escaped(name))
    };
    let figures: String = figures.iter().map(figure).collect();
    section(
        "At a glance",
        "",
        &format!("<div class=\"figures\">{figures}</div>"),
    )
}

/// What was predicted and what came, by tenth.
pub(super) fn tenths(about: &About, rows: &[&ValueRow]) -> String {
    let tenths = groups(rows, 10);
    let most = tenths.iter().map(|g| mean(g.predicted.max(g.actual), g));
    let y = Scale::linear(0.0, most.fold(0.0, f64::max) * 1.05);
    let mut chart = Chart::new();
    chart.across(y, &short);
    let pair = |(place, tenth): (usize, &Group)| {
        let (predicted, actual) = (mean(tenth.predicted, tenth), mean(tenth.actual, tenth));
        let says = format!("predicted {}, came {}", short(predicted), short(actual));
        (format!("{}", place + 1), predicted, actual, says)
    };
    let pairs: Vec<_> = tenths.iter().enumerate().map(pair).collect();
    chart.pairs(y, &pairs);
    chart.named(&format!(
        "tenth of the {}s, by rising prediction",
        about.each
    ));
    let words = format!(
        "The mean {} of each tenth. What counts for money is that the two bars of a pair are alike.",
        escaped(&about.unit)
    );
    let picture = chart.finish("mean predicted and actual value by tenth");
    let names = key(&[("one", "predicted"), ("two", "came")]);
    section(
        "Predicted and actual, by tenth",
        &words,
        &(names + &picture),
    )
}

/// Whether a prediction means what it says.
pub(super) fn calibration(about: &About, rows: &[&ValueRow]) -> String {
    let points: Vec<(f64, f64)> = groups(rows, 20)
        .iter()
        .map(|g| (mean(g.predicted, g), mean(g.actual, g)))
        .filter(|(predicted, actual)| *predicted > 0.0 && *actual > 0.0)
        .collect();
    let all = || points.iter().flat_map(|point| [point.0, point.1]);
    let scale = Scale::logarithmic(
        all().fold(f64::INFINITY, f64::min) * 0.8,
        all().fold(0.0, f64::max) * 1.25,
    );
    let mut chart = Chart::new();
    chart.across(scale, &short);
    chart.below(scale, &short);
    let ends = all().fold((f64::INFINITY, 0.0_f64), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    chart.line(
        "plain",
        (scale, scale),
        &[(ends.0, ends.0), (ends.1, ends.1)],
    );
    for (predicted, actual) in &points {
        let says = format!("predicted {}, came {}", short(*predicted), short(*actual));
        chart.point("one", (scale, scale), (*predicted, *actual), &says);
    }
    chart.named(&format!("mean predicted {} (logarithmic)", about.unit));
    let words = "Twentieths by rising prediction. On the dashed line, what was predicted is what \
                 came; below it, too much was promised.";
    let picture = chart.finish("mean actual value over mean predicted value, by twentieth");
    section("Calibration", words, &picture)
}

/// How much of what came the first of a ranking bring.
pub(super) fn gains(about: &About, rows: &[&ValueRow]) -> String {
    let unit = Scale::linear(0.0, 1.0);
    let label = |share: f64| format!("{:.0} %", 100.0 * share);
    let mut chart = Chart::new();
    chart.across(unit, &label);
    chart.below(unit, &label);
    let ours = curve(rows, |row| row.predicted);
    chart.line("plain", (unit, unit), &[(0.0, 0.0), (1.0, 1.0)]);
    chart.line("two", (unit, unit), &curve(rows, |row| row.actual));
    chart.line("one", (unit, unit), &ours);
    chart.named(&format!(
        "share of the {}s, best predicted first",
        about.each
    ));
    let first = ours
        .iter()
        .find(|point| point.0 >= 0.1)
        .map_or(0.0, |point| point.1);
    let words = format!(
        "The tenth that was predicted to be worth the most brought {} of everything; a random \
         tenth would bring 10 %.",
        percent(first)
    );
    let picture = chart.finish("share of all value over share of keys, by falling prediction");
    let names = key(&[
        ("one", "this ranking"),
        ("two", "the best possible"),
        ("plain", "chance"),
    ]);
    section("Gains", &words, &(names + &picture))
}

/// Which cohorts were predicted too high or too low.
pub(super) fn cohorts(about: &About, rows: &[&ValueRow]) -> String {
    let mut found: Vec<(String, Group)> = by_cohort(rows).into_iter().collect();
    let left_out = found.len().saturating_sub(SHOWN_MAX);
    found.drain(..left_out);
    let bar = |(name, g): &(String, Group)| {
        let (off, error) = (g.predicted / g.actual - 1.0, 1.645 * g.error / g.actual);
        let capped = off.clamp(-1.5, 1.5);
        (
            format!("{name} ({})", count(g.rows)),
            capped,
            error.min(1.5 - capped.abs()).max(0.0),
            signed(off),
        )
    };
    let bars: Vec<_> = found
        .iter()
        .filter(|(_, g)| g.actual > 0.0)
        .map(bar)
        .collect();
    let more = match left_out {
        0 => String::new(),
        left_out => format!(" The {left_out} first cohorts are not shown."),
    };
    let words = format!(
        "By how much each cohort's total was predicted too high or too low, with what chance \
         alone explains (90 %); the number of {}s in brackets.{more}",
        escaped(&about.each)
    );
    let picture = Chart::bars(&bars).finish("error of the total by cohort");
    section("Residuals by cohort", &words, &picture)
}

/// What moves predictions.
pub(super) fn drivers(about: &About, rows: &[&ValueRow]) -> String {
    let found = measures::drivers(rows);
    if found.is_empty() {
        return String::new();
    }
    let bar = |(name, moved): &(String, f64)| (name.clone(), *moved, 0.0, short(*moved));
    let bars: Vec<_> = found.iter().take(12).map(bar).collect();
    let words = format!(
        "How far each column moves the prediction of a {} on average, on the scale of the model.",
        escaped(&about.each)
    );
    let picture = Chart::bars(&bars).finish("mean absolute contribution of each column");
    section("Drivers", &words, &picture)
}

/// Whether it was as good at earlier origins.
pub(super) fn stability(about: &About, rows: &[ValueRow]) -> String {
    let found = by_time(rows);
    if found.len() < 2 {
        let words = "One origin is judged. Whether it is as good at another time of the year is \
                     not in these figures.";
        return section("Stability over time", words, "");
    }
    let mut lines = vec![
        [
            "predicted at",
            &format!("{}s", about.each),
            "predicted",
            "came",
            "total",
            "tenths",
            "ranking",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for (at, rows) in found {
        let all = group(rows.iter().copied());
        if all.actual > 0.0 {
            lines.push(vec![
                day(at),
                count(all.rows),
                short(all.predicted),
                short(all.actual),
                signed(all.predicted / all.actual - 1.0),
                percent(group_error(&rows, 10)),
                percent(ordering(&rows)),
            ]);
        }
    }
    let words = "The same figures at each origin: error of the total, mean error of a tenth, and \
                 the share of the best possible ranking.";
    section("Stability over time", words, &table(&lines))
}

/// Whom to spend on, and what a new key may cost.
pub(super) fn money(about: &About, rows: &[&ValueRow]) -> String {
    let all = group(rows.iter().copied());
    let usual = mean(all.actual, &all);
    let unit = &about.unit;
    let mut lines = vec![
        [
            format!("cost ({unit})"),
            format!("{}s predicted above it", about.each),
            "gain".to_owned(),
            "if spent on all".to_owned(),
            "with perfect foresight".to_owned(),
        ]
        .to_vec(),
    ];
    for cost in costs(usual) {
        let found = spending(rows, cost);
        lines.push(vec![
            short(found.cost),
            count(found.rows),
            short(found.gain),
            short(found.of_all),
            short(found.at_best),
        ]);
    }
    let mut by = by_cohort(rows).into_iter().collect::<Vec<_>>();
    by.drain(..by.len().saturating_sub(SHOWN_MAX));
    let worth = |(name, g): &(String, Group)| {
        let error = 1.645 * g.error / g.rows.max(1) as f64;
        vec![
            name.clone(),
            count(g.rows),
            short(mean(g.predicted, g)),
            short(mean(g.actual, g)),
            short((mean(g.predicted, g) - error).max(0.0)),
        ]
    };
    let mut paid = vec![
        [
            "cohort",
            &format!("{}s", about.each),
            "predicted",
            "came",
            "pays back up to",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    paid.extend(by.iter().map(worth));
    let words = format!(
        "Spending a cost on every {0} predicted to bring more than it: what was gained, in {1} \
         less that cost. Values are {1} that come in: multiply costs by what is left of them, the \
         margin, before you compare.",
        escaped(&about.each),
        escaped(unit)
    );
    let second = format!(
        "<p>What one {} of each cohort is worth within {}, and up to which cost winning one pays \
         back within that time with a certainty of 95 %.</p>",
        escaped(&about.each),
        escaped(&about.over)
    );
    section(
        "Whom to spend on",
        &words,
        &(table(&lines) + &second + &table(&paid)),
    )
}

/// What is known and what is not.
pub(super) fn limits(about: &About, rows: &[&ValueRow]) -> String {
    let each = escaped(&about.each);
    let error = percent(row_error(rows));
    let chance = match about.event_value {
        Some(value) => format!(
            "Even one who knew exactly how often each {each} will come, and that each time is worth \
             {} {}, would be off by <b>{}</b>: that is chance, and no model removes it. ",
            short(value),
            escaped(&about.unit),
            percent(floor(rows, value))
        ),
        None => String::new(),
    };
    let intervals = match coverage(rows) {
        Some(held) => format!(
            "Intervals were to hold {} of what comes and held {}. ",
            percent(about.level),
            percent(held)
        ),
        None => "There are no intervals: too few rows were held out. ".to_owned(),
    };
    let words = format!(
        "Of a single {each} little is known: predictions are off by <b>{error}</b> of the mean. \
         {chance}{intervals}Groups are known far better: a tenth of the {each}s is off by {} on \
         average, the total by {}. Decide on groups, and use the order within them.",
        percent(group_error(rows, 10)),
        {
            let all = group(rows.iter().copied());
            signed(all.predicted / all.actual - 1.0)
        }
    );
    section("What is known, and what is not", &words, "")
}
