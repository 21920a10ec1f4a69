//! The service of a [`DegradationLayer`], and what it does with readiness.
//!
//! Readiness is asked for before there is a request, and only the request tells whether it will be
//! shed. Two mistakes lie here. A busy inner service would keep a request waiting that is to be
//! rejected at once, and at the worst time. And a readiness that was reserved for a request that is
//! then shed, a slot of a concurrency limit say, would be held for nothing until the next request
//! comes. So:
//!
//! | inner is | nothing is shed now | something is |
//! | --- | --- | --- |
//! | ready | ready | ready |
//! | pending | pending: backpressure as without the layer | ready, for what is shed |
//!
//! Whoever waits on the left is woken when the table moves on to the right: an inner service that is
//! stuck would never do it.
//!
//! A request that passes is given to the inner service that was readied, in place. One that passes
//! while inner is pending waits in its future, with the instance that is in line. One that is shed
//! gives back what it has reserved, a slot or a place in the line for one, by replacing the instance
//! with a clone: clones inherit neither.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::ResponseBody;
use crate::layer::{DegradationLayer, Shedding};

/// A service behind a [`DegradationLayer`].
///
/// An error of the inner service's readiness is passed on, also to requests that would be shed.
///
/// # Clone
///
/// A clone shares the manager and has a clone of the inner service; it inherits no readiness.
pub struct DegradationService<S> {
    inner: S,
    layer: DegradationLayer,
    /// Whether the last `poll_ready` readied `inner`.
    ready: bool,
    /// While `inner` is waited for and nothing is shed: completes when something is.
    shedding: Option<Shedding>,
}

impl<S> DegradationService<S> {
    pub(crate) const fn new(inner: S, layer: DegradationLayer) -> Self {
        Self { inner, layer, ready: false, shedding: None }
    }

    /// The inner service.
    pub const fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The inner service, without the layer.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S: Clone> Clone for DegradationService<S> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), self.layer.clone())
    }
}

impl<S: fmt::Debug> fmt::Debug for DegradationService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DegradationService")
            .field("inner", &self.inner)
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}

impl<S, A, B> Service<Request<A>> for DegradationService<S>
where
    S: Service<Request<A>, Response = Response<B>> + Clone,
{
    type Response = Response<ResponseBody<B>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, A, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let polled = self.inner.poll_ready(cx);
        self.ready = matches!(polled, Poll::Ready(Ok(())));
        if polled.is_ready() {
            self.shedding = None;
            return polled;
        }
        let shedding = self.shedding.get_or_insert_with(|| self.layer.shedding());
        ready!(shedding.as_mut().poll(cx));
        self.shedding = None;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<A>) -> Self::Future {
        let ready = std::mem::take(&mut self.ready);
        let state = match self.layer.decide(&mut request) {
            Some(rejection) => {
                self.inner = self.inner.clone();
                State::Rejected { response: Some(rejection.answer(request.headers())) }
            }
            None if ready => State::Called { future: self.inner.call(request) },
            None => {
                let next = self.inner.clone();
                let inner = std::mem::replace(&mut self.inner, next);
                State::Waiting { inner, request: Some(request) }
            }
        };
        ResponseFuture { state }
    }
}

pin_project! {
    /// The future of [`DegradationService`].
    ///
    /// # Cancellation
    ///
    /// Dropping it drops the inner call, or the place in the line for it.
    pub struct ResponseFuture<S, A, B>
    where
        S: Service<Request<A>>,
    {
        #[pin]
        state: State<S, S::Future, A, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, A, B> {
        Waiting { inner: S, request: Option<Request<A>> },
        Called { #[pin] future: F },
        Rejected { response: Option<Response<ResponseBody<B>>> },
    }
}

impl<S, A, B> Future for ResponseFuture<S, A, B>
where
    S: Service<Request<A>, Response = Response<B>>,
{
    type Output = Result<Response<ResponseBody<B>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let future = match state.as_mut().project() {
                StateProjection::Called { future } => {
                    return future.poll(cx).map_ok(|response| response.map(ResponseBody::inner));
                }
                StateProjection::Rejected { response } => match response.take() {
                    Some(response) => return Poll::Ready(Ok(response)),
                    None => return Poll::Pending,
                },
                StateProjection::Waiting { inner, request } => {
                    ready!(inner.poll_ready(cx))?;
                    match request.take() {
                        Some(request) => inner.call(request),
                        None => return Poll::Pending,
                    }
                }
            };
            state.set(State::Called { future });
        }
    }
}

impl<S, A, B> fmt::Debug for ResponseFuture<S, A, B>
where
    S: Service<Request<A>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseFuture")
    }
}

#[cfg(test)]
#[path = "service_tests.rs"]
mod tests;
