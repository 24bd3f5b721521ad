//! Members that run beside the request, so that several share its time and a slow one can be left
//! behind: a thread cannot be cut off.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use acumen_base::{Clock, Deadline, Member, MemberError, Row};
use crossbeam_channel::{Receiver, Sender, bounded};

use crate::asked::{Answered, predict_in_time};

/// Tasks that may wait for a thread; a member whose task finds no room is busy.
const WAITING_MAX: usize = 256;
/// How many answers of one member may be outstanding: a stuck one holds no more threads.
const OUTSTANDING_MAX: u32 = 2;

type Task = Box<dyn FnOnce() + Send>;

/// Threads on which members run.
pub struct Pool {
    tasks: Sender<Task>,
}

impl Pool {
    /// Starts so many threads, at least one, and as many again as `members` can hold up: one that
    /// hangs keeps the others from nothing. They end with the pool.
    pub fn new(threads: usize, members: usize) -> Arc<Pool> {
        let (tasks, queue) = bounded(WAITING_MAX);
        for _ in 0..threads.max(1) + members * OUTSTANDING_MAX as usize {
            let queue = queue.clone();
            thread::spawn(move || work(&queue));
        }
        Arc::new(Pool { tasks })
    }

    /// Hands a task to a thread; whether there was room for it.
    fn run(&self, task: Task) -> bool {
        self.tasks.try_send(task).is_ok()
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

fn work(queue: &Receiver<Task>) {
    // A member's panic is caught where it is asked.
    while let Ok(task) = queue.recv() {
        task();
    }
}

/// How many answers of one member are outstanding.
#[derive(Debug, Default)]
pub(crate) struct Outstanding(Arc<AtomicU32>);

/// One outstanding answer.
struct Held(Arc<AtomicU32>);

impl Outstanding {
    fn hold(&self) -> Option<Held> {
        let before = self.0.fetch_add(1, Ordering::Relaxed);
        let held = Held(Arc::clone(&self.0));
        (before < OUTSTANDING_MAX).then_some(held)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A member that is to be asked, and how many answers it owes.
pub(crate) struct Wanted<'a> {
    pub(crate) member: &'a Arc<dyn Member>,
    pub(crate) outstanding: &'a Outstanding,
}

/// Asks members beside each other and waits until the deadline; one answer each, in order.
pub(crate) fn ask(
    pool: &Pool,
    wanted: &[Wanted<'_>],
    row: &Row,
    (clock, deadline): (&Arc<dyn Clock>, &Deadline),
) -> Vec<Answered> {
    let row = Arc::new(row.clone());
    let tasks = wanted.iter().map(|wanted| {
        let (member, row) = (Arc::clone(wanted.member), Arc::clone(&row));
        let deadline = deadline.clone();
        let task = move || predict_in_time(&member, &row, &deadline);
        (Seat::among(pool, wanted.outstanding), task)
    });
    let answers = beside(tasks.collect(), (clock, deadline)).into_iter();
    answers
        .map(|(answer, took_us)| (answer.and_then(|answer| answer), took_us))
        .collect()
}

/// Where a task runs.
pub struct Seat<'a>(Place<'a>);

enum Place<'a> {
    /// On the thread of whoever asks.
    Here,
    /// On a thread of a pool, with how many of its kind may be left behind there.
    On(&'a Pool, Option<&'a Outstanding>),
}

impl<'a> Seat<'a> {
    /// On the thread of whoever asks, after those on other threads have begun: for what takes less
    /// time than waking another thread.
    pub fn here() -> Seat<'a> {
        Seat(Place::Here)
    }

    /// On threads that nothing but tasks of its kind use: one that hangs holds up no other kind.
    pub fn apart(pool: &'a Pool) -> Seat<'a> {
        Seat(Place::On(pool, None))
    }

    /// On threads that others use as well.
    fn among(pool: &'a Pool, outstanding: &'a Outstanding) -> Seat<'a> {
        Seat(Place::On(pool, Some(outstanding)))
    }
}

/// The answer of a task, and the microseconds that it took.
type Timed<T> = (Result<T, MemberError>, u64);

/// Runs tasks beside each other and waits until the deadline; one answer each, in order, with the
/// microseconds that it took. A task that panics has failed. One that is left behind goes on, or
/// does not begin where the deadline is over before it finds a thread.
pub fn beside<T: Send + 'static>(
    tasks: Vec<(Seat<'_>, impl FnOnce() -> T + Send + 'static)>,
    (clock, deadline): (&Arc<dyn Clock>, &Deadline),
) -> Vec<Timed<T>> {
    let (sender, answers) = channel();
    let started = clock.nanos();
    let late = || (Err(MemberError::Late), 0);
    let mut all: Vec<Timed<T>> = tasks.iter().map(|_| late()).collect();
    let (mut missing, mut here) = (0, Vec::new());
    for (at, (Seat(place), task)) in tasks.into_iter().enumerate() {
        let Place::On(pool, outstanding) = place else {
            here.push((at, task));
            continue;
        };
        let held = outstanding.map(Outstanding::hold);
        if let Some(None) = held {
            all[at].0 = Err(MemberError::Busy);
            continue;
        }
        let (sender, clock, until) = (sender.clone(), Arc::clone(clock), deadline.clone());
        let admitted = pool.run(Box::new(move || {
            if let Some(answer) = timed(task, &*clock, &until) {
                drop(held);
                // Whoever asked may be gone: it was left behind.
                let _left = sender.send((at, answer));
            }
        }));
        match admitted {
            true => missing += 1,
            false => all[at].0 = Err(MemberError::Busy),
        }
    }
    for (at, task) in here {
        all[at] = timed(task, &**clock, deadline).unwrap_or_else(late);
    }
    while missing > 0 {
        let left = Duration::from_nanos(deadline.remaining_nanos());
        match answers.recv_timeout(left) {
            Ok((at, answered)) => all[at] = answered,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
        }
        missing -= 1;
    }
    let waited = (clock.nanos() - started) / 1_000;
    for (answer, took_us) in &mut all {
        if *took_us == 0 && matches!(answer, Err(MemberError::Late)) {
            *took_us = waited;
        }
    }
    all
}

/// Runs a task, unless the deadline is over.
fn timed<T>(task: impl FnOnce() -> T, clock: &dyn Clock, until: &Deadline) -> Option<Timed<T>> {
    let began = clock.nanos();
    if until.expired() {
        return None;
    }
    let failed = |_| MemberError::Failed("it panicked".to_owned());
    let answer = catch_unwind(AssertUnwindSafe(task)).map_err(failed);
    Some((answer, (clock.nanos() - began) / 1_000))
}
