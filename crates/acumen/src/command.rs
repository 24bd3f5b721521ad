//! One command a file.

mod backtest;
mod cases;
mod check;
mod compare;
mod decisions;
mod demo;
mod deploy;
mod doctor;
mod evaluate;
mod explain;
mod export;
mod features;
mod ingest;
mod lists;
mod models;
mod new;
mod quarantine;
mod replay;
mod rows;
mod rules;
mod schema;
pub(crate) mod score;
mod serve;
mod simulate;
mod thresholds;
pub(crate) mod train;
mod updates;

use clap::Subcommand;

use crate::failure::Outcome;
use crate::place::Place;

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    Demo(demo::Demo),
    New(new::New),
    Check(check::Check),
    Schema(schema::Schema),
    Features(features::Features),
    Ingest(ingest::Ingest),
    Simulate(simulate::Simulate),
    Train(train::Train),
    Models(models::Models),
    Deploy(deploy::Deploy),
    Compare(compare::Compare),
    Export(export::Export),
    Evaluate(evaluate::Evaluate),
    Score(score::Score),
    Thresholds(thresholds::Thresholds),
    Backtest(backtest::BacktestCommand),
    Serve(serve::Serve),
    Explain(explain::Explain),
    Replay(replay::Replay),
    Rows(rows::Rows),
    Decisions(decisions::Decisions),
    Quarantine(quarantine::QuarantineCommand),
    Lists(lists::Lists),
    Rules(rules::Rules),
    Cases(cases::CasesCommand),
    Doctor(doctor::Doctor),
}

impl Command {
    /// Does it.
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        match self {
            Command::Demo(command) => command.run(place),
            Command::New(command) => command.run(place),
            Command::Check(command) => command.run(place),
            Command::Schema(command) => command.run(),
            Command::Features(command) => command.run(place),
            Command::Ingest(command) => command.run(place),
            Command::Simulate(command) => command.run(place),
            Command::Train(command) => command.run(place),
            Command::Models(command) => command.run(place),
            Command::Deploy(command) => command.run(place),
            Command::Compare(command) => command.run(place),
            Command::Export(command) => command.run(place),
            Command::Evaluate(command) => command.run(place),
            Command::Score(command) => command.run(place),
            Command::Thresholds(command) => command.run(place),
            Command::Backtest(command) => command.run(place),
            Command::Serve(command) => command.run(place),
            Command::Explain(command) => command.run(place),
            Command::Replay(command) => command.run(place),
            Command::Rows(command) => command.run(place),
            Command::Decisions(command) => command.run(place),
            Command::Quarantine(command) => command.run(place),
            Command::Lists(command) => command.run(place),
            Command::Rules(command) => command.run(place),
            Command::Cases(command) => command.run(place),
            Command::Doctor(command) => command.run(place),
        }
    }
}
