//! The service in front of the server: faults, then the server itself.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use s3s::service::S3Service;

use super::fault::{Fault, Faults};

#[derive(Clone, Debug)]
pub(super) struct Gate {
    server: S3Service,
    traffic: Arc<Traffic>,
}

/// What goes wrong, and what came in.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) faults: Faults,
    pub(super) requests: AtomicU64,
    pub(super) connections: AtomicU64,
}

impl Gate {
    pub(super) fn new(server: S3Service) -> Self {
        Self { server, traffic: Arc::default() }
    }

    pub(super) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    pub(super) async fn answer(
        self,
        request: Request<Incoming>,
    ) -> Result<Response<Answer>, Infallible> {
        self.traffic.requests.fetch_add(1, Ordering::Relaxed);
        Ok(match self.traffic.faults.next() {
            None => self.forward(request, None).await,
            Some(Fault::CutBody { after }) => {
                self.forward(request, Some(Part { left: after, then: Then::Cut })).await
            }
            Some(Fault::StallBody { after }) => {
                self.forward(request, Some(Part { left: after, then: Then::Stall })).await
            }
            Some(Fault::SlowDown) => refuse(request, 503, "SlowDown").await,
            Some(Fault::InternalError) => refuse(request, 500, "InternalError").await,
            Some(Fault::Answer { status, code }) => refuse(request, status, code).await,
            Some(Fault::Stall) => std::future::pending().await,
        })
    }

    async fn forward(&self, request: Request<Incoming>, part: Option<Part>) -> Response<Answer> {
        match hyper::service::Service::call(&self.server, request).await {
            Ok(response) => response.map(|inner| Answer::new(inner, part)),
            Err(_) => error(500, "InternalError"),
        }
    }
}

/// Reads the request to its end first: an answer before that would cut the connection under a
/// client that is still sending.
async fn refuse(mut request: Request<Incoming>, status: u16, code: &str) -> Response<Answer> {
    while let Some(Ok(_)) = poll_fn(|cx| Pin::new(request.body_mut()).poll_frame(cx)).await {}
    error(status, code)
}

fn error(status: u16, code: &str) -> Response<Answer> {
    let document = format!("<Error><Code>{code}</Code><Message>injected</Message></Error>");
    let mut response = Response::new(Answer::new(s3s::Body::from(document), None));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT);
    response
}

/// How much of a body arrives, and what comes then.
#[derive(Clone, Copy, Debug)]
struct Part {
    left: u64,
    then: Then,
}

#[derive(Clone, Copy, Debug)]
enum Then {
    Cut,
    Stall,
}

/// The server's answer, or a part of it where so asked.
#[derive(Debug)]
pub(super) struct Answer {
    inner: s3s::Body,
    part: Option<Part>,
    paused: bool,
}

impl Answer {
    const fn new(inner: s3s::Body, part: Option<Part>) -> Self {
        Self { inner, part, paused: false }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = s3s::StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, s3s::StdError>>> {
        match self.part {
            // Dropped with its connection.
            Some(Part { left: 0, then: Then::Stall }) => return Poll::Pending,
            Some(Part { left: 0, then: Then::Cut }) => {
                if !std::mem::replace(&mut self.paused, true) {
                    // A pause is when the connection sends what it holds; without one the cut would
                    // take headers and first bytes along.
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                return Poll::Ready(Some(Err("cut".into())));
            }
            Some(_) | None => {}
        }
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        let (Some(part), Some(Ok(frame))) = (&mut self.part, &frame) else {
            return Poll::Ready(frame);
        };
        let Some(data) = frame.data_ref() else {
            return Poll::Ready(Some(Err("cut".into())));
        };
        let kept = usize::try_from(part.left).unwrap_or(usize::MAX).min(data.len());
        let sent = u64::try_from(kept).unwrap_or(u64::MAX);
        part.left = part.left.saturating_sub(sent);
        Poll::Ready(Some(Ok(Frame::data(data.slice(..kept)))))
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
