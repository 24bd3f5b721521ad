//! What the bandit of a list is told of a candidate: the first numbers of what is known of it, and,
//! where something may be said of the moment, each of them times each number of the moment. Its
//! model is linear and compares candidates of one moment, so a number that they share would change
//! nothing by itself. And what the bandit makes of that.

use acumen_base::Seed;
use acumen_decision::bandit::{Algorithm, Bandit};
use acumen_model::recommend::candidates::standardise;

/// How many numbers the bandit is told.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling {
    /// Numbers of the candidate: a constant, what each source says, novelty, and value.
    own: usize,
    /// Numbers of the moment, behind them.
    moment: usize,
    /// How many numbers are known of a candidate where a ranker learns as well.
    with_ranker: Option<usize>,
}

impl Telling {
    /// Of so many sources, and moments of so many numbers.
    pub(crate) fn new(sources: usize, moment: usize, with_ranker: Option<usize>) -> Telling {
        Telling {
            own: sources + 3,
            moment,
            with_ranker,
        }
    }

    /// How many of the first numbers of what is known of a candidate it goes by.
    fn reads(self) -> usize {
        self.own + self.moment
    }

    /// How many of so many numbers have to be kept for it: all of a list of another declaration,
    /// which is told by their count.
    pub(crate) fn keeps(self, known: usize) -> usize {
        match Some(known) == self.with_ranker {
            true => self.reads(),
            false => known,
        }
    }

    /// How many numbers the bandit sees.
    pub(crate) fn width(self) -> usize {
        self.own * (1 + self.moment)
    }

    /// What it is told, from all that is known of a candidate; of a list of another declaration
    /// fewer numbers than it sees.
    pub(crate) fn of(self, known: &[f32]) -> Vec<f32> {
        let own = &known[..self.own.min(known.len())];
        let read = self.reads();
        // A record says of which columns it is by its length alone.
        let is_of_these = known.len() == read || Some(known.len()) == self.with_ranker;
        if self.moment == 0 || !is_of_these {
            return own.to_vec();
        }
        let mut told = own.to_vec();
        for number in &known[self.own..read] {
            told.extend(own.iter().map(|value| number * value));
        }
        told
    }
}

/// What a bandit makes of candidates, standardised over them.
pub(super) struct Explored {
    /// What it expects of each, and what it adds to find out more.
    pub(super) scores: Vec<f32>,
    /// What it might expect, by draw, where lists are drawn.
    pub(super) drawn: Option<Vec<Vec<f32>>>,
}

impl Explored {
    pub(super) fn by(bandit: &Bandit, told: &[Vec<f32>], by: (Seed, &str)) -> Explored {
        let scores = bandit.scores(0, told.iter().map(Vec::as_slice)).into_iter();
        let mut scores: Vec<f32> = scores.map(|score| score.unwrap_or(0.0) as f32).collect();
        standardise(&mut scores);
        let drawn = match bandit.spec().algorithm {
            Algorithm::LinearThompson { scale, draws } => {
                bandit.drawn(0, told, (scale, draws), by).ok()
            }
            Algorithm::LinUcb { .. } | Algorithm::Greedy => None,
        };
        Explored {
            scores,
            drawn: drawn.map(|mut drawn| {
                drawn.iter_mut().for_each(|scores| standardise(scores));
                drawn
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_told_by_itself_and_times_the_moment() {
        let telling = Telling::new(0, 2, Some(7));
        assert_eq!(telling.width(), 9);
        let told = [1.0, 2.0, 3.0, 0.5, 1.0, 1.5, -1.0, -2.0, -3.0];
        assert_eq!(telling.of(&[1.0, 2.0, 3.0, 0.5, -1.0]), told);
        assert_eq!(telling.of(&[1.0, 2.0, 3.0, 0.5, -1.0, 9.0, 9.0]), told);
        // What stands behind the numbers of another declaration is something else.
        assert_eq!(telling.of(&[1.0, 2.0, 3.0, 0.5]), [1.0, 2.0, 3.0]);
        let without = Telling::new(0, 0, None);
        assert_eq!(without.of(&[1.0, 2.0, 3.0, 0.5]), [1.0, 2.0, 3.0]);
    }
}
