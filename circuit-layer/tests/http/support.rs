//! Bodies frame by frame, and services that answer with them.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use circuit_layer::http::{PermitBody, Responses};
use circuit_layer::{CircuitBreaker, CircuitBreakerLayer, Clock, ErrorsAsFailures, ManualClock};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use tower::{Layer, ServiceExt, service_fn};
use tower_http::classify::{ClassifyResponse, ServerErrorsAsFailures};

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// One step of a [`Script`].
#[derive(Debug)]
pub(crate) enum Step {
    Data(&'static str),
    Trailers(&'static str),
    Wait,
    Break,
    Panic,
}

/// A body that does what it is told, and is over when told nothing more.
#[derive(Debug, Default)]
pub(crate) struct Script {
    steps: VecDeque<Step>,
    /// Whether it knows its end, as bodies of known length do.
    knows_its_end: bool,
}

pub(crate) fn script<const N: usize>(steps: [Step; N]) -> Script {
    Script { steps: steps.into(), knows_its_end: false }
}

impl Script {
    pub(crate) fn knowing_its_end(self) -> Self {
        Self { knows_its_end: true, ..self }
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.steps.pop_front() {
            Some(Step::Data(text)) => Poll::Ready(Some(Ok(Frame::data(Bytes::from(text))))),
            Some(Step::Trailers(status)) => {
                Poll::Ready(Some(Ok(Frame::trailers(trailers(status)))))
            }
            Some(Step::Break) => Poll::Ready(Some(Err(io::Error::other("broken")))),
            Some(Step::Panic) => panic!("body"),
            Some(Step::Wait) => Poll::Pending,
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_end && self.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.knows_its_end { SizeHint::with_exact(7) } else { SizeHint::default() }
    }
}

fn trailers(status: &'static str) -> HeaderMap {
    let status = HeaderValue::from_static(status);
    let pushback = HeaderValue::from_static("2500");
    [
        (HeaderName::from_static("grpc-status"), status),
        (HeaderName::from_static("grpc-retry-pushback-ms"), pushback),
    ]
    .into_iter()
    .collect()
}

/// A breaker that opens at the first failure, on a clock that the test moves.
pub(crate) fn breaker() -> (CircuitBreaker, ManualClock) {
    let (clock, hand) = Clock::manual();
    (CircuitBreaker::builder("test").fail_max(1).clock(clock).build().unwrap(), hand)
}

/// The same, with one failure to spare.
pub(crate) fn lenient() -> (CircuitBreaker, ManualClock) {
    let (clock, hand) = Clock::manual();
    (CircuitBreaker::builder("test").fail_max(2).clock(clock).build().unwrap(), hand)
}

/// Half-open at the next call, and closed again after so many probes.
pub(crate) fn tripped(probes: u32) -> (CircuitBreaker, ManualClock) {
    let (clock, hand) = Clock::manual();
    let breaker = CircuitBreaker::builder("test")
        .fail_max(1)
        .half_open_max_attempts(probes)
        .clock(clock)
        .build()
        .unwrap();
    breaker.try_acquire().unwrap().failure("x");
    hand.advance(MINUTE);
    (breaker, hand)
}

pub(crate) type Watched<K> = Response<PermitBody<Script, <K as ClassifyResponse>::ClassifyEos>>;

/// Sends one request to a service that answers so.
pub(crate) async fn answer_by<K: ClassifyResponse + Clone>(
    layer: CircuitBreakerLayer<ErrorsAsFailures, Responses<K>>,
    response: Response<Script>,
) -> Watched<K> {
    let mut response = Some(response);
    let service = layer.layer(service_fn(move |_: Request<()>| {
        std::future::ready(Ok::<_, Infallible>(response.take().unwrap()))
    }));
    service.oneshot(Request::new(())).await.unwrap()
}

/// Judged by status.
pub(crate) async fn answer(
    breaker: &CircuitBreaker,
    response: Response<Script>,
) -> Watched<ServerErrorsAsFailures> {
    answer_by(CircuitBreakerLayer::new(breaker.clone()).http(), response).await
}

pub(crate) fn status(status: u16) -> http::response::Builder {
    Response::builder().status(status)
}

/// The next frame; its data if it has any.
pub(crate) fn read<B>(body: &mut B) -> Poll<Option<Result<Option<Bytes>, io::Error>>>
where
    B: Body<Data = Bytes, Error = io::Error> + Unpin,
{
    let frame = Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()));
    frame.map(|frame| frame.map(|frame| frame.map(|frame| frame.into_data().ok())))
}

/// Reads to the end, if it comes.
pub(crate) fn drain<B>(body: &mut B)
where
    B: Body<Data = Bytes, Error = io::Error> + Unpin,
{
    while let Poll::Ready(Some(Ok(_))) = read(body) {}
}
