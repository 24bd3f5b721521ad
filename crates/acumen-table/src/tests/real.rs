use std::path::Path;

use super::{mapping, read_all};
use crate::sorted_by_known_at;

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
            "time": "tx_datetime", "known_at": {"delay": "7d"},
            "fields": {"order_id": "t-{transaction_id}"}}}}"#,
    );
    let batch = read_all(&path, &mapping).unwrap();
    assert_eq!(batch.rejected, []);
    assert_eq!(batch.done, 1_754_155);
    assert_eq!(batch.events.len(), 1_754_155 + 14_681);
    let first = &batch.events[0];
    assert_eq!(first.event_time.to_string(), "2018-04-01T00:00:31Z");
    assert_eq!(first.values[1].to_string(), "57.16 GBP");
    let sorted = sorted_by_known_at(batch.events);
    assert!(sorted.is_sorted_by_key(|event| event.known_at));
}
