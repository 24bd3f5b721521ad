//! Members that run beside the request, so that several share its time and a slow one can be left
//! behind: a thread cannot be cut off.

use std::fmt;
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
    let (sender, answers) = channel::<(usize, Answered)>();
    let started = clock.nanos();
    let mut all: Vec<Answered> = vec![(Err(MemberError::Late), 0); wanted.len()];
    let mut missing = 0;
    for (
        at,
        Wanted {
            member,
            outstanding,
        },
    ) in wanted.iter().enumerate()
    {
        let Some(held) = outstanding.hold() else {
            all[at].0 = Err(MemberError::Busy);
            continue;
        };
        let (member, row, sender) = (Arc::clone(member), Arc::clone(&row), sender.clone());
        let (clock, deadline) = (Arc::clone(clock), deadline.clone());
        let admitted = pool.run(Box::new(move || {
            let began = clock.nanos();
            let answer = predict_in_time(&member, &row, &deadline);
            drop(held);
            // Whoever asked may be gone: it was left behind.
            let _left = sender.send((at, (answer, (clock.nanos() - began) / 1_000)));
        }));
        match admitted {
            true => missing += 1,
            false => all[at].0 = Err(MemberError::Busy),
        }
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
        if *took_us == 0 && *answer == Err(MemberError::Late) {
            *took_us = waited;
        }
    }
    all
}
