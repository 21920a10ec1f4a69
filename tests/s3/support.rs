//! A server with a bucket, and a service of it whose clock stands still.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_sdk_s3::error::BoxError;
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use circuit_layer::{Clock, ManualClock};
use http_body::{Body, Frame, SizeHint};
use s3_service::test_server::S3Server;
use s3_service::{S3, S3Builder, Start};

pub(crate) const BUCKET: &str = "bucket";
pub(crate) const RESET: Duration = Duration::from_secs(60);

pub(crate) struct Rig {
    pub(crate) server: S3Server,
    pub(crate) time: ManualClock,
    pub(crate) s3: S3,
}

pub(crate) async fn server() -> S3Server {
    let server = S3Server::start().await.unwrap();
    server.create_bucket(BUCKET).await.unwrap();
    server
}

/// Settings for `server`: no retries, and a clock that only the test moves.
pub(crate) fn settings(server: &S3Server) -> (S3Builder, ManualClock) {
    let (clock, time) = Clock::manual();
    let settings = S3::builder()
        .bucket(BUCKET)
        .endpoint(server.endpoint())
        .credentials(server.access_key(), server.secret_key())
        .max_attempts(1)
        .start(Start::Lazy)
        .clock(clock);
    (settings, time)
}

pub(crate) async fn rig() -> Rig {
    rig_with(|settings| settings).await
}

pub(crate) async fn rig_with(change: impl FnOnce(S3Builder) -> S3Builder) -> Rig {
    let server = server().await;
    let (settings, time) = settings(&server);
    let s3 = change(settings).build().await.unwrap();
    Rig { server, time, s3 }
}

/// Waits, within a bound, until something has come true.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(10), async {
        while !holds() {
            tokio::task::yield_now().await;
        }
    });
    assert!(waited.await.is_ok(), "waited in vain: {what}");
}

/// Asks again, within a bound, until the answer is yes.
pub(crate) async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(Duration::from_secs(60), async { while !holds().await {} });
    assert!(waited.await.is_ok(), "waited in vain: {what}");
}

/// A body that can be read once, and does not tell its length unless it lies about it.
pub(crate) struct Frames {
    frames: VecDeque<Bytes>,
    then: Then,
    /// So many bytes more are announced than there are.
    missing: Option<u64>,
}

/// What comes after the last frame.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    End,
    Break,
    Wait,
}

impl Frames {
    pub(crate) fn of(frames: impl IntoIterator<Item = Bytes>) -> Self {
        Self { frames: frames.into_iter().collect(), then: Then::End, missing: None }
    }

    pub(crate) fn missing(mut self, bytes: u64) -> Self {
        self.missing = Some(bytes);
        self
    }

    pub(crate) fn then(mut self, then: Then) -> ByteStream {
        self.then = then;
        ByteStream::from_body_1_x(self)
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match (self.frames.pop_front(), self.then) {
            (Some(frame), _) => Poll::Ready(Some(Ok(Frame::data(frame)))),
            (None, Then::End) => Poll::Ready(None),
            (None, Then::Break) => Poll::Ready(Some(Err("the source broke".into()))),
            (None, Then::Wait) => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let Some(missing) = self.missing else { return SizeHint::default() };
        let left: usize = self.frames.iter().map(Bytes::len).sum();
        SizeHint::with_exact(u64::try_from(left).unwrap() + missing)
    }
}
