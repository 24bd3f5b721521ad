//! From probability to score to action.

use crate::spec::ActionSpec;
use acumen_base::Problem;

/// A rising, piecewise linear map from probability to score.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Knots(Vec<(f64, f64)>);

impl Knots {
    /// Checks pairs of (probability, score): rising in the first, not falling in the second.
    pub(crate) fn new(knots: Vec<(f64, f64)>) -> Result<Knots, String> {
        let within = |(p, s): &(f64, f64)| (0.0..=1.0).contains(p) && (0.0..=100.0).contains(s);
        if knots.len() < 2 {
            return Err("the score needs at least two knots".to_owned());
        }
        if let Some((p, s)) = knots.iter().find(|knot| !within(knot)) {
            return Err(format!(
                "the knot ({p}, {s}) is not a probability 0–1 and a score 0–100"
            ));
        }
        for pair in knots.windows(2) {
            if pair[1].0 <= pair[0].0 || pair[1].1 < pair[0].1 {
                return Err(format!(
                    "the knots ({}, {}) and ({}, {}) do not rise",
                    pair[0].0, pair[0].1, pair[1].0, pair[1].1
                ));
            }
        }
        Ok(Knots(knots))
    }

    /// The pairs of (probability, score).
    pub(crate) fn pairs(&self) -> &[(f64, f64)] {
        &self.0
    }

    /// The score of a probability, 0–100, rounded to a whole number: what people see is what is
    /// banded. Beyond the outer knots it stays at their scores.
    pub(crate) fn score(&self, probability: f64) -> f64 {
        self.exact(probability).round()
    }

    fn exact(&self, probability: f64) -> f64 {
        let after = self.0.partition_point(|(p, _)| *p < probability);
        if after == 0 {
            return self.0[0].1;
        }
        let Some((p1, s1)) = self.0.get(after) else {
            return self.0[self.0.len() - 1].1;
        };
        let (p0, s0) = self.0[after - 1];
        s0 + (s1 - s0) * ((probability - p0) / (p1 - p0))
    }
}

/// Which action each whole score 0–100 maps to. Actions are numbered by severity: 0 is mildest.
#[derive(Clone, Debug)]
pub(crate) struct Bands {
    actions: Vec<ActionSpec>,
    of_score: [u8; 101],
}

impl Bands {
    /// Checks that every whole score lies in exactly one band.
    pub(crate) fn new(declared: &[ActionSpec]) -> Result<Bands, Vec<Problem>> {
        let mut problems: Vec<Problem> = declared.iter().filter_map(malformed).collect();
        if declared.is_empty() || declared.len() > 101 {
            let help = "declare between 1 and 101 actions, such as `approve: [0, 30]`";
            problems.push(Problem::new(
                "actions",
                "there is no valid set of actions",
                help,
            ));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let mut actions = declared.to_vec();
        actions.sort_by(|a, b| a.from.total_cmp(&b.from));
        let mut of_score = [0_u8; 101];
        let mut gaps: Vec<usize> = Vec::new();
        for (score, slot) in of_score.iter_mut().enumerate() {
            let holds = |a: &ActionSpec| (a.from..=a.to).contains(&(score as f64));
            let mut holding = (0..actions.len()).filter(|i| holds(&actions[*i]));
            match (holding.next(), holding.next()) {
                (None, _) => gaps.push(score),
                (Some(one), None) => *slot = one as u8,
                (Some(one), Some(two)) => {
                    problems.push(overlap(score, &actions[one], &actions[two]));
                }
            }
        }
        problems.dedup_by(|b, a| a.key == b.key);
        problems.extend(gap(&gaps));
        if problems.is_empty() {
            Ok(Bands { actions, of_score })
        } else {
            Err(problems)
        }
    }

    /// The actions, mildest first.
    pub(crate) fn actions(&self) -> &[ActionSpec] {
        &self.actions
    }

    /// How severe an action is: its place among them.
    pub(crate) fn severity(&self, action: &str) -> Option<usize> {
        self.actions.iter().position(|a| a.name == action)
    }

    /// The action of a whole score.
    pub(crate) fn action_of(&self, score: f64) -> usize {
        usize::from(self.of_score[score.clamp(0.0, 100.0) as usize])
    }
}

fn malformed(action: &ActionSpec) -> Option<Problem> {
    let whole = |x: f64| x.fract() == 0.0 && (0.0..=100.0).contains(&x);
    if whole(action.from) && whole(action.to) && action.from <= action.to {
        return None;
    }
    Some(Problem::new(
        format!("actions.{}", action.name),
        format!(
            "[{}, {}] is not a band of the score",
            action.from, action.to
        ),
        "a band is two rising whole numbers from 0 to 100, such as `[31, 70]`",
    ))
}

fn overlap(score: usize, one: &ActionSpec, two: &ActionSpec) -> Problem {
    Problem::new(
        format!("actions.{}", two.name),
        format!(
            "the score {score} lies in `{}` and in `{}`",
            one.name, two.name
        ),
        "both ends of a band belong to it: let the next one start one higher",
    )
}

fn gap(gaps: &[usize]) -> Option<Problem> {
    let (first, last) = (gaps.first()?, gaps.last()?);
    let scores: Vec<String> = gaps.iter().map(ToString::to_string).collect();
    let named = if gaps.len() > 3 && last - first + 1 == gaps.len() {
        format!("the scores {first} to {last} map")
    } else {
        format!("the scores {} map", scores.join(", "))
    };
    Some(Problem::new(
        "actions",
        format!("{named} to no action"),
        "every whole score from 0 to 100 belongs to exactly one band",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(name: &str, from: f64, to: f64) -> ActionSpec {
        ActionSpec {
            name: name.into(),
            from,
            to,
        }
    }

    fn four() -> Vec<ActionSpec> {
        vec![
            action("block", 86.0, 100.0),
            action("approve", 0.0, 30.0),
            action("verify", 31.0, 70.0),
            action("step_up", 71.0, 85.0),
        ]
    }

    #[test]
    fn scores_are_rounded_before_they_are_banded() {
        let bands = Bands::new(&four()).unwrap();
        let knots = Knots::new(crate::spec::linear_knots()).unwrap();
        for (probability, action) in [
            (0.0, "approve"),
            (0.304, "approve"),
            (0.305, "verify"),
            (0.31, "verify"),
            (0.704, "verify"),
            (0.706, "step_up"),
            (0.854, "step_up"),
            (0.856, "block"),
            (1.0, "block"),
        ] {
            let found = bands.action_of(knots.score(probability));
            assert_eq!(bands.actions()[found].name, action, "{probability}");
        }
        assert_eq!(bands.severity("approve"), Some(0));
        assert_eq!(bands.severity("block"), Some(3));
    }

    #[test]
    fn gaps_and_overlaps_are_named() {
        let mut actions = four();
        actions[1].to = 31.0;
        actions.remove(3);
        let problems = Bands::new(&actions).unwrap_err();
        assert_eq!(problems.len(), 2);
        assert_eq!(
            problems[0].message,
            "the score 31 lies in `approve` and in `verify`"
        );
        assert_eq!(problems[1].message, "the scores 71 to 85 map to no action");
        let odd = Bands::new(&[action("all", 0.0, 100.5)]).unwrap_err();
        assert!(odd[0].message.contains("[0, 100.5]"));
        assert!(Bands::new(&[action("all", f64::NAN, 100.0)]).is_err());
        assert!(Bands::new(&[]).is_err());
    }

    #[test]
    fn knots_interpolate_and_must_rise() {
        let knots = Knots::new(vec![(0.1, 0.0), (0.2, 50.0), (0.6, 100.0)]).unwrap();
        for (probability, score) in [
            (0.0, 0.0),
            (0.15, 25.0),
            (0.2, 50.0),
            (0.4, 75.0),
            (0.9, 100.0),
        ] {
            assert_eq!(knots.score(probability), score, "{probability}");
        }
        for bad in [
            vec![(0.0, 0.0)],
            vec![(0.0, 0.0), (0.0, 100.0)],
            vec![(0.0, 50.0), (1.0, 40.0)],
            vec![(0.0, 0.0), (1.0, 101.0)],
            vec![(f64::NAN, 0.0), (1.0, 100.0)],
        ] {
            assert!(Knots::new(bad).is_err());
        }
    }
}
