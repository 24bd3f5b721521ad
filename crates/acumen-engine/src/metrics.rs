//! Counters and latencies, in the Prometheus text format.

use std::fmt;
use std::sync::atomic::Ordering;

use acumen_base::decision::LayerStatus;
use acumen_base::{Decision, Event};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::ranking::{RankAnswer, SourceLine};
use crate::rules::RuleStatus;

/// Upper bounds of the latency buckets, in seconds: 50 µs to 1 s.
const LATENCY_BUCKETS: [f64; 14] = [
    5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 3e-3, 5e-3, 1e-2, 2e-2, 3e-2, 5e-2, 0.2, 1.0,
];

/// What the engine counts.
pub struct Metrics {
    registry: Registry,
    use_cases: Vec<String>,
    events: Family<EventLabel, Counter>,
    late: Family<EventLabel, Counter>,
    decisions: Family<DecisionLabel, Counter>,
    refusals: Family<RefusalLabel, Counter>,
    skipped: Family<LayerLabel, Counter>,
    rules: Family<RuleLabel, Counter>,
    answers: Family<CacheLabel, Counter>,
    unlogged: Counter,
    upkeep_failed: Counter,
    layers: Family<LayerLabel, Histogram>,
    decision_latency: Family<UseCaseLabel, Histogram>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabel {
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UseCaseLabel {
    use_case: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CacheLabel {
    use_case: String,
    cache: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DecisionLabel {
    use_case: String,
    action: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LayerLabel {
    use_case: String,
    layer: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuleLabel {
    use_case: String,
    rule: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabel {
    reason: String,
}

impl Metrics {
    /// Counters at zero for these use cases.
    pub fn new(use_cases: &[String]) -> Metrics {
        let latency: fn() -> Histogram = || Histogram::new(LATENCY_BUCKETS);
        let metrics = Metrics {
            registry: Registry::with_prefix("acumen"),
            use_cases: use_cases.to_vec(),
            events: Family::default(),
            late: Family::default(),
            decisions: Family::default(),
            refusals: Family::default(),
            skipped: Family::default(),
            rules: Family::default(),
            answers: Family::default(),
            unlogged: Counter::default(),
            upkeep_failed: Counter::default(),
            layers: Family::new_with_constructor(latency),
            decision_latency: Family::new_with_constructor(latency),
        };
        metrics.registered()
    }

    fn registered(mut self) -> Metrics {
        let registry = &mut self.registry;
        registry.register("events", "Events logged, by type", self.events.clone());
        registry.register(
            "events_too_late",
            "Events logged but too late for features",
            self.late.clone(),
        );
        registry.register(
            "decisions",
            "Decisions made, by action",
            self.decisions.clone(),
        );
        registry.register(
            "refusals",
            "Requests and events refused, by reason",
            self.refusals.clone(),
        );
        registry.register(
            "layers_skipped",
            "Layers that did not run",
            self.skipped.clone(),
        );
        registry.register(
            "rule_hits",
            "Rules whose condition held, by what came of it and by what turned out to be true",
            self.rules.clone(),
        );
        registry.register(
            "keys_asked",
            "Keys asked about, by whether their answer had been kept",
            self.answers.clone(),
        );
        registry.register(
            "unlogged",
            "Answers that could not be logged",
            self.unlogged.clone(),
        );
        registry.register(
            "upkeep_failures",
            "Snapshots that could not be written, or trims of the log that failed",
            self.upkeep_failed.clone(),
        );
        registry.register_with_unit(
            "layer_latency",
            "Time a layer took",
            Unit::Seconds,
            self.layers.clone(),
        );
        registry.register_with_unit(
            "decision_latency",
            "Time from receipt to decision, before it is made durable",
            Unit::Seconds,
            self.decision_latency.clone(),
        );
        self
    }

    /// Everything in the Prometheus text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("writing to a string does not fail");
        text
    }

    pub(crate) fn observed(&self, event: &Event) {
        let label = EventLabel {
            kind: event.kind.name.clone(),
        };
        if event.is_too_late() {
            self.late.get_or_create(&label).inc();
        }
        self.events.get_or_create(&label).inc();
    }

    pub(crate) fn decided(&self, use_case: usize, decision: &Decision) {
        let use_case = self.use_cases[use_case].clone();
        for layer in &decision.layers {
            let label = LayerLabel {
                use_case: use_case.clone(),
                layer: layer.name.clone(),
            };
            match layer.status {
                LayerStatus::Ran => {
                    self.layers
                        .get_or_create(&label)
                        .observe(layer.took_us as f64 * 1e-6);
                }
                _ => drop(self.skipped.get_or_create(&label).inc()),
            }
        }
        let label = UseCaseLabel {
            use_case: use_case.clone(),
        };
        self.decision_latency
            .get_or_create(&label)
            .observe(decision.took_us as f64 * 1e-6);
        let label = DecisionLabel {
            use_case,
            action: decision.action.clone(),
        };
        self.decisions.get_or_create(&label).inc();
    }

    /// Counts a refusal.
    pub fn refused(&self, reason: &str) {
        self.refusals
            .get_or_create(&RefusalLabel {
                reason: reason.to_owned(),
            })
            .inc();
    }

    /// Takes over how rules fare: the log says it, so it survives a restart.
    pub(crate) fn rules(&self, use_case: &str, rules: &[RuleStatus]) {
        for rule in rules {
            let outcomes = [
                ("acted", rule.firings.acted),
                ("shadow", rule.firings.shadow),
                ("suppressed", rule.firings.suppressed),
                ("positive", rule.positive),
                ("negative", rule.negative),
            ];
            for (outcome, count) in outcomes {
                let label = RuleLabel {
                    use_case: use_case.to_owned(),
                    rule: rule.id.clone(),
                    outcome,
                };
                let counter = self.rules.get_or_create(&label);
                counter.inner().store(count, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn upkeep_failed(&self) {
        self.upkeep_failed.inc();
    }

    /// Keys were asked about, of which some had an answer already.
    pub(crate) fn cached(&self, use_case: &str, hits: usize, misses: usize) {
        for (cache, count) in [("hit", hits), ("miss", misses)] {
            let use_case = use_case.to_owned();
            let counter = self.answers.get_or_create(&CacheLabel { use_case, cache });
            counter.inc_by(count as u64);
        }
    }

    /// A list was answered.
    pub(crate) fn listed(&self, use_case: &str, answer: &RankAnswer) {
        let (hit, miss) = (usize::from(answer.cached), usize::from(!answer.cached));
        self.cached(use_case, hit, miss);
        for stage in &answer.stages {
            let label = LayerLabel {
                use_case: use_case.to_owned(),
                layer: stage.name.to_owned(),
            };
            let seconds = stage.took_us as f64 * 1e-6;
            self.layers.get_or_create(&label).observe(seconds);
        }
        let missing = |line: &&SourceLine| !matches!(line.status, "answered" | "cached");
        for line in answer.sources.iter().filter(missing) {
            let label = LayerLabel {
                use_case: use_case.to_owned(),
                layer: line.name.clone(),
            };
            self.skipped.get_or_create(&label).inc();
        }
        let seconds = answer.stages.iter().map(|stage| stage.took_us).sum::<u64>() as f64 * 1e-6;
        let use_case = use_case.to_owned();
        self.decision_latency
            .get_or_create(&UseCaseLabel { use_case })
            .observe(seconds);
    }

    pub(crate) fn unlogged(&self) {
        self.unlogged.inc();
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics")
            .field("use_cases", &self.use_cases)
            .finish_non_exhaustive()
    }
}
