//! The service that [`CircuitBreakerLayer`](crate::CircuitBreakerLayer) makes.

use std::task::{Context, Poll, ready};

use tower_service::Service;

use crate::backpressure::Wait;
use crate::breaker::CircuitBreaker;
use crate::classify::ErrorsAsFailures;
use crate::clock::Moment;
use crate::error::Error;
use crate::future::{ResponseFuture, guard};

/// A service behind a breaker.
///
/// # Readiness
///
/// The breaker is asked first. While it would reject, `poll_ready` is ready without touching the
/// inner service, and `call` rejects: an error from `poll_ready` would make a balancer or a buffer
/// drop the service for good. `poll_ready` never reserves a probe. `call` admits only if the last
/// `poll_ready` of this instance readied the inner service, and calls that very instance.
///
/// # Clone
///
/// Clones share the breaker and nothing else. In particular they inherit no readiness.
#[derive(Debug)]
pub struct CircuitBreakerService<S, C = ErrorsAsFailures> {
    inner: S,
    breaker: CircuitBreaker,
    classify: C,
    readiness: Readiness,
    backpressure: bool,
    wait: Option<Wait>,
}

/// What the last `poll_ready` found, used up by `call`.
#[derive(Clone, Copy, Debug)]
enum Readiness {
    Unknown,
    /// The inner service is ready.
    Inner,
    /// The breaker would reject. The clock was read for that, and `call` need not read it again.
    Shut(Moment),
}

impl<S, C> CircuitBreakerService<S, C> {
    pub(crate) const fn new(inner: S, breaker: CircuitBreaker, classify: C) -> Self {
        Self {
            inner,
            breaker,
            classify,
            readiness: Readiness::Unknown,
            backpressure: false,
            wait: None,
        }
    }

    pub(crate) const fn with_backpressure(mut self, backpressure: bool) -> Self {
        self.backpressure = backpressure;
        self
    }

    /// The breaker.
    pub const fn breaker(&self) -> &CircuitBreaker {
        &self.breaker
    }

    /// The service inside.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside, mutably. It must not be polled ready or called behind the breaker's back.
    pub const fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Unwraps the service inside.
    pub fn into_inner(self) -> S {
        self.inner
    }

    /// Whether a call would be rejected now, with the time that was read to find out. Under
    /// backpressure it waits until none would be.
    #[cold]
    fn shut(&mut self, cx: &mut Context<'_>) -> Poll<Option<Moment>> {
        if !self.backpressure {
            let now = self.breaker.now();
            return Poll::Ready(self.breaker.forecast(now).map(|_| now));
        }
        loop {
            if let Some(wait) = &mut self.wait {
                ready!(wait.poll(cx));
            }
            self.wait = Wait::new(&self.breaker, self.breaker.now());
            if self.wait.is_none() {
                return Poll::Ready(None);
            }
        }
    }
}

impl<S: Clone, C: Clone> Clone for CircuitBreakerService<S, C> {
    fn clone(&self) -> Self {
        // Readiness belongs to the instance that was polled.
        Self::new(self.inner.clone(), self.breaker.clone(), self.classify.clone())
            .with_backpressure(self.backpressure)
    }
}

impl<S, C, Request> Service<Request> for CircuitBreakerService<S, C>
where
    S: Service<Request>,
    C: crate::Classify<S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = Error<S::Error>;
    type Future = ResponseFuture<S::Future, C>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if !self.breaker.admits_by_word()
            && let Some(now) = ready!(self.shut(cx))
        {
            self.readiness = Readiness::Shut(now);
            return Poll::Ready(Ok(()));
        }
        self.readiness = Readiness::Unknown;
        ready!(self.inner.poll_ready(cx)).map_err(Error::Inner)?;
        self.readiness = Readiness::Inner;
        Poll::Ready(Ok(()))
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        if matches!(self.readiness, Readiness::Inner)
            && let Some(permit) = self.breaker.admit_by_word()
        {
            self.readiness = Readiness::Unknown;
            return guard(self.inner.call(request), self.classify.clone(), permit);
        }
        self.call_slowly(request)
    }
}

impl<S, C: Clone> CircuitBreakerService<S, C> {
    #[cold]
    fn call_slowly<Request>(&mut self, request: Request) -> ResponseFuture<S::Future, C>
    where
        S: Service<Request>,
    {
        let readiness = std::mem::replace(&mut self.readiness, Readiness::Unknown);
        let admitted = match readiness {
            Readiness::Inner => self.breaker.admit(self.breaker.now()),
            Readiness::Shut(now) => Err(self.breaker.reject_unready(now)),
            Readiness::Unknown => Err(self.breaker.reject_unready(self.breaker.now())),
        };
        match admitted {
            Ok(permit) => guard(self.inner.call(request), self.classify.clone(), permit),
            Err(rejected) => ResponseFuture::rejected(rejected),
        }
    }
}
