//! `replay`: all card payments from Parquet to rows.
//!
//! Ours reads the file, makes events of it (a payment is known as it happens, its chargeback
//! seven days later) and steps them through the pipeline that also runs live. The peers are the
//! handbook's pandas code and vectorised numpy, both from the same file. Every row is checked
//! against what brute force and prefix sums make of the declared windows.

mod differences;
mod oracle;

use acumen_base::{Clock, SystemClock};
use serde_json::json;

use crate::handbook::{self, Payments};
use crate::peer;
use crate::report::{Failure, Outcome, row, skipped, table};
use crate::settings::Settings;

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let file = match handbook::file(settings) {
        Ok(file) => file,
        Err(why) => return Ok(skipped(&why)),
    };
    let plan = handbook::plan()?;
    // Both sides find the file in memory.
    drop(std::fs::read(&file)?);
    let clock = SystemClock::new();
    let (mut narrow_seconds, mut wide_seconds) = (f64::INFINITY, f64::INFINITY);
    let (mut narrow, mut wide) = (None, None);
    for _ in 0..settings.runs.max(1) {
        for (name, best, kept) in [
            ("handbook", &mut narrow_seconds, &mut narrow),
            ("handbook-velocity", &mut wide_seconds, &mut wide),
        ] {
            *kept = None;
            let started = clock.nanos();
            let rows = handbook::rows(&file, &plan, name, |_| {})?;
            *best = best.min((clock.nanos() - started) as f64 / 1e9);
            *kept = Some(rows);
        }
    }
    let absent = || Failure::new("nothing was run");
    let (narrow, wide) = (narrow.ok_or_else(absent)?, wide.ok_or_else(absent)?);

    let mut payments = Payments::default();
    for chunk in handbook::events(&file, &plan)? {
        chunk?.iter().for_each(|event| payments.see(event));
    }
    let sampled = oracle::sampled(&payments.list, &wide, settings.seed);
    let every = oracle::every(&payments.list, &wide);
    println!("brute force: {sampled}");
    println!("prefix sums: {every}");

    let mut figures = json!({
        "seconds": wide_seconds,
        "seconds_15": narrow_seconds,
        "events_per_second": (wide.events as f64 / wide_seconds).round(),
        "rows": payments.list.len(),
        "events": wide.events,
        "columns": wide.columns.len(),
        "values_checked": sampled.checked + every.checked,
        "mismatches": sampled.mismatches + every.mismatches,
    });
    let mut lines = vec![
        row(["what", "columns", "seconds"]),
        line("ours, the handbook's features", 15, narrow_seconds),
        line("ours, with velocities", wide.columns.len(), wide_seconds),
    ];
    if settings.python.is_none() {
        table(&lines);
        println!("{}", peer::NO_PYTHON);
        return Ok(figures);
    }
    let theirs = theirs(settings, &file)?;
    lines.push(line(
        "numpy, the handbook's features",
        15,
        theirs.numpy_seconds,
    ));
    figures["numpy_seconds"] = json!(theirs.numpy_seconds);
    if let Some(seconds) = theirs.pandas_seconds {
        lines.push(line("pandas, as the handbook writes it", 15, seconds));
        figures["pandas_seconds"] = json!(seconds);
        figures["pandas_ratio"] = json!(seconds / narrow_seconds);
    }
    table(&lines);
    figures["differences"] = differences::explain(&payments.list, &narrow, &theirs.columns)?;
    Ok(figures)
}

fn line(what: &str, columns: usize, seconds: f64) -> Vec<String> {
    row([what, &columns.to_string(), &format!("{seconds:.2}")])
}

/// The peers' times and the features that they computed.
struct Theirs {
    numpy_seconds: f64,
    pandas_seconds: Option<f64>,
    /// Of pandas where it ran, else of numpy; 15 columns in order of the transactions.
    columns: Vec<f64>,
}

fn theirs(settings: &Settings, file: &std::path::Path) -> Result<Theirs, Failure> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("features.f64");
    let mut arguments = vec![
        file.as_os_str().to_owned(),
        "--out".into(),
        out.clone().into(),
    ];
    if !settings.no_pandas {
        println!("running the handbook's pandas code: this takes minutes");
        arguments.push("--pandas".into());
    }
    let figures = peer::run(settings, "handbook_features.py", arguments)?;
    let mut numpy_seconds = peer::number(&figures, "numpy_seconds")?;
    for _ in 1..settings.runs {
        let again = peer::run(settings, "handbook_features.py", [file])?;
        numpy_seconds = numpy_seconds.min(peer::number(&again, "numpy_seconds")?);
    }
    let bytes = std::fs::read(&out)?;
    let (values, _) = bytes.as_chunks::<8>();
    Ok(Theirs {
        numpy_seconds,
        pandas_seconds: peer::number(&figures, "pandas_seconds").ok(),
        columns: values
            .iter()
            .map(|bytes| f64::from_le_bytes(*bytes))
            .collect(),
    })
}
