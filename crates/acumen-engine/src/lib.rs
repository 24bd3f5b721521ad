//! A use case folder into a checked plan, and everything that runs it.
//!
//! ```text
//! Project ──compile──▶ Plan ─┬─▶ Engine   live: sequencer, workers, committer
//!                            ├─▶ Offline  imports, training, reports
//!                            └─▶ history  the log read again, decisions made again
//! ```
//!
//! All of them change state through [`core::Core`] alone. Nothing here knows of HTTP, and nothing
//! depends on which use case runs.

mod background;
mod backtest;
mod batches;
mod cache;
mod cases;
mod committer;
pub mod compare;
pub mod core;
mod cron;
mod drill;
mod engine;
mod ensemble;
mod error;
mod evaluate;
mod folder;
pub mod history;
mod import;
mod ingest;
mod judged;
mod learners;
pub mod metrics;
mod offline;
mod origins;
mod plan;
mod projected;
mod ranking;
mod refit;
mod refusal;
pub mod report;
mod retention;
mod rows;
mod rules;
mod scoring;
mod searching;
mod sequencer;
mod snapshot;
pub mod spec;
mod status;
mod streamed;
mod thresholds;
mod train;
mod truth;
mod updates;
mod upkeep;
pub mod usertest;
mod values;
pub mod why;
mod worker;

pub use acumen_event::{Durability, LogOptions, Quarantined, Recovery, Rejected};
pub use acumen_feature::{EntityValue, Pass};
pub use acumen_value::off_policy::{Estimate, Estimates};
pub use backtest::{Backtest, BacktestLimits, BacktestQuery, Hits, Overlap, backtest};
pub use batches::{BatchRun, BatchStatus};
pub use cases::{Case, CaseList, CaseOrder, CaseState, Cases, Finding, Found};
pub use cron::Cron;
pub use drill::Drill;
pub use engine::{Asked, Disposed, Engine, Ingested, Listed, Options, Readiness, RefusedEvent};
pub use error::EngineError;
pub use evaluate::{ActionLine, Evaluation, evaluate, unseen_from};
pub use folder::Folder;
pub use import::{
    ImportProgress, ImportReport, NotTaken, Refused, Sink, Taken, import_files, import_files_into,
};
pub use ingest::{IngestOptions, ingest_sources, ingest_sources_into, source_marks};
pub use learners::{learners, recommenders};
pub use offline::{Imported, Offline};
pub use origins::{OriginRows, Uncounted, origin_rows};
pub use plan::{Plan, UseCasePlan};
pub use ranking::{
    ArmLine, Because, EnsembleLine, ITEMS_MAX, ItemWhy, Measured, Moved, PolicyEvaluation,
    RankAnswer, RankRequest, RankedItem, RankerFigures, RankingStatus, RankingTable, RequestEvent,
    SimilarAnswer, SimilarItem, SourceFigures, SourceLine, StageLine, Told, evaluate_policy,
    judge_sources,
};
pub use refit::{Refit, RefitOptions, Target, refit};
pub use refusal::{Refusal, Reply};
pub use rows::{Rows, Sample, Wanted, rows};
pub use rules::{Firings, RuleStatus};
pub use scoring::{
    BatchOptions, BatchOutcome, Coverage, Scored, StoredScore, ValueAnswer, score_all,
};
pub use sequencer::{Answer, Observed};
pub use status::{MoneyStatus, Status, UseCaseStatus};
pub use streamed::{Part, Streamed, StreamedRows, passes};
pub use train::{TrainOptions, TrainProgress, Trained, TrainedModel, train, train_with};
pub use updates::{Running, Updates};
pub use upkeep::SNAPSHOT_EVERY;
pub use values::{Tenth, ValueEvaluation, evaluate_values, report_values};

/// The build that decides: decisions carry it, and a replay by another build says so.
pub const BUILD: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
