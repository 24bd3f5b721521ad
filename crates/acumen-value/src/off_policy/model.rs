//! The plainest model of rewards: the mean of each cell, drawn to the mean of all.

/// The mean reward of each cell, such as an action at a place.
#[derive(Clone, Debug, PartialEq)]
pub struct CellMeans(Vec<f64>);

/// Means of cells; `prior` rows of the mean of all are added to each, so that a cell of few rows
/// says little.
///
/// # Panics
/// If there are not as many cells as rewards, or a cell is not below `cells`.
pub fn cell_means(cell: &[usize], reward: &[f64], cells: usize, prior: f64) -> CellMeans {
    assert_eq!(cell.len(), reward.len(), "one cell a reward");
    let all = reward.iter().sum::<f64>() / reward.len().max(1) as f64;
    let mut sums = vec![(prior * all, prior); cells];
    for (cell, reward) in cell.iter().zip(reward) {
        sums[*cell].0 += reward;
        sums[*cell].1 += 1.0;
    }
    let mean = |(sum, count): (f64, f64)| if count > 0.0 { sum / count } else { all };
    CellMeans(sums.into_iter().map(mean).collect())
}

impl CellMeans {
    /// What it says of a cell.
    ///
    /// # Panics
    /// If there is no such cell.
    pub fn of(&self, cell: usize) -> f64 {
        self.0[cell]
    }

    /// What it says of a policy that takes each of some cells with a probability.
    pub fn expected(&self, policy: impl Iterator<Item = (usize, f64)>) -> f64 {
        policy
            .map(|(cell, probability)| probability * self.of(cell))
            .sum()
    }
}
