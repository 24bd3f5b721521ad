//! Keys asked about as they are now.

use std::sync::Arc;

use acumen_base::limits::KEYS_PER_REQUEST_MAX;
use acumen_base::{Row, Time};

use super::Engine;
use crate::core::Core;
use crate::origins::Each;
use crate::refusal::Refusal;
use crate::scoring::{LiveModel, Ticket, ValueAnswer};

/// Rows that are read between two events: more would keep decisions waiting.
const READ_AT_ONCE: usize = 50;

/// What was found of one key.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The answer, or why there is none.
    pub answer: Result<Arc<ValueAnswer>, Refusal>,
    /// Whether it had been kept from an earlier request.
    pub cached: bool,
}

/// The row of a key, and what its answer is kept by.
type Read = Result<(Row, Option<Ticket>), Refusal>;

/// The rows of some keys, and the model that is live there: its name and version.
type ReadAll = (Vec<Read>, Option<(String, String)>);

impl Engine {
    /// What is expected of some keys, each answered by itself: one that is unknown keeps no other
    /// from its answer.
    ///
    /// # Errors
    /// Where there is no such use case, it decides on events, too many keys are asked about, or no
    /// model is live.
    pub fn values(&self, use_case: &str, ids: &[Arc<str>]) -> Result<Vec<Asked>, Refusal> {
        let unknown = || Refusal::unknown("use case", use_case, self.plan.names());
        let position = self.plan.position(use_case).ok_or_else(unknown)?;
        let plan = &self.plan.use_cases[position];
        let each = Each::of(plan)?;
        if ids.len() > KEYS_PER_REQUEST_MAX {
            return Err(Refusal::Invalid(format!(
                "a request may name {KEYS_PER_REQUEST_MAX} keys, not {}: send it in parts",
                ids.len()
            )));
        }
        let now = self.clock.now();
        let cache = self.caches.get(position).and_then(Option::as_ref);
        let kept = |id: &Arc<str>| cache.and_then(|cache| cache.get(id, now));
        let mut asked: Vec<Option<Asked>> = ids
            .iter()
            .map(|id| {
                let answer = Ok(kept(id)?);
                let cached = true;
                Some(Asked { answer, cached })
            })
            .collect();
        let open: Vec<usize> = (0..ids.len()).filter(|&i| asked[i].is_none()).collect();
        self.metrics
            .cached(use_case, ids.len() - open.len(), open.len());
        for part in open.chunks(READ_AT_ONCE) {
            let wanted: Vec<Arc<str>> = part.iter().map(|&i| Arc::clone(&ids[i])).collect();
            let (reads, live) = self.read(position, wanted.clone(), now)?;
            let live = self.live_model(position, live)?;
            let (mut rows, mut tickets) = (Vec::new(), Vec::new());
            for ((&i, id), read) in part.iter().zip(&wanted).zip(reads) {
                match read {
                    Ok((row, ticket)) if each.belongs(&row.values) => {
                        rows.push((Arc::clone(id), row));
                        tickets.push((i, ticket));
                    }
                    Ok(_) => {
                        let what = format!("`{id}` is {}", each.not_of_the_base());
                        asked[i] = Some(Asked::refused(Refusal::NotFound { what }));
                    }
                    Err(refusal) => asked[i] = Some(Asked::refused(refusal)),
                }
            }
            for ((i, ticket), answer) in tickets.into_iter().zip(live.answers(rows)) {
                let answer = Arc::new(answer);
                if let (Some(cache), Some(ticket)) = (cache, ticket) {
                    cache.keep(ticket, Arc::clone(&answer));
                }
                asked[i] = Some(Asked {
                    answer: Ok(answer),
                    cached: false,
                });
            }
        }
        Ok(asked.into_iter().flatten().collect())
    }

    /// Reads the rows of some keys between two events.
    fn read(&self, use_case: usize, ids: Vec<Arc<str>>, now: Time) -> Result<ReadAll, Refusal> {
        self.ask(move |core, _| read(core, use_case, &ids, now))?
    }

    /// The live version of a use case, loaded once.
    fn live_model(
        &self,
        use_case: usize,
        live: Option<(String, String)>,
    ) -> Result<Arc<LiveModel>, Refusal> {
        let plan = &self.plan.use_cases[use_case];
        let (member, version) = live.ok_or_else(|| {
            let name = &plan.declared.name;
            Refusal::NotReady(format!(
                "no model of `{name}` is live: run `acumen train {name}`"
            ))
        })?;
        let failed =
            |_| Refusal::Failed("the loaded models are lost: restart the server".to_owned());
        let mut loaded = self.live_models.lock().map_err(failed)?;
        match loaded.get(&use_case) {
            Some(model) if model.is(&member, &version) => Ok(Arc::clone(model)),
            _ => {
                let store = &self.sources.store;
                let model = Arc::new(LiveModel::of_version(store, plan, &member, &version)?);
                loaded.insert(use_case, Arc::clone(&model));
                Ok(model)
            }
        }
    }
}

impl Asked {
    fn refused(refusal: Refusal) -> Asked {
        Asked {
            answer: Err(refusal),
            cached: false,
        }
    }
}

fn read(core: &mut Core, use_case: usize, ids: &[Arc<str>], now: Time) -> Result<ReadAll, Refusal> {
    let plan = Arc::clone(core.plan());
    let plan = &plan.use_cases[use_case];
    let each = Each::of(plan)?;
    // A row is of everything that is known, and so of no time before that.
    let (at, position) = (now.max(core.newest), core.next);
    let live = &core.live[use_case];
    let names = plan.declared.member_names();
    let member = names.filter_map(|name| live.state.member(name)).next();
    let version = member.map(|member| (member.name().to_owned(), member.version().to_owned()));
    let reads = ids.iter().map(|id| {
        let mut values = vec![f64::NAN; plan.columns.len()].into_boxed_slice();
        let features = (&mut core.pipelines[plan.shared], plan.view);
        if !each.read(features, id, (at, position), &mut values) {
            let what = format!(
                "there is no {} `{id}`: no event has named it",
                each.subject.each
            );
            return Err(Refusal::NotFound { what });
        }
        let ticket = live
            .scores
            .as_ref()
            .and_then(|scores| scores.announce(id, now));
        let row = Row {
            columns: Arc::clone(&plan.columns),
            values,
            at,
            position,
        };
        Ok((row, ticket))
    });
    Ok((reads.collect(), version))
}
