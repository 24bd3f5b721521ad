//! The handbook's splits.

use std::collections::BTreeSet;

use crate::handbook::Payment;

const DAY: i64 = 86_400_000;
const WEEK: i64 = 7;

/// Days since 1970 of 2018-07-25.
pub(crate) const CHAPTER_3: i64 = 17_737;

/// The days on which training starts in chapter 5.
pub(crate) const TEST_FOLDS: [i64; 4] = [
    CHAPTER_3,
    CHAPTER_3 + WEEK,
    CHAPTER_3 + 2 * WEEK,
    CHAPTER_3 + 3 * WEEK,
];

/// The same for the folds on which parameters are chosen: the newest starts on 2018-07-11, so
/// that its test part ends before that of the first test fold begins.
pub(crate) const VALIDATION_FOLDS: [i64; 4] = [
    CHAPTER_3 - 5 * WEEK,
    CHAPTER_3 - 4 * WEEK,
    CHAPTER_3 - 3 * WEEK,
    CHAPTER_3 - 2 * WEEK,
];

/// Seven days of training, seven of delay, seven of testing. A customer with a fraud in training,
/// or with one whose label has become known by a day of the test, is not tested on that day.
pub(crate) fn split(payments: &[Payment], start: i64) -> (Vec<usize>, Vec<usize>) {
    let day = |row: &usize| payments[*row].at.div_euclid(DAY);
    let rows_of = |from: i64, to: i64| {
        let rows = 0..payments.len();
        rows.filter(move |row| (from..to).contains(&day(row)))
            .collect::<Vec<usize>>()
    };
    let compromised = |rows: &[usize]| -> BTreeSet<u32> {
        let frauds = rows.iter().filter(|row| payments[**row].fraud);
        frauds.map(|row| payments[*row].customer).collect()
    };
    let train = rows_of(start, start + WEEK);
    let mut known = compromised(&train);
    let mut test = Vec::new();
    for offset in 0..WEEK {
        let labelled = start + WEEK + offset - 1;
        known.extend(compromised(&rows_of(labelled, labelled + 1)));
        let today = start + 2 * WEEK + offset;
        let open = |row: &usize| !known.contains(&payments[*row].customer);
        test.extend(rows_of(today, today + 1).into_iter().filter(open));
    }
    (train, test)
}
