//! What the declared windows hold, by two ways that know nothing of our operators: brute force
//! over a sample of rows, and one sweep with cursors over all of them.
//!
//! A window is `(t - w, t]` of the payments up to and including the row's own, in log order; a
//! share is `(t - 7 d - w, t - 7 d]`, where every chargeback is known.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::handbook::{Payment, Rows};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const DELAY: i64 = 7 * DAY;
const HANDBOOK: [(&str, i64); 3] = [("24h", DAY), ("7d", 7 * DAY), ("30d", 30 * DAY)];
const VELOCITY: [(&str, i64); 5] = [
    ("1m", MINUTE),
    ("5m", 5 * MINUTE),
    ("15m", 15 * MINUTE),
    ("1h", HOUR),
    ("24h", DAY),
];

/// Rows that brute force looks at.
const SAMPLE: usize = 4_000;

/// What the two ways may differ by, relatively: a quotient may be rounded once more.
const ROUNDING: f64 = 1e-15;

/// What was compared.
#[derive(Default)]
pub(super) struct Checked {
    /// Values.
    pub(super) checked: u64,
    /// Values that differ.
    pub(super) mismatches: u64,
    first: Vec<String>,
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values, {} mismatches", self.checked, self.mismatches)?;
        self.first
            .iter()
            .try_for_each(|line| write!(f, "\n  {line}"))
    }
}

/// Compares one way with the rows, column by column.
struct Comparison<'a> {
    rows: &'a Rows,
    places: BTreeMap<&'a str, usize>,
    checked: Checked,
}

impl<'a> Comparison<'a> {
    fn new(rows: &'a Rows) -> Comparison<'a> {
        let list = rows.columns.list.iter().enumerate();
        Comparison {
            rows,
            places: list
                .map(|(place, column)| (column.name.as_str(), place))
                .collect(),
            checked: Checked::default(),
        }
    }

    fn place(&self, column: &str) -> usize {
        *self
            .places
            .get(column)
            .unwrap_or_else(|| panic!("the rows have no column `{column}`"))
    }

    fn compare(&mut self, place: usize, row: usize, wanted: f64) {
        let found = self.rows.data[place][row];
        self.checked.checked += 1;
        let same = found == wanted
            || (found.is_nan() && wanted.is_nan())
            || (found - wanted).abs() <= ROUNDING * wanted.abs();
        if !same {
            self.checked.mismatches += 1;
            if self.checked.first.len() < 5 {
                let name = &self.rows.columns.list[place].name;
                let line = format!("row {row}, {name}: {found} instead of {wanted}");
                self.checked.first.push(line);
            }
        }
    }
}

/// What a window holds.
#[derive(Clone, Copy, Default)]
struct Held {
    count: i64,
    cents: i64,
    largest: i64,
    frauds: i64,
}

impl Held {
    fn add(&mut self, payment: &Payment) {
        self.count += 1;
        self.cents += payment.cents;
        self.largest = self.largest.max(payment.cents);
        self.frauds += i64::from(payment.fraud);
    }

    fn over(self, part: i64) -> f64 {
        match self.count {
            0 => f64::NAN,
            count => part as f64 / count as f64,
        }
    }
}

/// How a column is made of what its window holds.
type Make = fn(Held) -> f64;

/// Every windowed column with what it is a window of.
struct Window {
    by_customer: bool,
    length: i64,
    delay: i64,
    /// The places of its columns, and how each is made of what the window holds.
    columns: Vec<(usize, Make)>,
}

fn windows(comparison: &Comparison<'_>) -> Vec<Window> {
    let count: Make = |held| held.count as f64;
    let sum: Make = |held| held.cents as f64 / 100.0;
    let average: Make = |held| held.over(held.cents) / 100.0;
    let largest: Make = |held| held.largest as f64 / 100.0;
    let share: Make = |held| held.over(held.frauds);
    let mut all = Vec::new();
    for (name, length) in HANDBOOK {
        let at = |column: &str| comparison.place(&format!("{column}_{name}"));
        let customer = vec![(at("customer.count"), count), (at("customer.avg"), average)];
        let terminal = vec![(at("terminal.count"), count), (at("terminal.share"), share)];
        all.push(Window {
            by_customer: true,
            length,
            delay: 0,
            columns: customer,
        });
        all.push(Window {
            by_customer: false,
            length,
            delay: DELAY,
            columns: terminal,
        });
    }
    for (name, length) in VELOCITY {
        for entity in ["customer", "terminal"] {
            let of =
                |stat: &str| comparison.place(&format!("velocity_checks.{entity}.{stat}_{name}"));
            let columns = vec![
                (of("count"), count),
                (of("sum"), sum),
                (of("avg"), average),
                (of("max"), largest),
            ];
            all.push(Window {
                by_customer: entity == "customer",
                length,
                delay: 0,
                columns,
            });
        }
    }
    all
}

impl Window {
    fn key(&self, payment: &Payment) -> u32 {
        if self.by_customer {
            payment.customer
        } else {
            payment.terminal
        }
    }
}

/// Brute force: every window of some rows, by looking at every payment before them.
pub(super) fn sampled(payments: &[Payment], rows: &Rows, seed: u64) -> Checked {
    let mut comparison = Comparison::new(rows);
    let windows = windows(&comparison);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for _ in 0..SAMPLE {
        let row = random.random_range(0..payments.len());
        let own = payments[row];
        for window in &windows {
            let until = own.at - window.delay;
            let mut held = Held::default();
            let reach = payments[..=row].iter().rev();
            for payment in reach.take_while(|payment| payment.at > until - window.length) {
                if payment.at <= until && window.key(payment) == window.key(&own) {
                    held.add(payment);
                }
            }
            for &(place, make) in &window.columns {
                comparison.compare(place, row, make(held));
            }
        }
    }
    comparison.checked
}

/// All rows: the payments of each key in order, and for each window two cursors over them.
pub(super) fn every(payments: &[Payment], rows: &Rows) -> Checked {
    let mut comparison = Comparison::new(rows);
    for window in windows(&comparison) {
        let mut keys: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (row, payment) in payments.iter().enumerate() {
            keys.entry(window.key(payment))
                .or_default()
                .push(row as u32);
        }
        for rows_of_key in keys.values() {
            sweep(payments, rows_of_key, &window, &mut comparison);
        }
    }
    comparison.checked
}

fn sweep(payments: &[Payment], rows: &[u32], window: &Window, comparison: &mut Comparison<'_>) {
    let payment = |i: usize| &payments[rows[i] as usize];
    let (mut first, mut end) = (0, 0);
    let mut held = Held::default();
    // Places whose amount no later one inside the window exceeds, largest first.
    let mut largest: VecDeque<usize> = VecDeque::new();
    for (i, &row) in rows.iter().enumerate() {
        let until = payment(i).at - window.delay;
        while end <= i && payment(end).at <= until {
            held.add(payment(end));
            while largest
                .back()
                .is_some_and(|&last| payment(last).cents <= payment(end).cents)
            {
                largest.pop_back();
            }
            largest.push_back(end);
            end += 1;
        }
        while first < end && payment(first).at <= until - window.length {
            held.count -= 1;
            held.cents -= payment(first).cents;
            held.frauds -= i64::from(payment(first).fraud);
            first += 1;
        }
        while largest.front().is_some_and(|&place| place < first) {
            largest.pop_front();
        }
        held.largest = largest.front().map_or(0, |&place| payment(place).cents);
        for &(place, make) in &window.columns {
            comparison.compare(place, row as usize, make(held));
        }
    }
}
