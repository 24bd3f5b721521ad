//! What the command line says.

use std::path::{Path, PathBuf};

use clap::Parser;

/// Runs one measurement and prints its figures; the last line is one JSON object.
#[derive(Debug, Parser)]
#[command(name = "acumen-prove")]
pub(crate) struct Settings {
    /// Which measurement; without a name, all are listed.
    pub(crate) name: Option<String>,
    /// The public card payments (Parquet); by default ../shared/data/fraud/handbook_transactions.parquet
    #[arg(long)]
    pub(crate) file: Option<PathBuf>,
    /// The folder of the customers' orders (`clv-quality`); by default ../shared/data/clv
    #[arg(long, value_name = "DIR")]
    pub(crate) clv: Option<PathBuf>,
    /// The folder of the public interactions (`recommendations-quality`); by default ../shared/data/recommendations
    #[arg(long, value_name = "DIR")]
    pub(crate) recommendations: Option<PathBuf>,
    /// Only this set of interactions: ml1m, beauty, games, or the world (`recommendations-quality`).
    #[arg(long, value_name = "NAME")]
    pub(crate) set: Option<String>,
    /// Leave out the networks, which take minutes to train (`recommendations-quality`).
    #[arg(long)]
    pub(crate) no_network: bool,
    /// Train networks again that were trained before (`recommendations-quality`).
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Leave out the peer's pandas code, which takes minutes (`replay`).
    #[arg(long)]
    pub(crate) no_pandas: bool,
    /// How often each side runs; the fastest run counts (`replay`, `boosting`).
    #[arg(long, default_value_t = 3)]
    pub(crate) runs: usize,
    /// How often the server is killed (`crash`).
    #[arg(long, default_value_t = 200)]
    pub(crate) kills: usize,
    /// Customers (`clv-speed`, `recommendations-speed`).
    #[arg(long, default_value_t = 1_000_000)]
    pub(crate) customers: usize,
    /// Customers of each world (`fraud-world`, `fraud-quality`).
    #[arg(long, default_value_t = 10_000)]
    pub(crate) world_customers: u32,
    /// Live decisions (`skew`).
    #[arg(long, default_value_t = 100_000)]
    pub(crate) decisions: usize,
    /// Seconds of load at each rate (`decide`, `fraud-latency`, `clv-speed`,
    /// `recommendations-speed`).
    #[arg(long, default_value_t = 20)]
    pub(crate) seconds: u64,
    /// The first rate a second (`decide`).
    #[arg(long, default_value_t = 1_000)]
    pub(crate) rate: u32,
    /// Where every random number comes from.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Serves this project (the side of a measurement that is killed).
    #[arg(long, hide = true)]
    pub(crate) child_server: Option<PathBuf>,
    /// The data folder that the child serves.
    #[arg(long, hide = true)]
    pub(crate) data: Option<PathBuf>,
    /// A member that the child slows down.
    #[arg(long, hide = true)]
    pub(crate) drill_slow: Vec<acumen_engine::Drill>,
    /// The Python that has the peers.
    #[arg(skip)]
    pub(crate) python: Option<String>,
}

impl Settings {
    /// The public card payments.
    pub(crate) fn card_file(&self) -> PathBuf {
        let default = || workspace("../shared/data/fraud/handbook_transactions.parquet");
        self.file.clone().unwrap_or_else(default)
    }
}

/// A path of this workspace.
pub(crate) fn workspace(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path)
}
