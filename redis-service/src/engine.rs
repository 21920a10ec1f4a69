//! A [`RedisService`], whatever it dials.
//!
//! A program keeps its client in a field, a test puts another one there, and the operators move from
//! one node to a cluster. If the type of the client told what is dialled, each of these would be
//! another type. `RedisService` answers with a boxed future anyway, so forgetting the type here costs
//! nothing more.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use redis::Value;
use tower_service::Service;

use crate::dial::Dial;
use crate::error::RedisError;
use crate::lanes::PoolReport;
use crate::request::Request;
use crate::service::RedisService;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An engine that this does not keep alive.
pub(crate) struct WeakEngine(Weak<dyn Node>);

impl WeakEngine {
    pub(crate) fn upgrade(&self) -> Option<Engine> {
        self.0.upgrade().map(Engine)
    }
}

/// The service at the bottom of a client: a [`RedisService`] without the type of what it dials.
///
/// Readiness, deadline, cancellation and cloning are those of [`RedisService`].
#[derive(Clone)]
pub struct Engine(Arc<dyn Node>);

trait Node: Send + Sync {
    fn call(&self, request: Request) -> Boxed<'static, Result<Value, RedisError>>;
    fn address(&self) -> &str;
    fn pool(&self) -> PoolReport;
    fn close(&self) -> Boxed<'_, ()>;
}

impl<D: Dial> Node for RedisService<D> {
    fn call(&self, request: Request) -> Boxed<'static, Result<Value, RedisError>> {
        self.send(request)
    }

    fn address(&self) -> &str {
        Self::address(self)
    }

    fn pool(&self) -> PoolReport {
        Self::pool(self)
    }

    fn close(&self) -> Boxed<'_, ()> {
        Box::pin(Self::close(self))
    }
}

impl Engine {
    /// Where it dials to.
    #[must_use]
    pub fn address(&self) -> &str {
        self.0.address()
    }

    pub(crate) fn downgrade(&self) -> WeakEngine {
        WeakEngine(Arc::downgrade(&self.0))
    }

    /// Its connections.
    #[must_use]
    pub fn pool(&self) -> PoolReport {
        self.0.pool()
    }

    /// Refuses new calls and returns once those in flight have ended, each by its own deadline.
    ///
    /// # Cancellation
    ///
    /// Calls stay refused.
    pub async fn close(&self) {
        self.0.close().await;
    }
}

impl fmt::Debug for WeakEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WeakEngine")
    }
}

impl<D: Dial> From<RedisService<D>> for Engine {
    fn from(service: RedisService<D>) -> Self {
        Self(Arc::new(service))
    }
}

impl Service<Request> for Engine {
    type Response = Value;
    type Error = RedisError;
    type Future = Boxed<'static, Result<Value, RedisError>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), RedisError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.0.call(request)
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("address", &self.address())
            .field("pool", &self.pool())
            .finish_non_exhaustive()
    }
}
