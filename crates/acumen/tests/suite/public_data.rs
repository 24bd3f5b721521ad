//! The worked example, on the public data where it is at hand.

use crate::program::{repository, well};

#[test]
fn the_public_card_data_can_be_taken_in() {
    let file = repository().join("../shared/data/fraud/handbook_transactions.parquet");
    if !file.is_file() {
        eprintln!("skipped: {} is not here", file.display());
        return;
    }
    let root = repository().join("examples/card-payments");
    let mapping = root.join("mapping.yaml");
    let (mapping, file) = (mapping.to_str().unwrap(), file.to_str().unwrap());
    // A dry run reads and converts every record, and writes nothing.
    let said = well(&root, &["ingest", "--dry-run", "--mapping", mapping, file]);
    assert!(
        said.contains("1,768,836 events would be taken, 0 records refused"),
        "{said}"
    );
}
