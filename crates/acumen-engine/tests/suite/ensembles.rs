//! Several ensembles of one use case: a bandit chooses among them for every list, learns from what
//! came of it, and can be judged from the log.

use std::sync::Arc;

use acumen_base::{Clock, Key};
use acumen_engine::spec::{Catalogue, UseCase};
use acumen_engine::{Engine, EnsembleLine, PolicyEvaluation, RankRequest, evaluate_policy};
use serde_json::json;

use super::shop::ingest;
use super::wares::{Wares, feedback, rank};

const BLENDS: &str = "ensembles:
  steady: {}
  dear: {weights: {often: 0.3}, objectives: {business_value: 4}}
";
const CHOOSE: &str = "choose: {policy: linear_thompson, scale: 0.3, epsilon: 10%}\n";

fn wares() -> Wares {
    let several = format!("{BLENDS}{CHOOSE}fallback: often");
    let fields = "what: category, list_id: id, weather: category}";
    let wares = Wares::grown(&[
        ("fallback: often", &several),
        ("what: category, list_id: id}", fields),
        (
            "optional: [customer_id, list_id]",
            "optional: [customer_id, list_id, weather]",
        ),
        ("  remember: 20", "  remember: 20\n  context: [weather]"),
        ("weights: dynamic", "weights: fixed"),
    ]);
    wares.train();
    wares
}

fn asks(n: usize, weather: &str) -> RankRequest {
    RankRequest {
        visitor: Some(format!("c{}", n % 100)),
        context: serde_json::from_value(json!({"weather": weather})).unwrap(),
        explain: true,
        ..RankRequest::default()
    }
}

/// Lists are looked at; when it rains what is worth much is liked, and in the sun what is not.
fn visits(engine: &Engine, lists: usize) {
    let now = engine.clock().now();
    for n in 0..lists {
        let weather = ["rain", "sun"][n % 2];
        let list = rank(engine, &asks(n, weather)).unwrap();
        for item in &list.items {
            let on = |what: &str| {
                let id = format!("{what}-{n}-{}", item.place);
                feedback(&id, (None, "v"), (&item.item, what), Some(&list.id), now)
            };
            ingest(engine, &on("seen")).unwrap();
            let worth = Key::of(&item.item).0 % 9;
            if (weather == "rain" && worth > 5) || (weather == "sun" && worth < 4) {
                ingest(engine, &on("click")).unwrap();
            }
        }
    }
}

/// How likely an ensemble is at a moment.
fn chance(line: &EnsembleLine, name: &str) -> f64 {
    let arm = line.arms.iter().find(|arm| arm.name == name).unwrap();
    arm.probability
}

#[test]
fn the_ensemble_of_a_moment_is_found_and_remembered() {
    let wares = wares();
    let engine = wares.open();
    visits(&engine, 240);
    let line = |engine: &Engine, weather: &str| {
        let list = rank(engine, &asks(7, weather)).unwrap();
        list.ensemble.unwrap()
    };
    let (rain, sun) = (line(&engine, "rain"), line(&engine, "sun"));
    assert!(chance(&rain, "dear") > 0.8, "{rain:?}");
    assert!(chance(&sun, "steady") > 0.8, "{sun:?}");
    let all: f64 = rain.arms.iter().map(|arm| arm.probability).sum();
    assert!((all - 1.0).abs() < 1e-9, "{rain:?}");
    assert_eq!(rain.propensity, chance(&rain, &rain.name));
    let unexplained = RankRequest {
        explain: false,
        ..asks(7, "rain")
    };
    let unexplained = rank(&engine, &unexplained).unwrap().ensemble.unwrap();
    assert!(unexplained.arms.is_empty() && unexplained.propensity > 0.0);

    let before = engine.ranking("wares").unwrap();
    let counts: u64 = before.ensembles.iter().map(|(_, lists)| lists).sum();
    assert_eq!(counts, 240, "{before:?}");
    // A list that waits for its outcomes still knows who made it behind a snapshot.
    let waiting = rank(&engine, &asks(3, "rain")).unwrap();
    let before = (engine.ranking("wares").unwrap(), waiting);
    engine.snapshot().unwrap();
    engine.close().unwrap();
    let mut statuses = Vec::new();
    for snapshots in [true, false] {
        if !snapshots {
            std::fs::remove_dir_all(wares.folder().snapshots()).unwrap();
        }
        let engine = wares.open();
        if snapshots {
            assert_eq!(
                engine.ranking("wares").unwrap(),
                before.0,
                "from the snapshot"
            );
            let now = engine.clock().now();
            let item = &before.1.items[0].item;
            let seen = feedback(
                "late",
                (None, "v"),
                (item, "click"),
                Some(&before.1.id),
                now,
            );
            ingest(&engine, &seen).unwrap();
        }
        statuses.push(engine.ranking("wares").unwrap());
        engine.close().unwrap();
    }
    assert_eq!(statuses[0], statuses[1], "from the log alone");
    let counts: u64 = statuses[0].ensembles.iter().map(|(_, lists)| lists).sum();
    assert_eq!(counts, 241);

    for list in wares.listings() {
        let choice = list.circumstances.choice.unwrap();
        let all: f64 = choice.probabilities.iter().map(|(_, chance)| chance).sum();
        assert!((all - 1.0).abs() < 1e-9, "{choice:?}");
        assert!(
            choice
                .probabilities
                .iter()
                .all(|(_, chance)| *chance >= 0.05 - 1e-9)
        );
        assert_eq!(choice.known.len(), 8 + 4);
    }
}

#[test]
fn ensembles_are_judged_by_the_log() {
    let wares = wares();
    let engine = wares.open();
    visits(&engine, 240);
    engine.close().unwrap();
    let judged = |changes: &[(&str, &str)]| wares.judged_as(changes).unwrap();
    let same = judged(&[]);
    assert_eq!((same.lists, same.judged), (240, 240));
    assert!(same.agrees > 0.99, "{same:?}");
    let off = (same.by_place.ips.value - same.by_place.logged.value).abs();
    assert!(
        off < 1e-9,
        "the same lists and choices are worth the same: {same:?}"
    );
    // Whoever does not look at the weather is liked half of the time.
    let gained =
        |found: &PolicyEvaluation| found.by_place.snips.value - found.by_place.logged.value;
    let fixed = judged(&[(BLENDS, ""), (CHOOSE, "")]);
    let one = judged(&[("  dear:", "  # dear:")]);
    assert!(gained(&fixed) < 0.0, "{fixed:?}");
    assert!(gained(&one) < 0.0, "{one:?}");
    let apart = (fixed.by_place.ips.value - one.by_place.ips.value).abs();
    assert!(
        apart < 1e-9,
        "`steady` is what is declared: {fixed:?} {one:?}"
    );
    // Whoever explores less of what was learnt is liked more.
    let greedy = judged(&[(
        "policy: linear_thompson, scale: 0.3, epsilon: 10%",
        "policy: greedy, epsilon: 2%",
    )]);
    assert!(gained(&greedy) > 0.0, "{greedy:?}");
}

#[test]
fn lists_that_are_drawn_have_propensities_and_can_be_judged() {
    let drawn =
        "bandit: {algorithm: contextual_bandit, policy: linear_thompson, scale: 1, draws: 40}";
    let wares = Wares::grown(&[
        ("bandit: {algorithm: contextual_bandit}", drawn),
        (
            "learning: {run: [bandit], weight: 0.1}",
            "learning: {run: [bandit], weight: 1}",
        ),
        ("weights: dynamic", "weights: fixed"),
    ]);
    wares.train();
    let engine = wares.open();
    let now = engine.clock().now();
    let mut explored = 0;
    for n in 0..150 {
        let request = RankRequest {
            visitor: Some(format!("c{}", n % 100)),
            ..RankRequest::default()
        };
        let list = rank(&engine, &request).unwrap();
        assert_eq!(list.items.len(), 10);
        explored += list.items.iter().filter(|item| item.explored).count();
        for item in &list.items {
            assert!(
                item.propensity > 0.0 && item.propensity <= 1.0 + 1e-9,
                "{item:?}"
            );
            let on = |what: &str| {
                let id = format!("{what}-{n}-{}", item.place);
                feedback(&id, (None, "v"), (&item.item, what), Some(&list.id), now)
            };
            ingest(&engine, &on("seen")).unwrap();
            if Key::of(&item.item).0 % 9 > 5 {
                ingest(&engine, &on("click")).unwrap();
            }
        }
    }
    assert!(explored > 100, "{explored}");
    engine.close().unwrap();
    let sources = wares.sources();
    let clock = wares.clock.clone() as Arc<dyn Clock>;
    let declared = &sources.plan.use_cases[0].declared;
    let judged = |changes: &[(&str, &str)]| {
        let text = std::fs::read_to_string(declared.folder.join("usecase.yaml")).unwrap();
        let text = changes
            .iter()
            .fold(text, |text, (old, new)| text.replace(old, new));
        let other = declared.folder.join("other.yaml");
        std::fs::write(&other, text).unwrap();
        let other = UseCase::load_as(&other, &declared.folder, &Catalogue::default()).unwrap();
        evaluate_policy(&sources, 0, &other, &clock, &mut |_| ()).unwrap()
    };
    let same = judged(&[]);
    assert_eq!((same.lists, same.judged, same.places), (150, 150, 1_500));
    assert!(same.agrees > 0.99, "{same:?}");
    let off = (same.by_place.ips.value - same.by_place.logged.value).abs();
    assert!(
        off < 1e-9,
        "drawn again with the same probabilities: {same:?}"
    );
    let narrow = judged(&[("scale: 1,", "scale: 0.01,")]);
    assert!(narrow.by_place.snips.value.is_finite());
    assert!(
        narrow.by_place.overlap.effective_rows < same.by_place.overlap.effective_rows,
        "another bandit: {narrow:?}"
    );
}
