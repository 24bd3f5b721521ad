//! The candidates of a request: kept, or asked of all sources beside each other.

use std::sync::Arc;
use std::thread;

use acumen_base::{Deadline, MemberError, Time};
use acumen_decision::{Seat, beside};
use acumen_model::recommend::candidates::best;
use acumen_model::recommend::{Candidates, Proposal};

use super::ask::SourceLine;
use super::kept::{Asked, Made};
use super::serve::Ranker;
use super::sources::Deployed;
use super::visitors::Past;
use super::wish::Wish;

/// The candidates of a request and how they came about.
pub(super) struct Found {
    pub(super) asked: Arc<Asked>,
    /// What stands in where no source answered.
    pub(super) fallback: Option<StandIn>,
    pub(super) sources: Vec<SourceLine>,
    pub(super) cached: bool,
}

/// What stands in where no source answered.
pub(super) struct StandIn {
    /// The declared fallback, where it is deployed.
    pub(super) name: String,
    /// A score for each candidate.
    pub(super) scores: Vec<f32>,
}

/// What stands in where no fallback is deployed.
const FAMILIAR: &str = "what is touched most";

/// What a source did, and the microseconds that it took.
type Did = (&'static str, u64);

const KEPT: Did = ("cached", 0);
const NOT_DEPLOYED: Did = ("not deployed", 0);

impl Ranker {
    /// The candidates, kept or asked for.
    pub(super) fn candidates(&self, wish: &Wish<'_>, deployed: &Arc<Deployed>, now: Time) -> Found {
        let made = Made {
            past: wish.past.version,
            epoch: deployed.epoch,
        };
        let kept = self.kept.as_ref().filter(|_| wish.usual);
        let known = kept.and_then(|kept| kept.get(wish.who, made.epoch, now));
        if let Some(known) = known.as_ref().filter(|known| known.past == made.past)
            && self.is_whole(deployed, &known.asked)
        {
            return self.as_kept(deployed, Arc::clone(&known.asked));
        }
        let since = known.as_ref().map_or(now, |known| known.since);
        let found = self.ask(wish, deployed, known.map(|known| known.asked).as_deref());
        // Of what only some sources said, the next request asks the others: it may hear them all.
        if let (Some(kept), None) = (kept, &found.fallback) {
            kept.keep(wish.who, made, since, Arc::clone(&found.asked));
        }
        found
    }

    /// Whether every deployed source answered.
    fn is_whole(&self, deployed: &Deployed, asked: &Asked) -> bool {
        let mut names = self.shelf.names.iter().zip(&asked.proposals);
        names.all(|(name, said)| said.is_some() || !deployed.sources.contains_key(name))
    }

    fn as_kept(&self, deployed: &Deployed, asked: Arc<Asked>) -> Found {
        let did = asked.proposals.iter().map(|said| match said {
            Some(_) => KEPT,
            None => NOT_DEPLOYED,
        });
        Found {
            sources: self.lines(deployed, did),
            asked,
            fallback: None,
            cached: true,
        }
    }

    /// Which items may be shown to this visitor.
    fn mask(&self, wish: &Wish<'_>) -> Vec<bool> {
        let catalogue = self.shelf.catalogue();
        let mut mask = catalogue.available().to_vec();
        for item in wish.past.hidden.iter().chain(&wish.past.had) {
            mask[*item as usize] = false;
        }
        for wanted in &wish.filters {
            for (number, shown) in (0..).zip(&mut mask) {
                *shown = *shown && wanted.admits(catalogue.item(number));
            }
        }
        mask
    }

    /// Asks all sources beside each other what they put forward; one that is late is left out. Of
    /// sources that look at all items, what they put forward before is good enough while it is
    /// kept; what is said of it is of now.
    fn ask(&self, wish: &Wish<'_>, deployed: &Arc<Deployed>, before: Option<&Asked>) -> Found {
        let names = &self.shelf.names;
        let mut proposals: Vec<Option<Arc<Proposal>>> = vec![None; names.len()];
        let mut did = vec![NOT_DEPLOYED; names.len()];
        let mut open = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            let Some(loaded) = deployed.sources.get(name) else {
                continue;
            };
            // A source that had nothing to go by set no item apart from any other.
            let of_use = |known: &Arc<Proposal>| {
                known.deviation.is_finite() && !loaded.source().proposes_at_once()
            };
            let known = before.and_then(|before| before.proposals[at].clone());
            match known.filter(of_use) {
                Some(known) => (proposals[at], did[at]) = (Some(known), KEPT),
                None => open.push((at, loaded)),
            }
        }
        let mask = Arc::new(self.mask(wish));
        let past = Arc::new(wish.past.clone());
        let tasks = open.iter().map(|(at, loaded)| {
            let (loaded, past, mask) = (Arc::clone(loaded), Arc::clone(&past), Arc::clone(&mask));
            let most = self.decl.candidates;
            let task = move || {
                loaded.delay.into_iter().for_each(thread::sleep);
                loaded.propose(&past, &mask, most)
            };
            (Seat::apart(&self.threads[*at]), task)
        });
        let micros = self.decl.stages.candidates.0.max(0) as u64 * 1_000;
        let deadline = Deadline::after(Arc::clone(&self.clock), self.clock.nanos(), micros);
        let answers = beside(tasks.collect(), (&self.clock, &deadline));
        for ((at, _), (answer, took_us)) in open.iter().zip(answers) {
            did[*at] = match &answer {
                Ok(_) => ("answered", took_us),
                Err(MemberError::Failed(_)) => ("failed", took_us),
                Err(_) => ("late", took_us),
            };
            proposals[*at] = answer.ok().map(Arc::new);
        }
        let (candidates, fallback) = match proposals.iter().all(Option::is_none) {
            true => self.fall_back(deployed, &mask),
            false => (self.said_of_all(wish, deployed, &proposals), None),
        };
        Found {
            cached: did.contains(&KEPT),
            sources: self.lines(deployed, did),
            asked: Arc::new(Asked {
                candidates,
                proposals,
            }),
            fallback,
        }
    }

    /// Everything that was put forward, with what each source says of it.
    fn said_of_all(
        &self,
        wish: &Wish<'_>,
        deployed: &Deployed,
        proposals: &[Option<Arc<Proposal>>],
    ) -> Candidates {
        let all = proposals.iter().flatten();
        let mut items: Vec<u32> = all.flat_map(|said| said.items.iter().copied()).collect();
        items.sort_unstable();
        items.dedup();
        let score = |(name, proposal): (&String, &Option<Arc<Proposal>>)| match proposal
            .as_ref()
            .zip(deployed.sources.get(name))
        {
            Some((unit, loaded)) => loaded.score_some(&wish.past, &items, unit),
            None => vec![0.0; items.len()],
        };
        let scores = self.shelf.names.iter().zip(proposals).map(score).collect();
        Candidates { items, scores }
    }

    /// What the declared fallback puts forward, or what was touched most: it always answers.
    fn fall_back(&self, deployed: &Deployed, mask: &[bool]) -> (Candidates, Option<StandIn>) {
        let most = self.decl.candidates;
        let declared = self.decl.fallback.as_ref();
        let deployed = declared.and_then(|name| Some((name, deployed.sources.get(name)?)));
        let (name, items, scores) = match deployed {
            Some((name, loaded)) => {
                let nobody = Past::default();
                let proposal = loaded.propose(&nobody, mask, most);
                let said = loaded.score_some(&nobody, &proposal.items, &proposal);
                (name.clone(), proposal.items, said)
            }
            None => {
                let catalogue = self.shelf.catalogue();
                let numbers = 0..mask.len() as u32;
                let familiar: Vec<f32> = numbers.map(|n| -catalogue.novelty(n)).collect();
                let items = best(&familiar, mask, most);
                let said = items.iter().map(|item| familiar[*item as usize]).collect();
                (FAMILIAR.to_owned(), items, said)
            }
        };
        let candidates = Candidates {
            scores: vec![vec![0.0; items.len()]; self.shelf.names.len()],
            items,
        };
        (candidates, Some(StandIn { name, scores }))
    }

    fn lines(&self, deployed: &Deployed, did: impl IntoIterator<Item = Did>) -> Vec<SourceLine> {
        let names = self.shelf.names.iter().zip(did);
        let line = |(name, (status, took_us)): (&String, Did)| {
            let loaded = deployed.sources.get(name);
            SourceLine {
                name: name.clone(),
                version: loaded.map(|loaded| loaded.version.clone()),
                weight: 0.0,
                status,
                took_us,
            }
        };
        names.map(line).collect()
    }
}
