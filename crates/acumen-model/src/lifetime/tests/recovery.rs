//! Parameters are found again in customers that were made from them.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution, Exp, Gamma};

use super::*;

const CUSTOMERS: usize = 20_000;

fn gamma(rng: &mut ChaCha8Rng, shape: f64, scale: f64) -> f64 {
    Gamma::new(shape, 1.0 / scale)
        .unwrap()
        .sample(rng)
        .max(1e-12)
}

/// Purchases at a rate until `stops` says so, watched for up to `age`.
fn watched(
    rng: &mut ChaCha8Rng,
    rate: f64,
    age: f64,
    mut stops: impl FnMut(&mut ChaCha8Rng, f64) -> bool,
) -> History {
    let mut of = history(0.0, 0.0, age);
    loop {
        let next = of.last + Exp::new(rate).unwrap().sample(rng);
        if next > age || stops(rng, next) {
            return of;
        }
        (of.repeats, of.last) = (of.repeats + 1.0, next);
    }
}

fn bg_nbd_customers(model: &BgNbd, seed: u64) -> Vec<(History, f64)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let customer = |rng: &mut ChaCha8Rng| {
        let rate = gamma(rng, model.r, model.alpha);
        let stopping = Beta::new(model.a, model.b).unwrap().sample(rng);
        let age = rng.random_range(20.0..80.0);
        // The stop comes after a purchase: the next one is the first that is not seen.
        let mut has_stopped = false;
        watched(rng, rate, age, |rng, _| {
            let is_over = has_stopped;
            has_stopped = rng.random_bool(stopping);
            is_over
        })
    };
    (0..CUSTOMERS).map(|_| (customer(&mut rng), 1.0)).collect()
}

fn pareto_nbd_customers(model: &ParetoNbd, seed: u64) -> Vec<(History, f64)> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let customer = |rng: &mut ChaCha8Rng| {
        let rate = gamma(rng, model.r, model.alpha);
        let end = Exp::new(gamma(rng, model.s, model.beta))
            .unwrap()
            .sample(rng);
        let age = rng.random_range(20.0..80.0);
        watched(rng, rate, age, |_, next| next > end)
    };
    (0..CUSTOMERS).map(|_| (customer(&mut rng), 1.0)).collect()
}

fn close(found: &[f64], truth: &[f64], tolerance: f64) {
    for (found_one, true_one) in found.iter().zip(truth) {
        let off = (found_one / true_one).ln().abs();
        assert!(off < tolerance, "{found:?} for {truth:?}");
    }
}

#[test]
fn bg_nbd_is_found_again() {
    for (seed, truth) in [
        [0.5, 6.0, 1.2, 3.0],
        [2.0, 30.0, 0.6, 1.5],
        [0.24, 4.4, 0.8, 2.4],
    ]
    .into_iter()
    .enumerate()
    {
        let customers = bg_nbd_customers(&BgNbd::of(truth), seed as u64);
        let found = fit::<BgNbd>(&Histories::new(&customers).unwrap());
        close(&found.process.parameters(), &truth, 0.25);
        let at_truth = log_likelihood(&BgNbd::of(truth), &Histories::new(&customers).unwrap());
        assert!(found.log_likelihood >= at_truth.value, "{found:?}");
    }
}

#[test]
fn pareto_nbd_is_found_again() {
    for (seed, truth) in [[0.55, 10.6, 0.6, 11.7], [2.0, 10.0, 1.0, 30.0]]
        .into_iter()
        .enumerate()
    {
        let customers = pareto_nbd_customers(&ParetoNbd::of(truth), seed as u64);
        let found = fit::<ParetoNbd>(&Histories::new(&customers).unwrap());
        close(&found.process.parameters(), &truth, 0.35);
        let at_truth = log_likelihood(&ParetoNbd::of(truth), &Histories::new(&customers).unwrap());
        assert!(found.log_likelihood >= at_truth.value, "{found:?}");
    }
}

#[test]
fn gamma_gamma_is_found_again_in_any_currency() {
    let truth = GammaGamma {
        p: 6.0,
        q: 4.0,
        v: 15.0,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let customers: Vec<(Spend, f64)> = (0..CUSTOMERS)
        .map(|_| {
            let scale = gamma(&mut rng, truth.q, truth.v);
            let purchases = f64::from(rng.random_range(1..8));
            let mean = gamma(&mut rng, truth.p * purchases, scale * purchases);
            (Spend { purchases, mean }, 1.0)
        })
        .collect();
    let found = GammaGamma::fit(&customers).unwrap();
    close(
        &[found.p, found.q, found.v],
        &[truth.p, truth.q, truth.v],
        0.1,
    );
    let pence = customers.iter().map(|(spend, weight)| {
        let mean = 100.0 * spend.mean;
        (Spend { mean, ..*spend }, *weight)
    });
    let in_pence = GammaGamma::fit(&pence.collect::<Vec<_>>()).unwrap();
    close(
        &[in_pence.p, in_pence.q, in_pence.v],
        &[found.p, found.q, 100.0 * found.v],
        1e-5,
    );
}

/// What was expected of all comes about, and the unit of time is no part of it.
#[test]
fn the_total_is_right_in_any_unit() {
    let truth = BgNbd {
        r: 0.5,
        alpha: 6.0,
        a: 1.2,
        b: 3.0,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let (mut before, mut bought) = (Vec::new(), 0.0);
    for (whole, _) in bg_nbd_customers(&truth, 8) {
        // The first part is seen, the rest is the future; times within are uniform.
        let now = whole.age / 2.0;
        let mut times: Vec<f64> = (1..whole.repeats as usize)
            .map(|_| rng.random_range(0.0..whole.last))
            .collect();
        times.extend((whole.repeats > 0.0).then_some(whole.last));
        let (seen, later): (Vec<f64>, Vec<f64>) = times.into_iter().partition(|time| *time <= now);
        let last = seen.iter().copied().fold(0.0, f64::max);
        before.push((history(seen.len() as f64, last, now), whole.age - now));
        bought += later.len() as f64;
    }
    let total = |unit: f64| -> f64 {
        let scaled =
            |(of, _): &(History, f64)| (history(of.repeats, of.last * unit, of.age * unit), 1.0);
        let customers: Vec<(History, f64)> = before.iter().map(scaled).collect();
        let model = fit::<BgNbd>(&Histories::new(&customers).unwrap()).process;
        let of = customers.iter().zip(&before);
        of.map(|((of, _), (_, horizon))| model.expected(of, horizon * unit))
            .sum()
    };
    let (weeks, seconds) = (total(1.0), total(604_800.0));
    assert!((weeks / bought - 1.0).abs() < 0.03, "{weeks} for {bought}");
    assert!((weeks / seconds - 1.0).abs() < 1e-5, "{weeks} {seconds}");
}
