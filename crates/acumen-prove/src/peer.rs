//! The other side of a measurement: a script of `peers/` in the Python that has its requirements.

use std::ffi::OsString;
use std::process::Command;

use serde_json::Value;

use crate::report::Failure;
use crate::settings::{Settings, workspace};

/// Why there is no peer to measure against.
pub(crate) const NO_PYTHON: &str = "the peers' Python is not set up: run this through \
     `cargo xtask prove`, which installs peers/requirements.txt";

/// Runs a script of `peers/` and gives its last line.
pub(crate) fn run(
    settings: &Settings,
    script: &str,
    arguments: impl IntoIterator<Item = impl Into<OsString>>,
) -> Result<Value, Failure> {
    let python = settings
        .python
        .as_ref()
        .ok_or_else(|| Failure::new(NO_PYTHON))?;
    let path = workspace("peers").join(script);
    let arguments = arguments.into_iter().map(Into::into);
    let output = Command::new(python).arg(&path).args(arguments).output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::new(format!("peers/{script} failed:\n{said}")));
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    let last = printed.lines().last().unwrap_or_default();
    Ok(serde_json::from_str(last)?)
}

/// A number of what a peer reported.
pub(crate) fn number(figures: &Value, key: &str) -> Result<f64, Failure> {
    let found = figures.get(key).and_then(Value::as_f64);
    found.ok_or_else(|| Failure::new(format!("the peer reported no `{key}`: {figures}")))
}
