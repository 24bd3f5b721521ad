use std::path::Path;

use super::{mapping, open};

/// Half a year of transactions of a public simulator; not part of the project.
const FILE: &str = "../../../shared/data/fraud/handbook_transactions.parquet";

#[test]
fn a_large_table_is_read_whole() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if !path.exists() {
        eprintln!("skipped: {} is not there", path.display());
        return;
    }
    let mapping = mapping(
        r#"{"events": {
        "order": {"id": "t-{transaction_id}", "time": {"column": "tx_datetime", "timezone": "UTC"},
            "fields": {"customer_id": "c{customer_id}",
                       "amount": {"column": "tx_amount", "currency": "GBP"}}},
        "refund": {"when": {"column": "tx_fraud", "equals": 1}, "id": "r-{transaction_id}",
            "time": {"column": "tx_datetime", "timezone": "UTC"}, "known_at": {"delay": "7d"},
            "fields": {"order_id": "t-{transaction_id}"}}}}"#,
    );
    let mut source = open(&path, &mapping).unwrap();
    let (mut events, mut refunds, mut done) = (0, 0, 0);
    let mut first = None;
    while let Some(batch) = source.next_batch().unwrap() {
        assert_eq!(batch.rejected, []);
        events += batch.events.len();
        refunds += batch
            .events
            .iter()
            .filter(|e| e.kind.name == "refund")
            .count();
        done = batch.done;
        first = first.or_else(|| batch.events.into_iter().next());
    }
    assert_eq!((done, source.total()), (1_754_155, Some(1_754_155)));
    assert_eq!((events, refunds), (1_754_155 + 14_681, 14_681));
    let first = first.unwrap();
    assert_eq!(first.event_time.to_string(), "2018-04-01T00:00:31Z");
    assert_eq!(first.values[1].to_string(), "57.16 GBP");
}
