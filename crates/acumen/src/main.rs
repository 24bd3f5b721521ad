//! The command line: arguments into calls of the engine, and answers into text or JSON.
//!
//! Results go to standard output, progress and errors to standard error. The exit code is 0 where
//! all went well, 1 where something is wrong, 2 where the command line is.

mod client;
mod command;
mod demo;
mod failure;
mod output;
mod place;
mod progress;
mod table;

use std::process::ExitCode;

use clap::Parser;

use crate::command::Command;
use crate::failure::Failure;
use crate::place::Place;

/// Events are made on one thread and dropped on another, which the system's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EXAMPLES: &str = "\
From nothing to decisions:
  acumen demo                               see it work on a synthetic world
  acumen new orders                         a small use case to change into your own
  acumen check                              every mistake, with its place
  acumen ingest --mapping map.yaml a.csv    your history into the event log
  acumen train orders                       fit the models and deploy them
  acumen evaluate orders                    how good it is, and what it is worth
  acumen serve                              decide, over HTTP";

/// Events in, decisions out: one program from a log of what happened to what to do about it.
#[derive(Parser)]
#[command(name = "acumen", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct CommandLine {
    #[command(flatten)]
    place: Place,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    report_panics();
    let line = CommandLine::parse();
    match line.command.run(&line.place) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Reported) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("acumen: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// A panic is a mistake of ours: one line that says where, and what to do with it.
fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        let why = panic.payload();
        let why = why.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let why = why.or_else(|| panic.payload().downcast_ref::<String>().cloned());
        eprintln!(
            "acumen {}: a mistake of the program at {}: {}; nothing acknowledged is lost; please \
             report this line with the command that led to it",
            env!("CARGO_PKG_VERSION"),
            place.unwrap_or_default(),
            why.unwrap_or_default().replace('\n', " "),
        );
    }));
}
