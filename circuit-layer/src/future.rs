//! The future of a call through a breaker.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::classify::Classify;
use crate::error::{Error, Rejected};
use crate::outcome::Outcome;
use crate::permit::Permit;

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
    pub struct ResponseFuture<F, C> {
        #[pin]
        state: Call<F, C>,
    }
}

pin_project! {
    #[project = CallProjection]
    #[derive(Debug)]
    enum Call<F, C> {
        Admitted { #[pin] inner: F, classify: C, permit: Permit },
        Rejected { rejected: Rejected },
    }
}

/// Runs a future that has been admitted.
pub(crate) fn guard<F, C>(inner: F, classify: C, permit: Permit) -> ResponseFuture<F, C> {
    ResponseFuture { state: Call::Admitted { inner, classify, permit } }
}

impl<F, C> ResponseFuture<F, C> {
    pub(crate) fn rejected(rejected: Rejected) -> Self {
        Self { state: Call::Rejected { rejected } }
    }
}

impl<F, C, T, E> Future for ResponseFuture<F, C>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
{
    type Output = Result<T, Error<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            CallProjection::Admitted { inner, classify, permit } => {
                let mut watch = Watch { permit, calm: false };
                let Poll::Ready(result) = inner.poll(cx) else {
                    watch.calm = true;
                    watch.permit.start_if_pending();
                    return Poll::Pending;
                };
                let outcome = classify.classify(&result);
                watch.calm = true;
                watch.permit.settle(outcome);
                Poll::Ready(result.map_err(Error::Inner))
            }
            CallProjection::Rejected { rejected } => Poll::Ready(Err(Error::Rejected(*rejected))),
        }
    }
}

/// Stands around foreign code and settles the permit as panicked if that code unwinds.
///
/// Asking `thread::panicking` in the permit's own `Drop` would blame the dependency for futures that
/// are dropped while the thread unwinds from something else.
struct Watch<'a> {
    permit: &'a mut Permit,
    calm: bool,
}

impl Drop for Watch<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.calm {
            self.permit.settle(Outcome::PANICKED);
        }
    }
}
