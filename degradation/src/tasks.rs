//! The tasks that ask, one for each source, and one that waits for deadlines.
//!
//! One task for all would let one source that hangs keep the others from being heard. A task of its
//! own also puts the answers of one source in order without a lock.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use circuit_layer::{Clock, Moment, State};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::health::{Health, Status};
use crate::manager::Shared;
use crate::probed::ProbeFuture;
use crate::source::{HealthFuture, HealthSource, Wake};
use crate::sources::caught;

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
    let mut turn = Turn::default();
    let mut probe = None;
    loop {
        let health = ask(&*source, &shared.clock, timeout).await;
        let next = shared.clock.now() + pace.every;
        let totals = shared.sources.totals(index);
        if probe.is_none() && turn.has_come(&shared, index, &health, pace.every) {
            probe = caught(|| source.probe()).flatten();
        }
        shared.apply(None, |board, at| {
            board.hear(index, health, at.now);
            board.count(index, totals, at.now);
        });
        tokio::select! {
            () = notify.notified() => {}
            () = shared.clock.sleep_until(next) => {}
            () = end(&mut probe) => probe = None,
        }
    }
}

/// When a source is to be probed for those who were turned away.
#[derive(Default)]
struct Turn {
    /// How many had been by the last probe.
    shed: u64,
    /// No other before this moment.
    rests: Moment,
}

impl Turn {
    fn has_come(
        &mut self,
        shared: &Shared,
        index: usize,
        health: &Health,
        every: Duration,
    ) -> bool {
        let (now, shed) = (shared.clock.now(), shared.shed.total());
        let unwell = match shared.sources.breaker(index) {
            Some(breaker) => breaker.state() != State::Closed,
            None => health.status() == Status::Down,
        };
        let has_come = unwell && shed != self.shed && now >= self.rests;
        if has_come {
            *self = Self { shed, rests: now + every };
        }
        has_come
    }
}

/// Ends with the probe, or its panic; never without one.
async fn end(probe: &mut Option<ProbeFuture<'_>>) {
    let Some(probe) = probe else { return std::future::pending().await };
    let poll = |cx: &mut Context<'_>| {
        catch_unwind(AssertUnwindSafe(|| probe.as_mut().poll(cx))).unwrap_or(Poll::Ready(()))
    };
    std::future::poll_fn(poll).await;
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
