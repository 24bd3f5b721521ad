//! Networks that were trained before, for the same events by the same code.

use std::path::PathBuf;
use std::time::Instant;

use acumen_model::recommend::{Interactions, RecommendError, Recommender, Source};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::report::Failure;
use crate::settings::workspace;

/// The learner that takes minutes; the others are fitted every time.
const SLOW: &str = "recurrent";

/// The code that a network depends on.
const CODE: [&str; 5] = [
    include_str!("../../../acumen-deep/src/sequence_recommender.rs"),
    include_str!("../../../acumen-deep/src/sequence_recommender/softmax.rs"),
    include_str!("../../../acumen-deep/src/sequence_recommender/windows.rs"),
    include_str!("../../../acumen-deep/src/draws.rs"),
    include_str!("../../../acumen-deep/src/layers.rs"),
];

/// A folder of networks.
pub(super) struct Kept {
    folder: PathBuf,
    fresh: bool,
}

impl Kept {
    pub(super) fn new(fresh: bool) -> Kept {
        let folder = workspace("target/prove-recommenders");
        Kept { folder, fresh }
    }

    /// The source, and how many seconds it took to fit it; one that was kept says how long it took
    /// then.
    pub(super) fn or_fit(
        &self,
        learner: &str,
        parameters: &Value,
        events: &Interactions,
        fit: impl FnOnce() -> Result<Source, RecommendError>,
    ) -> Result<(Source, f64), Failure> {
        if learner != SLOW {
            return timed(fit);
        }
        let path = self
            .folder
            .join(format!("{}.recommender", key(parameters, events)));
        let seconds_of = path.with_extension("seconds");
        if path.is_file() && !self.fresh {
            let seconds = std::fs::read_to_string(&seconds_of)?;
            println!("  {learner}: as trained before ({})", path.display());
            return Ok((Recommender::load(&path)?.source, seconds.trim().parse()?));
        }
        let (source, seconds) = timed(fit)?;
        std::fs::create_dir_all(&self.folder)?;
        std::fs::write(&seconds_of, format!("{seconds:.1}\n"))?;
        let names = (0..events.n_items()).map(|item| item.to_string().into());
        let kept = Recommender {
            learner: learner.to_owned(),
            parameters: parameters.to_string(),
            items: names.collect(),
            source,
            seed: 1,
            events: events.len() as u64,
        };
        kept.save(&path)?;
        Ok((kept.source, seconds))
    }
}

#[expect(clippy::disallowed_methods, reason = "a measurement of time")]
pub(super) fn timed(
    fit: impl FnOnce() -> Result<Source, RecommendError>,
) -> Result<(Source, f64), Failure> {
    let started = Instant::now();
    let source = fit()?;
    Ok((source, started.elapsed().as_secs_f64()))
}

/// A hash of the events, the parameters and the code.
fn key(parameters: &Value, events: &Interactions) -> String {
    let mut hash = Sha256::new();
    CODE.iter().for_each(|code| hash.update(code));
    hash.update(parameters.to_string());
    for user in 0..events.n_users() {
        hash.update([0xff; 4]);
        let items = events.history(user).items.iter();
        items.for_each(|item| hash.update(item.to_le_bytes()));
    }
    let digest = hash.finalize();
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
