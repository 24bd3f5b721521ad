//! A shop that runs use cases over one log: told what happens, asked for lists.

use std::sync::Arc;
use std::sync::mpsc::channel;

use acumen_base::{Clock, Event, EventType, ManualClock, Time};
use acumen_engine::history::Sources;
use acumen_engine::{
    Durability, Engine, Folder, Ingested, LogOptions, Offline, Options, RankRequest, Refusal,
    TrainOptions, judge_sources, train_with,
};
use acumen_sim::wire;
use acumen_sim::world::storefront::Visit;
use tempfile::TempDir;

use crate::child;
use crate::report::{Failure, all};
use crate::settings::workspace;
use crate::stage::copy;

/// Members of decisions and sources run on so many threads.
const WORKERS: usize = 2;
/// Events that are told together at most.
const TOGETHER: usize = 500;

/// A use case: its name, and the text that declares it.
pub(super) type Declared = (String, String);

/// A shop before it opens: it is told what happens.
pub(super) struct Past {
    folder: TempDir,
    offline: Offline,
}

/// A shop that makes lists, learning anew every day.
pub(super) struct Shop {
    _folder: TempDir,
    engine: Engine,
    sources: Sources,
    clock: Arc<ManualClock>,
    learnt: Time,
    /// Events that are not told yet, a line each.
    lines: Vec<u8>,
    waiting: usize,
}

/// A list, by its id.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) items: Vec<Arc<str>>,
}

fn log() -> LogOptions {
    LogOptions {
        durability: Durability::Os,
        ..LogOptions::default()
    }
}

impl Past {
    /// A shop with the catalogue of this workspace and these use cases. How long a list takes is
    /// another measurement: deadlines are put off, so that the lists do not depend on the machine.
    pub(super) fn new(use_cases: &[Declared]) -> Result<Past, Failure> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("project");
        copy(&workspace("catalogue"), &root.join("catalogue"))?;
        for (name, text) in use_cases {
            let at = root.join("usecases").join(name);
            std::fs::create_dir_all(&at)?;
            let patient = text
                .replace("candidates: 15ms", "candidates: 30s")
                .replace("max_latency: 100ms", "max_latency: 60s");
            std::fs::write(at.join("usecase.yaml"), patient)?;
        }
        let plan = child::plan(&root)?;
        let offline = Offline::open(plan, Folder::new(folder.path().join("data")), log())?;
        Ok(Past { folder, offline })
    }

    /// The events that it reads.
    pub(super) fn types(&self) -> impl Iterator<Item = &Arc<EventType>> {
        self.offline.sources.plan.types.iter()
    }

    pub(super) fn observe(&mut self, event: &Event) -> Result<(), Failure> {
        self.offline.import(&Arc::new(event.clone()))?;
        Ok(())
    }

    /// How well lists hold what visitors took next in the last part of what is known, fitted to
    /// what was before: the normalised gain at 10.
    pub(super) fn gain(&mut self, use_case: &str) -> Result<f64, Failure> {
        self.offline.log.commit()?;
        let sources = &self.offline.sources;
        let position = position(sources, use_case)?;
        let table = judge_sources(sources, position, &mut |_| {})?;
        Ok(table.blend.ndcg)
    }

    /// Opens at an instant, having learnt from everything up to then.
    pub(super) fn open(self, at: Time) -> Result<Shop, Failure> {
        let Past {
            folder,
            mut offline,
        } = self;
        offline.log.commit()?;
        let sources = offline.sources.clone();
        for use_case in 0..sources.plan.use_cases.len() {
            let options = TrainOptions::default();
            let trained = train_with(&sources, use_case, options, &mut |_| {})?;
            for control in trained.controls {
                offline.control(control, "prove", at)?;
            }
        }
        offline.close()?;
        let clock = ManualClock::at(at);
        let options = Options {
            log: log(),
            workers: WORKERS,
        };
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        let plan = Arc::clone(&sources.plan);
        let engine = Engine::open(plan, sources.folder.clone(), options, shared)?;
        Ok(Shop {
            _folder: folder,
            engine,
            sources,
            clock,
            learnt: at,
            lines: Vec::new(),
            waiting: 0,
        })
    }
}

impl Shop {
    /// Takes an event in, at the latest before the next list.
    pub(super) fn observe(&mut self, event: &Event) -> Result<(), Failure> {
        self.clock.set(event.known_at);
        wire::write_line(event, &mut self.lines);
        self.waiting += 1;
        match self.waiting < TOGETHER {
            true => Ok(()),
            false => self.tell(),
        }
    }

    fn tell(&mut self) -> Result<(), Failure> {
        if self.waiting == 0 {
            return Ok(());
        }
        let (sender, told) = channel::<Result<Ingested, Refusal>>();
        let reply = Box::new(move |answer| drop(sender.send(answer)));
        self.engine.ingest(&self.lines, reply);
        let ingested = told.recv()??;
        if let Some(refused) = ingested.refused.first() {
            return Err(Failure::new(refused.problem.clone()));
        }
        self.lines.clear();
        self.waiting = 0;
        Ok(())
    }

    /// Learns from everything that was told, and deploys what was learnt.
    fn learn(&mut self) -> Result<(), Failure> {
        for use_case in 0..self.sources.plan.use_cases.len() {
            let options = TrainOptions::default();
            let trained = train_with(&self.sources, use_case, options, &mut |_| {})?;
            self.engine.controls_now(trained.controls, "prove")?;
        }
        Ok(())
    }

    /// The list of a use case for a visit.
    pub(super) fn list(&mut self, use_case: &str, visit: &Visit) -> Result<Listed, Failure> {
        self.tell()?;
        self.clock.set(visit.at);
        if visit.at.day() > self.learnt.day() {
            self.learn()?;
            self.learnt = visit.at;
        }
        let request = RankRequest {
            visitor: visit.customer.as_ref().map(ToString::to_string),
            session: Some(visit.session.to_string()),
            n: Some(visit.places),
            ..RankRequest::default()
        };
        let answer = self.engine.rank(use_case, &request, self.clock.nanos())?;
        let items = answer.items.iter().map(|item| Arc::clone(&item.item));
        Ok(Listed {
            items: items.collect(),
            id: answer.id,
        })
    }

    /// Ends it.
    pub(super) fn close(self) -> Result<(), Failure> {
        Ok(self.engine.close()?)
    }
}

fn position(sources: &Sources, use_case: &str) -> Result<usize, Failure> {
    let found = sources.plan.position(use_case);
    found.ok_or_else(|| all([format!("there is no use case `{use_case}`")]))
}
