//! How a use case is served and scored in batches.

use acumen_base::Span;

use super::tree::{Kind, Node};
use super::types::{Autoscaling, BatchDecl, Durability, ServingDecl, WhenLogFails};
use super::walk::Walk;
use crate::cron::Cron;

/// Reads `serving`.
pub(super) fn serving(walk: &mut Walk, node: &Node) -> Option<ServingDecl> {
    let mut group = walk.group(node, "`serving`")?;
    let max_latency = group.get("max_latency");
    let throughput = group.get("throughput");
    let durability = group.get("durability");
    let when_log_fails = group.get("when_log_fails");
    let replicas = group.get("replicas");
    let autoscaling = group.get("autoscaling");
    let cache_ttl = group.get("cache_ttl");
    group.finish(walk);

    let usual = ServingDecl::default();
    let whole = "a whole number";
    let words = [
        ("must_log", Durability::MustLog),
        ("best_effort", Durability::BestEffort),
    ];
    let failures = [
        ("refuse", WhenLogFails::Refuse),
        ("answer", WhenLogFails::Answer),
    ];
    Some(ServingDecl {
        max_latency: max_latency
            .and_then(|node| walk.span(node))
            .unwrap_or(usual.max_latency),
        throughput: throughput.and_then(|node| walk.parsed(node, whole)),
        durability: durability
            .and_then(|node| walk.word(node, "durability", &words))
            .unwrap_or(usual.durability),
        when_log_fails: when_log_fails
            .and_then(|node| walk.word(node, "answer to a failing log", &failures))
            .unwrap_or(usual.when_log_fails),
        replicas: replicas
            .and_then(|node| walk.parsed(node, whole))
            .unwrap_or(usual.replicas),
        autoscaling: autoscaling.and_then(|node| read_autoscaling(walk, node)),
        cache_ttl: cache_ttl.and_then(|node| walk.span(node)),
    })
}

fn read_autoscaling(walk: &mut Walk, node: &Node) -> Option<Autoscaling> {
    let mut group = walk.group(node, "`autoscaling`")?;
    let min = group.require("min_replicas");
    let max = group.require("max_replicas");
    let target = group.get("target_cpu");
    group.finish(walk);
    let whole = "a whole number";
    let scaling = Autoscaling {
        min_replicas: walk.parsed(min?, whole)?,
        max_replicas: walk.parsed(max?, whole)?,
        target_cpu: target.and_then(|node| walk.share(node)).unwrap_or(0.7),
    };
    if scaling.min_replicas > scaling.max_replicas {
        let message = "`min_replicas` is more than `max_replicas`";
        walk.problem(node, "bad_range", message, "swap the two");
    }
    Some(scaling)
}

/// Reads `batch_inference`.
pub(super) fn batch(walk: &mut Walk, node: &Node) -> Option<BatchDecl> {
    let mut group = walk.group(node, "`batch_inference`")?;
    let schedule = group.require("schedule");
    let batch_size = group.get("batch_size");
    let timeout = group.get("timeout");
    let zone = group.get("time_zone");
    group.finish(walk);
    let text = walk.text(schedule?)?;
    let zone_name = zone.map_or(Some("UTC".to_owned()), |node| walk.text(node))?;
    let schedule = match Cron::parse(&text, &zone_name) {
        Ok(schedule) => schedule,
        Err(message) => {
            let of_zone = zone.filter(|_| message.contains("time zone"));
            let help = "five cron fields such as `\"0 2 * * *\"`, and a `time_zone` if not UTC";
            walk.problem(of_zone.or(schedule)?, "bad_schedule", message, help);
            return None;
        }
    };
    Some(BatchDecl {
        schedule,
        batch_size: batch_size
            .and_then(|node| walk.parsed(node, "a whole number"))
            .unwrap_or(10_000),
        timeout: timeout
            .and_then(|node| walk.span(node))
            .unwrap_or(Span::seconds(1_800)),
    })
}

/// Reads how often something is done: `hourly`, `daily`, `weekly`, `monthly` or a span.
pub(super) fn frequency(walk: &mut Walk, node: &Node) -> Option<Span> {
    let days = match &node.kind {
        Kind::Scalar { text, .. } => match text.as_str() {
            "hourly" => return Some(Span::seconds(3_600)),
            "daily" => 1,
            "weekly" => 7,
            "monthly" => 30,
            _ => return walk.parsed(node, "`hourly`, `daily`, `weekly` or a span such as `6h`"),
        },
        _ => return walk.parsed(node, "`hourly`, `daily`, `weekly` or a span such as `6h`"),
    };
    Some(Span::days(days))
}
