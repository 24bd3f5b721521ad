//! What holds for any slate, and lists by hand.

use acumen_base::Seed;
use acumen_base::random::Stream;
use proptest::prelude::*;

use super::*;

/// The likeness of one to some, from that of two.
fn of_one(alike: impl Fn(usize, usize) -> f32) -> impl Fn(usize, &[usize], &mut Vec<f32>) {
    move |one, others, found| found.extend(others.iter().map(|other| alike(one, *other)))
}

/// Candidates: what two sources say, a group, and a direction whose cosines are the likeness.
#[derive(Clone, Debug)]
struct Many {
    sources: Vec<Vec<f32>>,
    groups: Vec<u32>,
    directions: Vec<[f32; 3]>,
    novelty: Vec<f32>,
    /// How often each was shown lately.
    seen: Vec<f32>,
}

fn many() -> impl Strategy<Value = Many> {
    (1..30_usize).prop_flat_map(|count| {
        let scores = || prop::collection::vec(-3.0_f32..3.0, count);
        let directions = prop::collection::vec(prop::array::uniform3(0.01_f32..1.0), count);
        let groups = prop::collection::vec(0..4_u32, count);
        let seen = prop::collection::vec((0..4_u8).prop_map(f32::from), count);
        (scores(), scores(), scores(), groups, directions, seen).prop_map(|parts| Many {
            sources: vec![parts.0, parts.1],
            novelty: parts.2,
            groups: parts.3,
            directions: parts.4,
            seen: parts.5,
        })
    })
}

fn cosine(a: &[f32; 3], b: &[f32; 3]) -> f32 {
    let dot = |a: &[f32; 3], b: &[f32; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// A list, and how much it has of what it is made for.
fn list_of(many: &Many, objectives: &Objectives, most: usize, n: usize) -> (Ranking, Measured) {
    let likeness = |a: usize, b: usize| cosine(&many.directions[a], &many.directions[b]);
    let slate = Slate {
        sources: many.sources.iter().map(|s| Some(s.as_slice())).collect(),
        novelty: &many.novelty,
        value: &[],
        seen: &many.seen,
        likeness: &of_one(likeness),
    };
    let caps = Caps::default().with(many.groups.clone(), most);
    let ranking = rank(&slate, &[0.7, 0.3], objectives, caps, n);
    let measured = measure(&slate, &ranking.list.iter().collect::<Vec<_>>());
    (ranking, measured)
}

fn objectives() -> impl Strategy<Value = Objectives> {
    let by = prop_oneof![
        Just(Diversity::MaximalMarginalRelevance),
        Just(Diversity::Determinantal),
        Just(Diversity::MaxSum)
    ];
    let parts = (0.0_f32..0.95, 0.0_f32..1.0, 0.0_f32..1.0, by);
    parts.prop_map(|(diversity, novelty, fatigue, by)| Objectives {
        diversity,
        novelty,
        fatigue,
        by,
        ..Objectives::default()
    })
}

proptest! {
    /// No candidate twice, no group above its cap, and as long as caps allow.
    #[test]
    fn lists_keep_the_limits(many in many(), how in objectives(), most in 1..4_usize, n in 0..40_usize) {
        let (found, measured) = list_of(&many, &how, most, n);
        let mut places: Vec<usize> = found.list.iter().map(|r| r.candidate).collect();
        let mut counts = [0; 4];
        places.iter().for_each(|at| counts[many.groups[*at] as usize] += 1);
        prop_assert!(counts.iter().all(|count| *count <= most));
        let mut room = [0; 4];
        many.groups.iter().for_each(|group| room[*group as usize] += 1);
        let allowed: usize = room.iter().map(|count| most.min(*count)).sum();
        prop_assert_eq!(places.len(), n.min(allowed));
        places.sort_unstable();
        places.dedup();
        prop_assert_eq!(places.len(), found.list.len());
        prop_assert!((-1e-5..=1.0).contains(&measured.diversity));
    }

    /// Without diversity the list is the order of merit, whichever way it would be made.
    #[test]
    fn without_diversity_merit_alone_counts(many in many(), how in objectives()) {
        let how = Objectives { diversity: 0.0, ..how };
        let (found, _) = list_of(&many, &how, usize::MAX, usize::MAX);
        let merits: Vec<f32> = found.list.iter().map(|place| place.merit).collect();
        prop_assert!(merits.windows(2).all(|pair| pair[0] >= pair[1]));
        prop_assert!(found.list.iter().all(|place| place.moved == 0));
    }

    /// What is shown once more goes down or stays, and all that was said of it stays as it was.
    #[test]
    fn what_was_shown_tires(many in many(), how in objectives(), which in any::<prop::sample::Index>()) {
        let how = Objectives { diversity: 0.0, ..how };
        let place = |many: &Many, candidate: usize| {
            let (found, measured) = list_of(many, &how, usize::MAX, usize::MAX);
            let at = found.list.iter().position(|place| place.candidate == candidate).unwrap();
            (at, found.list[at].clone(), measured.repetition)
        };
        let candidate = which.index(many.seen.len());
        let (before, as_it_was, repetition) = place(&many, candidate);
        let mut again = many.clone();
        again.seen[candidate] += 1.0;
        let (after, tired, more) = place(&again, candidate);
        prop_assert!(after >= before && more > repetition);
        prop_assert_eq!(as_it_was.by_fatigue, -how.fatigue * many.seen[candidate]);
        prop_assert!(tired.by_fatigue <= as_it_was.by_fatigue);
        prop_assert_eq!(tired.by_source, as_it_was.by_source);
    }

    /// Kept sums and likenesses give what the definitions give.
    #[test]
    fn diverse_lists_are_those_of_the_definitions(many in many(), knob in 0.05_f32..0.9) {
        let merit = &many.sources[0];
        let likeness = |a: usize, b: usize| cosine(&many.directions[a], &many.directions[b]);
        let found = diverse(Diversity::MaximalMarginalRelevance, merit, &of_one(likeness), knob, (6, Caps::default()));
        let gain = |at: usize, picked: &[usize]| {
            let nearest = picked.iter().map(|p| likeness(at, *p)).fold(0.0, f32::max);
            f64::from((1.0 - knob) * merit[at] - knob * nearest)
        };
        check_greedy(&found, merit.len(), gain)?;
        let found = diverse(Diversity::MaxSum, merit, &of_one(likeness), knob, (6, Caps::default()));
        let gain = |at: usize, picked: &[usize]| {
            let sum: f32 = picked.iter().map(|p| likeness(at, *p)).sum();
            f64::from((1.0 - knob) * merit[at] - knob * sum)
        };
        check_greedy(&found, merit.len(), gain)?;
        // Three directions span everything, so a list by determinants has three distinct picks.
        let found = diverse(Diversity::Determinantal, merit, &of_one(likeness), knob, (3, Caps::default()));
        let gain = |at: usize, picked: &[usize]| {
            let residual = residual(&[picked, &[at]].concat(), &likeness) / residual(picked, &likeness);
            f64::from((1.0 - knob) * merit[at]) + f64::from(knob) * residual.max(1e-18).ln()
        };
        check_greedy(&found, merit.len(), gain)?;
    }

    /// A source that is late leaves the order that the others give, and its weight to them.
    #[test]
    fn the_others_take_over_from_a_late_source(many in many()) {
        let there = blend(&[Some(&many.sources[0]), None], &[0.4, 0.6]);
        prop_assert_eq!(&there.weights, &vec![1.0, 0.0]);
        prop_assert_eq!(&there.scores, &many.sources[0]);
        let twice = blend(&[Some(&many.sources[0]), Some(&many.sources[1])], &[0.8, 1.2]);
        let once = blend(&[Some(&many.sources[0]), Some(&many.sources[1])], &[0.4, 0.6]);
        let apart = twice.scores.iter().zip(&once.scores).map(|(a, b)| (a - b).abs());
        prop_assert!(apart.fold(0.0, f32::max) < 1e-5);
    }

    /// What is turned away is counted by its first reason, and nothing else is turned away.
    #[test]
    fn admission_counts(available in prop::collection::vec(any::<bool>(), 0..40),
                        lists in prop::array::uniform3(prop::collection::btree_set(0..40_u32, 0..9))) {
        let [excluded, hidden, had] = lists.map(|list| list.into_iter().collect::<Vec<u32>>());
        let asked = Asked { excluded: &excluded, hidden: &hidden, had: &had };
        let (shown, refusals) = admit(&available, &asked);
        for (item, shown) in (0..).zip(&shown) {
            let listed = [&excluded, &hidden, &had].iter().any(|list| list.contains(&item));
            prop_assert_eq!(*shown, available[item as usize] && !listed);
        }
        prop_assert_eq!(refusals.total(), shown.iter().filter(|shown| !**shown).count());
    }

    /// New weights stay within their bounds and are not worse.
    #[test]
    fn refitted_weights_stay_within_bounds(lists in prop::collection::vec(many(), 1..6)) {
        let judged: Vec<Judged> = lists.iter().map(|many| Judged::new(&many.sources, 0)).collect();
        let bounds = [Bounds { least: 0.2, most: 0.9 }, Bounds { least: 0.1, most: 0.6 }];
        let found = refit(&judged, &[0.5, 0.5], &bounds);
        prop_assert!(found.after >= found.before, "{found:?}");
        for (weight, bounds) in found.weights.iter().zip(bounds) {
            prop_assert!((bounds.least..=bounds.most).contains(weight));
        }
    }
}

/// Every pick has the largest gain of those that were left, but for rounding.
fn check_greedy(
    found: &[usize],
    count: usize,
    gain: impl Fn(usize, &[usize]) -> f64,
) -> Result<(), TestCaseError> {
    for (at, picked) in found.iter().enumerate() {
        let before = &found[..at];
        let best = (0..count).filter(|other| !before.contains(other));
        let best = best
            .map(|other| gain(other, before))
            .fold(f64::MIN, f64::max);
        let own = gain(*picked, before);
        prop_assert!(
            own > best - 0.02 - 1e-3 * best.abs(),
            "{own} of {best} at {at}"
        );
    }
    Ok(())
}

/// The determinant of the likenesses of a list, by elimination.
fn residual(list: &[usize], likeness: &dyn Fn(usize, usize) -> f32) -> f64 {
    let line = |a: &usize| list.iter().map(|b| f64::from(likeness(*a, *b))).collect();
    let mut matrix: Vec<Vec<f64>> = list.iter().map(line).collect();
    let mut determinant = 1.0;
    for pivot in 0..list.len() {
        let top = matrix[pivot].clone();
        determinant *= top[pivot];
        for line in matrix.iter_mut().skip(pivot + 1) {
            let factor = line[pivot] / top[pivot];
            line.iter_mut()
                .zip(&top)
                .for_each(|(value, above)| *value -= factor * above);
        }
    }
    determinant
}

#[test]
fn a_diverse_list_by_hand() {
    // Two of a kind, and one that is a little worse and unlike both.
    let likeness = |a: usize, b: usize| if a / 2 == b / 2 { 0.9 } else { 0.0 };
    let merit = [1.0, 0.9, 0.7];
    for by in [
        Diversity::MaximalMarginalRelevance,
        Diversity::Determinantal,
        Diversity::MaxSum,
    ] {
        let pick = |knob| diverse(by, &merit, &of_one(likeness), knob, (3, Caps::default()));
        assert_eq!(pick(0.0), [0, 1, 2]);
        assert_eq!(pick(0.5), [0, 2, 1]);
    }
}

#[test]
fn an_empty_list_says_why() {
    let asked = Asked {
        excluded: &[0],
        had: &[2],
        hidden: &[],
    };
    let (shown, refusals) = admit(&[true, false, true], &asked);
    assert_eq!(shown, [false; 3]);
    let said = refusals.in_words();
    assert_eq!(
        said,
        "1 cannot be had, 1 excluded by the request, 1 already with the user"
    );
    assert_eq!(admit(&[], &asked).1.in_words(), "there are no items");
    let nothing = rank(
        &Slate {
            sources: vec![None],
            novelty: &[],
            value: &[],
            seen: &[],
            likeness: &of_one(|_, _| 0.0),
        },
        &FIRST_WEIGHTS[..1],
        &Objectives::default(),
        Caps::default(),
        10,
    );
    assert!(nothing.list.is_empty());
}

#[test]
fn weights_go_to_the_source_that_knows() {
    // The first source ranks what was taken first, the second last.
    let request = |shift: f32| {
        let knows = vec![2.0 + shift, 1.0, 0.0];
        let wrong = vec![-3.0, 1.0, shift];
        Judged::new(&[knows, wrong], 0)
    };
    let requests: Vec<Judged> = (0..10).map(|k| request(k as f32 / 10.0)).collect();
    let free = [Bounds {
        least: 0.0,
        most: 1.0,
    }; 2];
    let found = refit(&requests, &[0.2, 0.8], &free);
    assert!(found.before < 0.6 && found.after == 1.0, "{found:?}");
    let narrow = [
        Bounds {
            least: 0.1,
            most: 0.3,
        },
        Bounds {
            least: 0.7,
            most: 0.9,
        },
    ];
    let held = refit(&requests, &[0.2, 0.8], &narrow);
    assert!(held.after < 1.0 && held.weights[1] >= 0.7, "{held:?}");
}

/// A list that is drawn from what the second source might say.
fn drawn_of(
    many: &Many,
    objectives: &Objectives,
    (most, n): (usize, usize),
    (epsilon, draws): (f64, &[Vec<f32>]),
    next: &mut dyn FnMut(&[Chance]) -> Option<usize>,
) -> (Ranking, Vec<(f64, bool)>) {
    let likeness = |a: usize, b: usize| cosine(&many.directions[a], &many.directions[b]);
    let slate = Slate {
        sources: many.sources.iter().map(|s| Some(s.as_slice())).collect(),
        novelty: &many.novelty,
        value: &[],
        seen: &many.seen,
        likeness: &of_one(likeness),
    };
    let caps = Caps::default().with(many.groups.clone(), most);
    let draws = Draws {
        source: 1,
        scores: draws,
        epsilon,
    };
    rank_drawn(&slate, &[0.7, 0.3], objectives, (caps, n), &draws, next)
}

/// What the second source says, with something by chance added, draw by draw.
fn scattered(many: &Many, draws: usize) -> Vec<Vec<f32>> {
    let mut stream = Stream::new(Seed(7));
    let draw = |_| {
        let scores = many.sources[1].iter();
        scores
            .map(|score| score + 2.0 * stream.normal() as f32)
            .collect()
    };
    (0..draws).map(draw).collect()
}

proptest! {
    /// What may come next has probabilities that add up to 1 and are never below the share of
    /// epsilon; a list is made again by its items, with the same probabilities.
    #[test]
    fn drawn_lists_have_probabilities(
        many in many(),
        objectives in objectives(),
        most in 1..4_usize,
        n in 1..10_usize,
        epsilon in 0.0_f64..0.5,
        seed in any::<u64>(),
    ) {
        let draws = scattered(&many, 16);
        let mut stream = Stream::new(Seed(seed));
        let mut wrong = Vec::new();
        let (list, shown) = drawn_of(&many, &objectives, (most, n), (epsilon, &draws), &mut |chances| {
            let sum: f64 = chances.iter().map(|chance| chance.probability).sum();
            let least = epsilon / chances.len() as f64;
            let fair = chances.iter().all(|chance| chance.probability >= least - 1e-12);
            wrong.extend(((sum - 1.0).abs() > 1e-9 || !fair).then_some(sum));
            take(chances, stream.unit())
        });
        prop_assert!(wrong.is_empty(), "{wrong:?}");
        let picked: Vec<usize> = list.list.iter().map(|ranked| ranked.candidate).collect();
        let mut once = picked.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), picked.len());
        let usual = list_of(&many, &objectives, most, n).0.list.len();
        prop_assert_eq!((picked.len(), shown.len()), (usual, usual));
        let mut again = picked.iter().copied();
        let (_, probabilities) =
            drawn_of(&many, &objectives, (most, n), (epsilon, &draws), &mut |_| again.next());
        prop_assert_eq!(probabilities, shown);
    }

    /// Draws that say what the source says leave nothing to chance.
    #[test]
    fn without_doubt_the_list_is_the_usual_one(many in many(), objectives in objectives(), most in 1..4_usize) {
        let draws = vec![many.sources[1].clone(); 3];
        let first = &mut |chances: &[Chance]| take(chances, 0.999);
        let (list, shown) = drawn_of(&many, &objectives, (most, 8), (0.0, &draws), first);
        prop_assert_eq!(list, list_of(&many, &objectives, most, 8).0);
        prop_assert!(shown.iter().all(|place| *place == (1.0, true)));
    }
}

/// `Σ 1/p` over the lists at whose first place a candidate stands estimates how many lists there are.
#[test]
fn candidates_come_as_often_as_is_logged() {
    let many = Many {
        sources: vec![vec![0.0, 0.1, 0.3], vec![0.2, 0.0, -0.2]],
        groups: vec![0, 1, 2],
        directions: vec![[1.0; 3]; 3],
        novelty: vec![0.0; 3],
        seen: Vec::new(),
    };
    let draws = scattered(&many, 64);
    let mut sums = [0.0; 3];
    for list in 0..20_000 {
        let unit = Seed(3).unit(&list.to_string());
        let once = &mut |chances: &[Chance]| take(chances, unit);
        let (list, shown) = drawn_of(&many, &Objectives::default(), (3, 1), (0.1, &draws), once);
        sums[list.list[0].candidate] += 1.0 / shown[0].0;
    }
    assert!(
        sums.iter()
            .all(|sum| (sum / 20_000.0 - 1.0_f64).abs() < 0.05),
        "{sums:?}"
    );
}
