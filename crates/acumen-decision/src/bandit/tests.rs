//! Models by hand, probabilities, and that learning pays.

use acumen_base::Seed;
use acumen_base::random::Stream;
use proptest::prelude::*;

use super::*;

const SEED: Seed = Seed(11);

fn spec(algorithm: Algorithm, epsilon: f64) -> BanditSpec {
    BanditSpec {
        algorithm,
        epsilon,
        ridge: 1.0,
    }
}

fn algorithms() -> [Algorithm; 3] {
    [
        Algorithm::LinUcb { alpha: 1.0 },
        Algorithm::LinearThompson {
            scale: 0.5,
            draws: 20,
        },
        Algorithm::Greedy,
    ]
}

#[test]
fn an_arm_by_hand() {
    // x = (1, 2), r = 3: A = [[2, 2], [2, 5]], b = (3, 6); A⁻¹ = [[5, −2], [−2, 2]] / 6.
    let mut bandit = Bandit::new(spec(Algorithm::Greedy, 0.0), 1, 2);
    bandit.learn(0, &[1.0, 2.0], 3.0).unwrap();
    let arm = bandit.arm(0).unwrap();
    assert!((arm.expected(&[1.0, 0.0]) - 0.5).abs() < 1e-12);
    assert!((arm.expected(&[0.0, 1.0]) - 1.0).abs() < 1e-12);
    assert!((arm.spread(&[1.0, 0.0]) - (5.0_f64 / 6.0).sqrt()).abs() < 1e-12);
    assert_eq!(arm.count(), 1);
    let mut other = Arm::new(2, 1.0);
    other.merge(arm);
    assert_eq!(&other, arm);
}

proptest! {
    /// Probabilities add up, none is below its share of epsilon, and what may not be taken has none.
    #[test]
    fn probabilities_are_probabilities(
        outcomes in prop::collection::vec((0..4_usize, prop::array::uniform3(-2.0_f64..2.0), -1.0_f64..1.0), 0..40),
        allowed in prop::array::uniform4(any::<bool>()),
        epsilon in 0.0_f64..0.5,
        which in 0..3_usize,
        key in "[a-z]{1,8}",
    ) {
        let mut bandit = Bandit::new(spec(algorithms()[which], epsilon), 4, 3);
        for (action, context, reward) in &outcomes {
            bandit.learn(*action, context, *reward).unwrap();
        }
        let context = [0.3, -0.2, 1.0];
        let found = bandit.choose(&context, &allowed, (SEED, &key));
        let open = allowed.iter().filter(|allowed| **allowed).count();
        if open == 0 {
            prop_assert_eq!(found, Err(BanditError::NoActions));
            return Ok(());
        }
        let found = found.unwrap();
        let probabilities = &found.distribution.probabilities;
        prop_assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        prop_assert_eq!(probabilities[found.action], found.propensity);
        for (probability, allowed) in probabilities.iter().zip(allowed) {
            let least = if allowed { epsilon / open as f64 } else { 0.0 };
            prop_assert!(*probability >= least - 1e-12);
            prop_assert!(allowed || *probability == 0.0);
        }
        prop_assert_eq!(bandit.choose(&context, &allowed, (SEED, &key)).unwrap(), found);
    }

    /// Parts that learnt apart know together what one would have learnt.
    #[test]
    fn bandits_merge(outcomes in prop::collection::vec((0..2_usize, prop::array::uniform2(-2.0_f64..2.0), -1.0_f64..1.0), 1..30)) {
        let fresh = || Bandit::new(spec(Algorithm::Greedy, 0.0), 2, 2);
        let (mut all, mut first, mut second) = (fresh(), fresh(), fresh());
        for (at, (action, context, reward)) in outcomes.iter().enumerate() {
            all.learn(*action, context, *reward).unwrap();
            let part = if at % 2 == 0 { &mut first } else { &mut second };
            part.learn(*action, context, *reward).unwrap();
        }
        first.merge(&second).unwrap();
        for action in 0..2 {
            let (one, other) = (first.arm(action).unwrap(), all.arm(action).unwrap());
            prop_assert!((one.expected(&[1.0, 0.5]) - other.expected(&[1.0, 0.5])).abs() < 1e-9);
            prop_assert_eq!(one.count(), other.count());
        }
    }

    /// Choices come as often as their probabilities say.
    #[test]
    fn slates_show_every_candidate_once(epsilon in 0.0_f64..1.0, n in 0..12_usize, key in "[a-z]{1,8}") {
        let ranked: Vec<u32> = (0..8).collect();
        let shown = explore_slate(&ranked, n, epsilon, (SEED, &key));
        let mut seen: Vec<u32> = shown.iter().map(|shown| shown.candidate).collect();
        prop_assert_eq!(seen.len(), n.min(8));
        seen.sort_unstable();
        seen.dedup();
        prop_assert_eq!(seen.len(), shown.len());
        prop_assert!(shown.iter().all(|shown| shown.propensity > 0.0 && shown.propensity <= 1.0 + 1e-12));
    }
}

#[test]
fn propensities_are_how_often_it_happens() {
    let ranked = [7, 8, 9];
    let mut first = [0.0; 3];
    let mut sums = [0.0; 3];
    for request in 0..20_000 {
        let shown = explore_slate(&ranked, 1, 0.3, (SEED, &format!("r{request}")))[0];
        first[shown.candidate as usize - 7] += 1.0;
        sums[shown.candidate as usize - 7] += 1.0 / shown.propensity;
    }
    for (count, sum) in first.iter().zip(sums) {
        // Σ 1/p over the requests at which it was shown estimates how many requests there were.
        assert!(
            (sum / 20_000.0 - 1.0_f64).abs() < 0.05,
            "{count} shown, {sum}"
        );
    }
    assert!((first[0] / 20_000.0 - 0.8_f64).abs() < 0.01);
}

/// An outcome that comes later is more of the same observation.
#[test]
fn a_reward_that_comes_later_counts_as_if_it_had_come_at_once() {
    let mut at_once = Bandit::new(spec(Algorithm::LinUcb { alpha: 0.5 }, 0.0), 1, 2);
    let mut later = at_once.clone();
    let seen = [([1.0, 0.3], 0.0), ([1.0, -0.7], 2.0), ([1.0, 0.9], 5.0)];
    for (context, reward) in &seen {
        at_once.learn(0, context, *reward).unwrap();
        later.learn(0, context, 0.0).unwrap();
    }
    assert_ne!(later, at_once);
    for (context, reward) in seen.iter().rev() {
        later.reward(0, context, *reward).unwrap();
    }
    let probes: [[f32; 2]; 3] = [[1.0, 0.0], [1.0, 1.0], [0.5, -2.0]];
    let scores = |bandit: &Bandit| bandit.scores(0, probes.iter().map(|probe| &probe[..]));
    for (a, b) in scores(&at_once).into_iter().zip(scores(&later)) {
        let (a, b) = (a.unwrap(), b.unwrap());
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
    let wrong = at_once.scores(0, [&[1.0, f32::NAN][..], &[1.0, 0.0]].into_iter());
    assert!(wrong[0].is_err() && wrong[1].is_ok(), "one by one");
    let count = later.arm(0).map(Arm::count);
    assert_eq!(count, Some(3), "no outcome is another observation");
}

/// Draws scatter around what is expected, as widely as it is unsure.
#[test]
fn draws_are_of_what_is_known() {
    let algorithm = Algorithm::LinearThompson {
        scale: 0.5,
        draws: 1,
    };
    let mut bandit = Bandit::new(spec(algorithm, 0.0), 1, 2);
    for _ in 0..3 {
        bandit.learn(0, &[1.0, 0.5], 2.0).unwrap();
    }
    let contexts = [vec![1.0, 0.5], vec![0.0, 1.0]];
    let draws = |key| {
        bandit
            .drawn(0, &contexts, (0.5, 4_000), (SEED, key))
            .unwrap()
    };
    let (drawn, arm) = (draws("a"), bandit.arm(0).unwrap());
    for (at, context) in contexts.iter().enumerate() {
        let wide: Vec<f64> = context.iter().map(|value| f64::from(*value)).collect();
        let scores = drawn.iter().map(|draw| f64::from(draw[at]));
        let mean = scores.clone().sum::<f64>() / 4_000.0;
        let spread = (scores.map(|s| (s - mean) * (s - mean)).sum::<f64>() / 4_000.0).sqrt();
        assert!((mean - arm.expected(&wide)).abs() < 0.05, "{mean}");
        assert!((spread - 0.5 * arm.spread(&wide)).abs() < 0.03, "{spread}");
    }
    assert_eq!(draws("a"), drawn);
    assert_ne!(draws("b"), drawn);
    assert!(
        bandit
            .drawn(0, &[vec![f32::NAN, 0.0]], (0.5, 1), (SEED, "a"))
            .is_err()
    );
}

/// What was learnt does not depend on how it explores.
#[test]
fn what_is_known_of_actions_can_be_explored_otherwise() {
    let mut bandit = Bandit::new(spec(Algorithm::Greedy, 0.1), 2, 2);
    bandit.learn(1, &[1.0, 0.5], 2.0).unwrap();
    let other = BanditSpec {
        ridge: 2.0,
        ..spec(Algorithm::LinUcb { alpha: 1.0 }, 0.0)
    };
    let again = bandit.declared_as(other, &[None, Some(1), Some(0)]);
    let mut by_hand = Bandit::new(other, 3, 2);
    by_hand.learn(1, &[1.0, 0.5], 2.0).unwrap();
    assert_eq!(again, by_hand);
}

/// Each context has another best action; whoever learns finds it, and far sooner than chance.
#[test]
fn learning_pays() {
    for algorithm in algorithms() {
        let mut bandit = Bandit::new(spec(algorithm, 0.05), 3, 3);
        let mut draws = Stream::new(SEED);
        let mut hits = 0;
        for request in 0..2_000 {
            let mut context = [0.0; 3];
            let best = draws.below(3);
            context[best] = 1.0;
            let key = format!("r{request}");
            let chosen = bandit.choose(&context, &[true; 3], (SEED, &key)).unwrap();
            let chance = if chosen.action == best { 0.6 } else { 0.2 };
            let reward = if draws.unit() < chance { 1.0 } else { 0.0 };
            bandit.learn(chosen.action, &context, reward).unwrap();
            hits += usize::from(request >= 1_000 && chosen.action == best);
        }
        assert!(
            hits > 850,
            "{algorithm:?} found the best {hits} times of 1,000"
        );
    }
}

#[test]
fn what_is_wrong_is_named() {
    let mut bandit = Bandit::new(spec(Algorithm::Greedy, 0.0), 2, 2);
    let said = |result: Result<(), BanditError>| result.unwrap_err().to_string();
    assert!(said(bandit.learn(2, &[1.0, 1.0], 0.0)).contains("no action 2"));
    assert!(said(bandit.learn(0, &[1.0], 0.0)).contains("has 1 numbers"));
    assert!(
        said(bandit.learn(0, &[1.0, f64::NAN], 0.0)).contains("number 1 of the context is NaN")
    );
    assert!(said(bandit.learn(0, &[1.0, 1.0], f64::INFINITY)).contains("the reward is inf"));
    let other = Bandit::new(spec(Algorithm::Greedy, 0.0), 3, 2);
    assert!(bandit.merge(&other).is_err());
}
