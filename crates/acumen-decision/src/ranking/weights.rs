//! The weights of a blend, fitted again to what was taken lately.

use serde::{Deserialize, Serialize};

/// One past request: what the sources said, and which candidate was taken.
#[derive(Clone, Debug)]
pub struct Judged {
    /// For each candidate that was not taken, what each source said less what it said of the one
    /// that was: candidates by line, sources by column.
    ahead: Vec<f32>,
}

/// Between what a weight may lie.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// The least.
    pub least: f32,
    /// The most.
    pub most: f32,
}

/// Weights, and how good they are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Refitted {
    /// The weights, each within its bounds; they need not add up to 1.
    pub weights: Vec<f32>,
    /// The normalised discounted cumulative gain at 10 of the weights before.
    pub before: f64,
    /// The same of the new ones; not less where those before were within the bounds.
    pub after: f64,
}

/// Places of a list that count.
const PLACES: f64 = 10.0;
/// By how much a weight is changed at first, and how often that is halved.
const FIRST_STEP: f32 = 0.1;
const HALVINGS: usize = 4;
/// A gain so small is chance.
const GAIN_LEAST: f64 = 1e-6;

impl Judged {
    /// From the standardised scores of each source, and the candidate that was taken.
    ///
    /// # Panics
    /// If a source has no score of the one that was taken.
    pub fn new(sources: &[Vec<f32>], taken: usize) -> Judged {
        let candidates = sources.first().map_or(0, Vec::len);
        let line = |at: usize| sources.iter().map(move |source| source[at] - source[taken]);
        let mut others: Vec<usize> = (0..candidates).filter(|&at| at != taken).collect();
        // Those that are ahead by most sources come first, so that a miss is soon seen.
        let sum = |at: usize| line(at).sum::<f32>();
        others.sort_by(|a, b| sum(*b).total_cmp(&sum(*a)));
        Judged {
            ahead: others.into_iter().flat_map(line).collect(),
        }
    }

    /// The gain of the one that was taken, under some weights.
    fn gain(&self, weights: &[f32]) -> f64 {
        let mut place = 0.0;
        for line in self.ahead.chunks_exact(weights.len()) {
            let ahead: f32 = line.iter().zip(weights).map(|(a, w)| a * w).sum();
            if ahead > 0.0 {
                place += 1.0;
            } else if ahead == 0.0 {
                place += 0.5;
            }
            if place >= PLACES {
                return 0.0;
            }
        }
        1.0 / (place + 2.0_f64).log2()
    }
}

/// Weights of the largest gain on past requests, by coordinate ascent (Metzler and Croft 2007):
/// one weight after the other is moved to a bound, up or down, while that helps, in ever smaller
/// steps. Those that it starts from are kept where nothing within the bounds is better.
///
/// # Panics
/// If there are not as many bounds as weights.
pub fn refit(requests: &[Judged], start: &[f32], bounds: &[Bounds]) -> Refitted {
    assert_eq!(start.len(), bounds.len(), "one pair of bounds a weight");
    let gain = |weights: &[f32]| {
        let sum: f64 = requests.iter().map(|request| request.gain(weights)).sum();
        sum / requests.len().max(1) as f64
    };
    let held = |weight: f32, bounds: &Bounds| weight.clamp(bounds.least, bounds.most);
    let starting = start.iter().zip(bounds).map(|(w, b)| held(*w, b));
    let mut weights: Vec<f32> = starting.collect();
    let before = gain(start);
    let mut best = gain(&weights);
    let mut step = FIRST_STEP;
    for _ in 0..=HALVINGS {
        loop {
            let found = best;
            for at in 0..weights.len() {
                let Bounds { least, most } = bounds[at];
                for to in [least, most, weights[at] + step, weights[at] - step] {
                    let was = weights[at];
                    weights[at] = held(to, &bounds[at]);
                    if weights[at] == was {
                        continue;
                    }
                    let now = gain(&weights);
                    if now > best + GAIN_LEAST {
                        best = now;
                    } else {
                        weights[at] = was;
                    }
                }
            }
            if best <= found {
                break;
            }
        }
        step /= 2.0;
    }
    Refitted {
        weights,
        before,
        after: best,
    }
}
