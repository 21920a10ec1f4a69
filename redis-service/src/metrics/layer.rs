//! The layer that counts what passes through.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use circuit_layer::{Error, Moment, abandons};
use pin_project_lite::pin_project;
use redis::Value;
use tower_layer::Layer;
use tower_service::Service;
use tracing::instrument::{Instrument, Instrumented};

use super::{Answer, Ledger};
use crate::error::RedisError;
use crate::spans;
use crate::{Operation, Request};

/// Counts what passes through.
#[derive(Clone, Debug)]
pub struct MetricsLayer {
    ledger: Arc<Ledger>,
}

impl MetricsLayer {
    pub(crate) const fn new(ledger: Arc<Ledger>) -> Self {
        Self { ledger }
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = Metrics<S>;

    fn layer(&self, inner: S) -> Metrics<S> {
        Metrics { inner, ledger: Arc::clone(&self.ledger) }
    }
}

/// The service of [`MetricsLayer`]. Clones count together.
#[derive(Clone, Debug)]
pub struct Metrics<S> {
    inner: S,
    ledger: Arc<Ledger>,
}

impl<S> Service<Request> for Metrics<S>
where
    S: Service<Request, Response = Value, Error = Error<RedisError>>,
{
    type Response = Value;
    type Error = Error<RedisError>;
    type Future = Counted<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let operation = request.operation();
        let (since, waits) = (self.ledger.clock.now(), request.waits());
        let (ledger, span) = (Arc::clone(&self.ledger), self.ledger.span(&request));
        let inner = span.in_scope(|| self.inner.call(request)).instrument(span);
        Counted { inner: Some(inner), ledger, operation, since, waits }
    }
}

pin_project! {
    /// The future of [`Metrics`].
    ///
    /// # Cancellation
    ///
    /// Dropped before it is ready it counts nothing, unless its breaker takes that for a failure: then it
    /// counts as one, of kind `timeout`.
    #[derive(Debug)]
    pub struct Counted<F> {
        // None once the call has ended.
        #[pin]
        inner: Option<Instrumented<F>>,
        ledger: Arc<Ledger>,
        operation: Operation,
        since: Moment,
        waits: bool,
    }

    impl<F> PinnedDrop for Counted<F> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() && abandons(|| this.inner.set(None)) {
                this.ledger.abandoned(*this.operation, *this.since);
            }
        }
    }
}

impl<F: Future<Output = Answer>> Future for Counted<F> {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Pending };
        let answer = ready!(inner.as_mut().poll(cx));
        spans::close(inner.span(), &answer);
        this.inner.set(None);
        this.ledger.record(*this.operation, *this.since, *this.waits, &answer);
        Poll::Ready(answer)
    }
}
