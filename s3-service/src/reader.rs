//! The body of a download as its caller reads it: outside the SDK's checksum and stall checks, so
//! that it sees their errors too, and books the call when the body is over.
//!
//! Latency is the time that S3 took: to the headers, and every wait for more bytes. How long the
//! reader took between them says nothing of S3.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_types::body::Error;
use bytes::Bytes;
use circuit_layer::Moment;
use http_body::{Body, Frame, SizeHint};

use crate::body::STALLED_AFTER;
use crate::classify::{ErrorType, Judgement};
use crate::ledger::Ledger;
use crate::operation::Operation;

#[derive(Debug)]
pub(crate) struct Reader {
    inner: SdkBody,
    ledger: Arc<Ledger>,
    latency: Duration,
    waiting_since: Option<Moment>,
    /// Bytes that are still to come, where the headers have told the length.
    left: Option<u64>,
    over: bool,
}

impl Reader {
    /// `latency` is the time to the headers.
    pub(crate) fn wrap(
        inner: SdkBody,
        length: Option<u64>,
        ledger: Arc<Ledger>,
        latency: Duration,
    ) -> SdkBody {
        let mut reader =
            Self { inner, ledger, latency, waiting_since: None, left: length, over: false };
        if reader.inner.is_end_stream() {
            reader.end(None);
        }
        SdkBody::from_body_1_x(reader)
    }

    fn end(&mut self, error: Option<ErrorType>) {
        if std::mem::replace(&mut self.over, true) {
            return;
        }
        let (operation, latency) = (Operation::Download, self.latency);
        match error {
            None => self.ledger.success(operation, latency),
            Some(error_type) => {
                self.ledger.failure(operation, error_type, Judgement::Failure, latency);
            }
        }
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        if this.over {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut this.inner).poll_frame(cx);
        if polled.is_pending() {
            if this.waiting_since.is_none() {
                this.waiting_since = Some(this.ledger.now());
            }
            return polled;
        }
        if let Some(since) = this.waiting_since.take() {
            this.latency = this.latency.saturating_add(this.ledger.now() - since);
        }
        match &polled {
            Poll::Ready(Some(Err(_))) => this.end(Some(ErrorType::Body)),
            Poll::Ready(None) => this.end(None),
            Poll::Ready(Some(Ok(frame))) => {
                let read = frame.data_ref().map_or(0, Bytes::len);
                let read = u64::try_from(read).unwrap_or(u64::MAX);
                this.left = this.left.map(|left| left.saturating_sub(read));
            }
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.over || self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.over { SizeHint::with_exact(0) } else { self.inner.size_hint() }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // Whoever sends the object on under its own length stops there and never asks for the end.
        if self.left == Some(0) {
            self.end(None);
        }
        // A reader whose patience ended: the breaker counts it too.
        if let Some(since) = self.waiting_since.take() {
            let waited = self.ledger.now() - since;
            if waited >= STALLED_AFTER {
                self.latency = self.latency.saturating_add(waited);
                self.end(Some(ErrorType::Timeout));
            }
        }
    }
}
