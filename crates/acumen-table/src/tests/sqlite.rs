use acumen_base::SourceMark;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Executor};
use tokio::runtime::Runtime;

use super::Folder;
use super::sources::{all, ids, open, orders};
use crate::{Environment, SourceDecl};

/// A database that the tests write to.
struct Shop {
    folder: Folder,
    runtime: Runtime,
    connection: SqliteConnection,
}

const TABLE: &str =
    "CREATE TABLE orders (n INTEGER PRIMARY KEY, at TEXT, c TEXT, price REAL, changed TEXT)";

impl Shop {
    fn new() -> Shop {
        let folder = Folder::new();
        let runtime = Runtime::new().unwrap();
        let options = SqliteConnectOptions::new().filename(folder.path("shop.db"));
        let options = options.create_if_missing(true);
        let connection = runtime.block_on(options.connect()).unwrap();
        Shop {
            folder,
            runtime,
            connection,
        }
    }

    fn run(&mut self, sql: &'static str) {
        let running = self.connection.execute(sql);
        self.runtime.block_on(running).unwrap();
    }

    fn read(&self, source: &SourceDecl, since: Option<&SourceMark>) -> crate::SourceReader {
        let root = self.folder.0.path();
        open(source, &Environment::default(), root, since)
            .unwrap_or_else(|problems| panic!("{problems:?}"))
    }
}

fn source() -> SourceDecl {
    orders("sqlite:shop.db", Some("orders"), Some("changed"))
}

#[test]
fn each_reading_gives_what_is_new_and_ties_neither_lose_nor_double() {
    let mut shop = Shop::new();
    shop.run(TABLE);
    shop.run(
        "INSERT INTO orders VALUES (1, '2024-01-01T09:00:00', 'a', 10.5, '2024-01-01'),
         (2, '2024-01-02 09:00:00', 'b', 20, '2024-01-02'), (3, '2024-01-02', 'a', 30, '2024-01-02')",
    );
    let (first, mark) = all(shop.read(&source(), None));
    assert_eq!(ids(&first), ["o-1", "o-2", "o-3"]);
    assert_eq!(first.events[0].values[1].to_string(), "10.50 GBP");
    assert_eq!(mark.watermark.as_deref(), Some("2024-01-02"));
    assert_eq!(mark.ties.len(), 2);

    let (nothing, same) = all(shop.read(&source(), Some(&mark)));
    assert_eq!((ids(&nothing), &same), (vec![], &mark));

    // More of the same instant, and a row that is written late behind it.
    shop.run("INSERT INTO orders VALUES (4, '2024-01-02', 'c', 40, '2024-01-02')");
    shop.run("INSERT INTO orders VALUES (5, '2024-01-03', 'c', 50, '2024-01-03')");
    let (next, mark) = all(shop.read(&source(), Some(&mark)));
    assert_eq!(ids(&next), ["o-4", "o-5"]);
    assert_eq!(mark.watermark.as_deref(), Some("2024-01-03"));
    assert_eq!(mark.ties.len(), 1);

    // What changes comes again: under its old id, for whoever takes it to compare.
    shop.run("UPDATE orders SET price = 51, changed = '2024-01-04' WHERE n = 5");
    assert_eq!(ids(&all(shop.read(&source(), Some(&mark))).0), ["o-5"]);
}

#[test]
fn ties_across_batches_are_all_remembered() {
    let mut shop = Shop::new();
    shop.run(TABLE);
    shop.run(
        "WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < 9000)
         INSERT INTO orders SELECT n, '2024-01-01', 'a', 1, CASE WHEN n < 8000 THEN '1' ELSE '2' END
         FROM k",
    );
    let (first, mark) = all(shop.read(&source(), None));
    assert_eq!(first.events.len(), 9_000);
    assert_eq!(mark.ties.len(), 1_001);
    assert_eq!(all(shop.read(&source(), Some(&mark))).0.events.len(), 0);
}

#[test]
fn a_whole_number_is_compared_as_one() {
    let mut shop = Shop::new();
    shop.run(TABLE);
    shop.run(
        "INSERT INTO orders VALUES (9, '2024-01-01', 'a', 1, ''), (10, '2024-01-01', 'a', 1, '')",
    );
    let by_number = orders("sqlite:shop.db", Some("orders"), Some("n"));
    let (_, mark) = all(shop.read(&by_number, None));
    assert_eq!(mark.watermark.as_deref(), Some("10"));
    shop.run("INSERT INTO orders VALUES (100, '2024-01-01', 'a', 1, '')");
    assert_eq!(ids(&all(shop.read(&by_number, Some(&mark))).0), ["o-100"]);
}

#[test]
fn a_table_that_changed_since_is_named_with_its_columns() {
    let mut shop = Shop::new();
    shop.run(TABLE);
    shop.run("INSERT INTO orders VALUES (1, '2024-01-01', 'a', 10, '2024-01-01')");
    let (_, mark) = all(shop.read(&source(), None));
    shop.run("ALTER TABLE orders RENAME COLUMN price TO prices");
    shop.run("ALTER TABLE orders ADD COLUMN unread TEXT");
    let root = shop.folder.0.path();
    let opened = open(&source(), &Environment::default(), root, Some(&mark));
    let problems = opened.err().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].code, "missing_column");
    let said = problems[0].to_string();
    assert!(said.contains("did you mean `prices`?"), "{said}");
    assert!(said.contains("`price` was there as REAL"), "{said}");

    shop.run("DROP TABLE orders");
    shop.run("CREATE TABLE orders (n TEXT, at TEXT, c TEXT, price TEXT, changed TEXT)");
    let root = shop.folder.0.path();
    let opened = open(&source(), &Environment::default(), root, Some(&mark));
    let problems = opened.err().unwrap();
    let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].contains("`n` is TEXT now, and was INTEGER"),
        "{said:?}"
    );
    assert!(
        said[1].contains("`price` is TEXT now, and was REAL"),
        "{said:?}"
    );
    assert!(said[0].contains("--accept-changes"), "{said:?}");
}

#[test]
fn what_cannot_be_read_says_why_and_what_to_do() {
    let mut shop = Shop::new();
    shop.run(TABLE);
    shop.run("INSERT INTO orders VALUES (1, '2024-01-01', 'a', 10, NULL)");
    shop.run("INSERT INTO orders VALUES (2, 'yesterday', 'a', 10, '1'), (3, NULL, 'a', -1, '2')");
    let (batch, _) = all(shop.read(&source(), None));
    assert_eq!(batch.events.len(), 0);
    assert_eq!(shop.read(&source(), None).unmarked(), 1);
    let said: Vec<&str> = batch.rejected.iter().map(|r| r.message.as_str()).collect();
    assert!(said[0].contains("the time: `yesterday`"), "{said:?}");
    assert!(said[1].contains("the time is missing"), "{said:?}");
    assert!(batch.rejected[0].original.contains(r#""n":2"#), "{batch:?}");

    let root = shop.folder.0.path();
    let refused = |source: &SourceDecl| {
        let problems = open(source, &Environment::default(), root, None)
            .err()
            .unwrap();
        problems[0].to_string()
    };
    let nowhere = refused(&orders("sqlite:no.db", Some("orders"), None));
    assert!(nowhere.contains("cannot be reached"), "{nowhere}");
    assert!(
        nowhere.starts_with("catalogue/sources/shop.yaml:1:1"),
        "{nowhere}"
    );
    let no_table = refused(&orders("sqlite:shop.db", Some("order"), None));
    assert!(no_table.contains("there is no table `order`"), "{no_table}");
    let no_column = refused(&orders("sqlite:shop.db", Some("orders"), Some("chnged")));
    assert!(no_column.contains("did you mean `changed`?"), "{no_column}");
    let decimal = refused(&orders("sqlite:shop.db", Some("orders"), Some("price")));
    assert!(decimal.contains("cannot be read along"), "{decimal}");
}

#[test]
fn declarations_are_checked_before_anything_is_reached() {
    let said = |source: &SourceDecl| -> Vec<&'static str> {
        let problems = source.check(&super::types());
        assert!(problems.iter().all(|problem| problem.place == source.place));
        problems.iter().map(|problem| problem.code).collect()
    };
    assert_eq!(said(&source()), Vec::<&str>::new());
    assert_eq!(said(&orders("sqlite:a.db", None, None)), ["missing_key"]);
    assert_eq!(said(&orders("s3://a/b", Some("t"), None)), ["unknown_key"]);
    let secret = "postgres://reader:secret@db/shop";
    assert_eq!(said(&orders(secret, Some("t"), None)), ["secret_in_file"]);
    let hidden = "postgres://reader:${PW}@db/shop";
    assert_eq!(said(&orders(hidden, Some("t"), None)), Vec::<&str>::new());
    let mut misspelt = source();
    misspelt.events[0].event = "oder".into();
    assert_eq!(said(&misspelt), ["unknown_event"]);
    let mut after = source();
    let by = |event: &str, by: &str| {
        let (event, by) = (event.to_owned(), by.to_owned());
        Some(crate::After { event, by })
    };
    after.events[0].after = by("refnd", "customer_id");
    assert_eq!(said(&after), ["unknown_event"]);
    after.events[0].after = by("refund", "order_id");
    assert_eq!(
        said(&after),
        ["unknown_field"],
        "an order has no `order_id` beside its id"
    );
}
