//! The layer and its service.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use circuit_layer::{CircuitBreaker, Clock, State};
use redis::Value;
use tokio::sync::Notify;
use tower_layer::Layer;
use tower_service::Service;

use super::future::Answering;
use super::local::Local;
use super::oldest::Oldest;
use super::plan::Plan;
use super::tracker::Tracker;
use super::{Answer, FallbackConfig, Source};
use crate::cache::era::News;
use crate::cache::{Cache, Stamp};
use crate::classify::ErrorKind;
use crate::error::Error;
use crate::request::Request;

/// What all clones of a fallback share.
pub(crate) struct Core {
    pub(crate) cache: Cache,
    pub(crate) config: FallbackConfig,
    pub(crate) clock: Clock,
    pub(super) local: Local,
    /// The one between here and Redis, if it is known.
    breaker: Option<CircuitBreaker>,
    /// Redis has answered after it was out of reach.
    pub(super) served: Arc<Notify>,
    pub(super) tracker: Tracker,
    pub(super) from_memory: AtomicU64,
    pub(super) oldest: Oldest,
}

impl Core {
    pub(crate) fn new(config: FallbackConfig, clock: Clock) -> Self {
        Self {
            cache: Cache::new(config.bounds()),
            config,
            clock,
            local: Local::default(),
            breaker: None,
            served: Arc::default(),
            tracker: Tracker::default(),
            from_memory: AtomicU64::new(0),
            oldest: Oldest::default(),
        }
    }

    /// With this breaker between it and Redis.
    pub(crate) fn behind(self, breaker: &CircuitBreaker) -> Self {
        Self { breaker: Some(breaker.clone()), ..self }
    }

    /// Whether a call that needs no deletion may set one off. A failure of it must not be what opens a
    /// half-open breaker again, nor may it take the place of a call.
    fn may_delete_by_the_way(&self) -> bool {
        let is_half_open = |breaker: &CircuitBreaker| breaker.state() == State::HalfOpen;
        self.local.is_due() && !self.breaker.as_ref().is_some_and(is_half_open)
    }

    /// Learns from what became of a call that was begun at `begun`, and answers if Redis did not.
    pub(super) fn resolve(
        &self,
        plan: Plan,
        outcome: Result<Value, Error>,
        begun: Stamp,
    ) -> Result<Answer<Value>, Error> {
        let error = match outcome {
            Ok(value) => {
                self.reached(begun);
                plan.done(self, &value, self.clock.now());
                return Ok(Answer::fresh(value));
            }
            Err(error) => error,
        };
        self.instead(plan, error, Some(begun))
    }

    /// The answer in place of a call that has failed and was begun then; without that, if it was heard of
    /// before.
    pub(super) fn instead(
        &self,
        mut plan: Plan,
        error: Error,
        begun: Option<Stamp>,
    ) -> Result<Answer<Value>, Error> {
        plan.failed(self, matches!(&error, Error::Redis(redis) if redis.maybe_applied()));
        if let Some(begun) = begun {
            self.failed(&error, begun);
        }
        if !is_outage(&error) {
            return Err(error);
        }
        let answer = plan.answer(self, self.clock.now()).ok_or(error)?;
        self.from_memory.fetch_add(1, Ordering::Relaxed);
        self.oldest.served(answer.age);
        Ok(answer)
    }

    /// A call that was begun then has failed.
    fn failed(&self, error: &Error, begun: Stamp) {
        if !is_outage(error) {
            self.answered(error, begun);
            return;
        }
        let out_of_reach = error.is_rejected() || error.kind() == Some(ErrorKind::Connection);
        if out_of_reach && begun.cut().is_none() {
            self.cache.hear(News::Failed);
        }
        self.local.reached(false);
    }

    /// Redis may have answered a call that was begun then, with an error that is the caller's.
    pub(super) fn answered(&self, error: &Error, begun: Stamp) {
        if matches!(error, Error::Redis(redis) if redis.code().is_some()) {
            self.reached(begun);
        }
    }

    /// Redis answered a call that was begun then.
    pub(super) fn reached(&self, begun: Stamp) {
        if self.cache.served(begun) {
            self.served.notify_one();
        }
        self.local.reached(true);
        // An answer that was on its way since before the outage does not end it.
        if self.oldest.is_set() && !self.cache.era().is_cut() {
            self.oldest.forget();
        }
    }
}

/// Whether an error is Redis's fault.
pub(super) const fn is_outage(error: &Error) -> bool {
    match error {
        Error::Rejected(_) => true,
        Error::Redis(redis) => redis.counts(),
        Error::Decode { .. } | Error::Load(_) => false,
    }
}

/// Adds a [fallback](crate::fallback) to a service.
///
/// Each application of one layer, and each clone, shares one memory. Without
/// [`Redis::builder`](crate::Redis::builder) nobody tells which keys change, so values age from when
/// they were read.
#[derive(Clone, Debug)]
pub struct FallbackLayer {
    core: Option<Arc<Core>>,
    deadline: Option<Duration>,
}

impl FallbackLayer {
    /// An empty memory.
    #[must_use]
    pub fn new(config: FallbackConfig) -> Self {
        Self::over(Some(Arc::new(Core::new(config, Clock::default()))))
    }

    pub(crate) const fn over(core: Option<Arc<Core>>) -> Self {
        Self { core, deadline: None }
    }

    /// The deadline that the service inside sets a call, so that one which waits for the deletion of what
    /// was [written locally](FallbackConfig::local_writes) has no second one after that. By then it fails
    /// with [`RedisError::Timeout`](crate::RedisError::Timeout), and what it has sent is dropped. Without
    /// it such a call may take two.
    ///
    /// Calls with a deadline need a tokio runtime.
    #[must_use]
    pub const fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }
}

impl<S> Layer<S> for FallbackLayer {
    type Service = Fallback<S>;

    fn layer(&self, inner: S) -> Fallback<S> {
        Fallback { inner, core: self.core.clone(), deadline: self.deadline }
    }
}

/// The service of [`FallbackLayer`].
///
/// # Readiness
///
/// That of the service inside. It answers in place of a call, never in place of `poll_ready`.
///
/// # Cancellation
///
/// A write that is dropped may have done anything: its key is forgotten.
#[derive(Clone, Debug)]
pub struct Fallback<S> {
    inner: S,
    core: Option<Arc<Core>>,
    deadline: Option<Duration>,
}

impl<S> Service<Request> for Fallback<S>
where
    S: Service<Request, Response = Value> + Clone + Send + 'static,
    S::Future: Send,
    Error: From<S::Error>,
{
    type Response = Answer<Value>;
    type Error = Error;
    type Future = Answering<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx).map_err(Error::from)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Some(core) = &self.core else { return Answering::plain(self.inner.call(request)) };
        if core.local.comes_before(&request) {
            // What was readied is let go of: the deletion may need the place that it holds.
            let clone = self.inner.clone();
            self.inner = clone.clone();
            let core = Arc::clone(core);
            return Answering::after(Box::pin(core.send_behind(clone, request, self.deadline)));
        }
        if core.may_delete_by_the_way() {
            // It goes on by itself, and the call without it.
            drop(core.deletion(&self.inner));
        }
        let begun = core.cache.stamp();
        let plan = Plan::of(core, &request, core.clock.now());
        Answering::asking(self.inner.call(request), Arc::clone(core), plan, begun)
    }
}

impl Core {
    /// What is remembered of a key after Redis had nothing and it could not be loaded.
    pub(crate) fn ended(&self, key: &bytes::Bytes) -> Option<Answer<Value>> {
        let found = self.cache.find_ended(key, self.clock.now(), self.config.max_age)?;
        let value = Value::BulkString(found.value?.into());
        Some(Answer { value, source: Source::Memory, age: found.age })
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("config", &self.config).finish_non_exhaustive()
    }
}
