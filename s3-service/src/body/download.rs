//! A response body that carries the permit of its call.
//!
//! `send()` answers at the headers, but a download that breaks in the middle is a failure of the
//! service. So when the headers are in and the body is still flowing, the permit is handed to the
//! body, and the body's end settles it:
//!
//! | the body | outcome |
//! | --- | --- |
//! | ends | success |
//! | breaks | failure, `body` |
//! | is dropped by its reader | ignored |
//! | is dropped after the service was silent for long | failure, `timeout` |
//!
//! The last row is what the SDK's stalled stream protection looks like from within: it sits outside
//! this wrapper, gives its reader the error, and its reader drops the body. So what is long is a
//! little less than the grace that the protection gives, and [`STALLED_AFTER`] at most.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::{Error, SdkBody};
use bytes::Bytes;
use circuit_layer::{CircuitBreaker, Moment};
use http_body::{Body, Frame, SizeHint};

use super::{ByteCounter, Direction, Ending, Slices, Tail, data_len};

/// How long a service must have been silent for a dropped body to count as a failure, where nobody
/// has set a shorter grace than the SDK's 5 s.
pub(crate) const STALLED_AFTER: Duration = Duration::from_millis(4_500);

/// The same under the settings of a client.
pub(crate) fn stalled_after(protection: Option<&StalledStreamProtectionConfig>) -> Duration {
    match protection {
        Some(config) if config.download_enabled() => {
            STALLED_AFTER.min(config.grace_period().mul_f64(0.9))
        }
        Some(_) | None => STALLED_AFTER,
    }
}

#[derive(Debug)]
pub(crate) struct DownloadBody {
    slices: Slices,
    counter: Option<Arc<dyn ByteCounter>>,
    tail: Arc<Tail>,
    breaker: CircuitBreaker,
    stalled_after: Duration,
    /// Since when the reader has been waiting for the service.
    waiting_since: Option<Moment>,
}

impl DownloadBody {
    /// `body` is not empty: an empty one is over already, and nobody need ever poll it.
    pub(crate) fn wrap(
        body: SdkBody,
        counter: Option<Arc<dyn ByteCounter>>,
        tail: Arc<Tail>,
        breaker: CircuitBreaker,
        stalled_after: Duration,
    ) -> SdkBody {
        let (slices, waiting_since) = (Slices::new(body), None);
        SdkBody::from_body_1_x(Self {
            slices,
            counter,
            tail,
            breaker,
            stalled_after,
            waiting_since,
        })
    }
}

impl Body for DownloadBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = self.slices.poll(cx);
        match &polled {
            Poll::Pending => {
                if self.waiting_since.is_none() {
                    self.waiting_since = Some(self.breaker.now());
                }
                return polled;
            }
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(counter) = &self.counter {
                    counter.count(Direction::Download, data_len(frame));
                }
                if self.slices.is_end_stream() {
                    self.tail.end(Ending::Whole);
                }
            }
            Poll::Ready(Some(Err(_))) => self.tail.end(Ending::Broken),
            Poll::Ready(None) => self.tail.end(Ending::Whole),
        }
        self.waiting_since = None;
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.slices.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.slices.size_hint()
    }
}

impl Drop for DownloadBody {
    fn drop(&mut self) {
        let waited = self.waiting_since.map(|since| self.breaker.now() - since);
        let stalled = waited.is_some_and(|waited| waited >= self.stalled_after);
        self.tail.end(if stalled { Ending::Stalled } else { Ending::Dropped });
    }
}
