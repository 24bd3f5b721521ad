//! What became of trainings, in words, and asking a running server for one.

use std::time::Duration;

use acumen_base::{Body, Control, ModelVersion, Time, Update};
use acumen_engine::history::Sources;
use acumen_event::LogReader;
use serde_json::{Value, json};

use crate::client::Client;
use crate::failure::{Failure, Outcome};
use crate::progress::Progress;

/// How often the server is asked how far it is.
const ASK_EVERY: Duration = Duration::from_millis(500);

/// Lets a server train a use case, and waits for what becomes of it.
pub(crate) fn train(server: &mut Client, name: &str) -> Outcome<Update> {
    let path = format!("/v1/usecases/{name}/updates");
    let before = server.json("GET", &path, &Value::Null)?;
    let already = before["latest"].as_array().map_or(0, Vec::len);
    let first = before["latest"][0].clone();
    server.json("POST", &path, &json!({"by": "acumen train"}))?;
    let mut bar = Progress::new("the server trains", "");
    loop {
        let now = server.json("GET", &path, &Value::Null)?;
        bar.at(
            0,
            None,
            now["running"]["stage"].as_str().unwrap_or_default(),
        );
        let latest = &now["latest"];
        let count = latest.as_array().map_or(0, Vec::len);
        if now["running"].is_null() && (count > already || latest[0] != first) {
            bar.done();
            return read(latest[0].clone()).map_err(|error| {
                Failure::because(format!("the server's answer cannot be read: {error}"))
            });
        }
        std::thread::sleep(ASK_EVERY);
    }
}

/// A training as the server tells it, whose times are written out.
fn read(mut told: Value) -> Result<Update, serde_json::Error> {
    let number = |time: &mut Value| {
        if let Some(parsed) = time.as_str().and_then(|text| text.parse::<Time>().ok()) {
            *time = json!(parsed);
        }
    };
    for key in ["started_at", "ended_at"] {
        number(&mut told[key]);
    }
    let judged = told["judged"].as_array_mut();
    judged.into_iter().flatten().for_each(number);
    serde_json::from_value(told)
}

/// Every training of a use case that the log records, oldest first.
pub(crate) fn logged(sources: &Sources, name: &str) -> Outcome<Vec<Update>> {
    let reader = LogReader::open(&sources.folder.log())?;
    let mut found = Vec::new();
    for record in reader.read(reader.first_position()?) {
        if let Body::Control {
            control: Control::Update(update),
            ..
        } = record?.body
            && update.use_case == name
        {
            found.push(*update);
        }
    }
    Ok(found)
}

/// One training in words: when, what, every gate, and what became of it.
pub(crate) fn shown(update: &Update) -> String {
    let named = |versions: &[ModelVersion]| match versions {
        [] => "none".to_owned(),
        versions => {
            let name = |one: &ModelVersion| format!("{} {}", one.member, one.version);
            versions.iter().map(name).collect::<Vec<_>>().join(", ")
        }
    };
    let mut text = format!(
        "{} by {}: {}\n  candidate: {}\n  champion: {}",
        update.started_at,
        update.asked_by,
        update.why,
        named(&update.candidate),
        named(&update.champion)
    );
    if let Some((from, to)) = update.judged {
        text.push_str(&format!("\n  judged on {from} to {to}"));
    }
    for gate in &update.gates {
        let passed = if gate.passed { "passed" } else { "FAILED" };
        text.push_str(&format!("\n  {passed}  {}: {}", gate.name, gate.text));
    }
    text
}
