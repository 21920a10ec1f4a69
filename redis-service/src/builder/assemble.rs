//! Putting the stack together.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::HealthMetrics;
use circuit_layer::{Backoff, CircuitBreaker, CircuitBreakerLayer};
use tower::ServiceExt;
use tower_layer::Layer;

use super::RedisBuilder;
use crate::active_probe::Asker;
use crate::config::{ConfigReport, RedisConfig};
use crate::dial::Dial;
use crate::engine::Engine;
use crate::facade::{Loads, Redis, Shared};
use crate::fallback::listen::Listener;
use crate::fallback::{Core, FallbackLayer};
use crate::judge::Judge;
use crate::metrics::{Ledger, MetricsLayer};
use crate::request::Request;
use crate::service::{RedisService, ServiceConfig};
use crate::start::{Start, StartError};
use crate::target::Target;

/// The average latency up to which the health score loses nothing.
const TARGET_LATENCY: Duration = Duration::from_millis(100);

impl RedisBuilder {
    /// Builds the stack, and unless it starts lazily asks Redis for the first answer. That first
    /// `PING` goes past the breaker and the metrics.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn connect(mut self) -> Result<Redis, StartError> {
        let target = std::mem::replace(&mut self.target, Target::Node);
        let breaker = self.check()?;
        let config = self.config.as_ref().map_err(|error| StartError::Address(error.clone()))?;
        self.spans = self.spans.map(|_| target.spans(config));
        let listener = target.listener(config).map_err(StartError::Address)?;
        let made = target.engine(config, self.limits(), breaker.clock().clone());
        let (engine, report) = made.map_err(StartError::Address)?;
        self.stack(engine, report, breaker, listener).await
    }

    /// The same over any [`Dial`], instead of an address: a double in a test, or a way to Redis that
    /// this crate does not know. Nothing tells its [fallback](Self::fallback) which keys change.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub async fn connect_by(self, dial: impl Dial) -> Result<Redis, StartError> {
        let breaker = self.check()?;
        let report = RedisConfig::default().report_at(&dial.address());
        let service = RedisService::new(dial, self.limits(), breaker.clock().clone());
        self.stack(service.into(), report, breaker, None).await
    }

    async fn stack(
        self,
        engine: Engine,
        config: ConfigReport,
        breaker: CircuitBreaker,
        listener: Option<Listener>,
    ) -> Result<Redis, StartError> {
        if self.start == Start::Strict {
            engine.clone().oneshot(Request::Ping).await.map_err(StartError::Unreachable)?;
        }
        let core = |config| Core::new(config, breaker.clock().clone()).behind(&breaker);
        let fallback = self.fallback.map(|config| Arc::new(core(config)));
        if let (Some(core), Some(listener)) = (&fallback, listener)
            && core.config.tracking
        {
            listener.track(core, self.start == Start::Strict).await;
        }
        self.assemble(engine, config, breaker, fallback)
    }

    fn assemble(
        self,
        engine: Engine,
        config: ConfigReport,
        breaker: CircuitBreaker,
        fallback: Option<Arc<Core>>,
    ) -> Result<Redis, StartError> {
        if let Some(asker) = &self.asker {
            asker.knows(&engine);
        }
        let clock = breaker.clock().clone();
        let health = Arc::new(HealthMetrics::new(TARGET_LATENCY, clock.clone()));
        let ledger = Ledger::new(health, clock, self.spans);
        #[cfg(feature = "otel")]
        let ledger = match &self.metrics {
            Some(metrics) => ledger.exporting(metrics, self.instance.as_deref(), &breaker)?,
            None => ledger,
        };
        let ledger = Arc::new(ledger);
        let loads = Loads::new(self.max_loads);
        let shared = Shared::new(config, &engine, &ledger, &breaker, fallback.clone(), loads);
        let judged = CircuitBreakerLayer::new(breaker).classify(Judge).layer(engine);
        let counted = MetricsLayer::new(ledger).layer(judged);
        let remembering = FallbackLayer::over(fallback).deadline(self.service.deadline);
        Ok(Redis::new(remembering.layer(counted), shared))
    }

    /// Without asking for a first answer, and so without a wait.
    #[cfg(feature = "test-util")]
    pub(crate) fn in_memory(self) -> Result<Redis, StartError> {
        let breaker = self.check()?;
        let clock = breaker.clock().clone();
        let service = RedisService::new(crate::Memory::new(), self.limits(), clock);
        self.assemble(service.into(), ConfigReport::memory(), breaker, None)
    }

    fn check(&self) -> Result<CircuitBreaker, StartError> {
        if self.service.deadline.is_zero() || self.service.health_deadline.is_zero() {
            return Err(StartError::ZeroDeadline);
        }
        if let Some(breaker) = &self.breaker {
            return Ok(breaker.clone());
        }
        let mut breaker = CircuitBreaker::builder(&self.name)
            .fail_max(self.fail_max)
            .reset_timeout(self.reset_timeout)
            .half_open_max_attempts(self.half_open_max_attempts)
            .backoff(Backoff::exponential(2.0))
            .abandoned_after(self.service.deadline / 2);
        if let Some(asker) = &self.asker {
            let deadline = self.service.health_deadline.min(self.service.deadline);
            breaker = breaker.active_probe(asker.probe(deadline));
        }
        Ok(breaker.build()?)
    }

    /// A probe must find the dialling willing: no pause may outlast the breaker's wait, nor that
    /// between two active probes.
    fn limits(&self) -> ServiceConfig {
        let asked_after = self.asker.as_ref().map_or(Duration::MAX, Asker::pause);
        let pause = self.service.dial_pause.min(self.reset_timeout.min(asked_after) / 2);
        ServiceConfig { dial_pause: pause, ..self.service }
    }
}
