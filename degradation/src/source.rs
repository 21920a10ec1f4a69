//! Where the health of one dependency comes from.
//!
//! The manager must not know what a dependency is: a breaker, a breaker with latency figures, a
//! closure of yours, a PING. So it asks a [`HealthSource`], every second and whenever the source
//! says that something has changed. A source that panics, hangs or is gone is reported as
//! [`Status::Unknown`](crate::Status::Unknown); it can never take the manager down.
//!
//! | source | tells |
//! | --- | --- |
//! | `CircuitBreaker` | closed 100; half-open 50, but down before its first success; open 0 and down |
//! | `(CircuitBreaker, Arc<HealthMetrics>)` | the same, with the score of the figures |
//! | `Fn() -> Health` | what the closure says; it must not block |
//! | [`asked(async …)`](asked()) | what an asynchronous check says, within the manager's timeout |
//! | `Weak<T>` | what `T` says, or unknown once it is gone |

mod asked;
mod within;

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;

use circuit_layer::CircuitBreaker;
use tokio::sync::Notify;

pub use self::asked::{Asked, asked};
pub use self::within::Within;
use crate::figures::{Figures, Showing};
use crate::health::Health;
use crate::probed::{ProbeFuture, Probed};

/// The future of [`HealthSource::health`].
pub type HealthFuture<'a> = Pin<Box<dyn Future<Output = Health> + Send + 'a>>;

/// Tells the health of one dependency.
pub trait HealthSource: Send + Sync + 'static {
    /// The health now.
    ///
    /// When: once while the manager is built, then in a task of its own, after each
    /// [wake](Wake::wake) and at least every second. A panic is caught and reported.
    ///
    /// # Cancellation
    ///
    /// The future is dropped when it takes longer than the manager's timeout, and, while the
    /// manager is built, when it does not answer at its first poll.
    fn health(&self) -> HealthFuture<'_>;

    /// Hands over the means to say that the health may have changed.
    ///
    /// When: once, while the manager is built, before the first question. A source that can not
    /// tell ignores it and is asked every second. A panic fails nothing.
    fn watch(&self, wake: Wake) {
        drop(wake);
    }

    /// The breaker that guards the dependency, for operators to force and for pages to show.
    ///
    /// When: whenever an operator or a page asks. It must not block; a panic counts as none.
    fn breaker(&self) -> Option<CircuitBreaker> {
        None
    }

    /// What there is to show besides the health.
    ///
    /// When: after each question, and whenever a page asks. It must not block; a panic counts as
    /// nothing to show.
    fn figures(&self) -> Figures {
        Figures::default()
    }

    /// How long an answer may take before the dependency is unknown; None for the manager's timeout.
    ///
    /// When: once, while the manager is built.
    fn timeout(&self) -> Option<Duration> {
        None
    }

    /// A call of the dependency, through its breaker, for the sake of the breaker alone. None: there is
    /// no such call. See [`probed_by`](Self::probed_by).
    ///
    /// When: in the task of this source, while the breaker is not closed, or without a breaker the
    /// dependency is down, and a [`DegradationLayer`](crate::DegradationLayer) has rejected a request
    /// since the last time; one at a time, and no sooner than
    /// [`check_every`](crate::DegradationBuilder::check_every) after the one before. A panic ends it.
    ///
    /// # Cancellation
    ///
    /// The future is dropped with the manager alone, so it must have a deadline of its own.
    fn probe(&self) -> Option<ProbeFuture<'_>> {
        None
    }

    /// Gives this source a timeout of its own, instead of the manager's
    /// ([`check_timeout`](crate::DegradationBuilder::check_timeout)).
    fn within(self, timeout: Duration) -> Within<Self>
    where
        Self: Sized,
    {
        Within { source: self, timeout }
    }

    /// Lets requests that are rejected lead to calls of the dependency, so that its breaker learns of
    /// its return even if the level keeps away all who would have called it. See [`Probed`].
    fn probed_by<F, Fut>(self, call: F) -> Probed<Self, F>
    where
        Self: Sized,
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future + Send + 'static,
    {
        Probed { source: self, call }
    }

    /// Shows more: `add` gets the figures and returns them with what it knows.
    ///
    /// ```
    /// use circuit_layer::CircuitBreaker;
    /// use degradation::HealthSource;
    ///
    /// let source = CircuitBreaker::new("redis")
    ///     .showing(|figures| figures.fallbacks(3).fact("pool", "12 of 50 connections"));
    /// # let _ = source.figures();
    /// ```
    fn showing<F>(self, add: F) -> Showing<Self, F>
    where
        Self: Sized,
        F: Fn(Figures) -> Figures + Send + Sync + 'static,
    {
        Showing { source: self, add }
    }
}

/// Wakes the manager to ask a source again. Clones wake the same manager; once that is gone, waking
/// does nothing.
#[derive(Clone)]
pub struct Wake(Weak<Notify>);

impl Wake {
    pub(crate) fn new(notify: &Arc<Notify>) -> Self {
        Self(Arc::downgrade(notify))
    }

    /// The health may have changed: ask again now. Never blocks; many wakes may cause one question.
    pub fn wake(&self) {
        if let Some(notify) = self.0.upgrade() {
            notify.notify_one();
        }
    }
}

impl fmt::Debug for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wake")
    }
}

impl<F: Fn() -> Health + Send + Sync + 'static> HealthSource for F {
    fn health(&self) -> HealthFuture<'_> {
        Box::pin(std::future::ready(self()))
    }
}

impl<T: HealthSource + ?Sized> HealthSource for Arc<T> {
    fn health(&self) -> HealthFuture<'_> {
        T::health(self)
    }

    fn watch(&self, wake: Wake) {
        T::watch(self, wake);
    }

    fn breaker(&self) -> Option<CircuitBreaker> {
        T::breaker(self)
    }

    fn figures(&self) -> Figures {
        T::figures(self)
    }

    fn timeout(&self) -> Option<Duration> {
        T::timeout(self)
    }

    fn probe(&self) -> Option<ProbeFuture<'_>> {
        T::probe(self)
    }
}

impl<T: HealthSource> HealthSource for Weak<T> {
    fn health(&self) -> HealthFuture<'_> {
        match self.upgrade() {
            Some(source) => Box::pin(async move { source.health().await }),
            None => Box::pin(std::future::ready(Health::unknown().detail("its source is gone"))),
        }
    }

    fn watch(&self, wake: Wake) {
        if let Some(source) = self.upgrade() {
            source.watch(wake);
        }
    }

    fn breaker(&self) -> Option<CircuitBreaker> {
        self.upgrade().and_then(|source| source.breaker())
    }

    fn figures(&self) -> Figures {
        self.upgrade().map(|source| source.figures()).unwrap_or_default()
    }

    fn timeout(&self) -> Option<Duration> {
        self.upgrade().and_then(|source| source.timeout())
    }

    fn probe(&self) -> Option<ProbeFuture<'_>> {
        let source = self.upgrade()?;
        Some(Box::pin(async move {
            if let Some(probe) = source.probe() {
                probe.await;
            }
        }))
    }
}
