//! Our 15 columns beside the handbook's own, every difference in a class that says why.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::handbook::{Payment, Rows};
use crate::report::{Failure, row, table};

/// The handbook's name of each column, in its order, and ours.
const COLUMNS: [(&str, &str); 15] = [
    ("TX_AMOUNT", "transaction.amount"),
    ("TX_DURING_WEEKEND", "calendar.weekend"),
    ("TX_DURING_NIGHT", "calendar.night"),
    ("CUSTOMER_ID_NB_TX_1DAY_WINDOW", "customer.count_24h"),
    ("CUSTOMER_ID_AVG_AMOUNT_1DAY_WINDOW", "customer.avg_24h"),
    ("CUSTOMER_ID_NB_TX_7DAY_WINDOW", "customer.count_7d"),
    ("CUSTOMER_ID_AVG_AMOUNT_7DAY_WINDOW", "customer.avg_7d"),
    ("CUSTOMER_ID_NB_TX_30DAY_WINDOW", "customer.count_30d"),
    ("CUSTOMER_ID_AVG_AMOUNT_30DAY_WINDOW", "customer.avg_30d"),
    ("TERMINAL_ID_NB_TX_1DAY_WINDOW", "terminal.count_24h"),
    ("TERMINAL_ID_RISK_1DAY_WINDOW", "terminal.share_24h"),
    ("TERMINAL_ID_NB_TX_7DAY_WINDOW", "terminal.count_7d"),
    ("TERMINAL_ID_RISK_7DAY_WINDOW", "terminal.share_7d"),
    ("TERMINAL_ID_NB_TX_30DAY_WINDOW", "terminal.count_30d"),
    ("TERMINAL_ID_RISK_30DAY_WINDOW", "terminal.share_30d"),
];

/// Their sums are differences of binary fractions that have been rounded; ours are whole cents.
const ROUNDING: f64 = 1e-6;

const EMPTY: &str = "empty window: missing here, 0 there";
const ROUNDED: &str = "sums of rounded fractions there, of whole cents here";
const TIE: &str = "same-second tie: which of two comes first is chance there, log order here";
const UNEXPLAINED: &str = "unexplained";

/// Compares, prints a table, and gives the count of each class.
pub(super) fn explain(payments: &[Payment], ours: &Rows, theirs: &[f64]) -> Result<Value, Failure> {
    let rows = payments.len();
    if theirs.len() != 15 * rows {
        let message = format!("the peer wrote {} values for {rows} rows", theirs.len());
        return Err(Failure::new(message));
    }
    let ties = [
        ties(payments, |p| p.customer),
        ties(payments, |p| p.terminal),
    ];
    let mut classes: BTreeMap<&str, u64> =
        [EMPTY, ROUNDED, TIE, UNEXPLAINED].map(|c| (c, 0)).into();
    let mut lines = vec![row([
        "column",
        "same",
        "empty",
        "rounded",
        "tie",
        "unexplained",
    ])];
    for (number, (name, our_name)) in COLUMNS.iter().enumerate() {
        let place = ours.columns.position(our_name);
        let place = place.ok_or_else(|| Failure::new(format!("no column `{our_name}`")))?;
        let ties = &ties[usize::from(name.starts_with("TERMINAL"))];
        let mut here: BTreeMap<&str, u64> = BTreeMap::new();
        for at in 0..rows {
            let (mine, other) = (ours.data[place][at], theirs[number * rows + at]);
            let class = match () {
                () if mine == other => continue,
                () if mine.is_nan() && other == 0.0 => EMPTY,
                () if (mine - other).abs() <= ROUNDING * other.abs().max(1.0) => ROUNDED,
                () if ties.contains(&(at as u32)) => TIE,
                () => UNEXPLAINED,
            };
            *here.entry(class).or_default() += 1;
        }
        let of = |class: &str| here.get(class).copied().unwrap_or(0);
        let same = rows as u64 - here.values().sum::<u64>();
        let counts = [same, of(EMPTY), of(ROUNDED), of(TIE), of(UNEXPLAINED)];
        let mut line = vec![(*name).to_owned()];
        line.extend(counts.map(|count| count.to_string()));
        lines.push(line);
        for (class, count) in here {
            *classes.entry(class).or_default() += count;
        }
    }
    println!("our columns beside the handbook's own:");
    table(&lines);
    for (class, count) in &classes {
        println!("  {count}: {class}");
    }
    Ok(json!({
        "empty_window": classes[EMPTY],
        "rounding": classes[ROUNDED],
        "same_second_ties": classes[TIE],
        "unexplained": classes[UNEXPLAINED],
    }))
}

/// Rows that share their key and second with another one.
fn ties(payments: &[Payment], key: impl Fn(&Payment) -> u32) -> BTreeSet<u32> {
    let mut seen: BTreeMap<(i64, u32), Vec<u32>> = BTreeMap::new();
    let mut ties = BTreeSet::new();
    let mut second = i64::MIN;
    for (row, payment) in payments.iter().enumerate() {
        if payment.at != second {
            seen.clear();
            second = payment.at;
        }
        let together = seen.entry((payment.at, key(payment))).or_default();
        together.push(row as u32);
        if together.len() > 1 {
            ties.extend(together.iter().copied());
        }
    }
    ties
}
