//! What two records of one decision disagree on.

use std::fmt::Debug;

use acumen_base::Decision;
use acumen_base::decision::{LayerReport, MemberReport};

/// Every part in which two decisions differ, bit for bit, as `part: this became that`; empty
/// where they are the same. Missing values (NaN) are equal to each other.
pub fn differences(before: &Decision, after: &Decision) -> Vec<String> {
    let mut found = Found::default();
    found.compare("id", &before.id, &after.id);
    found.compare("use_case", &before.use_case, &after.use_case);
    found.compare("event_id", &before.event_id, &after.event_id);
    found.compare("event_time", &before.event_time, &after.event_time);
    found.compare("position", &before.position, &after.position);
    found.compare("decided_at", &before.decided_at, &after.decided_at);
    found.compare("columns", &before.columns, &after.columns);
    found.row(&before.row, &after.row);
    found.layers(&before.layers, &after.layers);
    found.ensemble(before, after);
    found.compare("rules", &before.rules, &after.rules);
    found.optional("probability", before.probability, after.probability);
    found.optional("score", before.score, after.score);
    found.compare("action", &before.action, &after.action);
    found.compare(
        "action_without_exploration",
        &before.action_without_exploration,
        &after.action_without_exploration,
    );
    found.number("propensity", before.propensity, after.propensity);
    found.reasons(before, after);
    found.compare("amount", &before.amount, &after.amount);
    found.compare("control", &before.control, &after.control);
    found.compare("build", &before.build, &after.build);
    found.compare("took_us", &before.took_us, &after.took_us);
    found.0
}

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn note(&mut self, part: &str, before: &dyn Debug, after: &dyn Debug) {
        self.0.push(format!("{part}: {before:?} became {after:?}"));
    }

    fn compare<T: PartialEq + Debug>(&mut self, part: &str, before: &T, after: &T) {
        if before != after {
            self.note(part, before, after);
        }
    }

    fn number(&mut self, part: &str, before: f64, after: f64) {
        let same = before.to_bits() == after.to_bits() || (before.is_nan() && after.is_nan());
        if !same {
            self.note(part, &before, &after);
        }
    }

    fn optional(&mut self, part: &str, before: Option<f64>, after: Option<f64>) {
        match (before, after) {
            (Some(before), Some(after)) => self.number(part, before, after),
            _ => self.compare(part, &before, &after),
        }
    }

    fn row(&mut self, before: &[f64], after: &[f64]) {
        self.compare("row.len", &before.len(), &after.len());
        for (column, (before, after)) in before.iter().zip(after).enumerate() {
            self.number(&format!("row[{column}]"), *before, *after);
        }
    }

    fn ensemble(&mut self, before: &Decision, after: &Decision) {
        match (&before.ensemble, &after.ensemble) {
            (Some(before), Some(after)) => self.member("ensemble", before, after),
            (before, after) => self.compare("ensemble", &before.is_some(), &after.is_some()),
        }
    }

    fn layers(&mut self, before: &[LayerReport], after: &[LayerReport]) {
        self.compare("layers.len", &before.len(), &after.len());
        for (before, after) in before.iter().zip(after) {
            let part = format!("layers.{}", before.name);
            self.compare(&format!("{part}.name"), &before.name, &after.name);
            self.compare(&format!("{part}.status"), &before.status, &after.status);
            self.compare(&format!("{part}.took_us"), &before.took_us, &after.took_us);
            let lengths = (before.members.len(), after.members.len());
            self.compare(&format!("{part}.members.len"), &lengths.0, &lengths.1);
            for (before, after) in before.members.iter().zip(&after.members) {
                self.member(&format!("{part}.{}", before.name), before, after);
            }
        }
    }

    fn member(&mut self, part: &str, before: &MemberReport, after: &MemberReport) {
        self.compare(&format!("{part}.name"), &before.name, &after.name);
        self.compare(&format!("{part}.version"), &before.version, &after.version);
        self.compare(&format!("{part}.took_us"), &before.took_us, &after.took_us);
        match (&before.answer, &after.answer) {
            (Ok(before), Ok(after)) => {
                self.number(&format!("{part}.value"), before.value, after.value);
                self.number(&format!("{part}.raw"), before.raw, after.raw);
            }
            (before, after) => self.compare(&format!("{part}.answer"), before, after),
        }
    }

    fn reasons(&mut self, before: &Decision, after: &Decision) {
        self.compare("reasons.len", &before.reasons.len(), &after.reasons.len());
        for (place, (before, after)) in before.reasons.iter().zip(&after.reasons).enumerate() {
            let part = format!("reasons[{place}]");
            self.compare(&format!("{part}.code"), &before.code, &after.code);
            self.compare(&format!("{part}.text"), &before.text, &after.text);
            self.number(&format!("{part}.weight"), before.weight, after.weight);
        }
    }
}
