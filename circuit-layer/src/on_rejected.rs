//! Rejections as ordinary answers.
//!
//! [`Error`](crate::Error) is honest and in the way: a stack that must not fail, such as a route of
//! axum, has no place for it, and everybody who has an answer for a rejected call wraps the breaker
//! to give it. So the answer can be given where the rejection is made, and the error stays that of
//! the inner service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::classify::Classify;
use crate::error::Rejected;
use crate::future::Admitted;
use crate::layer::CircuitBreakerLayer;
use crate::service::CircuitBreakerService;
use crate::settle::Settle;

impl<C, P> CircuitBreakerLayer<C, P> {
    /// Answers each rejected call by `answer`, with a response or with an error of the inner service.
    ///
    /// `answer` gets the rejection and the request that was not sent. It runs within `call`: it must
    /// not block, and a panic in it reaches the caller.
    ///
    /// ```
    /// use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, Rejected};
    /// use tower::{ServiceBuilder, ServiceExt, service_fn};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), std::io::Error> {
    /// let breaker = CircuitBreaker::new("search");
    /// breaker.force_open("maintenance", None);
    /// let layer = CircuitBreakerLayer::new(breaker)
    ///     .on_rejected(|_: Rejected, query: &'static str| Ok(format!("no news about {query}")));
    /// let service = ServiceBuilder::new().layer(layer).service(service_fn(
    ///     |query| async move { Ok::<_, std::io::Error>(format!("all about {query}")) },
    /// ));
    /// assert_eq!(service.oneshot("rust").await?, "no news about rust");
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn on_rejected<F, Request, T, E>(self, answer: F) -> OnRejectedLayer<C, P, F>
    where
        F: Fn(Rejected, Request) -> Result<T, E>,
    {
        OnRejectedLayer { breaker: self, answer }
    }
}

/// A [`CircuitBreakerLayer`] that answers rejected calls; see
/// [`on_rejected`](CircuitBreakerLayer::on_rejected).
#[derive(Clone)]
pub struct OnRejectedLayer<C, P, F> {
    breaker: CircuitBreakerLayer<C, P>,
    answer: F,
}

impl<S, C: Clone, P: Clone, F: Clone> Layer<S> for OnRejectedLayer<C, P, F> {
    type Service = OnRejectedService<S, C, P, F>;

    fn layer(&self, inner: S) -> Self::Service {
        OnRejectedService { inner: self.breaker.layer(inner), answer: self.answer.clone() }
    }
}

/// A [`CircuitBreakerService`] that answers rejected calls, with the readiness and the clones of one.
#[derive(Clone)]
pub struct OnRejectedService<S, C, P, F> {
    inner: CircuitBreakerService<S, C, P>,
    answer: F,
}

impl<S, C, P, F> OnRejectedService<S, C, P, F> {
    /// The service that rejects.
    pub const fn get_ref(&self) -> &CircuitBreakerService<S, C, P> {
        &self.inner
    }

    /// Unwraps the service that rejects.
    pub fn into_inner(self) -> CircuitBreakerService<S, C, P> {
        self.inner
    }
}

impl<S, C, P, F, Request> Service<Request> for OnRejectedService<S, C, P, F>
where
    S: Service<Request>,
    C: Classify<S::Response, S::Error> + Clone,
    P: Settle<S::Response> + Clone,
    F: Fn(Rejected, Request) -> Result<P::Response, S::Error>,
{
    type Response = P::Response;
    type Error = S::Error;
    type Future = OnRejectedFuture<S::Future, C, P, Result<P::Response, S::Error>>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_inner_ready(cx)
    }

    #[inline]
    fn call(&mut self, request: Request) -> Self::Future {
        let state = match self.inner.admit() {
            Ok(permit) => State::Admitted { call: self.inner.start(request, permit) },
            Err(rejected) => State::Answered { answer: Some((self.answer)(rejected, request)) },
        };
        OnRejectedFuture { state }
    }
}

pin_project! {
    /// The future of [`OnRejectedService`].
    ///
    /// # Cancellation
    ///
    /// As for [`ResponseFuture`](crate::ResponseFuture).
    ///
    /// # Panics
    ///
    /// A panic of the inner future counts as a failure and is resumed. A rejected call answers once:
    /// polled again after that, it is pending for good.
    #[must_use = "futures do nothing unless polled"]
    pub struct OnRejectedFuture<F, C, P, R> {
        #[pin]
        state: State<F, C, P, R>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F, C, P, R> {
        Admitted { #[pin] call: Admitted<F, C, P> },
        Answered { answer: Option<R> },
    }
}

impl<F, C, P, T, E> Future for OnRejectedFuture<F, C, P, Result<P::Response, E>>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    P: Settle<T>,
{
    type Output = Result<P::Response, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Admitted { call } => call.poll(cx),
            StateProjection::Answered { answer } => {
                answer.take().map_or(Poll::Pending, Poll::Ready)
            }
        }
    }
}

impl<C: fmt::Debug, P: fmt::Debug, F> fmt::Debug for OnRejectedLayer<C, P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnRejectedLayer").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

impl<S: fmt::Debug, C: fmt::Debug, P: fmt::Debug, F> fmt::Debug for OnRejectedService<S, C, P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnRejectedService").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl<F, C, P, R> fmt::Debug for OnRejectedFuture<F, C, P, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rejected = matches!(self.state, State::Answered { .. });
        f.debug_struct("OnRejectedFuture").field("rejected", &rejected).finish_non_exhaustive()
    }
}
