//! The typed client: a cheap handle on the whole stack.

mod blocking;
#[cfg(feature = "otel")]
mod gauges;
mod load;
mod loads;
mod operations;
mod others;
mod report;
mod role;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use circuit_layer::HealthMetrics;
use circuit_layer::{CircuitBreaker, CircuitBreakerService};
use redis::Value;
use tower::ServiceExt;
use tower_layer::Layer;
use tower_service::Service;

pub use blocking::End;
#[cfg(feature = "otel")]
pub use gauges::RedisGauges;
pub(crate) use loads::Loads;
pub use report::{Health, Status};
pub use role::Role;

use crate::builder::RedisBuilder;
use crate::config::ConfigReport;
use crate::engine::Engine;
use crate::error::Error;
use crate::fallback::{Answer, Core, Fallback};
use crate::judge::Judge;
use crate::metrics::{Ledger, Metrics};
use crate::request::Request;
use crate::target::Target;

/// The service that a [`Redis`] calls: the fallback around the metrics around the breaker around Redis.
pub type Stack = Fallback<Metrics<CircuitBreakerService<Engine, Judge>>>;

/// A typed client over the whole stack.
///
/// ```no_run
/// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
/// use redis_service::{Redis, SetOptions};
///
/// let redis = Redis::builder().url("redis://localhost:6379/0").connect().await?;
/// redis.set_with("greeting", "hello", SetOptions::new().ex(60)).await?;
/// let greeting: Option<String> = redis.get("greeting").await?;
/// assert_eq!(greeting.as_deref(), Some("hello"));
/// # Ok(())
/// # }
/// ```
///
/// Replies are decoded above all layers: a reply of another type than the one asked for is
/// [`Error::Decode`], moves no breaker and counts as an answer of Redis.
///
/// # Clone
///
/// Clones share everything, and cost three reference counts.
///
/// # Cancellation
///
/// Every call may be dropped at any time; see [`RedisService`](crate::RedisService).
#[derive(Clone)]
pub struct Redis<S = Stack> {
    service: S,
    shared: Arc<Shared>,
}

/// What all clones and all layerings of one client have in common.
pub(crate) struct Shared {
    config: ConfigReport,
    ledger: Arc<Ledger>,
    breaker: CircuitBreaker,
    engine: Engine,
    fallback: Option<Arc<Core>>,
    loads: Loads,
    role: role::Known,
}

impl Shared {
    pub(crate) fn new(
        config: ConfigReport,
        engine: &Engine,
        ledger: &Arc<Ledger>,
        breaker: &CircuitBreaker,
        fallback: Option<Arc<Core>>,
        loads: Loads,
    ) -> Self {
        Self {
            config,
            ledger: Arc::clone(ledger),
            breaker: breaker.clone(),
            engine: engine.clone(),
            fallback,
            loads,
            role: role::Known::default(),
        }
    }
}

impl Redis {
    /// Starts to build a client.
    pub fn builder() -> RedisBuilder {
        RedisBuilder::new(Target::Node)
    }

    /// Starts to build a client over a pool of your own. Its limits are listed at [`Pooled`](crate::Pooled).
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use redis_service::{Redis, bb8::Pool, bb8_redis::RedisConnectionManager};
    ///
    /// let manager = RedisConnectionManager::new("redis://localhost")?;
    /// let pool = Pool::builder().max_size(20).build(manager).await?;
    /// let redis = Redis::from_pool(pool).connect().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_pool(pool: bb8::Pool<bb8_redis::RedisConnectionManager>) -> RedisBuilder {
        RedisBuilder::new(Target::Pool(pool))
    }

    /// A client of an empty Redis [in memory](crate::Memory), for tests, with the defaults of the
    /// builder.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn memory() -> Self {
        #[expect(clippy::expect_used, reason = "the defaults keep every rule of the configuration")]
        Self::builder().in_memory().expect("the defaults are valid")
    }
}

impl<S> Redis<S> {
    pub(crate) fn new(service: S, shared: Shared) -> Self {
        Self { service, shared: Arc::new(shared) }
    }

    /// The service that is called, to be used without the typed operations.
    pub const fn service(&self) -> &S {
        &self.service
    }

    /// The same client with one more layer around it, such as a rate limit or a cache.
    #[must_use]
    pub fn layer<L: Layer<S>>(self, layer: &L) -> Redis<L::Service> {
        Redis { service: layer.layer(self.service), shared: self.shared }
    }

    /// The breaker.
    #[must_use]
    pub fn breaker(&self) -> &CircuitBreaker {
        &self.shared.breaker
    }

    /// The record that the health score is made from.
    #[must_use]
    pub fn health(&self) -> &Arc<HealthMetrics> {
        &self.shared.ledger.health
    }

    /// Refuses new calls, with an error of kind `connection`, and returns once those in flight have
    /// ended, each by its own deadline. Closes for all clones.
    ///
    /// # Cancellation
    ///
    /// Calls stay refused.
    pub async fn close(&self) {
        self.close_within(Duration::MAX).await;
    }

    /// The same, and returns after `bound` at the latest; then the calls that are still in flight are
    /// left to their own deadlines. True if all had ended.
    ///
    /// # Cancellation
    ///
    /// Calls stay refused.
    pub async fn close_within(&self, bound: Duration) -> bool {
        let drained = tokio::time::timeout(bound, self.shared.engine.close()).await.is_ok();
        if let Some(fallback) = &self.shared.fallback {
            fallback.stop_tracking();
        }
        drained
    }
}

impl<S> Redis<S>
where
    S: Service<Request> + Clone,
    Answer<Value>: From<S::Response>,
    Error: From<S::Error>,
{
    /// Sends any request and gives back the reply as it came.
    ///
    /// # Errors
    ///
    /// The breaker's rejection, or Redis' failure.
    pub async fn call(&self, request: impl Into<Request>) -> Result<Value, Error> {
        Ok(self.call_answer(request).await?.value)
    }

    /// The same, with where the reply comes from and how old it is.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn call_answer(&self, request: impl Into<Request>) -> Result<Answer<Value>, Error> {
        Ok(self.service.clone().oneshot(request.into()).await?.into())
    }
}

impl<S> fmt::Debug for Redis<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("config", &self.shared.config)
            .field("breaker", &self.shared.breaker)
            .finish_non_exhaustive()
    }
}
