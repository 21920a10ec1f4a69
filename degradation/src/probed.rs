//! Calls by which a breaker learns what nobody else tells it.
//!
//! A breaker learns from calls alone. A low level keeps requests away, and with them the calls that they
//! would have made. So a service whose callers ask for nothing but what is shed stays as it is after the
//! outage is over: the level is low because the database is open, and that is open because nobody calls
//! it. Whoever is turned away would have called, so he may have a call made in his place:
//!
//! ```text
//!  request ─▶ DegradationLayer ─▶ 503       one more was shed
//!                                            ▼
//!             task of a source whose breaker is not closed ─▶ probe ─▶ breaker ─▶ dependency
//! ```
//!
//! It is an ordinary call, of the cheapest kind: rejected while the breaker waits, where it may start
//! the breaker's [active probe](circuit_layer::ActiveProbe); a probe once the wait is over; judged and
//! counted like any other. Without requests nobody is called.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use circuit_layer::CircuitBreaker;

use crate::figures::Figures;
use crate::source::{HealthFuture, HealthSource, Wake};

/// The future of [`HealthSource::probe`].
pub type ProbeFuture<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A source whose dependency is called in place of requests that were rejected. See
/// [`HealthSource::probed_by`].
///
/// The call must go through the dependency's breaker, have a deadline, and change nothing: a `PING`, a
/// `SELECT 1`. What it answers is for the breaker alone.
///
/// ```
/// use circuit_layer::CircuitBreaker;
/// use degradation::{DegradationManager, HealthSource};
///
/// # async fn ping() -> std::io::Result<()> { Ok(()) }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let database = CircuitBreaker::new("database");
/// let guarded = database.clone();
/// let probed = database.probed_by(move || {
///     let guarded = guarded.clone();
///     async move { guarded.call(ping()).await }
/// });
/// let manager = DegradationManager::builder().dependency("database", 100, probed).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy)]
pub struct Probed<S, F> {
    pub(crate) source: S,
    pub(crate) call: F,
}

impl<S, F, Fut> HealthSource for Probed<S, F>
where
    S: HealthSource,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
{
    fn health(&self) -> HealthFuture<'_> {
        self.source.health()
    }

    fn watch(&self, wake: Wake) {
        self.source.watch(wake);
    }

    fn breaker(&self) -> Option<CircuitBreaker> {
        self.source.breaker()
    }

    fn figures(&self) -> Figures {
        self.source.figures()
    }

    fn timeout(&self) -> Option<Duration> {
        self.source.timeout()
    }

    fn probe(&self) -> Option<ProbeFuture<'_>> {
        let call = (self.call)();
        Some(Box::pin(async move { drop(call.await) }))
    }
}

impl<S: fmt::Debug, F> fmt::Debug for Probed<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probed").field("source", &self.source).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "probed_tests.rs"]
mod tests;
