//! `acumen demo`: from nothing to live decisions on a synthetic world.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use acumen_base::{Clock, Seed, Span, Time};
use acumen_engine::{
    Engine, EngineError, Folder, LogOptions, Offline, Options, Plan, TrainOptions,
};
use clap::Args;

use crate::command::serve::{address, cores, listen, runtime};
use crate::command::train::{summary, train_shown};
use crate::demo::{
    Future, History, Judge, Panel, Stop, Stream, StreamClock, Tally, Target, View, beside,
};
use crate::failure::{Failure, Outcome};
use crate::output::{say, thousands};
use crate::place::{Place, position};

/// See it work: make a world, train, serve, stream events at it, and watch what happens
#[derive(Args)]
#[command(after_help = "\
Examples:
  acumen demo                      until Ctrl-C
  acumen demo --for 60s            ends by itself with a summary
  acumen demo --rate 1000 --data demo-data

It takes the first use case that decides on events and has a world.yaml, takes the world's first days
in as history, trains on them, serves on loopback and streams what happens next over HTTP. Use cases
that decide on each key or rank items are shown beside it: the same customers, trained on what their
own worlds tell of them; keys are scored once before the stream begins, and lists are there to be
tried (--alone leaves them out). Everything lies in a temporary folder unless --data names one.")]
pub(crate) struct Demo {
    /// The use case; the first one that decides on events and has a world.yaml unless said
    name: Option<String>,
    /// Stream for this long, such as `60s`; until Ctrl-C unless said
    #[arg(long = "for", value_name = "SPAN")]
    length: Option<Span>,
    /// Events a second
    #[arg(long, value_name = "N", default_value_t = 400.0)]
    rate: f64,
    /// The port on loopback; 0 is any free one
    #[arg(long, default_value_t = 7070)]
    port: u16,
    /// Customers of the world
    #[arg(long, value_name = "N", default_value_t = 1_500)]
    customers: u32,
    /// Days of history before the stream begins
    #[arg(long, value_name = "N", default_value_t = 180)]
    days: u32,
    /// Leave out the use cases that decide on each key or rank items
    #[arg(long)]
    alone: bool,
    /// The seed of all chance
    #[arg(long, default_value_t = 7)]
    seed: u64,
}

impl Demo {
    pub(crate) fn run(&self, place: &Place) -> Outcome {
        if !(self.rate.is_finite() && self.rate > 0.0) {
            return Err(Failure::because("--rate must be a number above 0"));
        }
        let plan = place.plan()?;
        let (use_case, world) = self.choose(place, &plan)?;
        let beside = self.beside(&plan);
        let temporary = tempfile::Builder::new().prefix("acumen-demo-").tempdir();
        let temporary =
            temporary.map_err(|e| Failure::because(format!("no temporary folder: {e}")))?;
        let data = place
            .data
            .clone()
            .unwrap_or_else(|| temporary.path().to_owned());
        let folder = Folder::new(&data);
        if folder.log().is_dir() {
            return Err(Failure::because(format!(
                "{} holds a log already: name another folder for the demo, or look at that one with `acumen serve`",
                data.display()
            )));
        }
        let stop = Stop::listen(Some(temporary.path().to_owned()))?;
        let runtime = runtime()?;
        // The port first: whoever cannot listen need not train.
        let listener = listen(&runtime, SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)))?;
        let at = address(&listener)?;
        let (future, began) = self.prepare(&plan, (use_case, &world), &beside, &folder)?;
        let clock = StreamClock::at(began);
        let options = Options {
            log: LogOptions::default(),
            workers: cores(),
        };
        let engine = Engine::open(plan, folder, options, Arc::clone(&clock) as Arc<dyn Clock>)?;
        let engine = Arc::new(engine);
        let (halt, halted) = tokio::sync::oneshot::channel::<()>();
        let serving = runtime.spawn(acumen_server::serve(listener, Arc::clone(&engine), async {
            // Whether it was sent or dropped, it is over.
            let _over = halted.await;
        }));
        for &beside in &beside {
            beside::look(&engine, beside, at)?;
        }
        stop.streaming();
        let shown = self.stream(&engine, use_case, (future, &clock), at, (&stop, &data));
        drop(halt);
        let served = runtime.block_on(serving);
        engine.close()?;
        shown?;
        match served {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                return Err(Failure::because(format!("the server has stopped: {error}")));
            }
            Err(error) => return Err(Failure::because(format!("the server has failed: {error}"))),
        }
        match &place.data {
            Some(data) => say(format!(
                "the log, the models and every decision are in {}",
                data.display()
            )),
            None => say("done; the temporary folder is removed (--data keeps one)"),
        }
    }

    /// The use case to show, and the file of its world.
    fn choose(&self, place: &Place, plan: &Plan) -> Outcome<(usize, PathBuf)> {
        let world = |i: usize| world_of(plan, i);
        if let Some(name) = &self.name {
            let use_case = position(plan, name)?;
            if world(use_case).is_file() {
                return Ok((use_case, world(use_case)));
            }
            return Err(Failure::because(format!(
                "`{name}` has no world.yaml: the demo needs one"
            )));
        }
        // What streams is events, and what is shown is decisions on them.
        let on_events = |i: usize| plan.use_cases[i].declared.subject.is_none();
        let mut all = 0..plan.use_cases.len();
        let chosen = all.find(|&i| on_events(i) && world(i).is_file());
        chosen.map(|i| (i, world(i))).ok_or_else(|| {
            Failure::because(format!(
                "no use case under {} has a world.yaml: the demo needs one",
                place.root.display()
            ))
        })
    }

    /// The use cases to show beside it: those that decide on no event and have a world.
    fn beside(&self, plan: &Plan) -> Vec<usize> {
        let of_keys = |i: &usize| plan.use_cases[*i].declared.subject.is_some();
        let all = (0..plan.use_cases.len()).filter(of_keys);
        all.filter(|&i| !self.alone && world_of(plan, i).is_file())
            .collect()
    }

    /// History into the log, and models from it; gives what happens next, and from when.
    fn prepare(
        &self,
        plan: &Arc<Plan>,
        (use_case, world): (usize, &Path),
        beside: &[usize],
        folder: &Folder,
    ) -> Outcome<(Future, Time)> {
        let name = &plan.use_cases[use_case].declared.name;
        let (customers, days) = (thousands(u64::from(self.customers)), self.days);
        say(format!(
            "making the world of `{name}`: {customers} customers, {days} days of history"
        ))?;
        let size = (self.customers, self.days);
        let seed = Seed(self.seed);
        let mut history = History::open(world, size, seed, &plan.types)?;
        for &beside in beside {
            let name = &plan.use_cases[beside].declared.name;
            say(format!(
                "and what the world of `{name}` tells of the same customers"
            ))?;
            history = history.and(&world_of(plan, beside), self.customers, seed, &plan.types)?;
        }
        let began = history.end;
        let mut offline = Offline::open(Arc::clone(plan), folder.clone(), LogOptions::default())?;
        let (events, future) = history.import(&mut offline)?;
        say(format!(
            "{} events taken in; training on them",
            thousands(events)
        ))?;
        let trained = train_shown(&offline.sources, use_case, TrainOptions::default())?;
        for control in trained.controls.clone() {
            offline.control(control, "acumen demo", began)?;
        }
        say(summary(&trained))?;
        for &beside in beside {
            beside::train(&mut offline, beside, began)?;
        }
        let sources = offline.sources.clone();
        offline.close()?;
        let sums = |i: &&usize| plan.use_cases[**i].declared.predicts_sums();
        for &beside in beside.iter().filter(sums) {
            beside::score(&sources, beside, began)?;
        }
        Ok((future, began))
    }

    /// Streams what happens next, and shows what comes of it.
    fn stream(
        &self,
        engine: &Arc<Engine>,
        use_case: usize,
        (future, clock): (Future, &Arc<StreamClock>),
        at: SocketAddr,
        (stop, data): (&Stop, &Path),
    ) -> Outcome {
        let declared = &engine.plan().use_cases[use_case].declared;
        let mut judge = Judge::new(engine, use_case);
        let target = Target {
            address: at,
            use_case: declared.name.clone(),
            decide_event: declared.decide_event.clone(),
            mildest: judge.mildest().to_owned(),
            clock: Arc::clone(clock),
            tally: Arc::new(Mutex::new(Tally::new())),
            sample: Arc::default(),
        };
        say(format!("\n{}: {}", declared.name, declared.question))?;
        say(format!(
            "Events are sent over HTTP at {} a second, faster than they happen: the server's clock \
             is the world's, moved by each event, so that windows and delays are right; latencies \
             are real.",
            self.rate
        ))?;
        let try_it = data.join("try.json");
        let url = format!("http://{at}");
        let hint = format!(
            "curl -s {url}/v1/usecases/{}/decide -d @{}",
            declared.name,
            try_it.display()
        );
        let length = self
            .length
            .map(|length| (length.0.max(0) as u64).div_ceil(1_000));
        let began = clock.nanos();
        let stream = Stream::start(future, self.rate, Seed(self.seed), &target);
        let mut panel = Panel::new();
        say(format!(
            "look     {url}  (docs: {url}/docs)\ntry      {hint}"
        ))?;
        let mut view_at = |judge: &mut Judge, last: bool, over: bool| -> Outcome {
            let fresh = std::mem::take(&mut crate::demo::lock(&target.tally).fresh);
            judge.count(engine, &fresh)?;
            offer(&try_it, &target)?;
            let reported = engine.status()?.use_cases.into_iter().nth(use_case);
            let view = View {
                seconds: (clock.nanos() - began) / 1_000_000_000,
                of: length,
                now: clock.now(),
                tally: &target.tally,
                judge,
                reported: reported.and_then(|status| status.money),
                url: url.clone(),
                over,
            };
            if last {
                panel.summary(&view)
            } else {
                panel.show(&view)
            }
        };
        loop {
            let wished = stop.wait(Duration::from_secs(1));
            let elapsed = (clock.nanos() - began) / 1_000_000;
            let ended = self
                .length
                .is_some_and(|length| elapsed >= length.0.max(0) as u64);
            if wished || ended {
                break;
            }
            view_at(&mut judge, false, stream.is_over())?;
        }
        let over = stream.is_over();
        stream.stop();
        view_at(&mut judge, true, over)
    }
}

/// The file of the world of a use case.
fn world_of(plan: &Plan, use_case: usize) -> PathBuf {
    plan.use_cases[use_case].declared.folder.join("world.yaml")
}

/// Writes an event like the latest one, under a new id, for people to send.
fn offer(file: &Path, target: &Target) -> Outcome {
    let Some(event) = crate::demo::lock(&target.sample).clone() else {
        return Ok(());
    };
    let mut event = (*event).clone();
    event.event_time = target.clock.now();
    event.id = format!("try-{}", event.event_time.0).into();
    let mut line = Vec::new();
    acumen_sim::wire::write_line(&event, &mut line);
    std::fs::write(file, line).map_err(|source| {
        EngineError::File {
            action: "write",
            path: file.to_owned(),
            source,
        }
        .into()
    })
}
