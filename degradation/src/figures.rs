//! A circuit breaker together with the figures of its calls.
//!
//! A breaker that is closed says nothing about a dependency that answers every fifth call, or
//! answers late. The figures do. This pair is also how a service crate's health reaches the
//! manager: such a crate has both, and no crate needs to know the other.

use std::sync::Arc;

use circuit_layer::{CircuitBreaker, HealthMetrics};

use crate::breaker::judge;
use crate::health::{HealthFuture, HealthSource, Wake};

/// The breaker decides whether the dependency is down, the figures how well it is.
impl HealthSource for (CircuitBreaker, Arc<HealthMetrics>) {
    fn health(&self) -> HealthFuture<'_> {
        let (breaker, metrics) = self;
        Box::pin(std::future::ready(judge(&breaker.snapshot(), |state| metrics.score(state))))
    }

    fn watch(&self, wake: Wake) {
        self.0.watch(wake);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use circuit_layer::Outcome;

    use super::*;
    use crate::health::Status;

    #[tokio::test]
    async fn the_figures_give_the_score_and_the_breaker_says_when_it_is_down() {
        let breaker = CircuitBreaker::new("redis");
        let clock = breaker.clock().clone();
        let metrics = Arc::new(HealthMetrics::new(Duration::from_millis(100), clock));
        let source = (breaker.clone(), Arc::clone(&metrics));
        assert_eq!(source.health().await.score(), 100, "no calls");
        for _ in 0..3 {
            metrics.record_success("get", Duration::from_millis(1));
        }
        metrics.record_failure("get", Duration::from_millis(1));
        let health = source.health().await;
        assert_eq!((health.score(), health.status()), (75, Status::Up));
        for _ in 0..5 {
            breaker.try_acquire().unwrap().record(Outcome::failure("timeout"));
        }
        let health = source.health().await;
        assert_eq!((health.score(), health.status()), (0, Status::Down));
    }
}
