//! A request body that counts, and that can tell whose fault a stalled upload is.
//!
//! A source that stalls and a peer that does not read end in the same timeout. The body knows:
//! if its last poll was pending, the connection was ready for more and the caller's own source had
//! nothing to give.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use aws_smithy_types::body::{Error, SdkBody};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::{ByteCounter, Direction, Slices, data_len};

/// Whether the caller's source is what the upload waits for.
#[derive(Debug, Default)]
pub(crate) struct Source {
    starved: AtomicBool,
}

impl Source {
    pub(crate) fn starved(&self) -> bool {
        self.starved.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
pub(crate) struct UploadBody {
    slices: Slices,
    counter: Option<Arc<dyn ByteCounter>>,
    source: Arc<Source>,
}

impl UploadBody {
    /// Wraps `body` so that payload hash, content length and replays survive.
    pub(crate) fn wrap(
        body: SdkBody,
        counter: Option<Arc<dyn ByteCounter>>,
        source: Arc<Source>,
    ) -> SdkBody {
        body.map_preserve_contents(move |body| {
            SdkBody::from_body_1_x(Self {
                slices: Slices::new(body),
                counter: counter.clone(),
                source: Arc::clone(&source),
            })
        })
    }
}

impl Body for UploadBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = self.slices.poll(cx);
        self.source.starved.store(polled.is_pending(), Ordering::Relaxed);
        if let (Poll::Ready(Some(Ok(frame))), Some(counter)) = (&polled, &self.counter) {
            counter.count(Direction::Upload, data_len(frame));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.slices.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.slices.size_hint()
    }
}
