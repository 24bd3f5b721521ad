//! What sources of candidates that were trained anew have to pass.

use acumen_base::Gate;

use super::judge::Judged;
use crate::ranking::RankingTable;

/// The gates of a use case that ranks.
pub(super) fn gates_of_lists(table: &RankingTable, tolerance: f64) -> Judged {
    Judged {
        period: None,
        gates: vec![worth_it(table, tolerance)],
    }
}

/// The blend has to be at least as good as each source alone, on what visitors took next: a blend
/// that is not has weights that no longer fit.
fn worth_it(table: &RankingTable, tolerance: f64) -> Gate {
    let best = table.sources.iter().map(|source| source.alone.ndcg);
    let best = best.fold(0.0, f64::max);
    let (figure, limit) = (table.blend.ndcg, best - tolerance);
    Gate {
        name: "not_worse".to_owned(),
        passed: table.judged > 0 && figure >= limit,
        figure: Some(figure),
        limit: Some(limit),
        text: match table.judged {
            0 => "too few visitors did anything lately to judge lists on".to_owned(),
            judged => format!(
                "the gain at 10 of the blend is {figure:.4} on what {judged} visitors took next, \
                 where the best source alone has {best:.4}, with a tolerance of {tolerance}{}",
                of_ranker(table)
            ),
        },
    }
}

/// What became of the ranker: held or not, the sources go live.
fn of_ranker(table: &RankingTable) -> String {
    let Some(found) = &table.ranker else {
        return String::new();
    };
    match &found.held {
        Some(why) => format!("; `{}` is held back: {why}", found.name),
        None => format!("; `{}` orders lists better than it", found.name),
    }
}
