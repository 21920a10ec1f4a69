//! One call: the service, and if need be the fallback.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower_service::Service;

use super::choice::Choose;
use super::counters::FallbackCounters;
use super::error::FallbackError;
use super::served::{Served, ServedBy};

/// What is kept in case the service fails.
pub(super) struct Spare<F, C, R> {
    pub(super) request: R,
    pub(super) fallback: F,
    pub(super) choose: C,
    pub(super) slots: Arc<Semaphore>,
    pub(super) counters: FallbackCounters,
}

/// The right to ask the fallback: a slot, given back when dropped, and the error to answer.
struct Turn<E> {
    cause: E,
    counters: FallbackCounters,
    _slot: OwnedSemaphorePermit,
}

pin_project! {
    #[project = Projection]
    /// The future of [`FallbackService`](super::FallbackService).
    ///
    /// # Cancellation
    ///
    /// Dropping it drops the call that is under way, and gives back the fallback's slot. The call of
    /// the service is dropped before the fallback is asked.
    ///
    /// # Panics
    ///
    /// A panic of either service reaches the caller. Polled again after its end, it is pending for
    /// good.
    #[must_use = "futures do nothing unless polled"]
    pub struct FallbackFuture<P, E, F, C, R>
    where
        F: Service<R>,
    {
        #[pin]
        state: State<P, F, F::Future, R>,
        spare: Option<Spare<F, C, R>>,
        turn: Option<Turn<E>>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<P, F, G, R> {
        /// Nobody may be asked.
        NotReady,
        /// The service is asked.
        Service { #[pin] call: P },
        /// The fallback is getting ready.
        Readying { fallback: F, request: Option<R> },
        /// The fallback is asked.
        Fallback { #[pin] call: G },
        /// Somebody has answered.
        Done,
    }
}

impl<P, E, F: Service<R>, C, R> FallbackFuture<P, E, F, C, R> {
    pub(super) const fn new(call: P, spare: Option<Spare<F, C, R>>) -> Self {
        Self { state: State::Service { call }, spare, turn: None }
    }

    pub(super) const fn not_ready() -> Self {
        Self { state: State::NotReady, spare: None, turn: None }
    }
}

impl<P, T, E, F, C, R> Future for FallbackFuture<P, E, F, C, R>
where
    P: Future<Output = Result<T, E>>,
    F: Service<R, Response = T>,
    C: Choose<E>,
{
    type Output = Result<Served<T>, FallbackError<E, F::Error>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Projection { mut state, spare, turn } = self.project();
        let answer = loop {
            let said = match state.as_mut().project() {
                StateProjection::NotReady => break Err(FallbackError::NotReady),
                StateProjection::Service { call } => match ready!(call.poll(cx)) {
                    Ok(response) => break Ok(Served::new(response, ServedBy::Service)),
                    Err(cause) => match take_turn(cause, spare.take()) {
                        Ok((taken, fallback, request)) => {
                            *turn = Some(taken);
                            state.set(State::Readying { fallback, request: Some(request) });
                            continue;
                        }
                        Err(error) => break Err(error),
                    },
                },
                StateProjection::Readying { fallback, request } => {
                    match (ready!(fallback.poll_ready(cx)), request.take()) {
                        (Ok(()), Some(request)) => {
                            let call = fallback.call(request);
                            state.set(State::Fallback { call });
                            continue;
                        }
                        // There is a request for as long as this state lasts.
                        (Ok(()), None) => return Poll::Pending,
                        (Err(error), _) => Err(error),
                    }
                }
                StateProjection::Fallback { call } => ready!(call.poll(cx)),
                StateProjection::Done => return Poll::Pending,
            };
            match turn.take() {
                Some(turn) => break turn.settle(said),
                // There is a turn for as long as the fallback is concerned.
                None => return Poll::Pending,
            }
        };
        state.set(State::Done);
        Poll::Ready(answer)
    }
}

/// The turn of the fallback and what it needs, or the error that the caller gets instead.
fn take_turn<E, F, C, R, G>(
    cause: E,
    spare: Option<Spare<F, C, R>>,
) -> Result<(Turn<E>, F, R), FallbackError<E, G>>
where
    C: Choose<E>,
{
    let Some(spare) = spare.filter(|spare| spare.choose.chooses(&cause)) else {
        return Err(FallbackError::Service(cause));
    };
    let Spare { request, fallback, slots, counters, .. } = spare;
    match slots.try_acquire_owned() {
        Ok(slot) => Ok((Turn { cause, counters, _slot: slot }, fallback, request)),
        Err(_) => {
            counters.count_busy();
            Err(FallbackError::Busy { cause })
        }
    }
}

impl<E> Turn<E> {
    fn settle<T, G>(self, answer: Result<T, G>) -> Result<Served<T>, FallbackError<E, G>> {
        self.counters.count_answer(answer.is_ok());
        match answer {
            Ok(response) => Ok(Served::new(response, ServedBy::Fallback)),
            Err(error) => Err(FallbackError::Fallback { cause: self.cause, error }),
        }
    }
}

impl<P, E, F: Service<R>, C, R> fmt::Debug for FallbackFuture<P, E, F, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.state {
            State::NotReady => "FallbackFuture::NotReady",
            State::Service { .. } => "FallbackFuture::Service",
            State::Readying { .. } | State::Fallback { .. } => "FallbackFuture::Fallback",
            State::Done => "FallbackFuture::Done",
        })
    }
}
