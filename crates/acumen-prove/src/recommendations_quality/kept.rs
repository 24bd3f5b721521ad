//! Networks that were trained before, for the same events by the same code.

use std::path::PathBuf;
use std::time::Instant;

use acumen_model::recommend::{Interactions, RecommendError, Recommender, Source};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::report::Failure;
use crate::settings::workspace;

/// The code that every network depends on.
const CODE: [&str; 6] = [
    include_str!("../../../acumen-deep/src/draws.rs"),
    include_str!("../../../acumen-deep/src/layers.rs"),
    include_str!("../../../acumen-deep/src/recommend.rs"),
    include_str!("../../../acumen-deep/src/recommend/epochs.rs"),
    include_str!("../../../acumen-deep/src/recommend/softmax.rs"),
    include_str!("../../../acumen-deep/src/recommend/windows.rs"),
];
/// What those depend on that are judged after every epoch or read the mean of a past.
const JUDGED: [&str; 5] = [
    include_str!("../../../acumen-deep/src/recommend/held_out.rs"),
    include_str!("../../../acumen-deep/src/recommend/past.rs"),
    include_str!("../../../acumen-model/src/recommend/recency.rs"),
    include_str!("../../../acumen-model/src/recommend/proposal.rs"),
    include_str!("../../../acumen-model/src/network/dense.rs"),
];

/// The learners that take minutes, each with code of its own; the others are fitted every time.
const SLOW: [(&str, &[&str], &[&str]); 4] = [
    (
        "recurrent",
        &[],
        &[include_str!(
            "../../../acumen-deep/src/sequence_recommender.rs"
        )],
    ),
    (
        "self_attention",
        &JUDGED,
        &[
            include_str!("../../../acumen-deep/src/recommend/compared.rs"),
            include_str!("../../../acumen-deep/src/self_attention.rs"),
            include_str!("../../../acumen-deep/src/self_attention/weights.rs"),
            include_str!("../../../acumen-model/src/recommend/self_attention.rs"),
            include_str!("../../../acumen-model/src/recommend/self_attention/block.rs"),
        ],
    ),
    (
        "two_tower",
        &JUDGED,
        &[
            include_str!("../../../acumen-deep/src/recommend/compared.rs"),
            include_str!("../../../acumen-deep/src/two_tower.rs"),
            include_str!("../../../acumen-deep/src/two_tower/items.rs"),
            include_str!("../../../acumen-model/src/recommend/two_tower.rs"),
            include_str!("../../../acumen-model/src/recommend/vocabulary.rs"),
        ],
    ),
    (
        "neural_collaborative_filtering",
        &JUDGED,
        &[
            include_str!("../../../acumen-deep/src/neural_collaborative_filtering.rs"),
            include_str!("../../../acumen-deep/src/neural_collaborative_filtering/asked.rs"),
            include_str!("../../../acumen-model/src/recommend/neural_collaborative_filtering.rs"),
        ],
    ),
];

/// Whether a learner takes minutes.
pub(super) fn is_slow(learner: &str) -> bool {
    code(learner).is_some()
}

/// The code that a network depends on.
fn code(learner: &str) -> Option<impl Iterator<Item = &'static str>> {
    let mut slow = SLOW.iter();
    let (_, judged, own) = slow.find(|(name, ..)| *name == learner)?;
    let code = CODE.iter().chain(*judged).chain(*own);
    Some(code.copied())
}

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
        let Some(code) = code(learner) else {
            return timed(fit);
        };
        let key = key(code, parameters, events);
        let path = self.folder.join(format!("{key}.recommender"));
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
fn key(
    code: impl Iterator<Item = &'static str>,
    parameters: &Value,
    events: &Interactions,
) -> String {
    let mut hash = Sha256::new();
    code.for_each(|code| hash.update(code));
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
