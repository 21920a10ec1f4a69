//! What a source can show of a dependency besides its health.
//!
//! An operator who sees "down" asks next: since when, how many calls, how slow, what error, who
//! answers instead? The manager can not know; the source may. None of it decides anything.
//!
//! A breaker that is closed says nothing about a dependency that answers every fifth call, or
//! answers late. [`HealthMetrics`] do. The pair of both is also how a service crate's health
//! reaches the manager: such a crate has both, and no crate needs to know the other.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::health::HealthReport;
use circuit_layer::{CircuitBreaker, HealthMetrics};

use crate::breaker::judge;
use crate::probed::ProbeFuture;
use crate::source::{HealthFuture, HealthSource, Wake};

/// Figures of a dependency, for people. Everything is optional.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    pub(crate) calls: Option<HealthReport>,
    pub(crate) fallbacks: Option<u64>,
    pub(crate) last_error: Option<Arc<str>>,
    pub(crate) facts: Vec<(Arc<str>, Arc<str>)>,
}

impl Figures {
    /// Counts, rates, latencies and recent operations.
    #[must_use]
    pub fn calls(mut self, report: HealthReport) -> Self {
        self.calls = Some(report);
        self
    }

    /// How many calls something else has answered in its place, since the start.
    #[must_use]
    pub const fn fallbacks(mut self, served: u64) -> Self {
        self.fallbacks = Some(served);
        self
    }

    /// The last error, in the dependency's words. Pages show it, so it must hold no secret.
    #[must_use]
    pub fn last_error(mut self, text: impl Into<Arc<str>>) -> Self {
        self.last_error = Some(text.into());
        self
    }

    /// Anything else worth a line: `fact("pool", "12 of 50 connections")`.
    #[must_use]
    pub fn fact(mut self, name: impl Into<Arc<str>>, value: impl Into<Arc<str>>) -> Self {
        self.facts.push((name.into(), value.into()));
        self
    }
}

/// The breaker decides whether the dependency is down, the metrics how well it is.
impl HealthSource for (CircuitBreaker, Arc<HealthMetrics>) {
    fn health(&self) -> HealthFuture<'_> {
        let (breaker, metrics) = self;
        Box::pin(std::future::ready(judge(&breaker.snapshot(), |state| metrics.score(state))))
    }

    fn watch(&self, wake: Wake) {
        self.0.watch(wake);
    }

    fn breaker(&self) -> Option<CircuitBreaker> {
        Some(self.0.clone())
    }

    fn figures(&self) -> Figures {
        Figures::default().calls(self.1.report(&self.0.snapshot()))
    }
}

/// A source that shows more. See [`HealthSource::showing`].
#[derive(Clone, Copy, Debug)]
pub struct Showing<S, F> {
    pub(crate) source: S,
    pub(crate) add: F,
}

impl<S, F> HealthSource for Showing<S, F>
where
    S: HealthSource,
    F: Fn(Figures) -> Figures + Send + Sync + 'static,
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
        (self.add)(self.source.figures())
    }

    fn timeout(&self) -> Option<Duration> {
        self.source.timeout()
    }

    fn probe(&self) -> Option<ProbeFuture<'_>> {
        self.source.probe()
    }
}

#[cfg(test)]
mod tests {
    use circuit_layer::Outcome;

    use super::*;
    use crate::health::Status;

    #[tokio::test]
    async fn the_metrics_give_the_score_and_the_breaker_says_when_it_is_down() {
        let breaker = CircuitBreaker::new("redis");
        let clock = breaker.clock().clone();
        let metrics = Arc::new(HealthMetrics::new(Duration::from_millis(100), clock));
        let source =
            (breaker.clone(), Arc::clone(&metrics)).showing(|figures| figures.fallbacks(7));
        assert_eq!(source.health().await.score(), 100, "no calls");
        for _ in 0..3 {
            metrics.record_success("get", Duration::from_millis(1));
        }
        metrics.record_failure("get", Duration::from_millis(1));
        let health = source.health().await;
        assert_eq!((health.score(), health.status()), (75, Status::Up));
        let figures = source.figures();
        assert_eq!(figures.calls.map(|calls| (calls.successes, calls.failures)), Some((3, 1)));
        assert_eq!(figures.fallbacks, Some(7));
        for _ in 0..5 {
            breaker.try_acquire().unwrap().record(Outcome::failure("timeout"));
        }
        let health = source.health().await;
        assert_eq!((health.score(), health.status()), (0, Status::Down));
        source.breaker().expect("there is one").reset("over");
        assert_eq!(source.health().await.status(), Status::Up);
    }
}
