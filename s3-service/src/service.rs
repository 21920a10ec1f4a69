//! S3 as a tower service.
//!
//! ```text
//! S3 (typed) ─┐
//!             ├─▶ ledger ─▶ SDK client ─▶ interceptor: admit, judge, count ─▶ S3
//! S3Service ──┘
//! ```
//!
//! The interceptor is the one point of admission. A breaker as a layer around this service would be
//! a second: in half-open each would wait for the other's probe, and neither could close.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_sdk_s3::primitives::ByteStream;
use circuit_layer::{CircuitBreaker, if_abandoned};
use tower_service::Service;

use crate::active_probe::Asked;
use crate::error::S3Error;
use crate::ledger::Ledger;
use crate::operation::Operation;
use crate::operations::Target;
use crate::reader::Reader;
use crate::request::{Download, S3Request};
use crate::response::{Downloaded, S3Response};

/// What every handle of one service shares.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) target: Target,
    pub(crate) endpoint: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) breaker: CircuitBreaker,
    pub(crate) ledger: Arc<Ledger>,
    /// Kept for the breaker's active probe, which ends with the service.
    pub(crate) asked: Option<Asked>,
    #[cfg(feature = "spool")]
    pub(crate) queue: Option<crate::spool::Queue>,
}

impl Inner {
    /// The same past its breaker, hence past its queue.
    pub(crate) fn bypass(&self) -> Self {
        Self {
            target: self.target.bypass(),
            endpoint: self.endpoint.clone(),
            region: self.region.clone(),
            breaker: self.breaker.clone(),
            ledger: Arc::clone(&self.ledger),
            asked: self.asked.clone(),
            #[cfg(feature = "spool")]
            queue: self.queue.as_ref().map(crate::spool::Queue::bypass),
        }
    }

    /// Books the call that `answer` is.
    pub(crate) async fn booked<T>(
        &self,
        operation: Operation,
        answer: impl Future<Output = Result<T, S3Error>>,
    ) -> Result<T, S3Error> {
        let since = self.ledger.now();
        let result = if_abandoned(answer, || self.ledger.abandoned(operation, since)).await;
        let latency = self.ledger.now() - since;
        match &result {
            Ok(_) => self.ledger.success(operation, latency),
            Err(error) => self.ledger.error(operation, error, latency),
        }
        result
    }

    /// A download is booked when its body is over.
    pub(crate) async fn download(&self, download: Download) -> Result<Downloaded, S3Error> {
        #[cfg(feature = "spool")]
        if let Some(queue) = &self.queue
            && let Some(answer) = queue.download(self, &download).await
        {
            return answer;
        }
        let since = self.ledger.now();
        let abandoned = || self.ledger.abandoned(Operation::Download, since);
        let result = if_abandoned(self.target.download(download), abandoned).await;
        let latency = self.ledger.now() - since;
        match result {
            Ok((info, length, body)) => {
                let ledger = Arc::clone(&self.ledger);
                let body = Reader::wrap(body.into_inner(), length, ledger, latency);
                Ok(Downloaded { info, body: ByteStream::new(body) })
            }
            Err(error) => {
                self.ledger.error(Operation::Download, &error, latency);
                Err(error)
            }
        }
    }

    async fn answer(&self, request: S3Request) -> Result<S3Response, S3Error> {
        let operation = request.operation();
        let target = &self.target;
        match request {
            S3Request::Upload(upload) => self.upload(upload).await.map(S3Response::Uploaded),
            S3Request::Download(download) => {
                self.download(download).await.map(S3Response::Downloaded)
            }
            S3Request::Delete { key } => self.delete(key).await.map(S3Response::Deleted),
            S3Request::List(list) => {
                self.booked(operation, target.list(list)).await.map(S3Response::Listed)
            }
            S3Request::Head { key } => self.head(key).await.map(S3Response::Head),
            S3Request::Copy(copy) => self.copy(copy).await.map(S3Response::Copied),
            S3Request::HealthCheck => {
                let checked = self.booked(operation, target.health_check()).await;
                checked.map(|()| S3Response::Healthy)
            }
        }
    }
}

/// S3 as a tower [`Service`].
///
/// Always ready: an open breaker rejects in `call`, where a rejection belongs.
///
/// ```
/// # #[cfg(feature = "test-util")]
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use s3_service::{S3, S3Request, S3Response, Upload};
/// use tower::ServiceExt as _;
///
/// let service = S3::memory().service();
/// let upload = S3Request::Upload(Upload::new("k", b"v".to_vec()));
/// let answer = service.oneshot(upload).await?;
/// assert!(matches!(answer, S3Response::Uploaded(_)));
/// # Ok(())
/// # }
/// # #[cfg(feature = "test-util")]
/// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
/// ```
///
/// Under layers of tower, with a deadline for each call that is further out than the breaker's:
///
/// ```
/// # #[cfg(feature = "test-util")]
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// use s3_service::{S3, S3Request};
/// use tower::ServiceExt as _;
///
/// # let client = s3_service::MemoryStore::new("reports").client();
/// let s3 = S3::builder().bucket("reports").client(client).fail_max(3).build().await?;
/// let service = s3.service().map_request(|key: &str| S3Request::Head { key: key.to_owned() });
/// let head = tokio::time::timeout(Duration::from_secs(60), service.oneshot("missing")).await?;
/// assert!(head.unwrap_err().is_not_found());
/// # Ok(())
/// # }
/// # #[cfg(feature = "test-util")]
/// # tokio::runtime::Runtime::new().unwrap().block_on(run()).unwrap();
/// ```
///
/// # Clone
/// Clones share client, breaker and books.
///
/// # Cancellation
/// A call that is dropped gives its permit back and is in no metric, unless S3 has kept it waiting for the
/// breaker's `abandoned_after`: then it is a failure in both, of `timeout`.
#[derive(Clone, Debug)]
pub struct S3Service {
    pub(crate) inner: Arc<Inner>,
}

impl Service<S3Request> for S3Service {
    type Response = S3Response;
    type Error = S3Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), S3Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: S3Request) -> ResponseFuture {
        let inner = Arc::clone(&self.inner);
        ResponseFuture(Box::pin(async move { inner.answer(request).await }))
    }
}

/// The answer on its way.
#[must_use = "a future does nothing unless it is polled"]
pub struct ResponseFuture(Pin<Box<dyn Future<Output = Result<S3Response, S3Error>> + Send>>);

impl Future for ResponseFuture {
    type Output = Result<S3Response, S3Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl std::fmt::Debug for ResponseFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
