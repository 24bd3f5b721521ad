//! The candidates of a request: kept, or asked of all sources beside each other.

use std::sync::Arc;
use std::thread;

use acumen_base::{Deadline, MemberError, Time};
use acumen_decision::{Seat, beside};
use acumen_model::recommend::candidates::standardise;
use acumen_model::recommend::proposal::best;
use acumen_model::recommend::{Candidates, Open, Proposal, put_forward};

use super::ask::SourceLine;
use super::kept::{Asked, Made};
use super::listing::worth_keeping;
use super::picks::{propose, score_some};
use super::serve::Ranker;
use super::sources::{Deployed, Loaded};
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

/// Which items may be shown to somebody.
struct Mask {
    shown: Arc<Vec<bool>>,
    /// Items that they hid or have, rising.
    but: Vec<u32>,
}

impl Mask {
    fn open(&self) -> Open<'_> {
        Open::new(&self.shown).but(&self.but)
    }
}

/// What a source did, and the microseconds that it took.
type Did = (&'static str, u64);

const KEPT: Did = ("cached", 0);
const PICKED: Did = ("answered", 0);
const NOT_DEPLOYED: Did = ("not deployed", 0);

/// What a source put forward, and what it did for that.
struct Said {
    proposal: Option<Arc<Proposal>>,
    did: Did,
}

impl Said {
    const NOTHING: Said = Said {
        proposal: None,
        did: NOT_DEPLOYED,
    };

    /// What a source put forward before, where that is good enough.
    fn before(source: usize, loaded: &Loaded, before: Option<&Asked>) -> Said {
        // A source that had nothing to go by set no item apart from any other.
        let of_use = |known: &Arc<Proposal>| {
            known.deviation.is_finite() && !loaded.source().proposes_at_once()
        };
        let known = before.and_then(|before| before.proposals[source].clone());
        match known.filter(of_use) {
            Some(known) => Said {
                proposal: Some(known),
                did: KEPT,
            },
            None => Said::NOTHING,
        }
    }
}

impl Ranker {
    /// The candidates, kept or asked for.
    pub(super) fn candidates(&self, wish: &Wish<'_>, deployed: &Arc<Deployed>, now: Time) -> Found {
        let made = Made {
            past: wish.past.version,
            epoch: (deployed.epoch, self.shelf.picks.over(now)),
        };
        let kept = self.kept.as_ref().filter(|_| wish.usual);
        let known = kept.and_then(|kept| kept.get(wish.who, made.epoch, now));
        if let Some(known) = known.as_ref().filter(|known| known.past == made.past)
            && known.asked.room >= worth_keeping(wish.n)
            && self.is_whole(deployed, &known.asked)
        {
            return self.as_kept(deployed, Arc::clone(&known.asked));
        }
        let since = known.as_ref().map_or(now, |known| known.since);
        let known = known.map(|known| known.asked);
        let found = self.ask(wish, (deployed, now), known.as_deref());
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
    fn mask(&self, wish: &Wish<'_>) -> Mask {
        let catalogue = self.shelf.catalogue();
        let mut shown = catalogue.shown();
        if !wish.filters.is_empty() {
            let admits = |number: u32| {
                let item = catalogue.item(number);
                wish.filters.iter().all(|wanted| wanted.admits(item))
            };
            let flags = (0..).zip(&*shown);
            shown = Arc::new(flags.map(|(n, shown)| *shown && admits(n)).collect());
        }
        let mut but = [&wish.past.hidden[..], &wish.past.had].concat();
        if !wish.usual {
            but.extend(&wish.excluded);
        }
        but.sort_unstable();
        Mask { shown, but }
    }

    /// Asks all sources what they put forward; one that is late is left out. Of sources that look at
    /// all items, what they put forward before is good enough while it is kept; what is said of it
    /// is of now.
    fn ask(
        &self,
        wish: &Wish<'_>,
        (deployed, now): (&Arc<Deployed>, Time),
        before: Option<&Asked>,
    ) -> Found {
        let mask = Arc::new(self.mask(wish));
        let names = self.shelf.names.iter().enumerate();
        let said = names.map(|(at, name)| match deployed.sources.get(name) {
            Some(loaded) => Said::before(at, loaded, before),
            None => self.picked(at, &mask, now),
        });
        let mut said: Vec<Said> = said.collect();
        self.ask_open(&mut said, wish, deployed, &mask);
        let did: Vec<Did> = said.iter().map(|said| said.did).collect();
        let proposals: Vec<_> = said.into_iter().map(|said| said.proposal).collect();
        let trained = self.shelf.names.iter().zip(&proposals);
        let mut trained = trained.filter(|(name, _)| deployed.sources.contains_key(*name));
        let (candidates, orders, fallback) = match trained.all(|(_, said)| said.is_none()) {
            true => self.fall_back(wish, deployed, (&mask, &proposals)),
            false => self.heard(wish, deployed, &proposals),
        };
        Found {
            cached: did.contains(&KEPT),
            sources: self.lines(deployed, did),
            asked: Arc::new(Asked {
                candidates,
                orders,
                room: worth_keeping(wish.n),
                proposals,
            }),
            fallback,
        }
    }

    /// What people picked, where a source is a list that they edit.
    fn picked(&self, source: usize, mask: &Mask, now: Time) -> Said {
        match self.shelf.picked(source, now) {
            Some(picked) => Said {
                proposal: Some(Arc::new(propose(
                    &picked,
                    &mask.open(),
                    self.decl.candidates,
                ))),
                did: PICKED,
            },
            None => Said::NOTHING,
        }
    }

    /// Asks the deployed sources that have not said anything yet beside each other, until the
    /// deadline.
    fn ask_open(
        &self,
        said: &mut [Said],
        wish: &Wish<'_>,
        deployed: &Arc<Deployed>,
        mask: &Arc<Mask>,
    ) {
        let names = self.shelf.names.iter().enumerate();
        let open = names.filter(|(at, _)| said[*at].proposal.is_none());
        let open = open.filter_map(|(at, name)| Some((at, deployed.sources.get(name)?)));
        let open: Vec<(usize, &Arc<Loaded>)> = open.collect();
        let past = Arc::new(wish.past.clone());
        let tasks = open.iter().map(|(at, loaded)| {
            let (loaded, past, mask) = (Arc::clone(loaded), Arc::clone(&past), Arc::clone(mask));
            let most = self.decl.candidates;
            let seat = match loaded.is_quick() {
                true => Seat::here(),
                false => Seat::apart(&self.threads[*at]),
            };
            let task = move || {
                loaded.delay.into_iter().for_each(thread::sleep);
                loaded.propose(&past, &mask.open(), most)
            };
            (seat, task)
        });
        let micros = self.decl.stages.candidates.0.max(0) as u64 * 1_000;
        let deadline = Deadline::after(Arc::clone(&self.clock), self.clock.nanos(), micros);
        let answers = beside(tasks.collect(), (&self.clock, &deadline));
        for ((at, loaded), (answer, took_us)) in open.iter().zip(answers) {
            loaded.took(took_us);
            said[*at].did = match &answer {
                Ok(_) => ("answered", took_us),
                Err(MemberError::Failed(_)) => ("failed", took_us),
                Err(_) => ("late", took_us),
            };
            said[*at].proposal = answer.ok().map(Arc::new);
        }
    }

    /// The candidates that are worth keeping for some ensemble, with what each source says of them,
    /// and their order in each.
    fn heard(
        &self,
        wish: &Wish<'_>,
        deployed: &Deployed,
        proposals: &[Option<Arc<Proposal>>],
    ) -> (Candidates, Vec<Vec<u32>>, Option<StandIn>) {
        let items = put_forward(proposals.iter().flatten().map(|said| &**said));
        let score = |(name, proposal): (&String, &Option<Arc<Proposal>>)| match (
            proposal,
            deployed.sources.get(name),
        ) {
            (Some(unit), Some(loaded)) => loaded.score_some(&wish.past, &items, unit),
            (Some(picked), None) => score_some(picked, &items),
            (None, _) => vec![0.0; items.len()],
        };
        let scores = self.shelf.names.iter().zip(proposals).map(score).collect();
        let all = Candidates { items, scores };
        let ensembles = self.decl.each_ensemble().into_iter();
        let blends = ensembles.map(|ensemble| self.blended(deployed, &all, ensemble));
        let blends: Vec<Vec<f32>> = blends.collect();
        let best = |blended: &Vec<f32>| {
            let mut best = by_score(blended);
            best.truncate(worth_keeping(wish.n));
            best
        };
        let mut worth: Vec<u32> = blends.iter().flat_map(best).collect();
        worth.sort_unstable();
        worth.dedup();
        let order = |blended: &Vec<f32>| {
            let of_worth = worth.iter().map(|at| blended[*at as usize]);
            by_score(&of_worth.collect::<Vec<f32>>())
        };
        let orders = blends.iter().map(order).collect();
        (all.only(&worth), orders, None)
    }

    /// What the sources of an ensemble together say of each candidate.
    fn blended(
        &self,
        deployed: &Deployed,
        candidates: &Candidates,
        ensemble: Option<usize>,
    ) -> Vec<f32> {
        let mut blended = vec![0.0; candidates.items.len()];
        for (name, scores) in self.shelf.names.iter().zip(&candidates.scores) {
            let weight = deployed.weight_in(&self.decl, ensemble, name);
            let sums = blended.iter_mut().zip(scores);
            sums.for_each(|(sum, score)| *sum += weight * score);
        }
        blended
    }

    /// What the declared fallback puts forward for somebody of whom only the moment is known, or what
    /// was touched most, beside what people picked: it always answers.
    fn fall_back(
        &self,
        wish: &Wish<'_>,
        deployed: &Deployed,
        (mask, picks): (&Mask, &[Option<Arc<Proposal>>]),
    ) -> (Candidates, Vec<Vec<u32>>, Option<StandIn>) {
        let most = self.decl.candidates;
        let picked = put_forward(picks.iter().flatten().map(|picked| &**picked));
        let with_picks = |mut items: Vec<u32>| {
            items.extend(&picked);
            items.sort_unstable();
            items.dedup();
            items
        };
        let declared = self.decl.fallback.as_ref();
        let deployed = declared.and_then(|name| Some((name, deployed.sources.get(name)?)));
        let (name, items, scores) = match deployed {
            Some((name, loaded)) => {
                let nobody = Past {
                    said: wish.past.said.clone(),
                    ..Past::default()
                };
                let proposal = loaded.propose(&nobody, &mask.open(), most);
                let items = with_picks(proposal.items.clone());
                let said = loaded.score_some(&nobody, &items, &proposal);
                (name.clone(), items, said)
            }
            None => {
                let catalogue = self.shelf.catalogue();
                let numbers = 0..mask.shown.len() as u32;
                let mut familiar: Vec<f32> = numbers.map(|n| -catalogue.novelty(n)).collect();
                standardise(&mut familiar);
                let items = with_picks(best(&familiar, &mask.open(), most));
                let said = items.iter().map(|item| familiar[*item as usize]).collect();
                (FAMILIAR.to_owned(), items, said)
            }
        };
        let of_source = |picked: &Option<Arc<Proposal>>| match picked {
            Some(picked) => score_some(picked, &items),
            None => vec![0.0; items.len()],
        };
        let candidates = Candidates {
            scores: picks.iter().map(of_source).collect(),
            items,
        };
        let orders = vec![by_score(&scores); self.decl.each_ensemble().len()];
        (candidates, orders, Some(StandIn { name, scores }))
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

/// The places of scores, the largest first; of equal ones the first.
fn by_score(scores: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..scores.len() as u32).collect();
    let score = |at: &u32| scores[*at as usize];
    order.sort_unstable_by(|a, b| score(b).total_cmp(&score(a)).then(a.cmp(b)));
    order
}
