//! What a model that was trained on a schedule has to pass before it goes live.

use super::tree::Node;
use super::types::{GateMetric, GatesDecl};
use super::walk::Walk;

/// Reads `gates`; what is not declared has its default.
pub(super) fn gates(walk: &mut Walk, node: &Node) -> GatesDecl {
    let mut decl = GatesDecl::default();
    let Some(mut group) = walk.group(node, "`gates`") else {
        return decl;
    };
    let metric = group.get("metric");
    let tolerance = group.get("tolerance");
    let min_positives = group.get("min_positives");
    let ece_max = group.get("ece_max");
    let latency_us_max = group.get("latency_us_max");
    group.finish(walk);
    let words = GateMetric::ALL.map(|metric| (metric.name(), metric));
    if let Some(metric) = metric.and_then(|node| walk.word(node, "metric", &words)) {
        decl.metric = metric;
    }
    if let Some(tolerance) = tolerance.and_then(|node| walk.share(node)) {
        decl.tolerance = tolerance;
    }
    if let Some(most) = ece_max.and_then(|node| walk.share(node)) {
        decl.ece_max = most;
    }
    let whole = "a whole number, at least 1";
    if let Some(least) =
        min_positives.and_then(|node| walk.parsed::<std::num::NonZeroU32>(node, whole))
    {
        decl.min_positives = least.get() as usize;
    }
    if let Some(most) =
        latency_us_max.and_then(|node| walk.parsed::<std::num::NonZeroU32>(node, whole))
    {
        decl.latency_us_max = u64::from(most.get());
    }
    decl
}
