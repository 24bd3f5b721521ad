//! A world in two parts: a past that is taken in, and a future that is streamed.

use std::iter::Peekable;
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
    /// Other worlds of the same customers, whose pasts are told beside it.
    beside: Vec<Peekable<Story>>,
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
        let open = |size| open(file, size, seed, types);
        let mut size = Size {
            customers: Some(customers),
            ..Size::default()
        };
        let mut story = open(size)?;
        // Some weeks at least are left to be streamed.
        let wanted = days.saturating_add(days / 5 + 1);
        if story.days() < wanted {
            size.days = Some(wanted);
            story = open(size)?;
        }
        let end = story.start() + Span::days(i64::from(days));
        Ok(History {
            story,
            days,
            end,
            beside: Vec::new(),
        })
    }

    /// Tells the world of another file beside it, with the same customers, up to the same end; one
    /// that begins later is told as if it had begun in time to be over by then.
    pub(crate) fn and(
        mut self,
        file: &Path,
        customers: u32,
        seed: Seed,
        types: &[Arc<EventType>],
    ) -> Outcome<History> {
        let mut size = Size {
            customers: Some(customers),
            ..Size::default()
        };
        let story = open(file, size, seed, types)?;
        let mut start = story.start();
        if start >= self.end {
            start = self.end - Span::days(i64::from(story.days()));
            size.start = Some(start);
        }
        let days = (self.end - start).0.div_euclid(Span::days(1).0) + 1;
        size.days = Some(u32::try_from(days).unwrap_or(1).max(1));
        self.beside.push(open(file, size, seed, types)?.peekable());
        Ok(self)
    }

    /// What is told next by the others, if it was known before an instant.
    fn next_of_others(&mut self, before: Time) -> Option<Told> {
        let next =
            |(at, story): (usize, &mut Peekable<Story>)| Some((story.peek()?.event.known_at, at));
        let (known_at, at) = self.beside.iter_mut().enumerate().filter_map(next).min()?;
        match known_at < before {
            true => self.beside[at].next(),
            false => None,
        }
    }

    /// Takes in what the other worlds tell that was known before an instant. Of what several tell,
    /// such as the rates of currencies, this one's word stands from its first day on.
    fn others(&mut self, before: Time, offline: &mut Offline) -> Outcome<u64> {
        let mut events = 0;
        while let Some(told) = self.next_of_others(before) {
            let mut event = told.event;
            if self.story.tells(&event.kind.name) {
                if event.known_at >= self.story.start() {
                    continue;
                }
                // Each world numbers its own.
                event.id = format!("past-{}", event.id).into();
            }
            offline.import(&Arc::new(event))?;
            events += 1;
        }
        Ok(events)
    }

    /// Takes the history in; gives how many events it had, and what happens next.
    pub(crate) fn import(mut self, offline: &mut Offline) -> Outcome<(u64, Future)> {
        let mut progress = Progress::new("history", "days");
        let (mut events, mut first) = (0, None);
        while let Some(told) = self.story.next() {
            if told.event.known_at >= self.end {
                first = Some(told);
                break;
            }
            events += self.others(told.event.known_at, offline)?;
            if events % PROGRESS_EVERY == 0 {
                let past = (self.end - told.event.known_at).0 / Span::days(1).0;
                let day = u64::from(self.days).saturating_sub(past as u64);
                progress.at(day, Some(u64::from(self.days)), "");
            }
            offline.import(&Arc::new(told.event))?;
            events += 1;
        }
        events += self.others(self.end, offline)?;
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

/// The world of a file.
fn open(file: &Path, size: Size, seed: Seed, types: &[Arc<EventType>]) -> Outcome<Story> {
    let (text, named) = (read(file)?, file.display().to_string());
    Story::open((&text, &named), size, seed, types).map_err(|found| Failure::problems(&found))
}

impl Iterator for Future {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        self.first.take().or_else(|| self.story.next())
    }
}
