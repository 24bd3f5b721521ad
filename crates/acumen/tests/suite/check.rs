//! `acumen check` and `acumen new`.

use crate::program::{acumen, repository, well};

#[test]
fn the_project_is_sound_and_its_own_tests_pass() {
    let said = well(&repository(), &["check"]);
    assert!(said.contains("all is well"), "{said}");
    let said = well(&repository().join("examples/card-payments"), &["check"]);
    assert!(said.contains("all is well"), "{said}");
}

#[test]
fn five_mistakes_are_five_problems_each_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    well(folder.path(), &["new", "orders"]);
    let file = folder.path().join("usecases/orders/usecase.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut wrong = text.clone();
    for (right, mistaken) in [
        ("operator: fields", "operator: feilds"),
        ("window: [1h, 24h, 30d]", "window: [1h, 24 hours]"),
        ("algorithm: xgboost", "algorithm: xgbost"),
        ("recent_orders.count_1h > 5", "recent_order.count_1h > 5"),
        ("fallback: review", "fallback: revue"),
    ] {
        assert!(text.contains(right), "{right}");
        wrong = wrong.replace(right, mistaken);
    }
    std::fs::write(&file, wrong).unwrap();
    let ran = acumen(folder.path(), &["check"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("5 problems to mend"), "{}", ran.out);
    assert_eq!(ran.out.matches("usecase.yaml:").count(), 5, "{}", ran.out);
    for near in ["`fields`", "`xgboost`", "`review`"] {
        assert!(ran.out.contains(near), "{near} in {}", ran.out);
    }
    let json = acumen(folder.path(), &["check", "--json"]);
    let found: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(found["problems"].as_array().map(Vec::len), Some(5));
    assert!(found["problems"][0]["place"]["line"].as_u64() > Some(1));
}

#[test]
fn a_test_that_is_not_met_fails_the_check() {
    let folder = tempfile::tempdir().unwrap();
    well(folder.path(), &["new", "orders"]);
    let file = folder.path().join("usecases/orders/tests/first_order.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("recent_orders.count_1h: 6", "recent_orders.count_1h: 7"),
    )
    .unwrap();
    let ran = acumen(folder.path(), &["check"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("first_order.yaml:"), "{}", ran.out);
}

#[test]
fn wrong_usage_and_wrong_names_say_so() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(acumen(folder.path(), &["chek"]).code, 2);
    well(folder.path(), &["new", "orders"]);
    assert_eq!(acumen(folder.path(), &["new", "orders"]).code, 1);
    let ran = acumen(folder.path(), &["features", "order"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("did you mean `orders`?"), "{}", ran.err);
    let ran = acumen(folder.path(), &["train", "orders"]);
    assert!(ran.err.contains("acumen ingest"), "{}", ran.err);
}
