//! The future of a call through a breaker.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::classify::Classify;
use crate::error::{Error, Rejected};
use crate::outcome::Outcome;
use crate::permit::Permit;
use crate::settle::{AtOnce, Settle};

pin_project! {
    /// The future of [`CircuitBreakerService`](crate::CircuitBreakerService).
    ///
    /// # Cancellation
    ///
    /// Dropping it drops the inner future and gives the permit back; see
    /// [`Permit`].
    ///
    /// # Panics
    ///
    /// A panic of the inner future counts as a failure and is resumed. Polling again after
    /// completion does whatever the inner future does then.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F, C, P = AtOnce> {
        #[pin]
        call: Call<F, C, P>,
    }
}

pin_project! {
    #[project = CallProjection]
    #[derive(Debug)]
    enum Call<F, C, P> {
        Admitted { #[pin] call: Admitted<F, C, P> },
        Rejected { rejected: Rejected },
    }
}

pin_project! {
    /// A call that was admitted, with its permit.
    #[derive(Debug)]
    pub(crate) struct Admitted<F, C, P> {
        #[pin]
        inner: F,
        classify: C,
        settle: P,
        permit: Permit,
    }
}

impl<F, C, P> Admitted<F, C, P> {
    pub(crate) const fn new(inner: F, classify: C, settle: P, permit: Permit) -> Self {
        Self { inner, classify, settle, permit }
    }
}

impl<F, C, P> ResponseFuture<F, C, P> {
    pub(crate) const fn admitted(call: Admitted<F, C, P>) -> Self {
        Self { call: Call::Admitted { call } }
    }

    pub(crate) const fn rejected(rejected: Rejected) -> Self {
        Self { call: Call::Rejected { rejected } }
    }
}

impl<F, C, P, T, E> Future for Admitted<F, C, P>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    P: Settle<T>,
{
    type Output = Result<P::Response, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut watch = Watch::over(this.permit);
        let Poll::Ready(result) = this.inner.poll(cx) else {
            watch.calm = true;
            watch.permit.start_if_pending();
            return Poll::Pending;
        };
        let outcome = this.classify.classify(&result);
        watch.calm = true;
        if result.is_err() || !matches!(outcome, Outcome::Success) {
            watch.permit.settle(outcome);
        }
        // After that the permit is spent, and settling it again does nothing.
        Poll::Ready(result.map(|response| this.settle.settle_in_place(response, watch.permit)))
    }
}

impl<F, C, P, T, E> Future for ResponseFuture<F, C, P>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    P: Settle<T>,
{
    type Output = Result<P::Response, Error<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project().call.project() {
            CallProjection::Admitted { call } => ready!(call.poll(cx)).map_err(Error::Inner),
            CallProjection::Rejected { rejected } => Err(Error::Rejected(*rejected)),
        })
    }
}

/// Stands around foreign code and settles the permit as panicked if that code unwinds.
///
/// Asking `thread::panicking` in the permit's own `Drop` would blame the dependency for futures that
/// are dropped while the thread unwinds from something else.
pub(crate) struct Watch<'a> {
    permit: &'a mut Permit,
    pub(crate) calm: bool,
}

impl<'a> Watch<'a> {
    #[inline]
    pub(crate) const fn over(permit: &'a mut Permit) -> Self {
        Self { permit, calm: false }
    }
}

impl Drop for Watch<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.calm {
            self.permit.settle(Outcome::PANICKED);
        }
    }
}
