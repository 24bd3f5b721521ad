//! What is known of a candidate when a list is made, by name: what a bandit and a ranker learn from.

use acumen_base::{Column, ColumnKind, Columns, FieldType};

use super::decl::RankingDecl;
use crate::spec::types::UseCase;

/// What the columns of what sources say begin with.
pub(crate) const SAYS: &str = "says.";
/// Changes with what any of the columns means.
const MEANING: &str = "what is known of a candidate, 1";

/// The columns of a candidate: those of the bandit first, then those that a ranker sees besides.
/// The values are computed in one place, when a list is made, and logged with it.
pub(crate) fn columns(use_case: &UseCase, ranking: &RankingDecl) -> Columns {
    let mut list = Vec::new();
    let mut add = |name: String, unit: &str, help: String| {
        list.push(Column {
            name,
            kind: ColumnKind::Number,
            unit: unit.to_owned(),
            help,
        });
    };
    add("constant".into(), "", "1".into());
    for model in use_case.models.iter().filter(|model| model.is_source()) {
        let help = format!("what `{}` says, in deviations from its mean", model.name);
        add(format!("{SAYS}{}", model.name), "", help);
    }
    let beside = "in deviations from the mean of the other candidates";
    add(
        "novelty".into(),
        "",
        format!("how few have touched it, {beside}"),
    );
    add(
        "value".into(),
        "",
        format!("what selling it is worth, {beside}"),
    );
    for said in &ranking.feedback.context {
        for number in 1..=said.width() {
            let (name, help) = match said.width() {
                1 => (format!("context.{}", said.name), String::new()),
                _ => (
                    format!("context.{}.{number}", said.name),
                    ", one of the signs by which a word is known".to_owned(),
                ),
            };
            let help = format!(
                "what the request says of `{}`{help}; 0 where nothing",
                said.name
            );
            add(name, "", help);
        }
    }
    for (name, unit, help) in [
        (
            "blend",
            "",
            "what the sources say together, by their weights",
        ),
        ("surprise", "bit", "how few have touched it"),
        ("worth", "", "what selling one is worth"),
        ("age", "d", "for how long it has been known"),
        (
            "own_events",
            "",
            "events of the visitor with this very item",
        ),
        ("own_weight", "", "the sum of their weights"),
        (
            "seen",
            "",
            "how often the visitor was shown it within `feedback.seen_within`",
        ),
        ("events", "", "events of the visitor that are remembered"),
        ("idle", "h", "since the newest of them"),
        (
            "like_newest",
            "",
            "the share of attributes that it has from the item of the newest",
        ),
        (
            "like_weight",
            "",
            "the weight of the newest event with an item like it",
        ),
        ("like_idle", "h", "since that event"),
        ("hour", "h", "of the day of the request, in UTC"),
        ("weekday", "", "of the request, from Monday, which is 0"),
    ] {
        add(name.into(), unit, help.into());
    }
    for (name, kind) in attributes(use_case, ranking) {
        if is_compared(kind) {
            let help = format!("the share of the visitor's events with items of the same {name}");
            add(format!("same.{name}"), "", help);
        }
        if is_amount(kind) {
            add(
                format!("tier.{name}"),
                "",
                format!("the power of two in which {name} lies"),
            );
        }
    }
    Columns::new(list, MEANING)
}

/// The attributes of items with their types, in declared order.
fn attributes<'a>(
    use_case: &'a UseCase,
    ranking: &'a RankingDecl,
) -> impl Iterator<Item = (&'a str, FieldType)> {
    let event = use_case.event(&ranking.items.event);
    let names = ranking.items.attributes.iter();
    names.filter_map(move |name| {
        let event = event?;
        Some((name.as_str(), event.fields[event.position(name)?].kind))
    })
}

/// Whether two items can have the same value of such an attribute other than by accident.
pub(crate) fn is_compared(kind: FieldType) -> bool {
    kind != FieldType::Text
}

/// Whether such an attribute is known by the power of two that it lies in.
pub(crate) fn is_amount(kind: FieldType) -> bool {
    matches!(kind, FieldType::Money | FieldType::Number | FieldType::Int)
}
