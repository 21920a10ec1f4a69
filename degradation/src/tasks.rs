//! The tasks that ask, one for each source, and one that waits for deadlines.
//!
//! One task for all would let one source that hangs keep the others from being heard. A task of its
//! own also puts the answers of one source in order without a lock.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_layer::{Clock, Moment};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::health::Health;
use crate::manager::Shared;
use crate::source::{HealthFuture, HealthSource, Wake};

/// How often to ask and how long to wait for an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) every: Duration,
    pub(crate) timeout: Duration,
}

/// A source, and what it wakes.
pub(crate) struct Watched {
    pub(crate) source: Arc<dyn HealthSource>,
    pub(crate) notify: Arc<Notify>,
    /// Its own, instead of the pace's.
    pub(crate) timeout: Option<Duration>,
}

pub(crate) fn spawn(
    runtime: &Handle,
    shared: &Arc<Shared>,
    watched: Vec<Watched>,
    pace: Pace,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for (index, watched) in watched.into_iter().enumerate() {
        tasks.spawn_on(follow(Arc::clone(shared), index, watched, pace), runtime);
    }
    tasks.spawn_on(keep_deadlines(Arc::clone(shared)), runtime);
    tasks
}

/// Asks one source for as long as the manager lives.
async fn follow(shared: Arc<Shared>, index: usize, watched: Watched, pace: Pace) {
    let Watched { source, notify, timeout } = watched;
    let timeout = timeout.unwrap_or(pace.timeout);
    loop {
        let health = ask(&*source, &shared.clock, timeout).await;
        let next = shared.clock.now() + pace.every;
        let totals = shared.sources.totals(index);
        shared.apply(None, |board, at| {
            board.hear(index, health, at.now);
            board.count(index, totals, at.now);
        });
        tokio::select! {
            () = notify.notified() => {}
            () = shared.clock.sleep_until(next) => {}
        }
    }
}

/// Decides again when time alone changes the decision.
async fn keep_deadlines(shared: Arc<Shared>) {
    loop {
        let due = shared.look(|board, _| board.deadline()).unwrap_or(Moment::NEVER);
        tokio::select! {
            () = shared.rearm.notified() => {}
            () = shared.clock.sleep_until(due) => shared.apply(None, |_, _| {}),
        }
    }
}

/// Asks, and turns a panic or a hang into an answer.
async fn ask(source: &dyn HealthSource, clock: &Clock, timeout: Duration) -> Health {
    let deadline = clock.now() + timeout;
    let mut asking: HealthFuture<'_> = Box::pin(async move { source.health().await });
    let answer = std::future::poll_fn(|cx| poll(&mut asking, cx));
    tokio::select! {
        biased;
        health = answer => health,
        () = clock.sleep_until(deadline) => {
            Health::unknown().detail(format!("its source did not answer within {timeout:?}"))
        }
    }
}

/// The answer of a source that has it at hand.
pub(crate) fn ask_at_once(source: &dyn HealthSource) -> Health {
    let mut asking: HealthFuture<'_> = Box::pin(async move { source.health().await });
    match poll(&mut asking, &mut Context::from_waker(Waker::noop())) {
        Poll::Ready(health) => health,
        Poll::Pending => Health::unknown().detail("not seen yet"),
    }
}

/// Lets a source know whom to wake. Without it, the source is asked every second all the same.
pub(crate) fn watch(source: &dyn HealthSource, wake: Wake) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| source.watch(wake))) {
        tracing::warn!(panic = said(&*panic), "a health source can not be watched");
    }
}

fn poll(asking: &mut HealthFuture<'_>, cx: &mut Context<'_>) -> Poll<Health> {
    catch_unwind(AssertUnwindSafe(|| asking.as_mut().poll(cx))).unwrap_or_else(|panic| {
        Poll::Ready(Health::unknown().detail(format!("its source panicked: {}", said(&*panic))))
    })
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("(no message)")
}
