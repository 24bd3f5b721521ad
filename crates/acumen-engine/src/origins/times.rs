//! Which origins of the past can be learnt from.

use acumen_base::calendar::YEAR;
use acumen_base::{Body, CalendarSpan, Time};
use acumen_event::LogReader;

use super::{DAY, Each};
use crate::error::EngineError;
use crate::history::Sources;
use crate::spec::{OriginsDecl, TrainingData, TrainingDecl};

/// From where to where the log reaches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reach {
    /// The first event became known then.
    pub(crate) from: Time,
    /// What became known later is not looked at.
    pub(crate) as_of: Time,
    /// How many keys there are at the end of the log.
    pub(crate) keys: usize,
}

impl Reach {
    /// Looks at the log; `as_of` is its end unless given.
    pub(crate) fn of(
        sources: &Sources,
        use_case: usize,
        as_of: Option<Time>,
    ) -> Result<Reach, EngineError> {
        let each = Each::of(&sources.plan.use_cases[use_case])?;
        let mut core = sources.nearest(u64::MAX)?;
        let log = LogReader::open(&sources.folder.log())?;
        for record in log.read(core.next) {
            core.apply(&record?, false);
        }
        let mut from = None;
        for record in log.read(log.first_position()?) {
            if let Body::Event(event) = record?.body {
                from = Some(event.known_at);
                break;
            }
        }
        let name = &each.plan.declared.name;
        let none = || EngineError::NotEnough(format!("`{name}` has no events yet: ingest some"));
        let (pipeline, view) = core.features(use_case);
        let keys = pipeline.ids(view).len();
        Ok(Reach {
            from: from.ok_or_else(none)?,
            as_of: as_of.unwrap_or(core.newest),
            keys,
        })
    }
}

/// The origins of training, rising.
///
/// # Errors
/// Where one that is named reaches past what is known, or fewer than two are left; each says which
/// would do.
pub(crate) fn origins(
    each: &Each<'_>,
    training: &TrainingDecl,
    reach: Reach,
) -> Result<Vec<Time>, EngineError> {
    let over = each.target.over;
    let latest = over.before(reach.as_of);
    let found = match &training.origins {
        OriginsDecl::At(times) => named(times, over, latest, reach)?,
        OriginsDecl::Every { every, season } => {
            let from = begins(training.data, reach).max(reach.from);
            let before = match training.data {
                TrainingData::Between(_, to) => Some(to),
                TrainingData::Last(_) => None,
            };
            let scored = reach.as_of;
            let day = Time(latest.0.div_euclid(DAY.0) * DAY.0);
            (0..)
                .map(|n| every.times(n).before(day))
                .take_while(|at| *at > from)
                .filter(|at| before.is_none_or(|end| *at < end))
                .filter(|at| season.is_none_or(|season| in_season(*at, scored, season)))
                .collect()
        }
    };
    let mut found = found;
    found.sort_unstable();
    match found.len() {
        0 | 1 => Err(too_few(each, training, found.len(), reach)),
        _ => Ok(found),
    }
}

/// The earliest time that training looks at.
fn begins(data: TrainingData, reach: Reach) -> Time {
    match data {
        TrainingData::Last(span) => reach.as_of - span,
        TrainingData::Between(from, _) => from,
    }
}

/// Those that are named, if what follows each is known.
fn named(
    times: &[Time],
    over: CalendarSpan,
    latest: Time,
    reach: Reach,
) -> Result<Vec<Time>, EngineError> {
    match times.iter().rev().find(|at| **at > latest) {
        Some(at) => Err(EngineError::NotEnough(format!(
            "what follows the origin {at} for {over} is known at {}, and events are known up to \
             {}: the latest origin that works is {latest}",
            over.after(*at),
            reach.as_of
        ))),
        None => Ok(times.to_vec()),
    }
}

/// Whether two times are of much the same time of the year, a day more or less.
fn in_season(at: Time, scored: Time, season: CalendarSpan) -> bool {
    let apart = (scored - at).0.rem_euclid(YEAR.0);
    apart.min(YEAR.0 - apart) <= season.usual().0 + DAY.0
}

fn too_few(each: &Each<'_>, training: &TrainingDecl, found: usize, reach: Reach) -> EngineError {
    let over = each.target.over;
    let name = &each.plan.declared.name;
    let from = begins(training.data, reach).max(reach.from);
    let what = match &training.origins {
        OriginsDecl::At(_) => "name more in `training.origins`".to_owned(),
        OriginsDecl::Every {
            every,
            season: Some(season),
        } => format!(
            "of those {every} apart only the ones within {season} of this time of the year count: \
             take `season: any`, a wider one or origins closer to each other, or bring older events"
        ),
        OriginsDecl::Every { every, .. } => format!(
            "events from {} on would do, or a shorter `over`, or origins closer to each other than \
             {every}",
            every.times(2).before(over.before(reach.as_of))
        ),
    };
    EngineError::NotEnough(format!(
        "`{name}` has {found} origin(s) to learn from, and at least 2 are needed: each has to lie \
         after {from}, where its training data begin, and {over} before {}, up to when events are \
         known; {what}",
        reach.as_of
    ))
}
