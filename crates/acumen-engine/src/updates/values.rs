//! What models of values that were trained anew have to pass.

use acumen_base::{Gate, ModelVersion};
use acumen_model::{Artifact, Metrics};

use super::Updater;
use super::judge::Judged;
use crate::error::EngineError;
use crate::train::Trained;

/// How far the total may be off on rows that the candidate was not fitted to.
const TOTAL_ERROR_MAX: f64 = 0.25;

impl Updater {
    /// Champion and candidate by their figures on rows that each had not seen: the champion has
    /// been fitted again since to those that the candidate is judged on.
    pub(super) fn gates_of_values(
        &self,
        use_case: usize,
        trained: &Trained,
        champion: &[ModelVersion],
    ) -> Result<Judged, EngineError> {
        let name = &self.sources.plan.use_cases[use_case].declared.name;
        let tolerance = self.sources.plan.use_cases[use_case]
            .declared
            .gates
            .tolerance;
        let Some(model) = trained.models.first() else {
            return Ok(Judged {
                period: None,
                gates: Vec::new(),
            });
        };
        let before = champion.first();
        let before = before.map(|live| self.sources.store.get(name, &live.member, &live.version));
        let before = before.transpose()?;
        let times = model
            .artifact
            .candidates
            .iter()
            .flat_map(|table| table.judged_at.clone());
        let period = times.clone().min().zip(times.max());
        let gates = vec![
            not_worse(&model.artifact, before.as_ref(), tolerance),
            calibrated(&model.artifact),
        ];
        Ok(Judged { period, gates })
    }
}

/// The mean error as a share of the mean, which figures of two times can be compared in.
fn error_of(artifact: &Artifact) -> Option<f64> {
    match &artifact.test_metrics {
        Metrics::Regression(found) => found.normalised_mae,
        Metrics::Binary(_) | Metrics::Lists(_) => None,
    }
}

fn not_worse(ours: &Artifact, before: Option<&Artifact>, tolerance: f64) -> Gate {
    let figure = error_of(ours);
    let limit = before.and_then(error_of).map(|theirs| theirs + tolerance);
    Gate {
        name: "not_worse".to_owned(),
        passed: figure.is_some_and(|ours| limit.is_none_or(|limit| ours <= limit)),
        figure,
        limit,
        text: match (figure, limit) {
            (Some(ours), Some(limit)) => format!(
                "mean error by the mean {ours:.4}, where the champion had {:.4} on rows that it had \
                 not seen, with a tolerance of {tolerance}",
                limit - tolerance
            ),
            (Some(ours), None) => {
                format!("mean error by the mean {ours:.4}, and no champion to compare with")
            }
            (None, _) => "nothing that was judged on came to more than 0".to_owned(),
        },
    }
}

fn calibrated(ours: &Artifact) -> Gate {
    let figure = match &ours.test_metrics {
        Metrics::Regression(found) => found.total_error.map(f64::abs),
        Metrics::Binary(_) | Metrics::Lists(_) => None,
    };
    let shown = figure.map_or("not defined".to_owned(), |error| format!("{error:.4}"));
    Gate {
        name: "calibrated".to_owned(),
        passed: figure.is_some_and(|error| error <= TOTAL_ERROR_MAX),
        figure,
        limit: Some(TOTAL_ERROR_MAX),
        text: format!("the total is off by {shown} of it, at most {TOTAL_ERROR_MAX}"),
    }
}
