//! Published vectors, and what holds by chance.

use acumen_base::Seed;
use acumen_base::random::Stream;

use super::*;

fn near(found: f64, wanted: f64, within: f64) {
    assert!((found - wanted).abs() <= within, "{found} and {wanted}");
}

#[test]
fn hashes_are_those_of_the_sdks() {
    for (seed, unit, version, wanted) in [
        ("seed", "a", 2, 0.0505),
        ("seed", "b", 2, 0.2696),
        ("foo", "ab", 2, 0.2575),
        ("89123klj", "8952klfjas09ujkasdf", 2, 0.1240),
        ("", "a", 1, 0.220),
        ("b", "a", 1, 0.946),
    ] {
        assert_eq!(
            growthbook_hash(seed, unit, version),
            Some(wanted),
            "{seed}, {unit}"
        );
    }
    assert_eq!(growthbook_hash("abc", "def", 99), None);
}

#[test]
fn ranges_begin_where_their_arm_does() {
    let found = Assignment::new(Seed(1), &[0.2, 0.3, 0.5], 0.2).unwrap();
    for (found, wanted) in found
        .ranges()
        .iter()
        .zip([(0.0, 0.04), (0.2, 0.26), (0.5, 0.6)])
    {
        near(found.0, wanted.0, 1e-12);
        near(found.1, wanted.1, 1e-12);
    }
    let said = Assignment::new(Seed(1), &[0.6, 0.6], 1.0)
        .unwrap_err()
        .to_string();
    assert!(said.contains("add up to 1"), "{said}");
    assert!(Assignment::new(Seed(1), &[1.0], 1.5).is_err());
}

/// Units are spread evenly, salts do not depend on each other, and a ramp moves nobody.
#[test]
fn assignment_is_even_independent_and_keeps_its_word() {
    let halves = |salt, coverage| Assignment::new(Seed(salt), &[0.5, 0.5], coverage).unwrap();
    let (first, second, ramped) = (halves(1, 1.0), halves(2, 1.0), halves(1, 0.1));
    let mut counts = [[0_u64; 2]; 2];
    for unit in 0..100_000 {
        let unit = format!("u{unit}");
        let (a, b) = (first.arm(&unit).unwrap(), second.arm(&unit).unwrap());
        counts[a][b] += 1;
        assert!(ramped.arm(&unit).is_none_or(|arm| arm == a));
    }
    let all = counts.as_flattened();
    let found = sample_ratio(all, &[0.25; 4]).unwrap();
    assert!(found.p > 0.001, "{counts:?}");
}

#[test]
fn sample_ratios_are_those_of_the_vectors() {
    let thirds = [1.0 / 3.0; 3];
    for (counts, weights, chi_squared, p, sequential) in [
        (
            &[1_000, 1_200][..],
            &[0.5, 0.5][..],
            18.181_818,
            2.007_866e-5,
            Some(7.925_128e-4),
        ),
        (&[310, 98], &[0.75, 0.25], 0.209_150, 0.647_434, None),
        (
            &[821_588, 815_482],
            &[0.5, 0.5],
            22.774_369,
            1.821_793e-6,
            Some(1.455_555e-3),
        ),
        (
            &[5_000, 5_000, 5_300],
            &thirds,
            11.764_706,
            2.788_217e-3,
            Some(0.465_669),
        ),
        (&[505, 500], &[0.5, 0.5], 0.024_876, 0.874_677, Some(1.0)),
    ] {
        let found = sample_ratio(counts, weights).unwrap();
        near(found.chi_squared, chi_squared, 1e-6);
        near(found.p, p, 1e-6 * p.max(1e-2));
        if let Some(sequential) = sequential {
            near(found.sequential_p, sequential, 1e-5 * sequential);
        }
    }
    assert!(sample_ratio(&[1_000, 1_200], &[0.5, 0.5]).unwrap().is_off());
    assert_eq!(sample_ratio(&[5, 0], &[1.0, 0.0]), None);
    assert_eq!(sample_ratio(&[0, 0], &[0.5, 0.5]), None);
}

#[test]
fn widths_are_those_of_the_vectors() {
    let of = |tuned_for| ConfidenceSequence {
        alpha: 0.05,
        tuned_for,
    };
    near(of(1_000.0).rho(), 0.089_085_097_5, 1e-10);
    near(of(5_000.0).rho(), 0.039_840_066_8, 1e-10);
    for (count, wanted) in [
        (100.0, 0.669_438_9),
        (1_000.0, 0.106_375_5),
        (5_000.0, 0.042_924_3),
        (10_000.0, 0.030_614_8),
        (100_000.0, 0.010_552_1),
    ] {
        near(of(5_000.0).half_width(1.0, count), wanted, 1e-7);
    }
}

#[test]
fn differences_are_those_of_the_vectors() {
    let moments = |count, sum, squares| Moments {
        count,
        sum,
        squares,
    };
    let (a, b) = (
        moments(3_000.0, 1_396.87, 52_377.976_7),
        moments(3_461.0, 2_422.7, 134_698.29),
    );
    let of = |tuned_for| ConfidenceSequence {
        alpha: 0.05,
        tuned_for,
    };
    let found = of(1_000.0).relative(&a, &b).unwrap();
    near(found.estimate, 0.503_36, 1e-5);
    near(found.low, -0.558_44, 1e-5);
    near(found.high, 1.565_16, 1e-5);
    near(found.p, 1.0, 0.0);
    // Proportions: the squares of ones are ones.
    let (a, b) = (
        moments(3_000.0, 1_396.0, 1_396.0),
        moments(3_461.0, 2_422.0, 2_422.0),
    );
    let found = of(5_000.0).relative(&a, &b).unwrap();
    near(found.estimate, 0.503_86, 1e-5);
    near(found.low, 0.400_98, 1e-4);
    near(found.high, 0.606_75, 1e-4);
    assert!(found.p < 1e-6, "{found:?}");
    assert_eq!(of(5_000.0).absolute(&moments(1.0, 1.0, 1.0), &a), None);
    assert_eq!(of(5_000.0).relative(&moments(9.0, 0.0, 0.0), &a), None);
}

#[test]
fn ratios_are_those_of_the_vector() {
    let mut ratio = RatioMoments::default();
    let above = [3.0, 1.0, 0.0, 6.0, 2.0, 5.0, 0.0, 4.0];
    let below = [10.0, 5.0, 4.0, 12.0, 8.0, 9.0, 3.0, 11.0];
    for (above, below) in above.iter().zip(below) {
        ratio.add(*above, below);
    }
    near(ratio.ratio(), 0.338_709_677_4, 1e-10);
    let variance = ratio.variance_of_ratio().unwrap();
    near(variance, 0.003_458_502_8, 1e-10);
    near(variance.sqrt(), 0.058_809_037_0, 1e-10);
}

/// Fifty looks at arms that do not differ: one in twenty experiments may err at most, at any look.
#[test]
fn looking_often_errs_seldom() {
    let mut draws = Stream::new(Seed(3));
    let sequence = ConfidenceSequence::default();
    let mut erred = 0;
    for _ in 0..200 {
        let mut arms = [Moments::default(); 2];
        let mut outside = false;
        for _look in 0..50 {
            for arm in &mut arms {
                (0..100).for_each(|_| arm.add(draws.normal()));
            }
            let found = sequence.absolute(&arms[0], &arms[1]).unwrap();
            outside |= found.low > 0.0 || found.high < 0.0;
        }
        erred += usize::from(outside);
    }
    assert!(erred <= 14, "{erred} of 200");
}
