//! Redis as a tower service.

mod execute;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use circuit_layer::Clock;
use redis::Value;
use tower_service::Service;

use crate::dial::Dial;
use crate::error::RedisError;
use crate::lanes::{Lanes, Limits, PoolReport};
use crate::request::Request;

/// Sends requests to Redis over one shared connection, in one pipeline where many are in flight. What
/// blocks, is a transaction, or is big has a connection to itself.
///
/// # Readiness
///
/// Always ready. What bounds the calls that wait is their deadline.
///
/// # Deadline
///
/// One per call; it covers the wait for a connection, the dial, the one repetition and the answer.
/// Keep an outer timeout longer than it: a call that is dropped before half its deadline teaches
/// nobody anything.
///
/// # Cancellation
///
/// A call that is dropped leaves the connection intact, and nobody gets its answer. Once it was
/// polled, Redis may execute it all the same.
///
/// # Order
///
/// Calls that are in flight at the same time may be executed in any order, even if one task made
/// them. Await the first before the second where the order matters, or use a pipeline.
///
/// # Repetition
///
/// If the connection is lost under a [repeatable](Request::is_repeatable) request, it is sent once
/// more over a new one, within the same deadline. So a restart of Redis between two reads is seen
/// by nobody. Nothing is sent again after a timeout.
///
/// # Clone
///
/// Clones share everything.
pub struct RedisService<D: Dial> {
    core: Arc<Core<D>>,
}

struct Core<D: Dial> {
    lanes: Arc<Lanes<D>>,
    deadline: Duration,
    health_deadline: Duration,
}

/// The time limits of a [`RedisService`] and the size of its pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceConfig {
    /// The deadline of a call; 500 ms.
    pub deadline: Duration,
    /// The deadline of a health check, where it is the shorter one; 250 ms.
    pub health_deadline: Duration,
    /// The limit of one dial, handshake included; 500 ms.
    pub dial_timeout: Duration,
    /// The longest pause after a failed dial; 1 s. The first is 50 ms.
    pub dial_pause: Duration,
    /// The most connections; 50. Never less than 2: the shared one and one to check out.
    pub connections: u32,
}

impl Default for ServiceConfig {
    fn default() -> Self {
        Self {
            deadline: Duration::from_millis(500),
            health_deadline: Duration::from_millis(250),
            dial_timeout: Duration::from_millis(500),
            dial_pause: Duration::from_secs(1),
            connections: 50,
        }
    }
}

impl<D: Dial> RedisService<D> {
    /// A service that dials when the first call wants a connection.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, because the pool tends its idle connections in a task.
    #[must_use]
    pub fn new(dial: D, config: ServiceConfig, clock: Clock) -> Self {
        let limits = Limits {
            connections: config.connections,
            dial: config.dial_timeout.max(Duration::from_millis(1)),
            pause: config.dial_pause,
        };
        let core = Core {
            lanes: Arc::new(Lanes::new(dial, limits, clock)),
            deadline: config.deadline,
            health_deadline: config.health_deadline.min(config.deadline),
        };
        Self { core: Arc::new(core) }
    }

    /// One call. A service that is always ready needs no exclusive access for it.
    pub(crate) fn send(
        &self,
        request: Request,
    ) -> Pin<Box<dyn Future<Output = Result<Value, RedisError>> + Send>> {
        let core = Arc::clone(&self.core);
        Box::pin(async move { core.execute(&request).await })
    }

    /// Where it dials to.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.core.lanes.address
    }

    /// Its connections.
    #[must_use]
    pub fn pool(&self) -> PoolReport {
        self.core.lanes.report()
    }

    /// Refuses new calls and returns once those in flight have ended, each by its own deadline.
    ///
    /// # Cancellation
    ///
    /// Calls stay refused.
    pub async fn close(&self) {
        self.core.lanes.close().await;
    }
}

impl<D: Dial> Clone for RedisService<D> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core) }
    }
}

impl<D: Dial> fmt::Debug for RedisService<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisService")
            .field("address", &self.address())
            .field("pool", &self.pool())
            .finish_non_exhaustive()
    }
}

impl<D: Dial> Service<Request> for RedisService<D> {
    type Response = Value;
    type Error = RedisError;
    type Future = Pin<Box<dyn Future<Output = Result<Value, RedisError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), RedisError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.send(request)
    }
}

#[cfg(test)]
mod tests;
