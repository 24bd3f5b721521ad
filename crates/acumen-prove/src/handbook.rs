//! The public card payments of the Fraud Detection Handbook, as events and as rows.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};

use acumen_base::{Columns, Event, Span, Time};
use acumen_engine::Plan;
use acumen_engine::spec::Project;
use acumen_feature::Pipeline;
use acumen_table::{EventSource, KnownAt, Mapping};

use crate::report::{Failure, all};
use crate::settings::{Settings, workspace};

/// What to say where the file is not there.
const WHERE: &str = "the public card payments of the Fraud Detection Handbook \
     (github.com/Fraud-Detection-Handbook/simulated-data-raw; that repository names no licence, \
     the handbook's text is CC BY-SA 4.0 and its code GPL-3.0) as one Parquet file with the columns \
     transaction_id, tx_datetime, tx_time_seconds, customer_id, terminal_id, tx_amount, tx_fraud";

/// When the handbook's frauds are known.
pub(crate) const LABEL_DELAY: Span = Span(7 * 86_400_000);

/// Events that travel between two threads at once.
const CHUNK: usize = 32_768;

/// Chunks that may wait.
const CHUNKS_WAITING: usize = 4;

/// The file, or why it is not there.
pub(crate) fn file(settings: &Settings) -> Result<PathBuf, String> {
    let path = settings.card_file();
    if path.is_file() {
        println!("data: {WHERE}");
        Ok(path)
    } else {
        let place = path.display();
        Err(format!(
            "{place} is not there. Put {WHERE} there, or name it with --file"
        ))
    }
}

/// The handbook's features as use cases: `handbook` has the 15, `handbook-velocity` more.
pub(crate) fn plan() -> Result<Arc<Plan>, Failure> {
    plan_of("handbook", |_| {})
}

/// A project of `projects/`, with what `change` makes of it.
pub(crate) fn plan_of(
    project: &str,
    change: impl FnOnce(&mut Project),
) -> Result<Arc<Plan>, Failure> {
    let folder = workspace("crates/acumen-prove/projects").join(project);
    let (mut project, mut problems) = Project::load(&folder);
    change(&mut project);
    let (plan, more) = Plan::compile(project);
    problems.extend(more);
    match problems.is_empty() {
        true => Ok(Arc::new(plan)),
        false => Err(all(problems)),
    }
}

/// Opens the file with the mapping of the worked example; frauds are known so long after they
/// happened.
fn open(path: &Path, plan: &Plan, known_after: Span) -> Result<EventSource, Failure> {
    let text = std::fs::read_to_string(workspace("examples/card-payments/mapping.yaml"))?;
    let mut mapping: Mapping = serde_saphyr::from_str(&text)?;
    let delays = mapping
        .events
        .iter_mut()
        .filter_map(|event| event.known_at.as_mut());
    delays.for_each(|known_at| *known_at = KnownAt::Delay(known_after));
    EventSource::open(path, &mapping, &plan.types, Time(0)).map_err(all)
}

/// Events in the order in which they became known, while the file is still being read.
///
/// The file is in order of time, and what is known later waits until its turn: the same order as
/// `acumen_table::sorted_by_known_at` gives to all events at once.
struct InOrder {
    waiting: BinaryHeap<Reverse<(Time, u64)>>,
    delayed: std::collections::HashMap<u64, Event>,
    sequence: u64,
    newest: Time,
    out: Vec<Arc<Event>>,
}

impl InOrder {
    fn new() -> InOrder {
        InOrder {
            waiting: BinaryHeap::new(),
            delayed: std::collections::HashMap::new(),
            sequence: 0,
            newest: Time(i64::MIN),
            out: Vec::with_capacity(CHUNK),
        }
    }

    fn take(&mut self, event: Event) -> Result<(), Failure> {
        if event.delay() > Span::ZERO {
            self.sequence += 1;
            self.waiting.push(Reverse((event.known_at, self.sequence)));
            self.delayed.insert(self.sequence, event);
            return Ok(());
        }
        if event.known_at < self.newest {
            let id = &event.id;
            let message = format!("the file is not in order of time: `{id}` comes too late");
            return Err(Failure::new(message));
        }
        self.newest = event.known_at;
        self.release(event.known_at);
        self.out.push(Arc::new(event));
        Ok(())
    }

    /// What is known by `now` goes first.
    fn release(&mut self, now: Time) {
        while let Some(Reverse((known_at, sequence))) = self.waiting.peek().copied() {
            if known_at > now {
                break;
            }
            self.waiting.pop();
            self.out
                .extend(self.delayed.remove(&sequence).map(Arc::new));
        }
    }
}

/// Chunks of events in the order in which they became known.
pub(crate) struct Stream {
    chunks: Receiver<Result<Vec<Arc<Event>>, Failure>>,
    /// Records of the file.
    records: usize,
}

impl Iterator for Stream {
    type Item = Result<Vec<Arc<Event>>, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        self.chunks.recv().ok()
    }
}

/// Reads the file on a thread of its own.
pub(crate) fn events(path: &Path, plan: &Plan) -> Result<Stream, Failure> {
    events_known_after(path, plan, LABEL_DELAY)
}

fn events_known_after(path: &Path, plan: &Plan, known_after: Span) -> Result<Stream, Failure> {
    let (sender, chunks) = sync_channel(CHUNKS_WAITING);
    let mut source = open(path, plan, known_after)?;
    let records = source.total().unwrap_or_default() as usize;
    std::thread::spawn(move || {
        let mut order = InOrder::new();
        let send = |events: Vec<Arc<Event>>| sender.send(Ok(events)).is_ok();
        let mut read = || -> Result<(), Failure> {
            while let Some(batch) = source.next_batch()? {
                if let Some(rejected) = batch.rejected.first() {
                    return Err(Failure::new(rejected.message.clone()));
                }
                for event in batch.events {
                    order.take(event)?;
                }
                if order.out.len() >= CHUNK && !send(std::mem::take(&mut order.out)) {
                    return Ok(());
                }
            }
            order.release(Time(i64::MAX));
            send(std::mem::take(&mut order.out));
            Ok(())
        };
        if let Err(failure) = read() {
            // Nobody listens any more: there is nobody to tell.
            let _nobody = sender.send(Err(failure));
        }
    });
    Ok(Stream { chunks, records })
}

/// All rows of a use case.
pub(crate) struct Rows {
    /// What the columns are.
    pub(crate) columns: Arc<Columns>,
    /// One vector a column.
    pub(crate) data: Vec<Vec<f64>>,
    /// Events that went through.
    pub(crate) events: u64,
}

/// From the file to rows, through the pipeline of a use case; `see` sees every event.
pub(crate) fn rows(
    path: &Path,
    plan: &Plan,
    use_case: &str,
    see: impl FnMut(&Arc<Event>),
) -> Result<Rows, Failure> {
    rows_known_after(path, plan, use_case, LABEL_DELAY, see)
}

/// The same where frauds are known so long after they happened.
pub(crate) fn rows_known_after(
    path: &Path,
    plan: &Plan,
    use_case: &str,
    known_after: Span,
    mut see: impl FnMut(&Arc<Event>),
) -> Result<Rows, Failure> {
    let position = plan
        .position(use_case)
        .ok_or_else(|| Failure::new(format!("there is no use case `{use_case}`")))?;
    let mut pipeline: Pipeline = plan.use_cases[position].fresh_pipeline();
    let columns = Arc::clone(pipeline.columns(0));
    let stream = events_known_after(path, plan, known_after)?;
    let column = || Vec::with_capacity(stream.records);
    let mut data: Vec<Vec<f64>> = columns.list.iter().map(|_| column()).collect();
    let mut taken = 0;
    for chunk in stream {
        let chunk = chunk?;
        chunk.iter().for_each(&mut see);
        let block = pipeline.step_many(&chunk, taken, 0);
        for (all, new) in data.iter_mut().zip(block.columns) {
            all.extend_from_slice(&new);
        }
        taken += chunk.len() as u64;
    }
    Ok(Rows {
        columns,
        data,
        events: taken,
    })
}

/// A payment as plain numbers, for oracles and protocols that must not depend on our operators.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Payment {
    /// Milliseconds.
    pub(crate) at: i64,
    /// The number in `c123`.
    pub(crate) customer: u32,
    /// The number in `t123`.
    pub(crate) terminal: u32,
    /// Cents.
    pub(crate) cents: i64,
    /// Whether it was charged back.
    pub(crate) fraud: bool,
}

/// Collects payments from events as they pass.
#[derive(Default)]
pub(crate) struct Payments {
    /// In log order.
    pub(crate) list: Vec<Payment>,
    ids: std::collections::HashMap<Arc<str>, usize>,
}

impl Payments {
    /// Takes an event.
    pub(crate) fn see(&mut self, event: &Arc<Event>) {
        let number = |field: &str| {
            let text = event.value(field).as_text().unwrap_or_default();
            text[1..]
                .parse()
                .expect("the mapping writes a letter and a number")
        };
        if event.kind.name == "payment" {
            self.ids.insert(Arc::clone(&event.id), self.list.len());
            self.list.push(Payment {
                at: event.event_time.0,
                customer: number("customer_id"),
                terminal: number("terminal_id"),
                cents: event.value("amount").as_money().map_or(0, |m| m.minor),
                fraud: false,
            });
        } else if let Some(id) = event.value("payment_id").as_text()
            && let Some(&row) = self.ids.get(id)
        {
            self.list[row].fraud = true;
        }
    }
}
