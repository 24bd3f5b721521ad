//! Mistakes in use cases that decide on each key of an entity.

use super::tests::problems_of;

const REGULARS: &str = include_str!("../../tests/data/regulars/usecase.yaml");

/// What is wrong after one change, which must be there.
fn after(old: &str, new: &str) -> Vec<String> {
    assert_eq!(REGULARS.matches(old).count(), 1, "{old}");
    problems_of("regulars", &REGULARS.replace(old, new))
}

#[test]
fn each_mistake_is_told_with_what_to_do() {
    assert_eq!(
        after("usecase: regulars", "usecase: regulars"),
        Vec::<String>::new()
    );
    for (old, new, told) in [
        (
            "each: customer,",
            "each: custmer,",
            "did you mean `customer`?",
        ),
        (
            "base: bought.count",
            "base: bought.cout",
            "there is no column `bought.cout`",
        ),
        (
            "sum: order.amount,",
            "sum: order.amont,",
            "did you mean `amount`?",
        ),
        (
            "sum: order.amount,",
            "sum: ordr.amount,",
            "did you mean `order`?",
        ),
        (
            "sum: order.amount,",
            "sum: order.customer_id,",
            "cannot be summed",
        ),
        ("over: 2mo", "over: soon", "is not a length such as"),
        ("middle: 50 EUR", "middle: 500 EUR", "let bands rise"),
        (
            "schedule: \"0 2 * * *\"",
            "schedule: \"0 26 * * *\"",
            "is no hour",
        ),
        (
            "    informed_by: history",
            "    informed_by: history\n    search: {trials: 3}",
            "a search judges probabilities",
        ),
        (
            "    informed_by: history",
            "    informed_by: plain",
            "does not model purchases",
        ),
        (
            "objective: reg:tweedie,",
            "",
            "predicts a probability here, and the target is a sum",
        ),
        (
            "    value: bought.value",
            "    value: bought.value\n    predicts: alive",
            "predicts the probability that a customer has not left",
        ),
        (
            "    value: bought.value\n",
            "",
            "predicts how often a customer buys",
        ),
        (
            "    informed_by: history",
            "    informed_by: history\n    shadow: true",
            "the best of the declared models goes live alone",
        ),
        (
            "origins: {every: 1mo}",
            "calibration: isotonic, origins: {every: 1mo}",
            "`training.calibration` changes nothing where each key is decided on",
        ),
        (
            "origins: {every: 1mo}",
            "negative_share: 0.1, origins: {every: 1mo}",
            "a sum has no negative outcome to leave out",
        ),
        (
            "segments:",
            "gates: {ece_max: 0.1}\nsegments:",
            "compared by their mean error, within `gates.tolerance`",
        ),
        (
            "serving: {max_latency: 200ms,",
            "serving: {max_latency: 200ms, durability: must_log,",
            "answers for keys are no records of the log",
        ),
        (
            "origins: {every: 1mo}",
            "target: outcome, origins: {every: 1mo}",
            "there is no target of this use case `outcome`",
        ),
        (
            "origins: {every: 1mo}",
            "origins: {evry: 1mo}",
            "did you mean `every`?",
        ),
        (
            "returned: {of: refund.amount, by: customer,",
            "returned: {of: refund.amount, by: refnd,",
            "there is no entity",
        ),
        (
            "today: {operator: calendar, parts: [weekday]}",
            "today: {operator: fields, of: order, fields: [amount]}",
            "a row here is of each customer, and of no event",
        ),
        (
            "segments:",
            "layers: {models: {deadline: 5ms, run: [plain]}}\nsegments:",
            "`layers` belongs to decisions on events",
        ),
    ] {
        let found = after(old, new);
        assert!(
            found.iter().any(|problem| problem.contains(told)),
            "{new}: {told} in {found:#?}"
        );
    }
}

#[test]
fn a_sum_is_predicted_of_no_event() {
    let events = include_str!("../../tests/data/sound/usecase.yaml");
    let found = problems_of(
        "orders",
        &format!("{events}\ntarget: {{sum: order.amount, over: 1y}}\n"),
    );
    assert!(
        found
            .iter()
            .any(|problem| problem.contains("decide: {each: customer}")),
        "{found:?}"
    );
}
