//! A body that can be had back as long as nobody has read of it.
//!
//! A stream that can be read only once goes into the SDK and does not come out again, although a
//! rejected call never looked at it. So the SDK gets a stand-in, which fetches the body when it is
//! first polled.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_types::body::Error;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

type Slot = Arc<Mutex<Option<SdkBody>>>;

/// The right to have the body back.
#[derive(Debug)]
pub(super) struct Loan(Slot);

/// The stand-in for `body`, and the loan.
pub(super) fn lend(body: SdkBody) -> (SdkBody, Loan) {
    let hint = body.size_hint();
    let is_empty = body.is_end_stream();
    let slot = Arc::new(Mutex::new(Some(body)));
    let lent = Lent { slot: Arc::clone(&slot), body: None, hint, is_empty };
    (SdkBody::from_body_1_x(lent), Loan(slot))
}

impl Loan {
    /// The body, if nobody has read of it; whoever holds the stand-in gets nothing any more.
    pub(super) fn back(self) -> Option<SdkBody> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

#[derive(Debug)]
struct Lent {
    slot: Slot,
    body: Option<SdkBody>,
    /// Of the body that has not been fetched.
    hint: SizeHint,
    is_empty: bool,
}

impl Body for Lent {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.body.is_none() {
            let fetched = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            self.body = fetched;
        }
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(cx),
            None => Poll::Ready(Some(Err("the body went to the queue".into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().map_or(self.is_empty, Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| self.hint, Body::size_hint)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Waker};

    use aws_sdk_s3::primitives::SdkBody;
    use http_body::Body as _;

    use super::lend;

    #[test]
    fn a_body_comes_back_until_it_is_read() {
        let (lent, loan) = lend(SdkBody::from("hello"));
        assert_eq!(lent.content_length(), Some(5));
        assert_eq!(loan.back().unwrap().bytes(), Some(&b"hello"[..]));
        drop(lent);

        let (mut lent, loan) = lend(SdkBody::from("hello"));
        let polled = Pin::new(&mut lent).poll_frame(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_ready());
        assert!(loan.back().is_none());
    }
}
