//! How long models of lifetime value take on many customers:
//! `cargo run --release -p acumen-model --example lifetime_speed [CUSTOMERS]`.
//!
//! Customers are made from a BG/NBD model, once with times to the second and once to the day, where
//! many histories are equal. Each line says how many distinct histories there are, how long it took
//! to fit, and how long to expect every customer's purchases in a year.

use std::time::Instant;

use acumen_model::lifetime::{
    BgNbd, GammaGamma, Histories, History, ParetoNbd, PurchaseProcess, Spend, fit,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution, Exp, Gamma};
use rayon::prelude::*;

const DAYS: f64 = 730.0;
const SHAPE: f64 = 0.6;
const SCALE: f64 = 30.0;

fn main() {
    let count = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |text| text.parse());
    let Ok(count) = count else {
        eprintln!("give a number of customers, such as 1000000");
        std::process::exit(2);
    };
    let exact = customers(count);
    let by_day: Vec<(History, f64)> = exact
        .iter()
        .map(|(of, weight)| (whole_days(of), *weight))
        .collect();
    for (times, customers) in [("to the second", &exact), ("to the day", &by_day)] {
        measure::<BgNbd>("BG/NBD", times, customers);
        measure::<ParetoNbd>("Pareto/NBD", times, customers);
    }
    let spends = spends(&exact);
    let (model, seconds) = timed(|| GammaGamma::fit(&spends));
    match model {
        Ok(GammaGamma { p, q, v }) => {
            println!("Gamma-Gamma: fit {seconds:.2} s (p {p:.3}, q {q:.3}, v {v:.3})");
        }
        Err(error) => eprintln!("{error}"),
    }
}

fn measure<P: PurchaseProcess>(name: &str, times: &str, customers: &[(History, f64)]) {
    let (found, fitting) = timed(|| {
        let histories = Histories::new(customers)?;
        Ok::<_, acumen_model::LifetimeError>((histories.distinct(), fit::<P>(&histories)))
    });
    let (distinct, found) = match found {
        Ok(found) => found,
        Err(error) => {
            eprintln!("{error}");
            return;
        }
    };
    let expect = |(of, _): &(History, f64)| found.process.expected(of, 365.0);
    let (total, scoring) = timed(|| customers.par_iter().map(expect).collect::<Vec<f64>>());
    println!(
        "{name}, times {times}: {distinct} distinct, fit {fitting:.2} s in {} steps, scored {scoring:.2} s, \
         {:.0} purchases expected, {:.3?}",
        found.iterations,
        total.iter().sum::<f64>(),
        found.process.parameters(),
    );
}

fn timed<R>(work: impl FnOnce() -> R) -> (R, f64) {
    #[expect(clippy::disallowed_methods, reason = "a measurement")]
    let start = Instant::now();
    let done = work();
    (done, start.elapsed().as_secs_f64())
}

/// Customers who first bought at some second of the last two years.
fn customers(count: usize) -> Vec<(History, f64)> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let rates = Gamma::new(SHAPE, 1.0 / SCALE).expect("a shape and a scale above 0");
    let stops = Beta::new(0.8, 2.4).expect("two shapes above 0");
    let customer = |rng: &mut ChaCha8Rng| {
        let rate: f64 = f64::max(rates.sample(rng), 1e-9);
        let gaps = Exp::new(rate).expect("a rate above 0");
        let stop: f64 = stops.sample(rng);
        let mut of = History {
            age: rng.random_range(1.0..DAYS),
            ..History::NEW
        };
        while !rng.random_bool(stop) || of.repeats == 0.0 {
            let next = of.last + gaps.sample(rng);
            if next > of.age {
                break;
            }
            (of.repeats, of.last) = (of.repeats + 1.0, next);
        }
        (of, 1.0)
    };
    (0..count).map(|_| customer(&mut rng)).collect()
}

fn whole_days(of: &History) -> History {
    History {
        last: of.last.floor(),
        age: of.age.floor(),
        ..*of
    }
}

fn spends(customers: &[(History, f64)]) -> Vec<(Spend, f64)> {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let scales = Gamma::new(4.0, 1.0 / 15.0).expect("a shape and a scale above 0");
    let spend = |(of, weight): &(History, f64)| {
        let scale: f64 = f64::max(scales.sample(&mut rng), 1e-9);
        let purchases = of.repeats;
        let shape = f64::max(6.0 * purchases, 1.0);
        let spent = Gamma::new(shape, 1.0 / scale).expect("a shape and a scale above 0");
        let mean = spent.sample(&mut rng) / f64::max(purchases, 1.0);
        (Spend { purchases, mean }, *weight)
    };
    customers.iter().map(spend).collect()
}
