//! Who did what with which item, and when: by column, each user's events in the order of time.

use std::ops::Range;
use std::sync::Arc;

use acumen_base::Time;

/// Interactions as columns, one row an event, in any order.
#[derive(Clone, Copy, Debug)]
pub struct InteractionColumns<'a> {
    /// The number of the user.
    pub user: &'a [u32],
    /// The number of the item.
    pub item: &'a [u32],
    /// When it happened.
    pub time: &'a [Time],
    /// How much it tells: above 0 of interest, below 0 of the lack of it.
    pub weight: &'a [f32],
}

/// What events say of the moment at which they happened, in one respect such as the weather.
#[derive(Clone, Debug, PartialEq)]
pub struct ContextColumn {
    /// In which respect.
    pub name: Arc<str>,
    /// What was said, one a row; `None` where nothing was.
    pub words: Vec<Option<Arc<str>>>,
}

/// Interactions of all users. Events of one user and one time stand in the order of the rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Interactions {
    n_items: usize,
    /// Where each user's events begin, and where the last one's end.
    starts: Vec<usize>,
    items: Vec<u32>,
    times: Vec<Time>,
    weights: Vec<f32>,
    context: Vec<ContextColumn>,
}

/// What one user did, the oldest first.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// The items.
    pub items: &'a [u32],
    /// How much each event tells; as long as `items`.
    pub weights: &'a [f32],
}

/// Why columns are no interactions.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum InteractionsError {
    /// Columns of different lengths.
    #[error(
        "there are {user} users, {item} items, {time} times and {weight} weights: give one of each for every interaction"
    )]
    Lengths {
        /// Users.
        user: usize,
        /// Items.
        item: usize,
        /// Times.
        time: usize,
        /// Weights.
        weight: usize,
    },
    /// A column of the context of another length.
    #[error("`{name}` of the context has {found} rows, and there are {rows} interactions")]
    Context {
        /// Its name.
        name: Arc<str>,
        /// Its rows.
        found: usize,
        /// Those of the others.
        rows: usize,
    },
    /// A number that names nothing.
    #[error("the {what} of row {row} is {found}, and there are {count}, counted from 0")]
    Unknown {
        /// `user` or `item`.
        what: &'static str,
        /// The first such row, counted from 0.
        row: usize,
        /// Its number.
        found: u32,
        /// How many there are.
        count: usize,
    },
    /// A weight that tells nothing.
    #[error(
        "the weight of row {row} is {found}: leave out what tells nothing, and give finite numbers"
    )]
    Weight {
        /// The first such row, counted from 0.
        row: usize,
        /// Its weight.
        found: f32,
    },
}

impl Interactions {
    /// Sorts rows by user and time.
    ///
    /// # Errors
    /// The first row that names no user or item, or has no weight.
    pub fn new(
        n_users: usize,
        n_items: usize,
        columns: &InteractionColumns<'_>,
    ) -> Result<Interactions, InteractionsError> {
        Interactions::in_context(n_users, n_items, columns, &[])
    }

    /// The same, where events say something of the moment.
    ///
    /// # Errors
    /// As [`Interactions::new`], and where a column of the context has another length.
    pub fn in_context(
        n_users: usize,
        n_items: usize,
        columns: &InteractionColumns<'_>,
        context: &[ContextColumn],
    ) -> Result<Interactions, InteractionsError> {
        check(n_users, n_items, columns)?;
        let rows = columns.user.len();
        if let Some(wrong) = context.iter().find(|column| column.words.len() != rows) {
            let (name, found) = (Arc::clone(&wrong.name), wrong.words.len());
            return Err(InteractionsError::Context { name, found, rows });
        }
        let mut starts = vec![0; n_users + 1];
        for &user in columns.user {
            starts[user as usize + 1] += 1;
        }
        for user in 0..n_users {
            starts[user + 1] += starts[user];
        }
        let mut order: Vec<usize> = (0..columns.user.len()).collect();
        // Stable: rows of one time keep their order.
        order.sort_by_key(|&row| (columns.user[row], columns.time[row]));
        Ok(Interactions {
            n_items,
            starts,
            items: order.iter().map(|&row| columns.item[row]).collect(),
            times: order.iter().map(|&row| columns.time[row]).collect(),
            weights: order.iter().map(|&row| columns.weight[row]).collect(),
            context: context.iter().map(|column| column.at(&order)).collect(),
        })
    }

    /// How many users there are, with those who did nothing.
    pub fn n_users(&self) -> usize {
        self.starts.len() - 1
    }

    /// How many items there are, with those that nobody touched.
    pub fn n_items(&self) -> usize {
        self.n_items
    }

    /// How many events.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// What one user did.
    pub fn history(&self, user: usize) -> History<'_> {
        let range = self.starts[user]..self.starts[user + 1];
        History {
            items: &self.items[range.clone()],
            weights: &self.weights[range],
        }
    }

    /// When one user did it; as long as the history.
    pub fn times(&self, user: usize) -> &[Time] {
        &self.times[self.starts[user]..self.starts[user + 1]]
    }

    /// What the events of one user say of the moment in some respect, as long as the history;
    /// `None` where no event is known to say anything of that.
    pub fn said(&self, user: usize, name: &str) -> Option<&[Option<Arc<str>>]> {
        let column = self.context.iter().find(|column| &*column.name == name)?;
        Some(&column.words[self.starts[user]..self.starts[user + 1]])
    }

    /// All that one event of a user says of the moment, by name.
    pub fn said_at(&self, user: usize, place: usize) -> Vec<(Arc<str>, Arc<str>)> {
        let row = self.starts[user] + place;
        let said = |column: &ContextColumn| {
            let word = column.words[row].clone()?;
            Some((Arc::clone(&column.name), word))
        };
        self.context.iter().filter_map(said).collect()
    }

    /// The time of the newest event.
    pub fn newest(&self) -> Option<Time> {
        self.times.iter().copied().max()
    }

    /// Everything but the last `count` events of each user; what is left of a user may be nothing.
    #[must_use]
    pub fn without_last(&self, count: usize) -> Interactions {
        self.parts(|range| range.start..range.end.saturating_sub(count).max(range.start))
    }

    /// What happened before a time; what is left of a user may be nothing.
    #[must_use]
    pub fn before(&self, time: Time) -> Interactions {
        self.parts(|range| {
            let earlier = self.times[range.clone()].partition_point(|at| *at < time);
            range.start..range.start + earlier
        })
    }

    /// A part of the events of each user.
    fn parts(&self, part: impl Fn(Range<usize>) -> Range<usize>) -> Interactions {
        let mut starts = vec![0];
        let mut rows: Vec<usize> = Vec::with_capacity(self.items.len());
        for range in self.starts.windows(2) {
            rows.extend(part(range[0]..range[1]));
            starts.push(rows.len());
        }
        Interactions {
            n_items: self.n_items,
            starts,
            items: rows.iter().map(|&row| self.items[row]).collect(),
            times: rows.iter().map(|&row| self.times[row]).collect(),
            weights: rows.iter().map(|&row| self.weights[row]).collect(),
            context: self.context.iter().map(|of| of.at(&rows)).collect(),
        }
    }

    /// Each user's items, every one once and in rising order, with the sum of their weights; those
    /// of which the sum is 0 are left out.
    pub(crate) fn pairs(&self) -> Pairs {
        let mut pairs = Pairs::new(self.n_items);
        for user in 0..self.n_users() {
            let of = self.history(user).pairs();
            pairs.entries.extend(of);
            pairs.starts.push(pairs.entries.len());
        }
        pairs
    }
}

impl ContextColumn {
    /// Some of the rows, in this order.
    fn at(&self, rows: &[usize]) -> ContextColumn {
        ContextColumn {
            name: Arc::clone(&self.name),
            words: rows.iter().map(|&row| self.words[row].clone()).collect(),
        }
    }
}

impl History<'_> {
    /// Its items, every one once and in rising order, with the sum of their weights.
    pub(crate) fn pairs(&self) -> Vec<(u32, f32)> {
        let events = self.items.iter().copied().zip(self.weights.iter().copied());
        let mut events: Vec<(u32, f32)> = events.collect();
        events.sort_by_key(|&(item, _)| item);
        let mut pairs: Vec<(u32, f32)> = Vec::with_capacity(events.len());
        for (item, weight) in events {
            match pairs.last_mut() {
                Some((last, sum)) if *last == item => *sum += weight,
                _ => pairs.push((item, weight)),
            }
        }
        pairs.retain(|&(_, sum)| sum != 0.0);
        pairs
    }
}

/// A sparse matrix by line.
#[derive(Debug)]
pub(crate) struct Pairs {
    n_columns: usize,
    starts: Vec<usize>,
    entries: Vec<(u32, f32)>,
}

impl Pairs {
    fn new(n_columns: usize) -> Pairs {
        Pairs {
            n_columns,
            starts: vec![0],
            entries: Vec::new(),
        }
    }

    pub(crate) fn n_lines(&self) -> usize {
        self.starts.len() - 1
    }

    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    pub(crate) fn line(&self, line: usize) -> &[(u32, f32)] {
        &self.entries[self.starts[line]..self.starts[line + 1]]
    }

    /// Whether any entry is above 0.
    pub(crate) fn any_interest(&self) -> bool {
        self.entries.iter().any(|&(_, weight)| weight > 0.0)
    }

    /// Only what is above 0.
    pub(crate) fn interest(mut self) -> Pairs {
        let mut kept = Pairs::new(self.n_columns);
        for line in 0..self.n_lines() {
            let above = self.line(line).iter().filter(|(_, weight)| *weight > 0.0);
            kept.entries.extend(above);
            kept.starts.push(kept.entries.len());
        }
        std::mem::swap(&mut self, &mut kept);
        self
    }

    /// Lines become columns.
    pub(crate) fn transposed(&self) -> Pairs {
        let mut starts = vec![0; self.n_columns + 1];
        for &(column, _) in &self.entries {
            starts[column as usize + 1] += 1;
        }
        for column in 0..self.n_columns {
            starts[column + 1] += starts[column];
        }
        let (mut next, mut entries) = (starts.clone(), vec![(0, 0.0); self.entries.len()]);
        for line in 0..self.n_lines() {
            for &(column, weight) in self.line(line) {
                let place = &mut next[column as usize];
                entries[*place] = (line as u32, weight);
                *place += 1;
            }
        }
        Pairs {
            n_columns: self.n_lines(),
            starts,
            entries,
        }
    }
}

fn check(
    n_users: usize,
    n_items: usize,
    columns: &InteractionColumns<'_>,
) -> Result<(), InteractionsError> {
    let rows = columns.user.len();
    if [columns.item.len(), columns.time.len(), columns.weight.len()] != [rows; 3] {
        return Err(InteractionsError::Lengths {
            user: rows,
            item: columns.item.len(),
            time: columns.time.len(),
            weight: columns.weight.len(),
        });
    }
    for (what, numbers, count) in [
        ("user", columns.user, n_users),
        ("item", columns.item, n_items),
    ] {
        let outside = numbers.iter().position(|&number| number as usize >= count);
        if let Some(row) = outside {
            let found = numbers[row];
            return Err(InteractionsError::Unknown {
                what,
                row,
                found,
                count,
            });
        }
    }
    let empty = |weight: &f32| *weight == 0.0 || !weight.is_finite();
    match columns.weight.iter().position(empty) {
        Some(row) => Err(InteractionsError::Weight {
            row,
            found: columns.weight[row],
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(rows: &[(u32, u32, i64, f32)]) -> Result<Interactions, InteractionsError> {
        let time: Vec<Time> = rows.iter().map(|row| Time(row.2)).collect();
        let (user, item): (Vec<u32>, Vec<u32>) = rows.iter().map(|row| (row.0, row.1)).unzip();
        let weight: Vec<f32> = rows.iter().map(|row| row.3).collect();
        Interactions::new(
            3,
            4,
            &InteractionColumns {
                user: &user,
                item: &item,
                time: &time,
                weight: &weight,
            },
        )
    }

    #[test]
    fn rows_are_sorted_by_user_and_time() {
        let rows = [
            (1, 3, 9, 1.0),
            (0, 2, 5, 1.0),
            (1, 0, 2, 2.0),
            (1, 1, 9, 1.0),
        ];
        let found = columns(&rows).unwrap();
        assert_eq!(found.history(1).items, [0, 3, 1]);
        assert_eq!(found.times(1), [Time(2), Time(9), Time(9)]);
        assert_eq!(found.history(2).items, [0_u32; 0]);
        assert_eq!(found.without_last(1).history(1).items, [0, 3]);
        assert_eq!(found.without_last(5).len(), 0);
    }

    #[test]
    fn what_events_say_of_the_moment_goes_with_them() {
        let (user, item) = ([1, 0, 1], [3, 2, 0]);
        let columns = InteractionColumns {
            user: &user,
            item: &item,
            time: &[9, 5, 2].map(Time),
            weight: &[1.0; 3],
        };
        let column = |words: &[&str]| ContextColumn {
            name: "weather".into(),
            words: words.iter().map(|word| Some((*word).into())).collect(),
        };
        let given = [column(&["sun", "snow", "rain"])];
        let found = Interactions::in_context(2, 4, &columns, &given).unwrap();
        let rain_then_sun = [Some("rain".into()), Some("sun".into())];
        assert_eq!(found.said(1, "weather"), Some(&rain_then_sun[..]));
        assert_eq!(found.said(1, "device"), None);
        assert_eq!(found.said_at(0, 0), [("weather".into(), "snow".into())]);
        let before = found.before(Time(9));
        assert_eq!(before.said(1, "weather"), Some(&rain_then_sun[..1]));
        assert_eq!((before.len(), before.history(1).items), (2, &[0][..]));
        let short = Interactions::in_context(2, 4, &columns, &[column(&["sun"])]).unwrap_err();
        assert!(short.to_string().contains("`weather`"), "{short}");
    }

    #[test]
    fn pairs_add_up_and_turn() {
        let rows = [
            (0, 2, 1, 1.0),
            (0, 2, 2, 2.0),
            (0, 1, 3, 1.0),
            (2, 2, 1, 4.0),
        ];
        let gone = [(1, 0, 1, 1.0), (1, 0, 2, -1.0)];
        let pairs = columns(&[&rows[..], &gone].concat()).unwrap().pairs();
        assert_eq!(pairs.line(0), [(1, 1.0), (2, 3.0)]);
        assert!(pairs.line(1).is_empty());
        assert_eq!(pairs.transposed().line(2), [(0, 3.0), (2, 4.0)]);
    }

    #[test]
    fn what_names_nothing_is_refused() {
        let message = |rows: &[(u32, u32, i64, f32)]| columns(rows).unwrap_err().to_string();
        assert!(message(&[(3, 0, 1, 1.0)]).contains("user of row 0 is 3"));
        assert!(message(&[(0, 0, 1, 1.0), (0, 4, 1, 1.0)]).contains("item of row 1 is 4"));
        assert!(message(&[(0, 0, 1, 0.0)]).contains("weight of row 0"));
        assert!(message(&[(0, 0, 1, f32::NAN)]).contains("NaN"));
    }
}
