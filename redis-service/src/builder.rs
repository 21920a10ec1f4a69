//! Putting the stack together.

use std::sync::Arc;
use std::time::Duration;

use circuit_layer::HealthMetrics;
use circuit_layer::{Backoff, CircuitBreaker, CircuitBreakerLayer, ConfigError};
use tower::ServiceExt;
use tower_layer::Layer;

use crate::config::{ConfigReport, RedisConfig};
use crate::dial::{Dial, SingleNode};
use crate::engine::Engine;
use crate::facade::{Redis, Shared};
use crate::judge::Judge;
use crate::metrics::{Ledger, MetricsLayer};
use crate::request::Request;
use crate::service::{RedisService, ServiceConfig};
use crate::start::{Start, StartError};

/// The average latency up to which the health score loses nothing.
const TARGET: Duration = Duration::from_millis(100);

/// Builds a [`Redis`]. Made by [`Redis::builder`].
#[derive(Debug)]
#[must_use = "a builder does nothing until `connect` is called"]
pub struct RedisBuilder {
    config: Result<RedisConfig, redis::RedisError>,
    service: ServiceConfig,
    start: Start,
    name: String,
    fail_max: u32,
    reset_timeout: Duration,
    half_open_max_attempts: u32,
    breaker: Option<CircuitBreaker>,
    #[cfg(feature = "otel")]
    meter: Option<opentelemetry::metrics::Meter>,
}

impl RedisBuilder {
    pub(crate) fn new() -> Self {
        Self {
            config: Ok(RedisConfig::default()),
            service: ServiceConfig::default(),
            start: Start::Strict,
            name: "redis".to_owned(),
            fail_max: 5,
            reset_timeout: Duration::from_secs(60),
            half_open_max_attempts: 3,
            breaker: None,
            #[cfg(feature = "otel")]
            meter: None,
        }
    }

    /// Where Redis is. Replaces what was said before.
    pub fn config(mut self, config: RedisConfig) -> Self {
        self.config = Ok(config);
        self
    }

    /// Where Redis is, as a [URL](RedisConfig::from_url). A wrong one shows in
    /// [`connect`](Self::connect).
    pub fn url(mut self, url: &str) -> Self {
        self.config = RedisConfig::from_url(url);
        self
    }

    /// The host. Default `localhost`.
    pub fn host(self, host: impl Into<String>) -> Self {
        self.with(|config| config.host(host))
    }

    /// The port. Default 6379.
    pub fn port(self, port: u16) -> Self {
        self.with(|config| config.port(port))
    }

    /// The database. Default 0.
    pub fn db(self, db: i64) -> Self {
        self.with(|config| config.db(db))
    }

    /// The user. Default none.
    pub fn username(self, username: impl AsRef<str>) -> Self {
        self.with(|config| config.username(username))
    }

    /// The password. Default none.
    pub fn password(self, password: impl AsRef<str>) -> Self {
        self.with(|config| config.password(password))
    }

    fn with(mut self, change: impl FnOnce(RedisConfig) -> RedisConfig) -> Self {
        self.config = self.config.map(change);
        self
    }

    /// The deadline of every call. Default 500 ms.
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.service.deadline = deadline;
        self
    }

    /// The deadline of a health check, where it is the shorter one. Default 250 ms.
    pub const fn health_deadline(mut self, deadline: Duration) -> Self {
        self.service.health_deadline = deadline;
        self
    }

    /// The limit of one dial. Default 500 ms.
    pub const fn dial_timeout(mut self, limit: Duration) -> Self {
        self.service.dial_timeout = limit;
        self
    }

    /// The most connections. Default 50; at least 2 are allowed.
    pub const fn pool_size(mut self, connections: u32) -> Self {
        self.service.connections = connections;
        self
    }

    /// Whether it starts while Redis is down. Default [`Start::Strict`].
    pub const fn start(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// The breaker's name. Default `redis`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Trips after so many consecutive failures. Default 5.
    pub const fn fail_max(mut self, failures: u32) -> Self {
        self.fail_max = failures;
        self
    }

    /// How long the breaker rejects before it probes, doubled by each failed recovery up to 10
    /// minutes. Default 60 s.
    pub const fn reset_timeout(mut self, wait: Duration) -> Self {
        self.reset_timeout = wait;
        self
    }

    /// Probes that must succeed. Default 3.
    pub const fn half_open_max_attempts(mut self, probes: u32) -> Self {
        self.half_open_max_attempts = probes;
        self
    }

    /// A finished breaker, instead of the name and the three numbers above. Its `abandoned_after`
    /// should be below the deadline of the calls.
    pub fn breaker(mut self, breaker: CircuitBreaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Records the `redis_*` metrics with this meter.
    #[cfg(feature = "otel")]
    pub fn metrics(mut self, meter: &opentelemetry::metrics::Meter) -> Self {
        self.meter = Some(meter.clone());
        self
    }

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
    pub async fn connect(self) -> Result<Redis, StartError> {
        let config = self.config.as_ref().map_err(|error| StartError::Address(error.clone()))?;
        let report = config.report();
        let dial = config.info().and_then(SingleNode::new).map_err(StartError::Address)?;
        self.stack(dial, report).await
    }

    async fn stack(self, dial: impl Dial, config: ConfigReport) -> Result<Redis, StartError> {
        if self.service.deadline.is_zero() || self.service.health_deadline.is_zero() {
            return Err(StartError::ZeroDeadline);
        }
        let breaker = self.make_breaker()?;
        let clock = breaker.clock().clone();
        let engine = Engine::from(RedisService::new(dial, self.limits(), clock.clone()));
        if self.start == Start::Strict {
            engine.clone().oneshot(Request::Ping).await.map_err(StartError::Unreachable)?;
        }
        let health = Arc::new(HealthMetrics::new(TARGET, clock.clone()));
        let ledger = Ledger::new(health, clock);
        #[cfg(feature = "otel")]
        let ledger = match &self.meter {
            Some(meter) => ledger.exporting(meter, &breaker)?,
            None => ledger,
        };
        let ledger = Arc::new(ledger);
        let shared = Shared::new(config, &engine, &ledger, &breaker);
        let judged = CircuitBreakerLayer::new(breaker).classify(Judge).layer(engine);
        Ok(Redis::new(MetricsLayer::new(ledger).layer(judged), shared))
    }

    fn make_breaker(&self) -> Result<CircuitBreaker, ConfigError> {
        if let Some(breaker) = &self.breaker {
            return Ok(breaker.clone());
        }
        CircuitBreaker::builder(&self.name)
            .fail_max(self.fail_max)
            .reset_timeout(self.reset_timeout)
            .half_open_max_attempts(self.half_open_max_attempts)
            .backoff(Backoff::exponential(2.0))
            .abandoned_after(self.service.deadline / 2)
            .build()
    }

    /// A probe must find the dialling willing: no pause may outlast the breaker's wait.
    fn limits(&self) -> ServiceConfig {
        let pause = self.service.dial_pause.min(self.reset_timeout / 2);
        ServiceConfig { dial_pause: pause, ..self.service }
    }
}
