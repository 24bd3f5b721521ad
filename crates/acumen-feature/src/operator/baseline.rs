//! `baseline`: how unusual the current value is for this key.

use acumen_base::ColumnKind;

use super::{Accepts, Context, Operator, ParamDoc, ParamKind, WHERE};
use crate::windows::{Output, Stat};

/// The operator.
pub(super) struct Baseline;

impl Operator for Baseline {
    fn name(&self) -> &'static str {
        "baseline"
    }

    fn doc(&self) -> &'static str {
        "The rolling mean and sample deviation of a field over each window, the current event \
         excluded, and where the current value stands against them: `z` in deviations, `ratio` \
         to the mean. Below `minimum` events all four are missing. Where all earlier values are \
         the same, z is 0 for that value and missing for any other. The current value is compared \
         whether or not `where` holds for it."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[
            ParamDoc {
                name: "minimum",
                kind: ParamKind::Int,
                default: "5",
                doc: "How many earlier events make a baseline; at least 2.",
            },
            WHERE,
        ]
    }

    fn accepts(&self) -> Accepts {
        Accepts {
            windows: true,
            ..Accepts::BY
        }
    }

    fn example(&self) -> &'static str {
        "{operator: baseline, of: order.amount, by: customer, window: 30d, minimum: 5}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let minimum = context.int("minimum", 5, 2, i64::MAX).unsigned_abs();
        let (entities, windows) = (context.entities(), context.windows());
        let Some(operand) = context.operand(false) else {
            return;
        };
        let stats = [
            (
                "mean",
                Stat::Mean(minimum),
                operand.unit.as_str(),
                "mean of earlier",
            ),
            (
                "deviation",
                Stat::Deviation(minimum),
                &operand.unit,
                "standard deviation of earlier",
            ),
            (
                "z",
                Stat::Distance(minimum),
                "",
                "deviations from the mean of earlier",
            ),
            (
                "ratio",
                Stat::Ratio(minimum),
                "",
                "ratio to the mean of earlier",
            ),
        ];
        for &entity in &entities {
            for &window in &windows {
                for (name, stat, unit, words) in stats {
                    let output = Output {
                        window: 0,
                        stat,
                        current: false,
                    };
                    let at = context.window_output(&operand, entity, window, 0, output);
                    let by = context.entity_name(entity);
                    let last = super::aggregate::in_last(window);
                    let help = format!("{words} {} of this {by} {last}", operand.words);
                    let suffix = match windows.len() {
                        1 => name.to_owned(),
                        _ => format!("{name}_{window}"),
                    };
                    context.column(entity, &suffix, (ColumnKind::Number, unit), &help, at);
                }
            }
        }
    }
}
