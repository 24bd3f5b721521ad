//! Keys that are well formed and would change nothing where they stand: refused, so that nobody
//! relies on them.

use acumen_base::Diagnostic;

use super::types::UseCase;

/// Where no event is decided on: the key, and what is done instead.
const OF_EVENTS: [(&str, &str); 12] = [
    ("explain", "the reasons for a value are its columns"),
    ("gates.metric", TOLERANCE),
    ("gates.min_positives", TOLERANCE),
    ("gates.ece_max", TOLERANCE),
    ("gates.latency_us_max", TOLERANCE),
    (
        "training.negative_share",
        "a sum has no negative outcome to leave out",
    ),
    ("training.validation", HELD_OUT),
    ("training.calibration_share", HELD_OUT),
    ("training.calibration", HELD_OUT),
    (
        "training.refit",
        "the best model of values is always fitted again to all rows",
    ),
    ("serving.durability", NOT_LOGGED),
    ("serving.when_log_fails", NOT_LOGGED),
];
const TOLERANCE: &str =
    "models of values are compared by their mean error, within `gates.tolerance`";
const HELD_OUT: &str =
    "models of values are judged at a later origin, or on keys that are held out";
const NOT_LOGGED: &str = "answers for keys are no records of the log";

/// Where events are decided on.
const OF_KEYS: [(&str, &str); 2] = [
    (
        "batch_inference",
        "only keys are scored in batches: `decide: {each: customer}`",
    ),
    (
        "serving.cache_ttl",
        "every event is decided on by itself, once",
    ),
];

pub(super) fn check(use_case: &UseCase) -> Vec<Diagnostic> {
    if use_case.ranking.is_some() {
        return Vec::new();
    }
    let of_keys = use_case.subject.is_some();
    let (keys, of_model): (&[_], _) = match of_keys {
        true => (
            &OF_EVENTS,
            ("shadow", "the best of the declared models goes live alone"),
        ),
        false => (
            &OF_KEYS,
            ("informed_by", "only models of values are told of purchases"),
        ),
    };
    let keys = keys.iter().map(|(key, why)| ((*key).to_owned(), *why));
    let (key, why) = of_model;
    let models = use_case.models.iter();
    let models = models.map(|model| (format!("models.{}.{key}", model.name), why));
    let found = keys
        .chain(models)
        .filter(|(path, _)| use_case.places.has(path));
    let problem = |(path, why): (String, &str)| {
        let decided = if of_keys { "each key" } else { "an event" };
        let message = format!("`{path}` changes nothing where {decided} is decided on: {why}");
        let mut problem = Diagnostic::new("changes_nothing", message, "leave it out");
        problem.place = use_case.places.key(&path);
        problem
    };
    found.map(problem).collect()
}
