//! Several ensembles of one use case, of which a bandit chooses one for every list.
//!
//! ```yaml
//! ensembles:
//!   steady: {}                                    # as `ensemble` and `objectives` say
//!   fresh: {weights: {sequences: 0.5}, objectives: {novelty: 0.4}}
//! choose: {policy: linear_thompson, epsilon: 5%}
//! ```

use acumen_decision::bandit::{Algorithm, BanditSpec};
use acumen_decision::ranking::Objectives;

use super::decl::RankingDecl;
use super::read::objectives;
use crate::spec::tree::Node;
use crate::spec::walk::{Group, Walk};

/// Ensembles that make sense to choose among: each learns by itself, from its own lists.
const ENSEMBLES_MAX: usize = 16;
/// How often models are drawn for one choice, unless declared, and at most. A probability is a share
/// of the draws: with 100 it is off by 0.05 or less (one standard deviation) from that of infinitely
/// many.
const DRAWS: usize = 100;
const DRAWS_MAX: usize = 10_000;

/// How an ensemble differs from what the use case declares.
#[derive(Clone, Debug, PartialEq)]
pub struct EnsembleOfMany {
    /// Its name.
    pub name: String,
    /// What groups weigh that do not weigh what they are declared with.
    pub weights: Vec<(String, f64)>,
    /// What its lists are made for.
    pub objectives: Objectives,
}

/// How an ensemble is chosen unless declared.
pub(crate) const CHOOSE: BanditSpec = BanditSpec {
    algorithm: Algorithm::LinearThompson {
        scale: 0.5,
        draws: DRAWS,
    },
    epsilon: 0.05,
    ridge: 1.0,
};

impl RankingDecl {
    /// The ensembles of which one makes a list; `None` stands for what is declared where there is
    /// nothing to choose.
    pub(crate) fn each_ensemble(&self) -> Vec<Option<usize>> {
        match self.ensembles.len() {
            0 => vec![None],
            count => (0..count).map(Some).collect(),
        }
    }

    /// What the lists of an ensemble are made for.
    pub(crate) fn objectives_of(&self, ensemble: Option<usize>) -> Objectives {
        ensemble.map_or(self.objectives, |at| self.ensembles[at].objectives)
    }

    /// What a source weighs in an ensemble: its share of the weight that the ensemble gives its
    /// group, scaled as `fitted` is from what is declared. Without a weight of its own, `fitted`.
    pub(crate) fn weight_in(&self, ensemble: Option<usize>, source: &str, fitted: f64) -> f64 {
        let group = self
            .groups
            .iter()
            .find(|group| group.run.iter().any(|run| run == source));
        let Some((at, group)) = ensemble.zip(group) else {
            return fitted;
        };
        let mut weights = self.ensembles[at].weights.iter();
        match weights.find(|(name, _)| *name == group.name) {
            None => fitted,
            Some((_, weight)) if group.weight > 0.0 => fitted * weight / group.weight,
            Some((_, weight)) => weight / group.run.len() as f64,
        }
    }
}

/// Reads `ensembles` and `choose`.
pub(super) fn read(walk: &mut Walk, group: &mut Group<'_>, ranking: &mut RankingDecl) {
    let (ensembles, choose) = (group.get("ensembles"), group.get("choose"));
    if let Some(node) = ensembles {
        ranking.ensembles = self::ensembles(walk, node, ranking);
    }
    let Some(node) = choose else { return };
    if ensembles.is_none() {
        let message = "`choose` changes nothing: there is nothing to choose among";
        let help = "leave it out, or declare `ensembles`";
        walk.problem(node, "changes_nothing", message, help);
    }
    ranking.choose = self::choose(walk, node).unwrap_or(CHOOSE);
}

fn ensembles(walk: &mut Walk, node: &Node, ranking: &RankingDecl) -> Vec<EnsembleOfMany> {
    let read = walk.each(node, |walk, key, value| {
        let mut group = walk.group(value, format!("ensemble `{}`", key.text))?;
        let (weights, changed) = (group.get("weights"), group.get("objectives"));
        group.finish(walk);
        let weights = weights.map_or_else(Vec::new, |node| group_weights(walk, node, ranking));
        let changed = changed.and_then(|node| objectives(walk, node, ranking.objectives));
        Some(EnsembleOfMany {
            name: key.text.clone(),
            weights,
            objectives: changed.unwrap_or(ranking.objectives),
        })
    });
    if read.len() > ENSEMBLES_MAX {
        let message = format!("there are {} ensembles", read.len());
        let help = format!("declare up to {ENSEMBLES_MAX}: each learns from its own lists alone");
        walk.problem(node, "too_many", message, help);
    }
    read
}

/// `{sequences: 0.5}`: what groups weigh.
fn group_weights(walk: &mut Walk, node: &Node, ranking: &RankingDecl) -> Vec<(String, f64)> {
    let weights = walk.each(node, |walk, key, value| {
        if !ranking.groups.iter().any(|group| group.name == key.text) {
            let names = ranking.groups.iter().map(|group| group.name.as_str());
            walk.unknown(value, "group", &key.text, names);
            return None;
        }
        let weight = walk.number(value)?;
        if weight < 0.0 {
            walk.wrong_type(value, "a weight of 0 or more");
        }
        Some((key.text.clone(), weight))
    });
    let given = |name: &str| weights.iter().find(|(known, _)| known == name);
    let weight = |name: &str, declared: f64| given(name).map_or(declared, |(_, weight)| *weight);
    let mut groups = ranking.groups.iter();
    if !ranking.groups.is_empty() && groups.all(|of| weight(&of.name, of.weight) <= 0.0) {
        let message = "no group has a weight above 0 in this ensemble";
        walk.problem(node, "bad_weights", message, "give one group a weight");
    }
    weights
}

/// `{policy: linear_thompson, scale: 0.5, draws: 100, epsilon: 5%, ridge: 1}`.
fn choose(walk: &mut Walk, node: &Node) -> Option<BanditSpec> {
    let mut group = walk.group(node, "`choose`")?;
    let names = ["policy", "alpha", "scale", "draws", "epsilon", "ridge"];
    let [policy, alpha, scale, draws, epsilon, ridge] = names.map(|name| group.get(name));
    group.finish(walk);
    let number = |walk: &mut Walk, node: Option<&Node>, usual: f64, above_0: bool| {
        let wanted = match above_0 {
            true => "a number above 0",
            false => "a number of 0 or more",
        };
        let Some((node, value)) = node.and_then(|node| Some((node, walk.number(node)?))) else {
            return usual;
        };
        if value < 0.0 || (above_0 && value == 0.0) {
            walk.wrong_type(node, wanted);
        }
        value
    };
    let alpha = number(walk, alpha, 0.5, false);
    let scale = number(walk, scale, 0.5, false);
    let ridge = number(walk, ridge, CHOOSE.ridge, true);
    let wanted = "how often models are drawn for a choice, from 1 to 10000";
    let drawn = draws.and_then(|node| walk.parsed(node, wanted));
    if let (Some(count), Some(node)) = (drawn, draws)
        && !(1..=DRAWS_MAX).contains(&count)
    {
        walk.wrong_type(node, wanted);
    }
    let draws = drawn.unwrap_or(DRAWS);
    let policies = [
        (
            "linear_thompson",
            Algorithm::LinearThompson { scale, draws },
        ),
        ("lin_ucb", Algorithm::LinUcb { alpha }),
        ("greedy", Algorithm::Greedy),
    ];
    Some(BanditSpec {
        algorithm: policy
            .and_then(|node| walk.word(node, "policy", &policies))
            .unwrap_or(policies[0].1),
        epsilon: epsilon
            .and_then(|node| walk.share(node))
            .unwrap_or(CHOOSE.epsilon),
        ridge,
    })
}
