//! One score out of those of several sources.

/// The blended score of every candidate, and what each source has in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Blended {
    /// One score a candidate.
    pub scores: Vec<f32>,
    /// The weights that were used: they add up to 1, and a source that is missing has 0.
    pub weights: Vec<f32>,
}

/// The mean of standardised scores by weight. A source that was late is `None`, and the others
/// take over its weight in proportion; without any source, or any weight, all scores are 0.
///
/// # Panics
/// If there are not as many weights as sources, or sources differ in length.
pub fn blend(sources: &[Option<&[f32]>], weights: &[f32]) -> Blended {
    assert_eq!(sources.len(), weights.len(), "one weight a source");
    let here = |(source, weight): (&Option<&[f32]>, &f32)| match source {
        Some(_) => weight.max(0.0),
        None => 0.0,
    };
    let weights: Vec<f32> = sources.iter().zip(weights).map(here).collect();
    let sum: f32 = weights.iter().sum();
    let share = |weight: f32| if sum > 0.0 { weight / sum } else { 0.0 };
    let weights: Vec<f32> = weights.into_iter().map(share).collect();
    let candidates = sources.iter().flatten().map(|scores| scores.len()).max();
    let mut scores = vec![0.0; candidates.unwrap_or(0)];
    for (source, weight) in sources.iter().zip(&weights) {
        let Some(source) = source else { continue };
        assert_eq!(source.len(), scores.len(), "one score a candidate");
        for (sum, score) in scores.iter_mut().zip(*source) {
            *sum += weight * score;
        }
    }
    Blended { scores, weights }
}
