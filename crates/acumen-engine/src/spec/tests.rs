//! Use cases with and without mistakes, as users write them.

use std::fs;
use std::path::Path;

use acumen_base::{ColumnKind, Diagnostic, Span};
use tempfile::TempDir;

use super::compile;
use super::*;

const SOUND: &str = include_str!("../../tests/data/sound/usecase.yaml");
const CHURN: &str = include_str!("../../tests/data/churn/usecase.yaml");
const CHURN_TEST: &str = include_str!("../../tests/data/churn/tests/quiet.yaml");

fn project(files: &[(&str, &[u8])]) -> TempDir {
    let root = TempDir::new().unwrap();
    for (path, text) in files {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    root
}

fn load(text: impl AsRef<[u8]>) -> (Project, Vec<Diagnostic>) {
    let root = project(&[("usecases/orders/usecase.yaml", text.as_ref())]);
    Project::load(root.path())
}

/// Each problem of a use case in a folder of this name, with what to do.
pub(super) fn problems_of(name: &str, text: &str) -> Vec<String> {
    let path = format!("usecases/{name}/usecase.yaml");
    let root = project(&[(path.as_str(), text.as_bytes())]);
    let (_, found) = Project::load(root.path());
    let told = |d: &Diagnostic| format!("{}: {} | {}", d.place.line, d.message, d.help);
    found.iter().map(told).collect()
}

/// Each problem as `line:column message`, the line and column of the first occurrence of its mark.
fn problems(text: &str) -> Vec<String> {
    let (project, found) = load(text);
    assert_eq!(project.use_cases.len(), usize::from(found.is_empty()));
    let place = |d: &Diagnostic| {
        format!(
            "{}:{} {} | {}",
            d.place.line, d.place.column, d.message, d.help
        )
    };
    found.iter().map(place).collect()
}

/// `SOUND` with some of its text replaced.
fn with(changes: &[(&str, &str)]) -> String {
    let mut text = SOUND.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    text
}

#[test]
fn a_sound_use_case_has_no_problems() {
    assert_eq!(problems(SOUND), Vec::<String>::new());
}

#[test]
fn gates_and_explanations_are_read_with_their_defaults() {
    let text = format!(
        "{SOUND}gates: {{metric: brier, latency_us_max: 900}}\n\
         explain: {{actionable: orders, says: {{orders: Many orders}}}}\n"
    );
    let (project, found) = load(&text);
    assert_eq!(found, []);
    let orders = &project.use_cases[0];
    assert_eq!(orders.gates.metric, GateMetric::Brier);
    assert_eq!(
        (orders.gates.latency_us_max, orders.gates.min_positives),
        (900, 30)
    );
    assert_eq!(orders.explain.actionable, ["orders"]);
    let says = ("orders".to_owned(), "Many orders".to_owned());
    assert_eq!(orders.explain.says, [says]);
    assert!(!orders.models[0].shadow);
}

#[test]
fn mistakes_in_gates_and_explanations_are_named() {
    let text = format!(
        "{SOUND}gates: {{metric: auk, ece_max: 3, min_positives: 0}}\n\
         explain: {{actionable: [ordrs], says: {{orders.count_9y: Many}}}}\n"
    );
    let found = problems(&text);
    for expected in [
        "`auk` | did you mean `auc`?",
        "`3` is not a share between 0 and 1",
        "`0` is not a whole number, at least 1",
        "no feature or column `ordrs` | did you mean `orders`?",
        "no feature or column `orders.count_9y`",
    ] {
        assert!(
            found.iter().any(|one| one.contains(expected)),
            "{expected}: {found:#?}"
        );
    }
    assert_eq!(found.len(), 5, "{found:#?}");
}

#[test]
fn five_mistakes_give_five_problems_with_their_places() {
    let text = with(&[
        ("window: [5m, 24h]", "window: [5 minutes, 24h]"),
        ("reason: Watched", "reson: Watched"),
        (
            "actions: {ship: [0, 60], review: [61, 100]}",
            "actions: {ship: [0, 60], review: [65, 100]}",
        ),
        ("max_depth: 3", "max_dept: 3"),
        ("currency: EUR", "currency: EURO"),
    ]);
    assert_eq!(
        problems(&text),
        [
            "3:11 `EURO` is not an ISO 4217 currency code such as `GBP` | write an ISO 4217 currency code such as `GBP`",
            "20:14 `5 minutes` is not a span such as `250ms`, `30s`, `15m`, `24h`, `30d` or `all` | write a span such as `250ms`, `30s`, `15m`, `24h`, `30d` or `all`",
            "24:33 there is no parameter `max_dept` | did you mean `max_depth`?",
            "30:72 rule `listed` has no key `reson` | did you mean `reason`?",
            "32:34 this band begins at 65, and 61 is the next free score | bands rise from 0 to 100, each beginning one after the one before",
        ]
    );
}

#[test]
fn wrong_names_are_found_wherever_they_stand() {
    let cases = [
        ("of: order.amount", "order.amount", "order.amout", "amount"),
        ("by: customer", "customer", "custumer", "customer"),
        ("aggregations: [count, sum]", "sum", "summ", "sum"),
        (
            "effect: review, reason: Watched",
            "review",
            "revew",
            "review",
        ),
        (
            "lists.watched",
            "lists.watched",
            "lists.wached",
            "lists.watched",
        ),
        ("run: [boosted]", "boosted", "bosted", "boosted"),
        ("decide: {event: order", "order", "ordr", "order"),
        ("positive: complaint", "complaint", "complant", "complaint"),
        ("algorithm: xgboost", "xgboost", "xgbost", "xgboost"),
        ("channel: category", "category", "catgory", "category"),
        (
            "operator: since_last",
            "since_last",
            "since_lst",
            "since_last",
        ),
        ("fallback: review", "review", "reviw", "review"),
        ("\n  ship: {positive", "ship", "shiip", "ship"),
    ];
    for (around, right, wrong, meant) in cases {
        let text = with(&[(around, &around.replace(right, wrong))]);
        let line = text.lines().position(|line| line.contains(wrong)).unwrap();
        let column = text.lines().nth(line).unwrap().find(wrong).unwrap();
        let found = problems(&text);
        let place = format!("{}:{} ", line + 1, column + 1);
        let help = format!("did you mean `{meant}`?");
        let is_it = |found: &String| found.starts_with(&place) && found.ends_with(&help);
        assert!(found.iter().any(is_it), "{wrong} at {place}: {found:#?}");
    }
}

#[test]
fn a_model_of_values_is_refused() {
    for algorithm in ["two_part", "xgboost, objective: reg:tweedie"] {
        let text = with(&[("algorithm: xgboost", &format!("algorithm: {algorithm}"))]);
        let found = problems(&text);
        let said = |found: &String| found.contains("predicts a value here");
        assert!(found.iter().any(said), "{algorithm}: {found:#?}");
    }
}

#[test]
fn a_mistake_in_an_expression_has_its_column() {
    let text = with(&[("orders.count_5m > 3.0", "orders.count_6m > 3.0")]);
    let line = text
        .lines()
        .position(|line| line.contains("count_6m"))
        .unwrap();
    let column = text.lines().nth(line).unwrap().find("orders").unwrap();
    let found = problems(&text);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(
        found[0].starts_with(&format!("{}:{} ", line + 1, column + 1)),
        "{found:#?}"
    );
}

#[test]
fn other_files_and_bytes_are_refused_with_a_place() {
    let deep = format!("usecase: {}{}", "[".repeat(100), "]".repeat(100));
    let big = format!("usecase: \"{}\"", "x".repeat(2_000_000));
    let alias = "usecase: &name orders\nquestion: *name\n";
    let cases: [(&[u8], &str, u32); 7] = [
        (b"", "missing_key", 1),
        (b"usecase: [orders\n", "not_yaml", 1),
        (b"usecase: orders\nquestion: \xff\xfe\n", "not_utf8", 2),
        (deep.as_bytes(), "not_yaml", 1),
        (big.as_bytes(), "too_big", 0),
        (alias.as_bytes(), "not_yaml", 2),
        (b"usecase: orders\n---\nusecase: orders\n", "not_yaml", 2),
    ];
    for (text, code, line) in cases {
        let (project, found) = load(text);
        assert!(project.use_cases.is_empty());
        let at = found.iter().find(|d| d.code == code).map(|d| d.place.line);
        let start = String::from_utf8_lossy(&text[..text.len().min(40)]);
        assert_eq!(at, Some(line), "{start}: {found:?}");
    }
}

#[test]
fn a_key_that_stands_twice_is_reported_at_the_second() {
    let text = format!("{SOUND}currency: USD\n");
    let found = problems(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    let line = text.lines().count();
    assert!(
        found[0].starts_with(&format!("{line}:1 the key `currency`")),
        "{found:?}"
    );
}

#[test]
fn a_wrong_use_case_leaves_the_others_standing() {
    let root = project(&[
        ("usecases/orders/usecase.yaml", SOUND.as_bytes()),
        ("usecases/churn/usecase.yaml", CHURN.as_bytes()),
        ("usecases/empty/README.md", b""),
    ]);
    let (project, found) = Project::load(root.path());
    let names: Vec<&str> = project.use_cases.iter().map(|u| u.name.as_str()).collect();
    assert_eq!(names, ["churn", "orders"]);
    assert_eq!(found.len(), 1);
    assert!(found[0].place.file.ends_with("empty/usecase.yaml"));
}

#[test]
fn what_a_folder_declares_is_read() {
    let root = project(&[
        ("usecases/churn/usecase.yaml", CHURN.as_bytes()),
        ("usecases/churn/tests/quiet.yaml", CHURN_TEST.as_bytes()),
    ]);
    let (project, found) = Project::load(root.path());
    assert_eq!(found, []);
    let churn = project.use_case("churn").unwrap();
    assert_eq!(churn.update_frequency, Some(Span::days(7)));
    let training = churn.training.as_ref().unwrap();
    assert_eq!(training.validation, 0.2);
    assert_eq!(training.data, TrainingData::Last(Span(12 * 2_629_746_000)));
    assert_eq!(churn.serving.durability, Durability::BestEffort);
    assert!(
        churn
            .event("session")
            .unwrap()
            .position("device.os")
            .is_some()
    );
    assert_eq!(churn.place("features.engagement.window").line, 26);

    let spec = compile::pipeline_spec(churn).unwrap();
    let pipeline = compile::pipeline(churn, spec).unwrap();
    let columns = pipeline.columns(0);
    let plan = columns.position("session_itself.plan").unwrap();
    assert_eq!(columns.list[plan].kind, ColumnKind::Category);

    let (tests, found) = TestFile::load_all(churn);
    assert_eq!(found, []);
    assert_eq!((tests[0].given.len(), tests[0].expect[0].row.len()), (2, 6));
    assert_eq!(tests[0].given[0].body["plan"], "basic");
}

#[test]
fn a_test_file_with_mistakes_is_reported_with_places() {
    let wrong = CHURN_TEST
        .replace("- session: {session_id: a", "- sesion: {session_id: a")
        .replace("action: leave_alone", "action: leave_alon")
        .replace("minutes: 10", "minuts: 10");
    let root = project(&[
        ("usecases/churn/usecase.yaml", CHURN.as_bytes()),
        ("usecases/churn/tests/quiet.yaml", wrong.as_bytes()),
    ]);
    let (project, _) = Project::load(root.path());
    let (tests, found) = TestFile::load_all(&project.use_cases[0]);
    assert!(tests.is_empty());
    let helps: Vec<(u32, &str)> = found
        .iter()
        .map(|d| (d.place.line, d.help.as_str()))
        .collect();
    assert_eq!(
        helps,
        [
            (7, "did you mean `session`?"),
            (8, "did you mean `minutes`?"),
            (18, "did you mean `leave_alone`?"),
        ]
    );
}

#[test]
fn a_mistake_in_the_catalogue_takes_only_its_readers_with_it() {
    let reader = SOUND.replace("decide:", "uses: [customer]\ndecide:");
    let root = project(&[
        ("usecases/orders/usecase.yaml", reader.as_bytes()),
        ("usecases/churn/usecase.yaml", CHURN.as_bytes()),
        (
            "catalogue/features/customer.yaml",
            b"entities: {customer: customer_id}\nfeaturs: {}\n",
        ),
    ]);
    let (project, found) = Project::load(root.path());
    assert_eq!(project.use_cases.len(), 1);
    let codes: Vec<&str> = found.iter().map(|d| d.code).collect();
    assert_eq!(codes, ["unknown_key", "broken_catalogue"]);
}

#[test]
fn features_of_the_catalogue_keep_their_place_and_prefix() {
    let reader = SOUND.replace("decide:", "uses: [customer]\ndecide:");
    let set = b"entities: {customer: customer_id}\nfeatures:\n  last: {operator: since_last, of: order, by: customer}\n";
    let root = project(&[
        ("usecases/orders/usecase.yaml", reader.as_bytes()),
        ("catalogue/features/customer.yaml", set),
    ]);
    let (project, found) = Project::load(root.path());
    assert_eq!(found, []);
    let orders = &project.use_cases[0];
    let place = orders.place("features.customer.last.of");
    assert!(place.file.ends_with("customer.yaml"));
    assert_eq!((place.line, place.column), (3, 36));
    assert!(
        orders
            .features
            .iter()
            .any(|feature| feature.name == "customer.last")
    );
}

#[test]
fn what_acumen_new_makes_is_sound() {
    let root = TempDir::new().unwrap();
    let folder = scaffold("late-orders", root.path()).unwrap();
    let (project, found) = Project::load(root.path());
    assert_eq!(found, []);
    let (tests, found) = TestFile::load_all(&project.use_cases[0]);
    assert_eq!((tests.len(), found), (1, Vec::new()));
    assert!(
        fs::read_to_string(folder.join("README.md"))
            .unwrap()
            .contains("# late-orders")
    );
    assert!(matches!(
        scaffold("late-orders", root.path()),
        Err(ScaffoldError::Exists(_))
    ));
    assert!(matches!(
        scaffold("../x", root.path()),
        Err(ScaffoldError::BadName(_))
    ));
}

fn shipped() -> Vec<Project> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let roots = [root.clone(), root.join("examples/card-payments")];
    let load = |root: &Path| {
        let (project, found) = Project::load(root);
        assert_eq!(found, [], "{}", root.display());
        project
    };
    roots.iter().map(|root| load(root)).collect()
}

#[test]
fn the_shipped_use_cases_and_their_tests_are_sound() {
    for use_case in shipped().iter().flat_map(|project| &project.use_cases) {
        let (_, found) = TestFile::load_all(use_case);
        assert_eq!(found, [], "{}", use_case.name);
    }
}

#[test]
fn the_schema_knows_every_shipped_key() {
    let schema = schema();
    let mut texts = vec![SOUND.to_owned(), CHURN.to_owned()];
    for use_case in shipped().iter().flat_map(|project| &project.use_cases) {
        texts.push(fs::read_to_string(use_case.folder.join(USE_CASE_FILE)).unwrap());
    }
    for text in texts {
        let value: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(misfit(&schema, &schema, &value), None, "{text}");
    }
    let wrong: serde_json::Value = serde_saphyr::from_str(&with(&[("reason", "reson")])).unwrap();
    assert!(misfit(&schema, &schema, &wrong).is_some());
}

/// Where a value does not fit the part of JSON Schema that we write.
fn misfit(
    root: &serde_json::Value,
    schema: &serde_json::Value,
    value: &serde_json::Value,
) -> Option<String> {
    if let Some(path) = schema["$ref"].as_str() {
        return misfit(root, root.pointer(&path[1..]).unwrap(), value);
    }
    if let Some(options) = schema["anyOf"].as_array() {
        let misfits: Option<Vec<String>> = options.iter().map(|o| misfit(root, o, value)).collect();
        return misfits.map(|all| format!("none of: {}", all.join("; ")));
    }
    if let Some(wanted) = schema.get("const") {
        return (wanted != value).then(|| format!("{value} is not {wanted}"));
    }
    if let Some(words) = schema["enum"].as_array() {
        return (!words.contains(value)).then(|| format!("{value} is none of {words:?}"));
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64(),
        Some("number") => value.is_number(),
        Some("boolean") => value.is_boolean(),
        _ => true,
    };
    if !fits {
        return Some(format!("{value} is not {}", schema["type"]));
    }
    for item in value.as_array().into_iter().flatten() {
        if let Some(wrong) = misfit(root, &schema["items"], item) {
            return Some(wrong);
        }
    }
    let entries = value.as_object()?;
    for required in schema["required"].as_array().into_iter().flatten() {
        if !entries.contains_key(required.as_str().unwrap()) {
            return Some(format!("no {required}"));
        }
    }
    entries.iter().find_map(|(key, value)| {
        let schema = match schema["properties"].get(key) {
            Some(schema) => schema,
            None if schema["additionalProperties"] == false => {
                return Some(format!("no key {key}"));
            }
            None => &schema["additionalProperties"],
        };
        misfit(root, schema, value).map(|wrong| format!("{key}: {wrong}"))
    })
}

#[test]
fn searches_are_checked_against_what_they_search() {
    let own = "max_depth: 3, search: {trials: 0.5, metod: random, of: {max_dept: [1, 2]}}";
    assert_eq!(
        problems(&with(&[("max_depth: 3", own)])).len(),
        2,
        "a search that cannot be read is not checked further"
    );
    let own =
        "max_depth: 3, search: {folds: 50, of: {max_dept: [1, 2], max_depth: [2, 4], eta: [2, 3]}}";
    let found = problems(&with(&[("max_depth: 3", own)]));
    for said in [
        "`folds` is 50, which is not from 1 to 20",
        "no parameter `max_dept` to search | did you mean `max_depth`?",
        "`max_depth` is given, so `max_depth` cannot be searched",
        "`eta` may not be 2",
    ] {
        let of: Vec<&String> = found.iter().filter(|text| text.contains(said)).collect();
        assert!(
            of.len() == 1 && of[0].starts_with("24:"),
            "{said}: {found:#?}"
        );
    }
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn a_share_of_the_negatives_is_a_share() {
    let declared = "training: {training_data: last_12_months,";
    let of = |share: &str| {
        let text = CHURN.replace(declared, &format!("{declared} negative_share: {share},"));
        problems_of("churn", &text)
    };
    assert_eq!(of("0.1"), Vec::<String>::new());
    assert_eq!(of("25%"), Vec::<String>::new());
    assert_eq!(of("1"), Vec::<String>::new());
    let [none] = &of("0")[..] else {
        panic!("one problem")
    };
    assert!(
        none.contains("keeps no row with a negative outcome"),
        "{none}"
    );
    for wrong in ["1.5", "-0.1", "nan", "[0.1]"] {
        let [problem] = &of(wrong)[..] else {
            panic!("one problem of {wrong}")
        };
        assert!(problem.contains("a share between 0 and 1"), "{problem}");
    }
}
