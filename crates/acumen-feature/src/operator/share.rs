//! `share`: how many of a key's events turned out positive.

use acumen_base::ColumnKind;

use super::aggregate::in_last;
use super::{Accepts, Context, DELAY, Operator, ParamDoc, WHERE};
use crate::windows::{Output, Source, Stat};

/// The operator.
pub(super) struct Share;

impl Operator for Share {
    fn name(&self) -> &'static str {
        "share"
    }

    fn doc(&self) -> &'static str {
        "The share of a key's events in the window `(t - delay - w, t - delay]` whose outcome is \
         known to be positive at the row's place in the log, or whose boolean field is true; and \
         `count`, how many events there are. The current event is excluded. A share of no events \
         is missing."
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[DELAY, WHERE]
    }

    fn accepts(&self) -> Accepts {
        Accepts {
            windows: true,
            ..Accepts::BY
        }
    }

    fn example(&self) -> &'static str {
        "{operator: share, of: outcome, by: customer, window: [1d, 30d], delay: 7d}"
    }

    fn compile(&self, context: &mut Context<'_>) {
        let delay = context.span("delay", acumen_base::Span::ZERO);
        let entities = context.entities();
        let windows = context.windows();
        let Some(operand) = context.outcome_or_flag() else {
            return;
        };
        if matches!(operand.source, Source::Outcome(_)) && context.reads_columns(operand.when) {
            let message = "a share of an outcome cannot depend on columns".to_owned();
            let help = "name fields of the event only, or use `run_length`".to_owned();
            context.problem(WHERE.name, message, help);
        }
        for &entity in &entities {
            for &window in &windows {
                for (name, stat) in [("share", Stat::Share), ("count", Stat::Count)] {
                    let output = Output {
                        window: 0,
                        stat,
                        current: false,
                    };
                    let at = context.window_output(&operand, entity, window, delay.0, output);
                    let by = context.entity_name(entity);
                    let until = match delay.0 {
                        0 => String::new(),
                        _ => format!(", ending {delay} earlier"),
                    };
                    let what = match stat {
                        Stat::Share => format!("share of {}", operand.words),
                        _ => format!("number of {}", operand.counted),
                    };
                    let help = format!("{what} of this {by} {}{until}", in_last(window));
                    let suffix = format!("{name}_{window}");
                    context.column(entity, &suffix, (ColumnKind::Number, ""), &help, at);
                }
            }
        }
    }
}
