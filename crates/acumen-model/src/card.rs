//! The model card: what a model is, for the people who approve it.

use std::fmt::Write;

use acumen_base::Time;

use crate::artifact::{Artifact, Candidate, CandidateTable};
use crate::metrics::{Metrics, OperatingPoint};
use crate::split::Split;

/// Columns that the card names.
const TOP_COLUMNS: usize = 15;

/// Renders the card of a model version as Markdown (after Mitchell et al. 2019, "Model cards for
/// model reporting").
pub fn render_card(artifact: &Artifact) -> String {
    let mut card = String::new();
    let write = write_card(artifact, &mut card);
    write.expect("text is always written to a string");
    card
}

fn write_card(artifact: &Artifact, card: &mut String) -> std::fmt::Result {
    let Artifact {
        use_case,
        member,
        learner,
        window,
        split,
        ..
    } = artifact;
    writeln!(
        card,
        "# {member} of {use_case}, version {}\n",
        artifact.version()
    )?;
    writeln!(
        card,
        "A `{learner}` model of {} over {} columns, objective `{}`, trained by version {} \
         with seed {}{}.\n",
        artifact.model.describe(),
        artifact.columns.len(),
        artifact.model.objective().name(),
        artifact.code,
        artifact.seed,
        match &artifact.continues {
            Some(version) => format!(", going on from version {version}"),
            None => String::new(),
        },
    )?;
    writeln!(card, "## Trained on\n")?;
    let positive = match artifact.test_metrics {
        Metrics::Binary(_) => format!(", {} of them positive", window.positives),
        Metrics::Regression(_) => String::new(),
        Metrics::Lists(_) => format!(", of {} of them something came", window.positives),
    };
    let stands_for = match window.stands_for {
        Some(rows) => format!("; by their weights they stand for {rows}"),
        None => String::new(),
    };
    writeln!(
        card,
        "{} rows from {} to {}{positive}{stands_for}.\n",
        window.rows, window.from, window.to
    )?;
    match &artifact.candidates {
        Some(table) => write_candidates(table, card)?,
        None => write_split(split, card)?,
    }
    if let Some(judged) = &artifact.refit_of {
        writeln!(
            card,
            "\nThese are the parts of version {judged}, which is calibrated and judged below; this \
             version is the same model, fitted again to the rows of all parts."
        )?;
    }
    writeln!(card, "\n## How good it was on the test part\n")?;
    write_metrics(&artifact.test_metrics, card)?;
    writeln!(
        card,
        "\n## Calibration\n\n{}.\n",
        artifact.calibration.name()
    )?;
    write_columns(artifact, card)?;
    writeln!(
        card,
        "## Parameters\n\n```json\n{:#}\n```\n",
        artifact.parameters
    )?;
    write_search(artifact, card)?;
    write_limits(artifact, card)
}

fn write_split(split: &Split, card: &mut String) -> std::fmt::Result {
    writeln!(card, "| part | from | to (not included) |\n|---|---|---|")?;
    for (name, part) in [
        ("training", split.train),
        ("validation (when to stop)", split.validation),
        ("calibration", split.calibration),
        ("test", split.test),
    ] {
        writeln!(card, "| {name} | {} | {} |", part.from, part.to)?;
    }
    Ok(())
}

/// The models that were compared, the best first.
fn write_candidates(table: &CandidateTable, card: &mut String) -> std::fmt::Result {
    let dates = |times: &[Time]| {
        let dates: Vec<String> = times.iter().map(ToString::to_string).collect();
        dates.join(", ")
    };
    writeln!(card, "Rows read at {}.\n", dates(&table.refitted_at))?;
    writeln!(
        card,
        "## The models that it was chosen from\n\nFitted to rows read at {}, judged on {}, rows read \
         at {}. The one with the least {} was fitted again to all rows; its intervals come from \
         the errors of the first fit on the half of the rows that its figures are not from.\n",
        dates(&table.fitted_at),
        table.judged_on,
        dates(&table.judged_at),
        table.by,
    )?;
    writeln!(
        card,
        "| model | {} | error by its mean | error of the total | error of the tenths | normalised \
         Gini | within the interval |\n|---|---|---|---|---|---|---|",
        table.by
    )?;
    for candidate in &table.list {
        let Candidate {
            member, learner, ..
        } = candidate;
        let Some(metrics) = &candidate.metrics else {
            let why = candidate
                .failed
                .as_deref()
                .unwrap_or_default()
                .replace('\n', " ");
            writeln!(card, "| {member} (`{learner}`) | {why} | | | | | |")?;
            continue;
        };
        let figures = [
            candidate.value,
            metrics.normalised_mae,
            metrics.total_error,
            metrics.decile_error,
            metrics.normalised_gini,
            metrics.interval_coverage,
        ];
        let shown =
            |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
        let figures = figures.map(shown).join(" | ");
        writeln!(card, "| {member} (`{learner}`) | {figures} |")?;
    }
    Ok(())
}

/// The trials on all rows, the best first.
fn write_search(artifact: &Artifact, card: &mut String) -> std::fmt::Result {
    let Some(table) = &artifact.search else {
        return Ok(());
    };
    let metric = table.metric.name();
    writeln!(card, "## Search\n")?;
    writeln!(
        card,
        "Parameters of trial {}; {} judgements by {metric} over {} folds of the training rows, \
         each trained on what came before. Trial 0 is the model as it was declared.\n",
        table.best,
        table.trials.len(),
        table.folds,
    )?;
    writeln!(card, "| trial | {metric} | parameters |\n|---|---|---|")?;
    for trial in table.ranking() {
        let params = serde_json::to_string(&trial.params).unwrap_or_default();
        match (trial.value, &trial.failed) {
            (Some(value), _) => writeln!(card, "| {} | {value:.5} | `{params}` |", trial.number)?,
            (None, failed) => {
                let why = failed.as_deref().unwrap_or("no value").replace('\n', " ");
                writeln!(card, "| {} | {why} | `{params}` |", trial.number)?;
            }
        }
    }
    writeln!(card)
}

fn write_metrics(metrics: &Metrics, card: &mut String) -> std::fmt::Result {
    writeln!(card, "| figure | value |\n|---|---|")?;
    let mut line = |name: &str, value: Option<f64>| match value {
        Some(value) => writeln!(card, "| {name} | {value:.4} |"),
        None => writeln!(card, "| {name} | not defined for these rows |"),
    };
    let binary = match metrics {
        Metrics::Binary(binary) => binary,
        Metrics::Regression(regression) => {
            line("rows", Some(regression.rows as f64))?;
            line("root mean squared error", Some(regression.rmse))?;
            line("mean absolute error", Some(regression.mae))?;
            line("the same by the mean outcome", regression.normalised_mae)?;
            line("error of the total", regression.total_error)?;
            line("error of the tenths", regression.decile_error)?;
            line("normalised Gini", regression.normalised_gini)?;
            return line("share within the interval", regression.interval_coverage);
        }
        Metrics::Lists(lists) => {
            line(
                "lists in which something was taken",
                Some(lists.lists as f64),
            )?;
            line("gain at 10", Some(lists.ndcg))?;
            line("the same of the blend", Some(lists.blend))?;
            return line("standard error of the difference", Some(lists.error));
        }
    };
    line("area under the ROC curve", binary.auc)?;
    line("average precision", binary.average_precision)?;
    line("log loss", Some(binary.log_loss))?;
    line("Brier score", Some(binary.brier))?;
    line(
        "calibration error, equal width",
        Some(binary.ece_equal_width),
    )?;
    line("calibration error, equal mass", Some(binary.ece_equal_mass))?;
    let recall = |point: &OperatingPoint| point.recall;
    line(
        "recall at 95 % precision",
        binary.at_precision_95.as_ref().map(recall),
    )?;
    let precision = |point: &OperatingPoint| point.precision;
    line(
        "precision at 90 % recall",
        binary.at_recall_90.as_ref().map(precision),
    )?;
    writeln!(card, "| rows | {} |", binary.rows)?;
    writeln!(card, "| positive rows | {} |", binary.positives)
}

fn write_columns(artifact: &Artifact, card: &mut String) -> std::fmt::Result {
    writeln!(
        card,
        "## What it looks at\n\n| column | share of the gain |\n|---|---|"
    )?;
    let total: f64 = artifact.importances.iter().map(|i| i.total_gain).sum();
    for importance in artifact.importances.iter().take(TOP_COLUMNS) {
        let percent = 100.0 * importance.total_gain / total.max(f64::MIN_POSITIVE);
        writeln!(card, "| {} | {percent:.1} % |", importance.column)?;
    }
    let others = artifact.columns.len().saturating_sub(TOP_COLUMNS);
    if others > 0 {
        writeln!(card, "\nand up to {others} more.")?;
    }
    writeln!(card)
}

fn write_limits(artifact: &Artifact, card: &mut String) -> std::fmt::Result {
    writeln!(card, "## Limits\n")?;
    writeln!(
        card,
        "- It refuses rows of other columns than fingerprint `{:016x}`.",
        artifact.columns.fingerprint
    )?;
    writeln!(
        card,
        "- It has seen nothing after {}; watch for drift from there on.",
        artifact.window.to
    )?;
    writeln!(
        card,
        "- A category that training did not see counts as missing."
    )?;
    writeln!(
        card,
        "- The thresholds of the operating points were read off the test part; fix a cut-off on \
         an earlier part before promising its figures."
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::{artifact_of, stump};

    #[test]
    fn a_card_says_what_one_asks() {
        let artifact = artifact_of(stump());
        let card = render_card(&artifact);
        for text in [
            artifact.version().as_str(),
            "1970-01-01T00:00:00Z",
            "average precision | 1.0000",
            "none (the logistic function",
            "| amount | 100.0 % |",
            "fingerprint",
        ] {
            assert!(card.contains(text), "`{text}` in\n{card}");
        }
    }
}
