//! The same question in a world whose truth is known: what better lists change, by an experiment.
//!
//! In a storefront world (`usecases/recommendations/world.yaml`, frozen) lists are dressed by what
//! is popular for four weeks. Then visitors are assigned to two use cases that run over one log: the
//! current system, an item-kNN (`projects/storefront`), or the recommendations use case as it is.
//! Both learn anew every day from everything that happened, in either arm. The item-kNN is chosen
//! among [`Choice::all`] by how well it holds what visitors took next at the end of the log of
//! another world. The figures are of worlds of further seeds, added up. What one reaches who knows
//! every chance is beside them.

mod choices;
mod shop;
mod trial;

use acumen_base::{Seed, Span, Time};
use acumen_sim::world::storefront::{Aim, Parameters};
use acumen_value::experiment::{ConfidenceSequence, Difference, sample_ratio};
use serde_json::{Value, json};

use crate::report::{Failure, all, row, table};
use crate::settings::{Settings, workspace};

use choices::Choice;
use shop::{Declared, Past};
use trial::{Arm, Maker, Stage};

/// Days before the experiment, and of it.
const LOG_DAYS: i64 = 28;
const TRIAL_DAYS: i64 = 21;
/// The seed of the world in which everything is chosen; nothing is measured in it.
const CHOICE_SEED: u64 = 1_001;
/// How many worlds are measured.
const WORLDS: u64 = 4;

/// The arms: use cases.
const ARMS: [&str; 2] = ["current", "recommendations"];

/// What is compared, and by how much it is to be better.
const METRICS: [(&str, f64); 3] = [
    ("click_through", 0.08),
    ("conversion", 0.12),
    ("revenue_per_user", 0.15),
];

/// Runs the measurement.
pub(super) fn run(settings: &Settings) -> Result<Value, Failure> {
    let file = "usecases/recommendations/world.yaml";
    let text = std::fs::read_to_string(workspace(file))?;
    let parameters = Parameters::parse(&text, file).map_err(all)?;
    let knn = choose(&parameters)?;
    println!("the item-kNN with the largest gain: {knn}");
    let tried = std::fs::read_to_string(workspace("usecases/recommendations/usecase.yaml"))?;
    let use_cases = [
        (ARMS[0].to_owned(), knn.use_case(ARMS[0])),
        (ARMS[1].to_owned(), tried),
    ];
    let (mut arms, mut best) = ([Arm::default(); 2], Arm::default());
    for seed in (0..WORLDS).map(|world| settings.seed + world) {
        let (found, ceiling) = measure(&parameters, Seed(seed), &use_cases)?;
        println!("\nworld of seed {seed}");
        show(&found, &ceiling);
        arms.iter_mut()
            .zip(&found)
            .for_each(|(sum, one)| sum.merge(one));
        best.merge(&ceiling);
    }
    println!("\n{WORLDS} worlds together");
    show(&arms, &best);
    Ok(told(&arms, &best, &knn.to_string()))
}

/// When a part of a world's days is over.
fn after(parameters: &Parameters, days: i64) -> Time {
    parameters.start() + Span::days(days)
}

/// The world after the first weeks, and a shop that was told of them.
fn begin(
    parameters: &Parameters,
    seed: Seed,
    use_cases: &[Declared],
) -> Result<(Stage, Past), Failure> {
    let mut past = Past::new(use_cases)?;
    let mut stage = Stage::new(parameters, seed, past.types())?;
    stage.play(after(parameters, LOG_DAYS), seed, Maker::Dressed(&mut past))?;
    Ok((stage, past))
}

/// The item-kNN that holds best what visitors took next.
fn choose(parameters: &Parameters) -> Result<Choice, Failure> {
    let named: Vec<(String, Choice)> = (0..)
        .map(|number: usize| format!("choice-{number}"))
        .zip(Choice::all())
        .collect();
    let use_cases: Vec<Declared> = named
        .iter()
        .map(|(name, choice)| (name.clone(), choice.use_case(name)))
        .collect();
    let (_, mut past) = begin(parameters, Seed(CHOICE_SEED), &use_cases)?;
    let mut best: Option<(f64, Choice)> = None;
    for (name, choice) in named {
        let gain = past.gain(&name)?;
        println!("  {gain:.4}  {choice}");
        if best.as_ref().is_none_or(|(before, _)| gain > *before) {
            best = Some((gain, choice));
        }
    }
    best.map(|(_, choice)| choice)
        .ok_or_else(|| Failure::new("there is nothing to choose among"))
}

/// The experiment in one world, and what one reaches in it who knows every chance.
fn measure(
    parameters: &Parameters,
    seed: Seed,
    use_cases: &[Declared],
) -> Result<([Arm; 2], Arm), Failure> {
    let (mut stage, past) = begin(parameters, seed, use_cases)?;
    let until = after(parameters, LOG_DAYS + TRIAL_DAYS);
    let salt = seed.derive("arms");
    let ceiling = stage.clone().play(until, salt, Maker::Best(Aim::Revenue))?;
    let mut shop = past.open(after(parameters, LOG_DAYS))?;
    let found = stage.play(until, salt, Maker::Shop(&mut shop, &ARMS))?;
    shop.close()?;
    Ok(([found[0], found[1]], ceiling[0]))
}

/// The three metrics of an arm.
fn of(arm: &Arm) -> [f64; 3] {
    [
        arm.click_through.ratio(),
        arm.conversion.ratio(),
        arm.revenue.mean(),
    ]
}

/// By how much the second arm is better, as shares of the first.
fn lifts([current, tried]: &[Arm; 2]) -> [Option<Difference>; 3] {
    let sequence = ConfidenceSequence {
        tuned_for: current.revenue.count + tried.revenue.count,
        ..ConfidenceSequence::default()
    };
    [
        sequence.relative_of_ratios(&current.click_through, &tried.click_through),
        sequence.relative_of_ratios(&current.conversion, &tried.conversion),
        sequence.relative(&current.revenue, &tried.revenue),
    ]
}

fn show(arms: &[Arm; 2], best: &Arm) {
    let head = [
        "",
        "current",
        "tried",
        "change",
        "95 % interval at any time",
        "ceiling",
    ];
    let mut lines = vec![row(head)];
    let values = arms.each_ref().map(of);
    for (at, (name, _)) in METRICS.iter().enumerate() {
        let lift = lifts(arms)[at];
        let share = |value: f64| format!("{:+.1} %", 100.0 * value);
        lines.push(vec![
            (*name).to_owned(),
            format!("{:.4}", values[0][at]),
            format!("{:.4}", values[1][at]),
            lift.map_or_else(String::new, |lift| share(lift.estimate)),
            lift.map_or_else(String::new, |lift| {
                format!("{} to {}", share(lift.low), share(lift.high))
            }),
            format!("{:.4}", of(best)[at]),
        ]);
    }
    table(&lines);
    for (name, arm) in ARMS.iter().zip(arms) {
        println!(
            "{name}: {} units, {} lists; a list has {:.3} clicks, {:.4} purchases, {:.2} GBP on \
             average, of {:.3}, {:.4} and {:.2} that the best for the same visit has",
            arm.revenue.count,
            arm.lists,
            arm.expected.clicks / arm.lists,
            arm.expected.purchases / arm.lists,
            arm.expected.pence / 100.0 / arm.lists,
            arm.best.clicks / arm.lists,
            arm.best.purchases / arm.lists,
            arm.best.pence / 100.0 / arm.lists,
        );
    }
}

fn told(arms: &[Arm; 2], best: &Arm, knn: &str) -> Value {
    let values = arms.each_ref().map(of);
    let each = METRICS.iter().zip(lifts(arms)).enumerate();
    let mut figures: serde_json::Map<_, _> = each
        .map(|(at, ((name, wanted), lift))| {
            let figure = json!({
                "current": values[0][at], "tried": values[1][at], "ceiling": of(best)[at],
                "lift": lift, "wanted": wanted,
            });
            ((*name).to_owned(), figure)
        })
        .collect();
    let units = arms.each_ref().map(|arm| arm.revenue.count as u64);
    figures.insert("units".into(), json!(units));
    figures.insert(
        "sample_ratio".into(),
        json!(sample_ratio(&units, &[0.5, 0.5])),
    );
    let a_list = arms.each_ref().map(|arm| {
        let share = [
            arm.expected.clicks / arm.best.clicks,
            arm.expected.purchases / arm.best.purchases,
            arm.expected.pence / arm.best.pence,
        ];
        json!({"clicks": share[0], "purchases": share[1], "revenue": share[2]})
    });
    figures.insert("share_of_the_best_list".into(), json!(a_list));
    figures.insert("item_knn".into(), json!(knn));
    figures.into()
}
