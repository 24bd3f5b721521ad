//! Which candidates stand at the places of a list by chance, and how likely that is.

use acumen_base::Seed;
use acumen_decision::bandit::explore_slate;
use acumen_decision::ranking::Ranking;

/// Who says which candidate comes next, where lists are drawn.
pub(super) enum Next<'a> {
    /// Chance.
    Drawn,
    /// A list that was shown.
    Shown(&'a [&'a str]),
}

/// A place that is shown.
pub(super) struct Shown {
    /// Its place in the ranking.
    pub(super) at: usize,
    pub(super) propensity: f64,
    /// Whether chance put it there.
    pub(super) explored: bool,
}

/// The places that are shown of a ranking and by chance.
pub(super) fn shown(ranking: &Ranking, n: usize, epsilon: f64, by: (Seed, &str)) -> Vec<Shown> {
    let order: Vec<u32> = (0..ranking.list.len() as u32).collect();
    let shown = explore_slate(&order, n, epsilon, by)
        .into_iter()
        .enumerate();
    let shown = shown.map(|(place, shown)| Shown {
        at: shown.candidate as usize,
        propensity: shown.propensity,
        explored: shown.candidate as usize != place,
    });
    shown.collect()
}

/// The places of a list that was drawn; chance put there what was not the likeliest.
pub(super) fn as_drawn(drawn: Vec<(f64, bool)>) -> Vec<Shown> {
    let shown = drawn.into_iter().enumerate();
    let shown = shown.map(|(at, (propensity, likeliest))| Shown {
        at,
        propensity,
        explored: !likeliest,
    });
    shown.collect()
}

/// The probability with which an order and chance put an item next, and whether it is the first; it
/// is taken out.
pub(super) fn chance(order: &mut Vec<&str>, item: &str, epsilon: f64) -> (f64, bool) {
    let left = order.len();
    let Some(at) = order.iter().position(|id| *id == item) else {
        return (0.0, false);
    };
    order.remove(at);
    let best = if at == 0 { 1.0 - epsilon } else { 0.0 };
    (best + epsilon / left as f64, at == 0)
}
