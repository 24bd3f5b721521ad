//! Declared sources into the log: each time what is new, once.

use std::path::PathBuf;

use acumen_base::{Clock, Span};
use acumen_engine::{EngineError, ImportReport, IngestOptions, import_files, ingest_sources};
use acumen_table::{Environment, Mapping};

use super::shop::{DAY, HOUR, START, Shop};

const EVENTS: &str = "\
events:
  order:
    id: \"{id}\"
    time: {column: at, unit: ms}
    fields:
      customer_id: customer
      amount: {column: amount, currency: EUR}
";

fn hours(count: i64) -> Span {
    Span(count * HOUR.0)
}

/// A shop with sources, each a folder of files.
fn shop(sources: &[&str]) -> Shop {
    let mut shop = Shop::new();
    let folder = shop.path("catalogue/sources");
    std::fs::create_dir_all(&folder).unwrap();
    for source in sources {
        let text = format!("read: {source}\n{EVENTS}");
        std::fs::write(folder.join(format!("{source}.yaml")), text).unwrap();
    }
    shop.redefine(&[]);
    shop
}

/// Writes a file of a source; each order is an id and how long after the start it was.
fn write(shop: &Shop, file: &str, orders: &[(&str, Span)]) -> PathBuf {
    let path = shop.path(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let rows = orders
        .iter()
        .map(|(id, after)| format!("{id},{},c1,1.00\n", (START + *after).0));
    let text = format!("id,at,customer,amount\n{}", rows.collect::<String>());
    std::fs::write(&path, text).unwrap();
    path
}

fn try_ingest(shop: &Shop, names: &[&str]) -> Result<ImportReport, EngineError> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut offline = shop.offline();
    let options = IngestOptions {
        environment: &Environment::default(),
        accept_changes: false,
    };
    let clock: &dyn Clock = &*shop.clock;
    let report = ingest_sources(&mut offline, &names, options, clock, &mut |_| ());
    offline.close().unwrap();
    report
}

fn ingest(shop: &Shop) -> ImportReport {
    try_ingest(shop, &[]).unwrap()
}

#[test]
fn only_what_is_new_is_taken() {
    let shop = shop(&["web", "till"]);
    write(&shop, "web/1.csv", &[("a", HOUR), ("c", hours(2))]);
    write(&shop, "till/1.csv", &[("b", HOUR)]);
    let first = ingest(&shop);
    assert_eq!((first.logged, first.repeated), (3, 0), "{first:?}");
    let again = ingest(&shop);
    assert_eq!((again.logged, again.repeated), (0, 0), "{again:?}");
    write(&shop, "till/2.csv", &[("d", DAY)]);
    let next = ingest(&shop);
    assert_eq!((next.logged, next.repeated), (1, 0), "{next:?}");
    let named = try_ingest(&shop, &["til"]).unwrap_err().to_string();
    assert!(named.contains("`til`") && named.contains("till"), "{named}");
}

#[test]
fn a_crash_before_the_mark_neither_loses_nor_doubles() {
    let shop = shop(&["web"]);
    // Of the first, the id is forgotten by the time of the last.
    let history = [("a", HOUR), ("b", DAY), ("c", Span(400 * DAY.0))];
    let file = write(&shop, "web/1.csv", &history);
    // What a crash leaves: the events, and no word of how far the source was read.
    let mapping: Mapping = serde_saphyr::from_str(EVENTS).unwrap();
    let mut offline = shop.offline();
    let clock: &dyn Clock = &*shop.clock;
    let files = std::slice::from_ref(&file);
    import_files(&mut offline, files, &mapping, clock, &mut |_| ()).unwrap();
    offline.close().unwrap();
    let after = ingest(&shop);
    assert_eq!(
        (after.logged, after.repeated, after.refused),
        (0, 3, 0),
        "{after:?}"
    );

    // Another body under an id of long ago is seen as well.
    let text = std::fs::read_to_string(&file)
        .unwrap()
        .replace("c1,1.00", "c2,1.00");
    std::fs::write(shop.path("web/2.csv"), text).unwrap();
    let changed = ingest(&shop);
    assert_eq!((changed.logged, changed.refused), (0, 3), "{changed:?}");
    assert_eq!(
        changed.problems.len(),
        1,
        "one line for one reason: {changed:?}"
    );
    assert_eq!(changed.problems[0].records, 3);
    assert!(
        changed.problems[0].first.contains("another body"),
        "{changed:?}"
    );
}

#[test]
fn what_comes_late_is_known_from_then_on() {
    let shop = shop(&["web"]);
    write(&shop, "web/1.csv", &[("a", HOUR), ("d", Span(60 * DAY.0))]);
    ingest(&shop);
    let late = Span(60 * DAY.0 - HOUR.0);
    write(&shop, "web/2.csv", &[("b", DAY), ("c", late)]);
    let report = ingest(&shop);
    assert_eq!((report.logged, report.refused), (2, 0), "{report:?}");
    assert_eq!(report.too_late, 1, "`b` is later than a day: {report:?}");
    let offline = shop.offline();
    let newest = START + Span(60 * DAY.0);
    assert_eq!(offline.core.newest, newest);
    let log: Vec<_> = offline.log.read(0).map(Result::unwrap).collect();
    let known = log.iter().filter_map(|record| match &record.body {
        acumen_base::Body::Event(event) => Some((event.id.to_string(), event.known_at)),
        _ => None,
    });
    let known: Vec<(String, acumen_base::Time)> = known.collect();
    let id = |name: &str| name.to_owned();
    assert_eq!(
        known,
        [
            (id("a"), START + HOUR),
            (id("d"), newest),
            (id("b"), newest),
            (id("c"), newest)
        ]
    );
}

#[test]
fn one_source_that_fails_takes_nothing_from_the_others() {
    let shop = shop(&["gone", "web"]);
    write(&shop, "web/1.csv", &[("a", HOUR)]);
    std::fs::write(shop.path("web/2.csv"), "id,when\n1,2\n").unwrap();
    let report = ingest(&shop);
    assert_eq!(report.logged, 1, "{report:?}");
    assert_eq!(report.failed.len(), 2, "{report:?}");
    assert!(report.failed[0].contains("source `gone`"), "{report:?}");
    assert!(report.failed[1].contains("web/2.csv"), "{report:?}");
    assert!(
        report.failed[1].contains("no column `customer`"),
        "{report:?}"
    );
    // Mended, it comes.
    write(&shop, "web/2.csv", &[("b", HOUR)]);
    write(&shop, "gone/1.csv", &[("c", HOUR)]);
    let mended = ingest(&shop);
    assert_eq!((mended.logged, mended.failed.len()), (2, 0), "{mended:?}");
}

#[test]
fn what_comes_before_what_it_follows_is_refused_and_the_rest_is_taken() {
    let account = "  account:
    id: account_id
    time: opened_at
    lateness: 400d
    fields: {customer_id: id}
  complaint:
    id: complaint_id";
    let types = [("  complaint:\n    id: complaint_id", account)];
    let mut shop = Shop::new();
    let folder = shop.path("catalogue/sources");
    std::fs::create_dir_all(&folder).unwrap();
    let accounts = "\
read: accounts
events:
  account:
    id: \"{customer}\"
    time: {column: at, unit: ms}
    fields: {customer_id: customer}
";
    let after = EVENTS.replace(
        "    fields:",
        "    after: {event: account, by: customer_id}\n    fields:",
    );
    std::fs::write(folder.join("accounts.yaml"), accounts).unwrap();
    std::fs::write(folder.join("web.yaml"), format!("read: web\n{after}")).unwrap();
    shop.redefine(&types);

    write(&shop, "accounts/1.csv", &[("x", DAY)]);
    write(
        &shop,
        "web/1.csv",
        &[("early", HOUR), ("then", DAY), ("later", hours(25))],
    );
    let report = ingest(&shop);
    assert_eq!((report.logged, report.refused), (3, 1), "{report:?}");
    let said = &report.problems[0].first;
    assert!(
        said.contains("`early` of 2026-01-01T01:00:00Z comes before"),
        "{said}"
    );
    assert!(
        said.contains("`account` of `c1`, which is of 2026-01-02"),
        "{said}"
    );
    // The account is in the log by now, and holds all the same.
    write(
        &shop,
        "web/2.csv",
        &[("too early", hours(2)), ("next", hours(48))],
    );
    let report = ingest(&shop);
    assert_eq!((report.logged, report.refused), (1, 1), "{report:?}");
}
