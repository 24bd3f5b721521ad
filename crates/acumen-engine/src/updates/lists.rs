//! Sources of candidates trained anew, and what they have to pass.

use acumen_base::{Gate, ModelVersion, Update};

use super::Updater;
use super::judge::Judged;
use crate::background::Background;
use crate::ranking::RankingTable;
use crate::train::{TrainOptions, train_with};

impl Updater {
    /// Trains, judges and promotes or holds a use case that ranks.
    pub(super) fn attempt_lists(&self, use_case: usize, mut update: Update) -> Option<Update> {
        let options = TrainOptions {
            threads: Some(Background::half()),
            ..TrainOptions::default()
        };
        let trained = train_with(&self.sources, use_case, options, &mut |at| self.step(&at));
        let trained = match trained {
            Ok(trained) => trained,
            Err(error) => {
                update.why = format!("held: there is nothing to promote: {error}");
                return self.record(update, Vec::new());
            }
        };
        let Some(table) = &trained.ranking else {
            return None;
        };
        update.candidate = table.sources.iter().map(version).collect();
        if update.candidate == update.champion {
            update.why = "held: training gave the versions that are live".to_owned();
            return self.record(update, Vec::new());
        }
        let declared = &self.sources.plan.use_cases[use_case].declared;
        let judged = Judged {
            period: None,
            gates: vec![worth_it(table, declared.gates.tolerance)],
        };
        self.conclude(use_case, update, Ok(judged), trained.controls)
    }
}

fn version(source: &crate::ranking::SourceFigures) -> ModelVersion {
    ModelVersion {
        member: source.name.clone(),
        version: source.version.clone(),
    }
}

/// The blend has to be at least as good as each source alone, on what visitors took next: a blend
/// that is not has weights that no longer fit.
fn worth_it(table: &RankingTable, tolerance: f64) -> Gate {
    let best = table.sources.iter().map(|source| source.alone.ndcg10);
    let best = best.fold(0.0, f64::max);
    let (figure, limit) = (table.blend.ndcg10, best - tolerance);
    Gate {
        name: "not_worse".to_owned(),
        passed: table.judged > 0 && figure >= limit,
        figure: Some(figure),
        limit: Some(limit),
        text: match table.judged {
            0 => "too few visitors did anything lately to judge lists on".to_owned(),
            judged => format!(
                "the gain at 10 of the blend is {figure:.4} on what {judged} visitors took next, \
                 where the best source alone has {best:.4}, with a tolerance of {tolerance}"
            ),
        },
    }
}
