//! Events that come before what they can only follow: an order before its customer's account.

use std::collections::HashMap;
use std::sync::Arc;

use acumen_base::{Clock, Event, Time};
use acumen_event::Rejected;
use acumen_table::{After, EventMapping};

use super::Import;
use crate::error::EngineError;

/// A type of event, and what its events must not come before.
pub(crate) struct Rule {
    event: String,
    after: After,
}

/// The first instant of a type of event for each value of a field.
type Firsts = HashMap<Arc<str>, Time>;

/// The rules that mappings declare.
pub(crate) fn rules(mappings: &[EventMapping]) -> impl Iterator<Item = Rule> {
    mappings.iter().filter_map(|mapping| {
        Some(Rule {
            event: mapping.event.clone(),
            after: mapping.after.clone()?,
        })
    })
}

impl Import<'_> {
    /// Puts events into quarantine that come before what they can only follow.
    pub(crate) fn refuse_what_is_too_early(
        &mut self,
        clock: &dyn Clock,
    ) -> Result<(), EngineError> {
        for rule in std::mem::take(&mut self.rules) {
            let firsts = self.firsts(&rule.after)?;
            let events = std::mem::take(&mut self.events);
            for event in events {
                match rule.broken(&event, &firsts) {
                    None => self.events.push(event),
                    Some(message) => {
                        let help = "mend the one or the other time, and take both in again";
                        let original = event.id.as_bytes();
                        let rejected =
                            Rejected::because("too_early", None, message, help, original);
                        let like = format!("{} too_early", rule.event);
                        self.refuse(&rejected, &rule.event, &like, clock)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// From what is taken in now and what is in the log.
    fn firsts(&mut self, after: &After) -> Result<Firsts, EngineError> {
        let mut firsts = Firsts::new();
        self.events
            .iter()
            .for_each(|event| note(&mut firsts, after, event));
        self.sink
            .known(&after.event, &mut |event| note(&mut firsts, after, event))?;
        Ok(firsts)
    }
}

fn note(firsts: &mut Firsts, after: &After, event: &Event) {
    if event.kind.name == after.event
        && let Some(key) = event.value(&after.by).as_text()
    {
        let first = firsts.entry(key.into()).or_insert(event.event_time);
        *first = (*first).min(event.event_time);
    }
}

impl Rule {
    /// What is wrong with an event, if it comes too early.
    fn broken(&self, event: &Event, firsts: &Firsts) -> Option<String> {
        if event.kind.name != self.event {
            return None;
        }
        let key = event.value(&self.after.by).as_text()?;
        let first = firsts.get(key).filter(|first| event.event_time < **first)?;
        let (id, at, after) = (&event.id, event.event_time, &self.after.event);
        Some(format!(
            "`{id}` of {at} comes before the first `{after}` of `{key}`, which is of {first}"
        ))
    }
}
