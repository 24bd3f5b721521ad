//! A program that runs to its end, with its time and its memory.

use std::process::{Command, Stdio};
use std::time::Duration;

use acumen_base::Clock;

use crate::report::Failure;
use crate::stage;

/// How often a running process is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a process took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Took {
    pub(super) seconds: f64,
    /// The most memory that it held at any time, as of the last look at it.
    pub(super) peak_mib: f64,
}

/// Runs a command; what it says on standard error is told where it fails.
pub(super) fn run(command: &mut Command) -> Result<Took, Failure> {
    let said = tempfile::NamedTempFile::new()?;
    let clock = stage::clock();
    let began = clock.nanos();
    command.stdout(Stdio::null()).stderr(said.reopen()?);
    let mut child = command.spawn()?;
    let mut took = Took::default();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        took.peak_mib = high_water(child.id()).unwrap_or(took.peak_mib);
        std::thread::sleep(LOOK_EVERY);
    };
    took.seconds = (clock.nanos() - began) as f64 / 1e9;
    match status.success() {
        true => Ok(took),
        false => {
            let said = std::fs::read_to_string(said.path())?;
            Err(Failure::new(format!(
                "{command:?} ended with {status}:\n{said}"
            )))
        }
    }
}

/// The high-water mark of a process's memory, in MiB.
fn high_water(process: u32) -> Option<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kib / 1024.0)
}
