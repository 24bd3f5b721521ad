//! The project's own tasks: `cargo xtask` lists them.

mod check;
mod command;
mod demo;
mod prove;
mod setup;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask demo [--for 60s] [...]  set up, build, make the world, train, serve and show it live
cargo xtask test                    set up and run every check: format, lints, docs, licences, tests
cargo xtask tidy                    check the laws that can be read off the tree
cargo xtask prove [NAME] [...]      run one measurement, side by side with its peer; no NAME lists them
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (task, rest) = match arguments.split_first() {
        Some((task, rest)) => (task.as_str(), rest),
        None => ("help", &[][..]),
    };
    let result = match task {
        "demo" => demo::demo(rest),
        "test" => check::test(rest),
        "tidy" => tidy::tidy(),
        "prove" => prove::prove(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("there is no task `{other}`\n\n{HELP}")),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
