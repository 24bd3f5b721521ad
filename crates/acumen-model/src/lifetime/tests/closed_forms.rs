//! The papers' closed forms, where they keep their digits, against what is computed here.

use super::*;
use crate::special::{ln_beta, ln_gamma};

/// The Gauss hypergeometric function by its series.
fn hypergeometric([a, b, c]: [f64; 3], z: f64) -> f64 {
    let (mut term, mut sum) = (1.0, 1.0);
    for k in 0..100_000 {
        let k = f64::from(k);
        term *= (a + k) * (b + k) / ((c + k) * (k + 1.0)) * z;
        sum += term;
        if term.abs() < 1e-17 * sum.abs() {
            break;
        }
    }
    sum
}

/// Fader, Hardie and Lee 2005, eq. 10.
fn bg_nbd_expected(model: &BgNbd, of: &History, horizon: f64) -> f64 {
    let BgNbd { r, alpha, a, b } = *model;
    let (shape, end) = (r + of.repeats, alpha + of.age + horizon);
    let series = hypergeometric(
        [shape, b + of.repeats, a + b + of.repeats - 1.0],
        horizon / end,
    );
    let stays = ((alpha + of.age) / end).powf(shape) * series;
    (a + b + of.repeats - 1.0) / (a - 1.0) * (1.0 - stays) * model.alive(of)
}

/// Fader and Hardie 2005, "A note on deriving the Pareto/NBD model", eq. 19 to 21.
fn pareto_nbd_likelihood(model: &ParetoNbd, of: &History) -> f64 {
    let ParetoNbd { r, alpha, s, beta } = *model;
    let (x, all) = (of.repeats, r + s + of.repeats);
    let (most, least, second) = match alpha >= beta {
        true => (alpha, beta, s + 1.0),
        false => (beta, alpha, r + x),
    };
    let part = |time: f64| {
        let series = hypergeometric([all, second, all + 1.0], (most - least) / (most + time));
        series / (most + time).powf(all)
    };
    let going = (alpha + of.age).powf(-(r + x)) * (beta + of.age).powf(-s);
    let stopped = s / all * (part(of.last) - part(of.age));
    ln_gamma(r + x) - ln_gamma(r) + r * alpha.ln() + s * beta.ln() + (going + stopped).ln()
}

proptest! {
    #[test]
    fn bg_nbd_expects_what_the_paper_does(
        (r, alpha) in (0.1_f64..5.0, 1.0_f64..50.0),
        (a, b) in (prop_oneof![0.2_f64..0.9, 1.1_f64..4.0], 0.2_f64..5.0),
        of in any_history(),
        horizon in 0.5_f64..60.0,
    ) {
        prop_assume!(of.repeats < 30.0);
        let model = BgNbd { r, alpha, a, b };
        let (found, paper) = (model.expected(&of, horizon), bg_nbd_expected(&model, &of, horizon));
        prop_assert!((found - paper).abs() < 1e-8 * (1.0 + paper), "{found} for {paper}");
    }

    #[test]
    fn pareto_nbd_is_as_likely_as_the_paper_says(
        (r, alpha) in (0.1_f64..5.0, 2.0_f64..30.0),
        (s, beta) in (0.1_f64..5.0, 2.0_f64..30.0),
        of in any_history(),
    ) {
        prop_assume!(of.repeats < 30.0);
        let model = ParetoNbd { r, alpha, s, beta };
        let found = model.count_term(of.repeats).value + model.time_term(&of).value;
        let paper = pareto_nbd_likelihood(&model, &of);
        prop_assert!((found - paper).abs() < 1e-8 * (1.0 + paper.abs()), "{found} for {paper}");
    }
}

/// At a = 1 the closed form is 0/0; what is computed goes through there smoothly.
#[test]
fn bg_nbd_has_no_gap_at_one() {
    let of = history(3.0, 20.0, 30.0);
    let at = |a: f64| {
        BgNbd {
            r: 0.5,
            alpha: 6.0,
            a,
            b: 2.0,
        }
        .expected(&of, 20.0)
    };
    let between = (at(1.0 - 1e-4) + at(1.0 + 1e-4)) / 2.0;
    assert!((at(1.0) - between).abs() < 1e-7, "{} {between}", at(1.0));
}

/// A customer of whom 300 purchases are known, then nothing: the closed form underflows.
#[test]
fn heavy_buyers_stay_finite() {
    let of = history(300.0, 5.0, 700.0);
    let bg = BgNbd {
        r: 0.3,
        alpha: 4.0,
        a: 0.8,
        b: 2.5,
    };
    let pareto = ParetoNbd {
        r: 0.5,
        alpha: 10.0,
        s: 0.6,
        beta: 11.0,
    };
    for value in [
        bg.time_term(&of).value + bg.count_term(of.repeats).value,
        pareto.time_term(&of).value + pareto.count_term(of.repeats).value,
    ] {
        assert!(value.is_finite());
    }
    assert!(bg.alive(&of) < 1e-100 && pareto.alive(&of) < 1e-100);
    // Somebody who was here yesterday is expected to buy on at the old rate.
    let of = history(300.0, 699.0, 700.0);
    let rate = (0.3 + 300.0) / 704.0 * 1_000.0;
    assert!((bg.expected(&of, 1_000.0) / rate - 0.8).abs() < 0.25);
    // Beta functions of a homogeneous crowd.
    let crowd = BgNbd {
        a: 1e5,
        b: 1e6,
        ..bg
    };
    assert!(ln_beta(crowd.a, crowd.b).is_finite() && crowd.expected(&of, 52.0) > 0.0);
}
