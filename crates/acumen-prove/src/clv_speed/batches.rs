//! Batches of scores that are killed at random moments and started again.

use std::collections::HashMap;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use acumen_base::Seed;
use arrow_array::cast::AsArray;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::orders::Orders;
use super::{ORDERS_EACH, Shop};
use crate::report::Failure;
use crate::settings::Settings;

const KILLS: usize = 20;
/// Fewer customers than are timed: each start reads the state anew.
const CUSTOMERS: usize = 50_000;

/// What came of them.
pub(super) struct Killed {
    pub(super) kills: usize,
    /// Whether every customer stands in the scores, and once.
    pub(super) scored_once: bool,
}

/// Kills a run at a random moment of what is left of it, starts it again, and lets the last one
/// finish.
pub(super) fn kill(settings: &Settings) -> Result<Killed, Failure> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("orders.parquet");
    Orders::make(CUSTOMERS, ORDERS_EACH, Seed(settings.seed))?.write(&file)?;
    let shop = Shop::new(folder.path().join("data"))?;
    shop.ingest(&file)?;
    shop.train()?;
    let whole = shop.run(shop.score(&folder.path().join("whole")))?;
    let out = folder.path().join("scores");
    let mut random = ChaCha8Rng::seed_from_u64(Seed(settings.seed).derive("kills").0);
    let mut kills = 0;
    while kills < KILLS {
        let mut child = shop
            .score(&out)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let after = whole.seconds * random.random::<f64>();
        std::thread::sleep(Duration::from_secs_f64(after));
        // One that has finished is begun anew elsewhere: only what was cut off counts.
        if child.try_wait()?.is_some() {
            std::fs::remove_dir_all(&out)?;
            continue;
        }
        child.kill()?;
        child.wait()?;
        kills += 1;
    }
    shop.run(shop.score(&out))?;
    let counts = counted(&out)?;
    let scored_once = counts.len() == CUSTOMERS && counts.values().all(|count| *count == 1);
    println!(
        "{kills} runs killed within {:.1} s of their beginning; {} customers stand in the scores",
        whole.seconds,
        counts.len()
    );
    Ok(Killed { kills, scored_once })
}

/// How often each customer stands in the Parquet files below a folder.
fn counted(out: &Path) -> Result<HashMap<String, usize>, Failure> {
    let mut counts = HashMap::new();
    for run in std::fs::read_dir(out)? {
        for part in std::fs::read_dir(run?.path())? {
            let path = part?.path();
            if path
                .extension()
                .is_none_or(|extension| extension != "parquet")
            {
                continue;
            }
            let file = std::fs::File::open(&path)?;
            for batch in ParquetRecordBatchReaderBuilder::try_new(file)?.build()? {
                let batch = batch?;
                let ids = batch.column_by_name("customer_id");
                let ids = ids.ok_or_else(|| Failure::new("the scores name no customers"))?;
                for id in ids.as_string::<i32>().iter().flatten() {
                    *counts.entry(id.to_owned()).or_default() += 1;
                }
            }
        }
    }
    Ok(counts)
}
