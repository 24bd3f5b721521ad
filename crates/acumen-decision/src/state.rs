//! What governs decisions and changes while the program runs: lists, rule modes, knots, members.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use acumen_base::control::CHALLENGER;
use acumen_base::decision::RuleMode;
use acumen_base::{Columns, Control, ENSEMBLE, Key, Member, Time};

use crate::bands::Knots;
use acumen_base::problem::did_you_mean;

/// The ids of one list by their keys.
type Ids = HashMap<Key, Listed>;

/// A deployed ensemble with its columns, one a member.
#[derive(Clone)]
pub(crate) struct Combiner {
    pub(crate) member: Arc<dyn Member>,
    pub(crate) columns: Arc<Columns>,
}

/// Whether a member is the challenger of the ensemble.
pub(crate) fn challenges_the_ensemble(name: &str) -> bool {
    name.strip_suffix(CHALLENGER) == Some(ENSEMBLE)
}

/// An id on a list.
#[derive(Clone)]
pub(crate) struct Listed {
    id: Arc<str>,
    /// It is on the list for events before this time.
    until: Option<Time>,
}

/// What governs decisions at one control position.
///
/// A clone is cheap and keeps what it was: clone it, apply the control, publish the result, and
/// decisions that are under way finish with what they started with. A list is copied on its
/// first edit after a clone; without one (while a log is replayed) edits are in place.
#[derive(Clone)]
pub struct State {
    pub(crate) use_case: Arc<str>,
    pub(crate) list_names: Arc<[String]>,
    pub(crate) lists: Vec<Arc<Ids>>,
    pub(crate) rule_names: Arc<[String]>,
    pub(crate) modes: Arc<[RuleMode]>,
    pub(crate) knots: Arc<Knots>,
    pub(crate) members: Arc<BTreeMap<String, Arc<dyn Member>>>,
    pub(crate) ensemble: Option<Combiner>,
    /// The one that answers beside it.
    pub(crate) ensemble_challenger: Option<Combiner>,
    pub(crate) control: u64,
}

/// Why an edit was refused; the state is then as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The use case has no such rule.
    #[error("`{use_case}` has no rule `{rule}`: {help}")]
    UnknownRule {
        /// The use case.
        use_case: String,
        /// The rule that was named.
        rule: String,
        /// The nearest valid name.
        help: String,
    },
    /// The knots do not map probabilities to scores.
    #[error("the thresholds of `{use_case}` were not changed: {message}")]
    BadKnots {
        /// The use case.
        use_case: String,
        /// What is wrong with them.
        message: String,
    },
}

impl State {
    /// Applies the control record at a log position. One that names another use case, or a list
    /// that this one does not declare, only moves the position. A deployment names a version:
    /// the caller loads it and hands it to [`State::deploy`].
    pub fn apply(&mut self, position: u64, control: &Control) -> Result<(), ControlError> {
        match control {
            Control::ListAdd { list, ids, until } => self.edit(list, |held| {
                let listed = |id: &String| Listed {
                    id: id.as_str().into(),
                    until: *until,
                };
                held.extend(ids.iter().map(|id| (Key::of(id), listed(id))));
            }),
            Control::ListRemove { list, ids } => self.edit(list, |held| {
                for id in ids {
                    held.remove(&Key::of(id));
                }
            }),
            Control::Rule {
                use_case,
                rule,
                mode,
            } if **use_case == *self.use_case => self.switch(rule, *mode)?,
            Control::Thresholds { use_case, knots } if **use_case == *self.use_case => {
                let checked = Knots::new(knots.clone());
                self.knots = Arc::new(checked.map_err(|message| ControlError::BadKnots {
                    use_case: use_case.clone(),
                    message,
                })?);
            }
            Control::Withdraw { use_case, member } if **use_case == *self.use_case => {
                match challenges_the_ensemble(member) {
                    true => self.ensemble_challenger = None,
                    false => drop(Arc::make_mut(&mut self.members).remove(member)),
                }
            }
            Control::Rule { .. }
            | Control::Thresholds { .. }
            | Control::Weights { .. }
            | Control::Deploy { .. }
            | Control::Withdraw { .. }
            | Control::Update(_)
            | Control::Source(_) => {}
        }
        self.control = position;
        Ok(())
    }

    /// Lets a member answer under its name from this control position on.
    pub fn deploy(&mut self, position: u64, member: Arc<dyn Member>) {
        self.control = position;
        let (votes, beside) = (
            member.name() == ENSEMBLE,
            challenges_the_ensemble(member.name()),
        );
        if votes || beside {
            let columns = Arc::new(member.columns().clone());
            let place = match votes {
                true => &mut self.ensemble,
                false => &mut self.ensemble_challenger,
            };
            *place = Some(Combiner { member, columns });
            return;
        }
        let mut members = (*self.members).clone();
        members.insert(member.name().to_owned(), member);
        self.members = Arc::new(members);
    }

    /// The log position of the last control record applied; 0 before the first.
    pub fn control(&self) -> u64 {
        self.control
    }

    /// The thresholds in force: pairs of (probability, score), with straight lines between them.
    pub fn knots(&self) -> &[(f64, f64)] {
        self.knots.pairs()
    }

    /// The deployed member of a name.
    pub fn member(&self, name: &str) -> Option<&Arc<dyn Member>> {
        self.members.get(name)
    }

    /// The deployed members by name, the ensemble and its challenger last.
    pub fn members(&self) -> impl Iterator<Item = &Arc<dyn Member>> {
        let ensembles = self.ensemble.iter().chain(&self.ensemble_challenger);
        self.members
            .values()
            .chain(ensembles.map(|combiner| &combiner.member))
    }

    /// The deployed ensemble.
    pub fn ensemble(&self) -> Option<&Arc<dyn Member>> {
        self.ensemble.as_ref().map(|combiner| &combiner.member)
    }

    /// The deployed challenger of the ensemble.
    pub fn ensemble_challenger(&self) -> Option<&Arc<dyn Member>> {
        let challenger = self.ensemble_challenger.as_ref();
        challenger.map(|combiner| &combiner.member)
    }

    /// The ids on a list in alphabetical order; `None` where no such list is declared.
    pub fn list(&self, name: &str) -> Option<Vec<&str>> {
        let listed = self.listed(name)?;
        Some(listed.into_iter().map(|(id, _)| id).collect())
    }

    /// The same, each with the time from which on events do not find it any more.
    pub fn listed(&self, name: &str) -> Option<Vec<(&str, Option<Time>)>> {
        let held = &self.lists[self.list_position(name)?];
        let mut ids: Vec<_> = held.values().map(|one| (&*one.id, one.until)).collect();
        ids.sort_unstable();
        Some(ids)
    }

    /// Whether a list holds an id for an event of a time.
    pub fn list_holds(&self, name: &str, id: &str, at: Time) -> bool {
        self.list_position(name)
            .is_some_and(|list| self.holds(list, id, at))
    }

    /// The mode of a rule; `None` where no such rule is declared.
    pub fn rule_mode(&self, rule: &str) -> Option<RuleMode> {
        let position = self.rule_names.iter().position(|id| id == rule)?;
        Some(self.modes[position])
    }

    pub(crate) fn holds(&self, list: usize, id: &str, at: Time) -> bool {
        let listed = self.lists.get(list).and_then(|held| held.get(&Key::of(id)));
        listed.is_some_and(|listed| listed.until.is_none_or(|until| at < until))
    }

    fn list_position(&self, name: &str) -> Option<usize> {
        self.list_names.iter().position(|list| list == name)
    }

    fn edit(&mut self, list: &str, edit: impl FnOnce(&mut Ids)) {
        if let Some(position) = self.list_position(list) {
            edit(Arc::make_mut(&mut self.lists[position]));
        }
    }

    fn switch(&mut self, rule: &str, mode: RuleMode) -> Result<(), ControlError> {
        let Some(position) = self.rule_names.iter().position(|id| id == rule) else {
            return Err(ControlError::UnknownRule {
                use_case: self.use_case.to_string(),
                rule: rule.to_owned(),
                help: did_you_mean(rule, self.rule_names.iter().map(String::as_str)),
            });
        };
        let mut modes = self.modes.to_vec();
        modes[position] = mode;
        self.modes = modes.into();
        Ok(())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let members: Vec<(&str, &str)> = self
            .members
            .values()
            .map(|member| (member.name(), member.version()))
            .collect();
        f.debug_struct("State")
            .field("use_case", &self.use_case)
            .field("control", &self.control)
            .field("members", &members)
            .finish_non_exhaustive()
    }
}
