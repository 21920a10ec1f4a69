//! Asking the dependency itself whether it is back.
//!
//! The calls that a breaker rejects can not tell when the outage is over, and waiting for the end of
//! `reset_timeout` costs healthy seconds after a short one and failed probes during a long one. Some
//! dependencies can be asked for next to nothing: PING, HeadBucket, `SELECT 1`. An [`ActiveProbe`] asks
//! while the breaker is open, and moves the end of the wait:
//!
//! | the dependency | the wait ends |
//! | --- | --- |
//! | answers | now: the next call is a probe |
//! | does not, or not in time | the whole of it from now; the level of the backoff stays |
//!
//! It never closes a breaker: that is for real calls to decide, because a server that answers PING
//! may still fail at everything else. It is started by a rejected call, so that nobody is asked for
//! whom nobody asks.

use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::task::AbortHandle;

use crate::cell::Cell;
use crate::clock::{Clock, Moment};

const TIMEOUT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_secs(1);

type Answer = Pin<Box<dyn Future<Output = bool> + Send>>;

/// A question to the dependency, asked while the breaker is open.
///
/// One at a time, started by a rejected call, on the tokio runtime in which that call is made. In a
/// call that is made outside of any runtime none is started, and the wait alone decides. On the default clock
/// the runtime's timer must be enabled. A panic counts as no answer. Dropping the last handle of the
/// breaker ends the one that is out; so the question must not hold such a handle itself.
///
/// An open breaker that an operator forced open is left alone, as is one that only observes.
///
/// ```
/// use std::time::Duration;
/// use circuit_layer::{ActiveProbe, CircuitBreaker};
/// # async fn ping() -> std::io::Result<()> { Ok(()) }
///
/// let breaker = CircuitBreaker::builder("cache")
///     .active_probe(ActiveProbe::new(ping).timeout(Duration::from_millis(500)))
///     .build()?;
/// # Ok::<(), circuit_layer::ConfigError>(())
/// ```
#[derive(Clone)]
pub struct ActiveProbe {
    ask: Arc<dyn Fn() -> Answer + Send + Sync>,
    timeout: Duration,
    pause: Duration,
}

impl ActiveProbe {
    /// Asks by `ask`. `Ok` is an answer, whatever it holds; an error is none.
    #[must_use]
    pub fn new<F, T, E>(ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let ask = move || -> Answer {
            let answer = ask();
            Box::pin(async move { answer.await.is_ok() })
        };
        Self { ask: Arc::new(ask), timeout: TIMEOUT, pause: PAUSE }
    }

    /// How long an answer may take. Default 3 s, as CockroachDB has it; zero is refused by the
    /// builder.
    #[must_use]
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How much time lies between two starts at the least, however many calls are rejected. Default
    /// 1 s.
    #[must_use]
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    pub(crate) fn is_in_time(&self) -> bool {
        !self.timeout.is_zero()
    }

    /// False when there is no answer in time.
    async fn answer(&self, clock: &Clock) -> bool {
        let mut late = clock.sleep_until(clock.now() + self.timeout);
        let mut answer = (self.ask)();
        let race = poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(answer),
            Poll::Pending => Pin::new(&mut late).poll(cx).map(|()| false),
        });
        race.await
    }
}

impl fmt::Debug for ActiveProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActiveProbe")
            .field("timeout", &self.timeout)
            .field("pause", &self.pause)
            .finish_non_exhaustive()
    }
}

/// The active probe of one breaker, and the one that is out.
pub(crate) struct Prober {
    probe: ActiveProbe,
    /// When the next may start.
    next: Moment,
    started: u64,
    out: Option<Out>,
}

/// A probe that is out. It has no task yet between being claimed and being started.
struct Out {
    number: u64,
    task: Option<AbortHandle>,
}

impl Drop for Out {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

/// What whoever claimed the start takes along.
pub(crate) struct Start {
    pub(crate) probe: ActiveProbe,
    pub(crate) clock: Clock,
    pub(crate) turn: Turn,
}

/// Which breaker asked, and in which generation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Turn {
    pub(crate) born: u64,
    pub(crate) generation: u64,
    /// Which of this breaker's active probes it is.
    pub(crate) number: u64,
}

impl Prober {
    pub(crate) const fn new(probe: ActiveProbe) -> Self {
        Self { probe, next: Moment::from_nanos(0), started: 0, out: None }
    }

    /// From when on a rejected call starts one.
    pub(crate) const fn due(&self) -> Moment {
        if self.out.is_some() { Moment::NEVER } else { self.next }
    }

    /// Asks another question from now on; the one that is out goes on.
    pub(crate) fn replace(&mut self, probe: ActiveProbe) -> ActiveProbe {
        std::mem::replace(&mut self.probe, probe)
    }

    /// The right to start one, for the first who comes.
    pub(crate) fn claim(&mut self, now: Moment) -> Option<(ActiveProbe, u64)> {
        (now >= self.due()).then(|| {
            self.next = now + self.probe.pause;
            self.started += 1;
            self.out = Some(Out { number: self.started, task: None });
            (self.probe.clone(), self.started)
        })
    }

    /// Keeps hold of the task, unless it has ended already.
    pub(crate) fn keep(&mut self, number: u64, task: AbortHandle) {
        if let Some(out) = self.out.as_mut().filter(|out| out.number == number) {
            out.task = Some(task);
        }
    }

    pub(crate) fn ended(&mut self) {
        if let Some(out) = &mut self.out {
            // The task is the one that says so: it need not be aborted.
            out.task = None;
        }
        self.out = None;
    }
}

/// Reports how the probe ended, once, even if its task is dropped with its runtime.
struct Report {
    cell: &'static Cell,
    turn: Turn,
    answered: Option<bool>,
}

impl Drop for Report {
    fn drop(&mut self) {
        self.cell.end_active_probe(self.turn, self.answered);
    }
}

/// The whole of one probe. It reports even if it is dropped before its first poll.
pub(crate) fn run(cell: &'static Cell, start: Start) -> impl Future<Output = ()> + Send {
    let Start { probe, clock, turn } = start;
    let report = Report { cell, turn, answered: None };
    let mut answer = Box::pin(async move { probe.answer(&clock).await });
    async move {
        // The whole of it, or it would stay behind and report at once.
        let mut report = report;
        let caught = poll_fn(|cx| {
            catch_unwind(AssertUnwindSafe(|| answer.as_mut().poll(cx)))
                .unwrap_or(Poll::Ready(false))
        });
        report.answered = Some(caught.await);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_start_has_a_number_of_its_own() {
        let mut prober = Prober::new(ActiveProbe::new(|| async { Ok::<_, ()>(()) }));
        let mut claim = |seconds: u64| {
            let claimed = prober.claim(Moment::from_nanos(seconds * 1_000_000_000));
            prober.ended();
            claimed.map(|(_, number)| number)
        };
        assert_eq!([0, 0, 1, 2].map(&mut claim), [Some(1), None, Some(2), Some(3)]);
    }
}
