//! A world in two parts: a past that is taken in, and a future that is streamed.

use std::path::Path;
use std::sync::Arc;

use acumen_base::{EventType, Seed, Span, Time};
use acumen_engine::Offline;
use acumen_sim::world::{Size, Story, Told};

use crate::failure::{Failure, Outcome};
use crate::place::read;
use crate::progress::Progress;

/// Events between two looks at the progress bar.
const PROGRESS_EVERY: u64 = 2_000;

/// What has happened before the demonstration begins.
pub(crate) struct History {
    story: Story,
    days: u32,
    /// When it ends and the stream begins.
    pub(crate) end: Time,
}

/// What happens during the demonstration.
pub(crate) struct Future {
    first: Option<Told>,
    story: Story,
}

impl History {
    /// The world of a file, with so many customers; its first `days` days are history.
    pub(crate) fn open(
        file: &Path,
        (customers, days): (u32, u32),
        seed: Seed,
        types: &[Arc<EventType>],
    ) -> Outcome<History> {
        let text = read(file)?;
        let named = file.display().to_string();
        let open = |size| {
            Story::open((&text, &named), size, seed, types)
                .map_err(|found| Failure::problems(&found))
        };
        let mut size = Size {
            customers: Some(customers),
            days: None,
        };
        let mut story = open(size)?;
        // Some weeks at least are left to be streamed.
        let wanted = days.saturating_add(days / 5 + 1);
        if story.days() < wanted {
            size.days = Some(wanted);
            story = open(size)?;
        }
        let end = story.start() + Span::days(i64::from(days));
        Ok(History { story, days, end })
    }

    /// Takes the history in; gives how many events it had, and what happens next.
    pub(crate) fn import(mut self, offline: &mut Offline) -> Outcome<(u64, Future)> {
        let mut progress = Progress::new("history", "days");
        let (mut events, mut first) = (0, None);
        for told in self.story.by_ref() {
            if told.event.known_at >= self.end {
                first = Some(told);
                break;
            }
            if events % PROGRESS_EVERY == 0 {
                let past = (self.end - told.event.known_at).0 / Span::days(1).0;
                let day = u64::from(self.days).saturating_sub(past as u64);
                progress.at(day, Some(u64::from(self.days)), "");
            }
            offline.import(&Arc::new(told.event))?;
            events += 1;
        }
        offline.log.commit()?;
        progress.done();
        Ok((
            events,
            Future {
                first,
                story: self.story,
            },
        ))
    }
}

impl Iterator for Future {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        self.first.take().or_else(|| self.story.next())
    }
}
