//! Lists that were shown, and what came of them: rows in groups.

use std::ops::Range;

use acumen_base::Time;

use crate::data::Matrix;

/// Lists that were shown, and what came of their items.
#[derive(Clone, Debug)]
pub struct ShownLists {
    /// What was known of each item when the list was made, list by list, in the order shown.
    pub rows: Matrix,
    /// When each list was shown.
    pub time: Vec<Time>,
    /// At which row each list begins, and behind the last how many rows there are.
    pub starts: Vec<usize>,
    /// The place of each row in its list, from 0.
    pub place: Vec<u32>,
    /// What came of each row, 0 or above.
    pub reward: Vec<f32>,
}

impl ShownLists {
    /// How many lists.
    pub fn len(&self) -> usize {
        self.time.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// The rows of one list.
    pub fn list(&self, at: usize) -> Range<usize> {
        self.starts[at]..self.starts[at + 1]
    }

    /// The rows of each list.
    pub fn ranges(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        self.starts.windows(2).map(|ends| ends[0]..ends[1])
    }

    /// Whether a list tells one item from another: something came of one and not as much of all.
    pub fn tells(&self, at: usize) -> bool {
        let rewards = &self.reward[self.list(at)];
        rewards.iter().any(|reward| *reward != rewards[0])
    }

    /// How many lists tell one item from another.
    pub fn telling(&self) -> usize {
        (0..self.len()).filter(|at| self.tells(*at)).count()
    }

    /// Some of the lists, in the order given.
    ///
    /// # Panics
    /// If there is no such list.
    pub fn select(&self, lists: &[usize]) -> ShownLists {
        let kept: Vec<usize> = lists.iter().flat_map(|at| self.list(*at)).collect();
        let mut starts = vec![0];
        for at in lists {
            starts.push(starts[starts.len() - 1] + self.list(*at).len());
        }
        let pick = |values: &Vec<f32>| kept.iter().map(|row| values[*row]).collect::<Vec<f32>>();
        ShownLists {
            rows: Matrix {
                columns: self.rows.columns.clone(),
                n_rows: kept.len(),
                data: self.rows.data.iter().map(pick).collect(),
            },
            time: lists.iter().map(|at| self.time[*at]).collect(),
            starts,
            place: kept.iter().map(|row| self.place[*row]).collect(),
            reward: pick(&self.reward),
        }
    }
}
