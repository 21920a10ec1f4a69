//! Ends the requests that the drain did not wait for.
//!
//! A server's task can be aborted; the connections that it has accepted can not, since axum and tonic
//! give each a task of its own. Their requests would go on, and use what the steps close. So each
//! request listens for the cut itself, its answer's body too, and drops what it was doing. Whoever cuts
//! waits until the last of them no longer listens.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use circuit_layer::BoxError;
use http::header::{CONNECTION, HeaderValue};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::sync::watch;
use tower_layer::Layer;
use tower_service::Service;

/// Tells requests that they are cut off. Each that runs holds a receiver.
#[derive(Clone, Debug)]
pub(super) struct Cut(watch::Sender<bool>);

impl Cut {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Cuts off what runs, and what begins from now on.
    pub(super) fn now(&self) {
        self.0.send_replace(true);
    }

    /// Completes when nothing runs.
    pub(super) async fn done(&self) {
        self.0.closed().await;
    }
}

/// Completes when its request is cut off, and then counts as running until the receiver is dropped.
type Listening = Pin<Box<dyn Future<Output = watch::Receiver<bool>> + Send>>;

async fn listen(mut cut: watch::Receiver<bool>) -> watch::Receiver<bool> {
    // An error says that the sender is gone, and the layer keeps it.
    drop(cut.wait_for(|cut| *cut).await);
    cut
}

/// Lets a [`Shutdown`](super::Shutdown) end requests that outlast its drain.
///
/// From [`Shutdown::cut_off`](super::Shutdown::cut_off). Clones belong to the same shutdown.
#[derive(Clone, Debug)]
pub struct CutOffLayer(pub(super) Cut);

impl<S> Layer<S> for CutOffLayer {
    type Service = CutOff<S>;

    fn layer(&self, inner: S) -> CutOff<S> {
        CutOff { inner, cut: self.0.clone(), ready: false }
    }
}

/// A service whose requests end with the drain. See [`CutOffLayer`].
///
/// A request that is cut off is dropped where it waits and answered with a 503 that closes its
/// connection; an answer that has begun breaks off. What a handler has spawned is not reached, nor a
/// connection that became a WebSocket. A call without a readiness gets the same 503, and nobody is asked.
///
/// # Clone
///
/// A clone belongs to the same shutdown and has a clone of the inner service; it inherits no readiness.
#[derive(Debug)]
pub struct CutOff<S> {
    inner: S,
    cut: Cut,
    /// Whether the last `poll_ready` readied `inner`.
    ready: bool,
}

impl<S: Clone> Clone for CutOff<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), cut: self.cut.clone(), ready: false }
    }
}

impl<S, R, B> Service<R> for CutOff<S>
where
    S: Service<R, Response = Response<B>>,
    S::Future: Send + 'static,
    S::Error: Send,
    B: Send,
{
    type Response = Response<CutOffBody<B>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        let polled = self.inner.poll_ready(cx);
        self.ready = matches!(polled, Poll::Ready(Ok(())));
        polled
    }

    fn call(&mut self, request: R) -> Self::Future {
        let call = std::mem::take(&mut self.ready).then(|| self.inner.call(request));
        let mut cut: Listening = Box::pin(listen(self.cut.0.subscribe()));
        Box::pin(async move {
            let Some(call) = call else { return Ok(unavailable()) };
            let running = tokio::select! {
                biased;
                running = &mut cut => running,
                answered = call => {
                    let wrap = |body| CutOffBody { inner: Some(body), cut: Some(cut) };
                    return answered.map(|response| response.map(wrap));
                }
            };
            // The call has been dropped, so nothing runs here any more.
            drop(running);
            Ok(unavailable())
        })
    }
}

fn unavailable<B>() -> Response<CutOffBody<B>> {
    let mut response = Response::new(CutOffBody { inner: None, cut: None });
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

pin_project! {
    /// The body of an answer that may be cut off, which is an error of it.
    pub struct CutOffBody<B> {
        #[pin]
        inner: Option<B>,
        cut: Option<Listening>,
    }
}

/// The service ended before the answer did.
#[derive(Debug, thiserror::Error)]
#[error("the service is shutting down")]
struct WasCutOff;

impl<B: Body<Data = Bytes, Error: Into<BoxError>>> Body for CutOffBody<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut this = self.project();
        if let Some(cut) = this.cut
            && let Poll::Ready(running) = cut.as_mut().poll(cx)
        {
            *this.cut = None;
            this.inner.set(None);
            drop(running);
            return Poll::Ready(Some(Err(WasCutOff.into())));
        }
        let Some(inner) = this.inner.as_pin_mut() else { return Poll::Ready(None) };
        inner.poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<B> fmt::Debug for CutOffBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CutOffBody")
    }
}
