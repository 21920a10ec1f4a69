//! An answer on its way, with the permit of its call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use circuit_layer::{BoxError, Clock, Outcome, Permit, Sleep};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::attempt::Attempt;
use super::end::{End, Ended};
use super::error::AnswerError;

pin_project! {
    /// A body that settles its call by how it ends, and fails where it would end too early or pause
    /// for too long. Dropping it before counts as nothing.
    pub(super) struct JudgedBody {
        #[pin]
        inner: reqwest::Body,
        end: End,
        permit: Option<Permit>,
        attempt: Attempt,
        clock: Clock,
        longest_pause: Duration,
        pause: Option<Sleep>,
        ended: bool,
    }
}

impl JudgedBody {
    pub(super) fn new(
        inner: reqwest::Body,
        end: End,
        permit: Permit,
        attempt: Attempt,
        clock: Clock,
        longest_pause: Duration,
    ) -> Self {
        // A stream is as long as its reader is slow, so a probe of one settles now.
        let streams = matches!(end, End::Events(_));
        let permit = if streams { permit.settle_early() } else { permit };
        let permit = Some(permit);
        Self { inner, end, permit, attempt, clock, longest_pause, pause: None, ended: false }
    }
}

impl Body for JudgedBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let frame = match this.inner.as_mut().poll_frame(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let (clock, longest) = (&*this.clock, *this.longest_pause);
                let pause =
                    this.pause.get_or_insert_with(|| clock.sleep_until(clock.now() + longest));
                if Pin::new(pause).poll(cx).is_pending() {
                    return Poll::Pending;
                }
                *this.ended = true;
                settle(this.permit, Outcome::failure("stalled"));
                this.attempt.broke(AnswerError::Stalled);
                return Poll::Ready(Some(Err(AnswerError::Stalled.into())));
            }
        };
        *this.pause = None;
        match frame {
            Some(Ok(frame)) => {
                if let Some(ended) = frame.data_ref().and_then(|data| this.end.push(data)) {
                    settle(this.permit, outcome(ended));
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Some(Err(error)) => {
                *this.ended = true;
                settle(this.permit, Outcome::failure("body"));
                Poll::Ready(Some(Err(error.into())))
            }
            None => {
                *this.ended = true;
                if this.permit.is_none() {
                    return Poll::Ready(None);
                }
                let ended = this.end.finish();
                settle(this.permit, outcome(ended));
                if ended != Ended::Badly("truncated") {
                    return Poll::Ready(None);
                }
                this.attempt.broke(AnswerError::Truncated);
                Poll::Ready(Some(Err(AnswerError::Truncated.into())))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        // The end has to be polled for, or nobody would judge it.
        self.ended || (self.permit.is_none() && self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn settle(permit: &mut Option<Permit>, outcome: Outcome) {
    if let Some(permit) = permit.take() {
        permit.record(outcome);
    }
}

const fn outcome(ended: Ended) -> Outcome {
    match ended {
        Ended::Well => Outcome::Success,
        Ended::Badly(kind) => Outcome::failure(kind),
    }
}

impl fmt::Debug for JudgedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JudgedBody").field("permit", &self.permit).finish_non_exhaustive()
    }
}
