//! The same question in a world whose truth is known: what better lists change, by an experiment.
//!
//! In a storefront world (`usecases/recommendations/world.yaml`, frozen) lists are dressed by what
//! is popular for four weeks. Then visitors are assigned to the current system, an item-kNN, or to
//! what is tried, for another four; both learn anew every day from everything that happened, in
//! either arm. Parameters of the item-kNN are those with the most purchases in another world, of
//! which the truth says how many there are on average; so is what is tried. The figures are of
//! worlds of other seeds, added up. What one reaches who knows every chance is beside them.

mod plans;
mod shelf;
mod shop;
mod trial;

use acumen_base::{Seed, Span, Time};
use acumen_sim::world::storefront::{Aim, Parameters};
use acumen_value::experiment::{ConfidenceSequence, Difference, sample_ratio};
use serde_json::{Value, json};

use crate::report::{Failure, all, row, table};
use crate::settings::{Settings, workspace};

use plans::{choices, current, tried};
use shop::{Plan, Shop};
use trial::{Arm, Maker, Stage};

/// Days before the experiment, and those by which parameters are chosen.
const LOG_DAYS: i64 = 28;
const CHOICE_DAYS: i64 = 7;
/// The seed of the world in which everything is chosen; nothing is measured in it.
const CHOICE_SEED: u64 = 1_001;
/// How many worlds are measured.
const WORLDS: u64 = 4;

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
    println!("the item-kNN with the most purchases: {knn}");
    let plans = [current(&knn), tried(&knn)];
    let (mut arms, mut best) = ([Arm::default(); 2], Arm::default());
    for seed in (0..WORLDS).map(|world| settings.seed + world) {
        let (found, ceiling) = measure(&parameters, Seed(seed), &plans)?;
        println!("\nworld of seed {seed}");
        show(&found, &ceiling);
        arms.iter_mut()
            .zip(&found)
            .for_each(|(sum, one)| sum.merge(one));
        best.merge(&ceiling);
    }
    println!("\n{WORLDS} worlds together");
    show(&arms, &best);
    Ok(told(&arms, &best, &knn))
}

/// When a part of a world's days is over.
fn after(parameters: &Parameters, days: i64) -> Time {
    parameters.start() + Span::days(days)
}

/// The world after the first weeks, and what was learnt in them.
fn begin(parameters: &Parameters, seed: Seed, plan: &Plan) -> Result<(Stage, Shop), Failure> {
    let (mut stage, mut shop) = (Stage::new(parameters, seed)?, Shop::new(plan.clone()));
    let until = after(parameters, LOG_DAYS);
    stage.play(until, seed, &mut [Maker::Dressed(vec![&mut shop])])?;
    Ok((stage, shop))
}

/// The parameters of the item-kNN with the most purchases in a week.
fn choose(parameters: &Parameters) -> Result<Value, Failure> {
    let choices = choices();
    let (stage, shop) = begin(parameters, Seed(CHOICE_SEED), &current(&choices[0]))?;
    let mut best: Option<(f64, Value)> = None;
    for choice in choices {
        let found = chosen_by(parameters, &stage, &shop, &current(&choice))?;
        println!("  {choice}: {found:.4} purchases a hundred lists");
        if best.as_ref().is_none_or(|(before, _)| found > *before) {
            best = Some((found, choice));
        }
    }
    best.map(|(_, choice)| choice)
        .ok_or_else(|| Failure::new("there is nothing to choose among"))
}

/// Purchases a hundred lists, on average, where everybody has the lists of a plan.
fn chosen_by(
    parameters: &Parameters,
    stage: &Stage,
    shop: &Shop,
    plan: &Plan,
) -> Result<f64, Failure> {
    let (mut stage, mut shop) = (stage.clone(), shop.with(plan.clone()));
    let until = after(parameters, LOG_DAYS + CHOICE_DAYS);
    let found = stage.play(until, Seed(0), &mut [Maker::Learnt(&mut shop)])?;
    Ok(100.0 * found[0].expected.purchases / found[0].lists)
}

/// The experiment in one world, and what one reaches in it who knows every chance.
fn measure(
    parameters: &Parameters,
    seed: Seed,
    plans: &[Plan; 2],
) -> Result<([Arm; 2], Arm), Failure> {
    let (stage, shop) = begin(parameters, seed, &plans[0])?;
    let until = after(parameters, i64::from(parameters.days) + 1);
    let salt = seed.derive("arms");
    let mut oracle = stage.clone();
    let ceiling = oracle.play(until, salt, &mut [Maker::Best(Aim::Revenue)])?;
    let [mut current, mut tried] = plans.clone().map(|plan| shop.with(plan));
    let mut arms = [Maker::Learnt(&mut current), Maker::Learnt(&mut tried)];
    let found = stage.clone().play(until, salt, &mut arms)?;
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
    for (name, arm) in ["current", "tried"].iter().zip(arms) {
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

fn told(arms: &[Arm; 2], best: &Arm, knn: &Value) -> Value {
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
    figures.insert("item_knn".into(), knn.clone());
    figures.into()
}
