//! Which parameters of a model are searched for.

use acumen_base::Span;
use acumen_model::{Learner, Params, SearchSpec};

use crate::spec::{ModelDecl, TrainingDecl, UseCase};

/// How far ahead a learner looks, where it has to be told.
const HORIZON: &str = "horizon";

/// The search of a model: its own, or that of `training` as far as its learner has the parameters
/// and it does not give them itself. `None` where nothing is searched.
pub(crate) fn search_of(
    training: Option<&TrainingDecl>,
    model: &ModelDecl,
    learner: &dyn Learner,
) -> Option<SearchSpec> {
    let search = match &model.search {
        Some(own) => own.clone(),
        None => shared(training?.search.as_ref()?, model, learner)?,
    };
    (search.trials > 0).then_some(search)
}

/// The same with another number of trials: 0 is no search, and a model without one is searched as
/// its learner suggests.
pub(crate) fn with_trials(
    search: Option<SearchSpec>,
    trials: Option<usize>,
    model: &ModelDecl,
    learner: &dyn Learner,
) -> Option<SearchSpec> {
    let Some(trials) = trials else {
        return search;
    };
    let search = search.or_else(|| shared(&SearchSpec::default(), model, learner))?;
    (trials > 0).then_some(SearchSpec { trials, ..search })
}

/// A search that was declared for several models, as far as it concerns one.
fn shared(declared: &SearchSpec, model: &ModelDecl, learner: &dyn Learner) -> Option<SearchSpec> {
    let mut search = declared.clone();
    search.of.retain(|name, _| {
        parameter(learner, name)
            .is_some_and(|names| !model.params.keys().any(|k| names.contains(&k.as_str())))
    });
    let suggested = learner.searched().iter();
    let mut open = suggested.filter(|(name, _)| !model.params.contains_key(*name));
    let is_empty = match declared.of.is_empty() {
        true => open.next().is_none(),
        false => search.of.is_empty(),
    };
    (!is_empty).then_some(search)
}

/// The parameters of a model: of a sum over a time to come, what is not said of how far ahead to
/// look is that time, in days.
pub(crate) fn params_of(use_case: &UseCase, model: &ModelDecl, learner: &dyn Learner) -> Params {
    let mut params = model.params.clone();
    if let (Some(target), Some(names)) = (&use_case.target, parameter(learner, HORIZON))
        && names.iter().all(|name| !params.contains_key(*name))
    {
        let days = target.over.usual().0 as f64 / Span::days(1).0 as f64;
        params.insert(HORIZON.to_owned(), days.into());
    }
    params
}

/// Every name of a learner's parameter.
pub(crate) fn parameter(learner: &dyn Learner, name: &str) -> Option<Vec<&'static str>> {
    let names = |doc: &acumen_model::ParamDoc| [&[doc.name], doc.aliases].concat();
    let mut all = learner.params().iter().map(names);
    all.find(|names| names.contains(&name))
}
