//! `aggregate` and its one-word forms: count, sum, avg, min, max, stddev over windows.

use acumen_base::ColumnKind;

use super::{Accepts, CURRENT, Context, Operator, ParamDoc, WHERE};
use crate::windows::{Output, Stat};

/// Aggregates of one name: all that are asked for, or always the same one.
pub(super) struct Aggregate {
    name: &'static str,
    doc: &'static str,
    example: &'static str,
}

const DOC: &str = "Aggregates a field of the events of each key over sliding windows \
    `(t - w, t]`, exactly, the current event included. An empty window has count and sum 0; its \
    avg, min, max and stddev are missing, and so is everything where the current event lacks the \
    field. Events that lack the field are left out. stddev is that of a sample (n - 1).";

pub(super) static AGGREGATE: Aggregate = Aggregate {
    name: "aggregate",
    doc: DOC,
    example: "{operator: aggregate, of: order.amount, by: customer, window: [1h, 24h], aggregations: [count, sum, avg, min, max, stddev]}",
};
pub(super) static COUNT: Aggregate = Aggregate {
    name: "count",
    doc: "Counts the events of each key in sliding windows, the current event included.",
    example: "{operator: count, of: order, by: customer, window: [1h, all]}",
};
pub(super) static SUM: Aggregate = Aggregate {
    name: "sum",
    doc: "Sums a field of the events of each key over sliding windows; 0 for an empty one.",
    example: "{operator: sum, of: order.amount, by: customer, window: 24h}",
};
pub(super) static AVG: Aggregate = Aggregate {
    name: "avg",
    doc: "The mean of a field of the events of each key over sliding windows.",
    example: "{operator: avg, of: order.amount, by: customer, window: 24h}",
};
pub(super) static MIN: Aggregate = Aggregate {
    name: "min",
    doc: "The smallest value of a field of the events of each key in sliding windows.",
    example: "{operator: min, of: order.amount, by: customer, window: 24h}",
};
pub(super) static MAX: Aggregate = Aggregate {
    name: "max",
    doc: "The largest value of a field of the events of each key in sliding windows.",
    example: "{operator: max, of: order.amount, by: customer, window: 24h}",
};
pub(super) static STDDEV: Aggregate = Aggregate {
    name: "stddev",
    doc: "The sample standard deviation of a field of the events of each key in sliding windows.",
    example: "{operator: stddev, of: order.amount, by: customer, window: 24h}",
};

const NAMES: [(&str, Stat, &str); 6] = [
    ("count", Stat::Count, "number"),
    ("sum", Stat::Sum, "sum"),
    ("avg", Stat::Avg, "mean"),
    ("min", Stat::Min, "smallest"),
    ("max", Stat::Max, "largest"),
    ("stddev", Stat::Stddev, "standard deviation"),
];

impl Operator for Aggregate {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn params(&self) -> &'static [ParamDoc] {
        &[CURRENT, WHERE]
    }

    fn accepts(&self) -> Accepts {
        Accepts {
            windows: true,
            aggregations: self.name == "aggregate",
            ..Accepts::BY
        }
    }

    fn example(&self) -> &'static str {
        self.example
    }

    fn compile(&self, context: &mut Context<'_>) {
        let wanted: Vec<String> = match self.name {
            "aggregate" => context.feature.aggregations.clone(),
            name => vec![name.to_owned()],
        };
        let mut stats = Vec::new();
        for name in &wanted {
            match NAMES.iter().find(|known| known.0 == name) {
                Some(known) => stats.push(*known),
                None => context.unknown("aggregations", "aggregation", name, NAMES.map(|n| n.0)),
            }
        }
        let only_count = stats.iter().all(|stat| stat.1 == Stat::Count);
        let current = context.current();
        let entities = context.entities();
        let windows = context.windows();
        let Some(operand) = context.operand(only_count) else {
            return;
        };
        for &entity in &entities {
            for &window in &windows {
                for (name, stat, words) in &stats {
                    let output = Output {
                        window: 0,
                        stat: *stat,
                        current,
                    };
                    let at = context.window_output(&operand, entity, window, 0, output);
                    let unit = if *stat == Stat::Count {
                        ""
                    } else {
                        operand.unit.as_str()
                    };
                    let (of, by) = (&operand.words, context.entity_name(entity));
                    let help = match stat {
                        Stat::Count => format!(
                            "number of {} of this {by} {}",
                            operand.counted,
                            in_last(window)
                        ),
                        _ => format!("{words} of {of} of this {by} {}", in_last(window)),
                    };
                    let suffix = format!("{name}_{window}");
                    context.column(entity, &suffix, (ColumnKind::Number, unit), &help, at);
                }
            }
        }
    }
}

/// `in the last 24h`, or `ever`.
pub(super) fn in_last(window: acumen_base::Span) -> String {
    if window == acumen_base::Span::ALL {
        "ever".to_owned()
    } else {
        format!("in the last {window}")
    }
}
