//! The service that [`CircuitBreakerLayer`](crate::CircuitBreakerLayer) makes.

use std::task::{Context, Poll, ready};

use tower_service::Service;

use crate::backpressure::Wait;
use crate::breaker::CircuitBreaker;
use crate::classify::{Classify, ErrorsAsFailures};
use crate::clock::Moment;
use crate::error::{Error, Rejected};
use crate::future::{Admitted, ResponseFuture};
use crate::permit::Permit;
use crate::settle::{AtOnce, Settle};

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
///
/// # Panics
///
/// A panic of the inner *future* counts as a failure and is resumed. One of the inner `call` itself, before
/// there is a future, reaches the caller and counts as nothing; a probe's slot comes back either way.
#[derive(Debug)]
pub struct CircuitBreakerService<S, C = ErrorsAsFailures, P = AtOnce> {
    inner: S,
    breaker: CircuitBreaker,
    classify: C,
    settle: P,
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

impl<S, C, P> CircuitBreakerService<S, C, P> {
    pub(crate) const fn new(inner: S, breaker: CircuitBreaker, classify: C, settle: P) -> Self {
        Self {
            inner,
            breaker,
            classify,
            settle,
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
            return Poll::Ready(self.breaker.rejects(now).then_some(now));
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

impl<S: Clone, C: Clone, P: Clone> Clone for CircuitBreakerService<S, C, P> {
    fn clone(&self) -> Self {
        // Readiness belongs to the instance that was polled.
        let (inner, breaker) = (self.inner.clone(), self.breaker.clone());
        Self::new(inner, breaker, self.classify.clone(), self.settle.clone())
            .with_backpressure(self.backpressure)
    }
}

impl<S, C, P, Request> Service<Request> for CircuitBreakerService<S, C, P>
where
    S: Service<Request>,
    C: Classify<S::Response, S::Error> + Clone,
    P: Settle<S::Response> + Clone,
{
    type Response = P::Response;
    type Error = Error<S::Error>;
    type Future = ResponseFuture<S::Future, C, P>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.poll_inner_ready(cx).map_err(Error::Inner)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        if let Some(generation) = self.admits_by_word() {
            let inner = self.inner.call(request);
            // The permit is made where it stays: to move it costs as much as the rest of the call.
            return ResponseFuture::admitted(Admitted::new(
                inner,
                self.classify.clone(),
                self.settle.clone(),
                self.breaker.permit(generation),
            ));
        }
        match self.admit_slowly() {
            Ok(permit) => ResponseFuture::admitted(self.start(request, permit)),
            Err(rejected) => ResponseFuture::rejected(rejected),
        }
    }
}

impl<S, C, P> CircuitBreakerService<S, C, P> {
    /// Ready once a call is sure of an answer: the inner service's or a rejection.
    #[inline]
    pub(crate) fn poll_inner_ready<Request>(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), S::Error>>
    where
        S: Service<Request>,
    {
        if self.breaker.admits_by_word().is_none()
            && let Some(now) = ready!(self.shut(cx))
        {
            self.readiness = Readiness::Shut(now);
            return Poll::Ready(Ok(()));
        }
        self.readiness = Readiness::Unknown;
        ready!(self.inner.poll_ready(cx))?;
        self.readiness = Readiness::Inner;
        Poll::Ready(Ok(()))
    }

    /// Uses up the readiness. Admits a call only if the inner service is ready for it.
    #[inline]
    pub(crate) fn admit(&mut self) -> Result<Permit, Rejected> {
        match self.admits_by_word() {
            Some(generation) => Ok(self.breaker.permit(generation)),
            None => self.admit_slowly(),
        }
    }

    /// Uses up the readiness if the inner service is ready and the published word admits.
    #[inline]
    fn admits_by_word(&mut self) -> Option<u64> {
        let ready = matches!(self.readiness, Readiness::Inner);
        let generation = ready.then(|| self.breaker.admits_by_word()).flatten()?;
        self.readiness = Readiness::Unknown;
        Some(generation)
    }

    #[cold]
    fn admit_slowly(&mut self) -> Result<Permit, Rejected> {
        match std::mem::replace(&mut self.readiness, Readiness::Unknown) {
            Readiness::Inner => self.breaker.admit(self.breaker.now()),
            Readiness::Shut(now) => Err(self.breaker.reject_unready(now)),
            Readiness::Unknown => Err(self.breaker.reject_unready(self.breaker.now())),
        }
    }

    /// Calls the inner service, which [`admit`](Self::admit) found ready.
    #[inline]
    pub(crate) fn start<Request>(
        &mut self,
        request: Request,
        permit: Permit,
    ) -> Admitted<S::Future, C, P>
    where
        S: Service<Request>,
        C: Clone,
        P: Clone,
    {
        let inner = self.inner.call(request);
        Admitted::new(inner, self.classify.clone(), self.settle.clone(), permit)
    }
}
