use std::collections::BTreeSet;
use std::path::Path;

use acumen_base::SourceMark;

use super::postgres_server::Server;
use super::sources::{all, ids, open, orders};
use crate::{Environment, SourceDecl, SourceError, SourceReader, TableError};

const TABLE: &str = "CREATE TABLE orders (n int PRIMARY KEY, at timestamptz, c varchar(20),
    price numeric(10,2), changed timestamp NOT NULL DEFAULT '2024-01-01', note jsonb)";

fn source() -> SourceDecl {
    orders("${SHOP}", Some("public.orders"), Some("changed"))
}

fn read(server: &Server, since: Option<&SourceMark>) -> SourceReader {
    let address = server.address("s3cret");
    let environment = Environment::of([("SHOP", address.as_str())]);
    open(&source(), &environment, Path::new(""), since)
        .unwrap_or_else(|problems| panic!("{problems:?}"))
}

#[test]
fn a_table_is_read_along_its_watermark_to_the_microsecond() {
    let Some(server) = Server::start() else {
        return;
    };
    server.execute(TABLE);
    server.execute(
        "INSERT INTO orders VALUES
            (1, '2024-01-01 09:00:00.123456+02', 'a', 0.29, '2024-01-01 00:00:00.000001'),
            (2, '2024-01-02Z', 'b', 1999999.99, '2024-01-01 00:00:00.000002'),
            (3, NULL, 'b', 1, '2024-01-01 00:00:00.000002'),
            (4, 'infinity', 'b', 1, '2024-01-01 00:00:00.000002')",
    );
    let (batch, mark) = all(read(&server, None));
    assert_eq!(ids(&batch), ["o-1", "o-2"]);
    let first = &batch.events[0];
    assert_eq!(first.event_time.to_string(), "2024-01-01T07:00:00.123Z");
    assert_eq!(first.values[1].to_string(), "0.29 GBP");
    assert_eq!(batch.events[1].values[1].to_string(), "1999999.99 GBP");
    assert_eq!(batch.rejected.len(), 2, "{:?}", batch.rejected);
    assert_eq!(
        mark.watermark.as_deref(),
        Some("2024-01-01 00:00:00.000002")
    );
    assert_eq!(mark.ties.len(), 3);
    assert_eq!(mark.columns["price"], "numeric(10,2)");

    server.execute(
        "INSERT INTO orders VALUES (5, now(), 'c', 5, '2024-01-01 00:00:00.000001'),
            (6, now(), 'c', 6, '2024-01-01 00:00:00.000002'),
            (7, now(), 'c', 7, '2024-01-01 00:00:00.000003')",
    );
    let (next, mark) = all(read(&server, Some(&mark)));
    assert_eq!(
        ids(&next),
        ["o-6", "o-7"],
        "5 was written behind the watermark"
    );
    assert_eq!(
        next.rejected,
        [],
        "what was refused at the watermark is not refused again"
    );
    assert_eq!(ids(&all(read(&server, Some(&mark))).0), Vec::<&str>::new());

    server.execute("ALTER TABLE orders ALTER price TYPE text, DROP COLUMN c");
    let address = server.address("s3cret");
    let environment = Environment::of([("SHOP", address.as_str())]);
    let problems = open(&source(), &environment, Path::new(""), Some(&mark));
    let problems = problems.err().unwrap();
    let said = problems[0].to_string();
    assert!(said.contains("no column `c`"), "{said}");
    assert!(
        said.contains("was there as character varying(20)"),
        "{said}"
    );
}

#[test]
fn a_database_that_goes_away_leaves_what_was_read_and_the_rest_for_next_time() {
    let Some(server) = Server::start() else {
        return;
    };
    server.execute(TABLE);
    server.execute(
        "INSERT INTO orders (n, at, c, price, changed)
         SELECT n, '2024-01-01Z', repeat('x', 20), 1, timestamp '2024-01-01' + n / 7 * interval '1 s'
         FROM generate_series(1, 400000) n",
    );
    let mut reader = read(&server, None);
    let mut taken = BTreeSet::new();
    let first = reader.next_batch().unwrap().unwrap();
    let mut keep = |batch: &crate::Batch| {
        for event in &batch.events {
            assert!(taken.insert(event.id.to_string()), "{} twice", event.id);
        }
    };
    keep(&first);
    server.down();
    let error = loop {
        match reader.next_batch() {
            Ok(batch) => keep(&batch.expect("it ends with an error")),
            Err(error) => break error,
        }
    };
    let SourceError::Table(TableError::Database { done, .. }) = &error else {
        panic!("{error}");
    };
    let said = error.to_string();
    assert!(
        said.contains("source `shop`: the database went away"),
        "{said}"
    );
    assert!(!said.contains("s3cret"), "{said}");
    assert!(*done > 0 && *done < 400_000, "{said}");
    assert!(reader.next_batch().unwrap().is_none(), "nothing more comes");
    let mark = reader.mark().clone();

    // While it is down, one clear error; then the rest comes, each row once.
    let address = server.address("s3cret");
    let environment = Environment::of([("SHOP", address.as_str())]);
    let down = open(&source(), &environment, Path::new(""), Some(&mark));
    let down = down.err().unwrap();
    assert_eq!((down.len(), down[0].code), (1, "unreachable"), "{down:?}");
    assert!(!down[0].to_string().contains("s3cret"), "{down:?}");
    server.up();
    let (rest, _) = all(read(&server, Some(&mark)));
    keep(&rest);
    assert_eq!(taken.len(), 400_000);
}

#[test]
fn a_wrong_password_is_an_error_that_does_not_say_it() {
    let Some(server) = Server::start() else {
        return;
    };
    let address = server.address("wr0ng");
    let environment = Environment::of([("SHOP", address.as_str())]);
    let refused = open(&source(), &environment, Path::new(""), None);
    let said = refused.err().unwrap()[0].to_string();
    assert!(said.contains("password authentication failed"), "{said}");
    assert!(!said.contains("wr0ng"), "{said}");
    let unset = open(&source(), &Environment::default(), Path::new(""), None);
    let said = unset.err().unwrap()[0].to_string();
    assert!(
        said.contains("`SHOP` of the environment is not set"),
        "{said}"
    );
}
