//! A body that carries the permit of its call.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::HeaderMap;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tower_http::classify::{ClassifyEos, NeverClassifyEos};

use super::retry_after::retry_after;
use crate::future::Watch;
use crate::outcome::Outcome;
use crate::permit::Permit;

pin_project! {
    /// Settles a permit by how a body ends: completely is a success unless `J` finds a failure in
    /// the trailers, broken is a failure, and after that it says nothing more.
    ///
    /// Complete is a body also when it says so by [`is_end_stream`](Body::is_end_stream), or when as
    /// many bytes have passed as `Content-Length` promised, because HTTP servers stop reading there.
    /// Size and end are those of the inner body. After its end or an error it stays at its end.
    ///
    /// A default one, and one made `From` a body, carries no permit.
    ///
    /// # Cancellation
    ///
    /// Dropping it before the end gives the permit back and counts as nothing.
    ///
    /// # Panics
    ///
    /// A panic of the inner body counts as a failure and is resumed.
    pub struct PermitBody<B, J = NeverClassifyEos<()>> {
        #[pin]
        inner: B,
        cargo: Option<Cargo<J>>,
        ended: bool,
    }
}

struct Cargo<J> {
    permit: Permit,
    /// Looks at the trailers; None if there is nothing to be found in them.
    judge: Option<J>,
    /// Bytes still to come, where that is known and nothing can come after them.
    left: Option<u64>,
}

impl<B: Body> PermitBody<B> {
    /// For the body of an answer to the call that `permit` admitted: also of one that no layer of
    /// this crate has seen. The permit [settles early](Permit::settle_early).
    #[must_use]
    pub fn new(body: B, permit: Permit) -> Self {
        Self::judged(body, permit, None, None)
    }
}

impl<B: Body, J: ClassifyEos> PermitBody<B, J> {
    pub(super) fn judged(inner: B, permit: Permit, judge: Option<J>, length: Option<u64>) -> Self {
        let left = length.filter(|_| judge.is_none());
        // Nobody reads a body that is empty, so its verdict is the whole call's.
        if inner.is_end_stream() || left == Some(0) {
            permit.record(verdict(judge, None));
            return inner.into();
        }
        let cargo = Cargo { permit: permit.settle_early(), judge, left };
        Self { inner, cargo: Some(cargo), ended: false }
    }
}

impl<B, J> From<B> for PermitBody<B, J> {
    fn from(inner: B) -> Self {
        Self { inner, cargo: None, ended: false }
    }
}

impl<B: Default, J> Default for PermitBody<B, J> {
    fn default() -> Self {
        B::default().into()
    }
}

impl<B: Body, J: ClassifyEos> Body for PermitBody<B, J> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        if *this.ended {
            return Poll::Ready(None);
        }
        let polled = match this.cargo {
            Some(cargo) => {
                let mut watch = Watch::over(&mut cargo.permit);
                let polled = this.inner.as_mut().poll_frame(cx);
                watch.calm = true;
                polled
            }
            None => this.inner.as_mut().poll_frame(cx),
        };
        let frame = ready!(polled);
        *this.ended = !matches!(frame, Some(Ok(_)));
        if let Some(mut cargo) = this.cargo.take() {
            match cargo.look(frame.as_ref(), || this.inner.is_end_stream()) {
                Some(outcome) => {
                    cargo.permit.record(outcome);
                }
                None => *this.cargo = Some(cargo),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.ended { SizeHint::with_exact(0) } else { self.inner.size_hint() }
    }
}

impl<J: ClassifyEos> Cargo<J> {
    /// The call's outcome, if this frame decides it.
    fn look<D: Buf, E>(
        &mut self,
        frame: Option<&Result<Frame<D>, E>>,
        is_end: impl FnOnce() -> bool,
    ) -> Option<Outcome> {
        let frame = match frame {
            None => return Some(verdict(self.judge.take(), None)),
            Some(Err(_)) => return Some(Outcome::failure("body")),
            Some(Ok(frame)) => frame,
        };
        if let Some(trailers) = frame.trailers_ref() {
            return Some(verdict(self.judge.take(), Some(trailers)));
        }
        let bytes = frame.data_ref().map_or(0, |data| u64::try_from(data.remaining()).unwrap_or(0));
        self.left = self.left.map(|left| left.saturating_sub(bytes));
        (self.left == Some(0) || is_end()).then(|| verdict(self.judge.take(), None))
    }
}

fn verdict<J: ClassifyEos>(judge: Option<J>, trailers: Option<&HeaderMap>) -> Outcome {
    match judge.map_or(Ok(()), |judge| judge.classify_eos(trailers)) {
        Ok(()) => Outcome::Success,
        Err(_) => {
            let retry_after = trailers.and_then(retry_after);
            Outcome::Failure { kind: "trailers", retry_after }
        }
    }
}

impl<B, J> fmt::Debug for PermitBody<B, J> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let permit = self.cargo.as_ref().map(|cargo| &cargo.permit);
        f.debug_struct("PermitBody").field("permit", &permit).finish_non_exhaustive()
    }
}
