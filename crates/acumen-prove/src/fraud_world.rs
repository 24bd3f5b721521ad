//! `fraud-world`: how good the fraud use case is in our own world, layer by layer.
//!
//! The use case is trained on one world as it would be live: on what was known a month before the
//! end of its year. The cut is fixed there too, on the latest rows whose truth was known and that no
//! model was fitted to. Judged is the month after, in worlds of other seeds, by what is really true
//! of them: fraud that nobody ever reported and fraud by cardholders themselves count as missed.
//!
//! The oracle knows the world's densities and which story a payment belongs to, but not its side.
//! Its cut is read off the very rows that it is judged on, ours is not.
//!
//! What a member adds is shown twice: by itself, and by what is lost without it. Each time the
//! ensemble is fitted anew and its cut fixed anew, by the same rules.

mod ablation;
mod worlds;

use std::collections::BTreeMap;
use std::sync::Arc;

use acumen_model::metrics::{Curve, OperatingPoint};
use serde_json::{Value, json};

use crate::report::{Failure, Outcome, row, table};
use crate::settings::Settings;
use ablation::{Ensemble, subsets};
use worlds::{Asked, Trained};

/// Worlds that are judged: each of a seed that is that much after the seed that is trained on.
const FRESH: [u64; 2] = [1_000, 2_000];

/// What the use case is to reach.
const PRECISION: f64 = 0.95;

/// What the cut is fixed at on earlier rows. Some of what those have as genuine is fraud that
/// nobody reported, so that precision is a little higher by what is really true.
const PRECISION_BEFORE: f64 = 0.95;

/// Runs the measurement.
pub(crate) fn run(settings: &Settings) -> Outcome {
    let trained = Trained::on(settings.world_customers, settings.seed)?;
    let mut fresh = Asked::default();
    for after in FRESH {
        fresh.extend(trained.play(settings.seed + after)?);
    }
    println!(
        "judged on {} payments of other seeds, {} of them fraud",
        fresh.len(),
        fresh.positives()
    );
    let mut lines = vec![row([
        "voting",
        "average precision",
        "precision",
        "recall",
        "recall at 95 %",
    ])];
    let judge = |members: &[usize]| -> Result<Judged, Failure> {
        Ok(Judged::of(&Ensemble::fit(&trained, members)?, &fresh))
    };
    let everyone: Vec<usize> = (0..trained.members.len()).collect();
    let whole = judge(&everyone)?;
    lines.push(whole.line("all"));
    let mut ablation = serde_json::Map::new();
    ablation.insert("all".to_owned(), whole.figures());
    for (name, members) in subsets(&trained) {
        let judged = judge(&members)?;
        lines.push(judged.line(&name));
        ablation.insert(name, judged.figures());
    }
    let rules = fresh.point(|i| fresh.ruled[i]);
    lines.push(row([
        "rules alone",
        "",
        &format!("{:.3}", rules.precision),
        &format!("{:.3}", rules.recall),
        "",
    ]));
    ablation.insert("rules alone".to_owned(), point(rules));
    let oracle = Curve::new(&fresh.oracle, &fresh.outcome);
    let oracle = oracle.recall_at_precision(PRECISION);
    let oracle = oracle.map_or(0.0, |point| point.recall);
    lines.push(row(["oracle", "", "", "", &format!("{oracle:.3}")]));
    table(&lines);
    let stories = by_story(&fresh, &whole.flagged);
    Ok(json!({
        "world_precision": whole.fixed.precision,
        "world_recall": whole.fixed.recall,
        "world_oracle_recall": oracle,
        "world_share_of_oracle": whole.fixed.recall / oracle,
        "world_average_precision": whole.average_precision,
        "world_recall_by_story": stories,
        "world_customers": settings.world_customers,
        "world_payments": fresh.len(),
        "world_frauds": fresh.positives(),
        "world_training_seconds": trained.seconds,
        "weights": trained.weights,
        "ablation": ablation,
    }))
}

/// An ensemble on fresh rows.
struct Judged {
    average_precision: f64,
    /// At the cut that was fixed before.
    fixed: OperatingPoint,
    /// At the cut that is read off these rows.
    read_off: f64,
    flagged: Vec<bool>,
}

impl Judged {
    fn of(ensemble: &Ensemble, fresh: &Asked) -> Judged {
        let scores = ensemble.scores(fresh);
        let curve = Curve::new(&scores, &fresh.outcome);
        let read_off = curve.recall_at_precision(PRECISION);
        Judged {
            average_precision: curve.average_precision().unwrap_or(f64::NAN),
            fixed: curve.at_threshold(ensemble.cut),
            read_off: read_off.map_or(0.0, |point| point.recall),
            flagged: scores.iter().map(|score| *score >= ensemble.cut).collect(),
        }
    }

    fn line(&self, name: &str) -> Vec<String> {
        let shown = |value: f64| format!("{value:.3}");
        vec![
            name.to_owned(),
            shown(self.average_precision),
            shown(self.fixed.precision),
            shown(self.fixed.recall),
            shown(self.read_off),
        ]
    }

    fn figures(&self) -> Value {
        let mut figures = point(self.fixed);
        figures["average_precision"] = json!(self.average_precision);
        figures["recall_read_off"] = json!(self.read_off);
        figures
    }
}

fn point(point: OperatingPoint) -> Value {
    json!({"precision": point.precision, "recall": point.recall})
}

/// Which share of the payments of each story is flagged: recall for fraud, false alarms for its
/// look-alikes; and what the story's payments are.
fn by_story(fresh: &Asked, flagged: &[bool]) -> Value {
    let mut stories: BTreeMap<(bool, &Arc<str>), (usize, usize)> = BTreeMap::new();
    for (i, story) in fresh.story.iter().enumerate() {
        let fraud = fresh.outcome[i] > 0.5;
        let (all, hit) = stories.entry((!fraud, story)).or_default();
        *all += 1;
        *hit += usize::from(flagged[i]);
    }
    let mut lines = vec![row(["story", "payments", "flagged"])];
    let mut figures = serde_json::Map::new();
    for ((genuine, story), (all, hit)) in stories {
        let share = hit as f64 / all as f64;
        lines.push(row([story, &all.to_string(), &format!("{share:.4}")]));
        if !genuine {
            figures.insert(story.to_string(), json!(share));
        }
    }
    table(&lines);
    Value::Object(figures)
}
