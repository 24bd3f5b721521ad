//! Files into the log, and the tests that users write beside their use case.

use std::sync::Arc;

use acumen_base::Clock;
use acumen_engine::{EngineError, import_files, usertest};
use acumen_model::ModelStore;
use acumen_table::Mapping;

use super::shop::{HOUR, START, Shop, decide, order};

const MAPPING: &str = r#"{
  "events": {
    "order": {
      "id": "{id}",
      "time": {"column": "at", "unit": "ms"},
      "fields": {
        "customer_id": "customer",
        "amount": {"column": "amount", "currency": "EUR"}
      }
    }
  }
}"#;

#[test]
fn a_file_is_taken_in_the_order_of_time_and_its_bad_lines_are_kept() {
    let shop = Shop::new();
    let (later, start) = (START + HOUR, START.0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("orders.csv");
    let rows = [
        "id,at,customer,amount".to_owned(),
        format!("b,{},c1,30.00", later.0),
        format!("a,{start},c1,20.00"),
        format!("c,{start},c1,-5.00"),
        format!("a,{start},c1,20.00"),
    ];
    std::fs::write(&file, rows.join("\n")).unwrap();
    let mapping: Mapping = serde_json::from_str(MAPPING).unwrap();
    shop.clock.set(later);
    let import = |shop: &Shop| {
        let mut offline = shop.offline();
        let clock: &dyn Clock = &*shop.clock;
        let report = import_files(
            &mut offline,
            std::slice::from_ref(&file),
            &mapping,
            clock,
            &mut |_| (),
        );
        offline.close().unwrap();
        report.unwrap()
    };
    let report = import(&shop);
    assert_eq!(
        (report.logged, report.repeated, report.refused),
        (2, 1, 1),
        "{report:?}"
    );
    let place = format!("{}:4", file.display());
    assert!(report.problems[0].first.contains(&place), "{report:?}");
    assert_eq!(import(&shop).logged, 0, "the same file again adds nothing");
    let engine = shop.open();
    assert_eq!(engine.quarantined(0, 10).unwrap().len(), 2);
    let decision = decide(&engine, &order("now", "c1", 1.0, later))
        .unwrap()
        .decision;
    let sum = super::shop::column(&shop, &decision, "orders.sum_24h");
    assert_eq!(sum, 51.0);
}

#[test]
fn history_comes_before_what_is_newer() {
    let shop = Shop::new();
    let mut offline = shop.offline();
    let limits = acumen_event::DecodeLimits::default();
    let event = |id: &str, at| {
        let body = order(id, "c1", 1.0, at);
        let event = shop
            .plan
            .decoder
            .decode_json(body.as_bytes(), None, at, &limits);
        Arc::new(event.unwrap())
    };
    offline.import(&event("new", START + HOUR)).unwrap();
    let refused = offline.import(&event("old", START)).unwrap_err();
    assert!(matches!(refused, EngineError::NotEnough(_)), "{refused}");
    assert!(
        refused.to_string().contains("history before going live"),
        "{refused}"
    );
}

#[test]
fn a_use_case_that_nobody_foresaw_passes_its_own_tests() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("usecases/churn");
    std::fs::create_dir_all(folder.join("tests")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write("usecase.yaml", include_str!("../data/churn/usecase.yaml"));
    let test = include_str!("../data/churn/tests/quiet.yaml");
    write("tests/quiet.yaml", test);
    let plan = super::shop::plan_of(home.path());
    let store = Arc::new(ModelStore::open(&home.path().join("models")).unwrap());
    let (count, problems) = usertest::run(&plan, 0, &store).unwrap();
    assert_eq!((count, problems.len()), (1, 0), "{problems:?}");
    write(
        "tests/quiet.yaml",
        &test.replace("engagement.sum_7d: 40", "engagement.sum_7d: 41"),
    );
    let (_, problems) = usertest::run(&plan, 0, &store).unwrap();
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].to_string().contains("engagement.sum_7d"),
        "{problems:?}"
    );
}
