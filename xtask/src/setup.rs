//! What the machine must have, installed where it is missing, and said so.

use crate::command::{Outcome, answers, root, run};

/// The version of cargo-deny that the licences are checked with.
const CARGO_DENY: &str = "0.20.2";

/// A C compiler: Rust links with it, and one dependency (zstd) is C.
pub(crate) fn compiler() -> Outcome {
    if answers("cc", &["--version"]) {
        Ok(())
    } else {
        install(&["gcc", "libc6-dev"])
    }
}

/// The tool that checks licences and sources of dependencies.
pub(crate) fn cargo_deny() -> Outcome {
    if answers("cargo", &["deny", "--version"]) {
        return Ok(());
    }
    println!("installing cargo-deny {CARGO_DENY}, which checks licences (some minutes, once)");
    run(
        "cargo",
        &["install", "cargo-deny", "--locked", "--version", CARGO_DENY],
    )
}

/// A Python with the peers that we measure against, in a folder of its own.
pub(crate) fn peers() -> Result<String, String> {
    python(".venv-peers", "peers/requirements.txt")
}

/// What the tests of sources and sinks meet on the other side: a PostgreSQL server, DuckDB, pandas,
/// and Spark with its Java.
pub(crate) fn outside() -> Outcome {
    if !std::path::Path::new("/usr/lib/postgresql").is_dir() && !answers("initdb", &["--version"]) {
        install(&["postgresql"])?;
    }
    if !answers("java", &["-version"]) {
        install(&["default-jre-headless"])?;
    }
    python(".venv-outside", "examples/requirements.txt").map(|_| ())
}

/// A Python with the packages of a file, in a folder of its own.
fn python(folder: &str, requirements: &str) -> Result<String, String> {
    let python = root().join(folder).join("bin/python");
    let python = python.to_string_lossy().into_owned();
    let wanted = root().join(requirements);
    let marker = root().join(folder).join("installed.txt");
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    if answers(&python, &["--version"]) && read(&marker) == read(&wanted) {
        return Ok(python);
    }
    println!("setting up {folder} (Python packages of {requirements})");
    if !answers("python3", &["-c", "import venv, ensurepip"]) {
        install(&["python3", "python3-venv"])?;
    }
    run("python3", &["-m", "venv", folder])?;
    run(
        &python,
        &["-m", "pip", "install", "--quiet", "-r", requirements],
    )?;
    std::fs::copy(&wanted, &marker).map_err(|e| format!("cannot write {marker:?}: {e}"))?;
    Ok(python)
}

/// Installs Debian packages, as root or through sudo.
pub(crate) fn install(packages: &[&str]) -> Outcome {
    println!("installing {} with apt-get", packages.join(", "));
    if !answers("apt-get", &["--version"]) {
        return Err(format!(
            "this machine has no apt-get: install {} by hand and run the command again",
            packages.join(", ")
        ));
    }
    let root_user = crate::command::output("id", &["-u"])?.trim() == "0";
    let apt = |arguments: &[&str]| {
        if root_user {
            run("apt-get", arguments)
        } else {
            run("sudo", &[&["apt-get"], arguments].concat())
        }
    };
    apt(&["update", "-qq"])?;
    apt(&[
        &["install", "-y", "-qq", "--no-install-recommends"],
        packages,
    ]
    .concat())
}
